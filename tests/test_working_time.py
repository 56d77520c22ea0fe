# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Calendars as working time, as Odoo has them.

Random calendars are asked what Odoo's own `plan_hours` and `get_work_hours_count` are asked. More
of them are tried with SUPPORT_EXAMPLES=200.
"""

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.support_contract.tools.working_time import ALWAYS, NoWorkingTimeError, Pause

HOUR, DAY = 3600, 86_400
FIRST_DAY = datetime(2025, 1, 1)
MONDAY = datetime(2026, 3, 2, 9)
OFFICE = {day: [(9, 17)] for day in range(5)}
HORIZON = timedelta(days=1400)  # beyond it Odoo finds nothing

examples = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "12")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Santiago",
        "Australia/Lord_Howe",  # half an hour of summer time
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
    ]
)
# Quarters of an hour. None ends in an hour that the clocks skip: there Odoo counts time twice.
quarters = st.integers(0, 96).filter(lambda quarter: not (0 < quarter < 4 or 8 < quarter < 16))
days = st.lists(quarters, max_size=6, unique=True).map(
    lambda edges: [
        (start / 4, stop / 4)
        for start, stop in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
    ]
) | st.just([(0, 12), (12, 24)])
weeks = st.fixed_dictionaries({day: days for day in range(7)})
moments = st.integers(0, 2 * 365 * DAY).map(lambda second: FIRST_DAY + timedelta(seconds=second))
leaves = st.lists(
    st.tuples(moments, st.integers(1, 20 * DAY), st.sampled_from(["calendar", "company", "other"])),
    max_size=12,
)
targets = st.integers(1, 3 * DAY) | st.integers(1, 90 * DAY) | st.just(8 * HOUR)
questions = st.lists(st.tuples(moments, targets, moments), min_size=5, max_size=5)


class WorkingTimeCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.other = cls.env["res.company"].create({"name": "Other"})
        cls.env.user.company_ids |= cls.other
        cls.env["resource.calendar.leaves"].search([]).unlink()

    @classmethod
    def _make_calendar(cls, *weeks, **vals):
        """A calendar of one or of two weeks: {weekday: [(hour from, hour to)]} each."""
        return cls.env["resource.calendar"].create(
            {
                "name": "Service hours",
                "tz": "UTC",
                "company_id": cls.company.id,
                "two_weeks_calendar": len(weeks) == 2,
                "attendance_ids": [
                    Command.clear(),
                    *(
                        cls._line(day, start, stop, str(number) if len(weeks) == 2 else False)
                        for number, week in enumerate(weeks)
                        for day, windows in week.items()
                        for start, stop in windows
                    ),
                ],
            }
            | vals
        )

    @classmethod
    def _line(cls, day, start, stop, week_type=False, **vals):
        return Command.create(
            {
                "name": "Hours",
                "dayofweek": str(day),
                "hour_from": start,
                "hour_to": stop,
                "week_type": week_type,
            }
            | vals
        )

    @classmethod
    def _make_leave(cls, start, stop, calendar=None, company=None, **vals):
        company = company or cls.company
        leave = cls.env["resource.calendar.leaves"].with_company(company)
        return leave.create(
            {
                "name": "Holiday",
                "date_from": start,
                "date_to": stop,
                "calendar_id": calendar and calendar.id,
            }
            | vals
        )


@tagged("post_install", "-at_install")
class TestWorkingTimeAsOdoo(WorkingTimeCase):
    def _assert_as_odoo(self, calendar, start, target, stop):
        """The deadline and what elapses are Odoo's, to the second."""
        schedule = calendar._get_schedule(self.company)
        domain = [
            ("time_type", "=", "leave"),
            ("company_id", "in", [self.company.id, False]),
        ]
        hours = calendar.get_work_hours_count(start, stop, domain=domain)
        self.assertEqual(schedule.elapsed(start, stop), round(hours * HOUR))
        planned = calendar.plan_hours(target / HOUR, start, compute_leaves=True, domain=domain)
        if not planned:
            try:
                self.assertGreater(schedule.deadline(start, target), start + HORIZON)
            except NoWorkingTimeError:
                self.assertLess(schedule.elapsed(start, start + HORIZON), target)
            return
        planned = (planned + timedelta(milliseconds=500)).replace(microsecond=0)
        deadline = schedule.deadline(start, target)
        self.assertEqual(schedule.elapsed(start, deadline), target)
        # As Odoo's days are short of a microsecond, it goes on in the next window with what ends
        # with one at midnight.
        if planned != deadline:
            self.assertLess(deadline, planned)
            self.assertEqual(schedule.elapsed(deadline, planned), 0)

    @examples
    @given(zones, st.lists(weeks, min_size=1, max_size=2), leaves, questions)
    def test_random_calendars_are_as_odoo_has_them(self, zone, weeks, leaves, questions):
        calendar = self._make_calendar(*weeks, tz=zone)
        for start, length, kind in leaves:
            self._make_leave(
                start,
                start + timedelta(seconds=length),
                calendar=calendar if kind == "calendar" else None,
                company=self.other if kind == "other" else None,
            )

        for start, target, end in questions:
            self._assert_as_odoo(calendar, start, target, max(start, end))
        self.assertEqual(calendar._has_working_time(), any(any(week.values()) for week in weeks))

    def test_two_weeks_are_told_apart(self):
        calendar = self._make_calendar({0: [(9, 12)]}, {0: [(13, 17)], 3: [(0, 24)]})
        for week in range(60):
            start = MONDAY + timedelta(weeks=week)
            self._assert_as_odoo(calendar, start, 40 * HOUR, start + timedelta(days=10))

    def test_e26_a_holiday_of_the_company(self):
        calendar = self._make_calendar({day: [(10, 18)] for day in range(7)})
        self._make_leave(datetime(2019, 3, 5), datetime(2019, 3, 5, 23, 59, 59))

        deadline = calendar._get_schedule(self.company).deadline(datetime(2019, 3, 4, 14), 6 * HOUR)

        self.assertEqual(deadline, datetime(2019, 3, 6, 12))

    def test_t44_breaks_are_not_work(self):
        lines = [
            self._line(0, 9, 12),
            self._line(0, 12, 13, day_period="lunch"),
            self._line(0, 13, 17),
        ]
        calendar = self._make_calendar({}, attendance_ids=[Command.clear(), *lines])
        start = MONDAY.replace(hour=11, minute=30)

        self.assertEqual(
            calendar._get_schedule(self.company).deadline(start, HOUR),
            MONDAY.replace(hour=13, minute=30),
        )

    def test_t45_the_clocks_of_berlin(self):
        around = self._make_calendar({day: [(0, 24)] for day in range(7)}, tz="Europe/Berlin")
        schedule = around._get_schedule(self.company)

        deadline = schedule.deadline(datetime(2026, 3, 28, 23, 30), 4 * HOUR)

        self.assertEqual(deadline, datetime(2026, 3, 29, 3, 30))  # 05:30 in Berlin
        span = datetime(2025, 11, 5, 3), datetime(2027, 2, 3, 4)
        self.assertEqual(schedule.windows(*span), [span])

    def test_a_second_counts_once_where_the_clocks_skip_an_hour(self):
        """In Berlin 02:30 is 03:30 on that day, and from 3:00 on the second window is open."""
        calendar = self._make_calendar({6: [(1, 2.5), (3, 4)]}, tz="Europe/Berlin")
        schedule = calendar._get_schedule(self.company)

        self.assertEqual(
            schedule.windows(datetime(2026, 3, 29), datetime(2026, 3, 30)),
            [(datetime(2026, 3, 29), datetime(2026, 3, 29, 2))],
        )

    def test_hours_are_meant_in_the_zone_of_the_customer(self):
        calendar = self._make_calendar(OFFICE, tz="Europe/Berlin")
        start = datetime(2026, 3, 2)

        for zone, opened in (
            (None, 8),
            ("Europe/Berlin", 8),
            ("America/New_York", 14),
            ("UTC", 9),
        ):
            schedule = calendar._get_schedule(self.company, zone)
            self.assertEqual(schedule.deadline(start, 1), start.replace(hour=opened, second=1))

    def test_a_shared_calendar_has_the_holidays_of_each_company(self):
        calendar = self._make_calendar(OFFICE, company_id=False)
        self._make_leave(MONDAY, MONDAY + timedelta(days=1), company=self.other)

        ours, others = (calendar._get_schedule(c) for c in (self.company, self.other))

        self.assertTrue(ours.is_open(MONDAY))
        self.assertFalse(others.is_open(MONDAY))

    def test_without_a_calendar_time_always_counts(self):
        none = self.env["resource.calendar"]

        self.assertIs(none._get_schedule(self.company), ALWAYS)

    def test_calendars_without_hours(self):
        lunch = self._line(0, 12, 13, day_period="lunch")
        without = [
            self._make_calendar({}),
            self._make_calendar({}, attendance_ids=[Command.clear(), lunch]),
            self._make_calendar(OFFICE, schedule_type="flexible"),
        ]

        for calendar in without:
            self.assertFalse(calendar._has_working_time())
            with self.assertRaises(NoWorkingTimeError):
                calendar._get_schedule(self.company).deadline(MONDAY, 1)
        self.assertTrue(self._make_calendar(OFFICE)._has_working_time())

    def test_who_may_not_read_calendars_gets_the_same(self):
        calendar = self._make_calendar(OFFICE)
        customer = new_test_user(self.env, "caller", groups="base.group_portal")
        theirs = calendar.with_user(customer)
        self.assertFalse(theirs.has_access("read"))
        self._make_leave(MONDAY, MONDAY + timedelta(days=1))

        self.assertTrue(theirs._has_working_time())
        self.assertEqual(
            theirs._get_schedule(self.company).deadline(MONDAY, HOUR),
            MONDAY + timedelta(days=1, hours=1),
        )

    def test_t37_the_zone_of_the_server_changes_nothing(self):
        """What is compiled is UTC, and Odoo, which compiles it, makes UTC the server's zone."""
        calendar = self._make_calendar(OFFICE, tz="Europe/Berlin")
        self._make_leave(MONDAY, MONDAY + timedelta(days=1))
        pause = Pause(MONDAY + timedelta(days=2), MONDAY + timedelta(days=2, hours=3))

        def deadline():
            schedule = calendar._get_schedule(self.company)
            return schedule.deadline(MONDAY - timedelta(hours=4), 20 * HOUR, [pause])

        here = deadline()
        self.addCleanup(time.tzset)  # after the patch is undone
        with patch.dict(os.environ, {"TZ": "America/New_York"}):
            started = subprocess.run(
                [sys.executable, "-c", "import odoo.cli, time; print(time.tzname[0])"],
                capture_output=True,
                text=True,
                check=True,
            )
            time.tzset()
            self.assertEqual(time.tzname[0], "EST")
            self.assertEqual(deadline(), here)
        self.assertEqual(started.stdout.strip(), "UTC")
