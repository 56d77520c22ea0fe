# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts: from a plan, through their states by one door; what they sell; whom they cover."""

from datetime import date

import psycopg2
from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import HOUR, SupportCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestStates(SupportCommon):
    def test_contract_begun_is_active_when_confirmed(self):
        contract = self._make_contract(confirm=False)
        self.assertEqual(contract.state, "draft")
        contract.action_confirm()
        self.assertEqual(contract.state, "active")

    def test_contract_that_starts_later_is_pending(self):
        contract = self._make_contract(start="2026-02-01")
        self.assertEqual((contract.state, len(contract.term_ids)), ("pending", 0))

    def test_pending_contract_becomes_active_on_its_day(self):
        contract = self._make_contract(start="2026-02-01")
        with freeze_time("2026-02-01 00:00:00"):
            self._roll(contract)
        self.assertEqual((contract.state, contract.term_ids[0].state), ("active", "open"))

    def test_contract_expires_after_its_last_day(self):
        contract = self._make_contract(date_end="2026-01-31")
        with freeze_time("2026-01-31 23:59:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "active")
        with freeze_time("2026-02-01 00:00:00"):
            self._roll(contract)
        self.assertEqual(contract.state, "expired")

    def test_suspended_contract_can_be_resumed(self):
        contract = self._make_contract()
        contract.action_suspend()
        self.assertEqual(contract.state, "suspended")
        contract.action_resume()
        self.assertEqual(contract.state, "active")

    def test_state_is_not_written(self):
        contract = self._make_contract()
        for records in (contract, contract.sudo()):
            with self.assertRaisesRegex(UserError, "can't be written"):
                records.write({"state": "draft"})

    def test_state_is_not_given_at_creation(self):
        with self.assertRaisesRegex(UserError, "made as a draft"):
            self._make_contract(confirm=False, state="active")

    def test_wrong_transitions_are_refused_and_named(self):
        contract = self._make_contract(date_end="2026-01-31")
        with self.assertRaisesRegex(UserError, "is Active and can't become Draft"):
            contract.action_draft()
        with self.assertRaisesRegex(UserError, "is Active and can't become Cancelled"):
            contract.action_cancel()
        cancelled = self._make_contract(confirm=False)
        cancelled.action_cancel()
        with self.assertRaisesRegex(UserError, "is Cancelled and can't become Active"):
            cancelled.action_confirm()

    def test_cancelled_contract_can_be_drafted_again(self):
        contract = self._make_contract(confirm=False)
        contract.action_cancel()
        contract.action_draft()
        self.assertEqual(contract.state, "draft")

    def test_contract_that_sells_nothing_is_not_confirmed(self):
        contract = self._make_contract(self._make_plan(), confirm=False)
        with self.assertRaisesRegex(UserError, "add what it sells"):
            contract.action_confirm()

    def test_what_terms_hang_on_does_not_change(self):
        contract = self._make_contract()
        for vals in (
            {"date_start": "2026-01-02"},
            {"billing_period": "3"},
            {"partner_id": self._make_customer("Other").id},
            {"tz": "Europe/Berlin"},
        ):
            with self.assertRaisesRegex(UserError, "can't change any more"):
                contract.write(vals)

    def test_contract_with_a_history_is_not_deleted(self):
        with self.assertRaisesRegex(UserError, "has a history"):
            self._make_contract().unlink()

    def test_draft_is_deleted(self):
        contract = self._make_contract(confirm=False)
        contract.unlink()
        self.assertFalse(contract.exists())

    @mute_logger("odoo.sql_db")
    def test_end_before_the_start_is_refused(self):
        with self.assertRaises(psycopg2.errors.CheckViolation):
            self._make_contract(date_end="2025-12-31", confirm=False)
            self.env.flush_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestContract(SupportCommon):
    def _run_cron(self, now):
        with (
            freeze_time(now),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            self.env["support.contract"].with_env(self.env(cr=cr))._cron_roll()

    # === FROM THE PLAN === #

    def test_terms_come_from_the_plan(self):
        plan = self._make_plan(
            hours=5,
            fee=100,
            duration_months=12,
            billing_period="3",
            billing_mode="advance",
            alignment="calendar",
            proration="fixed30",
            overage_policy="carry",
            warning_thresholds="50",
            bill_approval="customer",
        )
        contract = self._make_contract(plan)
        self.assertRecordValues(
            contract,
            [
                {
                    "billing_period": "3",
                    "billing_mode": "advance",
                    "alignment": "calendar",
                    "proration": "fixed30",
                    "overage_policy": "carry",
                    "warning_thresholds": "50",
                    "bill_approval": "customer",
                    "title": "Standard",
                    "date_end": date(2026, 12, 31),
                }
            ],
        )
        self.assertEqual(contract.allowance_ids.quantity, 5 * HOUR)
        self.assertEqual(contract.line_ids.price_unit, 100)

    def test_contract_owns_its_rows(self):
        plan = self._make_plan(hours=5, fee=100)
        contract = self._make_contract(plan)
        plan.line_ids.price_unit = 1
        plan.allowance_ids.quantity = 1
        plan.overage_policy = "block"
        self.assertEqual(contract.line_ids.price_unit, 100)
        self.assertEqual(contract.allowance_ids.quantity, 5 * HOUR)
        self.assertEqual(contract.overage_policy, "charge")

    def test_terms_can_be_overridden(self):  # C25
        plan = self._make_plan(hours=5, fee=100)
        contract = self._make_contract(plan, overage_policy="allow", billing_mode="advance")
        self.assertEqual((contract.overage_policy, contract.billing_mode), ("allow", "advance"))
        self.assertEqual(plan.overage_policy, "charge")

    def test_rows_can_be_overridden(self):  # C25
        contract = self._make_contract(self._make_plan(hours=5, fee=100), confirm=False)
        contract.allowance_ids.quantity = 8 * HOUR
        contract.line_ids.price_unit = 90
        contract.action_confirm()
        self.assertEqual(contract.entitlement_ids.quantity, 8 * HOUR)
        self.assertEqual(contract.plan_id.line_ids.price_unit, 100)

    def test_contracts_are_numbered(self):
        first, second = self._make_contract(confirm=False), self._make_contract(confirm=False)
        self.assertRegex(first.name, r"^SC/2026/\d{4}$")
        self.assertEqual(int(second.name[-4:]), int(first.name[-4:]) + 1)

    def test_copy_is_a_new_draft(self):
        contract = self._make_contract(self._make_plan(hours=5, fee=100))
        copy = contract.copy()
        self.assertEqual((copy.state, copy.title), ("draft", "Standard (copy)"))
        self.assertNotEqual(copy.name, contract.name)
        self.assertEqual(len(copy.line_ids), 1)
        self.assertEqual(len(copy.allowance_ids), 1)
        self.assertFalse(copy.term_ids)

    def test_customer_decides_invoice_address_and_time_zone(self):
        customer = self._make_customer("Far Ltd", tz="Asia/Tokyo")
        address = self.env["res.partner"].create(
            {"name": "Accounts", "type": "invoice", "parent_id": customer.id}
        )
        contract = self._make_contract(partner=customer)
        self.assertEqual((contract.partner_invoice_id, contract.tz), (address, "Asia/Tokyo"))

    def test_plan_of_another_company_is_refused(self):
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        plan = self._make_plan(fee=1)
        plan.sudo().company_id = other
        with self.assertRaisesRegex(UserError, "Incompatible companies|belongs to another company"):
            self._make_contract(plan)

    def test_price_list_in_another_currency_is_refused(self):
        self.env.ref("base.EUR").sudo().active = True
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.env.ref("base.EUR").id}
        )
        with self.assertRaisesRegex(ValidationError, "Choose a price list in USD"):
            self._make_plan(fee=1, pricelist_id=pricelist.id)

    def test_contract_has_the_currency_of_its_plan(self):
        euro = self.env.ref("base.EUR")
        euro.sudo().active = True
        contract = self._make_contract(self._make_plan(fee=1, currency_id=euro.id))
        self.assertEqual(contract.currency_id, euro)

    # === WHAT IS SOLD (L9-L11, L25, Q30, C30) === #

    def test_subscription_for_a_period(self):
        plan = self._make_plan(fee=100, duration_months=12)
        self.assertEqual(plan.basis, "period")
        contract = self._make_contract(plan)
        with freeze_time("2027-01-01 12:00:00"):
            self._roll(contract)
        self.assertEqual((contract.state, len(contract.term_ids)), ("expired", 13))

    def test_period_or_hours_whichever_ends_first(self):
        plan = self._make_plan(
            allowances=[self._allowance(10, per="contract")],
            duration_months=12,
            ends_when_used=True,
        )
        self.assertEqual(plan.basis, "period_or_hours")
        by_hours = self._make_contract(plan)
        self._log_work(self._make_ticket(by_hours), "2026-01-19 10:00", 10)
        by_period = self._make_contract(plan, partner=self._make_customer("Slow Ltd"))
        self._run_cron("2026-01-21 12:00:00")
        self.assertEqual((by_hours.state, by_period.state), ("expired", "active"))
        with freeze_time("2027-01-01 12:00:00"):
            self._roll(by_period)
        self.assertEqual(by_period.state, "expired")

    def test_number_of_hours_for_good(self):
        plan = self._make_plan(allowances=[self._allowance(10, per="contract")])
        self.assertEqual(plan.basis, "hours")
        contract = self._make_contract(plan)
        with freeze_time("2027-06-01 12:00:00"):
            self._roll(contract)
        self.assertEqual(contract.entitlement_ids.mapped("quantity"), [10 * HOUR])
        self.assertFalse(contract.entitlement_ids.date_to)

    def test_hours_by_month_in_a_quarter(self):
        plan = self._make_plan(
            allowances=[self._allowance(10, per="month")], fee=100, billing_period="3"
        )
        self.assertEqual(plan.basis, "hours_by_month")
        contract = self._make_contract(plan)
        grants = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(grants.mapped("quantity"), [10 * HOUR] * 3)
        self.assertEqual(
            grants.mapped("date_to"), [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
        )

    def test_incidents(self):
        plan = self._make_plan(allowances=[self._allowance(incidents=3)], overage_policy="block")
        self.assertEqual(plan.basis, "incidents")
        contract = self._make_contract(plan)
        self._make_ticket(contract)
        self.assertEqual((contract.incidents_left, contract.incidents_used), (2, 1))

    def test_fixed_fee_with_an_allowance(self):
        plan = self._make_plan(hours=5, fee=100)
        self.assertEqual(plan.basis, "fixed_fee")
        contract = self._make_contract(plan)
        self._log_work(self._make_ticket(contract), "2026-01-19 10:00", 6)
        with freeze_time("2026-02-01 12:00:00"):
            bill = self._bill(contract, "2026-02-01")
        self.assertEqual((bill.amount_fees, bill.amount_work), (100, 70))

    def test_pure_time_and_material(self):
        plan = self._make_plan(rates=[self._rate("price", 80.0)])
        self.assertEqual(plan.basis, "time_material")
        contract = self._make_contract(plan)
        self._log_work(self._make_ticket(contract), "2026-01-19 10:00", 2)
        with freeze_time("2026-02-01 12:00:00"):
            bill = self._bill(contract, "2026-02-01")
        self.assertEqual((bill.amount_fees, bill.amount_work), (0, 160))

    # === WHOM IT COVERS === #

    def _open(self, partner, **vals):
        vals = {"partner_id": partner.id, "opened_at": "2026-01-20 10:00:00"} | vals
        return self._make_ticket(**vals)

    def test_ticket_finds_the_contract_of_its_customer(self):
        contract = self._make_contract()
        self.assertEqual(self._open(self.customer).contract_id, contract)

    def test_contract_of_the_company_covers_its_people(self):  # L14
        contract = self._make_contract()
        person = self.env["res.partner"].create({"name": "Bo", "parent_id": self.customer.id})
        self.assertEqual(self._open(person).contract_id, contract)

    def test_own_contract_goes_before_that_of_the_company(self):  # L14
        self._make_contract()
        person = self.env["res.partner"].create({"name": "Bo", "parent_id": self.customer.id})
        own = self._make_contract(partner=person)
        self.assertEqual(self._open(person).contract_id, own)

    def test_valid_contract_of_the_company_goes_before_a_pending_one(self):  # L14
        valid = self._make_contract()
        person = self.env["res.partner"].create({"name": "Bo", "parent_id": self.customer.id})
        self._make_contract(partner=person, start="2026-03-01")
        self.assertEqual(self._open(person).contract_id, valid)

    def test_choice_by_hand_wins(self):  # Y16
        self._make_contract()
        other = self._make_contract(priority=99)
        self.assertEqual(self._open(self.customer, contract_id=other.id).contract_id, other)

    def test_contract_may_be_kept_for_choice_by_hand(self):  # Y15
        self._make_contract(apply_to_new_tickets=False)
        self.assertFalse(self._open(self.customer).contract_id)

    def test_lowest_priority_number_then_earliest_end_wins(self):
        self._make_contract()
        ends_first = self._make_contract(date_end="2026-06-30")
        self.assertEqual(self._open(self.customer).contract_id, ends_first)
        preferred = self._make_contract(priority=1)
        self.assertEqual(self._open(self.customer).contract_id, preferred)

    def test_suspended_contract_covers_nothing(self):
        self._make_contract().action_suspend()
        self.assertFalse(self._open(self.customer).contract_id)

    def test_change_of_contact_finds_the_contract_again(self):
        contract = self._make_contract()
        stranger = self._make_customer("Stranger")
        ticket = self._open(stranger)
        self.assertFalse(ticket.contract_id)
        ticket.partner_id = self.customer
        self.assertEqual(ticket.contract_id, contract)
