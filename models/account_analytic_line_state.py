# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dataclasses import replace

from odoo import api, models


class AccountAnalyticLine(models.Model):
    """Billable, non-billable, billed (C60): what the ticket's kind of billing makes of work.

    Only billable work is charged, and so billed; it leaves that state when its bill is cancelled.
    """

    _inherit = "account.analytic.line"

    @api.depends("ticket_id.billing_type")
    def _compute_rated_pieces(self):
        return super()._compute_rated_pieces()

    @api.depends("ticket_id.billing_type")
    def _compute_support_state(self):
        result = super()._compute_support_state()
        for line in self:
            if line._is_waived() and line.support_state != "billed":
                line.support_state = "non_billable"
        return result

    def _is_waived(self):
        self.ensure_one()
        return bool(self.ticket_id) and self.ticket_id._is_work_paid()

    def _is_rateable(self):
        return super()._is_rateable() and not self._is_waived()

    def _to_demand(self):
        """Work on an ad hoc ticket takes nothing from any allowance (Q34)."""
        return replace(super()._to_demand(), prepaid=self.ticket_id.billing_type != "ad_hoc")
