# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models

DECISIVE = {"date_from", "date_to", "calendar_id", "company_id", "resource_id", "time_type"}


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["resource.calendar"]._changing_working_time() as changes:
            leaves = super().create(vals_list)
            leaves._add_to(changes)
        return leaves

    def write(self, vals):
        if not vals.keys() & DECISIVE:
            return super().write(vals)
        with self.env["resource.calendar"]._changing_working_time() as changes:
            self._add_to(changes)
            result = super().write(vals)
            self._add_to(changes)
        return result

    def unlink(self):
        with self.env["resource.calendar"]._changing_working_time() as changes:
            self._add_to(changes)
            result = super().unlink()
        return result

    def _add_to(self, changes, orphaned=False):
        """Add whose working time these leaves shorten; vacations of people don't.

        :param bool orphaned: whether their calendars go, and they become those of all
        """
        holidays = self.filtered(lambda leave: not leave.resource_id and leave.time_type == "leave")
        own = holidays.browse() if orphaned else holidays.filtered("calendar_id")
        changes.calendars |= own.calendar_id
        shared = holidays - own
        changes.companies |= shared.company_id
        if not all(leave.company_id for leave in shared):
            # What belongs to no company concerns all, also those the user doesn't work in.
            changes.companies |= self.env["res.company"].sudo().search([])
