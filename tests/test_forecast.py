# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Balance inquiry: contracts and customers, now and at term end at the present pace."""

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import BillingCommon


class ForecastCommon(BillingCommon):
    """10 h a month for 300.00, 70.00 for each hour beyond; today is the 10th of 31 days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(hours=10, fee=300, rates=[cls._rate("price", 70.0)])

    def _inquire(self, partners=None):
        partners = self.customer if partners is None else partners
        rows = self.env["support.forecast"]._inquire(partners)
        return rows.sorted(lambda row: (row.partner_id.id, row.what, row.contract_id.id))

    def _row(self, contract):
        return self._inquire(contract.partner_id).filtered(lambda row: row.contract_id == contract)

    def assertRow(self, row, **values):
        self.assertEqual(len(row), 1)
        self.assertEqual({name: row[name] for name in values}, values)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-10 12:00:00")
class TestForecast(ForecastCommon):
    def test_beyond(self):  # Q4, Q18
        """6 h in 10 days are 18:36 h in 31: 8:36 h beyond 10 h, at 70.00 an hour 602.00."""
        contract = self._make_contract(self.plan)
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 6)
        self.assertRow(
            self._row(contract),
            hours_granted=10,
            hours_used=6,
            hours_left=4,
            hours_expected=18.6,
            hours_beyond=8.6,
            used_percent=60,
            expected_percent=186,
            status="beyond",
            amount_fees=300,
            amount_usage=0,
            amount_beyond=602,
            amount_expected=902,
            amount_open=0,
            balance=0,
        )
        self.assertEqual(str(self._row(contract).date_end), "2026-01-31")
        self.assertIn("18:36 h by 01/31/2026: 8:36 h beyond", contract.forecast_label)
        self.assertEqual(contract.forecast_amount_label, f"≈ {contract.currency_id.format(602)}")

    def test_within(self):
        """3 h in 10 days are 9:18 h in 31: 93 % of 10 h."""
        contract = self._make_contract(self.plan)
        ticket = self._make_ticket(contract)
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        self.assertRow(
            self._row(contract),
            hours_expected=9.3,
            hours_beyond=0,
            expected_percent=93,
            status="near",
            amount_beyond=0,
            amount_expected=300,
        )
        self.assertIn("0:42 h left then", contract.forecast_label)
        self.assertFalse(contract.forecast_amount_label)
        line.unit_amount = 1
        self.assertRow(self._row(contract), hours_expected=3.1, status="under")
        line.unlink()
        self.assertRow(self._row(contract), hours_expected=0, status="under", used_percent=0)

    def test_what_is_beyond_already_has_its_own_price(self):
        """12 h: 2 h at night cost 210.00; 37:12 h at the end, 25:12 h more at 70.00."""
        night = self._make_shift("Night", [(0, 6), (22, 24)])
        self.plan.rate_ids = [self._rate("multiplier", 1.5, shift_id=night.id)]
        contract = self._make_contract(self.plan)
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-06 08:00", 10)
        self._log_work(ticket, "2026-01-07 22:00", 2)
        self.assertRow(
            self._row(contract),
            hours_granted=10,
            hours_used=12,
            hours_left=0,
            hours_expected=37.2,
            hours_beyond=27.2,
            used_percent=120,
            amount_usage=210,
            amount_beyond=210 + 25.2 * 70,
            amount_expected=300 + 210 + 25.2 * 70,
            amount_open=210,
            balance=210,
        )

    def test_on_the_last_day_it_is_what_was_used(self):
        contract = self._make_contract(self.plan)
        with freeze_time("2026-01-31 12:00:00"):
            self._log_work(self._make_ticket(contract), "2026-01-30 09:00", 11)
            self.assertRow(
                self._row(contract),
                elapsed_percent=100,
                hours_expected=11,
                hours_beyond=1,
                amount_beyond=70,
            )

    def test_by_working_days(self):
        """7 of 22 working days: 3:30 h become 11 h."""
        self.company.support_forecast_days = "working"
        self.company.resource_calendar_id = self._make_shift("Office", [(9, 17)], range(5))
        contract = self._make_contract(self.plan)
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 3.5)
        self.assertRow(self._row(contract), hours_expected=11, hours_beyond=1)
        later = self._make_contract(
            self.plan, start="2026-01-10", partner=self._make_customer("Later Ltd")
        )  # a Saturday: no working day of its term is over
        self._log_work(
            self._make_ticket(later, opened="2026-01-10 08:00:00"), "2026-01-10 09:00", 1
        )
        self.assertRow(self._row(later), status="none", hours_expected=0, hours_used=1)
        self.assertFalse(later.forecast_label)

    def test_incidents(self):
        """3 tickets in 10 days are 9 in 31; 4 are prepaid, 5 at 40.00 will be charged."""
        contract = self._make_contract(
            self._make_plan(
                allowances=[self._allowance(incidents=4)],
                incident_product_id=self.incident_product.id,
                incident_price=40.0,
            )
        )
        for day in range(3, 6):
            self._make_ticket(contract, opened=f"2026-01-0{day} 09:00:00")
        self.assertRow(
            self._row(contract),
            incidents_granted=4,
            incidents_used=3,
            incidents_left=1,
            incidents_expected=9,
            incidents_beyond=5,
            amount_beyond=200,
            status="beyond",
        )
        self.assertIn("9 incidents by", contract.forecast_label)
        contract.overage_policy = "block"
        self.assertRow(self._row(contract), incidents_beyond=5, amount_beyond=0)

    def test_time_and_material(self):
        """2 h for 140.00 in 10 days are 434.00 in 31; the part stays what it is."""
        contract = self._make_contract()
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-06 09:00", 2)
        self.env["support.part.wizard"].create(
            {
                "ticket_id": ticket.id,
                "product_id": self._make_product("Fuse", 3.0).id,
                "quantity": 2,
            }
        ).action_add()
        self.assertRow(
            self._row(contract),
            status="none",
            hours_granted=0,
            amount_fees=0,
            amount_usage=146,
            amount_expected=434 + 6,
            amount_open=146,
        )

    def test_windows_later_in_the_term_are_left(self):
        contract = self._make_contract(
            self._make_plan(
                allowances=[self._allowance(10, per="month")], billing_period="3", fee=30
            )
        )
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 6)
        self.assertRow(
            self._row(contract),
            hours_granted=30,
            hours_left=24,
            hours_expected=54,
            hours_beyond=24,
            elapsed_percent=100 * 10 / 90,
        )

    def test_what_is_not_running(self):
        draft = self._make_contract(self.plan, confirm=False)
        self.assertFalse(self._row(draft))
        self.assertFalse(draft.forecast_label)

    def test_balance(self):  # Q18, B32
        """What is open, on bills, and owed; together what the statement says."""
        contract = self._make_contract(self.plan, start="2025-11-01")
        ticket = self._make_ticket(contract, opened="2025-11-03 09:00:00")
        self._log_work(ticket, "2025-11-04 09:00", 11)
        first = self._bill(contract, "2025-12-01")
        move = self._invoice(first, post=True)
        self._log_work(ticket, "2025-12-04 09:00", 12)
        self._bill(contract, "2026-01-01")
        self._log_work(ticket, "2026-01-04 09:00", 13)
        self._make_grant(incidents=3)
        loose = self._make_ticket(contract_id=False)
        loose.contract_id = False
        loose.charge_amount = 50
        row, account = self._inquire()
        self.assertEqual((row.what, account.what), ("1_contract", "2_customer"))
        self.assertRow(row, amount_open=210, amount_bills=440, amount_receivable=0, balance=650)
        self.assertRow(account, incidents_left=3, amount_receivable=move.amount_total)
        self.assertEqual(account.amount_open, loose.ticket_charge_ids.amount)
        statement = self.env["support.statement"].create({"partner_id": self.customer.id})
        self.assertEqual(
            round(row.balance + account.balance, 2), float(statement._get_money()["balance"])
        )
        # It is a picture: what happens later isn't on it.
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.assertEqual(account.amount_receivable, move.amount_total)
        self.assertEqual(self._inquire()[1].amount_receivable, 0)

    def test_another_currency(self):
        """Money of a contract in another currency is told in the company's."""
        other = self.setup_other_currency("CHF", rates=[("2016-01-01", 2.0)])
        plan = self._make_plan(
            hours=10, fee=300, rates=[self._rate("price", 70.0)], currency_id=other.id
        )
        contract = self._make_contract(plan)
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 11)
        self.assertRow(self._row(contract), amount_fees=150, amount_usage=35, amount_open=35)

    def test_who_sees_what(self):
        contract = self._make_contract(self.plan)
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 11)
        agent = new_test_user(
            self.env(su=True),
            "forecast_agent",
            "support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        rows = self.env["support.forecast"].with_user(agent)._inquire(self.customer)
        self.assertEqual(rows.hours_used, 11)
        for name in ("balance", "amount_beyond", "amount_receivable"):
            with self.assertRaises(AccessError, msg=name):
                rows.read([name])
        with self.assertRaises(AccessError):
            rows.write({"hours_used": 1})
        with self.assertRaises(AccessError):
            contract.with_user(agent).read(["forecast_amount_label"])
        self.assertIn("beyond", contract.with_user(agent).forecast_label)
        mine = self._inquire()
        self.assertFalse(
            self.env["support.forecast"].with_user(agent).search([("id", "in", mine.ids)])
        )
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env(su=True),
            "forecast_stranger",
            "support_contract.group_support_manager",
            company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )
        theirs = self.env["support.forecast"].with_user(stranger).with_company(elsewhere)
        self.assertFalse(theirs._inquire(self.customer))

    def test_screens(self):
        contract = self._make_contract(self.plan)
        self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 11)
        action = self.customer.action_view_support_forecast()
        rows = self.env["support.forecast"].search(action["domain"])
        self.assertEqual(rows.contract_id, contract)
        self.assertEqual(rows.action_open()["res_id"], contract.id)
        self.assertEqual(rows.action_state()["res_model"], "support.statement")
        views = rows.get_views([*action["views"], (False, "search")])["views"]
        self.assertLessEqual({"list", "kanban", "pivot", "graph", "search"}, views.keys())
        server = self.env.ref("support_contract.action_support_inquiry")
        found = self.env["support.forecast"].search(server.sudo(False).run()["domain"])
        self.assertIn(contract, found.contract_id)
        with Form(contract) as form:
            self.assertIn("beyond", form.forecast_label)

    def test_queries_do_not_grow(self):
        partners = self.env["res.partner"]
        counts = {}
        for count in (5, 50):
            while len(partners) < count:
                partner = self._make_customer(f"Customer {len(partners)}")
                contract = self._make_contract(self.plan, partner=partner)
                self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 11)
                partners += partner
            self._inquire(partners)  # fills Odoo's caches
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            rows = self.env["support.forecast"]._inquire(partners)
            self.env.flush_all()
            counts[count] = self.env.cr.sql_log_count - before
            self.assertEqual(set(rows.mapped("amount_beyond")), {70 + 23.1 * 70})
        self.assertLessEqual(counts[50], counts[5], counts)
