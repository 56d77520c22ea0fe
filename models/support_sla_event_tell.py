# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import models
from odoo.tools import format_datetime

from .support_sla_timer import OPEN


class SupportSlaEvent(models.Model):
    """Who hears of warnings, breaches and escalations, and how (Y35, Y41, Y45)."""

    _inherit = "support.sla.event"

    def _tell(self):
        """Reassign, and tell people, as the version of the policy has it.

        Of archived tickets nobody hears any more, and of what is over only that it was late.
        """
        for event in self:
            timer = event.timer_id
            over = timer.state not in OPEN
            if not event.ticket_id.active or (over and event.kind == "warning"):
                continue
            for row in timer.version_id._get_rows(timer.kind, event.key):
                if not over:
                    event._reassign(row)
                event._notify(row, with_activity=not over)

    def _reassign(self, row):
        self.ensure_one()
        user = self.env["res.users"].browse(row["reassign"] or False).exists()
        ticket = self.ticket_id
        if user and self._works_here(user) and ticket.user_id != user:
            ticket.write({"user_id": user.id})
            self.reassigned_id = user

    def _notify(self, row, with_activity):
        self.ensure_one()
        users = self._get_told(row)
        self.told_ids |= users
        ticket = self.ticket_id
        if "chatter" in row["by"]:
            event = self._speaking_to(ticket.company_id.partner_id)
            ticket._message_log(
                body=Markup("<b>%s</b><br/>%s") % (event._get_summary(), event._get_note())
            )
        if "activity" in row["by"] and with_activity:
            for user in users:
                event = self._speaking_to(user)
                self.activity_ids |= ticket.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=event._get_summary(),
                    note=event._get_note(),
                    user_id=user.id,
                )
        if "mail" in row["by"]:
            for readers in users.grouped(lambda user: (user.lang, user.tz)).values():
                event = self._speaking_to(readers[0])
                template = event.env.ref("support_contract.mail_template_sla_event")
                template.send_mail(
                    event.id,
                    email_layout_xmlid="mail.mail_notification_light",
                    email_values={"recipient_ids": [(4, user.partner_id.id) for user in readers]},
                )

    def _speaking_to(self, reader):
        """Return the event in the language and the time zone of a user or partner."""
        lang = reader.lang or self.env.lang
        return self.with_context(lang=lang, tz=reader.tz or "UTC")

    def _get_told(self, row):
        """Return the colleagues who are told."""
        self.ensure_one()
        ticket = self.ticket_id
        users = self.env["res.users"].browse(row["users"]).exists() | self.reassigned_id
        if "assignee" in row["to"]:
            users |= ticket.user_id
        if "team" in row["to"]:
            users |= ticket.team_id.user_id or ticket.team_id.user_ids
        if "responsible" in row["to"]:
            users |= ticket.contract_id.user_id
        return users.filtered(self._works_here)

    def _works_here(self, user):
        """Return whether a user can have to do with the ticket."""
        return user.active and not user.share and self.company_id in user.company_ids

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
