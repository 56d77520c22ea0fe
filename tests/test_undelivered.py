# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Due but not delivered (Q19): what customers pay for and don't use."""

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-04-10 12:00:00")
class TestUndelivered(BillingCommon):
    """10 h a month for 300.00 since January."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract = cls._make_contract(cls._make_plan(hours=10, fee=300))
        cls.ticket = cls._make_ticket(cls.contract)

    def _rows(self, contract=None):
        self.env.flush_all()
        self.env["support.undelivered"].invalidate_model()
        return self.env["support.undelivered"].search(
            [("contract_id", "=", (contract or self.contract).id)], order="date_start, id"
        )

    def _log(self, month, hours):
        return self._log_work(self.ticket, f"2026-{month:02d}-05 09:00", hours)

    def test_by_term(self):
        """Used 8 h, 2:30 h and nothing: 20 %, 75 % and 100 % of 300.00 unused."""
        self._log(1, 8)
        self._log(2, 2.5)
        self._bill(self.contract, "2026-04-01")
        rows = self._rows()
        self.assertEqual(
            [(r.hours_granted, r.hours_used, r.hours_unused, r.unused_percent) for r in rows],
            [(10, 8, 2, 20), (10, 2.5, 7.5, 75), (10, 0, 10, 100), (10, 0, 10, 100)],
        )
        self.assertEqual(rows.mapped("over"), [True, True, True, False])
        self.assertEqual(rows.mapped("latest"), [False, False, True, False])
        self.assertEqual(rows.mapped("fee"), [300, 300, 300, 0])
        self.assertEqual(rows.mapped("unused_value"), [60, 225, 300, 0])
        self.assertEqual({str(day) for day in rows.mapped("last_activity")}, {"2026-02-05"})
        self.assertEqual(
            [(str(r.date_start), str(r.date_end)) for r in rows[:2]],
            [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")],
        )

    def test_terms_in_a_row(self):
        """Below 50 % in February and March: 1 and 2 in a row; the running term doesn't count."""
        self._log(1, 8)
        self._log(2, 2.5)
        self.assertEqual(self._rows().mapped("low_terms"), [0, 1, 2, 0])
        self._log(2, 2.5)  # 5 h now: not below
        self.assertEqual(self._rows().mapped("low_terms"), [0, 0, 1, 0])
        self.company.support_low_use_percent = 90
        self.assertEqual(self._rows().mapped("low_terms"), [1, 2, 3, 0])
        self.company.support_low_use_percent = 0
        self.assertEqual(self._rows().mapped("low_terms"), [0, 0, 0, 0])

    def test_what_is_carried_is_due_later(self):
        """4 of 10 h used, 6 h carried. In February 9 h are used: 1 h is carried, 6 h lapse."""
        plan = self._make_plan(
            fee=300,
            allowances=[self._allowance(10, carry_forward=True, carry_terms=1)],
        )
        contract = self._make_contract(plan, partner=self._make_customer("Carrier Ltd"))
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-05 09:00", 4)
        self._log_work(ticket, "2026-02-05 09:00", 9)
        rows = self._rows(contract)[:2]
        self.assertEqual(
            [(r.hours_granted, r.hours_used, r.hours_unused) for r in rows],
            [(4, 4, 0), (15, 9, 6)],
        )
        self.assertProved(contract)

    def test_both_units(self):
        """6 of 10 h and 1 of 4 incidents unused: 60 % and 25 %, 42.5 % together."""
        plan = self._make_plan(
            hours=10, fee=200, allowances=[self._allowance(incidents=4)], billing_mode="advance"
        )
        contract = self._make_contract(plan, partner=self._make_customer("Both Ltd"))
        for number in range(3):
            ticket = self._make_ticket(contract, opened=f"2026-01-0{number + 2} 09:00:00")
        self._log_work(ticket, "2026-01-05 09:00", 4)
        self._bill(contract, "2026-01-01")
        row = self._rows(contract)[0]
        self.assertEqual((row.hours_unused, row.incidents_unused), (6, 1))
        self.assertEqual((row.unused_percent, row.unused_value), (42.5, 85))

    def test_once_for_the_whole_contract(self):
        """5 of 40 h in a contract of three months for 100.00 each."""
        plan = self._make_plan(
            fee=100, allowances=[self._allowance(40, per="contract")], duration_months=3
        )
        contract = self._make_contract(plan, partner=self._make_customer("Block Ltd"))
        self._log_work(self._make_ticket(contract), "2026-01-05 09:00", 5)
        self._bill(contract, "2026-04-01")
        row = self._rows(contract)
        self.assertEqual(
            (row.hours_granted, row.hours_unused, row.fee, row.unused_value), (40, 35, 300, 262.5)
        )
        self.assertTrue(row.over and row.latest)
        self.assertEqual((str(row.date_end), row.low_terms), ("2026-03-31", 1))

    def test_what_was_paid_for_a_single_grant(self):
        """5 h for 200.00 beside the 10 h for 300.00, all unused: both are worth what they cost."""
        term = self.contract.term_ids.sorted("number")[0]
        charge = self.env["support.charge"].create(
            {
                "kind": "top_up",
                "name": "5 h more",
                "contract_id": self.contract.id,
                "term_id": term.id,
                "billing_term_id": term.id,
                "partner_id": self.customer.id,
                "product_id": self.fee_product.id,
                "amount": 200,
            }
        )
        self._make_grant(
            hours=5,
            end="2026-01-31",
            contract_id=self.contract.id,
            term_id=term.id,
            origin="top_up",
            charge_id=charge.id,
            priority=20,
        )
        self._log(1, 12)
        self._bill(self.contract, "2026-04-01")
        row = self._rows()[0]
        self.assertEqual((row.hours_granted, row.hours_used), (15, 12))
        self.assertEqual(row.unused_percent, 20)
        self.assertEqual(row.unused_value, 120)  # all of the fee was used, 3 of the other 5 h not

    def test_work_beyond_hides_nothing(self):
        self._log(1, 14)
        row = self._rows()[0]
        self.assertEqual((row.hours_used, row.hours_unused), (10, 0))

    def test_plan_something(self):
        action = self._rows()[0].action_plan_activity()
        form = Form(self.env["mail.activity.schedule"].with_context(**action["context"]))
        form.activity_type_id = self.env.ref("mail.mail_activity_data_call")
        form.summary = "How are you?"
        form.save().action_schedule_activities()
        self.assertIn("How are you?", self.contract.activity_ids.mapped("summary"))
        context = self._rows()[0].action_make_ticket()["context"]
        ticket = Form(self.env["helpdesk.ticket"].with_context(**context))
        self.assertEqual(ticket.partner_id, self.customer)
        self.assertEqual(ticket.contract_id, self.contract)

    def test_who_sees_what(self):
        agent = new_test_user(
            self.env(su=True),
            "undelivered_agent",
            "support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        rows = self._rows().with_user(agent)
        self.assertEqual(rows[0].hours_unused, 10)
        for name in ("fee", "unused_value"):
            with self.assertRaises(AccessError):
                rows.read([name])
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        agent.sudo().write({"company_ids": [(6, 0, elsewhere.ids)], "company_id": elsewhere.id})
        theirs = self.env["support.undelivered"].with_user(agent).with_company(elsewhere)
        self.assertNotIn(self.contract, theirs.sudo(False).search([]).contract_id)

    def test_screen(self):
        action = self.env.ref("support_contract.action_support_undelivered").sudo()
        report = self.env["support.undelivered"]
        views = report.get_views([*action.views, (False, "search")])["views"]
        self.assertLessEqual({"list", "graph", "pivot", "search"}, views.keys())
        self._rows()
        groups = report.formatted_read_group(
            [("contract_id", "=", self.contract.id), ("latest", "=", True)],
            ["partner_id"],
            ["hours_unused:sum", "unused_percent:avg", "low_terms:max"],
        )
        self.assertEqual([group["hours_unused:sum"] for group in groups], [10])
