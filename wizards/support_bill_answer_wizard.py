# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import Command, api, fields, models


class SupportBillAnswerWizard(models.TransientModel):
    """Records what the customer has said about a bill that he is to approve."""

    _name = "support.bill.answer.wizard"
    _description = "Answer of the Customer to a Support Bill"

    bill_id = fields.Many2one("support.bill", required=True, readonly=True)
    currency_id = fields.Many2one(related="bill_id.currency_id")
    customer_id = fields.Many2one(related="bill_id.partner_id", string="Customer")
    partner_id = fields.Many2one(
        "res.partner",
        string="Who Answered",
        compute="_compute_bill_values",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        domain="[('commercial_partner_id', '=', customer_id)]",
    )
    answer = fields.Selection(
        [("approved", "Approved"), ("disputed", "Disputed")], required=True, default="approved"
    )
    text = fields.Text(string="Objection", help="What the customer has against the bill.")
    line_ids = fields.One2many(
        "support.bill.answer.wizard.line",
        "wizard_id",
        compute="_compute_bill_values",
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("bill_id")
    def _compute_bill_values(self):
        for wizard in self:
            bill = wizard.bill_id
            wizard.partner_id = bill.partner_invoice_id or bill.partner_id
            wizard.line_ids = [Command.clear()] + [
                Command.create({"charge_id": charge.id}) for charge in bill._get_charges()
            ]

    def action_record(self):
        """Approve the bill for the customer, or note what he has against it."""
        self.ensure_one()
        self.bill_id.check_access("write")
        if self.answer == "approved":
            self.bill_id._check_may_approve()
            self.bill_id._customer_approves(self.partner_id)
        else:
            notes = {line.charge_id: line.text for line in self.line_ids}
            self.bill_id._customer_disputes(self.partner_id, self.text, notes)
        return {"type": "ir.actions.act_window_close"}


class SupportBillAnswerWizardLine(models.TransientModel):
    _name = "support.bill.answer.wizard.line"
    _description = "Objection to a Line of a Support Bill"

    wizard_id = fields.Many2one("support.bill.answer.wizard", required=True, ondelete="cascade")
    charge_id = fields.Many2one("support.charge", required=True, readonly=True)
    # Read with the rights of whoever asks: the charge may be any that he names.
    date = fields.Date(related="charge_id.date", related_sudo=False)
    currency_id = fields.Many2one(related="charge_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="charge_id.amount", related_sudo=False)
    text = fields.Char(string="Objection")
