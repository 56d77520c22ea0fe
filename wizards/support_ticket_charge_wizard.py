# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import is_html_empty


class SupportTicketChargeWizard(models.TransientModel):
    """Charges a ticket and answers its customer in one step (B3)."""

    _name = "support.ticket.charge.wizard"
    _description = "Charge a Ticket"

    ticket_id = fields.Many2one("helpdesk.ticket", required=True, readonly=True)
    # Read with the rights of whoever asks: the ticket may be any that he names.
    partner_id = fields.Many2one(related="ticket_id.partner_id", related_sudo=False)
    currency_id = fields.Many2one(related="ticket_id.charge_currency_id")
    charged = fields.Monetary(
        related="ticket_id.charge_amount", string="Charged so Far", related_sudo=False
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="What the ticket costs in all, taxes included. Less than before is a refund.",
    )
    body = fields.Html(string="Reply", help="Sent to the customer. Empty: only the charge is told.")

    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.ticket_id.charge_amount

    def action_charge(self):
        """Charge the amount; send the reply, if there is one."""
        self.ensure_one()
        ticket = self.ticket_id
        if self.amount == ticket.charge_amount and is_html_empty(self.body):
            raise UserError(self.env._("Enter another amount, or a reply to the customer."))
        ticket.charge_amount = self.amount
        if not is_html_empty(self.body):
            ticket.message_post(
                body=self.body,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=ticket.partner_id.ids,
            )
        return {"type": "ir.actions.act_window_close"}
