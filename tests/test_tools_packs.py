# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Sold support packs: months, quantities due and what is taken back, as pure functions."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.packs import (
    Invoiced,
    due_when_invoiced,
    due_when_ordered,
    monthly_windows,
    take_back,
    units_of,
    whole_units,
)

exact = settings(deadline=None, derandomize=True)
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
quantities = st.integers(-500, 500).map(lambda cents: cents / 100)
moves = st.lists(
    st.builds(
        Invoiced,
        id=st.integers(1, 6),
        quantity=quantities,
        settled=st.booleans(),
        reverses=st.one_of(st.none(), st.integers(1, 6)),
    ),
    max_size=6,
    unique_by=lambda move: move.id,
)


def windows(first, months):
    return [(str(w.start), str(w.end)) for w in monthly_windows(date.fromisoformat(first), months)]


@tagged("post_install", "-at_install")
class TestMonths(BaseCase):
    def test_three_months_from_april_11(self):
        # ex. A25, B21
        self.assertEqual(
            windows("2026-04-11", 3),
            [
                ("2026-04-11", "2026-05-10"),
                ("2026-05-11", "2026-06-10"),
                ("2026-06-11", "2026-07-10"),
            ],
        )

    def test_month_ends_clamp_from_the_first_day(self):
        # B62
        self.assertEqual(
            windows("2026-01-31", 4),
            [
                ("2026-01-31", "2026-02-27"),
                ("2026-02-28", "2026-03-30"),
                ("2026-03-31", "2026-04-29"),
                ("2026-04-30", "2026-05-30"),
            ],
        )

    def test_no_month_is_refused(self):
        for months in (0, -1):
            with self.assertRaises(ValueError):
                monthly_windows(date(2026, 1, 1), months)

    @given(days, st.integers(1, 60))
    @exact
    def test_months_follow_each_other_without_a_gap(self, first, months):
        found = monthly_windows(first, months)
        self.assertEqual(len(found), months)
        self.assertEqual(found[0].start, first)
        for one, following in pairwise(found):
            self.assertEqual(one.end + timedelta(days=1), following.start)
        for window in found:
            self.assertTrue(28 <= window.days <= 31, window)
            self.assertTrue(window.start.day == first.day or window.start.day >= 28)


@tagged("post_install", "-at_install")
class TestUnits(BaseCase):
    def test_two_hundred_hours_are_two_hundred_hours(self):
        # T16
        self.assertEqual(whole_units(1.0, 200 * 3600), 720000)
        self.assertEqual(whole_units(3.0, 10), 30)

    def test_noise_of_conversions_is_not_a_part_of_a_unit(self):
        self.assertEqual(units_of(1 / 12, 12), 1)
        self.assertEqual(units_of(0.1 + 0.2, 10), 3)

    def test_part_of_a_unit_is_seen(self):
        self.assertEqual(units_of(0.25, 10), Fraction(5, 2))
        self.assertEqual(whole_units(0.25, 10), 2)

    @given(st.integers(0, 10**6), st.integers(1, 10**7))
    @exact
    def test_whole_packs_are_exact(self, packs, units):
        self.assertEqual(whole_units(float(packs), units), packs * units)


@tagged("post_install", "-at_install")
class TestDue(BaseCase):
    def test_ordered(self):
        self.assertEqual(due_when_ordered(10, []), 10)
        self.assertEqual(due_when_ordered(10, [Invoiced(1, 10, False)]), 10)
        credited = [Invoiced(1, 10, True), Invoiced(2, -4, True, 1)]
        self.assertEqual(due_when_ordered(10, credited), 6)
        self.assertEqual(due_when_ordered(10, [*credited, Invoiced(3, 4, False)]), 10)

    def test_invoiced(self):
        self.assertEqual(due_when_invoiced([], False), 0)
        moves = [Invoiced(1, 10, False), Invoiced(2, -4, False, 1)]
        self.assertEqual(due_when_invoiced(moves, False), 6)
        self.assertEqual(due_when_invoiced(moves, True), 0)

    def test_paid(self):
        paid, unpaid = Invoiced(1, 10, True), Invoiced(2, 5, False)
        self.assertEqual(due_when_invoiced([paid, unpaid], True), 10)
        self.assertEqual(due_when_invoiced([paid, unpaid, Invoiced(3, -5, True, 2)], True), 10)
        self.assertEqual(due_when_invoiced([paid, unpaid, Invoiced(3, -4, False, 1)], True), 6)
        self.assertEqual(due_when_invoiced([paid, unpaid, Invoiced(3, -3, False)], True), 7)

    def test_credited_invoice_and_a_new_one(self):
        moves = [Invoiced(1, 10, True), Invoiced(2, -10, True, 1), Invoiced(3, 10, True)]
        self.assertEqual(due_when_invoiced(moves, True), 10)

    @given(st.integers(0, 500).map(lambda cents: cents / 100), moves)
    @exact
    def test_never_negative_and_never_more_than_ordered(self, ordered, found):
        self.assertTrue(0 <= due_when_ordered(ordered, found) <= ordered)

    @given(moves, st.booleans(), st.randoms())
    @exact
    def test_order_of_invoices_does_not_matter(self, found, paid, random):
        shuffled = list(found)
        random.shuffle(shuffled)
        due = due_when_invoiced(found, paid)
        self.assertAlmostEqual(due, due_when_invoiced(shuffled, paid))
        self.assertGreaterEqual(due, 0)

    @given(moves)
    @exact
    def test_when_all_is_settled_paid_is_invoiced(self, found):
        settled = [move._replace(settled=True) for move in found]
        self.assertAlmostEqual(due_when_invoiced(settled, True), due_when_invoiced(found, False))


@tagged("post_install", "-at_install")
class TestTakeBack(BaseCase):
    def test_used_stays(self):
        self.assertEqual(take_back(10, [(7, 2), (3, 5)]), [(7, 2), (3, 5)])
        self.assertEqual(take_back(3, [(7, 2), (3, 5)]), [(7, 2), (3, 1)])
        self.assertEqual(take_back(3, [(7, -2), (3, 0)]), [])

    @given(st.integers(0, 100), st.lists(st.integers(-20, 50), max_size=8))
    @exact
    def test_never_more_than_left_or_asked(self, excess, left):
        grants = list(enumerate(left))
        taken = take_back(excess, grants)
        available = sum(max(0, units) for units in left)
        self.assertEqual(sum(units for _grant, units in taken), min(excess, available))
        for grant, units in taken:
            self.assertTrue(0 < units <= left[grant])
