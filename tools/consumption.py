# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which block of units serves which demand, and what is left over.

Quantities are whole units: seconds of time or incidents, never mixed in one call. Days are
in the contract's time zone; moments are all aware or all naive UTC.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

ONE_DAY = timedelta(days=1)

# Whose units: company id, commercial partner id, unit.
Pool = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Block:
    """A grant: units that may be used from `date_from` to `date_to`, or for life (None).

    `scope` holds the activity types it pays for (None: all), `owner` the contract it is
    kept for (None: any contract of the customer). With `overdraft` it may go below zero.
    It serves work recorded from `made_at` on (None: whenever the work was recorded).
    """

    id: int
    remaining: int
    priority: int
    date_from: date
    date_to: date | None
    scope: frozenset[int] | None
    owner: int | None
    overdraft: bool
    made_at: datetime | None


class Debt(NamedTuple):
    """Units that were taken back from a pool after they may have been used.

    It is known to work recorded after it was made (`made_at`; None: to all work), and keeps
    as many units of the blocks that such work may use from being drawn (B61). What was
    recorded before stays as it was.
    """

    units: int
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class Demand:
    """Units asked for by one piece of work, done on `day`, recorded at `recorded_at`.

    Work that is not `prepaid` is charged: no block serves it, whatever is left.
    """

    key: Hashable
    quantity: int
    day: date
    owner: int | None
    activity: int | None
    recorded_at: datetime | None
    prepaid: bool = True


class Allocation(NamedTuple):
    """What one demand got.

    `draws` are (block id, units) in the order taken; `overdrawn` is what went below zero on
    one block; `rest` found no block. `limited` tells that some block, even an empty one,
    serves this demand: then the rest is overage, else it is work outside any allowance.
    """

    draws: tuple[tuple[int, int], ...]
    overdrawn: tuple[int, int] | None
    rest: int
    limited: bool

    def get_covered(self) -> int:
        """Units that were found, below zero too."""
        return sum(units for _block, units in self.draws) + (
            self.overdrawn[1] if self.overdrawn else 0
        )


def earliest(moments: Iterable[tuple[Pool, datetime]]) -> dict[Pool, datetime]:
    """The first moment of each pool."""
    starts: dict[Pool, datetime] = {}
    for pool, moment in moments:
        starts[pool] = min(starts.get(pool, moment), moment)
    return starts


def order_key(block: Block) -> tuple[int, date, date, int]:
    """Priority, then earliest expiry (lifetime last), oldest, lowest id (B35, T20, T21)."""
    return block.priority, block.date_to or date.max, block.date_from, block.id


def serves(block: Block, demand: Demand) -> bool:
    """Whether a demand may draw on a block, whatever is left on it.

    The work is prepaid at all; the day is inside the block's dates, the last one included;
    the block pays for the activity and is kept for the demand's contract or for any; and the
    work was not recorded before the block was made: a grant never takes over work that was
    rated without it.
    """
    return (
        demand.prepaid
        and _fits(block, demand.owner, demand.activity)
        and block.date_from <= demand.day
        and (block.date_to is None or demand.day <= block.date_to)
        and _known(block.made_at, demand.recorded_at)
    )


def allocate(blocks: Iterable[Block], demand: Demand, debts: Iterable[Debt] = ()) -> Allocation:
    """Serve one demand from the blocks, which come in any order and are not changed.

    Serving blocks are emptied in `order_key` order, as far as they hold more than the debts
    known to the demand; what is left goes wholly onto the last of them that allows an
    overdraft, else it is the rest. A demand of zero takes nothing. Raises ValueError on a
    negative quantity.
    """
    serving = sorted((block for block in blocks if serves(block, demand)), key=order_key)
    overdrafts = [block.id for block in serving if block.overdraft]
    stock = ((block.id, block.remaining) for block in serving)
    owed = sum(debt.units for debt in debts if knows(debt, demand))
    return _take(demand, stock, owed, overdrafts[-1] if overdrafts else None, bool(serving))


def knows(debt: Debt, demand: Demand) -> bool:
    """Whether units taken back are missing for a demand: it was recorded afterwards."""
    return _known(debt.made_at, demand.recorded_at)


def replay(
    blocks: Iterable[Block], demands: Iterable[Demand], debts: Iterable[Debt] = ()
) -> dict[Hashable, Allocation]:
    """Serve the demands one after the other, in the given order, from the same blocks.

    The result is that of `allocate` with what is left brought up to date after each demand,
    by demand key. Sorts once, and meets an emptied block at most once more among the demands
    of days with the same valid blocks; only a demand that knows debts looks at as many more
    blocks as hold the units owed. Raises ValueError on a negative quantity or when two
    demands have the same key.
    """
    stock = _Stock(blocks, tuple(debts))
    result: dict[Hashable, Allocation] = {}
    for demand in demands:
        if demand.key in result:
            raise ValueError(f"Two demands have the key {demand.key!r}")
        result[demand.key] = stock.serve(demand)
    return result


def crossed(thresholds: Sequence[int], granted: int, used: int) -> int:
    """The highest threshold (% of the units granted) that is reached, 0 when none is.

    Reached counts from equality on. Nothing granted has no percentage: 0.
    """
    if granted <= 0:
        return 0
    return max((mark for mark in thresholds if 0 < mark * granted <= used * 100), default=0)


def _fits(block: Block, owner: int | None, activity: int | None) -> bool:
    return (block.owner is None or block.owner == owner) and (
        block.scope is None or (activity is not None and activity in block.scope)
    )


def _known(made_at: datetime | None, recorded_at: datetime | None) -> bool:
    return made_at is None or recorded_at is None or made_at <= recorded_at


def _take(
    demand: Demand,
    stock: Iterable[tuple[int, int]],
    owed: int,
    overdraft: int | None,
    limited: bool,
) -> Allocation:
    """Empty the stock of (block id, units left) in its order; the rest is overdrawn or left."""
    if demand.quantity < 0:
        raise ValueError(f"A demand cannot be negative: {demand.quantity}")
    rest, draws = demand.quantity, []
    if rest and owed:
        stock, free = _set_aside(stock, rest, owed)
    else:
        free = rest
    if free:
        for block_id, left in stock:
            if left > 0:
                draws.append((block_id, min(left, free)))
                free -= draws[-1][1]
                rest -= draws[-1][1]
                if not free:
                    break
    overdrawn = (overdraft, rest) if rest and overdraft is not None else None
    return Allocation(tuple(draws), overdrawn, 0 if overdrawn else rest, limited)


def _set_aside(
    stock: Iterable[tuple[int, int]], wanted: int, owed: int
) -> tuple[list[tuple[int, int]], int]:
    """Look at the stock as far as needed: (that part of it, what of `wanted` is not owed)."""
    seen, total = [], 0
    for block_id, left in stock:
        if left > 0:
            seen.append((block_id, left))
            total += left
            if total >= wanted + owed:
                break
    return seen, min(wanted, max(total - owed, 0))


class _Stock:
    """Blocks in order with what is left on each, looked at by lanes and windows.

    A lane is the blocks that fit an owner and an activity; a window is what of a lane is
    valid between two neighbouring dates at which one of its blocks starts or ends.
    """

    def __init__(self, blocks: Iterable[Block], debts: Sequence[Debt]) -> None:
        self.blocks = sorted(blocks, key=order_key)
        self.left = {block.id: block.remaining for block in self.blocks}
        dated = sorted((debt.made_at, debt.units) for debt in debts if debt.made_at is not None)
        always = sum(debt.units for debt in debts if debt.made_at is None)
        self.debts_made = [made_at for made_at, _units in dated]
        self.owed = list(accumulate((units for _made_at, units in dated), initial=always))
        self.lanes: dict[tuple[int | None, int | None], _Lane] = {}

    def serve(self, demand: Demand) -> Allocation:
        """Allocate the demand and take the units off the blocks."""
        if not demand.prepaid:
            return _take(demand, (), 0, None, False)
        window = self._window(demand)
        stock = window.stock(self.left, demand.recorded_at)
        overdraft = window.overdraft(demand.recorded_at)
        owed = self._get_owed(demand.recorded_at)
        allocation = _take(demand, stock, owed, overdraft, window.serves(demand.recorded_at))
        for block_id, units in allocation.draws:
            self.left[block_id] -= units
        if allocation.overdrawn:
            block_id, units = allocation.overdrawn
            self.left[block_id] -= units
        return allocation

    def _get_owed(self, recorded_at: datetime | None) -> int:
        """The debts known to work recorded at that moment, in units."""
        if recorded_at is None:
            return self.owed[-1]
        return self.owed[bisect_right(self.debts_made, recorded_at)]

    def _window(self, demand: Demand) -> "_Window":
        key = demand.owner, demand.activity
        if key not in self.lanes:
            self.lanes[key] = _Lane([block for block in self.blocks if _fits(block, *key)])
        return self.lanes[key].window(demand.day)


class _Lane:
    """The blocks, in order, that fit one owner and activity."""

    def __init__(self, blocks: list[Block]) -> None:
        starts = {block.date_from for block in blocks}
        ends = {block.date_to or date.max for block in blocks} - {date.max}
        self.blocks = blocks
        self.borders = sorted(starts | {end + ONE_DAY for end in ends})
        self.windows: dict[int, _Window] = {}

    def window(self, day: date) -> "_Window":
        """The blocks valid on the day; the same object for every day between two borders."""
        index = bisect_right(self.borders, day)
        if index not in self.windows:
            self.windows[index] = _Window(
                [
                    block
                    for block in self.blocks
                    if block.date_from <= day <= (block.date_to or date.max)
                ]
            )
        return self.windows[index]


class _Window:
    """The blocks of a lane, in order, that are valid on the same days."""

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks
        self.following = list(range(len(blocks) + 1))
        self.overdrafts = [block for block in reversed(blocks) if block.overdraft]
        self.first_made = min(
            blocks, key=lambda block: (block.made_at is not None, block.made_at), default=None
        )

    def serves(self, recorded_at: datetime | None) -> bool:
        """Whether any block serves work recorded at that moment."""
        return self.first_made is not None and _known(self.first_made.made_at, recorded_at)

    def overdraft(self, recorded_at: datetime | None) -> int | None:
        """The last block that serves work recorded at that moment and may go below zero."""
        allowed = (block.id for block in self.overdrafts if _known(block.made_at, recorded_at))
        return next(allowed, None)

    def stock(
        self, left: dict[int, int], recorded_at: datetime | None
    ) -> Iterator[tuple[int, int]]:
        """Yield (block id, units left), unlinking for good each emptied block on the way.

        `following` is a linked list: at i + 1 the block that comes after block i, at 0 the
        first one.
        """
        previous = 0
        while (index := self.following[previous]) < len(self.blocks):
            block = self.blocks[index]
            if left[block.id] <= 0:
                self.following[previous] = self.following[index + 1]
                continue
            if _known(block.made_at, recorded_at):
                yield block.id, left[block.id]
            previous = index + 1
