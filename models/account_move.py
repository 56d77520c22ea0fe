# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    support_bill_ids = fields.One2many("support.bill", "move_id", readonly=True)
    support_bill_count = fields.Integer(compute="_compute_support_bill_count")

    def _compute_support_bill_count(self):
        counts = dict(
            self.env["support.bill"]
            .sudo()
            ._read_group(  # a number on a button
                [("move_id", "in", self.ids)], ["move_id"], ["__count"]
            )
        )
        for move in self:
            move.support_bill_count = counts.get(move, 0)

    def unlink(self):
        # The bills must hear it from us: the database empties their link without a word. Whoever
        # may delete the invoice needn't be allowed to write bills.
        self.sudo().support_bill_ids.move_id = False
        return super().unlink()

    def _post(self, soft=True):
        posted = super()._post(soft)
        self.env["support.invoicing"].sudo()._check_consistent(posted)  # bills, for any poster
        posted.sudo()._take_over_support_bills()
        return posted

    def action_view_support_bills(self):
        self.ensure_one()
        return self.support_bill_ids._get_records_action(name=self.env._("Bills"))

    def _take_over_support_bills(self):
        """A corrected copy of a credited invoice becomes the invoice of its bills."""
        for move in self.filtered(lambda move: move.move_type == "out_invoice"):
            for bill in move.invoice_line_ids.support_charge_id.bill_id:
                if bill.move_id != move:
                    bill.move_id = move

    def _get_support_sign(self):
        """Return 1 where the customer owes, -1 where he is owed."""
        self.ensure_one()
        return -1 if self.move_type == "out_refund" else 1

    def _is_fully_credited(self):
        """Return whether posted credit notes take back the whole invoice.

        A credit note with a bill of its own (the refund of a ticket charge) isn't meant: what it
        takes back are charges, too, and those of this invoice remain what they are.
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        # sudo: who looks at the invoice needn't be allowed to read bills and charges
        move = self.sudo()
        credited = sum(
            note._get_standing_amount()
            for note in move.reversal_move_ids
            if note.state == "posted" and not note.support_bill_ids
        )
        total = move._get_standing_amount()
        return bool(credited) and self.currency_id.compare_amounts(credited, total) >= 0

    def _get_standing_amount(self):
        """Return the untaxed amount without the lines of bills that a new version has replaced."""
        self.ensure_one()
        replaced = self.invoice_line_ids.filtered(
            lambda line: line.support_charge_id and not line.support_charge_id.active
        )
        return self.amount_untaxed - sum(replaced.mapped("price_subtotal"))
