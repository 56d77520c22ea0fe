# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The list of incidents and hours per customer (B39, B55): it is the ledger, summed up."""

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .test_returns import ReturnsCommon


@tagged("post_install", "-at_install")
class TestBalanceReport(ReturnsCommon):
    def _row(self, unit="incident", partner=None):
        self.env.flush_all()
        self.env["support.balance.report"].invalidate_model()
        return self.env["support.balance.report"].search(
            [("partner_id", "=", (partner or self.customer).id), ("unit", "=", unit)]
        )

    def assertRow(self, row, **values):
        self.assertEqual(len(row), 1)
        self.assertEqual({name: row[name] for name in values}, values)

    def test_incidents(self):
        with freeze_time("2026-01-20 12:00:00"):
            self._make_grant(incidents=5, start="2025-06-01")
            self._make_grant(incidents=4, end="2026-03-31")
            self._make_grant(incidents=2, end="2026-02-28")
            self._make_grant(incidents=1, end="2026-02-28")
            self._make_grant(incidents=9, start="2025-01-01", end="2025-12-31")  # over
            self._make_grant(incidents=3, start="2026-02-01", end="2026-02-28")  # to come
            for day in range(4, 9):
                self._open(opened=f"2026-01-{day:02d} 09:00:00")
            self.assertRow(
                self._row(),
                lifetime_granted=5,
                lifetime_used=0,
                lifetime_left=5,
                limited_granted=7,
                limited_used=5,
                limited_left=2,
                used=5,
                available=7,
                coming=3,
                expiring=2,
            )
            row = self._row()
            self.assertEqual(str(row.next_expiry), "2026-03-31")
            self.assertEqual(str(row.last_use), "2026-01-08")
            self.assertFalse(self._row("time"))

    def test_hours(self):
        with freeze_time("2026-01-20 12:00:00"):
            contract = self._make_contract(self._make_plan(hours=5), start="2026-01-01")
            self._make_grant(hours=10)
            ticket = self._make_ticket(contract)
            self._log_work(ticket, "2026-01-06 09:00", 1.5)
            row = self._row("time")
            self.assertRow(
                row,
                lifetime_left=10,
                limited_granted=5,
                limited_used=1.5,
                limited_left=3.5,
                available=13.5,
            )

    def test_it_is_the_ledger(self):
        """Available = the entries of the grants that are open today, whatever was done."""
        with freeze_time("2026-01-20 12:00:00"):
            for number in range(1, 4):
                self._make_grant(incidents=number, end=f"2026-0{number}-28")
            tickets = [self._open() for _n in range(4)]
            tickets[0].stage_id = self.cancelled
            tickets[1].incident_quantity = 2
            row = self._row()
            entries = self.env["support.entitlement.entry"].search(
                [("partner_id", "=", self.customer.id), ("unit", "=", "incident")]
            )
            self.assertEqual(row.available, sum(entries.mapped("quantity")))
            self.assertEqual(row.available, row.lifetime_left + row.limited_left)
            self.assertEqual(row.limited_granted - row.limited_used, row.limited_left)

    def test_the_day_is_the_customers(self):
        """In Auckland the next day has begun, and the grant of the day before is over."""
        self.customer.tz = "Pacific/Auckland"
        self._make_grant(incidents=3, end="2026-01-20")
        with freeze_time("2026-01-20 10:00:00"):
            self.assertEqual(self._row().available, 3)
        with freeze_time("2026-01-20 12:00:00"):
            self.assertEqual(self._row().available, 0)

    def test_taken_back_after_use(self):
        """B61: below zero it is owed, on the list, on the customer and on the statement."""
        self.customer.support_incidents_max = 5
        for _number in range(3):
            self._open(opened=fields.Datetime.now())
        self.customer.support_incidents_max = 1
        row = self._row()
        self.assertRow(row, lifetime_granted=1, lifetime_used=3, lifetime_left=-2, available=-2)
        self.assertIn(row, self.env["support.balance.report"].search([("available", "<=", 0)]))
        self.customer.invalidate_recordset()
        self.assertEqual(self.customer.support_incidents_label, "Incidents left: -2")
        today = fields.Date.today()
        (unit,) = (
            self.env["support.statement"]
            .create({"partner_id": self.customer.id, "date_from": today, "date_to": today})
            ._get_units()
        )
        self.assertEqual((unit["left"], unit["closing"]), (-2, -2))
        with self._refused("none left"):
            self._open(opened=fields.Datetime.now())

    def test_nothing_left(self):
        self._make_grant(incidents=1)
        self._open()
        report = self.env["support.balance.report"]
        self.assertIn(self._row(), report.search([("available", "<=", 0)]))

    def test_expires_within_30_days(self):
        today = fields.Date.today()
        other = self._make_customer("Orbit Inc")
        self._make_grant(incidents=1, end=today + relativedelta(days=20))
        self._make_grant(incidents=1, end=today + relativedelta(days=50), partner_id=other.id)
        found = self.env["support.balance.report"].search([("next_expiry", "<=", "+30d")])
        self.assertIn(self._row(), found)
        self.assertNotIn(self._row(partner=other), found)

    def test_click_opens_the_grants(self):
        grants = self._make_grant(incidents=1) + self._make_grant(incidents=2, end="2026-12-31")
        self._make_grant(hours=1)
        action = self._row().action_view_grants()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), grants[::-1])

    def test_screens(self):
        for key in ("incidents", "hours"):
            action = self.env.ref(f"support_contract.action_support_balance_report_{key}").sudo()
            self.assertEqual(
                [mode for _id, mode in action.views], ["list", "graph", "pivot"], action.name
            )
            views = self.env["support.balance.report"].get_views(action.views)["views"]
            self.assertIn('name="available"', views["list"]["arch"])

    def test_chart(self):
        """The parts of a customer on each other: left for life, until a day, and used."""
        self._make_grant(incidents=4)
        self._make_grant(incidents=2, end="2099-12-31")
        self._open()
        self.env.flush_all()
        parts = self.env["support.balance.chart"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(
            [(part.what, part.quantity) for part in parts.sorted("what")],
            [("1_lifetime", 4), ("2_limited", 1), ("3_used", 1)],
        )
        groups = self.env["support.balance.chart"].formatted_read_group(
            [("partner_id", "=", self.customer.id)], ["partner_id", "what"], ["quantity:sum"]
        )
        self.assertEqual([group["quantity:sum"] for group in groups], [4, 1, 1])
        action = self.env.ref("support_contract.action_support_balance_chart").sudo()
        self.env["support.balance.chart"].get_views(action.views)

    def test_customer_tells_what_is_left(self):
        self._make_grant(incidents=4)
        self._make_grant(hours=12.5)
        contact = self.env["res.partner"].create({"name": "Bea", "parent_id": self.customer.id})
        self.env.flush_all()
        for partner in (self.customer, contact):
            self.assertEqual(
                (partner.support_incidents_left, partner.support_hours_left), (4, 12.5)
            )
            self.assertEqual(partner.support_incidents_label, "Incidents left: 4")
            self.assertEqual(partner.support_hours_label, "Hours left: 12:30")
        with Form(self.customer) as form:
            self.assertTrue(form.support_units_known)
        self.assertFalse(self._make_customer("Empty").support_units_known)

    def test_who_sees_it(self):
        self._make_grant(incidents=4)
        self.env.flush_all()
        agent = self._make_agent()
        row = self._row().with_user(agent)
        self.assertEqual(row.available, 4)
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env(su=True),
            "stranger",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertFalse(self.env["support.balance.report"].with_user(stranger).search([]))
        plain = new_test_user(self.env(su=True), "plain", "base.group_user")
        with self.assertRaises(AccessError):
            self.env["support.balance.report"].with_user(plain).search([])
        self.assertFalse(self.customer.with_user(plain).support_units_known)
