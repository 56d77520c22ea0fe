# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Order and rest of consumption: published examples (ex. C, D) and properties."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.consumption import (
    Allocation,
    Block,
    Debt,
    Demand,
    allocate,
    crossed,
    knows,
    order_key,
    replay,
    serves,
)

exact = settings(deadline=None, derandomize=True)
HOUR = 3600
DAY = date(2026, 6, 15)
NOON = datetime(2026, 6, 15, 12)
PHONE, ON_SITE = 1, 2


def block(id, remaining, **values):
    defaults = {
        "priority": 1,
        "date_from": date(2026, 1, 1),
        "date_to": date(2026, 12, 31),
        "scope": None,
        "owner": None,
        "overdraft": False,
        "made_at": None,
    }
    return Block(id=id, remaining=remaining, **(defaults | values))


def demand(quantity, key="work", day=DAY, owner=None, activity=None, recorded_at=None):
    return Demand(key, quantity, day, owner, activity, recorded_at)


def after(blocks, allocation):
    """The blocks with what an allocation left on them."""
    taken = dict(allocation.draws)
    if allocation.overdrawn:
        block_id, units = allocation.overdrawn
        taken[block_id] = taken.get(block_id, 0) + units
    return [replace(b, remaining=b.remaining - taken.get(b.id, 0)) for b in blocks]


def left(blocks, *demands):
    """Units left by block id once the demands are served."""
    for allocation in replay(blocks, demands).values():
        blocks = after(blocks, allocation)
    return {b.id: b.remaining for b in blocks}


dates = st.integers(0, 12).map(lambda n: DAY + timedelta(days=n - 6))
moments = st.none() | st.integers(0, 6).map(lambda n: NOON + timedelta(hours=n))
owners = st.none() | st.integers(1, 2)
blocks_without_id = st.builds(
    Block,
    id=st.just(0),
    remaining=st.integers(-3, 12),
    priority=st.integers(0, 2),
    date_from=dates,
    date_to=st.none() | dates,
    scope=st.none() | st.frozensets(st.integers(1, 3), max_size=2),
    owner=owners,
    overdraft=st.booleans(),
    made_at=moments,
)
block_lists = st.lists(blocks_without_id, max_size=12).map(
    lambda blocks: [replace(b, id=number) for number, b in enumerate(blocks, 1)]
)
demands_without_key = st.builds(
    Demand,
    key=st.just(0),
    quantity=st.integers(0, 15),
    day=dates,
    owner=owners,
    activity=st.none() | st.integers(1, 3),
    recorded_at=moments,
    prepaid=st.booleans(),
)
debt_lists = st.lists(st.builds(Debt, units=st.integers(1, 8), made_at=moments), max_size=4)
demand_lists = st.lists(demands_without_key, max_size=12).map(
    lambda demands: [replace(d, key=number) for number, d in enumerate(demands)]
)


@tagged("post_install", "-at_install")
class TestServes(BaseCase):
    def test_last_day_still_consumes(self):
        # ex. C5, C12 (their end is exclusive, ours is inclusive)
        june = block(1, 5, date_from=date(2026, 6, 1), date_to=date(2026, 6, 30))
        for day, expected in (
            (date(2026, 5, 31), False),
            (date(2026, 6, 1), True),
            (date(2026, 6, 30), True),
            (date(2026, 7, 1), False),
        ):
            self.assertEqual(serves(june, demand(1, day=day)), expected)

    def test_lifetime_has_no_last_day(self):
        self.assertTrue(serves(block(1, 5, date_to=None), demand(1, day=date.max)))

    def test_what_is_not_prepaid_takes_nothing(self):  # Q34
        ad_hoc = replace(demand(3), prepaid=False)
        plenty = [block(1, 5), block(2, 5, overdraft=True)]
        self.assertFalse(any(serves(b, ad_hoc) for b in plenty))
        self.assertEqual(allocate(plenty, ad_hoc), Allocation((), None, 3, False))
        self.assertEqual(left(plenty, ad_hoc), {1: 5, 2: 5})

    def test_grant_effective_later(self):
        # ex. C5: effective in 10 days, asked on day 5
        later = block(1, 5, date_from=DAY + timedelta(days=5))
        self.assertEqual(allocate([later], demand(1)), Allocation((), None, 1, False))

    def test_scope(self):
        phone = block(1, 5, scope=frozenset([PHONE]))
        self.assertTrue(serves(phone, demand(1, activity=PHONE)))
        self.assertFalse(serves(phone, demand(1, activity=ON_SITE)))
        self.assertFalse(serves(phone, demand(1)))
        self.assertTrue(serves(block(1, 5), demand(1)))

    def test_owner(self):
        own = block(1, 5, owner=7)
        self.assertTrue(serves(own, demand(1, owner=7)))
        self.assertFalse(serves(own, demand(1, owner=8)))
        self.assertFalse(serves(own, demand(1)))
        self.assertTrue(serves(block(1, 5), demand(1, owner=8)))

    def test_grant_never_takes_over_work_recorded_before_it_was_made(self):
        # T17
        made = block(1, 5, made_at=NOON)
        self.assertFalse(serves(made, demand(1, recorded_at=NOON - timedelta(seconds=1))))
        self.assertTrue(serves(made, demand(1, recorded_at=NOON)))
        self.assertTrue(serves(made, demand(1)))
        self.assertTrue(serves(block(1, 5), demand(1, recorded_at=NOON)))

    def test_new_pack_leaves_old_work_on_the_old_pack(self):
        # T17: 8 h with 6 used, 8 h more bought, 10 left in all
        blocks = [block(1, 8 * HOUR), block(2, 8 * HOUR, priority=0, made_at=NOON)]
        work = demand(6 * HOUR, recorded_at=NOON - timedelta(days=1))
        self.assertEqual(left(blocks, work), {1: 2 * HOUR, 2: 8 * HOUR})


@tagged("post_install", "-at_install")
class TestOrder(BaseCase):
    def test_priority(self):
        # ex. C1
        blocks = [block(1, 100, priority=1), block(2, 100, priority=2)]
        for given_order in (blocks, blocks[::-1]):
            self.assertEqual(left(given_order, demand(120)), {1: 0, 2: 80})

    def test_earliest_expiry(self):
        # ex. C2
        soon = block(2, 100, date_to=DAY + timedelta(days=30))
        late = block(1, 100, date_to=DAY + timedelta(days=36500))
        self.assertEqual(left([late, soon], demand(120)), {1: 80, 2: 0})

    def test_priority_beats_expiry(self):
        # ex. C30, without its rule on paid and promotional credits
        blocks = [
            block(1, 50, priority=1, date_to=date(2026, 9, 1)),
            block(2, 20, priority=1, date_to=date(2026, 9, 1)),
            block(3, 100, priority=2, date_to=date(2026, 8, 15)),
        ]
        self.assertEqual(left(blocks, demand(120)), {1: 0, 2: 0, 3: 50})

    def test_time_limited_before_lifetime(self):
        # ex. C45, C37, T21
        blocks = [block(1, 1, date_to=None), block(2, 1)]
        self.assertEqual(allocate(blocks, demand(1)).draws, ((2, 1),))

    def test_ties_go_to_the_oldest_then_to_the_lowest_id(self):
        # B35, T20
        blocks = [block(3, 1), block(2, 1), block(9, 1, date_from=date(2025, 1, 1))]
        self.assertEqual(allocate(blocks, demand(3)).draws, ((9, 1), (2, 1), (3, 1)))

    def test_hundred_thousand_blocks(self):
        # ex. C6
        blocks = [block(number, 100) for number in range(1, 100_001)]
        blocks[77_776] = replace(blocks[77_776], date_to=date(2026, 12, 30))
        begun = process_time()
        allocations = replay(blocks, [demand(99)])
        self.assertLess(process_time() - begun, 5)
        self.assertEqual(allocations["work"], allocate(blocks, demand(99)))
        self.assertEqual(allocations["work"], Allocation(((77_777, 99),), None, 0, True))

    def test_hundred_thousand_demands(self):
        demands = [demand(1, key=key) for key in range(100_000)]
        begun = process_time()
        allocations = replay([block(1, 60_000)], demands)
        self.assertLess(process_time() - begun, 5)
        self.assertEqual(allocations[59_999].draws, ((1, 1),))
        self.assertEqual(allocations[60_000], Allocation((), None, 1, True))

    def test_many_demands_empty_many_blocks(self):
        blocks = [block(number, 3) for number in range(1, 20_001)]
        demands = [demand(2, key=key) for key in range(30_001)]
        begun = process_time()
        allocations = replay(blocks, demands)
        self.assertLess(process_time() - begun, 5)
        self.assertEqual(allocations[29_999].draws, ((20_000, 2),))
        self.assertEqual(allocations[30_000].rest, 2)


@tagged("post_install", "-at_install")
class TestAllocate(BaseCase):
    def test_no_grant(self):
        # ex. C3
        self.assertEqual(allocate([], demand(50)), Allocation((), None, 50, False))

    def test_split_over_two_blocks(self):
        # ex. D19: one entry of 540 minutes over blocks of 240 and 300
        blocks = [block(1, 240 * 60), block(2, 300 * 60, date_to=None)]
        self.assertEqual(
            allocate(blocks, demand(540 * 60)),
            Allocation(((1, 14_400), (2, 18_000)), None, 0, True),
        )

    def test_two_bills_from_one_top_up(self):
        # ex. C20
        blocks, demands = [block(1, 100)], [demand(25, key="a"), demand(35, key="b")]
        draws = {key: got.draws for key, got in replay(blocks, demands).items()}
        self.assertEqual(draws, {"a": ((1, 25),), "b": ((1, 35),)})
        self.assertEqual(left(blocks, *demands), {1: 40})

    def test_granted_before_purchased(self):
        # ex. C21
        blocks = [block(1, 30, priority=1), block(2, 70, priority=2)]
        self.assertEqual(allocate(blocks, demand(80)).draws, ((1, 30), (2, 50)))

    def test_prepaid_on_site(self):
        # ex. C34
        got = allocate([block(1, 3 * HOUR)], demand(4 * HOUR))
        self.assertEqual(got, Allocation(((1, 3 * HOUR),), None, HOUR, True))

    def test_allowance_of_five_hours(self):
        # ex. C35
        demands = [demand(3 * HOUR, key=key) for key in "ab"]
        got = replay([block(1, 5 * HOUR)], demands)
        self.assertEqual(got["a"], Allocation(((1, 3 * HOUR),), None, 0, True))
        self.assertEqual(got["b"], Allocation(((1, 2 * HOUR),), None, HOUR, True))

    def test_first_hours_in_date_order_over_several_projects(self):
        # ex. C36
        days = [demand(20 * HOUR, key=f"project {n}", day=date(2026, 6, n)) for n in (1, 2, 3)]
        got = replay([block(1, 50 * HOUR)], days)
        rests = [allocation.rest // HOUR for allocation in got.values()]
        self.assertEqual(rests, [0, 0, 10])

    def test_expiring_and_lifetime_are_used_up(self):
        # ex. C37
        blocks = [block(1, 10_000, date_to=None), block(2, 8_000)]
        got = allocate(blocks, demand(22_000))
        self.assertEqual(got, Allocation(((2, 8_000), (1, 10_000)), None, 4_000, True))

    def test_overage_of_a_bucket(self):
        # ex. D15
        for used, more, over in ((90, 25, 15), (99.5, 2.5, 2)):
            got = allocate([block(1, int((100 - used) * HOUR))], demand(int(more * HOUR)))
            self.assertEqual(got.rest, over * HOUR)
            got = allocate(
                [block(1, int((100 - used) * HOUR), overdraft=True)], demand(int(more * HOUR))
            )
            self.assertEqual((got.overdrawn, got.rest), ((1, over * HOUR), 0))

    def test_edited_entry_ends_where_rating_from_scratch_would(self):
        # ex. D17: 60 → 120, 60 → 90, and moved to another client
        blocks = [block(1, 200, owner=1), block(2, 200, owner=2)]
        for owner, units, expected in (
            (1, 120, (80, 200)),
            (1, 90, (110, 200)),
            (2, 60, (200, 140)),
        ):
            self.assertEqual(tuple(left(blocks, demand(units, owner=owner)).values()), expected)

    def test_void_then_use(self):
        # ex. C4: what is voided is no longer there
        self.assertEqual(allocate([block(1, 0)], demand(50)), Allocation((), None, 50, True))

    def test_scope_leaves_other_work_alone(self):
        # ex. C24 in cents
        credit = [block(1, 3_900, scope=frozenset([1, 2]))]
        demands = [
            demand(1_000, key=0, activity=3),
            demand(1_772, key=1, activity=1),
            demand(1_769, key=2, activity=2),
        ]
        self.assertEqual(left(credit, *demands), {1: 359})
        self.assertEqual(replay(credit, demands)[0], Allocation((), None, 1_000, False))

    def test_rest_goes_wholly_onto_the_last_overdraft(self):
        blocks = [
            block(1, 1, overdraft=True),
            block(2, 2, overdraft=True, date_to=None),
            block(3, 3, priority=9),
        ]
        got = allocate(blocks, demand(10))
        self.assertEqual(got, Allocation(((1, 1), (2, 2), (3, 3)), (2, 4), 0, True))

    def test_overdrawn_block_gives_nothing_more_of_its_own(self):
        blocks = [block(1, 1, overdraft=True)]
        got = replay(blocks, [demand(3, key=0), demand(2, key=1)])
        self.assertEqual(got[1], Allocation((), (1, 2), 0, True))
        self.assertEqual(left(blocks, demand(3, key=0), demand(2, key=1)), {1: -4})

    def test_zero_takes_nothing(self):
        self.assertEqual(allocate([block(1, 5)], demand(0)), Allocation((), None, 0, True))

    def test_refusals(self):
        for serve in (lambda d: allocate([], d), lambda d: replay([], [d])):
            with self.assertRaisesRegex(ValueError, "negative"):
                serve(demand(-1))
        with self.assertRaisesRegex(ValueError, "key"):
            replay([], [demand(1), demand(1)])

    @given(block_lists, demands_without_key)
    @exact
    def test_quantity_is_conserved_and_nothing_goes_below_zero(self, blocks, work):
        got = allocate(blocks, work)
        overdrawn = got.overdrawn[1] if got.overdrawn else 0
        self.assertEqual(
            sum(units for _id, units in got.draws) + overdrawn + got.rest, work.quantity
        )
        by_id = {b.id: b for b in blocks}
        for block_id, units in got.draws:
            self.assertTrue(0 < units <= by_id[block_id].remaining)
            self.assertTrue(serves(by_id[block_id], work))
        self.assertEqual(len({block_id for block_id, _units in got.draws}), len(got.draws))
        self.assertEqual(got.limited, any(serves(b, work) for b in blocks))
        if got.overdrawn:
            self.assertTrue(by_id[got.overdrawn[0]].overdraft and not got.rest)
        elif got.rest:
            self.assertFalse(any(b.overdraft for b in blocks if serves(b, work)))

    @given(block_lists, demands_without_key)
    @exact
    def test_units_are_taken_one_by_one_in_order(self, blocks, work):
        expected, rest = {}, work.quantity
        for b in sorted(blocks, key=order_key):
            while rest and serves(b, work) and b.remaining > expected.get(b.id, 0):
                expected[b.id] = expected.get(b.id, 0) + 1
                rest -= 1
        self.assertEqual(list(allocate(blocks, work).draws), list(expected.items()))

    @given(block_lists, demands_without_key, st.randoms(use_true_random=False))
    @exact
    def test_order_of_the_blocks_does_not_matter(self, blocks, work, random):
        shuffled = random.sample(blocks, len(blocks))
        self.assertEqual(allocate(shuffled, work), allocate(blocks, work))

    @given(block_lists, demand_lists, debt_lists)
    @settings(exact, max_examples=300)
    def test_replay_is_allocate_after_allocate(self, blocks, demands, debts):
        expected, current = {}, blocks
        for work in demands:
            expected[work.key] = allocate(current, work, debts)
            current = after(current, expected[work.key])
        self.assertEqual(replay(blocks[::-1], demands, debts[::-1]), expected)


@tagged("post_install", "-at_install")
class TestDebts(BaseCase):
    def test_later_work_finds_nothing_until_the_debt_is_made_up_for(self):
        # B61: 1 granted and used, taken back; 1 more is not enough, a second one is
        debts = [Debt(1, NOON)]
        later = demand(1, recorded_at=NOON)
        self.assertEqual(allocate([block(1, 0)], later, debts), Allocation((), None, 1, True))
        blocks = [block(1, 0), block(2, 1)]
        self.assertEqual(allocate(blocks, later, debts), Allocation((), None, 1, True))
        blocks = [block(1, 0), block(2, 1), block(3, 1)]
        self.assertEqual(allocate(blocks, later, debts), Allocation(((2, 1),), None, 0, True))

    def test_earlier_work_keeps_what_it_has(self):
        debts = [Debt(1, NOON)]
        before = demand(1, recorded_at=NOON - timedelta(seconds=1))
        self.assertFalse(knows(debts[0], before))
        for served in (
            allocate([block(1, 1)], before, debts),
            *replay([block(1, 1)], [before], debts).values(),
        ):
            self.assertEqual(served.draws, ((1, 1),))

    def test_debts_do_not_hold_back_an_overdraft(self):
        got = allocate([block(1, 5, overdraft=True)], demand(4), [Debt(3, None)])
        self.assertEqual(got, Allocation(((1, 2),), (1, 2), 0, True))

    def test_time_is_served_as_far_as_it_is_not_owed(self):
        blocks = [block(1, 2 * HOUR), block(2, 3 * HOUR)]
        got = allocate(blocks, demand(4 * HOUR), [Debt(2 * HOUR, None)])
        self.assertEqual(got, Allocation(((1, 2 * HOUR), (2, HOUR)), None, HOUR, True))

    @given(block_lists, demands_without_key, debt_lists)
    @exact
    def test_what_is_drawn_leaves_the_debts_covered(self, blocks, work, debts):
        without, got = allocate(blocks, work), allocate(blocks, work, debts)
        owed = sum(debt.units for debt in debts if knows(debt, work))
        usable = sum(max(b.remaining, 0) for b in blocks if serves(b, work))
        drawn = sum(units for _id, units in got.draws)
        self.assertEqual(drawn, min(work.quantity, max(usable - owed, 0)))
        # the same blocks in the same order, only fewer of them
        taken = dict(without.draws)
        self.assertTrue(all(units <= taken[block_id] for block_id, units in got.draws))
        self.assertEqual(
            [block_id for block_id, _units in got.draws],
            [block_id for block_id, _units in without.draws][: len(got.draws)],
        )
        if not owed:
            self.assertEqual(got, without)


@tagged("post_install", "-at_install")
class TestCrossed(BaseCase):
    def test_equality_counts(self):
        # ex. C26: 100 granted, the balance falls to 30
        self.assertEqual(crossed([60, 70], 100, 70), 70)
        self.assertEqual(crossed([60, 70], 100, 69), 60)
        self.assertEqual(crossed([60, 70], 100, 59), 0)

    def test_one_threshold_of_two(self):
        # ex. C25: alerts at 80 and 50, the balance falls from 90 to 70
        self.assertEqual(crossed([20, 50], 100, 10), 0)
        self.assertEqual(crossed([50, 20], 100, 30), 20)

    def test_warning_with_ten_percent_left(self):
        # ex. C33
        self.assertEqual(crossed([90], 20 * HOUR, 18 * HOUR - 1), 0)
        self.assertEqual(crossed([90], 20 * HOUR, 18 * HOUR), 90)

    def test_beyond_the_allowance(self):
        self.assertEqual(crossed([80, 100, 120], 5 * HOUR, 6 * HOUR), 120)

    def test_nothing_to_cross(self):
        self.assertEqual(crossed([80], 0, 5), 0)
        self.assertEqual(crossed([], 10, 5), 0)
        self.assertEqual(crossed([80], 10, -1), 0)
        self.assertEqual(crossed([0], 10, 0), 0)

    @given(st.lists(st.integers(1, 200)), st.integers(1, 10**9), st.integers(0, 10**9))
    @exact
    def test_exact_on_both_sides(self, thresholds, granted, used):
        reached = [mark for mark in thresholds if used * 100 >= mark * granted]
        self.assertEqual(crossed(thresholds, granted, used), max(reached, default=0))
