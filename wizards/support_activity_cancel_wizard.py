# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.rating import format_hours


class SupportActivityCancelWizard(models.TransientModel):
    """Cancels activities that were to be debited (Q12)."""

    _name = "support.activity.cancel.wizard"
    _inherit = "support.charge.wizard.mixin"
    _description = "Cancel Activities"

    line_ids = fields.One2many("support.activity.cancel.wizard.line", "wizard_id")

    @api.model
    def _get_title(self):
        return self.env._("Cancel Activities")

    @api.model
    def _is_offered(self, charge):
        return super()._is_offered(charge) and charge.kind != "transfer"

    @api.depends("line_ids.chosen", "line_ids.charge_id", "bill_id")
    def _compute_due(self):
        for wizard in self:
            wizard.due_before = wizard._get_due_before()
            try:
                plan = wizard._get_chosen()._plan_cancel()
            except UserError:  # the preview says it
                wizard.due_after = wizard.due_before
                continue
            listed = plan.charges & (wizard.bill_id.charge_ids or wizard.line_ids.charge_id)
            wizard.due_after = wizard.due_before - sum(listed.mapped("amount"))

    @api.depends("line_ids.chosen", "line_ids.charge_id")
    def _compute_preview(self):
        for wizard in self:
            if not wizard.line_ids.filtered("chosen"):
                wizard.preview = Markup('<p class="text-muted mb-0">%s</p>') % (
                    self.env._("Tick what the customer shall not pay.")
                )
                continue
            try:
                plan = wizard._get_chosen()._plan_cancel()
            except UserError as error:  # said here already, before it is confirmed
                wizard.preview = wizard._render_error(error)
                continue
            rows = [
                (charge.name, wizard._describe(charge, plan), -charge.amount)
                for charge in plan.charges
            ]
            total = -sum(plan.charges.mapped("amount"))
            rows.append((self.env._("Cancelled in all"), wizard._describe_units(plan), total))
            wizard.preview = wizard._render_rows(rows)

    def _describe(self, charge, plan):
        if not charge.units:
            return ""
        if charge in plan.alone:
            return self.env._("Its work is on an approved bill: the units stay used.")
        return self.env._("%s come back.", self._format_units(charge))

    def _format_units(self, charge):
        if charge.time_entry_id:
            return format_hours(charge.units)
        return self.env._("%s incidents", charge.units)

    def _describe_units(self, plan):
        back = (plan.charges - plan.alone).filtered("units")
        time = sum(back.filtered("time_entry_id").mapped("units"))
        incidents = sum(back.filtered(lambda c: not c.time_entry_id).mapped("units"))
        texts = []
        if time:
            texts.append(self.env._("Time that comes back: %s h.", format_hours(time)))
        if incidents:
            texts.append(self.env._("Incidents that come back: %s.", incidents))
        return " ".join(texts)

    def _decide(self):
        charges = self.env["support.charge"]
        plan = self._get_chosen()._plan_cancel()
        amount = -sum(plan.charges.mapped("amount"))
        units = self._describe_units(plan)
        names = ", ".join(f"“{charge.name}”" for charge in plan.charges)
        charges._cancel(plan, self.reason)
        summary = self.env._("Cancelled: %s.", names)
        return {"summary": " ".join(filter(None, (summary, units))), "amount": amount}

    def action_cancel_activities(self):
        self._run("cancel")
        return {"type": "ir.actions.act_window_close"}


class SupportActivityCancelWizardLine(models.TransientModel):
    _name = "support.activity.cancel.wizard.line"
    _inherit = "support.charge.wizard.line.mixin"
    _description = "Activity to Cancel"

    wizard_id = fields.Many2one("support.activity.cancel.wizard", required=True, ondelete="cascade")
