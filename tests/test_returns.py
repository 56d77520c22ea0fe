# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Incidents that tickets take, give back and take again: once, whatever happens to the ticket."""

import random
from contextlib import contextmanager
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SupportCommon

JANUARY = "2026-01-10 09:00:00"


@tagged("post_install", "-at_install")
class ReturnsCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paid = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Paid Support",
                "company_id": cls.company.id,
                "requires_incident": True,
            }
        )
        stage = cls.env["helpdesk.ticket.stage"]
        cls.new = stage.create({"name": "New!", "sequence": 0, "company_id": cls.company.id})
        cls.closed = stage.create({"name": "Closed", "closed": True, "company_id": cls.company.id})
        cls.cancelled = stage.create(
            {
                "name": "Cancelled",
                "closed": True,
                "returns_incident": True,
                "company_id": cls.company.id,
            }
        )

    @classmethod
    def _open(cls, opened=JANUARY, **vals):
        return cls._make_ticket(opened=opened, team_id=cls.paid.id, **vals)

    @classmethod
    def _make_agent(cls):
        return new_test_user(
            cls.env(su=True),
            "agent",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=cls.company.id,
            company_ids=[fields.Command.set(cls.company.ids)],
        )

    @contextmanager
    def _refused(self, regex, error=UserError):
        """What is refused leaves nothing behind, as in a request."""
        with self.assertRaises(error) as caught:
            yield
        self.assertRegex(str(caught.exception), regex)

    def _entries(self, ticket):
        """The history of a ticket's incidents: [(grant, units, reason)], oldest first."""
        entries = self.env["support.entitlement.entry"].search(
            [("ticket_ref", "=", ticket.id), ("unit", "=", "incident")], order="id"
        )
        return [(entry.entitlement_id, entry.quantity, entry.reason) for entry in entries]


@tagged("post_install", "-at_install")
class TestReturns(ReturnsCommon):
    def test_t49(self):
        """Open -1, cancel +1, reopen -1, duplicate +1: right at the end, never above granted."""
        grant = self._make_grant(incidents=3)
        ticket = self._open()
        self.assertEqual(grant.remaining, 2)
        ticket.stage_id = self.cancelled
        self.assertEqual((grant.remaining, ticket.incident_demand), (3, 0))
        ticket.stage_id = self.cancelled  # once
        self.assertEqual(grant.remaining, 3)
        ticket.stage_id = self.new
        self.assertEqual((grant.remaining, ticket.incident_demand), (2, 1))
        original = self._open()
        ticket.duplicate_id = original
        self.assertEqual((grant.remaining, grant.used), (2, 1))
        ticket.stage_id = self.cancelled  # as helpdesk's wizard does, after it is a duplicate
        self.assertEqual(grant.remaining, 2)
        ticket.duplicate_id = False  # still cancelled
        self.assertEqual(grant.remaining, 2)
        ticket.stage_id = self.new
        self.assertEqual(grant.remaining, 1)
        self.assertEqual(sum(grant.entry_ids.mapped("quantity")), grant.remaining)

    def test_duplicate_wizard(self):
        grant = self._make_grant(incidents=3)
        original, ticket = self._open(), self._open()
        wizard = self.env["helpdesk.ticket.duplicate.wizard"].create(
            {
                "ticket_id": ticket.id,
                "duplicate_of_id": original.id,
                "target_stage_id": self.cancelled.id,
            }
        )
        wizard.action_confirm()
        self.assertEqual((grant.remaining, ticket.incident_demand), (2, 0))

    def test_closing_reopening_and_replies_draw_nothing(self):
        grant = self._make_grant(incidents=2)
        ticket = self._open()
        for stage in (self.closed, self.new, self.closed, self.new):
            ticket.stage_id = stage
            ticket.message_post(body="Any news?", message_type="comment")
            self.assertEqual(grant.remaining, 1)
        self.assertEqual(len(self._entries(ticket)), 1)

    def test_archiving_keeps_what_was_used(self):
        grant = self._make_grant(incidents=2)
        ticket = self._open()
        ticket.active = False
        self.assertEqual(grant.remaining, 1)
        self._open()  # decides anew what comes after
        self.assertEqual((grant.remaining, self._get_drawn(ticket)), (0, {grant: 1}))
        ticket.active = True
        self.assertEqual(grant.remaining, 0)

    def test_leaving_a_returning_stage_needs_an_incident(self):
        grant = self._make_grant(incidents=1)
        ticket = self._open()
        ticket.stage_id = self.cancelled
        self._open()
        with self._refused("Lumen Ltd has none left.*Grant or sell"):
            ticket.stage_id = self.new
        self.assertEqual((ticket.stage_id, ticket.incident_demand), (self.cancelled, 0))
        self.assertEqual(grant.remaining, 0)

    def test_leaving_a_returning_stage_takes_what_was_bought_meanwhile(self):
        self._make_grant(incidents=1)
        ticket = self._open()
        ticket.stage_id = self.cancelled
        self._open()
        later = self._make_grant(
            incidents=2, start=fields.Date.today(), made_at=fields.Datetime.now()
        )
        ticket.stage_id = self.new
        self.assertEqual((later.remaining, ticket._get_moment()), (1, ticket.retaken_at))

    def test_contract_that_charges_incidents_is_charged(self):
        plan = self._make_plan(
            allowances=[self._allowance(incidents=1)],
            overage_policy="charge",
            incident_product_id=self.incident_product.id,
        )
        with freeze_time(JANUARY) as clock:
            contract = self._make_contract(plan, start="2026-01-01")
            first, second = (self._make_ticket(contract, opened=JANUARY) for _n in range(2))
            self.assertEqual(second.charge_ids.mapped("kind"), ["incident"])
            second.stage_id = self.cancelled
            self.assertFalse(second.charge_ids)
            first.stage_id = self.cancelled
            second.stage_id = self.new
            self.assertEqual(second.charge_ids.mapped("kind"), ["covered"])
            clock.tick(60)
            first.stage_id = self.new
            self.assertEqual(first.charge_ids.mapped("kind"), ["incident"])
            self.assertProved(contract)

    def test_billed_incident_stays(self):
        plan = self._make_plan(
            allowances=[self._allowance(incidents=1)],
            overage_policy="charge",
            incident_product_id=self.incident_product.id,
        )
        contract = self._make_contract(plan, start="2026-01-01")
        ticket = self._make_ticket(contract, opened=JANUARY)
        self._bill(contract, "2026-02-01").action_approve()
        with self._refused("is on an approved bill and can't be returned"):
            ticket.stage_id = self.cancelled
        ticket.stage_id = self.closed
        self.assertProved(contract)

    # === GRANTS === #

    def test_time_limited_first_then_lifetime(self):
        """Ex. C45."""
        lifetime = self._make_grant(incidents=1, start="2025-01-01")
        limited = self._make_grant(incidents=1, start="2026-01-01", end="2026-12-31")
        first, second = self._open(), self._open()
        self.assertEqual(self._get_drawn(first), {limited: 1})
        self.assertEqual(self._get_drawn(second), {lifetime: 1})

    def test_time_limited_units_come_back_into_their_own_window(self):
        january = self._make_grant(incidents=2, start="2026-01-01", end="2026-01-31")
        february = self._make_grant(incidents=2, start="2026-02-01", end="2026-02-28")
        with freeze_time("2026-01-20"):
            ticket = self._open()
            ticket.stage_id = self.cancelled
        self.assertEqual((january.remaining, february.remaining), (2, 2))

    def test_returned_after_the_window_has_ended(self):
        """B64: restored to its own window, where it lapses; no other ticket can use it."""
        january = self._make_grant(incidents=2, start="2026-01-01", end="2026-01-31")
        with freeze_time("2026-01-20"):
            ticket = self._open()
        with freeze_time("2026-02-02"), self.enter_registry_test_mode():
            self.env.ref("support_contract.cron_settle").sudo().method_direct_trigger()
            self.assertEqual((january.used, january.lapsed, january.remaining), (1, 1, 0))
        with freeze_time("2026-02-03 10:00:00"):
            ticket.stage_id = self.cancelled
            self.assertEqual((january.used, january.lapsed, january.remaining), (0, 2, 0))
            with self._refused("none left"):
                self._open(opened="2026-02-03 09:00:00")
        with freeze_time("2026-02-04 10:00:00"), self._refused("none left"):
            ticket.stage_id = self.new

    # === THE NUMBER === #

    def test_number_up_and_down(self):
        grant = self._make_grant(incidents=4)
        ticket = self._open()
        ticket.incident_quantity = 3
        self.assertEqual(grant.remaining, 1)
        ticket.incident_quantity = 2
        self.assertEqual(grant.remaining, 2)
        with self._refused("takes 5 support incidents, and Lumen Ltd has 4 for it"):
            ticket.incident_quantity = 5
        self.assertEqual((grant.remaining, ticket.incident_quantity), (2, 2))

    def test_number_up_after_buying(self):
        first = self._make_grant(incidents=1)
        ticket = self._open()
        bought = self._make_grant(
            incidents=5, start=fields.Date.today(), made_at=fields.Datetime.now()
        )
        ticket.incident_quantity = 3
        self.assertEqual(self._get_drawn(ticket), {first: 1, bought: 2})

    def test_number_up_loses_nothing_from_an_ended_window(self):
        with freeze_time(JANUARY):
            january = self._make_grant(incidents=1, end="2026-01-31")
            ticket = self._open()
        self._make_grant(incidents=5, start=fields.Date.today())
        with self._refused("takes 2 support incidents, and Lumen Ltd has 1 for it"):
            ticket.incident_quantity = 2
        self.assertEqual(self._get_drawn(ticket), {january: 1})

    def test_number_while_cancelled(self):
        grant = self._make_grant(incidents=4)
        ticket = self._open()
        ticket.stage_id = self.cancelled
        ticket.incident_quantity = 3
        self.assertEqual(grant.remaining, 4)
        ticket.stage_id = self.new
        self.assertEqual(grant.remaining, 1)

    def test_numbers_that_make_no_sense(self):
        self._make_grant(incidents=4)
        ticket = self._open()
        with self._refused("1.5 isn't a whole number"):
            ticket.write({"incident_quantity": 1.5})
        with self._refused("can't take -1 incidents"):
            ticket.incident_quantity = -1
        with self._refused("can't take -2 incidents"):
            self._open(incident_quantity=-2)

    def test_what_the_system_notes_is_not_written(self):
        self._make_grant(incidents=4)
        ticket = self._open()
        user = self._make_agent()
        for name, value in (("incident_demand", 0), ("retaken_at", "2020-01-01 00:00:00")):
            with self.assertRaises(AccessError):
                ticket.with_user(user).write({name: value})

    # === TEAM AND CUSTOMER === #

    def test_team(self):
        grant = self._make_grant(incidents=2)
        ticket = self._make_ticket(opened=JANUARY)
        self.assertEqual(grant.remaining, 2)
        ticket.team_id = self.paid
        self.assertEqual((grant.remaining, ticket.incident_quantity), (1, 1))
        ticket.team_id = self.team
        self.assertEqual((grant.remaining, ticket.incident_quantity), (2, 0))

    def test_customer(self):
        other = self._make_customer("Orbit Inc")
        mine, theirs = (
            self._make_grant(incidents=1),
            self._make_grant(incidents=1, partner_id=other.id),
        )
        ticket = self._open()
        self.assertEqual((mine.remaining, theirs.remaining), (0, 1))
        ticket.partner_id = other
        self.assertEqual((mine.remaining, theirs.remaining), (1, 0))
        nobody = self._make_customer("Empty Ltd")
        with self._refused("Empty Ltd has none left"):
            ticket.partner_id = nobody
        self.assertEqual((mine.remaining, theirs.remaining), (1, 0))

    def test_customer_who_bought_later(self):
        other = self._make_customer("Orbit Inc")
        mine = self._make_grant(incidents=1)
        ticket = self._open()
        theirs = self._make_grant(
            incidents=1,
            partner_id=other.id,
            start=fields.Date.today(),
            made_at=fields.Datetime.now(),
        )
        ticket.partner_id = other
        self.assertEqual((mine.remaining, theirs.remaining), (1, 0))

    def test_colleague_of_the_same_customer(self):
        grant = self._make_grant(incidents=1)
        ticket = self._open()
        contact = self.env["res.partner"].create({"name": "Bea", "parent_id": self.customer.id})
        ticket.partner_id = contact
        self.assertEqual((grant.remaining, len(self._entries(ticket))), (0, 1))

    def test_number_by_hand_in_a_free_team_follows_the_ticket(self):
        """B9: or staff charge by hand."""
        other = self._make_customer("Orbit Inc")
        mine = self._make_grant(incidents=3)
        theirs = self._make_grant(incidents=3, partner_id=other.id)
        ticket = self._make_ticket(opened=JANUARY)
        ticket.incident_quantity = 2
        self.assertEqual((mine.remaining, theirs.remaining), (1, 3))
        ticket.partner_id = other
        self.assertEqual((mine.remaining, theirs.remaining), (3, 1))
        ticket.team_id = self.paid
        ticket.team_id = self.team
        self.assertEqual((theirs.remaining, ticket.incident_quantity), (1, 2))
        ticket.incident_quantity = 0
        ticket.partner_id = self.customer
        self.assertEqual((mine.remaining, theirs.remaining), (3, 3))

    # === ANYTHING === #

    def test_any_order_of_changes(self):
        """Whatever happens: each ticket holds what it takes, grants lose nothing, and from scratch
        the same comes out."""
        other = self._make_customer("Orbit Inc")
        for seed in range(4):
            with self.subTest(seed=seed):
                self._change_at_random(random.Random(seed), other)

    def _change_at_random(self, chance, other):
        customers = (self.customer, other)
        grants = self.env["support.entitlement"].concat(
            *(
                self._make_grant(incidents=3, partner_id=partner.id, end=end)
                for partner in customers
                for end in (False, "2099-12-31")
            )
        )
        tickets = self.env["helpdesk.ticket"].concat(*(self._open() for _n in range(3)))
        changes = {
            "stage_id": (self.new.id, self.closed.id, self.cancelled.id),
            "duplicate_id": (False, tickets[0].id),
            "team_id": (self.paid.id, self.team.id),
            "partner_id": tuple(partner.id for partner in customers),
            "incident_quantity": (0, 1, 2, 4),
            "active": (True, False),
        }
        refused = 0
        for _step in range(40):
            ticket = chance.choice(tickets[1:])
            name = chance.choice(sorted(changes))
            try:
                with self.cr.savepoint():
                    ticket.write({name: chance.choice(changes[name])})
            except UserError:
                refused += 1
            for one in tickets:
                self.assertEqual(sum(self._get_drawn(one).values()), one.incident_demand)
            for grant in grants:
                self.assertEqual(grant.remaining, sum(grant.entry_ids.mapped("quantity")))
                self.assertTrue(0 <= grant.remaining <= grant.quantity)
        drawn = [self._get_drawn(ticket) for ticket in tickets]
        start = fields.Datetime.to_datetime("2026-01-01 00:00:00")
        pools = {(self.company.id, partner.id, "incident"): start for partner in customers}
        self.env["support.consumption"]._reallocate(pools)
        self.assertEqual([self._get_drawn(ticket) for ticket in tickets], drawn)
        self.assertLess(refused, 40)
        tickets.incident_quantity = 0
        self.assertEqual(sum(grants.mapped("used")), 0)

    # === STAGES === #

    def test_flag_of_a_stage_moves_no_old_tickets(self):
        grant = self._make_grant(incidents=3)
        ticket = self._open()
        ticket.stage_id = self.closed
        self.closed.returns_incident = True
        self.env.flush_all()
        self.assertEqual((grant.remaining, ticket.incident_demand), (2, 1))
        ticket.stage_id = self.cancelled
        self.assertEqual(grant.remaining, 3)
        ticket.stage_id = self.closed
        self.assertEqual(grant.remaining, 3)

    def test_deleted_ticket_returns_what_it_took(self):
        grant = self._make_grant(incidents=1)
        ticket = self._open()
        number = ticket.number
        ref = ticket.id
        ticket.with_user(self.env.ref("base.user_admin")).sudo().unlink()
        self.assertEqual(grant.remaining, 1)
        entry = grant.entry_ids.filtered(lambda e: e.ticket_ref == ref and e.quantity > 0)
        self.assertEqual(entry.reason, f"{number} was deleted")

    def test_constant_queries(self):
        self._make_grant(incidents=200)
        few = self.env["helpdesk.ticket"].concat(*(self._open() for _n in range(3)))
        many = self.env["helpdesk.ticket"].concat(*(self._open() for _n in range(30)))
        counts = []
        for tickets in (few, many):
            for stage in (self.cancelled, self.new):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                tickets.stage_id = stage
                self.env.flush_all()
                counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[0] + 6)
        self.assertLessEqual(counts[3], counts[1] + 6)

    # === THE NOTICE === #

    def test_notice_before_saving(self):
        self._make_grant(incidents=4)
        form = Form(self.env["helpdesk.ticket"])
        form.name, form.description = "Printer", "It burns."
        form.partner_id = self.customer
        self.assertFalse(form.incident_notice)
        form.team_id = self.paid
        self.assertEqual(
            form.incident_notice,
            "The team Paid Support takes one support incident; Lumen Ltd has 4 left.",
        )
        ticket = form.save()
        self.assertFalse(ticket.incident_notice)
        with Form(ticket) as form:
            form.incident_quantity = 3
            self.assertEqual(
                form.incident_notice,
                "This ticket takes 2 more of the support incidents; Lumen Ltd has 3 left.",
            )
            self.assertFalse(form.incidents_lacking)
            form.incident_quantity = 5
            self.assertTrue(form.incidents_lacking)
            form.incident_quantity = 1
            self.assertFalse(form.incident_notice)

    def test_notice_of_a_customer_without_incidents(self):
        form = Form(self.env["helpdesk.ticket"])
        form.partner_id = self.customer
        form.team_id = self.paid
        self.assertTrue(form.incidents_lacking)
        self.assertIn("Lumen Ltd has 0 left", form.incident_notice)

    def test_notice_counts_the_contract_it_would_fall_under(self):
        plan = self._make_plan(allowances=[self._allowance(incidents=7)])
        self._make_contract(plan, start=fields.Date.today() - timedelta(days=1))
        form = Form(self.env["helpdesk.ticket"])
        form.partner_id = self.customer
        form.team_id = self.paid
        self.assertIn("Lumen Ltd has 7 left", form.incident_notice)
