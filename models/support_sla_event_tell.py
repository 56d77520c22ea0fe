# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import models
from odoo.tools import format_datetime


class SupportSlaEvent(models.Model):
    """Who hears of warnings, breaches and escalations, and how (Y35, Y41, Y45)."""

    _inherit = "support.sla.event"

    def _tell(self):
        """Reassign, and tell people, as the version of the policy has it."""
        for event in self:
            timer = event.timer_id
            for row in timer.version_id._get_rows(timer.kind, event.key):
                event._reassign(row)
                event._notify(row)

    def _reassign(self, row):
        self.ensure_one()
        user = self.env["res.users"].browse(row["reassign"] or False).exists()
        ticket = self.ticket_id
        if user.active and ticket.user_id != user and not ticket.closed_at:
            ticket.write({"user_id": user.id})
            self.reassigned_id = user

    def _notify(self, row):
        self.ensure_one()
        users = self._get_told(row)
        self.told_ids |= users
        ticket, summary, note = self.ticket_id, self._get_summary(), self._get_note()
        if "chatter" in row["by"]:
            ticket._message_log(body=Markup("<b>%s</b><br/>%s") % (summary, note))
        if "activity" in row["by"]:
            for user in users:
                ticket.activity_schedule(
                    "mail.mail_activity_data_todo", summary=summary, note=note, user_id=user.id
                )
        if "mail" in row["by"] and users:
            template = self.env.ref("support_contract.mail_template_sla_event")
            template.send_mail(
                self.id,
                email_layout_xmlid="mail.mail_notification_light",
                email_values={"recipient_ids": [(4, user.partner_id.id) for user in users]},
            )

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
        return users.filtered(lambda user: user.active and not user.share)

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
            deadline=format_datetime(self.env, self.timer_id.deadline),
            sla=self.timer_id.version_id.display_name,
        )
