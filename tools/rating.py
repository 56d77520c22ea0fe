# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Rating of a time entry: shifts, billable time, rates, units and amounts.

Time is whole seconds, prices are Decimal per hour. Halves round away from zero, so that a
correction is the exact opposite of what it corrects.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import NamedTuple

from .money import round_to

SECOND = timedelta(seconds=1)
HOUR = 3600


class Piece(NamedTuple):
    """A part of a time entry, `seconds` long, wholly inside the shifts with these ids."""

    start: datetime
    seconds: int
    shifts: frozenset[int]


class Claim(NamedTuple):
    """A piece before an allowance: its billable seconds, the units that they draw.

    What isn't `eligible` is charged whatever is left: work outside operational hours (C38).
    """

    seconds: int
    units: int
    eligible: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """A pricing rule; a dimension (activity, site, shift) left None matches everything.

    Kind "price" sets the price per hour, "adjust" adds to it, "multiplier" multiplies it.
    `unit_factor` is how many units each billable second draws (None: no say in it).
    `own` rates are the contract's and go before the plan's.
    """

    id: int
    kind: str
    value: Decimal
    activity: int | None
    site: int | None
    shift: int | None
    unit_factor: Decimal | None
    own: bool


@dataclass(frozen=True)
class Rated:
    """The price per hour of a piece, and how it came about.

    price = (base + adjustment) × multiplier, where `base` is the price of the matching rate
    or of the pricelist. `rate_ids` are the rates that had a say.
    """

    price: Decimal
    base: Decimal
    multiplier: Decimal
    unit_factor: Decimal
    rate_ids: tuple[int, ...]


def split(
    start: datetime,
    stop: datetime,
    shifts: Mapping[int, Sequence[tuple[datetime, datetime]]],
) -> list[Piece]:
    """Cut a time entry at shift borders: the fewest pieces that are each in the same shifts.

    Shifts are the (start, stop) windows of each shift id; windows may overlap. Moments are
    all naive UTC or all aware (of any zone; pieces then start in UTC, so that DST counts
    right). Seconds add up to the entry's; an empty entry has no piece. Raises ValueError
    when stop is before start.
    """
    start, stop = _utc(start), _utc(stop)
    if stop < start:
        raise ValueError(f"The entry stops at {stop}, before it starts at {start}")
    total = (stop - start) // SECOND
    turns: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for shift, windows in shifts.items():
        for window in windows:
            begin, end = (min(max((_utc(at) - start) // SECOND, 0), total) for at in window)
            if begin < end:
                turns[begin].append((shift, 1))
                turns[end].append((shift, -1))
    return _pieces(start, total, turns)


def billable(worked: int, minimum: int, increment: int) -> int:
    """Billable seconds: at least the minimum, then rounded up to the increment (D1, D3).

    An increment of 0 does not round; no work has no minimum. Raises ValueError on a
    negative argument.
    """
    if min(worked, minimum, increment) < 0:
        raise ValueError(f"Negative time: {worked}, {minimum}, {increment}")
    if not worked:
        return 0
    seconds = max(worked, minimum)
    return -(-seconds // increment) * increment if increment else seconds


def marginal_billable(before: int, worked: int, minimum: int, increment: int) -> int:
    """Billable seconds that an entry adds to what was worked before, together rounded once.

    For minimum and rounding per ticket and day (T34): the entries of a day add up to the
    billable time of their sum. May be 0, or less than worked. Raises as `billable`.
    """
    if worked < 0:
        raise ValueError(f"Negative time: {worked}")
    return billable(before + worked, minimum, increment) - billable(before, minimum, increment)


def with_surplus(pieces: Sequence[Piece], billable: int) -> list[Piece]:
    """The pieces made as long, together, as the billable seconds (T34).

    A surplus goes on the last piece; what is too much is cut from the end. Nothing billable
    leaves no piece. Raises ValueError when billable is negative, or has no piece to be on.
    """
    if billable < 0 or (billable and not pieces):
        raise ValueError(f"No piece can hold {billable} seconds")
    kept: list[Piece] = []
    rest = billable
    for piece in pieces:
        seconds = min(piece.seconds, rest)
        rest -= seconds
        if seconds:
            kept.append(piece._replace(seconds=seconds))
    if rest:
        last = kept.pop() if kept else pieces[-1]._replace(seconds=0)
        kept.append(last._replace(seconds=last.seconds + rest))
    return kept


def resolve(
    rates: Iterable[Rate],
    activity: int | None,
    site: int | None,
    shifts: frozenset[int],
    base: Decimal,
) -> Rated:
    """The price per hour of work of an activity, at a site, inside shifts.

    Of the matching prices the contract's own goes first, then the most specific: activity,
    then site, then shift, then lowest id; none: `base`, the pricelist's. One adjustment is
    chosen alike and added. Multipliers do not compound, the largest wins (T33); so does the
    largest unit factor. Raises ValueError on an unknown kind.
    """
    matching = [rate for rate in rates if _matches(rate, activity, site, shifts)]
    kinds: dict[str, list[Rate]] = {"price": [], "adjust": [], "multiplier": []}
    for rate in matching:
        if rate.kind not in kinds:
            raise ValueError(f"Unknown kind of rate: {rate.kind!r}")
        kinds[rate.kind].append(rate)
    factors = [rate for rate in matching if rate.unit_factor is not None]
    price = max(kinds["price"], key=_rank, default=None)
    adjust = max(kinds["adjust"], key=_rank, default=None)
    multiplier = _largest(kinds["multiplier"], lambda rate: rate.value)
    factor = _largest(factors, lambda rate: rate.unit_factor)
    start = price.value if price else base
    times = multiplier.value if multiplier else Decimal(1)
    applied = [rate.id for rate in (price, adjust, multiplier, factor) if rate]
    return Rated(
        price=(start + (adjust.value if adjust else 0)) * times,
        base=start,
        multiplier=times,
        unit_factor=factor.unit_factor if factor else Decimal(1),
        rate_ids=tuple(dict.fromkeys(applied)),
    )


def units(seconds: int, factor: Decimal) -> int:
    """Seconds that billable seconds draw from an allowance by their unit factor (D2, D4)."""
    return _half_up(seconds * Fraction(factor))


def seconds_covered(drawn: int, demanded: int, seconds: int) -> int:
    """How many of the billable seconds the units drawn pay for, of the units demanded.

    In proportion, to the whole second: all when all was drawn, none when nothing was. A
    demand of nothing (unit factor 0) is covered whole; whether an allowance serves at all
    is another question. Raises ValueError when drawn is not from 0 to demanded.
    """
    if not 0 <= drawn <= demanded:
        raise ValueError(f"{drawn} units drawn of {demanded} demanded")
    if drawn == demanded:
        return seconds
    return _half_up(Fraction(seconds * drawn, demanded))


def cover(claims: Iterable[Claim], drawn: int) -> list[int]:
    """How many seconds of each piece the units drawn by the entry pay for, the first ones first.

    Raises ValueError when more was drawn than the eligible pieces demand.
    """
    covered = []
    for claim in claims:
        taken = min(drawn, claim.units) if claim.eligible else 0
        drawn -= taken
        covered.append(seconds_covered(taken, claim.units, claim.seconds) if claim.eligible else 0)
    if drawn:
        raise ValueError(f"{drawn} units were drawn beyond what is demanded")
    return covered


def amount(seconds: int, price: Decimal, rounding: Decimal) -> Decimal:
    """Money for seconds at a price per hour, in whole steps of the currency's rounding.

    Exact until the one rounding at the end; a credit of as many seconds is its opposite.
    Raises ValueError when the rounding is not positive.
    """
    return round_to(Fraction(price) * seconds / HOUR, rounding)


def seconds_of(hours: float) -> int:
    """Whole seconds of an Odoo duration in hours: the one way in from binary floats (T30).

    Raises ValueError when hours is not a finite number.
    """
    if not isfinite(hours):
        raise ValueError(f"Not a duration: {hours}")
    return _half_up(Fraction(Decimal(repr(float(hours)))) * HOUR)


def hours_of(seconds: int) -> float:
    """Odoo's duration in hours: the way out; `seconds_of` gives the same seconds back."""
    return seconds / HOUR


def format_hours(seconds: int) -> str:
    """A duration as people read it, to the minute: 2:30 h, -0:15 h."""
    minutes = _half_up(Fraction(abs(seconds), 60))
    return f"{'-' if seconds < 0 and minutes else ''}{minutes // 60}:{minutes % 60:02d} h"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _pieces(start: datetime, total: int, turns: Mapping[int, list[tuple[int, int]]]) -> list[Piece]:
    """Pieces between the turns: at a second from the start, shifts that come (1) or go (-1)."""
    depth: dict[int, int] = defaultdict(int)
    pieces: list[Piece] = []
    borders = sorted({0, total, *turns})
    for begin, end in pairwise(borders):
        for shift, step in turns.get(begin, ()):
            depth[shift] += step
        inside = frozenset(shift for shift, count in depth.items() if count)
        if pieces and pieces[-1].shifts == inside:
            pieces[-1] = pieces[-1]._replace(seconds=pieces[-1].seconds + end - begin)
        else:
            pieces.append(Piece(start + begin * SECOND, end - begin, inside))
    return pieces


def _matches(rate: Rate, activity: int | None, site: int | None, shifts: frozenset[int]) -> bool:
    return (
        rate.activity in (None, activity)
        and rate.site in (None, site)
        and (rate.shift is None or rate.shift in shifts)
    )


def _rank(rate: Rate) -> tuple[bool, bool, bool, bool, int]:
    """The greater goes first: own, then activity, site and shift named, then lowest id."""
    return (
        rate.own,
        rate.activity is not None,
        rate.site is not None,
        rate.shift is not None,
        -rate.id,
    )


def _largest(rates: list[Rate], value: Callable[[Rate], Decimal]) -> Rate | None:
    """The rate of the largest value; of several, the first by rank."""
    return max(rates, key=lambda rate: (value(rate), _rank(rate)), default=None)


def _half_up(value: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size
