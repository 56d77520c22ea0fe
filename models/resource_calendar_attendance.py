# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models

DECISIVE = {
    "calendar_id",
    "dayofweek",
    "hour_from",
    "hour_to",
    "duration_hours",  # in calendars by duration it sets the hours
    "day_period",
    "week_type",
    "display_type",
}


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["resource.calendar"]._changing_working_time() as changes:
            attendances = super().create(vals_list)
            changes.calendars |= attendances.calendar_id
        return attendances

    def write(self, vals):
        if not vals.keys() & DECISIVE:
            return super().write(vals)
        with self.env["resource.calendar"]._changing_working_time() as changes:
            changes.calendars |= self.calendar_id
            result = super().write(vals)
            changes.calendars |= self.calendar_id
        return result

    def unlink(self):
        with self.env["resource.calendar"]._changing_working_time() as changes:
            changes.calendars |= self.calendar_id
            result = super().unlink()
        return result
