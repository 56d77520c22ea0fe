# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The discount of a contract (C24): exact, explained, and kept by what is billed."""

from decimal import Decimal
from fractions import Fraction

from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import BaseCase, Form, new_test_user, tagged

from ..tools.money import less, round_to
from .common import BillingCommon


class TestLess(BaseCase):
    @given(st.decimals(-10000, 10000, places=4), st.decimals(0, 100, places=2))
    def test_what_is_left_and_what_is_off_are_the_whole(self, value, percent):
        self.assertEqual(less(value, percent) + less(value, 100 - percent), Fraction(value))
        self.assertLessEqual(abs(less(value, percent)), abs(Fraction(value)))

    def test_more_than_everything_and_less_than_nothing_are_refused(self):
        for percent in ("-0.01", "100.01"):
            with self.assertRaises(ValueError):
                less(Decimal(1), Decimal(percent))


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestDiscount(BillingCommon):
    def _make(self, discount=10.0, **vals):
        vals = {
            "fee": 99.99,
            "rates": [self._rate("price", 33.33)],
            "incident_product_id": self.incident_product.id,
            "overage_policy": "charge",
        } | vals
        return self._make_contract(self._make_plan(**vals), discount=discount)

    def _get_amounts(self, charges):
        return {charge.kind: charge.amount for charge in charges if charge.kind != "covered"}

    def _make_work(self, contract):
        ticket = self._make_ticket(contract, opened="2026-01-05 09:00:00")
        self._log_work(ticket, "2026-01-06 10:00", 1.75)
        for kind in ("part", "expense"):
            self.env["support.charge"].create(
                {
                    "kind": kind,
                    "name": "Toner",
                    "ticket_id": ticket.id,
                    "product_id": self.fee_product.id,
                    "quantity": 3,
                    "price_unit": 3.33,
                    "date": "2026-01-06",
                }
            )
        ticket.charge_amount = 12.1
        return ticket

    def test_what_the_contract_prices_is_less_and_nothing_else(self):
        contract = self._make()
        self._make_work(contract)
        charges = self._bill(contract, "2026-02-01").charge_ids
        amounts = self._get_amounts(charges)
        self.assertEqual(amounts["recurring"], 89.99)  # 89.991
        self.assertEqual(amounts["labour"], 52.49)  # 58.3275 - 5.83275, rounded once
        self.assertEqual(amounts["incident"], 36.0)
        self.assertEqual(amounts["part"], 8.99)  # 9.99 - 0.999
        self.assertEqual(amounts["expense"], 9.99)
        [charge] = charges.filtered(lambda c: c.kind == "ticket")
        self.assertEqual(charge.amount_total, 12.1)
        undiscounted = charges.filtered(lambda c: not c.discount).mapped("kind")
        self.assertEqual(set(undiscounted), {"expense", "ticket"})

    def test_charges_bills_and_invoices_agree_and_lines_explain_it(self):
        self.company.tax_calculation_rounding_method = "round_per_line"
        contract = self._make()
        self._make_work(contract)
        bill = self._bill(contract, "2026-02-01")
        move = self._invoice(bill, post=True)
        self.assertProved(contract)
        lines = move.invoice_line_ids
        for line in lines:
            self.assertEqual(line.price_subtotal, line.support_charge_id.amount)
        fee = lines.filtered(lambda line: line.support_charge_id.kind == "recurring")
        self.assertEqual((fee.price_unit, fee.discount), (99.99, 10.0))
        work = lines.filtered(lambda line: line.support_charge_id.kind == "labour")
        self.assertEqual((work.quantity, work.price_unit, work.discount), (1.75, 33.33, 10.0))
        self.assertTrue(bill.has_discount)
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "support_contract.action_report_support_bill", bill.ids
        )
        self.assertEqual(html.decode().count("less <span>10.0"), 4)

    def test_prices_with_taxes_in_them_and_thirds_are_said_in_words(self):
        tax = self.env["account.tax"].create(
            {"name": "Incl", "amount": 21.0, "price_include_override": "tax_included"}
        )
        self.fee_product.taxes_id = [Command.set(tax.ids)]
        contract = self._make(discount=33.33)
        move = self._invoice(self._bill(contract, "2026-02-01"), post=True)
        line = move.invoice_line_ids
        self.assertEqual(line.price_subtotal, 66.66)  # 99.99 - 33.3266...
        self.assertIn("less 33.33 %", line.name)
        self.assertProved(contract)

    def test_rounding_globally_sums_what_is_billed(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        contract = self._make(discount=12.5)
        self._make_work(contract)
        move = self._invoice(self._bill(contract, "2026-02-01"), post=True)
        # 99.99 less 12.5 % isn't whole cents: it is said in words.
        fee = move.invoice_line_ids.filtered(lambda li: li.support_charge_id.kind == "recurring")
        self.assertEqual((fee.price_subtotal, fee.discount), (87.49, 0.0))
        self.assertIn("less 12.5 %", fee.name)
        self.assertProved(contract)

    def test_another_discount_is_for_what_is_not_approved(self):
        contract = self._make()
        ticket = self._make_work(contract)
        bill = self._bill(contract, "2026-02-01")
        contract.discount = 20
        amounts = self._get_amounts(bill.charge_ids)
        self.assertEqual(
            [amounts[kind] for kind in ("recurring", "labour", "incident", "part", "expense")],
            [79.99, 46.66, 32.0, 7.99, 9.99],
        )
        bill.action_approve()
        before = self._get_amounts(bill.charge_ids)
        contract.discount = 50
        self.assertEqual(self._get_amounts(bill.charge_ids), before)
        late = self._log_work(ticket, "2026-01-07 10:00", 2)
        self.assertEqual(late.charge_ids.amount, 33.33)
        self.assertProved(contract)

    def test_work_that_is_taken_off_an_approved_bill_follows(self):
        contract = self._make()
        self._make_work(contract)
        bill = self._bill(contract, "2026-02-01")
        bill.action_approve()
        contract.discount = 20
        charge = bill.charge_ids.filtered(lambda c: c.kind == "labour")
        self.assertEqual(charge.amount, 52.49)
        bill.action_cancel()
        self.assertEqual((charge.discount, charge.amount), (20.0, 46.66))

    def test_a_fee_that_changes_later_keeps_the_discount_it_was_charged_with(self):
        contract = self._make(fee=100)
        self._bill(contract, "2026-02-01").action_approve()
        contract.discount = 50
        contract.line_ids.price_unit = 120
        bill = self._bill(contract, "2026-03-01")
        # January: 120 - 100, less 10 %; February: 120, less 50 %.
        self.assertEqual(sorted(bill.charge_ids.mapped("amount")), [18.0, 60.0])

    def test_rated_from_scratch_it_is_the_same(self):
        first, second = self._make(discount=0), self._make(discount=25)
        for contract in (first, second):
            ticket = self._make_ticket(contract)
            self._log_work(ticket, "2026-01-06 10:00", 1.1)
        first.discount = 25
        found = [self._get_amounts(c.charge_ids) for c in (first, second)]
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0]["incident"], 30.0)

    def test_what_is_coming_is_less_too(self):
        contract = self._make(fee=100)
        self.assertEqual(contract.monthly_amount, 90.0)
        [fee] = contract.term_ids[0]._prepare_fees()
        self.assertEqual(fee["amount"], 90.0)

    def test_it_is_a_term_of_the_contract_for_those_who_see_prices(self):
        contract = self._make()
        self.env.cr.precommit.run()
        versions = len(contract.version_ids)
        contract.discount = 15
        self.env.cr.precommit.run()
        self.assertEqual(len(contract.version_ids), versions + 1)
        last = contract.version_ids.sorted("number")[-1]
        self.assertIn("Discount (%): changed", last.summary)
        user = new_test_user(self.env, "tech", "support_contract.group_support_user")
        self.assertNotIn("discount", contract.with_user(user).fields_get())
        with Form(contract) as form:
            form.discount = 20
        self.assertEqual(contract.discount, 20)

    def test_a_technician_records_discounted_work_and_parts(self):
        contract = self._make()
        user = new_test_user(
            self.env,
            "tech",
            "support_contract.group_support_user,helpdesk_mgmt.group_helpdesk_user",
        )
        self.env["hr.employee"].sudo().create({"name": "Tech", "user_id": user.id})
        ticket = self._make_ticket(contract)
        self.env.invalidate_all()
        line = self._log_work(ticket, "2026-01-06 10:00", 2, user_id=user.id)
        more = line.with_user(user).copy({"name": "More"})
        self.assertEqual(more.sudo().charge_ids.amount, 59.99)  # 66.66 - 6.666
        self.env["support.part.wizard"].with_user(user).create(
            {"ticket_id": ticket.id, "product_id": self.fee_product.id, "quantity": 2}
        ).action_add()
        part = ticket.charge_ids.filtered(lambda c: c.kind == "part")
        self.assertEqual((part.discount, part.amount), (10.0, 180.0))

    def test_more_than_everything_is_refused(self):
        contract = self._make()
        for discount in (-0.01, 100.01):
            with self.assertRaisesRegex(ValidationError, "between 0 and 100 %"):
                contract.discount = discount

    def test_amounts_are_rounded_once(self):
        step = Decimal("0.01")
        self.assertEqual(round_to(less(Decimal("58.3275"), Decimal(10)), step), Decimal("52.49"))
