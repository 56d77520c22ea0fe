# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from functools import partial

from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import mute_logger

_logger = logging.getLogger(__name__)


class HelpdeskTicket(models.Model):
    """Who has answered whom: the clocks of responses go by what is written on a ticket (Y39).

    The ticket's own description is the first comment; the second one to the customer, so the first
    public answer by a colleague, meets the response. What the customer writes after that begins
    the clock of the next response.
    """

    _inherit = "helpdesk.ticket"

    def _message_post_after_hook(self, message, msg_vals):
        reply = message.sudo()  # whoever posts needn't be able to read clocks
        if self.env.context.get("support_by_gateway"):
            self._note_mail(reply)
        else:
            self._note_reply(reply)
        return super()._message_post_after_hook(message, msg_vals)

    def _note_mail(self, message):
        """Note a reply that came by mail; nobody tries it again, so it must not fail.

        Where somebody else changes the ticket at the same moment it is noted once the mail is kept.
        """
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self._note_reply(message)
        except TransactionRollbackError:
            self.env.cr.postcommit.add(partial(self._note_kept_mail, message.id))

    def _note_kept_mail(self, message_id):
        """Note a reply in a transaction of its own, as often as it takes."""
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, self.env.uid, dict(self.env.context), self.env.su)
            message = env["mail.message"].sudo().browse(message_id)  # as above
            try:
                retrying(partial(self.with_env(env)._note_reply, message), env)
            except Exception:  # the mail itself is kept
                cr.rollback()
                _logger.exception("The clocks of ticket %s missed a mail", self.id)

    def _note_reply(self, message):
        """Note an answer to the customer, or his next question."""
        self.ensure_one()
        ticket = self.sudo()  # as above
        automatic = self.env.context.get("support_automatic_mail")
        if automatic or not message._is_public_comment() or message._is_by_robot():
            return
        now = fields.Datetime.now()
        # A colleague whose own ticket it is asks like any other customer.
        answers = message._is_by_colleague() and message.author_id != ticket.partner_id
        if ticket.closed_at:
            # Its clocks have ended; who waits is remembered, should it be reopened.
            waits = not answers and (ticket.asked_at or (ticket.answered_at and now))
            if waits != ticket.asked_at:
                ticket.write({"asked_at": waits})
        elif answers:
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
