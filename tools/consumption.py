# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which block of units serves which demand, and what is left over.

Quantities are whole units: seconds of time or incidents, never mixed in one call. Days are
in the contract's time zone; moments are all aware or all naive UTC.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class Demand:
    """Units asked for by one piece of work, done on `day`, recorded at `recorded_at`."""

    key: Hashable
    quantity: int
    day: date
    owner: int | None
    activity: int | None
    recorded_at: datetime | None


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


def order_key(block: Block) -> tuple[int, date, date, int]:
    """Priority, then earliest expiry (lifetime last), oldest, lowest id (B35, T20, T21)."""
    return block.priority, block.date_to or date.max, block.date_from, block.id


def serves(block: Block, demand: Demand) -> bool:
    """Whether a demand may draw on a block, whatever is left on it.

    The day is inside the block's dates, the last one included; the block pays for the
    activity and is kept for the demand's contract or for any; and the work was not recorded
    before the block was made: a grant never takes over work that was rated without it.
    """
    return (
        _fits(block, demand.owner, demand.activity)
        and block.date_from <= demand.day
        and (block.date_to is None or demand.day <= block.date_to)
        and _known(block.made_at, demand.recorded_at)
    )


def allocate(blocks: Iterable[Block], demand: Demand) -> Allocation:
    """Serve one demand from the blocks, which come in any order and are not changed.

    Serving blocks are emptied in `order_key` order; what is left goes wholly onto the last
    of them that allows an overdraft, else it is the rest. A demand of zero takes nothing.
    Raises ValueError on a negative quantity.
    """
    serving = sorted((block for block in blocks if serves(block, demand)), key=order_key)
    overdrafts = [block.id for block in serving if block.overdraft]
    stock = ((block.id, block.remaining) for block in serving)
    return _take(demand, stock, overdrafts[-1] if overdrafts else None, bool(serving))


def replay(blocks: Iterable[Block], demands: Iterable[Demand]) -> dict[Hashable, Allocation]:
    """Serve the demands one after the other, in the given order, from the same blocks.

    The result is that of `allocate` with what is left brought up to date after each demand,
    by demand key. Sorts once, and meets an emptied block at most once more among the demands
    of days with the same valid blocks. Raises ValueError on a negative quantity or when two
    demands have the same key.
    """
    stock = _Stock(blocks)
    result: dict[Hashable, Allocation] = {}
    for demand in demands:
        if demand.key in result:
            raise ValueError(f"Two demands have the key {demand.key!r}")
        result[demand.key] = stock.serve(demand)
    return result


def carry_forward(
    lots: Sequence[tuple[int, int]], cap: int | None, max_age: int | None
) -> list[tuple[int, int]]:
    """What goes from an ended term to the next: (age + 1, units) per lot, oldest first.

    A lot is (age, units left): age counts the terms it was carried into so far, 0 for what
    was granted in the ended term. Lots already carried `max_age` times lapse; of more than
    `cap` units the youngest are kept, which live longest. None is no limit. Empty and
    overdrawn lots carry nothing. Raises ValueError on a negative cap.
    """
    if cap is not None and cap < 0:
        raise ValueError(f"A cap cannot be negative: {cap}")
    carried: list[tuple[int, int]] = []
    for age, left in sorted(lots, key=lambda lot: lot[0]):
        if left <= 0 or (max_age is not None and age >= max_age):
            continue
        kept = left if cap is None else min(left, cap)
        cap = None if cap is None else cap - kept
        if kept:
            carried.append((age + 1, kept))
    return carried[::-1]


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
    demand: Demand, stock: Iterable[tuple[int, int]], overdraft: int | None, limited: bool
) -> Allocation:
    """Empty the stock of (block id, units left) in its order; the rest is overdrawn or left."""
    if demand.quantity < 0:
        raise ValueError(f"A demand cannot be negative: {demand.quantity}")
    rest, draws = demand.quantity, []
    if rest:
        for block_id, left in stock:
            if left > 0:
                draws.append((block_id, min(left, rest)))
                rest -= draws[-1][1]
                if not rest:
                    break
    overdrawn = (overdraft, rest) if rest and overdraft is not None else None
    return Allocation(tuple(draws), overdrawn, 0 if overdrawn else rest, limited)


class _Stock:
    """Blocks in order with what is left on each, looked at by lanes and windows.

    A lane is the blocks that fit an owner and an activity; a window is what of a lane is
    valid between two neighbouring dates at which one of its blocks starts or ends.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = sorted(blocks, key=order_key)
        self.left = {block.id: block.remaining for block in self.blocks}
        self.lanes: dict[tuple[int | None, int | None], _Lane] = {}

    def serve(self, demand: Demand) -> Allocation:
        """Allocate the demand and take the units off the blocks."""
        window = self._window(demand)
        stock = window.stock(self.left, demand.recorded_at)
        overdraft = window.overdraft(demand.recorded_at)
        allocation = _take(demand, stock, overdraft, window.serves(demand.recorded_at))
        for block_id, units in allocation.draws:
            self.left[block_id] -= units
        if allocation.overdrawn:
            block_id, units = allocation.overdrawn
            self.left[block_id] -= units
        return allocation

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
