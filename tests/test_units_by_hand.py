# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The maximum of a customer's lifetime units, set by hand (B17, B18, B36, B66)."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import HOUR, SupportCommon

NOW = "2026-06-15 12:00:00"


@tagged("post_install", "-at_install")
class TestUnitsByHand(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        frozen = freeze_time(NOW)
        cls.clock = frozen.start()
        cls.addClassCleanup(frozen.stop)
        cls.desk = cls.env["helpdesk.ticket.team"].create(
            {"name": "Paid Desk", "company_id": cls.company.id, "requires_incident": True}
        )

    def _set(self, maximum, name="support_incidents_max"):
        self.customer.write({name: maximum})
        self.clock.tick(timedelta(seconds=10))

    def _open_ticket(self):
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Help",
                "description": "?",
                "partner_id": self.customer.id,
                "team_id": self.desk.id,
            }
        )
        self.clock.tick(timedelta(seconds=10))
        return ticket

    def assertIncidents(self, maximum, used, available):
        self.customer.invalidate_recordset()
        self.assertEqual(
            (
                self.customer.support_incidents_max,
                self.customer.support_incidents_used,
                self.customer.support_incidents_available,
            ),
            (maximum, used, available),
        )

    def _get_grants(self):
        return self.env["support.entitlement"].search(
            [("partner_id", "=", self.customer.id)], order="id"
        )

    def test_maximum_changes_whatever_was_used(self):  # B17, B66
        self.assertIncidents(0, 0, 0)
        self._set(3)
        self.assertIncidents(3, 0, 3)
        self._open_ticket()
        self._open_ticket()
        self.assertIncidents(3, 2, 1)
        self._set(5)
        self.assertIncidents(5, 2, 3)
        self._set(5)
        self.assertEqual(self._get_grants().mapped("quantity"), [3, 2])
        self._set(1)
        self.assertIncidents(1, 2, -1)
        self.assertEqual(self._get_grants().mapped("quantity"), [3, 2, -2, -2])
        self.assertEqual(self._get_grants()[2:].takes_back_id, self._get_grants()[:2])
        with self.assertRaisesRegex(UserError, "none left"), self.cr.savepoint():
            self._open_ticket()
        self._set(3)
        self._open_ticket()
        self.assertIncidents(3, 3, 0)

    def test_history_says_who_and_why(self):
        self._set(3)
        self._set(1)
        grant, debt = self._get_grants()
        self.assertEqual((grant.origin, grant.quantity), ("manual", 3))
        self.assertIn("from 0 to 3", grant.reason)
        self.assertIn("from 3 to 1", debt.entry_ids.reason)
        self.assertIn(self.env.user.name, debt.reason)
        action = self.customer.action_view_support_lifetime()
        entries = self.env["support.entitlement.entry"].search(action["domain"])
        self.assertEqual(sorted(entries.mapped("quantity")), [-2, 3])

    def test_only_lifetime_units_of_no_contract(self):  # B17
        self._make_grant(incidents=7, start="2026-06-01", end="2026-06-30")
        self._make_contract(
            self._make_plan(allowances=[self._allowance(incidents=4)]), start="2026-06-01"
        )
        self.assertIncidents(0, 0, 0)
        self._set(2)
        self.assertIncidents(2, 0, 2)
        self._set(0)
        self.assertIncidents(0, 0, 0)
        self.assertEqual(sum(self._get_grants().mapped("remaining")), 11)

    def test_time(self):
        self._set(2.5, "support_hours_max")
        contract = self._make_contract(start="2026-06-01")
        ticket = self._make_ticket(contract, "2026-06-15 09:00:00")
        self._log_work(ticket, "2026-06-15 09:00", 1)
        self._set(0.5, "support_hours_max")
        self.customer.invalidate_recordset()
        self.assertEqual(self.customer.support_hours_used, 1)
        self.assertEqual(self.customer.support_hours_available, -0.5)
        self.assertEqual(self._get_grants().mapped("remaining"), [5400, -2 * HOUR])
        work = self._log_work(ticket, "2026-06-15 10:00", 1)
        self.assertEqual(self._get_charges(work), [("overage", 1, 70)])
        self.assertProved(contract)

    def test_on_the_form(self):
        with Form(self.customer) as form:
            form.support_incidents_max = 4
            form.support_hours_max = 1.25
        self.assertIncidents(4, 0, 4)
        self.assertEqual(sum(self._get_grants().mapped("quantity")), 4 + 4500)

    def test_by_import(self):
        partners = self.env["res.partner"]
        result = partners.load(
            ["name", "support_incidents_max", "support_hours_max"],
            [["Ohm Ltd", "5", "1.5"], ["Volt Ltd", "0", "0"]],
        )
        self.assertEqual(result["messages"], [])
        ohm, volt = partners.browse(result["ids"])
        grants = self.env["support.entitlement"].search([("partner_id", "in", (ohm + volt).ids)])
        self.assertEqual(
            sorted(grants.mapped(lambda g: (g.partner_id.name, g.unit, g.remaining))),
            [("Ohm Ltd", "incident", 5), ("Ohm Ltd", "time", 5400)],
        )
        # The same file again changes nothing.
        again = partners.load(["id", "support_incidents_max"], []) and partners.load(
            [".id", "support_incidents_max"], [[str(ohm.id), "5"]]
        )
        self.assertEqual(again["messages"], [])
        self.assertEqual(len(grants.search([("partner_id", "=", ohm.id)])), 2)
        wrong = partners.load(
            ["name", "support_incidents_max"], [["Watt Ltd", "2"], ["Joule Ltd", "2.5"]]
        )
        self.assertIn("2.5", wrong["messages"][0]["message"])
        self.assertFalse(partners.search([("name", "in", ("Watt Ltd", "Joule Ltd"))]))

    def test_bad_maximum(self):
        for value, text in ((-1, "below zero"), (2.5, "whole")):
            with self.assertRaisesRegex(ValidationError, text), self.cr.savepoint():
                self._set(value)
        contact = self.env["res.partner"].create({"name": "Sue", "parent_id": self.customer.id})
        with self.assertRaisesRegex(ValidationError, self.customer.name), self.cr.savepoint():
            contact.support_incidents_max = 2
        self._set(2)
        contact.invalidate_recordset()
        self.assertEqual(contact.support_incidents_max, 2, "the customer's")

    def test_only_managers(self):
        staff = new_test_user(
            self.env(su=True),
            "staff",
            "support_contract.group_support_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        partner = self.customer.with_user(staff)
        self.assertEqual(partner.support_incidents_max, 0)
        with self.assertRaisesRegex(AccessError, "managers"), self.cr.savepoint():
            partner.support_incidents_max = 5
        with self.assertRaises(AccessError), self.cr.savepoint():
            self.env["support.event"].with_user(staff).create({"kind": "new_customer"})
        form = Form(partner)
        with self.assertRaises(AssertionError):
            form.support_incidents_max = 5

    def test_each_company_its_own(self):
        self._set(3)
        other = self.env["res.company"].sudo().create({"name": "Other helpers"})
        self.env.user.sudo().company_ids += other
        there = self.customer.with_company(other)
        self.assertEqual(there.support_incidents_max, 0)
        there.support_incidents_max = 1
        self.assertIncidents(3, 0, 3)
        self.assertEqual(there.support_incidents_max, 1)

    def test_compensation(self):  # DESIGN: compensation grants with a reason, also for hours
        for unit, vals, left in (("time", {"hours": 1.5}, 5400), ("incident", {"incidents": 2}, 2)):
            wizard = self.env["support.grant.wizard"].create(
                {
                    "partner_id": self.customer.id,
                    "unit": unit,
                    "origin": "compensation",
                    "reason": "We were late",
                }
                | vals
            )
            grant = self.env["support.entitlement"].browse(wizard.action_grant()["res_id"])
            self.assertEqual((grant.origin, grant.reason), ("compensation", "We were late"))
            self.assertEqual((grant.remaining, grant.date_to), (left, False))
        self.assertIncidents(2, 0, 2)
        with self.assertRaisesRegex(UserError, "more than nothing"), self.cr.savepoint():
            self.env["support.grant.wizard"].create(
                {"partner_id": self.customer.id, "incidents": -2, "reason": "?"}
            ).action_grant()

    def test_fractions_are_refused_wherever_incidents_are_entered(self):
        grant = self._make_grant(incidents=4)
        plan = self._make_plan(allowances=[self._allowance(incidents=4)])
        allowance = {"plan_id": plan.id, "unit": "incident"}
        give = {"partner_id": self.customer.id, "reason": "?"}
        contract = {"plan_id": plan.id, "partner_id": self.customer.id, "date_start": "2026-01-01"}
        for model, vals, name in (
            ("support.plan.allowance", allowance, "quantity"),
            ("support.grant.wizard", give, "incidents"),
            ("support.adjust.wizard", {"entitlement_id": grant.id, "reason": "?"}, "incidents"),
            ("support.contract", contract | {"opening_date": "2026-06-01"}, "opening_incidents"),
        ):
            with self.subTest(model):
                with self.assertRaisesRegex(ValidationError, "1.5"), self.cr.savepoint():
                    self.env[model].create(vals | {name: 1.5})
                record = self.env[model].create(vals | {name: 2.0})
                with self.assertRaisesRegex(ValidationError, "2.5"), self.cr.savepoint():
                    record.write({name: 2.5})
                self.assertEqual(record[name], 2)

    def _adjust(self, grant, direction, incidents=0, hours=0.0):
        self.env["support.adjust.wizard"].create(
            {
                "entitlement_id": grant.id,
                "direction": direction,
                "incidents": incidents,
                "hours": hours,
                "reason": "Corrected",
            }
        ).action_adjust()

    def test_time_limited_incidents_come_back_through_the_ticket_only(self):  # B36
        limited = self._make_grant(incidents=3, start="2026-06-01", end="2026-06-30")
        lifetime = self._make_grant(incidents=3, start="2026-06-01")
        ticket = self._open_ticket()
        self.assertEqual(limited.remaining, 2)
        with self.assertRaisesRegex(UserError, "through the ticket"), self.cr.savepoint():
            self._adjust(limited, "add", 1)
        self._adjust(limited, "remove", 1)
        self._adjust(lifetime, "add", 1)
        self.assertEqual((limited.remaining, lifetime.remaining), (1, 4))
        ticket.incident_quantity = 0
        self.assertEqual((limited.remaining, lifetime.remaining), (2, 4))
        time = self._make_grant(hours=1, start="2026-06-01", end="2026-06-30")
        self._adjust(time, "add", hours=1)
        self.assertEqual(time.remaining, 2 * HOUR)

    def test_debt_is_not_adjusted(self):
        self._set(2)
        self._set(1)
        with self.assertRaisesRegex(UserError, "taken back"), self.cr.savepoint():
            self._adjust(self._get_grants()[1], "add", 1)

    def test_debts_are_made_by_taking_back_only(self):
        grant = self._make_grant(incidents=2)
        values = {
            "name": "Debt",
            "unit": "incident",
            "date_from": fields.Date.today(),
            "partner_id": self.customer.id,
        }
        with self.assertRaisesRegex(UserError, "negative"), self.cr.savepoint():
            self.env["support.entitlement"]._grant([values | {"amount": -1}])
        with self.assertRaisesRegex(UserError, "negative"), self.cr.savepoint():
            self.env["support.entitlement"]._grant(
                [values | {"amount": 1, "takes_back_id": grant.id}]
            )
