# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Rating of time entries: published examples (ex. D), the 525.00 example and properties."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.consumption import Block, Demand, replay
from odoo.addons.support_contract.tools.rating import (
    Piece,
    Rate,
    amount,
    billable,
    hours_of,
    marginal_billable,
    resolve,
    seconds_covered,
    seconds_of,
    split,
    units,
    with_surplus,
)

exact = settings(deadline=None, derandomize=True)
HOUR = 3600
MINUTE = 60
CENT = Decimal("0.01")
MIDNIGHT = datetime(2026, 6, 15)
NINE = datetime(2026, 6, 15, 9)
NIGHT, WEEKEND = 1, 2
PHONE, ON_SITE, PREVENTIVE = 1, 2, 3
SITE_A, SITE_B = 1, 2
DAY_SHIFT = frozenset()
NIGHT_SHIFT = frozenset([NIGHT])


def at(hours, minutes=0):
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


def rate(id, kind, value, **values):
    names = ("activity", "site", "shift", "unit_factor")
    return Rate(
        id=id,
        kind=kind,
        value=Decimal(value),
        own=values.pop("own", False),
        **(dict.fromkeys(names) | values),
    )


def price_of(rates, activity=None, site=None, shifts=DAY_SHIFT, base="100"):
    return resolve(rates, activity, site, shifts, Decimal(base)).price


windows = st.lists(
    st.tuples(st.integers(-20, 60), st.integers(0, 40)).map(
        lambda pair: (at(0, pair[0]), at(0, pair[0] + pair[1]))
    ),
    max_size=4,
)
shift_maps = st.dictionaries(st.integers(1, 3), windows, max_size=3)
piece_lists = st.lists(st.integers(1, 50), min_size=1, max_size=5).map(
    lambda lengths: [Piece(NINE, seconds, frozenset([n])) for n, seconds in enumerate(lengths)]
)
named = st.none() | st.integers(1, 2)
decimals = st.integers(-500, 50_000).map(lambda cents: Decimal(cents) / 100)
rates_without_id = st.builds(
    Rate,
    id=st.just(0),
    kind=st.sampled_from(["price", "adjust", "multiplier"]),
    value=decimals,
    activity=named,
    site=named,
    shift=named,
    unit_factor=st.none() | st.sampled_from([Decimal("0.5"), Decimal(1), Decimal(2)]),
    own=st.booleans(),
)
rate_lists = st.lists(rates_without_id, max_size=10).map(
    lambda rates: [replace(r, id=number) for number, r in enumerate(rates, 1)]
)


@tagged("post_install", "-at_install")
class TestSplit(BaseCase):
    def test_without_shifts(self):
        self.assertEqual(split(at(9), at(10), {}), [Piece(at(9), HOUR, DAY_SHIFT)])

    def test_cut_at_the_border(self):
        shifts = {NIGHT: [(at(22), at(30))]}
        self.assertEqual(
            split(at(21), at(23, 30), shifts),
            [Piece(at(21), HOUR, DAY_SHIFT), Piece(at(22), HOUR + 1800, NIGHT_SHIFT)],
        )
        self.assertEqual(split(at(20), at(22), shifts), [Piece(at(20), 2 * HOUR, DAY_SHIFT)])
        self.assertEqual(split(at(22), at(23), shifts), [Piece(at(22), HOUR, NIGHT_SHIFT)])

    def test_overlapping_shifts(self):
        shifts = {NIGHT: [(at(22), at(30))], WEEKEND: [(at(24), at(72))]}
        self.assertEqual(
            split(at(23), at(31), shifts),
            [
                Piece(at(23), HOUR, NIGHT_SHIFT),
                Piece(at(24), 6 * HOUR, frozenset([NIGHT, WEEKEND])),
                Piece(at(30), HOUR, frozenset([WEEKEND])),
            ],
        )

    def test_neighbouring_and_overlapping_windows_are_one_piece(self):
        shifts = {NIGHT: [(at(22), at(24)), (at(23), at(25)), (at(25), at(30))]}
        self.assertEqual(split(at(22), at(29), shifts), [Piece(at(22), 7 * HOUR, NIGHT_SHIFT)])

    def test_empty_entry_and_empty_window(self):
        self.assertEqual(split(at(9), at(9), {NIGHT: [(at(0), at(24))]}), [])
        self.assertEqual(
            split(at(9), at(10), {NIGHT: [(at(9, 30), at(9, 30))]}),
            [Piece(at(9), HOUR, DAY_SHIFT)],
        )

    def test_night_of_the_clock_change(self):
        # 01:00 to 04:00 local is four hours when the clock goes back at 03:00
        berlin = ZoneInfo("Europe/Berlin")
        start, stop = (datetime(2026, 10, 25, hour, tzinfo=berlin) for hour in (1, 4))
        shifts = {NIGHT: [(start, datetime(2026, 10, 25, 3, tzinfo=berlin))]}
        first = datetime(2026, 10, 24, 23, tzinfo=UTC)
        self.assertEqual(
            split(start, stop, shifts),
            [
                Piece(first, 3 * HOUR, NIGHT_SHIFT),
                Piece(first + timedelta(hours=3), HOUR, DAY_SHIFT),
            ],
        )

    def test_stop_before_start(self):
        with self.assertRaisesRegex(ValueError, "before"):
            split(at(10), at(9), {})

    @given(st.integers(0, 40), st.integers(0, 40), shift_maps)
    @exact
    def test_like_looking_at_each_minute(self, begin, length, shifts):
        start = at(0, begin)
        minutes = [start + timedelta(minutes=n) for n in range(length)]
        inside = [
            frozenset(
                shift
                for shift, spans in shifts.items()
                if any(opened <= minute < closed for opened, closed in spans)
            )
            for minute in minutes
        ]
        expected, n = [], 0
        for held, group in groupby(inside):
            count = len(list(group))
            expected.append(Piece(minutes[n], count * MINUTE, held))
            n += count
        self.assertEqual(split(start, at(0, begin + length), shifts), expected)

    @given(st.datetimes(at(-1), at(1, 30)), st.integers(0, 20_000), shift_maps)
    @exact
    def test_seconds_are_conserved_and_pieces_join(self, start, length, shifts):
        pieces = split(start, start + timedelta(seconds=length), shifts)
        self.assertEqual(sum(piece.seconds for piece in pieces), length)
        for one, following in pairwise(pieces):
            self.assertEqual(one.start + timedelta(seconds=one.seconds), following.start)
            self.assertNotEqual(one.shifts, following.shifts)


@tagged("post_install", "-at_install")
class TestBillable(BaseCase):
    quarter = 15 * MINUTE

    def test_rounded_up_to_the_quarter(self):
        # ex. D1: 13:38 to 14:58
        self.assertEqual(billable(80 * MINUTE, 0, self.quarter), 90 * MINUTE)

    def test_five_minutes_are_a_quarter(self):
        # ex. D3
        self.assertEqual(billable(5 * MINUTE, 0, self.quarter), self.quarter)

    def test_minimum_then_increment(self):
        self.assertEqual(billable(5 * MINUTE, 20 * MINUTE, 0), 20 * MINUTE)
        self.assertEqual(billable(5 * MINUTE, 20 * MINUTE, self.quarter), 30 * MINUTE)
        self.assertEqual(billable(31 * MINUTE, 20 * MINUTE, 0), 31 * MINUTE)
        self.assertEqual(billable(30 * MINUTE, 0, self.quarter), 30 * MINUTE)

    def test_no_work_has_no_minimum(self):
        self.assertEqual(billable(0, HOUR, self.quarter), 0)

    def test_twenty_short_entries(self):
        # T34: per entry 5 h; per ticket and day 1 h 45
        entries = [5 * MINUTE] * 20
        self.assertEqual(sum(billable(e, 0, self.quarter) for e in entries), 5 * HOUR)
        added = [
            marginal_billable(sum(entries[:n]), entry, 0, self.quarter)
            for n, entry in enumerate(entries)
        ]
        self.assertEqual(added[:4], [self.quarter, 0, 0, self.quarter])
        self.assertEqual(sum(added), 105 * MINUTE)

    def test_negative_time(self):
        for arguments in ((-1, 0, 0), (0, -1, 0), (0, 0, -1)):
            with self.assertRaisesRegex(ValueError, "Negative"):
                billable(*arguments)
        with self.assertRaisesRegex(ValueError, "Negative"):
            marginal_billable(10, -5, 0, 0)

    times = st.integers(0, 10**5)

    @given(times, times, times, times)
    @exact
    def test_monotone_and_rounded_once(self, worked, more, minimum, increment):
        seconds = billable(worked, minimum, increment)
        self.assertLessEqual(seconds, billable(worked + more, minimum, increment))
        if worked:
            least = max(worked, minimum)
            self.assertTrue(least <= seconds < least + max(increment, 1))
            self.assertEqual(billable(seconds, minimum, increment), seconds)
        if increment:
            self.assertEqual(seconds % increment, 0)

    @given(st.lists(st.integers(0, 5000), max_size=10), times, times)
    @exact
    def test_marginal_times_add_up(self, entries, minimum, increment):
        added = [
            marginal_billable(sum(entries[:n]), entry, minimum, increment)
            for n, entry in enumerate(entries)
        ]
        self.assertEqual(sum(added), billable(sum(entries), minimum, increment))
        self.assertTrue(all(seconds >= 0 for seconds in added))


@tagged("post_install", "-at_install")
class TestWithSurplus(BaseCase):
    pieces = (Piece(at(21), HOUR, DAY_SHIFT), Piece(at(22), 60, NIGHT_SHIFT))

    def lengths(self, seconds):
        return [piece.seconds for piece in with_surplus(self.pieces, seconds)]

    def test_surplus_on_the_last_piece(self):
        # T34
        self.assertEqual(self.lengths(HOUR + 900), [HOUR, 900])
        self.assertEqual(with_surplus(self.pieces, HOUR + 60), list(self.pieces))

    def test_cut_from_the_end(self):
        self.assertEqual(self.lengths(HOUR + 30), [HOUR, 30])
        self.assertEqual(self.lengths(HOUR), [HOUR])
        self.assertEqual(self.lengths(5), [5])
        self.assertEqual(self.lengths(0), [])

    def test_refusals(self):
        for pieces, seconds in (((), 5), (self.pieces, -1)):
            with self.assertRaisesRegex(ValueError, "No piece"):
                with_surplus(pieces, seconds)

    @given(piece_lists, st.integers(0, 400))
    @exact
    def test_long_together_as_billable(self, pieces, seconds):
        kept = with_surplus(pieces, seconds)
        self.assertEqual(sum(piece.seconds for piece in kept), seconds)
        self.assertTrue(all(piece.seconds for piece in kept))
        self.assertEqual([p.shifts for p in kept], [p.shifts for p in pieces[: len(kept)]])
        self.assertEqual(kept[:-1], pieces[: len(kept) - 1] if kept else [])


@tagged("post_install", "-at_install")
class TestResolve(BaseCase):
    def test_pricelist_when_nothing_matches(self):
        rated = resolve([rate(1, "price", 5, activity=PHONE)], None, None, DAY_SHIFT, Decimal(100))
        self.assertEqual((rated.price, rated.base, rated.multiplier), (100, 100, 1))
        self.assertEqual((rated.unit_factor, rated.rate_ids), (1, ()))

    def test_work_type_multiplier(self):
        # ex. D5
        self.assertEqual(price_of([rate(1, "multiplier", "1.5")]), Decimal("150.00"))

    def test_custom_price_adjustment_and_multiplier(self):
        # ex. D6
        self.assertEqual(price_of([rate(1, "price", 200)]), 200)
        self.assertEqual(price_of([rate(1, "adjust", 25)]), 125)
        self.assertEqual(price_of([rate(1, "multiplier", "1.5")]), 150)

    def test_all_three_together(self):
        rates = [rate(3, "price", 200), rate(2, "adjust", -20), rate(1, "multiplier", 2)]
        rated = resolve(rates, None, None, DAY_SHIFT, Decimal(100))
        self.assertEqual((rated.price, rated.base, rated.multiplier), (360, 200, 2))
        self.assertEqual(rated.rate_ids, (3, 2, 1))

    def test_multipliers_do_not_compound(self):
        # T33
        rates = [rate(1, "multiplier", "1.5", shift=NIGHT), rate(2, "multiplier", 2)]
        self.assertEqual(price_of(rates, shifts=NIGHT_SHIFT), 200)
        self.assertEqual(price_of(rates[:1]), 100)

    def test_lone_multiplier_may_lower_the_price(self):
        self.assertEqual(price_of([rate(1, "multiplier", "0.85")]), 85)

    def test_most_specific_price(self):
        rates = [
            rate(1, "price", 10),
            rate(2, "price", 20, shift=NIGHT),
            rate(3, "price", 30, site=SITE_A),
            rate(4, "price", 40, activity=PHONE),
            rate(5, "price", 50, activity=PHONE, shift=NIGHT),
        ]
        self.assertEqual(price_of(rates), 10)
        self.assertEqual(price_of(rates, shifts=NIGHT_SHIFT), 20)
        self.assertEqual(price_of(rates, site=SITE_A, shifts=NIGHT_SHIFT), 30)
        self.assertEqual(price_of(rates, PHONE, SITE_A), 40)
        self.assertEqual(price_of(rates, PHONE, SITE_A, NIGHT_SHIFT), 50)
        self.assertEqual(price_of(rates, ON_SITE, SITE_B), 10)

    def test_own_rates_go_before_the_plan_s(self):
        rates = [rate(1, "price", 10, activity=PHONE), rate(2, "price", 20, own=True)]
        self.assertEqual(price_of(rates, PHONE), 20)

    def test_ties_go_to_the_lowest_id(self):
        rates = [rate(7, "price", 70), rate(3, "price", 30), rate(5, "price", 50)]
        self.assertEqual(price_of(rates), 30)

    def test_unit_factor_is_apart_from_the_price(self):
        # ex. D4
        rates = [
            rate(1, "multiplier", 2, unit_factor=Decimal("0.5")),
            rate(2, "price", 100, unit_factor=Decimal(2), activity=PHONE),
        ]
        self.assertEqual(
            resolve(rates, None, None, DAY_SHIFT, Decimal(1)).unit_factor, Decimal("0.5")
        )
        self.assertEqual(resolve(rates, PHONE, None, DAY_SHIFT, Decimal(1)).unit_factor, 2)

    def test_unknown_kind(self):
        with self.assertRaisesRegex(ValueError, "kind of rate"):
            price_of([rate(1, "gift", 5)])

    @given(rate_lists, named, named, st.frozensets(st.integers(1, 2)), decimals)
    @settings(exact, max_examples=150)
    def test_like_trying_every_rate(self, rates, activity, site, shifts, base):
        matching = [
            r
            for r in rates
            if (r.activity is None or r.activity == activity)
            and (r.site is None or r.site == site)
            and (r.shift is None or r.shift in shifts)
        ]

        def first(kind):
            found = [r for r in matching if r.kind == kind]
            for prefer in (
                lambda r: r.own,
                lambda r: r.activity is not None,
                lambda r: r.site is not None,
                lambda r: r.shift is not None,
            ):
                found = [r for r in found if prefer(r)] or found
            return min(found, key=lambda r: r.id, default=None)

        price, adjust = first("price"), first("adjust")
        expected = price.value if price else base
        multipliers = [r.value for r in matching if r.kind == "multiplier"] or [Decimal(1)]
        factors = [r.unit_factor for r in matching if r.unit_factor is not None]
        rated = resolve(rates[::-1], activity, site, shifts, base)
        self.assertEqual(rated.base, expected)
        self.assertEqual(
            rated.price, (expected + (adjust.value if adjust else 0)) * max(multipliers)
        )
        self.assertEqual(rated.multiplier, max(multipliers))
        self.assertEqual(rated.unit_factor, max(factors, default=1))
        self.assertLessEqual(set(rated.rate_ids), {r.id for r in matching})
        self.assertEqual(rated, resolve(rates, activity, site, shifts, base))


@tagged("post_install", "-at_install")
class TestUnitsAndAmounts(BaseCase):
    def test_block_multipliers(self):
        # ex. D2
        drawn = [units(90 * MINUTE, Decimal(f)) for f in ("1", "1.2", "0.85", "1.5")]
        self.assertEqual(
            [Fraction(n, HOUR) for n in drawn],
            [Fraction("1.5"), Fraction("1.8"), Fraction("1.275"), Fraction("2.25")],
        )

    def test_role_factors(self):
        # ex. D4
        self.assertEqual(units(HOUR, Decimal("2.00")), 2 * HOUR)
        self.assertEqual(units(HOUR, Decimal("0.50")), HOUR // 2)

    def test_halves_go_up(self):
        self.assertEqual(units(1, Decimal("0.5")), 1)
        self.assertEqual(units(3, Decimal("0.5")), 2)
        self.assertEqual(units(1, Decimal("0.49")), 0)

    def test_rounded_time_at_four_prices(self):
        # ex. D1
        seconds = billable(80 * MINUTE, 0, 15 * MINUTE)
        amounts = [str(amount(seconds, Decimal(p), CENT)) for p in (150, 175, 125, 225)]
        self.assertEqual(amounts, ["225.00", "262.50", "187.50", "337.50"])

    def test_block_too_small(self):
        # ex. D7: what the block covers, and the rest at the overage price
        covered = seconds_covered(HOUR, 3 * HOUR, 3 * HOUR)
        self.assertEqual(covered, HOUR)
        self.assertEqual(amount(3 * HOUR - covered, Decimal(120), CENT), Decimal("240.00"))

    def test_cover_by_a_unit_factor(self):
        self.assertEqual(seconds_covered(HOUR, 2 * HOUR, HOUR), HOUR // 2)
        self.assertEqual(seconds_covered(1, 2, 1), 1)
        self.assertEqual(seconds_covered(1, 3, 1), 0)
        self.assertEqual(seconds_covered(0, 5, 100), 0)
        self.assertEqual(seconds_covered(0, 0, 100), 100)

    def test_more_drawn_than_demanded(self):
        for drawn, demanded in ((2, 1), (-1, 1)):
            with self.assertRaisesRegex(ValueError, "demanded"):
                seconds_covered(drawn, demanded, 5)

    def test_amounts_round_half_away_from_zero(self):
        self.assertEqual(str(amount(1, Decimal(18), CENT)), "0.01")  # 0.005
        self.assertEqual(str(amount(-1, Decimal(18), CENT)), "-0.01")
        self.assertEqual(str(amount(HOUR, Decimal("70.02"), Decimal("0.05"))), "70.00")
        self.assertEqual(str(amount(HOUR, Decimal("70.5"), Decimal(1))), "71")

    def test_rounding_must_be_positive(self):
        with self.assertRaisesRegex(ValueError, "rounding"):
            amount(1, Decimal(1), Decimal(0))

    def test_three_tenths_of_an_hour(self):
        # T30
        self.assertEqual(3 * seconds_of(0.1), seconds_of(0.3))
        self.assertEqual(seconds_of(0.1 + 0.1 + 0.1), 1080)
        self.assertEqual(seconds_of(1 / 3), 1200)
        self.assertEqual(seconds_of(2), 2 * HOUR)
        self.assertEqual(seconds_of(-0.25), -900)

    def test_hours_that_are_no_number(self):
        for hours in (float("nan"), float("inf"), float("-inf")):
            with self.assertRaisesRegex(ValueError, "Not a duration"):
                seconds_of(hours)

    @given(st.integers(-(10**9), 10**9))
    @exact
    def test_hours_out_and_in_again(self, seconds):
        self.assertEqual(seconds_of(hours_of(seconds)), seconds)

    @given(st.integers(0, 10**6), decimals, st.sampled_from([CENT, Decimal("0.05"), Decimal(1)]))
    @exact
    def test_amount_is_the_nearest_step(self, seconds, price, rounding):
        money = amount(seconds, price, rounding)
        error = Fraction(money) - Fraction(price) * seconds / HOUR
        self.assertLessEqual(abs(error), Fraction(rounding) / 2)
        self.assertEqual(money % rounding, 0)
        self.assertEqual(amount(-seconds, price, rounding), -money)

    @given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
    @exact
    def test_cover_is_monotone_and_within(self, drawn, demanded, seconds):
        drawn %= demanded
        covered = seconds_covered(drawn, demanded, seconds)
        self.assertTrue(0 <= covered <= seconds)
        self.assertLessEqual(covered, seconds_covered(drawn + 1, demanded, seconds))
        self.assertLessEqual(abs(covered - Fraction(seconds * drawn, demanded)), Fraction(1, 2))


@tagged("post_install", "-at_install")
class TestTermOfFiveHours(BaseCase):
    """The worked example of Qualitor: 525.00 in both of its readings."""

    def charges(self, scope, rates, base, work):
        """Charges of work (activity, site, hours, at night) over an allowance of 5 h."""
        june = date(2026, 6, 1), date(2026, 6, 30)
        allowance = Block(1, 5 * HOUR, 1, *june, frozenset(scope), None, False, None)
        shifts = {NIGHT: [(at(22 + 24 * n), at(30 + 24 * n)) for n in range(10)]}
        demands, rated = [], []
        for n, (activity, site, hours, night) in enumerate(work):
            start = at(24 * n + (23 if night else 9))
            (piece,) = split(start, start + timedelta(hours=hours), shifts)
            rated.append(resolve(rates, activity, site, piece.shifts, base))
            quantity = units(billable(piece.seconds, 0, 0), rated[n].unit_factor)
            demands.append(Demand(n, quantity, start.date(), None, activity, None))
        got = replay([allowance], demands)
        rests = [
            d.quantity - seconds_covered(d.quantity - got[d.key].rest, d.quantity, d.quantity)
            for d in demands
        ]
        return [str(amount(s, r.price, CENT)) for s, r in zip(rests, rated, strict=True) if s]

    def test_first_reading(self):
        # Q6–Q15: phone and on-site in the allowance, 70.00/h, night × 1.5
        charges = self.charges(
            {PHONE, ON_SITE},
            [rate(1, "multiplier", "1.5", shift=NIGHT)],
            Decimal(70),
            [
                (PHONE, None, 3, False),
                (ON_SITE, SITE_A, 3, False),
                (PREVENTIVE, SITE_A, 2, False),
                (ON_SITE, SITE_B, 3, True),
            ],
        )
        self.assertEqual(charges, ["70.00", "140.00", "315.00"])
        self.assertEqual(sum(map(Decimal, charges)), Decimal("525.00"))

    def test_second_reading(self):
        # Q6–Q15: only phone in the allowance, 50.00/h, night 75.00/h
        charges = self.charges(
            {PHONE},
            [rate(1, "price", 50), rate(2, "price", 75, shift=NIGHT)],
            Decimal(70),
            [
                (PHONE, None, 3, False),
                (PHONE, None, 3, False),
                (ON_SITE, None, 3, False),
                (PREVENTIVE, None, 2, False),
                (ON_SITE, None, 3, True),
            ],
        )
        self.assertEqual(charges, ["50.00", "150.00", "100.00", "225.00"])
        self.assertEqual(sum(map(Decimal, charges)), Decimal("525.00"))

    def test_entry_over_two_blocks_is_billed_once(self):
        # ex. D19: 4 h and 5 h of one entry of 9 h are covered, nothing is left to charge
        demanded = 9 * HOUR
        self.assertEqual(seconds_covered(4 * HOUR + 5 * HOUR, demanded, demanded), demanded)
        covered = [amount(s, Decimal(0), CENT) for s in (4 * HOUR, 5 * HOUR)]
        self.assertEqual(covered, [0, 0])
