# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Terms, billing dates and proration: published examples (ex. A, B) and properties."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.periods import (
    Span,
    add_months,
    billing_date,
    fraction,
    iter_terms,
    segments,
    term_index,
    whole_term,
    without,
)

exact = settings(deadline=None, derandomize=True)
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
alignments = st.sampled_from(["anniversary", "calendar"])
calendar_months = st.sampled_from([1, 2, 3, 4, 6, 12])
FAR = date(2100, 1, 1)


def span(start, end):
    return Span(date.fromisoformat(start), date.fromisoformat(end))


@st.composite
def inner_spans(draw):
    """A span inside of another one, and that other one."""
    start, length = draw(days), draw(st.integers(0, 400))
    whole = Span(start, start + timedelta(days=length))
    first = draw(st.integers(0, length))
    last = draw(st.integers(first, length))
    return Span(start + timedelta(days=first), start + timedelta(days=last)), whole


def starts(anchor, months, count, alignment="anniversary"):
    """ISO dates on which the first terms start."""
    terms = iter_terms(date.fromisoformat(anchor), months, alignment, None, FAR)
    return [str(used.start) for _index, _whole, used in islice(terms, count)]


def used_spans(start, months, alignment, last):
    start, last = date.fromisoformat(start), date.fromisoformat(last)
    return [used for _index, _whole, used in iter_terms(start, months, alignment, last, FAR)]


@tagged("post_install", "-at_install")
class TestSpan(BaseCase):
    def test_days_count_both_ends(self):
        self.assertEqual(span("2026-02-01", "2026-02-28").days, 28)
        self.assertEqual(span("2026-02-01", "2026-02-01").days, 1)

    def test_clip(self):
        month = span("2026-02-01", "2026-02-28")
        self.assertEqual(month.clip(span("2026-02-28", "2026-03-31")).days, 1)
        self.assertIsNone(month.clip(span("2026-03-01", "2026-03-31")))

    @given(days, days, days, days)
    @exact
    def test_clip_is_symmetric_and_inside(self, a, b, c, d):
        one, other = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
        common = one.clip(other)
        self.assertEqual(common, other.clip(one))
        if common:
            self.assertEqual(common, common.clip(one))
            self.assertEqual(common, common.clip(other))


@tagged("post_install", "-at_install")
class TestTerms(BaseCase):
    def test_month_end_in_a_leap_year(self):
        # ex. A1
        self.assertEqual(
            starts("2024-01-31", 1, 4), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
        )

    def test_month_end_never_drifts(self):
        # ex. A5, T1
        expected = [
            "2026-01-31",
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
            "2026-05-31",
            "2026-06-30",
        ]
        self.assertEqual(starts("2026-01-31", 1, 6), expected)

    def test_leap_day_recovers(self):
        # ex. A6, T2
        expected = ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
        self.assertEqual(starts("2024-02-29", 12, 5), expected)
        self.assertEqual(add_months(date(2023, 1, 31), 12), date(2024, 1, 31))

    def test_add_months_backwards_and_out_of_range(self):
        self.assertEqual(add_months(date(2026, 3, 31), -1), date(2026, 2, 28))
        self.assertEqual(add_months(date(2026, 3, 31), -15), date(2024, 12, 31))
        with self.assertRaises(ValueError):
            add_months(date(9999, 12, 1), 1)

    def test_monthly_anniversary_with_an_end(self):
        # ex. A18
        self.assertEqual(
            used_spans("2018-01-05", 1, "anniversary", "2018-03-15"),
            [
                span("2018-01-05", "2018-02-04"),
                span("2018-02-05", "2018-03-04"),
                span("2018-03-05", "2018-03-15"),
            ],
        )

    def test_monthly_calendar_with_an_end(self):
        # ex. A19
        self.assertEqual(
            used_spans("2018-01-05", 1, "calendar", "2018-03-15"),
            [
                span("2018-01-05", "2018-01-31"),
                span("2018-02-01", "2018-02-28"),
                span("2018-03-01", "2018-03-15"),
            ],
        )

    def test_yearly_anniversary_with_an_end(self):
        # ex. A20
        self.assertEqual(
            used_spans("2018-01-05", 12, "anniversary", "2020-03-15"),
            [
                span("2018-01-05", "2019-01-04"),
                span("2019-01-05", "2020-01-04"),
                span("2020-01-05", "2020-03-15"),
            ],
        )

    def test_units_of_each_month_bought(self):
        # ex. A25
        terms = iter_terms(date(2026, 4, 11), 1, "anniversary", date(2026, 7, 10), FAR)
        self.assertEqual(
            [used for _index, _whole, used in terms],
            [
                span("2026-04-11", "2026-05-10"),
                span("2026-05-11", "2026-06-10"),
                span("2026-06-11", "2026-07-10"),
            ],
        )

    def test_late_run_gets_every_term_once(self):
        # T4
        terms = list(iter_terms(date(2026, 1, 1), 1, "calendar", None, date(2026, 3, 1)))
        self.assertEqual([index for index, _whole, _used in terms], [0, 1, 2])
        self.assertEqual(terms[2][2], span("2026-03-01", "2026-03-31"))

    def test_nothing_when_the_end_is_before_the_start(self):
        # ex. A15, third case
        self.assertEqual(used_spans("2018-01-16", 1, "anniversary", "2018-01-15"), [])
        self.assertEqual(used_spans("2018-01-16", 1, "calendar", "2018-01-15"), [])

    def test_nothing_before_the_start(self):
        terms = iter_terms(date(2026, 1, 15), 1, "calendar", None, date(2026, 1, 14))
        self.assertEqual(list(terms), [])

    def test_calendar_blocks(self):
        anchor = date(2026, 5, 20)
        for months, expected in {
            1: span("2026-05-01", "2026-05-31"),
            2: span("2026-05-01", "2026-06-30"),
            3: span("2026-04-01", "2026-06-30"),
            6: span("2026-01-01", "2026-06-30"),
            12: span("2026-01-01", "2026-12-31"),
        }.items():
            self.assertEqual(whole_term(anchor, months, 0, "calendar"), expected)
        self.assertEqual(whole_term(anchor, 3, -2, "calendar"), span("2025-10-01", "2025-12-31"))

    def test_bad_arguments_say_what_is_wrong(self):
        day = date(2026, 1, 1)
        for months, alignment, words in (
            (0, "calendar", "at least one month"),
            (5, "calendar", "divide the year"),
            (1, "weekly", "Unknown alignment"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                whole_term(day, months, 0, alignment)
            with self.assertRaisesRegex(ValueError, words):
                term_index(day, months, day, alignment)

    @given(days, calendar_months, alignments, st.integers(-20, 60))
    @exact
    def test_whole_terms_tile_the_time_axis(self, anchor, months, alignment, index):
        one = whole_term(anchor, months, index, alignment)
        following = whole_term(anchor, months, index + 1, alignment)
        self.assertLessEqual(one.start, one.end)
        self.assertEqual(one.end + timedelta(days=1), following.start)

    @given(days, calendar_months, alignments, days)
    @exact
    def test_term_index_finds_the_term_of_a_day(self, anchor, months, alignment, day):
        index = term_index(anchor, months, day, alignment)
        whole = whole_term(anchor, months, index, alignment)
        self.assertTrue(whole.start <= day <= whole.end)

    @given(days, st.integers(1, 40), st.integers(-20, 20))
    @exact
    def test_term_index_inverts_whole_term(self, anchor, months, index):
        whole = whole_term(anchor, months, index, "anniversary")
        self.assertEqual(term_index(anchor, months, whole.start, "anniversary"), index)
        self.assertEqual(term_index(anchor, months, whole.end, "anniversary"), index)

    @given(days, calendar_months, alignments, st.integers(0, 900), st.integers(0, 900))
    @exact
    def test_used_terms_tile_the_life(self, anchor, months, alignment, length, shift):
        last = anchor + timedelta(days=length)
        until = anchor + timedelta(days=shift)
        terms = list(iter_terms(anchor, months, alignment, last, until))
        self.assertEqual([index for index, _whole, _used in terms], list(range(len(terms))))
        self.assertEqual(terms[0][2].start, anchor)
        self.assertEqual(terms[0][1], whole_term(anchor, months, 0, alignment))
        for (_k, _whole, one), (_next, _other, following) in pairwise(terms):
            self.assertEqual(one.end + timedelta(days=1), following.start)
        self.assertTrue(all(used.start <= until for _index, _whole, used in terms))
        end = terms[-1][2].end
        self.assertTrue(end == last or (end < last and end >= until))


@tagged("post_install", "-at_install")
class TestBillingDate(BaseCase):
    def first_used(self, start, months, alignment, last=None):
        return next(iter_terms(start, months, alignment, last, FAR))[2]

    def test_prepaid_monthly(self):
        # ex. A14
        used = self.first_used(date(2018, 1, 1), 1, "anniversary")
        self.assertEqual(billing_date(used, "advance"), date(2018, 1, 1))

    def test_postpaid_monthly(self):
        # ex. A15
        start = date(2018, 1, 1)
        used = self.first_used(start, 1, "anniversary")
        self.assertEqual(billing_date(used, "arrears"), date(2018, 2, 1))
        used = self.first_used(start, 1, "anniversary", date(2018, 1, 15))
        self.assertEqual(billing_date(used, "arrears"), date(2018, 1, 16))

    def test_postpaid_on_the_last_day(self):
        # ex. A16
        for months, expected in ((1, date(2018, 1, 31)), (2, date(2018, 2, 28))):
            used = self.first_used(date(2018, 1, 5), months, "calendar")
            self.assertEqual(billing_date(used, "arrears", last_day=True), expected)

    def test_postpaid_yearly(self):
        # ex. A17
        used = self.first_used(date(2018, 1, 5), 12, "anniversary")
        self.assertEqual(billing_date(used, "arrears"), date(2019, 1, 5))

    def test_stopped_early(self):
        # ex. A22
        used = self.first_used(date(2019, 1, 1), 12, "anniversary", date(2019, 5, 31))
        self.assertEqual(used.end, date(2019, 5, 31))
        self.assertEqual(billing_date(used, "arrears"), date(2019, 6, 1))

    def test_unknown_mode(self):
        with self.assertRaisesRegex(ValueError, "billing mode"):
            billing_date(span("2026-01-01", "2026-01-31"), "later")


@tagged("post_install", "-at_install")
class TestFraction(BaseCase):
    def share(self, used, whole, method="actual"):
        return fraction(span(*used), span(*whole), method)

    def test_leading_share(self):
        # ex. B1
        self.assertEqual(
            self.share(("2011-02-01", "2011-02-12"), ("2011-01-13", "2011-02-12")),
            Fraction(12, 31),
        )

    def test_leap_february(self):
        # ex. B4 (its end day is exclusive)
        self.assertEqual(
            self.share(("2012-02-01", "2012-02-14"), ("2012-02-01", "2012-02-29")),
            Fraction(14, 29),
        )

    def test_upgrade_from_monthly_to_yearly(self):
        # ex. B27
        old = whole_term(date(2023, 6, 29), 1, 2, "anniversary")
        new = whole_term(date(2023, 6, 29), 12, 0, "anniversary")
        change = date(2023, 9, 28)
        self.assertEqual(fraction(Span(change, old.end), old), Fraction(1, 31))
        self.assertEqual(fraction(Span(change, new.end), new), Fraction(275, 366))

    def test_partial_term_and_ten_whole(self):
        # ex. B33
        terms = list(
            iter_terms(date(2025, 3, 5), 1, "anniversary", date(2026, 2, 4), date(2026, 2, 4))
        )
        life = Span(date(2025, 3, 28), date(2026, 2, 4))
        periods = sum(fraction(used.clip(life), whole) for _index, whole, used in terms)
        self.assertEqual(periods, Fraction(8, 31) + 10)
        self.assertEqual(round(periods * 90, 2), Fraction("923.23"))

    def test_oca_prorated_quantities(self):
        # ex. B34, B35, B36
        february = ("2018-02-01", "2018-02-28")
        self.assertEqual(self.share(("2018-02-01", "2018-02-25"), february), Fraction(25, 28))
        self.assertEqual(
            self.share(("2018-01-05", "2018-01-31"), ("2018-01-01", "2018-01-31")),
            Fraction(27, 31),
        )
        self.assertEqual(self.share(("2018-02-01", "2018-02-14"), february), Fraction(1, 2))
        self.assertEqual(self.share(("2018-02-15", "2018-02-28"), february), Fraction(1, 2))

    def test_fixed_thirty_days(self):
        # ex. B14 (its end day is exclusive)
        may = ("2023-05-01", "2023-05-31")
        self.assertEqual(self.share(("2023-05-15", "2023-05-22"), may, "fixed30"), Fraction(8, 30))
        self.assertEqual(self.share(("2023-05-01", "2023-05-30"), may, "fixed30"), 1)
        self.assertEqual(self.share(("2023-05-01", "2023-05-29"), may, "fixed30"), Fraction(29, 30))
        self.assertEqual(self.share(may, may, "fixed30"), 1)

    def test_fixed_thirty_days_of_a_short_whole_month(self):
        february = ("2023-02-01", "2023-02-28")
        self.assertEqual(self.share(february, february, "fixed30"), 1)
        self.assertEqual(
            self.share(("2023-02-01", "2023-02-27"), february, "fixed30"), Fraction(27, 30)
        )

    def test_fixed_thirty_days_of_clamped_terms(self):
        term = whole_term(date(2023, 1, 31), 3, 0, "anniversary")
        used = Span(term.start, term.start + timedelta(days=8))
        self.assertEqual(fraction(used, term, "fixed30"), Fraction(9, 90))

    def test_refusals(self):
        month = ("2023-05-01", "2023-05-31")
        for used in (("2023-04-30", "2023-05-02"), ("2023-05-30", "2023-06-01")):
            with self.assertRaisesRegex(ValueError, "not inside"):
                self.share(used, month)
        with self.assertRaisesRegex(ValueError, "not inside"):
            self.share(("2023-05-09", "2023-05-08"), month)  # ex. B15: never negative
        with self.assertRaisesRegex(ValueError, "shorter than a month"):
            self.share(("2023-05-02", "2023-05-03"), ("2023-05-02", "2023-05-09"), "fixed30")
        with self.assertRaisesRegex(ValueError, "proration method"):
            self.share(month, month, "guess")

    @given(inner_spans())
    @exact
    def test_shares_of_a_partition_add_up(self, drawn):
        cut, whole = drawn
        parts = [cut]
        if whole.start < cut.start:
            parts.append(Span(whole.start, cut.start - timedelta(days=1)))
        if cut.end < whole.end:
            parts.append(Span(cut.end + timedelta(days=1), whole.end))
        self.assertEqual(sum(fraction(part, whole) for part in parts), 1)

    @given(days, calendar_months, alignments, st.data())
    @exact
    def test_fixed30_is_monotone_up_to_one(self, anchor, months, alignment, data):
        whole = whole_term(anchor, months, 0, alignment)
        lengths = st.integers(1, whole.days)
        few, many = sorted((data.draw(lengths), data.draw(lengths)))
        shares = [
            fraction(Span(whole.start, whole.start + timedelta(days=n - 1)), whole, "fixed30")
            for n in (few, many)
        ]
        self.assertTrue(0 < shares[0] <= shares[1] <= 1)


@tagged("post_install", "-at_install")
class TestSegments(BaseCase):
    year = span("2026-01-01", "2026-12-31")

    def test_no_change(self):
        self.assertEqual(segments(self.year, [], 5), [(self.year, 5)])

    def test_quantity_changed_inside(self):
        self.assertEqual(
            segments(self.year, [(date(2026, 7, 1), 7), (date(2026, 3, 1), 6)], 5),
            [
                (span("2026-01-01", "2026-02-28"), 5),
                (span("2026-03-01", "2026-06-30"), 6),
                (span("2026-07-01", "2026-12-31"), 7),
            ],
        )

    def test_earlier_changes_open_and_later_ones_do_not_matter(self):
        changes = [(date(2027, 1, 1), 9), (date(2025, 6, 1), 7), (date(2025, 1, 1), 6)]
        self.assertEqual(segments(self.year, changes, 5), [(self.year, 7)])

    def test_change_on_the_first_and_on_the_last_day(self):
        changes = [(date(2026, 1, 1), 6), (date(2026, 12, 31), 7)]
        self.assertEqual(
            segments(self.year, changes, 5),
            [(span("2026-01-01", "2026-12-30"), 6), (span("2026-12-31", "2026-12-31"), 7)],
        )

    def test_last_change_of_a_day_wins(self):
        changes = [(date(2026, 7, 1), 7), (date(2026, 7, 1), 5)]
        self.assertEqual(segments(self.year, changes, 5), [(self.year, 5)])

    def test_change_in_the_middle_of_a_term_is_prorated(self):
        # ex. B31, B32: half of the old and half of the new
        april = span("2026-04-01", "2026-04-30")
        for old, new, expected in ((10, 20, 15), (20, 50, 35)):
            parts = segments(april, [(date(2026, 4, 16), new)], old)
            total = sum(fraction(part, april) * price for part, price in parts)
            self.assertEqual(total, expected)

    @given(
        inner_spans(),
        st.lists(st.tuples(st.integers(-30, 430), st.integers(0, 3)), max_size=12),
        st.integers(0, 3),
    )
    @exact
    def test_segments_say_the_value_of_each_day(self, drawn, shifts, initial):
        used, whole = drawn
        changes = [(whole.start + timedelta(days=shift), value) for shift, value in shifts]
        parts = segments(used, changes, initial)
        by_day = []
        for part, value in parts:
            by_day += [(part.start + timedelta(days=n), value) for n in range(part.days)]
        expected = []
        for n in range(used.days):
            day = used.start + timedelta(days=n)
            past = sorted((c for c in changes if c[0] <= day), key=lambda change: change[0])
            expected.append((day, past[-1][1] if past else initial))
        self.assertEqual(by_day, expected)
        self.assertTrue(all(a[1] != b[1] for a, b in pairwise(parts)))


@tagged("post_install", "-at_install")
class TestWithout(BaseCase):
    june = span("2026-06-01", "2026-06-30")

    def test_gaps_cut_a_span(self):  # ex. A26
        gaps = [span("2026-06-25", "2026-07-10"), span("2026-06-10", "2026-06-19")]
        self.assertEqual(
            without(self.june, gaps),
            [span("2026-06-01", "2026-06-09"), span("2026-06-20", "2026-06-24")],
        )

    def test_gap_around_a_span_leaves_nothing(self):
        self.assertEqual(without(self.june, [Span(date(2026, 5, 1), date.max)]), [])

    @exact
    @given(
        inner_spans(), st.lists(st.tuples(st.integers(-40, 440), st.integers(0, 60)), max_size=5)
    )
    def test_what_is_left_are_the_days_of_no_gap(self, drawn, offsets):
        used, _whole = drawn
        gaps = []
        for offset, length in offsets:
            first = used.start + timedelta(days=offset)
            gaps.append(Span(first, first + timedelta(days=length)))

        def listed(part):
            return {part.start + timedelta(days=index) for index in range(part.days)}

        parts = without(used, gaps)
        left = [day for part in parts for day in sorted(listed(part))]
        self.assertEqual(left, sorted(listed(used).difference(*map(listed, gaps))))
        for before, after in pairwise(parts):
            self.assertGreater((after.start - before.end).days, 1)  # neighbours are one part
