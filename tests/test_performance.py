# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Our own queries are as many for a hundred records as for ten: constant per batch.

What plain Odoo does for the same records is measured beside it and taken off.
"""

from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import BillingCommon

FEW, MANY = 10, 100


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestPerformance(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        night = cls._make_shift("Night", [(0, 6), (22, 24)])
        cls.plan = cls._make_plan(
            hours=1000,
            fee=100,
            allowances=[cls._allowance(incidents=10000)],
            rates=[
                cls._rate("price", 70.0),
                cls._rate("multiplier", 1.5, shift_id=night.id),
            ],
        )
        cls.contract = cls._make_contract(cls.plan)
        cls.stranger = cls._make_customer("No contract")
        cls.ticket = cls._make_ticket(cls.contract)

    def _count(self, function):
        """Queries of a function, in a transaction that is forgotten."""
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            function()
            self.env.flush_all()
            count = self.env.cr.sql_log_count - before
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return count

    def assertConstant(self, ours, plain=lambda count: None, slack=0):
        """Assert that ours(count), without plain(count), takes as many queries for many as for few.

        :param int slack: queries for whole batches of inserts and the like
        """
        extra = {}
        for count in (FEW, FEW, MANY):  # the first time fills Odoo's caches
            own = self._count(lambda count=count: ours(count))
            extra[count] = own - self._count(lambda count=count: plain(count))
        self.assertLessEqual(extra[MANY], extra[FEW] + slack, extra)

    def _open_tickets(self, partner, count):
        self.env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Ticket {index}",
                    "description": "?",
                    "partner_id": partner.id,
                    "team_id": self.team.id,
                }
                for index in range(count)
            ]
        )

    def test_tickets_with_coverage_and_incident(self):
        self.assertConstant(
            lambda count: self._open_tickets(self.customer, count),
            lambda count: self._open_tickets(self.stranger, count),
        )

    def test_tickets_with_coverage_take_their_incidents(self):
        before = self.contract.incidents_left
        self._open_tickets(self.customer, FEW)
        self.assertEqual(self.contract.incidents_left, before - FEW)

    def test_tickets_of_many_customers(self):
        partners = [self._make_customer(f"Customer{index}") for index in range(MANY)]
        for partner in partners[::2]:
            self._make_contract(self.plan, partner=partner)

        def open_tickets(count):
            self.env["helpdesk.ticket"].create(
                [
                    {
                        "name": f"Ticket {index}",
                        "description": "?",
                        "partner_id": partners[index].id,
                        "team_id": self.team.id,
                    }
                    for index in range(count)
                ]
            )

        self.assertConstant(
            open_tickets, lambda count: self._open_tickets(self.stranger, count), slack=2
        )

    def _log_hours(self, count, **vals):
        self.env["account.analytic.line"].create(
            [
                {
                    "name": f"Work {index}",
                    "unit_amount": 0.5,
                    "employee_id": self.employee.id,
                    "project_id": self.project.id,
                }
                | {name: value(index) for name, value in vals.items()}
                for index in range(count)
            ]
        )

    def test_time_entries_that_draw_and_are_charged(self):
        self.project = self.team._get_support_project(self.company)
        self.assertConstant(
            lambda count: self._log_hours(
                count,
                ticket_id=lambda index: self.ticket.id,
                activity_type_id=lambda index: self.phone.id,
                work_start=lambda index: f"2026-01-{index % 28 + 1:02} 21:45:00",
            ),
            lambda count: self._log_hours(count, date=lambda index: f"2026-01-{index % 28 + 1:02}"),
        )

    def test_change_of_early_work_rates_everything_after_it_at_once(self):
        self.project = self.team._get_support_project(self.company)

        def change(count):
            self._log_hours(
                count,
                ticket_id=lambda index: self.ticket.id,
                activity_type_id=lambda index: self.phone.id,
                work_start=lambda index: f"2026-01-{index % 28 + 1:02} 10:00:00",
            )
            first = self.ticket.time_entry_ids.sorted("work_start")[0]
            first.unit_amount = 1000.5

        self.assertConstant(
            change,
            lambda count: self._log_hours(count, date=lambda index: f"2026-01-{index % 28 + 1:02}"),
        )

    def _make_contracts(self):
        departments = self.env["res.partner"].create(
            [
                {"name": f"Department {index}", "parent_id": self.customer.id, "tz": "UTC"}
                for index in range(MANY)
            ]
        )
        contracts = self.env["support.contract"].create(
            [
                {
                    "plan_id": self.plan.id,
                    "partner_id": department.id,
                    "date_start": "2026-01-01",
                    "user_id": self.env.uid,
                }
                for department in departments
            ]
        )
        contracts.action_confirm()
        return contracts

    def test_bills_of_many_contracts(self):
        contracts = self._make_contracts()
        self.assertConstant(
            lambda count: self.env["support.bill"]._generate(contracts[:count], date(2026, 2, 1)),
            slack=4,
        )

    def test_invoices_of_many_bills(self):
        contracts = self._make_contracts()
        bills = self.env["support.bill"]._generate(contracts, date(2026, 2, 1))
        bills.action_approve()
        invoicing = self.env["support.invoicing"]

        def make_plain(count):
            taxes = {}
            self.env["account.move"].create(
                [invoicing._prepare_invoice(bill, taxes, None) for bill in bills[:count]]
            )

        self.assertConstant(
            lambda count: invoicing._create_invoices(bills[:count]), make_plain, slack=2
        )

    def test_terms_of_many_contracts(self):
        contracts = self._make_contracts()

        def roll(count):
            with freeze_time("2026-02-28 12:00:00"):
                self._roll(contracts[:count], "2026-03-02")

        self.assertConstant(roll, slack=4)
