# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The life of a pool of units: work draws on grants, and grants end.

A pool is what one customer may use of one unit (seconds of time, or incidents). Given the
same grants, work and endings the result is the same, whatever was decided before: rating
from scratch and rating after an edit are this one function.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from .consumption import ONE_DAY, Allocation, Block, Debt, Demand, replay

# Lots that aren't made yet have ids below zero; a lot of such a lot is this much deeper.
DEEPER = 2**40


def lot_id(block: int) -> int:
    """The id of the lot, not made yet, into which a block is carried; unlike all others."""
    return -block if block > 0 else block - DEEPER


def lot_source(lot: int) -> int:
    """The block that is carried into a lot that isn't made yet; the inverse of `lot_id`."""
    return lot + DEEPER if -lot > DEEPER else -lot


def lot_depth(lot: int) -> int:
    """How many lots that aren't made yet lie between a lot that isn't and a real block."""
    return (-lot - 1) // DEEPER


@dataclass(frozen=True, slots=True)
class Ending:
    """What happens to block `block` after its last day `day`.

    `lot` is the block (with nothing on it) into which what is left is carried, None: it
    lapses. `older` are the lots carried from earlier terms, oldest first: with the new one
    they may not hold more than `cap` (None: no limit). Endings with the same `purse` share its
    `cap`: the first by (day, rank, block) go first. `debtor` is the block that takes over what
    was drawn below zero, None: it stays; a debtor without overdraft takes over what it has.
    """

    block: int
    day: date
    lot: Block | None = None
    older: tuple[int, ...] = ()
    cap: int | None = None
    debtor: int | None = None
    rank: tuple[int, ...] = ()
    purse: Hashable = None


class Movement(NamedTuple):
    """A consequence of an ending: signed units on a block, booked on the day after the end."""

    block: int
    kind: str
    day: date
    quantity: int


@dataclass
class Outcome:
    """What each demand got, what the endings moved, and what is left on each block."""

    allocations: dict[Hashable, Allocation] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    remaining: dict[int, int] = field(default_factory=dict)
    purses: dict[Hashable, int] = field(default_factory=dict)


def simulate(
    blocks: Iterable[Block],
    demands: Iterable[Demand],
    endings: Iterable[Ending],
    debts: Iterable[Debt] = (),
) -> Outcome:
    """Serve the demands in their given order and settle each block after its last day.

    Debts are of the whole pool, for life: no ending settles them. Work of the last day still
    consumes; work of a later day finds what was carried. Movement kinds: `lapse`, `carry_out`
    (negative), `carry_in` (positive), `debt_out` (positive: the debt leaves) and `debt_in`
    (negative). For each day they conserve units: carried out = carried in, debt out = debt in.
    """
    blocks, debts = {block.id: block for block in blocks}, tuple(debts)
    outcome = Outcome(remaining={block.id: block.remaining for block in blocks.values()})
    waiting = list(demands)
    for ending in sorted(endings, key=lambda ending: (ending.day, ending.rank, ending.block)):
        due = [demand for demand in waiting if demand.day <= ending.day]
        if due:
            waiting = [demand for demand in waiting if demand.day > ending.day]
            _serve(blocks, due, debts, outcome)
        if ending.lot and ending.lot.id not in blocks:
            blocks[ending.lot.id] = replace(ending.lot, remaining=0)
            outcome.remaining[ending.lot.id] = 0
        _settle(ending, blocks, outcome)
    _serve(blocks, waiting, debts, outcome)
    return outcome


def _serve(
    blocks: dict[int, Block], demands: list[Demand], debts: tuple[Debt, ...], outcome: Outcome
) -> None:
    if not demands:
        return
    left = outcome.remaining
    stock = [replace(block, remaining=left[block.id]) for block in blocks.values()]
    allocations = replay(stock, demands, debts)
    outcome.allocations.update(allocations)
    for allocation in allocations.values():
        for block, quantity in (*allocation.draws, *filter(None, [allocation.overdrawn])):
            left[block] -= quantity


def _settle(ending: Ending, blocks: dict[int, Block], outcome: Outcome) -> None:
    left = outcome.remaining[ending.block]
    if left > 0:
        carried = 0
        if ending.lot:
            carried = _carry(ending, left, outcome)
            _move(outcome, ending, ending.block, "carry_out", -carried)
            _move(outcome, ending, ending.lot.id, "carry_in", carried)
            if ending.purse is None:
                _trim(ending, carried, outcome)
        _move(outcome, ending, ending.block, "lapse", carried - left)
    elif left < 0 and ending.debtor is not None:
        debt = -left
        if not blocks[ending.debtor].overdraft:
            debt = min(debt, max(outcome.remaining[ending.debtor], 0))
        _move(outcome, ending, ending.block, "debt_out", debt)
        _move(outcome, ending, ending.debtor, "debt_in", -debt)


def _carry(ending: Ending, left: int, outcome: Outcome) -> int:
    """How much of what is left may be carried."""
    if ending.cap is None:
        return left
    spent = outcome.purses.get(ending.purse, 0) if ending.purse is not None else 0
    carried = min(left, ending.cap - spent)
    if ending.purse is not None:
        outcome.purses[ending.purse] = spent + carried
    return carried


def _trim(ending: Ending, carried: int, outcome: Outcome) -> None:
    """Lapse the oldest lots beyond the cap: the youngest live longest."""
    if ending.cap is None:
        return
    older = [lot for lot in ending.older if lot in outcome.remaining]
    excess = carried + sum(outcome.remaining[lot] for lot in older) - ending.cap
    for lot in older:
        taken = min(max(excess, 0), outcome.remaining[lot])
        _move(outcome, ending, lot, "lapse", -taken)
        excess -= taken


def _move(outcome: Outcome, ending: Ending, block: int, kind: str, quantity: int) -> None:
    if quantity:
        outcome.remaining[block] += quantity
        outcome.movements.append(Movement(block, kind, ending.day + ONE_DAY, quantity))
