# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Units for money (B13, B60), and which are taken back first."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.events import earned, newest_first

exact = settings(deadline=None, derandomize=True)
cents = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)
steps = st.integers(1, 10**6).map(lambda n: Decimal(n) / 100)


@tagged("post_install", "-at_install")
class TestEarned(BaseCase):
    def test_unused_part_counts_towards_the_next_one(self):
        # B60: Amount 100, N 1: pay 250 → 2 and 50 carried; then 60 → 1 and 10 carried
        self.assertEqual(earned(Decimal(250), Decimal(100), 1), (2, Decimal(50)))
        self.assertEqual(earned(Decimal(310), Decimal(100), 1), (3, Decimal(10)))

    def test_decimals_are_exact(self):
        self.assertEqual(earned(Decimal("0.3"), Decimal("0.1"), 7), (21, 0))

    def test_refusals(self):
        for total, step, units in ((1, 0, 1), (1, -1, 1), (-1, 1, 1), (1, 1, -1)):
            with self.assertRaises(ValueError):
                earned(Decimal(total), Decimal(step), units)

    @given(st.lists(cents, max_size=8), steps, st.integers(0, 100), st.randoms())
    @exact
    def test_only_the_total_counts(self, payments, step, units, random):
        # Paid one after the other, in any order, some taken back and paid again.
        given, total = 0, Decimal(0)
        for payment in random.sample(payments, len(payments)):
            for change in (payment, -payment, payment):
                total += change
                given += earned(total, step, units)[0] - given
        expected, carried = earned(sum(payments, Decimal(0)), step, units)
        self.assertEqual(given, expected)
        self.assertTrue(0 <= carried < step)
        self.assertEqual(
            sum(payments), earned(sum(payments, Decimal(0)), step, 1)[0] * step + carried
        )


@tagged("post_install", "-at_install")
class TestNewestFirst(BaseCase):
    def test_last_given_goes_first(self):
        self.assertEqual(newest_first([("a", 2), ("b", 0), ("c", 1)], 2), [("c", 1), ("a", 1)])

    def test_more_than_was_given(self):
        with self.assertRaises(ValueError):
            newest_first([("a", 2)], 3)

    @given(st.lists(st.integers(-2, 5), max_size=6), st.integers(0, 12))
    @exact
    def test_exactly_so_many(self, given, units):
        there = sum(max(units, 0) for units in given)
        if units > there:
            with self.assertRaises(ValueError):
                newest_first(enumerate(given), units)
            return
        taken = newest_first(enumerate(given), units)
        self.assertEqual(sum(quantity for _key, quantity in taken), units)
        self.assertTrue(all(0 < quantity <= given[key] for key, quantity in taken))
        self.assertEqual([key for key, _quantity in taken], sorted(dict(taken), reverse=True))
