# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A ticket through warning, pause, breach and escalation, as an agent sees it in a browser."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command, Domain
from odoo.tests import HttpCase, new_test_user, tagged

AGENT = "helpdesk_mgmt.group_helpdesk_user,support_contract.group_support_user"


@tagged("post_install", "-at_install")
class TestToursSla(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.user_admin").company_id
        cls.agent = cls._make_agent("tour_agent", "Tour Agent")
        cls.expert = cls._make_agent("tour_expert", "Tour Expert")
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Tour Desk", "company_id": cls.company.id, "user_id": cls.agent.id}
        )
        cls.customer = cls.env["res.partner"].create(
            {"name": "Tour Bakery", "is_company": True, "email": "bakery@example.com"}
        )
        cls.policy = cls.env["support.sla.policy"].create(
            {
                "name": "Tour SLA",
                "company_id": cls.company.id,
                "calendar_id": False,
                "target_ids": [
                    Command.create({"kind": "response", "number": 4, "unit": "hours"}),
                    Command.create({"kind": "resolution", "number": 8, "unit": "hours"}),
                ],
                "step_ids": [
                    Command.create({"number": 75, "to_assignee": True}),
                    Command.create({"number": 100, "to_assignee": True}),
                    Command.create(
                        {"kind": "resolution", "number": 150, "reassign_id": cls.expert.id}
                    ),
                ],
            }
        )

    @classmethod
    def _make_agent(cls, login, name):
        return new_test_user(
            cls.env,
            login,
            AGENT,
            name=name,
            email=f"{login}@example.com",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _open(self, name, **ago):
        return self.env["helpdesk.ticket"].create(
            {
                "name": name,
                "description": "It is cold.",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "team_id": self.team.id,
                "user_id": self.agent.id,
                "sla_policy_id": self.policy.id,
                "opened_at": fields.Datetime.now() - timedelta(**ago),
            }
        )

    def _pass(self, ticket, **ago):
        """Have a ticket be as old, and its clocks looked at by the minute job."""
        past = fields.Datetime.now() - timedelta(**ago)
        shift = ticket.opened_at - past
        for pause in ticket.sla_pause_ids:
            pause.write({"start": pause.start - shift, "stop": pause.stop - shift})
        ticket.opened_at = past
        timers = self.env["support.sla.timer"]
        now = fields.Datetime.now()
        timers.search(
            timers._get_due_domain(now) & Domain("ticket_id", "=", ticket.id)
        )._handle_due(now)

    def _walk(self, ticket, tour):
        self.start_tour(f"/odoo/helpdesk.ticket/{ticket.id}", tour, login="tour_agent")
        self.env.invalidate_all()

    def test_ticket_through_pause_warning_breach_and_escalation(self):
        ticket = self._open("The oven is cold", minutes=10, seconds=10)
        response, resolution = ticket.sla_timer_ids

        self._walk(ticket, "support_sla_pause")
        pause = ticket.sla_pause_ids
        self.assertEqual((pause.reason, pause.user_id), ("hand", self.agent))
        self.assertTrue(pause.stop)
        self.assertEqual(set(ticket.sla_timer_ids.mapped("state")), {"running"})

        pause.start -= timedelta(minutes=5)  # as if it had lasted longer than a tour does
        self._pass(ticket, hours=3, minutes=7)
        self._walk(ticket, "support_sla_warning")
        self.assertEqual(response.event_ids.mapped("kind"), ["warning"])
        self.assertEqual(response.event_ids.told_ids, self.agent)

        self._pass(ticket, hours=5)
        self._walk(ticket, "support_sla_breach")
        self.assertEqual(response.event_ids.sorted("id").mapped("kind"), ["warning", "breach"])
        self.assertEqual((response.state, response.status), ("met", "missed"))

        self._pass(ticket, hours=13)
        self.assertEqual(ticket.user_id, self.expert)
        self._walk(ticket, "support_sla_escalation")
        kinds = resolution.event_ids.sorted("id").mapped("kind")
        self.assertEqual(kinds, ["warning", "breach", "escalation"])
        self.assertEqual((resolution.state, resolution.status), ("met", "missed"))
        self.assertTrue(ticket.resolved_at)

    def test_tickets_at_risk_are_counted_and_paused_together(self):
        late, risky = (
            self._open("Tour Late", hours=5),
            self._open("Tour Risky", hours=3, minutes=30),
        )
        calm = self._open("Tour Calm", minutes=5)
        self.start_tour("/odoo/support-at-risk", "support_sla_list", login="tour_agent")
        self.env.invalidate_all()
        self.assertEqual((late | risky).sla_pause_ids.mapped("detail"), ["Strike", "Strike"])
        self.assertFalse(calm.sla_pause_ids)
