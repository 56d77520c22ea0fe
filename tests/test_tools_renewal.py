# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Prices that change and days that move, as pure arithmetic."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.periods import ONE_DAY, add_months
from ..tools.renewal import change_price, shift_day, shift_end, whole_months
from ..tools.settlement import lot_depth, lot_id, lot_source

CENT = Decimal("0.01")
prices = st.decimals(-1000, 100000, places=2)
days = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@tagged("post_install", "-at_install")
class TestToolsRenewal(BaseCase):
    def test_prices(self):
        for price, how, value, expected in (
            ("100", "percent", "3.5", "103.50"),
            ("95.55", "percent", "3.5", "98.89"),
            ("0.05", "percent", "10", "0.06"),  # 0.055: halves go away from zero
            ("100", "amount", "-100", "0"),
            ("-20", "percent", "10", "-22"),  # a discount grows with what it is on
            ("100", "none", "50", "100"),
        ):
            with self.subTest(price=price, how=how, value=value):
                changed = change_price(Decimal(price), how, Decimal(value), CENT)
                self.assertEqual(changed, Decimal(expected))
        for how, value in (("percent", "-100.01"), ("amount", "-100.01"), ("twice", "1")):
            with self.assertRaises(ValueError):
                change_price(Decimal("100"), how, Decimal(value), CENT)

    @given(prices, st.decimals(-100, 100, places=4))
    def test_a_price_is_near_what_it_should_be(self, price, percent):
        changed = change_price(price, "percent", percent, CENT)
        self.assertLessEqual(abs(changed - price * (100 + percent) / 100), CENT / 2)
        self.assertEqual(change_price(price, "percent", Decimal(0), CENT), price)
        self.assertFalse(price >= 0 > changed)

    def test_days(self):
        for day, old, new, expected in (
            (date(2026, 3, 15), date(2026, 1, 1), date(2027, 2, 1), date(2027, 4, 15)),
            (date(2026, 1, 31), date(2026, 1, 1), date(2027, 2, 1), date(2027, 2, 28)),
            (date(2025, 12, 31), date(2026, 1, 1), date(2027, 2, 1), date(2027, 1, 31)),
        ):
            self.assertEqual(shift_day(day, old, new), expected)
        end = shift_end(date(2026, 12, 31), date(2026, 1, 1), date(2027, 3, 15))
        self.assertEqual(end, date(2028, 3, 14))

    @given(days, days, days, days)
    def test_moved_days_keep_their_order(self, first, second, old, new):
        self.assertEqual(shift_day(first, old, old), first)
        self.assertEqual(shift_end(first, old, old), first)
        first, second = sorted((first, second))
        self.assertLessEqual(shift_day(first, old, new), shift_day(second, old, new))
        self.assertEqual(shift_day(old, old, new), new)

    @given(days, st.integers(0, 60))
    def test_whole_months(self, start, months):
        following = add_months(start, months)
        if following > start:
            self.assertEqual(whole_months(start, following - ONE_DAY), months)
        self.assertEqual(whole_months(date(2026, 1, 1), date(2026, 3, 30)), 0)
        self.assertEqual(whole_months(date(2026, 1, 31), date(2026, 2, 27)), 1)

    @given(st.integers(1, 2**31), st.integers(0, 4))
    def test_lots_that_are_not_made_yet_have_ids_of_their_own(self, block, depth):
        lot = lot_id(block)
        for _step in range(depth):
            deeper = lot_id(lot)
            self.assertEqual(lot_source(deeper), lot)
            lot = deeper
        self.assertLess(lot, 0)
        self.assertEqual(lot_depth(lot), depth)
        self.assertEqual(lot_source(lot_id(block)), block)
