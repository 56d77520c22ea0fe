# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The statement of account: what it says is what the ledgers say, to the last unit and cent."""

from datetime import date, timedelta
from decimal import Decimal

from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, Form, new_test_user, tagged

from ..tools.statement import Movement, statement
from .common import HOUR, BillingCommon
from .test_returns import ReturnsCommon

FIRST = date(2026, 1, 1)
days = st.integers(0, 60).map(lambda number: FIRST + timedelta(days=number))
movements = st.lists(
    st.builds(Movement, days, st.integers(-50, 50), st.none(), st.integers(0, 3)), max_size=30
)


@tagged("post_install", "-at_install")
class TestStatementTool(BaseCase):
    @given(movements, days, days)
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_closing_is_opening_and_movements(self, moves, one, other):
        start, end = sorted((one, other))
        stated = statement(moves, start, end)
        self.assertEqual(
            stated.closing, stated.opening + sum(line.movement.amount for line in stated.lines)
        )
        self.assertEqual(stated.closing, sum(m.amount for m in moves if m.day <= end))
        self.assertEqual(stated.opening, sum(m.amount for m in moves if m.day < start))
        balance = stated.opening
        for line in stated.lines:
            balance += line.movement.amount
            self.assertEqual(line.balance, balance)
        self.assertEqual(
            [line.movement.day for line in stated.lines],
            sorted(line.movement.day for line in stated.lines),
        )

    @given(movements, days, days, days)
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_periods_join(self, moves, one, other, another):
        """The closing balance of one statement is the opening one of the next."""
        first, second, third = sorted((one, other, another))
        before = statement(moves, first, second)
        after = statement(moves, second + timedelta(days=1), third + timedelta(days=1))
        self.assertEqual(before.closing, after.opening)

    def test_empty_and_impossible(self):
        self.assertEqual(statement([], FIRST, FIRST).closing, 0)
        with self.assertRaises(ValueError):
            statement([], FIRST, FIRST - timedelta(days=1))


@tagged("post_install", "-at_install")
class TestStatementUnits(ReturnsCommon):
    def _state(self, start="2026-01-01", end="2026-01-31", **vals):
        self.env.flush_all()
        values = {"partner_id": self.customer.id, "date_from": start, "date_to": end}
        return self.env["support.statement"].create(values | vals)

    def _unit(self, wanted, *period):
        (found,) = [unit for unit in self._state(*period)._get_units() if unit["unit"] == wanted]
        return found

    def assertLedger(self, unit, until):
        entries = self.env["support.entitlement.entry"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("unit", "=", unit["unit"]),
                ("date", "<=", until),
            ]
        )
        self.assertEqual(unit["closing"], sum(entries.mapped("quantity")))
        moved = sum(line["amount"] for line in unit["lines"])
        self.assertEqual(unit["closing"], unit["opening"] + moved)

    def test_incidents(self):
        with freeze_time("2026-02-10 12:00:00"), self.enter_registry_test_mode():
            self._make_grant(incidents=5, start="2025-12-01")
            self._make_grant(incidents=3, end="2026-01-31", name="January")
            self._make_grant(incidents=2, start="2026-03-01", end="2026-03-31", name="March")
            self._open(opened="2025-12-20 09:00:00")
            one = self._open(opened="2026-01-07 09:00:00")
            other = self._open(opened="2026-01-08 09:00:00")
            other.stage_id = self.cancelled
            self._open(opened="2026-02-02 09:00:00")
            self.env.ref("support_contract.cron_settle").sudo().method_direct_trigger()

            unit = self._unit("incident")
            self.assertEqual((unit["opening"], unit["closing"]), (4, 6))
            self.assertEqual(
                [
                    (line["kind"], line["ticket"], line["amount"], line["balance"])
                    for line in unit["lines"]
                ],
                [
                    ("grant", "", 3, 7),
                    ("draw", one.number, -1, 6),
                    ("draw", other.number, -1, 5),
                    ("return", other.number, 1, 6),
                ],
            )
            self.assertLedger(unit, "2026-01-31")

            unit = self._unit("incident", "2026-02-01", "2026-02-10")
            self.assertEqual((unit["opening"], unit["closing"], unit["left"]), (6, 3, 3))
            self.assertEqual(
                [(line["kind"], line["amount"]) for line in unit["lines"]],
                [("lapse", -2), ("draw", -1)],
            )
            self.assertEqual([grant["name"] for grant in unit["coming"]], ["March"])
            self.assertEqual([soon["units"] for soon in unit["expiring"]], [0, 2])
            self.assertLedger(unit, "2026-02-10")

    def test_hours(self):
        with freeze_time("2026-01-20 12:00:00"):
            contract = self._make_contract(self._make_plan(hours=5), start="2026-01-01")
            ticket = self._make_ticket(contract)
            line = self._log_work(ticket, "2026-01-06 09:00", 1.5)
            line.unit_amount = 1.0
            unit = self._unit("time", "2026-01-02", "2026-01-20")
            self.assertEqual((unit["opening"], unit["closing"]), (5 * HOUR, 4 * HOUR))
            self.assertEqual(unit["left_label"], "4:00 h")
            self.assertLedger(unit, "2026-01-20")
            self.assertEqual([grant["contract"] for grant in unit["grants"]], [contract.name])

    def test_today_is_the_balance_list(self):
        """Left on the statement = available on the list = closing balance of today."""
        self._make_grant(incidents=5)
        self._open()
        today = fields.Date.today()
        unit = self._unit("incident", "2026-01-01", today)
        row = self.env["support.balance.report"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual((unit["left"], unit["closing"], row.available), (4, 4, 4))

    def test_technicians_see_no_money(self):
        self._make_grant(incidents=5)
        self._make_contract(self._make_plan(fee=987.65), start="2026-01-01")
        agent = self._make_agent()
        statement_ = self._state().with_user(self.env.user)
        self.assertTrue(statement_.shows_money)
        mine = (
            self.env["support.statement"]
            .with_user(agent)
            .create(
                {"partner_id": self.customer.id, "date_from": "2026-01-01", "date_to": "2026-12-31"}
            )
        )
        self.assertFalse(mine.shows_money)
        self.assertIsNone(mine._get_data()["money"])
        self.assertNotIn("987.65", mine.preview)
        html, _type = (
            self.env["ir.actions.report"]
            .with_user(agent)
            ._render_qweb_html("support_contract.report_support_statement", mine.ids)
        )
        self.assertNotIn(b"987.65", html)
        self.assertIn("987.65", statement_.preview)

    def test_who_may(self):
        plain = new_test_user(self.env(su=True), "plain", "base.group_user")
        portal = new_test_user(self.env(su=True), "visitor", "base.group_portal")
        for user in (plain, portal):
            with self.assertRaises(AccessError):
                self.env["support.statement"].with_user(user).create(
                    {"partner_id": self.customer.id}
                )

    def test_other_company_stays_out(self):
        self._make_grant(incidents=5)
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self._make_grant(incidents=7, company_id=other.id)
        unit = self._unit("incident")
        self.assertEqual(unit["left"], 5)

    def test_period_that_ends_before_it_begins(self):
        with self.assertRaises(ValidationError):
            self._state("2026-02-01", "2026-01-01")

    def test_screen(self):
        self._make_grant(incidents=5)
        self.env.flush_all()
        action = self.customer.action_view_support_statement()
        statement_ = self.env["support.statement"].browse(action["res_id"])
        with Form(statement_) as form:
            form.date_from = "2026-01-01"
            self.assertIn("Incidents left", form.preview)
        for name in ("grants", "entries", "contracts", "charges", "bills"):
            found = getattr(statement_, f"action_view_{name}")()
            self.env[found["res_model"]].search(found["domain"])


@tagged("post_install", "-at_install")
class TestStatementMoney(BillingCommon):
    def _money(self, start="2026-01-01", end="2026-12-31"):
        self.env.flush_all()
        return (
            self.env["support.statement"]
            .create({"partner_id": self.customer.id, "date_from": start, "date_to": end})
            ._get_money()
        )

    def _charges(self, money):
        (stated,) = money["charges"]
        return stated

    def assertProvable(self, money):
        for stated in (money["receivable"], *money["charges"]):
            moved = sum((line["amount"] for line in stated["lines"]), Decimal(0))
            self.assertEqual(stated["closing"], stated["opening"] + moved)
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        self.assertEqual(float(money["receivable_now"]), round(sum(lines.mapped("balance")), 2))
        self.assertEqual(
            float(money["receivable_now"]), round(sum(lines.mapped("amount_residual")), 2)
        )
        waiting = (
            self.env["support.charge"]
            .search([("partner_id", "=", self.customer.id), ("state", "!=", "cancelled")])
            .filtered(
                lambda charge: (
                    charge.state != "credited" and charge.bill_id.move_id.state != "posted"
                )
            )
        )
        self.assertEqual(float(money["waiting_now"]), round(sum(waiting.mapped("amount")), 2))
        self.assertEqual(money["balance"], money["receivable_now"] + money["waiting_now"])

    def _make_work(self):
        plan = self._make_plan(
            fee=100,
            rates=[self._rate("price", 70.0)],
            billing_mode="arrears",
            overage_policy="charge",
        )
        contract = self._make_contract(plan, start="2026-01-01")
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-06 09:00", 2)
        return contract

    def test_from_charge_to_payment(self):
        with freeze_time("2026-02-10 12:00:00"):
            contract = self._make_work()
            money = self._money()
            self.assertEqual((money["balance"], self._charges(money)["closing"]), (140, 140))
            self.assertProvable(money)

            bill = self._bill(contract, "2026-02-01")
            money = self._money()
            self.assertEqual([part["amount"] for part in money["waiting"]], ["$\xa0240.00"])
            self.assertEqual([row["name"] for row in money["bills"]], bill.mapped("name"))
            self.assertEqual(money["balance"], 240)
            self.assertProvable(money)

            move = self._invoice(bill)
            money = self._money()  # a draft is no debt yet, and still charged
            self.assertEqual((money["balance"], money["receivable_now"]), (240, 0))
            self.assertProvable(money)

            move.invoice_date = "2026-02-05"
            move.action_post()
            money = self._money()
            self.assertEqual(float(money["balance"]), move.amount_total)
            self.assertEqual(self._charges(money)["closing"], 0)
            self.assertEqual([row["name"] for row in money["invoices"]], [move.name])
            self.assertProvable(money)

            self._register_payment(move, payment_date="2026-02-08")
            money = self._money()
            self.assertEqual(
                [(line["what"], float(line["amount"])) for line in money["receivable"]["lines"]],
                [("Invoice", move.amount_total), ("Payment", -move.amount_total)],
            )
            self.assertEqual((money["balance"], money["invoices"]), (0, []))
            self.assertProvable(money)

    def test_periods_join(self):
        with freeze_time("2026-03-10 12:00:00"):
            contract = self._make_work()
            moves = self._invoice(self._bill(contract, "2026-03-01"))
            for move, day in zip(moves.sorted("id"), ("2026-02-05", "2026-03-05"), strict=False):
                move.invoice_date = day
            moves.action_post()
            january, february, march = (
                self._money(f"2026-0{month}-01", f"2026-0{month}-28") for month in (1, 2, 3)
            )
            for before, after in ((january, february), (february, march)):
                self.assertEqual(before["receivable"]["closing"], after["receivable"]["opening"])
                self.assertEqual(self._charges(before)["closing"], self._charges(after)["opening"])
            self.assertProvable(march)

    def test_credited_is_not_owed(self):
        with freeze_time("2026-02-10 12:00:00"):
            contract = self._make_work()
            move = self._invoice(self._bill(contract, "2026-02-01"), post=True)
            self._reverse_invoice(move, post=True)
            money = self._money()
            self.assertEqual((money["receivable_now"], money["waiting_now"]), (0, 0))
            self.assertProvable(money)
            bill = contract.bill_ids.filtered(lambda bill: bill.state == "credited")
            bill.action_invoice_again()
            money = self._money()
            self.assertEqual((money["receivable_now"], money["waiting_now"]), (0, 240))
            self.assertEqual(self._charges(money)["closing"], 240)
            self.assertProvable(money)

    def test_what_is_coming(self):
        with freeze_time("2026-02-10 12:00:00"):
            contract = self._make_work()
            self._bill(contract, "2026-02-01")
            (row,) = self._money()["contracts"]
            self.assertEqual((row["name"], row["expected"]), (contract.display_name, 100.0))
            self.assertEqual(row["day"], contract.next_billing_date)

    def test_next_bill_is_that_of_all_contracts(self):
        """What ends on the day before has nothing to come, and its renewal has."""
        with freeze_time("2026-02-10 12:00:00"):
            plan = self._make_plan(fee=100)
            contracts = self._make_contract(plan, date_end="2026-12-31")
            for fee in (30, 12.5):
                contracts += self._make_contract(self._make_plan(fee=fee), "2026-02-01")
            later = self._make_contract(self._make_plan(fee=7), "2026-02-05")
            self._bill(contracts | later, "2026-02-10")
            money = self._money()
            self.assertEqual(money["next_bill"]["date"], "03/01/2026")
            self.assertEqual(money["next_bill"]["amount"], "$\xa0142.50")
            self.assertEqual(len(money["contracts"]), 4)

    def test_printed_in_the_customers_language(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        with freeze_time("2026-02-10 12:00:00"):
            self._make_work()
            self._make_grant(incidents=3)
            self.env.flush_all()
            stated = self.env["support.statement"].create(
                {
                    "partner_id": self.customer.id,
                    "date_from": "2026-01-01",
                    "date_to": "2026-02-10",
                }
            )
            html, _type = self.env["ir.actions.report"]._render_qweb_html(
                "support_contract.report_support_statement", stated.ids
            )
        page = html.decode()
        self.assertIn("10/02/2026", page)
        self.assertIn("Lumen Ltd", page)
        self.assertIn("140,00", page)
