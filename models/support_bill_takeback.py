# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError


class SupportBill(models.Model):
    """Takes back the invoice of a bill that a new version replaces, and edits no posted one."""

    _inherit = "support.bill"

    def _get_replacement_day(self, move):
        """Return the date of the credit note and of the new invoice.

        Today, never before the invoice, and after what is closed in the books.
        """
        self.ensure_one()
        day = fields.Date.context_today(self)
        if not move:
            return day
        day = max(day, move.invoice_date or day)
        locks = move._get_violated_lock_dates(day, bool(move.line_ids.tax_ids))
        return locks[-1][0] + timedelta(days=1) if locks else day

    def _check_invoice_replaceable(self):
        """Refuse what can't be taken back as a whole, before anything is done."""
        self.ensure_one()
        move = self.sudo().move_id  # whoever may replace the bill has its invoice taken back
        if move.state != "posted":
            return
        notes = move.reversal_move_ids.filtered(
            lambda note: (
                note.state != "cancel"
                and not note.support_bill_ids
                and note.invoice_line_ids.support_charge_id & self.sudo().charge_ids
            )
        )
        if notes:
            raise UserError(
                self.env._(
                    "%(note)s takes back a part of %(invoice)s already. Cancel that credit note, "
                    "or credit the whole invoice and invoice the bill again.",
                    note=notes[0].display_name,
                    invoice=move.display_name,
                )
            )
        if not move.journal_id.active:
            raise UserError(
                self.env._(
                    "The journal %(journal)s of %(invoice)s is archived: no credit note can be "
                    "made in it. Unarchive it first.",
                    journal=move.journal_id.display_name,
                    invoice=move.display_name,
                )
            )

    def _take_back_invoice(self, day):
        """Credit the posted invoice of this bill, or give up the draft one.

        Of an invoice of several bills only the lines of this one.

        :param date day: of the credit note
        """
        self.ensure_one()
        move = self.move_id
        if move.state == "draft":
            self._leave_draft_invoice(move)
        elif move.state == "posted":
            self._credit_invoice(move, day)

    def _leave_draft_invoice(self, move):
        mine, others = self._split_lines(move)
        self.move_id = False
        if others.filtered(lambda line: line.display_type == "product"):
            mine.unlink()
        elif move.posted_before:
            move.button_cancel()
        else:
            move.unlink()

    def _credit_invoice(self, move, day):
        others = self._split_lines(move)[1]
        whole = not others.filtered(lambda line: line.display_type == "product")
        post = self.company_id.support_post_invoices
        lang = move.partner_id.lang or self.env.lang
        values = {
            "ref": self.with_context(lang=lang).env._("Reversal of: %s", move.name),
            "date": day,
            "invoice_date": day,
            "invoice_date_due": day,
            "journal_id": move.journal_id.id,
            "invoice_payment_term_id": False,
            "invoice_user_id": move.invoice_user_id.id,
            "invoice_origin": self.name,
        }
        note = move._reverse_moves([values], cancel=whole and post)
        if not whole:
            self._split_lines(note)[1].unlink()
            if post:
                note._post(soft=False)
                self._reconcile(move | note)
        message = self.env._(
            "%(note)s takes back %(bill)s, which was replaced by a new version. A payment of it "
            "is free again: match it with the new invoice.",
            note=note._get_html_link(title=note.display_name),
            bill=self.name,
        )
        move._message_log(body=message)

    def _reconcile(self, moves):
        lines = moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        if len(lines.move_id) > 1:
            lines.reconcile()

    def _split_lines(self, move):
        """Return the lines of an invoice that are this bill's, with headings, and the others."""
        self.ensure_one()
        mine = others = move.invoice_line_ids.browse()
        headings = mine
        for line in move.invoice_line_ids.sorted(lambda line: (line.sequence, line.id)):
            if line.display_type == "line_section":
                headings = line
            elif line.support_charge_id in self.charge_ids:
                mine |= headings | line
                headings = mine.browse()
            else:
                others |= headings | line
                headings = mine.browse()
        return mine, others | headings
