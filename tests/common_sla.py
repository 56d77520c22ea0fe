# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What the tests of the SLA share: policies, and tickets whose clocks are moved by hand."""

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from .common import SupportCommon

# Mondays to Fridays in January 2026: the 5th is a Monday.
WEEKDAYS = range(5)


def moment(text):
    """'01-05 09:00' of 2026, in UTC."""
    return fields.Datetime.to_datetime(f"2026-{text}:00")


class SlaCommon(SupportCommon):
    """A policy: answered within 4 h, resolved within 8 h, Monday to Friday from 9 to 17."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office = cls._make_shift("Office", [(9, 17)], WEEKDAYS)
        stages = cls.env["helpdesk.ticket.stage"].sudo()
        cls.stage_new = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        cls.stage_work = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_in_progress")
        cls.stage_wait = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_awaiting")
        cls.stage_done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.stage_rejected = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_rejected")
        cls.stage_solved = stages.create(
            {"name": "Solved", "resolves": True, "sequence": 5, "company_id": False}
        )
        cls.policy = cls._make_policy()
        cls.contract = cls._make_contract(sla_policy_id=cls.policy.id)
        cls.customer_user = cls.env["res.partner"].create(
            {"name": "Cleo", "parent_id": cls.customer.id, "email": "cleo@example.com"}
        )
        cls.colleague = cls.env.user.partner_id

    @classmethod
    def _target(cls, kind, number, unit="hours", priority=False):
        return Command.create({"kind": kind, "number": number, "unit": unit, "priority": priority})

    @classmethod
    def _step(cls, number, moment="percent", **vals):
        return Command.create({"number": number, "moment": moment} | vals)

    @classmethod
    def _make_policy(cls, targets=None, steps=None, **vals):
        targets = targets or [cls._target("response", 4), cls._target("resolution", 8)]
        return cls.env["support.sla.policy"].create(
            {
                "name": "Gold",
                "calendar_id": cls.office.id,
                "pause_stage_ids": [Command.set(cls.stage_wait.ids)],
                "target_ids": targets,
                "step_ids": [cls._step(80)] if steps is None else steps,
            }
            | vals
        )

    @classmethod
    def _open(cls, at="01-05 09:00", contract=None, **vals):
        """A ticket that is opened at a moment, with the clock set to it."""
        with freeze_time(moment(at)):
            return cls._make_ticket(contract or cls.contract, opened=moment(at), **vals)

    @classmethod
    def _at(cls, at, function, *args, **kwargs):
        """Do something with the clock set to a moment."""
        with freeze_time(moment(at)):
            result = function(*args, **kwargs)
            cls.env.flush_all()
            return result

    @classmethod
    def _move(cls, at, ticket, stage):
        cls._at(at, ticket.write, {"stage_id": stage.id})

    @classmethod
    def _say(cls, at, ticket, author=None, **kwargs):
        """A public comment on a ticket, by a colleague unless told otherwise."""
        return cls._at(
            at,
            ticket.message_post,
            **{
                "body": "Hello",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                "author_id": (author or cls.colleague).id,
            }
            | kwargs,
        )

    @classmethod
    def _clock(cls, ticket, kind="resolution"):
        return ticket.sla_timer_ids.filtered(lambda timer: timer.kind == kind)

    @classmethod
    def _tick(cls, at):
        """Run the minute job at a moment, without its commits."""
        timers = cls.env["support.sla.timer"].sudo()

        def handle():
            now = fields.Datetime.now()
            timers.search(timers._get_due_domain(now))._handle_due(now)

        cls._at(at, handle)

    def _get_status(self, at, ticket):
        """How a ticket stands at a moment, as its screen shows it."""
        with freeze_time(moment(at)):
            ticket.invalidate_recordset(["sla_status"])
            status = ticket.sla_status
            found = ticket.search([("id", "=", ticket.id), ("sla_status", "=", status)])
            self.assertEqual(found, ticket, "the search finds what the screen shows")
            return status

    def assertDue(self, ticket, kind, at):
        self.assertEqual(self._clock(ticket, kind).deadline, moment(at))
