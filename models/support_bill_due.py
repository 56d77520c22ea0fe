# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportPlan(models.Model):
    _inherit = "support.plan"

    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Terms",
        check_company=True,
        help="Of the contracts made from it, and with that the day before which their bills are to "
        "be paid. Empty: those of the customer.",
    )


class SupportContract(models.Model):
    _inherit = "support.contract"

    payment_term_id = fields.Many2one(
        compute="_compute_payment_term_id",
        store=True,
        readonly=False,
        precompute=True,
        help="They give the day before which its bills are to be paid. Empty: at once.",
    )

    @api.depends("partner_id", "company_id", "plan_id")
    def _compute_payment_term_id(self):
        for contract in self:
            partner = contract.partner_id.with_company(contract.company_id)
            contract.payment_term_id = (
                contract.plan_id.payment_term_id or partner.property_payment_term_id
            )


class SupportBill(models.Model):
    """The day before which a bill is to be paid (C24), by Odoo's own payment terms."""

    _inherit = "support.bill"

    date_due = fields.Date(
        string="Pay Before",
        compute="_compute_date_due",
        help="The due date of its invoice; before there is one, by the bill date and the payment "
        "terms.",
    )

    @api.depends(
        "date", "contract_id.payment_term_id", "partner_id", "move_id.state",
        "move_id.invoice_date_due",
    )  # fmt: skip
    def _compute_date_due(self):
        for bill in self:
            move = bill.sudo().move_id  # its day, for whoever may read the bill
            if move and move.state != "cancel":
                bill.date_due = move.invoice_date_due
                continue
            lines = bill._get_payment_term().line_ids
            days = [line._get_due_date(bill.date) for line in lines] if bill.date else []
            bill.date_due = max(days, default=bill.date)
