# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a clock says: by hand, and whoever looks at it whenever (properties)."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.sla import (
    BREACH,
    Clock,
    Step,
    get_due,
    get_elapsed,
    get_moments,
    read,
)
from odoo.addons.support_contract.tools.working_time import ALWAYS, EPOCH, Pause, Schedule

exact = settings(deadline=None, derandomize=True)
HOUR = 3600
MONDAY = datetime(2026, 1, 5)  # no holidays; the 9th is a Friday


def office(year):
    """Monday to Friday from 9 to 12 and from 13 to 17."""
    days = (datetime(year, 1, 1) + timedelta(days=number) for number in range(366))
    return [
        (seconds(day) + first * HOUR, seconds(day) + last * HOUR)
        for day in days
        if day.year == year and day.weekday() < 5
        for first, last in ((9, 12), (13, 17))
    ]


def seconds(moment):
    return round((moment - EPOCH).total_seconds())


def at(hours, day=0):
    return MONDAY + timedelta(days=day, hours=hours)


OFFICE = Schedule(office)
WARNING, LATE = Step("warning", percent=75), Step("late", percent=150)
HOUR_BEFORE = Step("hour", before=HOUR)
STEPS = (WARNING, HOUR_BEFORE, LATE)

# Quarters of an hour in two weeks: coarse, so that moments meet.
moments = st.integers(0, 14 * 96).map(lambda quarter: MONDAY + timedelta(minutes=15 * quarter))
times = st.sampled_from([ALWAYS, OFFICE])
steps_of = st.lists(
    st.one_of(
        st.integers(1, 300).map(lambda percent: Step("", percent=percent)),
        st.integers(1, 10 * HOUR).map(lambda before: Step("", before=before)),
    ),
    max_size=4,
).map(lambda steps: [step._replace(key=str(number)) for number, step in enumerate(steps)])


@st.composite
def histories(draw):
    """All that will ever have happened to a clock: pauses, and its end if there is one."""
    start = draw(moments)
    spans = draw(st.lists(st.tuples(moments, moments), max_size=4))
    pauses = [Pause(min(span), max(span)) for span in spans if span[0] != span[1]]
    ended_at = draw(st.none() | moments.map(lambda moment: max(moment, start)))
    target = draw(st.integers(1, 200)) * 15 * 60
    return Clock(start, target, pauses), ended_at


def known(history, now):
    """The clock as it is known at a moment: what comes later hasn't happened yet."""
    clock, ended_at = history
    ended_at = ended_at if ended_at and ended_at <= now else None
    end = ended_at or now
    begun = [pause for pause in clock.pauses if pause.start < end]
    if ended_at:
        return clock._replace(
            pauses=[Pause(pause.start, min(pause.stop, end)) for pause in begun],
            ended_at=ended_at,
        )
    going = [max(pause.start, clock.start) for pause in begun if pause.stop > end]
    return clock._replace(
        pauses=[pause for pause in begun if pause.stop <= end],
        paused_at=min(going, default=None),
    )


@tagged("post_install", "-at_install")
class TestStep(BaseCase):
    def test_seconds(self):
        for step, target, expected in (
            (Step("a", percent=75), 8 * HOUR, 6 * HOUR),
            (Step("a", percent=100), 8 * HOUR, 8 * HOUR),
            (Step("a", percent=150), 8 * HOUR, 12 * HOUR),
            (Step("a", percent=33), 100, 33),
            (Step("a", percent=33), 10, 4),  # a part of a second isn't over yet
            (Step("a", percent=1), 10, 1),
            (Step("a", before=HOUR), 8 * HOUR, 7 * HOUR),
            (Step("a", percent=50, before=HOUR), 8 * HOUR, 7 * HOUR),
            (Step("a", before=HOUR), HOUR, 1),  # never before the clock begins
            (Step("a", before=2 * HOUR), HOUR, 1),
        ):
            with self.subTest(step=step, target=target):
                self.assertEqual(step.seconds(target), expected)


@tagged("post_install", "-at_install")
class TestClock(BaseCase):
    def test_a_clock_that_runs(self):
        clock = Clock(at(10), 8 * HOUR)
        self.assertEqual(
            get_moments(OFFICE, clock, STEPS),
            {"warning": at(17), "hour": at(10, 1), BREACH: at(11, 1), "late": at(16, 1)},
        )
        reading = read(OFFICE, clock, STEPS, at(12))
        self.assertEqual(reading, (at(11, 1), at(17), None, at(17)))
        self.assertEqual(get_elapsed(OFFICE, clock, at(12.5)), 2 * HOUR)

    def test_at_the_second_of_a_moment_it_is_not_due_yet(self):
        clock = Clock(at(9), 4 * HOUR)
        deadline = at(14)
        self.assertEqual(get_due(OFFICE, clock, (), deadline), [])
        self.assertIsNone(read(OFFICE, clock, (), deadline).breached_at)
        later = deadline + timedelta(seconds=1)
        self.assertEqual(get_due(OFFICE, clock, (), later), [(deadline, BREACH)])
        self.assertEqual(read(OFFICE, clock, (), later).breached_at, deadline)

    def test_what_is_done_is_not_due_again(self):
        clock = Clock(at(9), 4 * HOUR)
        due = get_due(OFFICE, clock, STEPS, at(17, 1))
        self.assertEqual([key for _at, key in due], ["warning", "hour", BREACH, "late"])
        self.assertEqual(due[0], (at(12), "warning"))
        done = [key for _at, key in due]
        self.assertEqual(get_due(OFFICE, clock, STEPS, at(17, 1), done), [])
        self.assertIsNone(read(OFFICE, clock, STEPS, at(17, 1), done).next_event_at)
        self.assertEqual(read(OFFICE, clock, STEPS, at(17, 1), done[:2]).next_event_at, at(14))

    def test_the_breach_goes_before_a_step_of_the_same_moment(self):
        full = Step("a", percent=100)
        self.assertEqual(
            get_due(OFFICE, Clock(at(9), HOUR), [full], at(17)), [(at(10), BREACH), (at(10), "a")]
        )
        self.assertIsNone(read(OFFICE, Clock(at(9), HOUR), [full], at(17)).warn_at)

    def test_a_pause_that_goes_on_stops_all_that_was_to_come(self):
        clock = Clock(at(9), 4 * HOUR, paused_at=at(11))
        reading = read(OFFICE, clock, STEPS, at(9, 3))
        self.assertEqual(reading, (at(14), at(12), None, None))
        self.assertEqual(get_due(OFFICE, clock, STEPS, at(9, 3)), [])
        self.assertEqual(get_elapsed(OFFICE, clock, at(9, 3)), 2 * HOUR)
        late = clock._replace(paused_at=at(15))
        self.assertEqual(read(OFFICE, late, STEPS, at(9, 3)).breached_at, at(14))
        self.assertEqual(len(get_due(OFFICE, late, STEPS, at(9, 3))), 3)

    def test_a_pause_that_is_over_moves_all_that_comes_after_it(self):
        clock = Clock(at(9), 4 * HOUR, [Pause(at(10), at(14)), Pause(at(11), at(15))])
        self.assertEqual(read(OFFICE, clock, STEPS, at(15)), (at(10, 1), at(17), None, at(17)))
        self.assertEqual(get_elapsed(OFFICE, clock, at(16)), 2 * HOUR)

    def test_what_was_broken_as_promised_before(self):
        clock = Clock(at(9), 8 * HOUR, failed_at=at(11))
        self.assertEqual(get_due(OFFICE, clock, (), at(12)), [(at(11), BREACH)])
        reading = read(OFFICE, clock, (), at(12))
        self.assertEqual((reading.breached_at, reading.next_event_at), (at(11), at(11)))
        self.assertIsNone(read(OFFICE, clock, (), at(12), [BREACH]).next_event_at)
        # An answer that was sent in time and fetched too late.
        kept = clock._replace(ended_at=at(11))
        self.assertEqual(get_due(OFFICE, kept, (), at(12)), [])
        self.assertIsNone(read(OFFICE, kept, (), at(12)).breached_at)

    def test_a_clock_that_has_ended(self):
        clock = Clock(at(9), 4 * HOUR, ended_at=at(13))
        due = get_due(OFFICE, clock, STEPS, at(9, 3))
        self.assertEqual(due, [(at(12), "warning"), (at(12), "hour")])
        self.assertEqual(read(OFFICE, clock, STEPS, at(9, 3)), (at(14), at(12), None, at(12)))
        self.assertEqual(get_elapsed(OFFICE, clock, at(9, 3)), 3 * HOUR)
        in_time = clock._replace(ended_at=at(14))
        self.assertIsNone(read(OFFICE, in_time, STEPS, at(9, 3)).breached_at)
        missed = clock._replace(ended_at=at(14) + timedelta(seconds=1))
        self.assertEqual(read(OFFICE, missed, STEPS, at(9, 3)).breached_at, at(14))


@tagged("post_install", "-at_install")
class TestProperties(BaseCase):
    @settings(exact, max_examples=300)
    @given(times, histories(), steps_of, st.lists(moments, max_size=6), st.booleans())
    def test_looking_in_between_makes_no_difference(self, time, history, steps, looks, ordered):
        """Whoever handles a clock at whatever moments, in any order: the same events."""
        end = MONDAY + timedelta(days=15)
        done = {}
        for now in [*(sorted(looks) if ordered else looks), end]:
            for moment, key in get_due(time, known(history, now), steps, now, done):
                self.assertLess(moment, now)
                done[key] = moment
        at_once = get_due(time, known(history, end), steps, end)
        self.assertEqual(done, {key: moment for moment, key in at_once})
        self.assertEqual(at_once, sorted(at_once, key=lambda event: event[0]))

    @settings(exact, max_examples=300)
    @given(times, histories(), steps_of, moments, st.sets(st.sampled_from("0123")))
    def test_a_reading_says_when_something_is_due(self, time, history, steps, now, done):
        clock = known(history, now)
        reading = read(time, clock, steps, now, done)
        due = get_due(time, clock, steps, now, done)
        coming = reading.next_event_at
        self.assertEqual(bool(due), bool(coming and coming < now))
        if due:
            self.assertEqual(coming, due[0][0])
        breach = [moment for moment, key in due if key == BREACH]
        self.assertEqual(breach, [reading.breached_at] if reading.breached_at else [])
        limit = clock.limit
        if limit:
            for moment, _key in due:
                self.assertLess(moment, limit, "nothing happens behind the end or in a pause")

    @settings(exact, max_examples=300)
    @given(times, histories(), moments)
    def test_breached_means_more_time_than_promised(self, time, history, now):
        clock = known(history, now)
        if now < clock.start:
            return
        reading = read(time, clock, (), now)
        breached = reading.breached_at
        elapsed = get_elapsed(time, clock, now)
        if elapsed == clock.target:
            # All of it is used up: it is broken once the deadline lies behind, be it by time
            # that doesn't count. (A deadline is the end of a working day, not its next morning.)
            self.assertEqual(bool(breached), reading.deadline < (clock.limit or now))
        else:
            self.assertEqual(bool(breached), elapsed > clock.target)

    @settings(exact, max_examples=300)
    @given(times, histories())
    def test_at_its_deadline_the_promised_time_is_over(self, time, history):
        clock, _ended_at = history
        deadline = read(time, clock, (), clock.start).deadline
        self.assertEqual(get_elapsed(time, clock, deadline), clock.target)
        before = deadline - timedelta(seconds=1)
        self.assertEqual(get_elapsed(time, clock, before), clock.target - 1)

    @settings(exact, max_examples=300)
    @given(times, histories(), steps_of, moments, moments)
    def test_a_pause_may_be_kept_in_two_parts(self, time, history, steps, now, cut):
        clock, ended_at = history
        split = [
            part
            for pause in clock.pauses
            for part in (
                [Pause(pause.start, cut), Pause(cut, pause.stop)]
                if pause.start < cut < pause.stop
                else [pause]
            )
        ]
        parts = clock._replace(pauses=split, ended_at=ended_at)
        whole = clock._replace(ended_at=ended_at)
        self.assertEqual(read(time, parts, steps, now), read(time, whole, steps, now))
        self.assertEqual(get_elapsed(time, parts, now), get_elapsed(time, whole, now))

    @settings(exact, max_examples=300)
    @given(times, histories(), moments)
    def test_a_pause_of_no_length_changes_nothing(self, time, history, now):
        clock, ended_at = history
        clock = clock._replace(ended_at=ended_at)
        more = clock._replace(pauses=[*clock.pauses, Pause(now, now)])
        self.assertEqual(read(time, more, STEPS, now), read(time, clock, STEPS, now))

    @settings(exact, max_examples=300)
    @given(times, histories(), moments, moments)
    def test_while_paused_no_time_passes(self, time, history, now, later):
        clock = known(history, now)
        if not clock.limit or later < now:
            return
        self.assertEqual(get_elapsed(time, clock, now), get_elapsed(time, clock, later))
        self.assertEqual(read(time, clock, STEPS, now), read(time, clock, STEPS, later))

    @settings(exact, max_examples=300)
    @given(times, histories(), steps_of, moments)
    def test_a_clock_that_ended_before_a_step_never_gets_it(self, time, history, steps, later):
        clock, ended_at = history
        if not ended_at:
            return
        clock = clock._replace(ended_at=ended_at)
        due = get_due(time, clock, steps, max(later, ended_at) + timedelta(days=900))
        moments_of = get_moments(time, clock, steps)
        for key, moment in moments_of.items():
            self.assertEqual((moment, key) in due, moment < ended_at)
