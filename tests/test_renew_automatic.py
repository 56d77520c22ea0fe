# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts that renew themselves, or by a quotation, N days before their end (L35)."""

from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import freeze_time, new_test_user

from odoo.addons.support_contract.models.support_contract_renewing import (
    SupportContract as Renewing,
)

from .common import BillingCommon, SupportCommon


class AutomaticMixin:
    @classmethod
    def _ending(cls, mode="automatic", fee=100, **vals):
        """Ends with 2026; renewed twenty days before, on December 11."""
        plan_vals = {
            name: vals.pop(name)
            for name in ("duration_months", "billing_mode", "kind_id", "bill_approval")
            if name in vals
        }
        plan = cls._make_plan(
            fee=fee, renewal_mode=mode, renewal_days=20, duration_months=12, **plan_vals
        )
        return cls._make_contract(plan, "2026-01-01", **vals)

    @classmethod
    def _run(cls, day):
        """The job of a night; without its commits, which a test can't make."""
        with (
            freeze_time(f"{day} 03:00:00"),
            patch.object(type(cls.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 1),
        ):
            # As the scheduler does: by the system, whose company is another one.
            cls.env(user=SUPERUSER_ID)["support.contract"]._cron_renew()


@freeze_time("2026-03-01 12:00:00")
class TestRenewAutomatic(AutomaticMixin, SupportCommon):
    def test_once_on_its_day(self):
        contract = self._ending(renewal_increase=2.5)
        self.assertEqual(str(contract.renewal_date), "2026-12-11")
        self._run("2026-12-10")
        self.assertFalse(contract.renewal_ids)
        self._run("2026-12-11")
        renewal = contract.renewal_id
        self.assertEqual(renewal.state, "pending")
        self.assertEqual(str(renewal.date_start), "2027-01-01")
        self.assertEqual(str(renewal.date_end), "2027-12-31")
        self.assertEqual(renewal.line_ids.price_unit, 102.5)
        self.assertEqual(renewal.renewal_mode, "automatic")
        change = contract.change_ids
        self.assertEqual(change.kind, "renew")
        self.assertIn("20 days before", change.reason)
        self._run("2026-12-11")
        self._run("2026-12-12")
        self.assertEqual(contract.renewal_ids, renewal)
        self.assertEqual(len(contract.change_ids), 1)

    def test_customer_and_responsible_are_told(self):
        contract = self._ending()
        self._run("2026-12-11")
        renewal = contract.renewal_id
        mail = renewal.message_ids.filtered(lambda m: m.subject and "goes on" in m.subject)
        self.assertEqual(mail.partner_ids, self.customer)
        self.assertIn("12/31/2026", mail.body)
        self.assertIn("01/01/2027", mail.body)
        self.assertEqual(renewal.activity_ids.user_id, contract.user_id)

    def test_a_late_job_renews_what_has_ended_meanwhile(self):
        contract = self._ending()
        old = self._ending(date_end="2026-11-20")
        with freeze_time("2027-01-05 12:00:00"):
            self._roll(contract + old)
        self.assertEqual(contract.state, "expired")
        self._run("2027-01-06")
        self.assertEqual(contract.renewal_id.state, "active")
        self.assertEqual(str(contract.renewal_id.date_start), "2027-01-01")
        self.assertFalse(old.renewal_id, "that is too long ago")

    def test_what_is_not_renewed(self):
        by_hand = self._ending("none")
        endless = self._ending(date_end=False)
        cancelled = self._ending()
        terminated = self._ending()
        terminated._set_state("terminated")
        draft = self._ending(confirm=False)
        self._run("2026-12-11")
        cancelled.renewal_id.action_cancel()
        self._run("2026-12-12")
        for contract in by_hand + endless + terminated + draft + cancelled:
            self.assertFalse(contract.renewal_id)
        self.assertEqual(len(cancelled.renewal_ids), 1, "cancelled by somebody: it stays so")

    def test_a_contract_shorter_than_its_notice_is_renewed_once_it_has_begun(self):
        contract = self._ending(date_end="2026-01-10")
        self.assertEqual(str(contract.renewal_date), "2025-12-21")
        early = self._make_contract(
            contract.plan_id.copy({"kind_id": self._make_plan().kind_id.id}),
            "2026-04-01",
            date_end="2026-04-10",
        )
        early.action_activate()
        self._run("2026-03-25")
        self.assertFalse(early.renewal_id)
        self._run("2026-04-01")
        self.assertTrue(early.renewal_id)

    def test_one_that_fails_stops_no_other(self):
        bad, good = self._ending(), self._ending()
        original = Renewing._renew

        def fail(contract, *args, **kwargs):
            if contract == bad:
                raise UserError(contract.env._("Its journal is archived"))
            return original(contract, *args, **kwargs)

        with patch.object(Renewing, "_renew", fail):
            self._run("2026-12-11")
            self._run("2026-12-12")
        self.assertTrue(good.renewal_id)
        self.assertFalse(bad.renewal_id)
        failure = bad.activity_ids
        self.assertEqual(len(failure), 1, "told once")
        self.assertIn("Its journal is archived", failure.note)
        self._run("2026-12-13")
        self.assertTrue(bad.renewal_id, "tried again")

    def test_a_queue_in_the_way_is_told(self):
        contract = self._ending()
        queued = self._make_contract(contract.plan_id, "2027-01-01")
        self._run("2026-12-11")
        self.assertFalse(contract.renewal_ids)
        self.assertIn(queued.name, contract.activity_ids.note)

    def test_terms_come_from_the_plan_and_can_be_changed(self):
        contract = self._ending()
        self.assertEqual((contract.renewal_mode, contract.renewal_days), ("automatic", 20))
        contract.renewal_days = 31
        self.assertEqual(str(contract.renewal_date), "2026-11-30")
        contract.renewal_mode = "none"
        self.assertFalse(contract.renewal_date)


@freeze_time("2026-03-01 12:00:00")
class TestRenewalBills(AutomaticMixin, BillingCommon):
    def _ahead(self, **vals):
        contract = self._ending(billing_mode="advance", renewal_bill=True, **vals)
        self._bill(contract, "2026-12-31")
        self._run("2026-12-11")
        return contract, contract.renewal_id

    def test_the_first_bill_is_made_ahead(self):  # L35
        contract, renewal = self._ahead()
        bill = renewal.bill_ids
        self.assertEqual(renewal.state, "pending")
        self.assertEqual((bill.state, str(bill.date)), ("invoiced", "2027-01-01"))
        self.assertEqual((bill.amount_untaxed, bill.move_id.state), (100, "draft"))
        self._run("2026-12-12")
        with freeze_time("2027-01-02 12:00:00"):
            self._roll(contract + renewal)
            self._bill(contract, "2027-01-31")
            later = self._bill(renewal, "2027-02-01")
            self.assertEqual(renewal.state, "active")
            self.assertEqual(later.term_id.mapped("number"), [1])
            bill.move_id.action_post()
            self.assertProved(contract + renewal)

    def test_a_bill_that_needs_approval_waits_for_it(self):
        _contract, renewal = self._ahead(bill_approval="manager")
        self.assertEqual(renewal.bill_ids.state, "to_approve")
        renewal.action_cancel()
        self.assertEqual(renewal.bill_ids.state, "cancelled")

    def test_an_invoice_must_go_first(self):
        _contract, renewal = self._ahead()
        with self.assertRaisesRegex(UserError, "has the invoice"):
            renewal.action_cancel()
        self.assertEqual(renewal.state, "pending")

    def test_only_where_it_is_asked_for(self):
        contract = self._ending(billing_mode="advance")
        arrears = self._ending(renewal_bill=True)
        self._run("2026-12-11")
        self.assertFalse((contract + arrears).renewal_id.bill_ids)


@freeze_time("2026-03-01 12:00:00")
class TestRenewalQuotations(AutomaticMixin, BillingCommon):
    def _offer(self, **vals):
        contract = self._ending("quotation", renewal_increase=10, **vals)
        self._run("2026-12-11")
        self.assertFalse(contract.activity_ids.mapped("note"))
        return contract, contract.sudo().renewal_ids.renewal_order_ids

    def test_quotation_and_draft(self):
        contract, order = self._offer(title="Desk")
        renewal = contract.renewal_id
        self.assertEqual((renewal.state, order.state), ("draft", "sent"))
        self.assertEqual(order.support_renewal_id, renewal)
        self.assertEqual(order.partner_id, self.customer)
        self.assertEqual(order.order_line.price_unit, 110)
        self.assertIn("each month", order.order_line.name)
        self.assertEqual(str(order.validity_date), "2026-12-31")
        mail = order.message_ids.filtered(lambda m: m.subject and order.name in m.subject)
        self.assertEqual(mail.partner_ids, self.customer)
        self.assertIn(order.name, contract.change_ids.summary)
        self._run("2026-12-12")
        self.assertEqual(len(contract.sudo().renewal_ids.renewal_order_ids), 1)

    def test_confirming_the_order_confirms_the_renewal_and_bills_nothing_twice(self):
        contract, order = self._offer()
        renewal = contract.renewal_id
        with freeze_time("2026-12-15 12:00:00"):
            seller = new_test_user(
                self.env(su=True), "renew_seller", "sales_team.group_sale_salesman_all_leads"
            )
            order.user_id = seller
            order.with_user(seller).action_confirm()
        self.assertEqual(renewal.state, "pending")
        self.assertEqual((order.invoice_status, order.order_line.qty_to_invoice), ("no", 0))
        with freeze_time("2027-02-01 12:00:00"):
            self._roll(contract + renewal)
            bills = self._bill(renewal, "2027-02-01")
            self.assertEqual(sum(bills.mapped("amount_untaxed")), 110)
        with self.assertRaisesRegex(UserError, "has begun"):
            order.action_cancel()

    def test_what_is_sold_beside_the_renewal_is_invoiced_by_the_order(self):
        _contract, order = self._offer()
        renewing = order.order_line
        router = self._make_product("Router", 90)
        beside = order.order_line.create(
            {"order_id": order.id, "product_id": router.id, "product_uom_qty": 2}
        )
        with freeze_time("2026-12-15 12:00:00"):
            order.action_confirm()
        self.assertEqual((renewing.qty_to_invoice, beside.qty_to_invoice), (0, 2))
        self.assertEqual((order.invoice_status, beside.invoice_status), ("to invoice",) * 2)
        self.assertFalse(order.copy().order_line.filtered("support_renews"))

    def test_a_product_that_sells_contracts_makes_no_second_one(self):
        plan = self._make_plan(fee=50)
        self.fee_product.product_tmpl_id.sudo().support_plan_id = plan
        contract, order = self._offer()
        self.assertFalse(order.order_line.support_plan_id)
        before = self.env["support.contract"].search_count([])
        with freeze_time("2026-12-15 12:00:00"):
            order.action_confirm()
        self.assertEqual(self.env["support.contract"].search_count([]), before)
        self.assertEqual(contract.renewal_id.state, "pending")

    def test_a_refused_quotation_calls_the_renewal_off(self):
        contract, order = self._offer()
        renewal = contract.renewal_id
        order._action_cancel()
        self.assertEqual(renewal.state, "cancelled")
        self.assertFalse(contract.renewal_id)
        order.action_draft()
        with self.assertRaisesRegex(UserError, "isn't waiting"):
            order.action_confirm()

    def test_another_currency_needs_a_price_list(self):
        euro, usd = self.env.ref("base.EUR"), self.env.ref("base.USD")
        other = (euro + usd).filtered(lambda c: c != self.company.currency_id)[:1]
        other.sudo().active = True
        self.env["product.pricelist"].search([("currency_id", "=", other.id)]).active = False
        plan = self._make_plan(
            fee=100,
            currency_id=other.id,
            renewal_mode="quotation",
            renewal_days=20,
            duration_months=12,
        )
        contract = self._make_contract(plan, "2026-01-01")
        self._run("2026-12-11")
        self.assertFalse(contract.renewal_ids)
        self.assertIn("price list in that currency", contract.activity_ids.note)
        self.env["product.pricelist"].create({"name": "Other", "currency_id": other.id})
        self._run("2026-12-12")
        order = contract.sudo().renewal_ids.renewal_order_ids
        self.assertEqual((order.currency_id, order.amount_untaxed), (other, 100))
