# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A statement of account: what there was, what moved in a period, and what there is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

Amount = int | Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that moved a balance on a day; `subject` is whatever explains it.

    Movements of one day stand in the order of `rank`, those of one rank as they came.
    """

    day: date
    amount: Amount
    subject: Any = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A movement and the balance after it."""

    movement: Movement
    balance: Amount


@dataclass(frozen=True, slots=True)
class Statement:
    """The balance before a period, its movements, and the balance at the end of its last day."""

    opening: Amount
    lines: tuple[Line, ...]
    closing: Amount


def statement(movements: Iterable[Movement], start: date, end: date) -> Statement:
    """State the movements of the days from `start` to `end`, both included.

    What moved before counts in the opening balance; what moves later doesn't count. Amounts are
    all int or all Decimal. Raises ValueError when the period ends before it starts.
    """
    if end < start:
        raise ValueError(f"A period cannot end before it starts: {start} – {end}")
    opening: Amount = 0
    inside: list[Movement] = []
    for movement in movements:
        if movement.day < start:
            opening += movement.amount
        elif movement.day <= end:
            inside.append(movement)
    balance = opening
    lines = []
    for movement in sorted(inside, key=lambda movement: (movement.day, movement.rank)):
        balance += movement.amount
        lines.append(Line(movement, balance))
    return Statement(opening, tuple(lines), balance)
