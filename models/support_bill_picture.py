# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from .support_charge import FEE_KINDS, WORK_KINDS


class SupportBill(models.Model):
    """The picture of a credit card: opening balance + new − carried out + credits = due (Q10).

    The opening balance is what was carried in; what is carried on from here belongs to what was
    new, or opened, and is taken off again as *to be charged in next invoice* (Q11). All of it is
    untaxed; due is `amount_untaxed`.
    """

    _inherit = "support.bill"

    # What is cancelled is shown apart, so that what is listed adds up.
    fee_charge_ids = fields.One2many(domain=[("kind", "in", FEE_KINDS), ("cancelled", "=", False)])
    work_charge_ids = fields.One2many(
        domain=[("kind", "in", WORK_KINDS), ("cancelled", "=", False)]
    )
    other_charge_ids = fields.One2many(
        domain=[("kind", "not in", FEE_KINDS + WORK_KINDS), ("cancelled", "=", False)]
    )
    cancelled_charge_ids = fields.One2many(
        "support.charge",
        "bill_id",
        domain=[("cancelled", "=", True), ("cancelled_at", "!=", False)],
        context={"active_test": False},  # a replaced version shows what it was
        readonly=True,
    )
    carried_out_ids = fields.Many2many(
        "support.charge.transfer",
        compute="_compute_picture",
        string="To Be Charged in Next Invoice",
    )
    has_picture = fields.Boolean(compute="_compute_picture")
    amount_opening = fields.Monetary(
        compute="_compute_picture",
        string="Opening Balance",
        help="Carried in from earlier terms.",
    )
    amount_new = fields.Monetary(
        compute="_compute_picture", string="New", help="Incurred for this bill."
    )
    amount_carried_out = fields.Monetary(
        compute="_compute_picture",
        string="Carried Out",
        help="To be charged in next invoice.",
    )
    amount_credits = fields.Monetary(
        compute="_compute_picture", string="Credits", help="Given to the customer."
    )

    @api.depends(
        "charge_ids.amount",
        "charge_ids.cancelled",
        "charge_ids.moved_by_id",
        "term_id",
        "is_main",
        "state",
    )
    def _compute_picture(self):
        outs = self._get_carried_out()
        for bill in self:
            charges = bill._get_charges()
            parts = charges.filtered(lambda c: c._is_carried_out_part())
            opening = charges.filtered(lambda c: c._is_carried_in())
            credits_ = charges.filtered(lambda c: c.kind == "credit") - opening
            new = charges - parts - opening - credits_
            gone = outs[bill].filtered(lambda transfer: not transfer.partial)
            again = gone.filtered(lambda transfer: transfer.number > 1)
            bill.carried_out_ids = outs[bill]
            bill.amount_opening = sum(opening.mapped("amount")) + sum(again.mapped("amount"))
            bill.amount_new = sum(new.mapped("amount")) + sum((gone - again).mapped("amount"))
            bill.amount_carried_out = sum(gone.mapped("amount")) - sum(parts.mapped("amount"))
            bill.amount_credits = sum(credits_.mapped("amount"))
            bill.has_picture = bool(opening or credits_ or outs[bill])

    def _get_carried_out(self):
        """Return the transfers that took something off each bill: {bill: transfers}."""
        transfers = self.env["support.charge.transfer"].search(
            [
                ("state", "=", "done"),
                "|",
                ("from_bill_id", "in", self.ids),
                ("from_term_id", "in", self.term_id.ids),
            ]
        )
        result = {bill: transfers.browse() for bill in self}
        for transfer in transfers:
            bill = transfer._get_source_bill()
            if bill in result:
                result[bill] += transfer
        return result

    def _is_open(self):
        """Return whether there is a bill here that charges can still come to, or leave."""
        return self.state in ("draft", "to_approve")

    def action_carry(self):
        """Open the wizard that carries charges of this bill to the next term."""
        self.ensure_one()
        return self.env["support.transfer.wizard"]._open(self._get_charges(), bill=self)

    def action_cancel_activities(self):
        """Open the wizard that cancels activities on this bill."""
        self.ensure_one()
        return self.env["support.activity.cancel.wizard"]._open(self._get_charges(), bill=self)

    def action_give_credit(self):
        self.ensure_one()
        return self.contract_id.action_give_credit()

    @api.model
    def _generate(self, contracts, until, run=None):
        """Show what was cancelled before the bill of its term was made on it, too."""
        bills = super()._generate(contracts, until, run)
        terms = bills.filtered(lambda bill: bill.kind == "term").term_id
        # As there: whoever may make bills may have them show what they are about.
        cancelled = (
            self.env["support.charge"]
            .sudo()
            .search(
                [
                    ("billing_term_id", "in", terms.ids),
                    ("cancelled_at", "!=", False),
                    ("bill_id", "=", False),
                ]
            )
        )
        for term, charges in cancelled.grouped("billing_term_id").items():
            charges.bill_id = term.sudo()._get_main_bill()  # the same
        return bills
