# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class HelpdeskTicket(models.Model):
    """Who has answered whom: the clocks of responses go by what is written on a ticket (Y39).

    The ticket's own description is the first comment; the second one to the customer, so the first
    public answer by a colleague, meets the response. What the customer writes after that begins
    the clock of the next response.
    """

    _inherit = "helpdesk.ticket"

    def _message_post_after_hook(self, message, msg_vals):
        self._note_reply(message.sudo())  # whoever posts needn't be able to read clocks
        return super()._message_post_after_hook(message, msg_vals)

    def _note_reply(self, message):
        """Note an answer to the customer, or his next question."""
        self.ensure_one()
        ticket = self.sudo()  # as above
        automatic = self.env.context.get("support_automatic_mail")
        if (
            automatic
            or ticket.closed_at
            or not message._is_public_comment()
            or message._is_by_robot()
        ):
            return
        now = fields.Datetime.now()
        # A colleague whose own ticket it is asks like any other customer.
        if message._is_by_colleague() and message.author_id != ticket.partner_id:
            # A mail counts when it was sent, not when it was fetched.
            sent = message.date if message.message_type == "email" else now
            ticket._note_answer(max(min(sent or now, now), ticket.opened_at))
        elif ticket.answered_at and not ticket.asked_at:
            ticket._note_question(now)

    def _note_answer(self, moment):
        """Meet the clock of the first response, or that of the next one."""
        self.ensure_one()
        values = {} if self.answered_at else {"answered_at": moment}
        if self.asked_at:
            self.sla_timer_ids._meet_question(max(moment, self.asked_at))
            values["asked_at"] = False
        if values:
            self.write(values)
            self._sync_clocks(moment)

    def _note_question(self, moment):
        """Begin the clock of the next response, where one is promised."""
        self.ensure_one()
        self.write({"asked_at": moment})
        # Of two questions at once the second one comes to nothing: it is tried again, and then
        # finds the first.
        self.flush_recordset(["asked_at"])
        self._sync_clocks(moment)
