# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Working time: published examples (ex. E) and the traps of the peers (T36–T45)."""

import os
import time
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.working_time import (
    ALWAYS,
    NoWorkingTimeError,
    Pause,
    Schedule,
    merged,
    union,
)

MINUTE, HOUR, DAY = 60, 3600, 86_400
EPOCH = datetime(1970, 1, 1)
WEEKDAYS = range(5)
NEVER = datetime.max.replace(microsecond=0)


def seconds(moment):
    return round((moment - EPOCH) / timedelta(seconds=1))


def weekly(hours, holidays=(), zone="UTC"):
    """A schedule of [(from, to)] in hours per weekday, closed on holidays."""

    def load(year):
        windows = []
        # A day more on both sides: local years begin and end elsewhere.
        for number in range(-1, 367):
            day = datetime(year, 1, 1) + timedelta(days=number)
            if day.date() in holidays:
                continue
            for start, stop in hours.get(day.weekday(), ()):
                window = [
                    (day + timedelta(hours=hour))
                    .replace(tzinfo=ZoneInfo(zone))
                    .astimezone(UTC)
                    .replace(tzinfo=None)
                    for hour in (start, stop)
                ]
                windows.append(tuple(map(seconds, window)))
        return clip(windows, year)

    return Schedule(load)


def clip(windows, year):
    first, last = seconds(datetime(year, 1, 1)), seconds(datetime(year + 1, 1, 1))
    return merged((max(start, first), min(stop, last)) for start, stop in windows)


def daily(*windows, days=WEEKDAYS, **options):
    return weekly(dict.fromkeys(days, windows), **options)


OFFICE = daily((9, 17))


@tagged("post_install", "-at_install")
class TestPublishedWorkingTime(BaseCase):
    """In March 2026 the 2nd is a Monday."""

    def test_e25_a_short_target_ends_on_the_day(self):
        schedule = daily((10, 18), days=range(7), holidays=[date(2019, 3, 5)])
        noon = datetime(2019, 3, 4, 12)

        self.assertEqual(schedule.deadline(noon, 2 * HOUR), datetime(2019, 3, 4, 14))
        self.assertEqual(schedule.deadline(noon, 3 * HOUR), datetime(2019, 3, 4, 15))

    def test_e26_a_holiday_lies_between(self):
        schedule = daily((10, 18), days=range(7), holidays=[date(2019, 3, 5)])
        expected = {
            12: (datetime(2019, 3, 4, 16), datetime(2019, 3, 4, 18)),
            7: (datetime(2019, 3, 4, 14), datetime(2019, 3, 4, 16)),
            20: (datetime(2019, 3, 6, 14), datetime(2019, 3, 6, 16)),
            14: (datetime(2019, 3, 4, 18), datetime(2019, 3, 6, 12)),
        }

        for hour, deadlines in expected.items():
            start = datetime(2019, 3, 4, hour)
            self.assertEqual(schedule.deadline(start, 4 * HOUR), deadlines[0], hour)
            self.assertEqual(schedule.deadline(start, 6 * HOUR), deadlines[1], hour)

    def test_e37_a_window_contains_its_first_second_only(self):
        self.assertTrue(OFFICE.is_open(datetime(2026, 3, 2, 9)))
        self.assertTrue(OFFICE.is_open(datetime(2026, 3, 2, 16, 59, 59)))
        self.assertFalse(OFFICE.is_open(datetime(2026, 3, 2, 17)))
        self.assertFalse(OFFICE.is_open(datetime(2026, 3, 2, 8, 59, 59)))
        self.assertEqual(OFFICE.elapsed(datetime(2026, 3, 3, 9), datetime(2026, 3, 2, 9)), 0)
        self.assertEqual(ALWAYS.elapsed(datetime(2026, 3, 3, 9), datetime(2026, 3, 2, 9)), 0)

    def test_e38_around_the_clock_over_midnight(self):
        saturday = datetime(2026, 3, 7, 22)

        self.assertEqual(ALWAYS.deadline(saturday, 240 * MINUTE), datetime(2026, 3, 8, 2))

    def test_e39_days_with_hours_of_their_own(self):
        schedule = weekly({0: [(9, 17)], 1: [(9, 16)], 3: [(8, 17)]})

        self.assertEqual(
            schedule.deadline(datetime(2026, 3, 2, 11), 16 * HOUR), datetime(2026, 3, 5, 11)
        )

    def test_e40_over_the_weekend(self):
        friday = datetime(2026, 3, 6, 16)

        self.assertEqual(OFFICE.deadline(friday, 8 * HOUR), datetime(2026, 3, 9, 16))
        self.assertEqual(OFFICE.deadline(friday, 2 * HOUR), datetime(2026, 3, 9, 10))
        self.assertEqual(OFFICE.deadline(friday, 4 * HOUR), datetime(2026, 3, 9, 12))

    def test_e41_over_a_holiday(self):
        thursday = datetime(2026, 3, 5, 15)
        schedule = daily((9, 17), holidays=[date(2026, 3, 6)])

        self.assertEqual(OFFICE.deadline(thursday, 4 * HOUR), datetime(2026, 3, 6, 11))
        self.assertEqual(schedule.deadline(thursday, 4 * HOUR), datetime(2026, 3, 9, 11))

    def test_e42_opened_after_hours(self):
        """Also T43: what is opened outside hours has 0 seconds when they begin, not 1."""
        schedule = daily((8, 17))
        opened = datetime(2014, 12, 12, 20, 49)

        self.assertEqual(
            schedule.elapsed(opened, datetime(2014, 12, 15, 9, 44)), HOUR + 44 * MINUTE
        )
        self.assertEqual(schedule.elapsed(opened, datetime(2014, 12, 15, 8)), 0)

    def test_e43_a_duration_without_schedule(self):
        self.assertEqual(
            ALWAYS.deadline(datetime(2026, 3, 2, 10, 30), 10 * HOUR), datetime(2026, 3, 2, 20, 30)
        )


@tagged("post_install", "-at_install")
class TestWorkingTimeTraps(BaseCase):
    def test_t36_a_deadline_passes_the_end_of_a_month(self):
        for day, expected in ((30, datetime(2026, 2, 2, 11)), (31, datetime(2026, 2, 2, 13))):
            start = datetime(2026, 1, day, 15)
            self.assertEqual(OFFICE.deadline(start, 4 * HOUR), expected)

    def test_t38_a_pause_over_a_weekend_shifts_by_an_hour(self):
        """Also ex. E44: paused time is working time."""
        opened = datetime(2026, 3, 6, 15)
        pause = Pause(datetime(2026, 3, 6, 16, 30), datetime(2026, 3, 9, 9, 30))

        self.assertEqual(OFFICE.deadline(opened, 3 * HOUR), datetime(2026, 3, 9, 10))
        self.assertEqual(OFFICE.deadline(opened, 3 * HOUR, [pause]), datetime(2026, 3, 9, 11))

    def test_e44_a_pause_outside_hours_shifts_nothing(self):
        opened = datetime(2026, 3, 6, 12)
        pause = Pause(datetime(2026, 3, 6, 4, 15), datetime(2026, 3, 6, 5))
        evening = Pause(datetime(2026, 3, 6, 17), datetime(2026, 3, 9, 9))

        self.assertEqual(OFFICE.deadline(opened, 4 * HOUR, [pause]), datetime(2026, 3, 6, 16))
        self.assertEqual(OFFICE.deadline(opened, 6 * HOUR, [evening]), datetime(2026, 3, 9, 10))

    def test_a_pause_that_begins_at_the_deadline_changes_nothing(self):
        opened = datetime(2026, 3, 6, 12)
        pause = Pause(datetime(2026, 3, 6, 16), datetime(2026, 3, 6, 16, 30))

        self.assertEqual(OFFICE.deadline(opened, 4 * HOUR, [pause]), datetime(2026, 3, 6, 16))

    def test_t39_what_is_created_in_a_pause_begins_after_it(self):
        pause = Pause(datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 11))

        self.assertEqual(
            OFFICE.deadline(datetime(2026, 3, 2, 10), HOUR, [pause]), datetime(2026, 3, 2, 12)
        )

    def test_t41_overlapping_pauses_count_once(self):
        opened, now = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 17)
        by_stage = Pause(datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 12), "stage")
        by_hand = Pause(datetime(2026, 3, 2, 11), datetime(2026, 3, 2, 13), "hand")
        within = Pause(datetime(2026, 3, 2, 10, 30), datetime(2026, 3, 2, 11, 30), "locked")
        pauses = [by_hand, within, by_stage]

        self.assertEqual(union(pauses), [(datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 13))])
        self.assertEqual(OFFICE.elapsed(opened, now, pauses), 5 * HOUR)
        self.assertEqual(OFFICE.deadline(opened, 5 * HOUR, pauses), now)
        self.assertEqual(
            [(segment.kind, segment.reason) for segment in OFFICE.segments(opened, now, pauses)],
            [("work", ""), ("pause", "stage"), ("pause", "hand"), ("work", "")],
        )

    def test_t43_created_on_a_holiday(self):
        schedule = daily((9, 17), holidays=[date(2026, 3, 3)])
        opened = datetime(2026, 3, 3, 12)

        self.assertEqual(schedule.elapsed(opened, datetime(2026, 3, 4, 9)), 0)
        self.assertEqual(schedule.deadline(opened, 1), datetime(2026, 3, 4, 9, 0, 1))

    def test_t44_a_lunch_break(self):
        schedule = daily((9, 12), (13, 17))

        self.assertEqual(
            schedule.deadline(datetime(2026, 3, 2, 11, 30), HOUR), datetime(2026, 3, 2, 13, 30)
        )

    def test_t45_the_clocks_skip_an_hour(self):
        """Berlin, 2026-03-29: 00:30 + 4 h is 05:30 there."""
        around = daily((0, 24), days=range(7), zone="Europe/Berlin")
        start = datetime(2026, 3, 28, 23, 30)  # 00:30 in Berlin

        for schedule in (ALWAYS, around):
            self.assertEqual(
                schedule.deadline(start, 4 * HOUR), datetime(2026, 3, 29, 3, 30)
            )  # 05:30 in Berlin

    def test_t45_nominal_hours_keep_their_length(self):
        office = daily((9, 17), days=range(7), zone="Europe/Berlin")
        saturday = datetime(2026, 3, 28, 8)  # 9:00 in winter

        self.assertEqual(office.deadline(saturday, 8 * HOUR), datetime(2026, 3, 28, 16))
        self.assertEqual(office.deadline(saturday, 8 * HOUR + 1), datetime(2026, 3, 29, 7, 0, 1))

    def test_t37_the_zone_of_the_server_changes_nothing(self):
        start, pause = datetime(2026, 3, 6, 16), Pause(datetime(2026, 3, 6, 3), NEVER)

        def answers():
            return (
                daily((9, 17)).deadline(start, 4 * HOUR),
                daily((9, 17)).segments(start, datetime(2026, 3, 9, 12), [pause]),
                ALWAYS.deadline(start, 4 * HOUR),
            )

        here = answers()
        self.addCleanup(time.tzset)  # after the patch is undone
        with patch.dict(os.environ, {"TZ": "America/New_York"}):
            time.tzset()
            self.assertEqual(time.tzname[0], "EST")
            self.assertEqual(answers(), here)

    def test_a_pause_without_end_has_no_deadline(self):
        start = datetime(2026, 3, 2, 9)
        pause = Pause(datetime(2026, 3, 2, 10), NEVER)

        for schedule in (ALWAYS, OFFICE):
            self.assertEqual(schedule.elapsed(start, datetime(2026, 3, 4), [pause]), HOUR)
            self.assertEqual(schedule.deadline(start, HOUR, [pause]), pause.start)
            with self.assertRaises(NoWorkingTimeError):
                schedule.deadline(start, HOUR + 1, [pause])

    def test_a_deadline_behind_a_pause_of_many_years(self):
        start = datetime(2014, 3, 3, 9)
        pause = Pause(datetime(2014, 3, 3, 10), datetime(2026, 3, 2, 12))

        for schedule in (ALWAYS, OFFICE):
            self.assertEqual(schedule.deadline(start, 2 * HOUR, [pause]), datetime(2026, 3, 2, 13))

    def test_a_target_is_above_zero(self):
        for target in (0, -1):
            with self.assertRaises(ValueError):
                OFFICE.deadline(datetime(2026, 3, 2, 9), target)

    def test_without_windows_there_is_no_deadline(self):
        asked = []
        closed = Schedule(lambda year: asked.append(year) or ())

        with self.assertRaises(NoWorkingTimeError):
            closed.deadline(datetime(2026, 3, 2, 9), 1)
        self.assertLess(max(asked), 2040)
        self.assertEqual(closed.elapsed(datetime(2026, 3, 2), datetime(2027, 3, 2)), 0)
        self.assertEqual(
            [
                segment.kind
                for segment in closed.segments(datetime(2026, 1, 1), datetime(2027, 9, 9))
            ],
            ["closed"],
        )

    def test_whether_there_is_a_deadline_does_not_depend_on_what_was_asked_before(self):
        """The first hour is 15 years away: too far, also when it is known."""
        window = (seconds(datetime(2041, 3, 4, 9)), seconds(datetime(2041, 3, 4, 10)))
        schedule = Schedule(lambda year: clip([window], year))

        for _attempt in range(3):
            with self.assertRaises(NoWorkingTimeError):
                schedule.deadline(datetime(2026, 3, 2), HOUR)
        self.assertEqual(schedule.deadline(datetime(2041, 3, 3), HOUR), datetime(2041, 3, 4, 10))
        with self.assertRaises(NoWorkingTimeError):
            schedule.deadline(datetime(2026, 3, 2), HOUR)
        with self.assertRaises(NoWorkingTimeError):
            schedule.deadline(datetime(2041, 3, 3), HOUR + 1)

    def test_a_window_over_the_end_of_a_year_is_one(self):
        around = daily((0, 24), days=range(7))
        start, stop = datetime(2025, 12, 30), datetime(2028, 1, 2)

        self.assertEqual(around.windows(start, stop), [(start, stop)])
        self.assertEqual(len(around.segments(start, stop)), 1)
