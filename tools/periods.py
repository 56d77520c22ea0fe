# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Terms, billing dates and proration.

Dates are calendar days in the contract's time zone and every span is inclusive at both
ends. Lengths are days, periods are months, shares are exact fractions.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple, TypeVar

T = TypeVar("T")

ONE_DAY = timedelta(days=1)


class Span(NamedTuple):
    """Days from `start` to `end`, both inclusive."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days, both ends counted."""
        return (self.end - self.start).days + 1

    def clip(self, other: "Span") -> "Span | None":
        """The days both spans have, or None when they have none in common."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start <= end else None


def add_months(anchor: date, months: int) -> date:
    """The day `months` months from the anchor, at most the last day of its month (T1, T2).

    Count from the anchor each time: Jan 31 plus 1, 2, 3 months is Feb 28, Mar 31, Apr 30,
    where adding one month three times over would end on Apr 28. `months` may be negative.
    Raises ValueError outside of the years 1 to 9999.
    """
    year, month = divmod(_month_number(anchor) + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last_day))


def whole_term(anchor: date, months: int, index: int, alignment: str) -> Span:
    """The whole term `index`, a term being `months` months (T1-T3).

    Alignment "anniversary": term k is counted from the anchor. "calendar": terms are the
    months, quarters, half-years, … of the year, and term 0 is the one that holds the
    anchor. A negative index gives the terms before. Raises ValueError when months is not
    positive, when calendar terms do not divide the year, or on an unknown alignment.
    """
    origin = _origin(anchor, months, alignment)
    first = add_months(origin, index * months)
    return Span(first, add_months(origin, (index + 1) * months) - ONE_DAY)


def term_index(anchor: date, months: int, day: date, alignment: str) -> int:
    """The index of the whole term that holds `day`; negative before term 0.

    The inverse of `whole_term`, with the same errors.
    """
    origin = _origin(anchor, months, alignment)
    index = (_month_number(day) - _month_number(origin)) // months
    return index if add_months(origin, index * months) <= day else index - 1


def iter_terms(
    anchor: date, months: int, alignment: str, last: date | None, until: date, first: int = 0
) -> Iterator[tuple[int, Span, Span]]:
    """Yield (index, whole, used) for each term from `first` on that begins by `until` (T4).

    `used` is the whole term without the days before the anchor and after `last` (None: no
    end). Nothing comes after `last`; when `last` is before the anchor, nothing comes at all.
    Raises ValueError as `whole_term` does.
    """
    life = Span(anchor, last or date.max)
    index = first
    while True:
        whole = whole_term(anchor, months, index, alignment)
        used = whole.clip(life)
        if used is None or used.start > until:
            return
        yield index, whole, used
        index += 1


def billing_date(used: Span, mode: str, last_day: bool = False) -> date:
    """The day on which a term falls due.

    Mode "advance": its first day. "arrears": the day after its last day, or that last day
    itself with `last_day`. Raises ValueError on an unknown mode.
    """
    if mode == "advance":
        return used.start
    if mode == "arrears":
        return used.end if last_day else used.end + ONE_DAY
    raise ValueError(f"Unknown billing mode: {mode!r}")


def fraction(used: Span, whole: Span, method: str = "actual") -> Fraction:
    """The share of the whole term that is used, from above 0 up to 1.

    Method "actual": inclusive days used ÷ days of the whole term, so the shares of a
    partition add up to 1. "fixed30": days used ÷ 30 per month of the term, at most 1, and
    exactly 1 for the whole term. Raises ValueError when `used` is not inside `whole`, when
    a fixed30 term is shorter than a month, or on an unknown method.
    """
    if not whole.start <= used.start <= used.end <= whole.end:
        raise ValueError(f"{_text(used)} is not inside of {_text(whole)}")
    if method == "actual":
        return Fraction(used.days, whole.days)
    if method == "fixed30":
        return _fraction_fixed30(used, whole)
    raise ValueError(f"Unknown proration method: {method!r}")


def segments(used: Span, changes: Sequence[tuple[date, T]], initial: T) -> list[tuple[Span, T]]:
    """Split a span at the dated changes of a value, such as a quantity or a price.

    Each change holds from its date on; `initial` holds before the first. Changes come in
    any order: those by the first day set the opening value, those after the last day do
    not matter, of several on one day the last given wins. Neighbours of equal value are
    one segment, so the segments tile the span and no two in a row are alike.
    """
    opening = initial
    starts: dict[date, T] = {}
    for day, value in sorted(changes, key=lambda change: change[0]):
        if day <= used.start:
            opening = value
        elif day <= used.end:
            starts[day] = value
    merged = [(used.start, opening)]
    for day, value in starts.items():
        if value != merged[-1][1]:
            merged.append((day, value))
    ends = [day - ONE_DAY for day, _value in merged[1:]] + [used.end]
    return [(Span(start, end), value) for (start, value), end in zip(merged, ends, strict=True)]


def without(span: Span, gaps: Iterable[Span]) -> list[Span]:
    """The parts of a span that no gap holds, in their order.

    Gaps come in any order; they may overlap each other and reach beyond the span.
    """
    parts, start = [], span.start
    for gap in sorted(gaps):
        hole = gap.clip(span)
        if not hole:
            continue
        if start < hole.start:
            parts.append(Span(start, hole.start - ONE_DAY))
        start = max(start, hole.end + ONE_DAY)
    if start <= span.end:
        parts.append(Span(start, span.end))
    return parts


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _origin(anchor: date, months: int, alignment: str) -> date:
    """First day of whole term 0."""
    if months <= 0:
        raise ValueError(f"A term needs at least one month, not {months}")
    if alignment == "anniversary":
        return anchor
    if alignment != "calendar":
        raise ValueError(f"Unknown alignment: {alignment!r}")
    if 12 % months:
        raise ValueError(f"Calendar terms must divide the year; {months} months do not")
    return date(anchor.year, (anchor.month - 1) // months * months + 1, 1)


def _fraction_fixed30(used: Span, whole: Span) -> Fraction:
    months = _month_number(whole.end + ONE_DAY) - _month_number(whole.start)
    if months <= 0:
        raise ValueError(f"{_text(whole)} is shorter than a month")
    if used == whole:
        return Fraction(1)
    return min(Fraction(used.days, 30 * months), Fraction(1))


def _text(span: Span) -> str:
    return f"[{span.start}..{span.end}]"
