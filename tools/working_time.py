# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Working time: how much of it passes between two moments, and when so much of it has passed.

Moments are naive UTC, time is whole seconds. The windows in which time counts are compiled once,
year by year as they are needed, with the time that counts before each: a question is then a
bisection. Windows are closed on the left: a window from 9 to 17 contains 9:00:00 and ends with
16:59:59, so that 8 hours that begin at 9 are over at 17, not at 9 of the next day.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1)
# A deadline that is further away is none: ten years, pauses aside. A ticket may be reopened after
# many years; a pause of a century has no end.
LONGEST = 10 * 366 * 86_400
LONGEST_PAUSE = 10 * LONGEST
LAST_SECOND = (datetime.max - EPOCH) // timedelta(seconds=1)

Window = tuple[int, int]  # first second, and the second after the last one, since 1970


class NoWorkingTimeError(ValueError):
    """There is too little working time to reach a deadline, within ten years on a schedule."""


class Pause(NamedTuple):
    """Time that doesn't count, and why. The stop is the first moment that counts again."""

    start: datetime
    stop: datetime
    reason: str = ""


class Segment(NamedTuple):
    """A stretch of time: whether it counts, the reason of the pause if it is one."""

    start: datetime
    stop: datetime
    kind: str  # "work", "closed" or "pause"
    reason: str = ""

    @property
    def seconds(self) -> int:
        """What of it counts."""
        return _seconds(self.stop) - _seconds(self.start) if self.kind == "work" else 0


class WorkingTime:
    """Time that counts around the clock; what counts less is a `Schedule`."""

    def elapsed(self, start: datetime, stop: datetime, pauses: Iterable[Pause] = ()) -> int:
        """Return the seconds that count between two moments, 0 if the second one comes first."""
        return self._elapsed(_seconds(start), _seconds(stop), pauses)

    def deadline(self, start: datetime, target: int, pauses: Iterable[Pause] = ()) -> datetime:
        """Return the moment at which `target` seconds (above 0) have counted since `start`.

        :raise NoWorkingTimeError: if that never happens
        """
        return _moment(self._deadline(_seconds(start), target, pauses))

    def is_open(self, moment: datetime) -> bool:
        """Return whether time counts at a moment, pauses aside."""
        second = _seconds(moment)
        return self._worked(second + 1) > self._worked(second)

    def windows(self, start: datetime, stop: datetime) -> list[tuple[datetime, datetime]]:
        """Return the windows in which time counts between two moments."""
        windows = self._windows_between(_seconds(start), _seconds(stop))
        return [(_moment(first), _moment(last)) for first, last in windows]

    def segments(
        self, start: datetime, stop: datetime, pauses: Iterable[Pause] = ()
    ) -> list[Segment]:
        """Return the time between two moments in stretches, each counting or not, in order.

        What is both closed and paused is called a pause, what is paused twice has the reason
        that came first.
        """
        pauses = sorted(pauses)
        windows = self.windows(start, stop)
        edges = {start, stop}
        edges.update(moment for window in windows for moment in window)
        edges.update(moment for pause in pauses for moment in pause[:2])
        segments: list[Segment] = []
        for first, last in pairwise(sorted(edge for edge in edges if start <= edge <= stop)):
            paused = [pause for pause in pauses if pause.start <= first < pause.stop]
            kind, reason = "closed", ""
            if paused:
                kind, reason = "pause", paused[0].reason
            elif any(begin <= first < end for begin, end in windows):
                kind = "work"
            if segments and (segments[-1].kind, segments[-1].reason) == (kind, reason):
                segments[-1] = segments[-1]._replace(stop=last)
            else:
                segments.append(Segment(first, last, kind, reason))
        return segments

    def _elapsed(self, start: int, stop: int, pauses: Iterable[Pause]) -> int:
        if stop <= start:
            return 0
        counted = self._worked(stop) - self._worked(start)
        for first, last in _union(pauses, start):
            if first >= stop:
                break
            counted -= self._worked(min(last, stop)) - self._worked(first)
        return counted

    def _deadline(self, start: int, target: int, pauses: Iterable[Pause]) -> int:
        if target <= 0:
            raise ValueError("a target must be above 0 seconds")
        goal, latest = self._worked(start) + target, self._latest(start)
        for first, last in _union(pauses, start):
            if first > latest or self._worked(first) >= goal:
                break
            if last - first > LONGEST_PAUSE:
                raise NoWorkingTimeError
            latest = min(latest + last - first, LAST_SECOND)
            goal += self._worked(last) - self._worked(first)
        return self._moment_of(goal, latest)

    def _latest(self, start: int) -> int:
        """Return the last second that a deadline may have, whatever was asked before."""
        return LAST_SECOND

    def _worked(self, second: int) -> int:
        """Return how many seconds count before this one, from some fixed moment on."""
        return second

    def _moment_of(self, worked: int, latest: int) -> int:
        """Return the first second before which so many count."""
        if worked > latest:
            raise NoWorkingTimeError
        return worked

    def _windows_between(self, start: int, stop: int) -> list[Window]:
        return [(start, stop)] if start < stop else []


class Schedule(WorkingTime):
    """Time that counts in windows only, which are asked for by the calendar year (UTC).

    :param load: returns the windows of a year: sorted, not overlapping, none beyond the year
    """

    def __init__(self, load: Callable[[int], Sequence[Window]]):
        self._load = load
        self._first_year: int | None = None
        self._last_year = 0
        self._from = self._until = 0  # the seconds for which the windows are known
        self._starts: list[int] = []
        self._stops: list[int] = []
        self._before: list[int] = []  # what counts before each window
        self._after: list[int] = []  # the same with the window

    def _worked(self, second: int) -> int:
        if not self._from <= second < self._until:
            self._cover(second)
        index = bisect_right(self._starts, second) - 1
        if index < 0:
            return self._before[0] if self._before else 0
        return self._before[index] + min(second, self._stops[index]) - self._starts[index]

    def _latest(self, start: int) -> int:
        return start + LONGEST

    def _moment_of(self, worked: int, latest: int) -> int:
        while not self._after or self._after[-1] < worked:
            if self._until > latest:
                raise NoWorkingTimeError
            self._append(self._last_year + 1)
        index = bisect_left(self._after, worked)
        moment = self._starts[index] + worked - self._before[index]
        if moment > latest:
            raise NoWorkingTimeError
        return moment

    def _windows_between(self, start: int, stop: int) -> list[Window]:
        if stop <= start:
            return []
        self._cover(start)
        self._cover(stop)
        first = max(bisect_right(self._starts, start) - 1, 0)
        windows: list[Window] = []
        for index in range(first, bisect_left(self._starts, stop)):
            window = (max(self._starts[index], start), min(self._stops[index], stop))
            if windows and windows[-1][1] == window[0]:  # cut by the end of a year
                windows[-1] = (windows[-1][0], window[1])
            elif window[0] < window[1]:
                windows.append(window)
        return windows

    def _cover(self, second: int) -> None:
        """Have the windows of the year in which a second lies, and of all years between."""
        year = _moment(second).year
        if self._first_year is None:
            self._first_year, self._last_year = year, year - 1
            self._from = self._until = _seconds(datetime(year, 1, 1))
        while self._last_year < year:
            self._append(self._last_year + 1)
        if year < self._first_year:
            self._prepend(year)

    def _append(self, year: int) -> None:
        total = self._after[-1] if self._after else 0
        for start, stop in self._load(year):
            self._starts.append(start)
            self._stops.append(stop)
            self._before.append(total)
            total += stop - start
            self._after.append(total)
        self._last_year = year
        self._until = _seconds(datetime(year + 1, 1, 1))

    def _prepend(self, year: int) -> None:
        """Put earlier years before those that are there, whose totals stay as they are."""
        earlier = Schedule(self._load)
        earlier._cover(_seconds(datetime(year, 1, 1)))
        earlier._cover(self._from - 1)
        shift = -earlier._after[-1] if earlier._after else 0
        shift += self._before[0] if self._before else 0
        self._before[:0] = [before + shift for before in earlier._before]
        self._after[:0] = [after + shift for after in earlier._after]
        self._starts[:0] = earlier._starts
        self._stops[:0] = earlier._stops
        self._first_year, self._from = year, earlier._from


ALWAYS = WorkingTime()


def union(pauses: Iterable[Pause]) -> list[tuple[datetime, datetime]]:
    """Return the time of pauses that may overlap, once and in order."""
    return [(_moment(first), _moment(last)) for first, last in _union(pauses, None)]


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order, those that overlap or touch as one, without empty ones."""
    disjoint: list[Window] = []
    for first, last in sorted(windows):
        if last <= first:
            continue
        if disjoint and first <= disjoint[-1][1]:
            disjoint[-1] = (disjoint[-1][0], max(disjoint[-1][1], last))
        else:
            disjoint.append((first, last))
    return disjoint


def _union(pauses: Iterable[Pause], start: int | None) -> list[Window]:
    """The same in seconds, without what lies before a start."""
    if not pauses:
        return []
    spans = ((_seconds(pause[0]), _seconds(pause[1])) for pause in pauses)
    if start is not None:
        spans = ((max(first, start), last) for first, last in spans)
    return merged(spans)


def _seconds(moment: datetime) -> int:
    since = moment - EPOCH
    return since.days * 86_400 + since.seconds


def _moment(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)
