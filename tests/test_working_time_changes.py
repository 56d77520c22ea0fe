# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What is compiled of a calendar is kept, and dropped when the calendar or its holidays change."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.support_contract.tools.working_time import NoWorkingTimeError

from .test_working_time import HOUR, MONDAY, OFFICE, WorkingTimeCase


@tagged("post_install", "-at_install")
class TestWorkingTimeChanges(WorkingTimeCase):
    """What has been compiled is dropped with a change, and whoever waits is told once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls._make_calendar(OFFICE)
        person = cls.env["resource.resource"].create({"name": "Ann", "resource_type": "user"})
        cls.vacation = cls._make_leave(
            MONDAY, MONDAY + timedelta(days=1), cls.calendar, resource_id=person.id
        )
        cls.holiday = cls._make_leave(
            MONDAY + timedelta(days=1), MONDAY + timedelta(days=2), cls.calendar
        )
        cls.none = cls.env["resource.calendar"], cls.env["res.company"]

    def _deadline(self, company=None):
        """Two days of work from Monday 9:00; as Tuesday is a holiday that is Wednesday 17:00."""
        schedule = self.calendar._get_schedule(company or self.company)
        return schedule.deadline(MONDAY, 16 * HOUR)

    @contextmanager
    def _told(self, *calls):
        """Compile, make a change and see who is told: (calendars, companies) of each call."""
        self._deadline()
        told = []

        def changed(_self, calendars, companies):
            told.append((calendars, companies.sudo(False)))

        calendars = self.env.registry["resource.calendar"]
        with patch.object(calendars, "_working_time_changed", changed):
            yield
            self.env.flush_all()
        self.assertEqual(told, list(calls))

    def _wednesday(self, hour, minute=0):
        return datetime(2026, 3, 4, hour, minute)

    def test_it_is_compiled_once(self):
        self.assertEqual(self._deadline(), self._wednesday(17))

        with self.assertQueryCount(0):
            self._deadline()
            self.calendar.with_context(lang=None)._get_schedule(self.company).windows(
                MONDAY, MONDAY + timedelta(days=300)
            )

    def test_an_attendance_is_added(self):
        self._deadline()
        with self._told((self.calendar, self.none[1])):
            self.env["resource.calendar.attendance"].create(
                {
                    "name": "Evening",
                    "calendar_id": self.calendar.id,
                    "dayofweek": "0",
                    "hour_from": 18,
                    "hour_to": 22,
                }
            )

        self.assertEqual(self._deadline(), self._wednesday(13))

    def test_hours_are_changed(self):
        monday = self.calendar.attendance_ids.filtered(lambda line: line.dayofweek == "0")
        with self._told((self.calendar, self.none[1])):
            monday.hour_to = 16

        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 10))

    def test_an_attendance_is_moved_to_another_calendar(self):
        other = self._make_calendar({})
        monday = self.calendar.attendance_ids.filtered(lambda line: line.dayofweek == "0")
        with self._told((self.calendar | other, self.none[1])):
            monday.calendar_id = other

        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 17))

    def test_an_attendance_is_deleted(self):
        with self._told((self.calendar, self.none[1])):
            self.calendar.attendance_ids.filtered(lambda line: line.dayofweek == "2").unlink()

        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 17))

    def test_the_lines_of_a_calendar_are_saved_together(self):
        wednesday, thursday = self.calendar.attendance_ids[2:4]
        with self._told((self.calendar, self.none[1])):
            self.calendar.write(
                {
                    "attendance_ids": [
                        Command.update(wednesday.id, {"hour_to": 12}),
                        Command.delete(thursday.id),
                        self._line(2, 13, 16),
                        self._line(5, 9, 10),
                    ],
                    "global_leave_ids": [
                        Command.create(
                            {
                                "name": "Afternoon",
                                "date_from": self._wednesday(14),
                                "date_to": self._wednesday(17),
                            }
                        )
                    ],
                }
            )

        self.assertEqual(self._deadline(), datetime(2026, 3, 6, 13))

    def test_the_zone_is_changed(self):
        with self._told((self.calendar, self.none[1])):
            self.calendar.tz = "Europe/Berlin"

        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 9))

    def test_a_calendar_becomes_flexible(self):
        with self._told((self.calendar, self.none[1])):
            self.calendar.schedule_type = "flexible"

        with self.assertRaises(NoWorkingTimeError):
            self._deadline()

    def test_a_holiday_of_the_calendar_is_made_moved_and_deleted(self):
        with self._told((self.calendar, self.none[1])):
            holiday = self._make_leave(MONDAY, self._wednesday(0), self.calendar)
        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 17))

        with self._told((self.calendar, self.none[1])):
            holiday.write({"date_from": self._wednesday(9), "date_to": self._wednesday(16)})
        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 16))

        with self._told((self.calendar, self.none[1])):
            holiday.unlink()
        self.assertEqual(self._deadline(), self._wednesday(17))

    def test_a_holiday_without_calendar_concerns_all_of_its_company(self):
        with self._told((self.none[0], self.company)):
            self._make_leave(self._wednesday(0), self._wednesday(23))

        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 17))

    def test_a_holiday_gets_a_calendar(self):
        holiday = self._make_leave(self._wednesday(0), self._wednesday(23))
        other = self._make_calendar(OFFICE)
        with self._told((other, self.company)):
            holiday.calendar_id = other

        self.assertEqual(self._deadline(), self._wednesday(17))

    def test_a_leave_becomes_working_time(self):
        with self._told((self.calendar, self.none[1])):
            self.holiday.time_type = "other"

        self.assertEqual(self._deadline(), datetime(2026, 3, 3, 17))

    def test_a_holiday_of_another_company_changes_nothing_here(self):
        with self._told((self.none[0], self.other)):
            self._make_leave(self._wednesday(0), self._wednesday(23), company=self.other)

        self.assertEqual(self._deadline(), self._wednesday(17))
        self.assertFalse(self.calendar._get_schedule(self.other).is_open(self._wednesday(12)))

    def test_many_holidays_are_told_of_once(self):
        own = {
            "name": "Holiday",
            "date_from": self._wednesday(0),
            "date_to": self._wednesday(23),
            "calendar_id": self.calendar.id,
        }
        with self._told((self.calendar, self.company)):
            holidays = self.env["resource.calendar.leaves"].create(
                [own, own | {"calendar_id": False}, own]
            )
        with self._told((self.calendar, self.company)):
            holidays.unlink()

    def test_a_vacation_changes_nothing(self):
        with self._told(), self.assertNoDrop():
            self.vacation.date_to = self._wednesday(12)
            self.vacation.copy()
            self.vacation.unlink()

        self.assertEqual(self._deadline(), self._wednesday(17))

    def test_a_holiday_becomes_a_vacation(self):
        with self._told((self.calendar, self.none[1])):
            self.holiday.resource_id = self.vacation.resource_id

        self.assertEqual(self._deadline(), datetime(2026, 3, 3, 17))

    def test_names_change_nothing(self):
        with self._told(), self.assertNoDrop():
            self.calendar.name = "Hours of service"
            self.calendar.attendance_ids.name = "Work"
            self.holiday.name = "Carnival"

    def test_the_holidays_of_a_deleted_calendar_become_everybodys(self):
        """So does Odoo: it empties their calendar."""
        other = self._make_calendar(OFFICE)
        holiday = self._make_leave(self._wednesday(0), self._wednesday(23), other)
        self.assertEqual(self._deadline(), self._wednesday(17))

        with self._told((self.none[0], self.company)):
            other.unlink()

        self.assertTrue(holiday.exists())
        self.assertEqual(self._deadline(), datetime(2026, 3, 5, 17))

    def test_a_failed_change_is_not_told_of_with_the_next(self):
        other = self._make_calendar(OFFICE)
        overlapping = {"attendance_ids": [self._line(0, 12, 18)]}
        with self._told(), self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.calendar.write(overlapping)

        with self._told((other, self.none[1])):
            other.tz = "Europe/Berlin"

    @contextmanager
    def assertNoDrop(self):
        with patch.object(self.env.registry, "clear_cache") as clear:
            yield
            self.env.flush_all()
        clear.assert_not_called()
