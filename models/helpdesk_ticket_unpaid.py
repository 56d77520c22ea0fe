# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class HelpdeskTicket(models.Model):
    """Tickets that wait for a payment: a reminder after a while, the end after another (L39, L40).

    Both times are counted in hours from the moment at which the ticket began to wait.
    """

    _inherit = "helpdesk.ticket"

    @api.model
    def _cron_unpaid(self):
        """Remind of, and cancel, what has waited for a payment for too long.

        Each ticket is a transaction; run twice, or killed half-way, nothing happens twice.
        """
        companies = self.env["res.company"].search([("support_payment_required", "=", True)])
        waiting = self.search(
            [
                ("lock_reason", "=", "unpaid"),
                ("stage_id.closed", "!=", True),
                ("company_id", "in", companies.ids),
            ],
            order="locked_at, id",
        ).filtered(lambda ticket: ticket._get_unpaid_step())
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(waiting))
        for ticket in waiting:
            try:
                with self.env.cr.savepoint():
                    ticket._follow_up_unpaid()
            except Exception:  # one broken ticket must not stop the others
                _logger.exception("Following up %s failed", ticket.display_name)
            if not cron._commit_progress(1):
                break

    def _follow_up_unpaid(self):
        self.ensure_one()
        locked = self.try_lock_for_update()
        step = locked and locked._get_unpaid_step()
        if step == "remind":
            locked._remind()
        elif step == "cancel":
            locked._cancel_unpaid()

    def _get_unpaid_step(self):
        """Return what is due on a ticket that waits for a payment: remind, cancel or False.

        Where there is to be a reminder it comes first, however late; the time between the two is
        the customer's.
        """
        self.ensure_one()
        if self.lock_reason != "unpaid" or not self._is_judged():
            return False
        now, company = fields.Datetime.now(), self.company_id
        remind = timedelta(hours=company.support_unpaid_reminder_hours)
        cancel = timedelta(hours=company.support_unpaid_cancel_hours)
        reminds_first = remind and not (cancel and cancel < remind)
        if reminds_first and not self.lock_reminded_at:
            return "remind" if self.locked_at + remind <= now else False
        if not cancel or self.lock_escalated_at:
            return False
        due = self.locked_at + cancel
        if reminds_first:
            due = max(due, self.lock_reminded_at + min(cancel - remind, cancel))
        return "cancel" if due <= now else False

    def _cancel_unpaid(self):
        """Close the ticket in a stage that returns its incident; without one, ask somebody to."""
        self.ensure_one()
        hours = self.company_id.support_unpaid_cancel_hours
        stage = self._get_cancel_stage()
        if stage:
            self._message_log(
                body=self.env._("Cancelled: it has waited %s hours for a payment.", hours)
            )
            self.write({"stage_id": stage.id})
            return
        self.lock_escalated_at = fields.Datetime.now()
        responsible = self.user_id or self.team_id.user_id or self.contract_id.user_id
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=responsible.id or self.env.uid,
            summary=self.env._("Cancel this unpaid ticket"),
            note=self.env._(
                "It has waited %s hours for a payment and was to be cancelled, but its team has no "
                "closed stage that returns the incident.",
                hours,
            ),
        )

    def _get_cancel_stage(self):
        self.ensure_one()
        stages = self.team_id.with_company(self.company_id)._get_applicable_stages()
        return stages.filtered(lambda stage: stage.closed and stage.returns_incident)[:1]
