# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Sold support packs: their months, how many of them are due, and what can be taken back.

Units are whole: incidents, or seconds of time. Quantities of packs are Odoo's floats with two
or more decimals; they become exact fractions here, once.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple

from .periods import Span, whole_term

# What a conversion between units of measure may leave behind: 3 of 12 pieces are a quarter.
NOISE = Fraction(1, 1_000_000)


class Invoiced(NamedTuple):
    """What one posted invoice or credit note says about one order line.

    `quantity` is in packs, below zero on a credit note; `reverses` is the id of the invoice
    that a credit note takes back (None: none in particular). `settled`: nothing of it is open
    any more, be it paid or taken back.
    """

    id: int
    quantity: float
    settled: bool
    reverses: int | None = None


def monthly_windows(first: date, months: int) -> list[Span]:
    """The months of a service, each counted from its first day (B21, B62).

    Month k is [first + k months, first + (k + 1) months - 1 day] with month ends clamped, so
    that the months follow each other without a gap. Raises ValueError when there is none.
    """
    if months < 1:
        raise ValueError(f"A service needs at least one month, not {months}")
    return [whole_term(first, 1, index, "anniversary") for index in range(months)]


def units_of(quantity: float, units: int) -> Fraction:
    """The units in a quantity of packs of so many units each (T16).

    A result as near to a whole number as float arithmetic gets is that number.
    """
    result = Fraction(Decimal(repr(float(quantity)))) * units
    return Fraction(round(result)) if abs(result - round(result)) <= NOISE else result


def whole_units(quantity: float, units: int) -> int:
    """As `units_of`, without the part of a unit that nobody can use; never below zero."""
    return max(0, floor(units_of(quantity, units)))


def due_when_ordered(ordered: float, moves: Iterable[Invoiced]) -> float:
    """Packs due on an order that is confirmed: what was ordered, less what was credited.

    What is invoiced again after a credit note counts again.
    """
    moves = list(moves)
    credited = -sum(move.quantity for move in moves if move.quantity < 0)
    invoiced = sum(move.quantity for move in moves if move.quantity > 0)
    return max(0.0, min(ordered, ordered - credited + max(0.0, invoiced - ordered)))


def due_when_invoiced(moves: Iterable[Invoiced], paid: bool) -> float:
    """Packs due on posted invoices less credit notes; with `paid` on settled invoices only.

    A credit note is held against the invoice it takes back, so that crediting an unpaid
    invoice takes nothing from a paid one; one that names no invoice counts in full.
    """
    moves = list(moves)
    invoices = {move.id: move for move in moves if move.quantity > 0}
    if not paid:
        counted = moves
    else:
        counted = [
            move
            for move in moves
            for root in (invoices.get(move.reverses, move),)
            if root.settled or root.quantity < 0
        ]
    return max(0.0, sum(move.quantity for move in counted))


def take_back(excess: int, left: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Which grants give how much of an excess back: (grant id, units), in the order given.

    `left` are (grant id, units nobody has used). What is used is not taken, so the sum may be
    less than the excess.
    """
    taken = []
    for grant, units in left:
        units = min(excess, units)
        if units > 0:
            taken.append((grant, units))
            excess -= units
    return taken
