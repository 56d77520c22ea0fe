# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Billing runs: over many contracts, once, and one that is broken doesn't stop the others."""

from contextlib import contextmanager
from datetime import date

from freezegun import freeze_time

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBillingRun(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(fee=100, rates=[cls._rate("price", 70.0)])
        cls.contracts = cls.env["support.contract"].concat(
            *(
                cls._make_contract(cls.plan, partner=cls._make_customer(f"Customer{index}"))
                for index in range(5)
            )
        )

    @contextmanager
    def _break(self, contract):
        """Have the invoices of a contract refused: its invoice address is another company's."""
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        address = self.env["res.partner"].create({"name": "Accounts", "company_id": other.id})
        contract.sudo().partner_invoice_id = address
        yield
        address.company_id = False

    def _make_run(self, **vals):
        vals = {"date_until": "2026-02-01", "contract_ids": self.contracts.ids} | vals
        run = self.env["support.billing.run"].create(vals)
        run.action_start()
        return run

    def _process(self, run, batch_size=200):
        """Work on a run as the cron does, which commits as it goes."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            run.with_env(self.env(cr=cr, user=SUPERUSER_ID))._process(batch_size)

    def test_run_bills_and_invoices_every_contract(self):
        run = self._make_run()
        self.assertEqual((run.state, run.total, run.progress), ("running", 5, 0))
        self._process(run)
        self.assertEqual((run.state, run.done_count, run.progress), ("done", 5, 100))
        self.assertEqual(run.bill_ids.contract_id, self.contracts)
        self.assertEqual(set(run.bill_ids.mapped("state")), {"invoiced"})
        self.assertEqual((run.bill_count, run.amount_total), (5, 500.0))

    def test_small_batches_end_where_a_large_one_does(self):
        run = self._make_run()
        self._process(run, batch_size=2)
        self.assertEqual((run.state, run.bill_count, run.amount_total), ("done", 5, 500.0))

    @mute_logger("odoo.addons.support_contract.models.support_billing_run_item")
    def test_broken_contract_is_listed_and_does_not_stop_the_others(self):
        run = self._make_run()
        broken = self.contracts[2]
        with self._break(broken):
            self._process(run)
        self.assertEqual((run.state, run.failed_count, run.progress), ("failed", 1, 100))
        failed = run.item_ids.filtered(lambda item: item.state == "failed")
        self.assertEqual(failed.contract_id, broken)
        self.assertIn("Accounts", failed.message)
        self.assertEqual(run.bill_ids.contract_id, self.contracts - broken)

    @mute_logger("odoo.addons.support_contract.models.support_billing_run_item")
    def test_broken_contract_leaves_nothing_half_done(self):
        run = self._make_run()
        broken = self.contracts[2]
        with self._break(broken):
            self._process(run)
        self.assertFalse(broken.bill_ids)
        self.assertFalse(broken.charge_ids)
        self.assertFalse(any(broken.term_ids.mapped("charged")))

    @mute_logger("odoo.addons.support_contract.models.support_billing_run_item")
    def test_retry_bills_the_failed_only(self):
        run = self._make_run()
        with self._break(self.contracts[2]):
            self._process(run)
        bills = run.bill_ids
        run.action_retry()
        waiting = run.item_ids.filtered(lambda item: item.state == "waiting")
        self.assertEqual(waiting.contract_id, self.contracts[2])
        self._process(run)
        self.assertEqual((run.state, run.failed_count), ("done", 0))
        self.assertEqual((run.bill_ids - bills).contract_id, self.contracts[2])
        self.assertEqual(run.amount_total, 500.0)
        self.assertFalse(waiting.message)

    def test_second_run_finds_nothing(self):
        self._process(self._make_run())
        again = self._make_run()
        self._process(again)
        self.assertEqual((again.total, again.bill_count, again.state), (0, 0, "done"))

    def test_run_started_beside_another_bills_nothing_twice(self):
        first, second = self._make_run(), self._make_run()
        self._process(first)
        self._process(second)
        self.assertEqual((second.state, second.bill_count), ("done", 0))
        self.assertEqual(len(self.contracts.bill_ids), 5)
        self.assertEqual(self.contracts.charge_ids.mapped("amount"), [100.0] * 5)

    def test_finished_run_processed_again_changes_nothing(self):
        run = self._make_run()
        self._process(run)
        self._process(run)
        self.assertEqual((run.state, run.bill_count), ("done", 5))

    def test_run_can_be_limited_to_plans(self):
        other = self._make_contract(
            self._make_plan(fee=5), partner=self._make_customer("Other plan")
        )
        run = self._make_run(contract_ids=False, plan_ids=other.plan_id.ids)
        self._process(run)
        self.assertEqual(run.bill_ids.contract_id, other)

    def test_run_bills_up_to_its_day_only(self):
        run = self._make_run(date_until="2026-01-31")
        self.assertEqual(run.total, 0)

    def test_late_run_bills_each_due_term_once_with_its_own_dates(self):  # T4
        with freeze_time("2026-04-20 12:00:00"):
            run = self._make_run(date_until="2026-04-20", contract_ids=self.contracts[0].ids)
            self._process(run)
        bills = run.bill_ids.sorted("date")
        self.assertEqual(
            bills.mapped("date"), [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]
        )
        self.assertEqual(bills.mapped("amount_untaxed"), [100.0] * 3)

    def test_run_waits_for_approval_where_it_is_wanted(self):
        self.contracts[0].bill_approval = "manager"
        run = self._make_run()
        self._process(run)
        states = {bill.contract_id: bill.state for bill in run.bill_ids}
        self.assertEqual(states.pop(self.contracts[0]), "to_approve")
        self.assertEqual(set(states.values()), {"invoiced"})

    def test_run_can_leave_the_invoices_for_later(self):
        run = self._make_run(make_invoices=False)
        self._process(run)
        self.assertEqual(set(run.bill_ids.mapped("state")), {"approved"})
        self.assertFalse(run.bill_ids.move_id)

    def test_contracts_of_another_company_are_left_alone(self):
        other = self.setup_other_company()["company"]
        run = self.env["support.billing.run"].create(
            {"date_until": "2026-02-01", "company_id": other.id}
        )
        run.action_start()
        self.assertFalse(run.item_ids)

    def test_cron_starts_a_run_where_something_is_due(self):
        runs = self.env["support.billing.run"]
        before = runs.search([])
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            runs.with_env(self.env(cr=cr, user=SUPERUSER_ID))._cron_bill()
            runs.with_env(self.env(cr=cr, user=SUPERUSER_ID))._cron_process()
        run = (runs.search([]) - before).filtered(lambda run: run.company_id == self.company)
        self.assertEqual((run.state, run.bill_ids.contract_id), ("done", self.contracts))

    def test_cron_starts_no_run_where_nothing_is_due(self):
        self._process(self._make_run())
        runs = self.env["support.billing.run"]
        before = runs.search([])
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            runs.with_env(self.env(cr=cr, user=SUPERUSER_ID))._cron_bill()
        self.assertFalse(
            (runs.search([]) - before).filtered(lambda r: r.company_id == self.company)
        )

    def test_run_that_has_begun_is_not_deleted(self):
        with self.assertRaisesRegex(UserError, "it is a record"):
            self._make_run().unlink()
