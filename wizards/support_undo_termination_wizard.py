# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class SupportUndoTerminationWizard(models.TransientModel):
    """Takes a termination back: the contract goes on as if it had never been terminated."""

    _name = "support.undo.termination.wizard"
    _inherit = "support.decision.mixin"
    _description = "Take the Termination of a Support Contract Back"

    @api.depends("contract_id")
    def _compute_preview(self):
        for wizard in self:
            wizard.preview = Markup("<p>%s</p>") % wizard._summarize()

    def action_take_back(self):
        self._run("undo")
        return {"type": "ir.actions.act_window_close"}

    def _check(self):
        if not self.contract_id.termination_id:
            raise UserError(
                self.env._("%s isn't terminated any more.", self.contract_id.display_name)
            )

    def _decide(self):
        termination = self.contract_id.termination_id
        summary = self._summarize()
        charges = termination.charge_ids.filtered(lambda charge: not charge.cancelled)
        amount = -sum(charges.mapped("amount"))
        termination._take_back()
        return {"summary": summary, "amount": amount, "undoes_id": termination.change_id.id}

    def _summarize(self):
        termination = self.contract_id.termination_id
        end = termination.prior_date_end
        texts = [
            self.env._("It runs until %s again.", format_date(self.env, end))
            if end
            else self.env._("It runs without end again.")
        ]
        if termination.state == "settled":
            bills = termination.sudo()._get_final_bills()
            if bills:  # only their numbers are told
                texts.append(self.env._("Cancelled: %s.", ", ".join(bills.mapped("name"))))
            texts += [
                self.env._(
                    "%(grant)s gets %(units)s back.",
                    grant=unit.entitlement_id.name,
                    units=unit.entitlement_id._format_units(unit.taken),
                )
                for unit in termination.unit_ids.filtered("taken")
            ]
        return " ".join(texts)
