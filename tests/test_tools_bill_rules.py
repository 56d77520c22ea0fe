# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which bill rule applies (C39), and what of an entry its allowance covers (C38), as values."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.bill_rules import Criterion, Rule, applies, first_match, meets
from ..tools.rating import Claim, cover, split, with_surplus

FACTS = ("team", "priority", "tag")
values = st.frozensets(st.integers(0, 4), max_size=3)
criteria = st.builds(Criterion, st.sampled_from(FACTS), values, st.booleans())
rules = st.lists(
    st.builds(Rule, st.integers(1, 9), st.booleans(), st.lists(criteria, max_size=3).map(tuple)),
    max_size=4,
)
facts = st.fixed_dictionaries({name: values for name in FACTS})
START = datetime(2026, 1, 5, 8)


@tagged("post_install", "-at_install")
class TestBillRules(BaseCase):
    def test_all_or_any(self):
        urgent = Criterion("priority", frozenset({3}), False)
        other_team = Criterion("team", frozenset({1}), True)
        ticket = {"priority": frozenset({3}), "team": frozenset({1}), "tag": frozenset()}
        self.assertTrue(meets(urgent, ticket))
        self.assertFalse(meets(other_team, ticket))
        self.assertFalse(applies(Rule(1, True, (urgent, other_team)), ticket))
        self.assertTrue(applies(Rule(1, False, (urgent, other_team)), ticket))

    def test_what_is_not_set_is_none_of_all(self):
        self.assertTrue(meets(Criterion("tag", frozenset({1}), True), {"tag": frozenset()}))

    @given(rules, facts)
    def test_first_that_applies(self, rules, facts):
        found = first_match(rules, facts)
        matching = [rule.id for rule in rules if applies(rule, facts)]
        self.assertEqual(found, matching[0] if matching else None)

    @given(st.booleans(), facts)
    def test_without_criteria_never(self, match_all, facts):  # ex. E47
        self.assertFalse(applies(Rule(1, match_all, ()), facts))

    @given(st.lists(criteria, min_size=1).map(tuple), facts)
    def test_all_is_the_opposite_of_any_opposite(self, criteria, facts):
        opposites = tuple(c._replace(negated=not c.negated) for c in criteria)
        self.assertEqual(
            applies(Rule(1, True, criteria), facts), not applies(Rule(1, False, opposites), facts)
        )

    @given(criteria, facts, st.integers(10, 20))
    def test_other_values_change_nothing(self, criterion, facts, other):
        more = {name: found | {other} for name, found in facts.items()}
        self.assertEqual(meets(criterion, facts), meets(criterion, more))


@tagged("post_install", "-at_install")
class TestCover(BaseCase):
    claims = st.lists(
        st.builds(Claim, st.integers(0, 9000), st.integers(0, 9000), st.booleans()), max_size=5
    )

    def test_outside_is_never_covered(self):
        claims = [Claim(3600, 3600, False), Claim(3600, 3600, True), Claim(60, 0, False)]
        self.assertEqual(cover(claims, 1800), [0, 1800, 0])
        self.assertEqual(cover(claims, 3600), [0, 3600, 0])
        with self.assertRaises(ValueError):
            cover(claims, 3601)

    @given(claims, st.data())
    def test_covered_and_charged_are_all(self, claims, data):
        demand = sum(claim.units for claim in claims if claim.eligible)
        drawn = data.draw(st.integers(0, demand))
        covered = cover(claims, drawn)
        for seconds, claim in zip(covered, claims, strict=True):
            self.assertTrue(0 <= seconds <= claim.seconds)
            self.assertFalse(seconds and not claim.eligible)
        self.assertEqual(
            sum(cover(claims, demand)), sum(claim.seconds for claim in claims if claim.eligible)
        )

    @given(
        st.integers(1, 60000),
        st.integers(0, 3000),
        st.lists(st.tuples(st.integers(0, 60000), st.integers(1, 20000)), max_size=4),
        st.data(),
    )
    def test_seconds_of_an_entry_are_covered_or_charged(self, worked, surplus, hours, data):
        windows = [
            (START + timedelta(seconds=begin), START + timedelta(seconds=begin + length))
            for begin, length in hours
        ]
        pieces = split(START, START + timedelta(seconds=worked), {1: windows})
        pieces = with_surplus(pieces, worked + surplus)
        claims = [Claim(piece.seconds, piece.seconds, 1 in piece.shifts) for piece in pieces]
        drawn = data.draw(st.integers(0, sum(c.units for c in claims if c.eligible)))
        covered = cover(claims, drawn)
        charged = [claim.seconds - seconds for claim, seconds in zip(claims, covered, strict=True)]
        self.assertEqual(sum(covered) + sum(charged), worked + surplus)
        self.assertEqual(sum(covered), drawn)
        outside = [claim.seconds for claim in claims if not claim.eligible]
        self.assertGreaterEqual(sum(charged), sum(outside))
