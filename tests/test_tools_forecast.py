# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The arithmetic of forecasts: paces and days."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.forecast import (
    at_pace,
    count_days,
    forecast,
    money_at_pace,
)
from odoo.addons.support_contract.tools.periods import Span

exact = settings(deadline=None, derandomize=True)
QUANTITIES = st.integers(0, 10**9)
DAYS = st.integers(1, 4000)
PACES = DAYS.flatmap(lambda total: st.tuples(st.integers(1, total), st.just(total)))
STARTS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@tagged("post_install", "-at_install")
class TestAtPace(BaseCase):
    def test_by_hand(self):
        self.assertEqual(at_pace(10, 10, 31), 31)
        self.assertEqual(at_pace(7 * 3600, 20, 31), 39060)  # 10:51 h
        self.assertEqual(at_pace(1, 3, 10), 3)
        self.assertEqual(at_pace(1, 4, 10), 3)  # 2.5: halves go up
        self.assertEqual(at_pace(0, 4, 10), 0)

    def test_before_the_first_day_there_is_no_pace(self):
        self.assertIsNone(at_pace(5, 0, 31))
        self.assertIsNone(forecast(5, 10, 0, 31))
        self.assertIsNone(money_at_pace(Fraction(5), 0, 31))

    def test_what_makes_no_sense(self):
        for arguments in ((-1, 1, 2), (1, -1, 2), (1, 3, 2), (1, 1, -2)):
            with self.assertRaises(ValueError):
                at_pace(*arguments)

    @exact
    @given(QUANTITIES, DAYS)
    def test_at_the_end_it_is_what_was_used(self, used, total):
        self.assertEqual(at_pace(used, total, total), used)

    @exact
    @given(QUANTITIES, QUANTITIES, PACES)
    def test_more_used_is_more_expected(self, used, more, pace):
        self.assertLessEqual(at_pace(used, *pace), at_pace(used + more, *pace))

    @exact
    @given(QUANTITIES, PACES)
    def test_it_is_never_less_than_was_used(self, used, pace):
        self.assertGreaterEqual(at_pace(used, *pace), used)

    @exact
    @given(QUANTITIES, PACES, st.integers(0, 4000))
    def test_the_same_use_in_more_days_is_a_slower_pace(self, used, pace, later):
        elapsed, total = pace
        self.assertLessEqual(
            at_pace(used, min(elapsed + later, total), total), at_pace(used, *pace)
        )

    @exact
    @given(QUANTITIES, st.integers(-(10**9), 10**9), PACES)
    def test_what_is_expected_is_there_or_beyond(self, used, capacity, pace):
        outcome = forecast(used, capacity, *pace)
        self.assertEqual(outcome.used - outcome.beyond + outcome.left, capacity)
        self.assertFalse(outcome.beyond and outcome.left)

    @exact
    @given(st.fractions(), PACES)
    def test_money_is_exact(self, amount, pace):
        elapsed, total = pace
        self.assertEqual(money_at_pace(amount, *pace) * elapsed, amount * total)


@tagged("post_install", "-at_install")
class TestCountDays(BaseCase):
    def test_by_hand(self):
        january = Span(date(2026, 1, 1), date(2026, 1, 31))  # from a Thursday on
        self.assertEqual(count_days(january), 31)
        self.assertEqual(count_days(january, {0, 1, 2, 3, 4}), 22)
        self.assertEqual(count_days(january, set()), 0)

    @exact
    @given(STARTS, st.integers(0, 800), st.sets(st.integers(0, 6)))
    def test_it_is_as_counted_one_by_one(self, start, length, weekdays):
        span = Span(start, start + timedelta(days=length))
        days = [start + timedelta(days=number) for number in range(length + 1)]
        self.assertEqual(count_days(span, weekdays), sum(d.weekday() in weekdays for d in days))
        self.assertEqual(count_days(span), len(days))
