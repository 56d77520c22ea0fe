# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Why a deadline is what it is: the stretches of time before it, which add up to the promise."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from .sla import Clock
from .working_time import NoWorkingTimeError, Pause, Segment, WorkingTime


class Row(NamedTuple):
    """A stretch of time, and what it adds to a clock.

    :param kind: "work" counts; "closed", "holiday" and "pause" don't
    :param phase: "past"; "coming", which a clock that goes on has before it; "spare", which one
        that ended in time hasn't used; "over", behind the deadline
    :param reasons: those of the pauses or holidays, as they were handed in
    :param counted: seconds that count
    :param total: the same with all rows before
    :param held: seconds that would have counted without the pause
    """

    start: datetime
    stop: datetime
    kind: str
    phase: str
    reasons: tuple[str, ...]
    counted: int
    total: int
    held: int


class Explanation(NamedTuple):
    """The rows from the start to the deadline, and on to the end or to now where that is later.

    :param deadline: None if the time that counts would never be enough
    """

    deadline: datetime | None
    rows: list[Row]


def explain(
    time: WorkingTime, clock: Clock, now: datetime, holidays: Collection[Pause] = ()
) -> Explanation:
    """Explain a clock; what counts in the rows up to the deadline is exactly its target.

    A clock that is paused goes on now, as far as this knows: hand its pause in with the others.

    :param holidays: closed time that has a name: the reason
    """
    pauses = clock.known_pauses
    until = clock.ended_at or now
    try:
        deadline = time.deadline(clock.start, clock.target, pauses)
    except NoWorkingTimeError:
        deadline = None
    rows: list[Row] = []
    total = 0
    for segment in _segments(time, clock, pauses, holidays, until, deadline):
        total += segment.seconds
        rows.append(
            Row(
                start=segment.start,
                stop=segment.stop,
                kind=segment.kind,
                phase=_get_phase(clock, segment.start, until, deadline),
                reasons=tuple(filter(None, segment.reason.split(SEPARATOR))),
                counted=segment.seconds,
                total=total,
                held=time.elapsed(segment.start, segment.stop) if segment.kind == "pause" else 0,
            )
        )
    return Explanation(deadline, rows)


def format_clock(seconds: int) -> str:
    """Return a time to the second: 1:05:09, -0:00:30."""
    minutes, second = divmod(abs(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{'-' if seconds < 0 else ''}{hour}:{minute:02}:{second:02}"


# Between the reasons of what is paused, or a holiday, twice.
SEPARATOR = "\0"


def _get_phase(clock: Clock, moment: datetime, until: datetime, deadline: datetime | None) -> str:
    if deadline and moment >= deadline:
        return "over"
    if moment < until:
        return "past"
    return "spare" if clock.ended_at else "coming"


def _segments(
    time: WorkingTime,
    clock: Clock,
    pauses: Collection[Pause],
    holidays: Collection[Pause],
    until: datetime,
    deadline: datetime | None,
) -> Iterator[Segment]:
    """Return the stretches, cut where the deadline, the end and holidays are."""
    stop = max(filter(None, (deadline, until, clock.start)))
    free = flat(holidays)
    for segment in time.segments(clock.start, stop, flat(pauses)):
        if segment.kind == "work":
            yield from _cut(segment, [moment for moment in (until, deadline) if moment])
        elif segment.kind == "closed":
            own = [day for day in free if day.start < segment.stop and day.stop > segment.start]
            for piece in _cut(segment, [edge for day in own for edge in day[:2]]):
                names = [day.reason for day in own if day.start <= piece.start < day.stop]
                yield piece._replace(kind="holiday", reason=names[0]) if names else piece
        else:
            yield segment


def _cut(segment: Segment, moments: Collection[datetime]) -> Iterator[Segment]:
    inner = {moment for moment in moments if segment.start < moment < segment.stop}
    for first, last in pairwise(sorted({segment.start, segment.stop} | inner)):
        yield segment._replace(start=first, stop=last)


def flat(pauses: Collection[Pause]) -> list[Pause]:
    """Return pauses that may overlap in pieces that don't, each with all of its reasons."""
    pieces = []
    for first, last in pairwise(sorted({edge for pause in pauses for edge in pause[:2]})):
        reasons = [pause.reason for pause in sorted(pauses) if pause.start <= first < pause.stop]
        if reasons:
            pieces.append(Pause(first, last, SEPARATOR.join(dict.fromkeys(reasons))))
    return pieces


def whole(start: datetime, stop: datetime, reason: str) -> Pause:
    """Return a holiday; the last second of a day belongs to it, as people write 23:59:59."""
    return Pause(start, stop + timedelta(seconds=stop.second == 59), reason)
