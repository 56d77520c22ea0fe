# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.exceptions import UserError


class HelpdeskTicket(models.Model):
    """Clocks that are paused by hand, of one ticket or of many (Y34)."""

    _inherit = "helpdesk.ticket"

    def action_pause_sla(self):
        """Ask why, and pause the clocks of these tickets, as far as they have any."""
        tickets = self._get_pausable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pause SLA Clocks"),
            "res_model": "support.sla.pause.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_ticket_ids": tickets.ids},
        }

    def action_resume_sla(self):
        """Let clocks go on that were paused by hand; other reasons to pause stay."""
        self.check_access("write")
        now = fields.Datetime.now()
        pauses = self.sudo().sla_pause_ids.filtered(  # who may work on a ticket may resume it
            lambda pause: pause.reason == "hand" and not pause.stop
        )
        if not pauses:
            raise UserError(
                self.env._("No clock of these tickets is paused by hand: there is nothing to do.")
            )
        pauses._end(now)
        pauses.ticket_id.sla_timer_ids.filtered(
            lambda timer: timer.state in ("running", "paused")
        )._read(now)
        pauses.ticket_id._message_log_batch(
            bodies=dict.fromkeys(pauses.ticket_id.ids, self.env._("SLA clocks resumed."))
        )

    def _pause_sla(self, reason):
        """Pause the clocks of these tickets; those that are paused by hand already stay so."""
        now = fields.Datetime.now()
        tickets = (
            self._get_pausable()
            .sudo()
            .filtered(  # who may work on a ticket may pause it
                lambda ticket: not ticket.sla_paused_by_hand
            )
        )
        self.env["support.sla.pause"].sudo().create(
            [
                {
                    "ticket_id": ticket.id,
                    "company_id": ticket.company_id.id,
                    "reason": "hand",
                    "detail": reason,
                    "start": now,
                    "stop": False,  # whatever the defaults of a screen say
                    "user_id": self.env.uid,
                }
                for ticket in tickets
            ]
        )
        tickets.sla_timer_ids.filtered(lambda timer: timer.state in ("running", "paused"))._read(
            now
        )
        note = self.env._("SLA clocks paused: %s", reason)
        tickets._message_log_batch(bodies=dict.fromkeys(tickets.ids, note))

    def _get_pausable(self):
        """Return those of the tickets that have clocks which could run.

        :raise UserError: if none has, with one of them, and why
        """
        self.check_access("write")
        pausable = self.filtered(lambda ticket: ticket.sla_version_id and not ticket.closed_at)
        if not pausable:
            raise UserError(
                self.env._(
                    "%s has no clock to pause: it has no SLA, or it is closed.",
                    self[:1].display_name,
                )
            )
        return pausable
