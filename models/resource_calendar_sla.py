# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import clean_context

NOTED = "support_contract.calendars"


class ResourceCalendar(models.Model):
    """Working hours and holidays that change have the open clocks read anew.

    Once for a transaction, before it ends: hours are often replaced one by one.
    """

    _inherit = "resource.calendar"

    @api.model
    def _working_time_changed(self, calendars, companies):
        result = super()._working_time_changed(calendars, companies)
        precommit = self.env.cr.precommit
        if NOTED not in precommit.data:
            precommit.data[NOTED] = set()
            # All clocks go by them, whoever changes them.
            model = self.browse().sudo().with_context(clean_context(self.env.context))
            precommit.add(model._read_sla_clocks)
        precommit.data[NOTED].update(calendars.ids)
        return result

    @api.model
    def _read_sla_clocks(self):
        """Read the open clocks of the calendars that have changed in this transaction.

        :raise ValidationError: if a calendar that promises go by has no working hours any more
        """
        calendars = self.browse(sorted(self.env.cr.precommit.data.pop(NOTED, ()))).exists()
        policies = self.env["support.sla.policy"].search([("calendar_id", "in", calendars.ids)])
        policies._settle_terms()  # a day of theirs may be longer or shorter now
        timers = self.env["support.sla.timer"].search(
            [
                ("state", "in", ("running", "paused")),
                ("version_id.calendar_id", "in", calendars.ids),
            ]
        )
        idle = timers.version_id.calendar_id.filtered(lambda c: not c._has_working_time())
        if idle:
            raise ValidationError(
                self.env._(
                    "Open tickets have deadlines by “%s”: it can't be left without working hours.",
                    idle[0].name,
                )
            )
        timers._read(fields.Datetime.now())
