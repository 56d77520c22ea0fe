# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
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
            precommit.data[NOTED] = (set(), set())
            # All clocks go by them, whoever changes them.
            model = self.browse().sudo().with_context(clean_context(self.env.context))
            precommit.add(model._read_sla_clocks)
        noted_calendars, noted_companies = precommit.data[NOTED]
        noted_calendars.update(calendars.ids)
        noted_companies.update(companies.ids)
        return result

    @api.model
    def _read_sla_clocks(self):
        """Read the open clocks of the calendars that have changed in this transaction.

        :raise ValidationError: if a calendar that promises go by has no working hours any more
        """
        calendars, companies = self.env.cr.precommit.data.pop(NOTED, ((), ()))
        calendars = self.browse(sorted(calendars)).exists()
        # A day of theirs may be longer or shorter now; contracts may still go by archived ones.
        policies = self.env["support.sla.policy"].with_context(active_test=False)
        policies.search([("calendar_id", "in", calendars.ids)])._settle_terms()
        concerned = Domain("version_id.calendar_id", "in", calendars.ids) | (
            Domain("company_id", "in", list(companies))
            & Domain("version_id.calendar_id", "!=", False)
        )
        timers = self.env["support.sla.timer"].search(
            concerned & Domain("state", "in", ("running", "paused"))
        )
        idle = timers.version_id.calendar_id.filtered(lambda c: not c._has_working_time())
        if idle:
            raise ValidationError(
                self.env._(
                    "Open tickets have deadlines by “%s”: it can't be left without working hours.",
                    idle[0].name,
                )
            )
        now = fields.Datetime.now()
        timers._forget_early_events(now)
        timers._read(now)
