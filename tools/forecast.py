# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a term comes to if it goes on as it began; what was paid for and not used.

Units are whole (seconds or incidents), days are whole days, shares are exact fractions.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from .periods import Span

WEEK = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """Units of a term at its end: used, beyond what there is, and left of it."""

    used: int
    beyond: int
    left: int


def count_days(span: Span, weekdays: Collection[int] | None = None) -> int:
    """The days of a span that fall on these weekdays (0 is Monday; None: on any)."""
    if weekdays is None:
        return span.days
    weeks, rest = divmod(span.days, WEEK)
    first = span.start.weekday()
    return weeks * len(set(weekdays)) + sum((first + day) % WEEK in weekdays for day in range(rest))


def at_pace(used: int, elapsed_days: int, total_days: int) -> int | None:
    """Units used at the end, if each day brings as many as the days so far did.

    Rounded to the whole unit, halves up. On the last day it is what was used; before the first
    day has begun there is no pace: None. Raises ValueError on a negative argument and when more
    days are over than there are.
    """
    if min(used, elapsed_days, total_days) < 0 or elapsed_days > total_days:
        raise ValueError(f"No pace: {used} in {elapsed_days} of {total_days} days")
    if not elapsed_days:
        return None
    return (2 * used * total_days + elapsed_days) // (2 * elapsed_days)


def forecast(used: int, capacity: int, elapsed_days: int, total_days: int) -> Forecast | None:
    """What will be used of `capacity` units by the end at the pace so far, as `at_pace` does."""
    total = at_pace(used, elapsed_days, total_days)
    if total is None:
        return None
    return Forecast(total, max(total - capacity, 0), max(capacity - total, 0))


def money_at_pace(amount: Fraction, elapsed_days: int, total_days: int) -> Fraction | None:
    """Money at the end, if each day brings as much as the days so far did; None: no pace."""
    return amount * total_days / elapsed_days if elapsed_days else None
