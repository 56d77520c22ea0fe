# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Each step of a ticket's incidents says when, who, which grant and why (B34, B37, B38)."""

from odoo.tests import tagged

from .test_returns import ReturnsCommon


@tagged("post_install", "-at_install")
class TestReturnsHistory(ReturnsCommon):
    def test_every_change_is_named(self):
        grant = self._make_grant(incidents=9)
        other = self._make_customer("Orbit Inc")
        theirs = self._make_grant(incidents=9, partner_id=other.id)
        ticket, original = self._open(), self._open()
        ticket.incident_quantity = 3
        ticket.incident_quantity = 2
        ticket.stage_id = self.cancelled
        ticket.stage_id = self.new
        ticket.duplicate_id = original
        ticket.duplicate_id = False
        ticket.team_id = self.team
        ticket.team_id = self.paid
        ticket.partner_id = other
        steps = self._entries(ticket)
        customer = "Customer changed from Lumen Ltd to Orbit Inc"
        self.assertCountEqual(steps[-2:], [(grant, 1, customer), (theirs, -1, customer)])
        self.assertEqual(
            steps[:-2],
            [
                (grant, -1, "Opened"),
                (grant, -2, "Number changed from 1 to 3"),
                (grant, 1, "Number changed from 3 to 2"),
                (grant, 2, "Moved to Cancelled"),
                (grant, -2, "Moved to New!"),
                (grant, 2, f"Duplicate of {original.number}"),
                (grant, -2, f"No longer a duplicate of {original.number}"),
                (grant, 2, "Team changed from Paid Support to Service Desk"),
                (grant, -1, "Team changed from Service Desk to Paid Support"),
            ],
        )

    def test_who(self):
        self._make_grant(incidents=9)
        agent = self._make_agent()
        ticket = self._open()
        ticket.with_user(agent).incident_quantity = 2
        self.assertEqual(
            ticket.incident_entry_ids.sorted("id").create_uid.mapped("login"),
            [self.env.user.login, "agent"],
        )
        shown = ticket.with_user(agent).incident_entry_ids
        self.assertEqual(len(shown), 2)
        self.assertTrue(all(entry.entitlement_id.name == "Block" for entry in shown))

    def test_what_follows_for_other_tickets(self):
        """A limited unit comes free: the later ticket takes it, and its history says why."""
        limited = self._make_grant(incidents=1, end="2099-12-31")
        lifetime = self._make_grant(incidents=1)
        first, second = self._open(), self._open(opened="2026-01-11 09:00:00")
        self.assertEqual(self._get_drawn(second), {lifetime: 1})
        first.stage_id = self.cancelled
        self.assertEqual(self._get_drawn(second), {limited: 1})
        reason = f"Follows from a change of {first.number}"
        self.assertEqual(
            self._entries(second),
            [(lifetime, -1, "Opened"), (limited, -1, reason), (lifetime, 1, reason)],
        )

    def test_history_holds_incidents_only(self):
        contract = self._make_contract()
        self._make_grant(hours=5)
        self._make_grant(incidents=1)
        ticket = self._make_ticket(contract, team_id=self.paid.id)
        self._log_work(ticket, "2026-01-06 09:00", 1)
        self.assertEqual(ticket.incident_entry_ids.mapped("unit"), ["incident"])
        self.assertEqual(len(ticket.entitlement_entry_ids), 2)

    def test_page_is_shown(self):
        self._make_grant(incidents=1)
        ticket = self._open()
        arch = self.env["helpdesk.ticket"].get_view(view_type="form")["arch"]
        self.assertIn('name="incident_entry_ids"', arch)
        self.assertIn('name="incident_notice"', arch)
        self.assertEqual(ticket.incident_entry_ids.mapped("entitlement_date_to"), [False])
