# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class AccountMove(models.Model):
    """The reminder of a support invoice some days before it is due (L41)."""

    _inherit = "account.move"

    support_reminded_at = fields.Datetime(
        string="Reminded Before Due", readonly=True, copy=False, help="Sent once per invoice."
    )

    @api.model
    def _cron_remind_support_invoices(self):
        """Remind of open support invoices that are due soon, each once and by itself."""
        due = self.browse()
        companies = self.env["res.company"].search([("support_invoice_reminder_days", ">", 0)])
        for company in companies:
            today = fields.Date.context_today(company.with_context(tz=company.partner_id.tz))
            last = today + timedelta(days=company.support_invoice_reminder_days)
            due |= self.search(
                [
                    ("company_id", "=", company.id),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                    ("payment_state", "in", ("not_paid", "partial")),
                    ("invoice_date_due", ">=", today),
                    ("invoice_date_due", "<=", last),
                    ("support_reminded_at", "=", False),
                    ("support_bill_ids", "!=", False),
                ],
                order="id",
            )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        for move in due:
            try:
                with self.env.cr.savepoint():
                    move._remind_support_invoice()
            except Exception:  # one broken invoice must not stop the others
                _logger.exception("Reminding of %s failed", move.display_name)
            if not cron._commit_progress(1):
                break

    def _remind_support_invoice(self):
        self.ensure_one()
        move = self.try_lock_for_update().filtered(lambda move: not move.support_reminded_at)
        if not move:
            return
        move.support_reminded_at = fields.Datetime.now()
        if not move.partner_id.email:
            move._message_log(
                body=self.env._("No reminder was sent: the customer has no e-mail address.")
            )
            return
        template = self.env.ref("support_contract.mail_template_invoice_due")
        template.send_mail(move.id, email_layout_xmlid="mail.mail_notification_light")
