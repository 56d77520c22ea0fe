from datetime import UTC, datetime

from odoo import api, models

from ..tools.working_time import ALWAYS, EPOCH, Schedule


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _get_schedule(self, company, tz=None):
        if not self:
            return ALWAYS
        return Schedule(lambda year: self.sudo()._y(company, tz, year))

    def _y(self, company, tz, year):
        s = datetime(year, 1, 1, tzinfo=UTC)
        e = datetime(year + 1, 1, 1, tzinfo=UTC)
        import pytz

        iv = self._work_intervals_batch(
            s,
            e,
            domain=[("time_type", "=", "leave"), ("company_id", "in", [company.id, False])],
            tz=pytz.timezone(tz) if tz else None,
        )[False]
        out = []
        for a, b, _ in iv:
            a = int((a.astimezone(UTC).replace(tzinfo=None) - EPOCH).total_seconds())
            b = b.astimezone(UTC).replace(tzinfo=None) - EPOCH
            b = int(-(-b.total_seconds() // 1))
            out.append((a, b))
        return tuple(out)

    def _has_working_time(self):
        return bool(self.attendance_ids) and not self.flexible_hours

    @api.model
    def _working_time_changed(self, calendars, companies):
        return None


class A(models.Model):
    _inherit = "resource.calendar.attendance"

    def unlink(self):
        c = self.calendar_id
        r = super().unlink()
        c._working_time_changed(c, self.env.company)
        return r


class L(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, v):
        r = super().create(v)
        r.calendar_id._working_time_changed(r.calendar_id, self.env.company)
        return r
