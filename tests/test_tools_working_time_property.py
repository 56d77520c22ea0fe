# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whatever the windows and pauses: at the deadline exactly the target has elapsed (ex. E37).

More examples are tried with SUPPORT_EXAMPLES=1000.
"""

import os
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.working_time import (
    ALWAYS,
    NoWorkingTimeError,
    Pause,
    Schedule,
    merged,
    union,
)

from .test_tools_working_time import DAY, HOUR, clip, daily, seconds

exact = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "100")), deadline=None, derandomize=True
)
FIRST_DAY, NEW_YEAR = datetime(2024, 1, 1), datetime(2026, 1, 1)
DAYS = 3 * 365
# Random windows over three years, then hours by the week: every deadline is reached.
moments = st.integers(0, DAYS * DAY).map(lambda second: FIRST_DAY + timedelta(seconds=second))
near = st.integers(0, 40 * DAY).map(lambda second: FIRST_DAY + timedelta(seconds=second))
windows = st.lists(
    st.tuples(st.integers(-5 * DAY, DAYS * DAY), st.integers(1, 20 * DAY)), max_size=12
) | st.lists(st.tuples(st.integers(-2 * DAY, 40 * DAY), st.integers(1, 10 * HOUR)), max_size=40)
spans = st.lists(near | moments, min_size=2, max_size=2, unique=True).map(sorted)
lengths = st.integers(0, 3 * DAY) | st.integers(0, 200 * DAY)
reasons = st.sampled_from(["stage", "hand", "locked"])
pauses = st.lists(
    st.tuples(near | moments, lengths, reasons).map(
        lambda parts: Pause(parts[0], parts[0] + timedelta(seconds=parts[1]), parts[2])
    ),
    max_size=6,
)
targets = st.integers(1, 2 * DAY) | st.integers(1, 90 * DAY)


@st.composite
def schedules(draw):
    """Random windows, and hours by the week from 2027 on."""
    begin = seconds(FIRST_DAY)
    spans = merged((begin + start, begin + start + length) for start, length in draw(windows))
    hours = daily((9, 12), (13, 17), (17, 18))

    def load(year):
        later = hours._load(year) if year >= 2027 else ()
        return clip([*spans, *later], year)

    return Schedule(load)


def by_the_second(schedule, start, stop, pauses):
    """The same as `elapsed`, from windows and pauses cut into pieces: slow and obvious."""
    work = schedule.windows(start, stop)
    edges = sorted({edge for span in [*work, *(pause[:2] for pause in pauses)] for edge in span})
    total = 0
    for first, last in pairwise(edges):
        counts = any(begin <= first and last <= end for begin, end in work)
        paused = any(begin <= first and last <= end for begin, end, _reason in pauses)
        total += (seconds(last) - seconds(first)) * (counts and not paused)
    return total


@tagged("post_install", "-at_install")
class TestWorkingTimeProperties(BaseCase):
    @exact
    @given(schedules() | st.just(ALWAYS), near | moments, targets, pauses)
    def test_e37_what_has_elapsed_at_the_deadline_is_the_target(
        self, schedule, start, target, pauses
    ):
        deadline = schedule.deadline(start, target, pauses)

        self.assertEqual(schedule.elapsed(start, deadline, pauses), target)

    @exact
    @given(schedules() | st.just(ALWAYS), near | moments, targets, pauses)
    def test_a_deadline_is_the_first_moment_with_the_target(self, schedule, start, target, pauses):
        deadline = schedule.deadline(start, target, pauses)

        before = deadline - timedelta(seconds=1)
        self.assertEqual(schedule.elapsed(start, before, pauses), target - 1)

    @exact
    @given(schedules(), near | moments, near | moments, pauses)
    def test_elapsed_is_what_windows_and_pauses_leave(self, schedule, start, stop, pauses):
        self.assertEqual(
            schedule.elapsed(start, stop, pauses), by_the_second(schedule, start, stop, pauses)
        )

    @exact
    @given(schedules(), near, targets, pauses, st.randoms())
    def test_the_order_of_pauses_is_irrelevant(self, schedule, start, target, pauses, random):
        shuffled = list(pauses)
        random.shuffle(shuffled)
        stop = schedule.deadline(start, target, pauses)

        self.assertEqual(schedule.deadline(start, target, shuffled), stop)
        self.assertEqual(schedule.elapsed(start, stop, shuffled), target)
        self.assertEqual(union(shuffled), union(pauses))
        self.assertEqual(
            schedule.segments(start, stop, shuffled), schedule.segments(start, stop, pauses)
        )

    @exact
    @given(schedules(), near, targets, pauses, pauses)
    def test_a_pause_never_makes_a_deadline_earlier(self, schedule, start, target, some, more):
        self.assertLessEqual(
            schedule.deadline(start, target, some), schedule.deadline(start, target, some + more)
        )

    @exact
    @given(schedules() | st.just(ALWAYS), spans, pauses)
    def test_segments_are_contiguous_and_add_up(self, schedule, span, pauses):
        start, stop = span

        segments = schedule.segments(start, stop, pauses)

        self.assertEqual((segments[0].start, segments[-1].stop), (start, stop))
        for one, other in pairwise(segments):
            self.assertEqual(one.stop, other.start)
            self.assertNotEqual((one.kind, one.reason), (other.kind, other.reason))
        self.assertTrue(all(segment.start < segment.stop for segment in segments))
        self.assertEqual(
            sum(segment.seconds for segment in segments), schedule.elapsed(start, stop, pauses)
        )

    @exact
    @given(
        schedules(), st.lists(st.tuples(near | moments, targets, pauses), min_size=2, max_size=6)
    )
    def test_answers_do_not_depend_on_what_was_asked_before(self, schedule, questions):
        """Earlier years are put before those that are known."""

        def answer(schedule, start, target, pauses):
            return (
                schedule.deadline(start, target, pauses),
                schedule.elapsed(start, NEW_YEAR, pauses),
                schedule.windows(start, start + timedelta(days=3)),
            )

        alone = [answer(Schedule(schedule._load), *question) for question in questions]
        late_first = sorted(zip(questions, alone, strict=True), key=lambda pair: pair[0][0])[::-1]

        for question, expected in [*late_first, *reversed(late_first)]:
            self.assertEqual(answer(schedule, *question), expected)

    @exact
    @given(schedules(), st.lists(near | moments, min_size=3, max_size=3).map(sorted), pauses)
    def test_what_elapses_adds_up(self, schedule, moments, pauses):
        start, middle, stop = moments

        self.assertEqual(
            schedule.elapsed(start, middle, pauses) + schedule.elapsed(middle, stop, pauses),
            schedule.elapsed(start, stop, pauses),
        )

    @exact
    @given(windows, near, targets, pauses)
    def test_either_there_is_a_deadline_or_too_little_time(self, spans, start, target, pauses):
        begin = seconds(FIRST_DAY)
        spans = merged((begin + first, begin + first + length) for first, length in spans)
        schedule = Schedule(lambda year: clip(spans, year))
        enough = schedule.elapsed(start, start + timedelta(days=3660), pauses) >= target

        if enough:
            self.assertGreater(schedule.deadline(start, target, pauses), start)
        else:
            with self.assertRaises(NoWorkingTimeError):
                schedule.deadline(start, target, pauses)
