# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class HelpdeskTicket(models.Model):
    """Tickets that wait because their contract rests, or because their customer doesn't pay.

    Since when is `locked_at`; they open by themselves when the reason is gone.
    """

    _inherit = "helpdesk.ticket"

    lock_reason = fields.Selection(
        selection_add=[
            ("suspended", "Pending – Contract Suspended"),
            ("credit_hold", "Pending – Customer on Hold"),
        ]
    )

    @api.model
    def _get_lock_messages(self):
        return super()._get_lock_messages() | {
            "suspended": self.env._(
                "The contract of this ticket is suspended. Resume it, choose another one, or wait "
                "until it runs again."
            ),
            "credit_hold": self.env._(
                "The customer is on credit hold. Have the overdue invoices paid, or release the "
                "hold on the customer."
            ),
        }

    def _get_lock_reason(self):
        """Who doesn't pay waits for whatever reason else; a contract that rests opens nothing."""
        self.ensure_one()
        owner = self.partner_id.commercial_partner_id.with_company(self.company_id)
        if owner.support_hold:
            return "credit_hold"
        reason = super()._get_lock_reason()
        return reason or (self.contract_id.state == "suspended" and "suspended")

    @api.model
    def _contracts_changed(self, contracts):
        """Lock the open tickets of contracts that rest from now on."""
        result = super()._contracts_changed(contracts)
        resting = contracts.filtered(lambda contract: contract.state == "suspended")
        if resting:
            self.search(
                [
                    ("contract_id", "in", resting.ids),
                    ("stage_id.closed", "!=", True),
                    ("lock_reason", "=", False),
                ]
            )._update_locks()
        return result
