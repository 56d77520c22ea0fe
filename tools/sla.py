# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a promise's clock says: its deadline, its breach, and what is to happen next.

A clock is read from facts alone: when it began, how long was promised, when it was paused and
when it ended. Whether somebody looked in between makes no difference.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from .working_time import Pause, WorkingTime

# The breach itself is a step of every clock, whatever else was agreed.
BREACH = "breach"


class Step(NamedTuple):
    """Something to do when so much of the promised time is over.

    :param percent: of the promised time, where nothing is said in `before`
    :param before: seconds before the deadline, 0 for a step by percent
    """

    key: str
    percent: int = 100
    before: int = 0

    def seconds(self, target: int) -> int:
        """Return after how many seconds of the promised time it is due, at least 1."""
        seconds = target - self.before if self.before else -(-target * self.percent // 100)
        return max(seconds, 1)


class Clock(NamedTuple):
    """The facts of a promise.

    :param target: promised seconds of working time
    :param pauses: those that are over
    :param paused_at: since when it has been paused, if it is
    :param ended_at: when it was met or stopped, if it was
    :param failed_at: when it was broken as it had been promised before that was changed
    """

    start: datetime
    target: int
    pauses: Collection[Pause] = ()
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    failed_at: datetime | None = None

    @property
    def limit(self) -> datetime | None:
        """The moment behind which nothing happens any more, as far as is known."""
        return min(filter(None, (self.paused_at, self.ended_at)), default=None)

    @property
    def failure(self) -> datetime | None:
        """When an earlier promise was broken; one that turns out to have been kept was not."""
        in_time = self.ended_at and self.failed_at and self.ended_at <= self.failed_at
        return None if in_time else self.failed_at

    @property
    def known_pauses(self) -> Collection[Pause]:
        """The pauses that are over; of a clock that has ended all of them, up to its end."""
        if not self.ended_at:
            return self.pauses
        going = [Pause(self.paused_at, self.ended_at)] if self.paused_at else []
        return [
            pause._replace(stop=min(pause.stop, self.ended_at))
            for pause in (*self.pauses, *going)
            if pause.start < self.ended_at
        ]


class Reading(NamedTuple):
    """What follows from a clock.

    :param deadline: as if a pause that goes on ended at once
    :param warn_at: from when on it is in danger, None where nobody wants to be warned
    :param breached_at: when the deadline passed, None as long as it hasn't
    :param next_event_at: when the next thing that hasn't been done is due, None for never
    """

    deadline: datetime
    warn_at: datetime | None
    breached_at: datetime | None
    next_event_at: datetime | None


def read(
    time: WorkingTime,
    clock: Clock,
    steps: Collection[Step],
    now: datetime,
    done: Collection[str] = (),
) -> Reading:
    """Read a clock. Meeting a promise at the very second of its deadline is in time.

    :param done: keys of the steps that have been done
    """
    deadline = time.deadline(clock.start, clock.target, clock.known_pauses)
    moments = get_moments(time, clock, steps, deadline)
    limit = clock.limit
    warnings = [moments[step.key] for step in steps if step.seconds(clock.target) < clock.target]
    coming = [
        moment
        for key, moment in moments.items()
        if key not in done and (limit is None or moment < limit)
    ]
    return Reading(
        deadline=deadline,
        warn_at=min(warnings, default=None),
        breached_at=clock.failure or (deadline if deadline < (limit or now) else None),
        next_event_at=min(coming, default=None),
    )


def get_moments(
    time: WorkingTime,
    clock: Clock,
    steps: Iterable[Step],
    deadline: datetime | None = None,
) -> dict[str, datetime]:
    """Return when each step of a clock is due, and the breach: {key: moment}."""
    pauses = clock.known_pauses
    deadline = deadline or time.deadline(clock.start, clock.target, pauses)
    moments = {BREACH: clock.failure or deadline}
    for step in steps:
        seconds = step.seconds(clock.target)
        moments[step.key] = (
            deadline if seconds == clock.target else time.deadline(clock.start, seconds, pauses)
        )
    return moments


def get_due(
    time: WorkingTime,
    clock: Clock,
    steps: Iterable[Step],
    now: datetime,
    done: Collection[str] = (),
) -> list[tuple[datetime, str]]:
    """Return the steps that are due and not done, by their true moments, the breach first."""
    limit = min(filter(None, (clock.limit, now)))
    moments = get_moments(time, clock, steps)
    due = [(at, key) for key, at in moments.items() if key not in done and at < limit]
    return sorted(due, key=lambda event: (event[0], event[1] != BREACH))


def get_elapsed(time: WorkingTime, clock: Clock, until: datetime) -> int:
    """Return the working seconds of a clock up to a moment, its pauses taken off."""
    until = min(until, clock.ended_at) if clock.ended_at else until
    pauses = list(clock.pauses)
    if clock.paused_at and clock.paused_at < until:
        pauses.append(Pause(clock.paused_at, until))
    return time.elapsed(clock.start, until, pauses)
