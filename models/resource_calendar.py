# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytz

from odoo import api, models
from odoo.tools import ormcache

from ..tools.working_time import ALWAYS, Schedule, merged

# What decides, beside attendances and leaves, when there is work. The company doesn't: it is the
# one of the ticket, so that a calendar that companies share has each one's own holidays.
DECISIVE = {"tz", "two_weeks_calendar", "schedule_type", "flexible_hours"}
CHANGES = "support_contract.working_time"
EPOCH, SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    @api.model_create_multi
    def create(self, vals_list):
        with self._changing_working_time():  # nobody waits for a new one, but for its holidays
            calendars = super().create(vals_list)
        return calendars

    def write(self, vals):
        with self._changing_working_time() as changes:
            if vals.keys() & DECISIVE:
                changes.calendars |= self
            result = super().write(vals)
        return result

    def unlink(self):
        with self._changing_working_time() as changes:
            # Odoo leaves the holidays of a calendar behind: then they are those of all calendars
            # of their company, also where the user doesn't see them.
            leaves_sudo = self.env["resource.calendar.leaves"].sudo()
            leaves_sudo.search([("calendar_id", "in", self.ids)])._add_to(changes, orphaned=True)
            result = super().unlink()
        return result

    # === QUESTIONS === #

    def _get_schedule(self, company, tz=None):
        """Return the working time of a calendar, without a calendar the one around the clock.

        Who asks often keeps it during a transaction: it knows the years that it was asked about.

        :param company: whose holidays are free; vacations of people change nothing
        :param tz: name of the time zone in which the hours are meant, else the calendar's
        :rtype: WorkingTime
        """
        if not self:
            return ALWAYS
        self.ensure_one()
        # Who opens a ticket has a deadline without having to read calendars and holidays.
        calendar_sudo = self.sudo()
        return Schedule(
            partial(calendar_sudo._get_working_windows, company.id, tz or calendar_sudo.tz)
        )

    def _has_working_time(self):
        """Return whether there are hours at all: flexible calendars say how many, but not when."""
        self.ensure_one()
        calendar_sudo = self.sudo()  # as in _get_schedule
        return not calendar_sudo.flexible_hours and any(
            attendance._is_work_period() and attendance.hour_from < attendance.hour_to
            for attendance in calendar_sudo.attendance_ids
        )

    @ormcache("self.id", "company_id", "tz", "year")
    def _get_working_windows(self, company_id, tz, year):
        """Return the windows of work in a year (UTC) as Odoo has them.

        :return: ((first second, second after the last one)) since 1970, for a Schedule
        """
        if self.flexible_hours:
            return ()
        start, stop = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        # Without a domain Odoo takes the leaves of all companies.
        leaves = [("time_type", "=", "leave"), ("company_id", "in", [company_id, False])]
        work = self._work_intervals_batch(start, stop, domain=leaves, tz=pytz.timezone(tz))
        return tuple(
            merged((_to_second(first), _to_second(last)) for first, last, _line in work[False])
        )

    # === CHANGES === #

    @api.model
    def _working_time_changed(self, calendars, companies):
        """Hook, called once after a change of working time.

        :param calendars: those whose hours, zone or own holidays have changed
        :param companies: those whose holidays have changed that are the same for all calendars
        """

    @contextmanager
    def _changing_working_time(self):
        """Gather what changes while Odoo writes calendars and their lines, then tell of it once.

        What has been compiled is dropped with each of the changes, should it be read in between.

        :return: the changes, to which calendars and companies are to be added
        """
        pending = self.env.cr.cache.get(CHANGES)
        changes = _Changes(self.env)
        if pending is None:
            self.env.cr.cache[CHANGES] = changes
        try:
            yield changes
        finally:
            if pending is None:
                self.env.cr.cache.pop(CHANGES, None)
        if not changes:
            return
        self.env.registry.clear_cache()
        if pending is None:
            calendars = changes.calendars.exists()
            self.env["resource.calendar"]._working_time_changed(calendars, changes.companies)
        else:
            pending.add(changes)


class _Changes:
    """Calendars and companies whose working time changes."""

    def __init__(self, env):
        self.calendars = env["resource.calendar"]
        self.companies = env["res.company"]

    def __bool__(self):
        return bool(self.calendars or self.companies)

    def add(self, other):
        self.calendars |= other.calendars
        self.companies |= other.companies


def _to_second(moment):
    """Return a moment in seconds since 1970; Odoo's last microsecond of a day becomes midnight."""
    seconds, rest = divmod(moment - EPOCH, SECOND)
    return seconds + bool(rest)
