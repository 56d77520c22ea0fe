# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from collections import defaultdict

from markupsafe import Markup

from odoo import fields, models
from odoo.fields import Command
from odoo.tools import format_datetime

from .support_sla_timer import OPEN

_logger = logging.getLogger(__name__)

TEMPLATE = "support_contract.mail_template_sla_event"


class SupportSlaEvent(models.Model):
    """Who hears of warnings, breaches and escalations, and how (Y35, Y41, Y45).

    A batch of events is told at once: decided event by event in their order, written together.
    """

    _inherit = "support.sla.event"

    def _tell(self):
        """Reassign, and tell people, as the version of the policy has it.

        Of archived tickets nobody hears any more, and of what is over only that it was late.
        """
        events = self.filtered(
            lambda event: (
                event.ticket_id.active and not (event._is_over() and event.kind == "warning")
            )
        )
        rows = [
            (event, row)
            for event in events
            for row in event.timer_id.version_id._get_rows(event.timer_id.kind, event.key)
        ]
        mentioned = {user for _event, row in rows for user in (*row["users"], row["reassign"])}
        known = self.env["res.users"].browse(mentioned - {False}).exists()
        assigned = self._reassign(rows, known)
        told = [(event, row, event._get_told(row, known, assigned[event])) for event, row in rows]
        self._note_told(told)
        self._write_notes([event for event, row, _users in told if "chatter" in row["by"]])
        self._schedule_activities(
            [
                (event, user)
                for event, row, users in told
                if "activity" in row["by"] and not event._is_over()
                for user in users
            ]
        )
        self._send_mails((event, users) for event, row, users in told if "mail" in row["by"])

    def _is_over(self):
        """Return whether nothing can be done about it any more."""
        return self.timer_id.state not in OPEN

    def _reassign(self, rows, known):
        """Give tickets to those who are to have them.

        :param known: the users of the rows that are still there
        :return: who has the ticket of each event after it
        """
        assigned, reassigned, user_of = {}, {}, {}
        for event, row in rows:
            ticket = event.ticket_id
            user = known & known.browse(row["reassign"] or False)
            before = user_of.get(ticket, ticket.user_id)
            if user and user != before and event._works_here(user) and not event._is_over():
                user_of[ticket] = reassigned[event] = user
            assigned[event] = user_of.get(ticket, ticket.user_id)
        for changes, field in ((user_of, "user_id"), (reassigned, "reassigned_id")):
            by_user = defaultdict(list)
            for record, user in changes.items():
                by_user[user].append(record)
            for user, records in by_user.items():
                records[0].browse().union(*records).write({field: user.id})
        return assigned

    def _get_told(self, row, known, assigned):
        """Return the colleagues who are told.

        :param known: as above
        :param assigned: who has the ticket
        """
        self.ensure_one()
        ticket = self.ticket_id
        users = (known & known.browse(row["users"])) | self.reassigned_id
        if "assignee" in row["to"]:
            users |= assigned
        if "team" in row["to"]:
            users |= ticket.team_id.user_id or ticket.team_id.user_ids
        if "responsible" in row["to"]:
            users |= ticket.contract_id.user_id
        return users.filtered(self._works_here)

    def _works_here(self, user):
        """Return whether a user can have to do with the ticket."""
        return user.active and not user.share and self.company_id in user.company_ids

    def _note_told(self, told):
        by_users = defaultdict(list)
        for event, _row, users in told:
            if users:
                by_users[users].append(event)
        for users, events in by_users.items():
            links = [Command.link(user.id) for user in users]
            self.browse().union(*events).write({"told_ids": links})

    def _write_notes(self, events):
        """Write a note for each event; in turns where a ticket has several."""
        turns = []
        for event in events:
            ticket = event.ticket_id
            turn = next((turn for turn in turns if ticket.id not in turn), None)
            if turn is None:
                turn = {}
                turns.append(turn)
            event = event._speaking_to(ticket.company_id.partner_id)
            turn[ticket.id] = Markup("<b>%s</b><br/>%s") % (event._get_summary(), event._get_note())
        for turn in turns:
            self.ticket_id.browse(turn)._message_log_batch(turn)

    def _schedule_activities(self, told):
        """Give colleagues an activity on the ticket, which goes when the clock has ended.

        :param told: pairs of an event and a user
        """
        model = self.env["ir.model"]._get_id("helpdesk.ticket")
        todo = self.env.ref("mail.mail_activity_data_todo")
        spoken = [(event._speaking_to(user), user) for event, user in told]
        activities = self.env["mail.activity"].create(
            [
                {
                    "res_model_id": model,
                    "res_id": event.ticket_id.id,
                    "activity_type_id": todo.id,
                    "automated": True,
                    "date_deadline": fields.Date.context_today(event),
                    "summary": event._get_summary(),
                    "note": event._get_note(),
                    "user_id": user.id,
                }
                for event, user in spoken
            ]
        )
        for (event, _user), activity in zip(told, activities, strict=True):
            event.activity_ids |= activity

    def _send_mails(self, told):
        template = self.env.ref(TEMPLATE, raise_if_not_found=False)
        if not template:  # somebody has deleted it: everything else goes on
            _logger.warning("Nobody is mailed about SLAs: the template %s is missing", TEMPLATE)
            return
        by_readers = defaultdict(list)
        for event, users in told:
            for readers in users.grouped(lambda user: (user.lang, user.tz)).values():
                by_readers[readers].append(event.id)
        for readers, event_ids in by_readers.items():
            speaking = self._speaking_to(readers[0]).env
            template.with_env(speaking).send_mail_batch(
                event_ids,
                email_layout_xmlid="mail.mail_notification_light",
                email_values={"recipient_ids": [(4, user.partner_id.id) for user in readers]},
            )

    def _speaking_to(self, reader):
        """Return the event in the language and the time zone of a user or partner."""
        lang = reader.lang or self.env.lang
        return self.with_context(lang=lang, tz=reader.tz or "UTC")

    def _get_summary(self):
        """Return in a line what has happened."""
        self.ensure_one()
        promise = dict(self.timer_id._fields["kind"]._description_selection(self.env))
        values = {"promise": promise[self.timer_id.kind], "ticket": self.ticket_id.number}
        if self.kind == "warning":
            return self.env._("%(promise)s of %(ticket)s is at risk", **values)
        if self.kind == "breach":
            return self.env._("%(promise)s of %(ticket)s is overdue", **values)
        return self.env._("%(promise)s of %(ticket)s is still overdue", **values)

    def _get_note(self):
        """Return until when it was promised, and under which SLA."""
        self.ensure_one()
        return self.env._(
            "Promised until %(deadline)s under %(sla)s.",
            deadline=format_datetime(self.env, self.timer_id.deadline, tz=self.env.tz.zone),
            sla=self.timer_id.version_id.display_name,
        )
