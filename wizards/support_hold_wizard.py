# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportHoldWizard(models.TransientModel):
    """Puts a customer who doesn't pay on hold, with the reason."""

    _name = "support.hold.wizard"
    _description = "Put a Customer on Credit Hold"

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    reason = fields.Char(required=True, help="Staff sees it; the customer is told only that.")
    ticket_count = fields.Integer(string="Open Tickets", compute="_compute_ticket_count")

    @api.depends("partner_id", "company_id")
    def _compute_ticket_count(self):
        for wizard in self:
            wizard.ticket_count = self.env["helpdesk.ticket"].search_count(
                [
                    ("commercial_partner_id", "=", wizard.partner_id.commercial_partner_id.id),
                    ("company_id", "=", wizard.company_id.id),
                    ("stage_id.closed", "!=", True),
                ]
            )

    def action_hold(self):
        self.ensure_one()
        self.partner_id._check_may_hold()
        owner = self.partner_id.commercial_partner_id
        if owner.with_company(self.company_id).support_hold_by_hand:
            raise UserError(self.env._("%s is on hold already.", owner.display_name))
        self.env["support.hold"]._set(owner, self.company_id, self.reason)
        return {"type": "ir.actions.act_window_close"}
