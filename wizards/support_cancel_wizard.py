# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportCancelWizard(models.TransientModel):
    """Puts away a contract that is not concluded, and keeps why."""

    _name = "support.cancel.wizard"
    _description = "Cancel a Contract in Preparation"
    _inherit = ["support.decision.mixin"]

    reason = fields.Char(help="Kept in the history, to learn from what was lost.")

    @api.depends("contract_id")
    def _compute_preview(self):
        for wizard in self:
            wizard.preview = wizard._explain()

    def _explain(self):
        return self.env._(
            "%(contract)s leaves the pipeline and covers nothing. It can be made a draft again.",
            contract=self.contract_id.display_name,
        )

    def _check(self):
        if self.contract_id.state not in ("draft", "pending"):
            raise UserError(
                self.env._(
                    "%s is in preparation no longer and can't be cancelled: terminate it.",
                    self.contract_id.display_name,
                )
            )

    def _decide(self):
        self.contract_id.action_cancel()
        return {"summary": self.env._("The contract was not concluded.")}

    def action_cancel_contract(self):
        self._run("lost")
