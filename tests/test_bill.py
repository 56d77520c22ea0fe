# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Bills and invoices: what is billed is billed once, and an invoice says what the bill says."""

import random
from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import BillingCommon

PLAIN = "support_contract.plain_invoices"


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBill(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(hours=5, fee=100, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls.line = cls._log_work(cls.ticket, "2026-01-10 10:00", 6)

    @classmethod
    def _make_charge(cls, contract, amount, product=None, **vals):
        """A charge to be billed at once."""
        values = {
            "kind": "labour",
            "name": "Something",
            "contract_id": contract.id,
            "partner_id": contract.commercial_partner_id.id,
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "product_id": (product or cls.fee_product).id,
            "date": "2026-01-15",
            "quantity": 1.0,
            "price_unit": amount,
            "amount": amount,
        }
        return cls.env["support.charge"].create(values | vals)

    def _bill_january(self, contract=None):
        return self._bill(contract or self.contract, "2026-02-01")

    # === GENERATION === #

    def test_bill_of_a_term_has_fee_and_overage(self):
        bill = self._bill_january()
        self.assertEqual((bill.amount_fees, bill.amount_work, bill.amount_untaxed), (100, 70, 170))
        self.assertEqual((bill.kind, bill.state, bill.date), ("term", "draft", date(2026, 2, 1)))

    def test_generating_twice_finds_nothing_the_second_time(self):
        self._bill_january()
        self.assertFalse(self._bill_january())

    def test_nothing_is_due_before_the_term_ends(self):
        self.assertFalse(self._bill(self.contract, "2026-01-31"))

    def test_fee_in_advance_meets_the_usage_of_the_term_before(self):
        plan = self.plan.copy({"billing_mode": "advance"})
        contract = self._make_contract(plan, partner=self._make_customer("Early Ltd"))
        self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 6)
        january, february = self._bill_january(contract).sorted("date")
        self.assertEqual((january.amount_fees, january.amount_work), (100, 0))
        self.assertEqual((february.amount_fees, february.amount_work), (100, 70))

    def test_late_work_of_a_billed_term_comes_on_the_next_bill(self):
        self._invoice(self._bill_january())
        late = self._log_work(self.ticket, "2026-01-20 10:00", 1)
        self.assertFalse(self._bill_january())
        self.assertEqual(late.charge_ids.billing_term_id.number, 1)
        with freeze_time("2026-03-01 12:00:00"):
            bill = self._bill(self.contract, "2026-03-01")
        self.assertEqual((bill.amount_fees, bill.amount_work), (100, 70))

    def test_late_work_after_the_last_bill_comes_on_an_immediate_one(self):
        contract = self._make_contract(
            self.plan, partner=self._make_customer("Short Ltd"), date_end="2026-01-31"
        )
        ticket = self._make_ticket(contract)
        self._invoice(self._bill_january(contract))
        final = contract.term_ids.filtered(lambda term: term.kind == "final")
        self._log_work(ticket, "2026-01-20 10:00", 6)
        bill = self._bill(contract, "2026-02-02")
        self.assertEqual((bill.term_id, bill.amount_untaxed), (final, 70.0))
        self._invoice(bill)
        self._log_work(ticket, "2026-01-21 10:00", 1)
        bill = self._bill(contract, "2026-02-02")
        self.assertEqual((bill.kind, bill.amount_untaxed), ("immediate", 70.0))

    def test_a_term_has_one_main_bill_by_the_database(self):
        bill = self._bill_january()
        with self.assertRaisesRegex(Exception, "has a bill already|one_main_bill"):
            bill.copy({"term_id": bill.term_id.id, "is_main": True, "kind": "term"})
            self.env.flush_all()

    # === APPROVAL === #

    def test_bill_without_approval_is_approved_when_submitted(self):
        bill = self._bill_january()
        bill.action_submit()
        self.assertEqual(
            (bill.state, set(bill.charge_ids.mapped("state"))), ("approved", {"approved"})
        )

    def test_bill_waits_for_manager_or_customer(self):
        for who in ("manager", "customer"):
            contract = self._make_contract(
                self.plan, partner=self._make_customer(who), bill_approval=who
            )
            bill = self._bill_january(contract)
            bill.action_submit()
            self.assertEqual(bill.state, "to_approve")
            bill.action_approve()
            self.assertEqual(bill.state, "approved")

    def test_unapproved_bill_is_not_invoiced(self):
        with self.assertRaisesRegex(UserError, "only while a bill is Approved"):
            self._bill_january().action_invoice()

    def test_waiting_bill_is_a_draft_again_when_its_work_changes(self):
        self.contract.bill_approval = "manager"
        bill = self._bill_january()
        bill.action_submit()
        self.line.unit_amount = 7
        self.assertEqual((bill.state, bill.amount_untaxed), ("draft", 240.0))

    def test_work_on_an_approved_bill_is_frozen(self):
        bill = self._bill_january()
        bill.action_approve()
        for change in ({"unit_amount": 1}, {"work_start": "2026-01-11 10:00:00"}):
            with self.assertRaisesRegex(UserError, "approved or invoiced"):
                self.line.write(change)
        with self.assertRaisesRegex(UserError, "approved or invoiced"):
            self.line.unlink()

    def test_charge_on_an_approved_bill_is_frozen(self):
        bill = self._bill_january()
        bill.action_approve()
        with self.assertRaisesRegex(UserError, "can't change any more"):
            bill.charge_ids[0].amount = 1
        with self.assertRaisesRegex(UserError, "can't change any more"):
            bill.charge_ids[0].cancelled = True

    def test_frozen_work_keeps_what_it_drew_when_earlier_work_comes(self):
        bill = self._bill_january()
        bill.action_approve()
        before = self._get_charges(self.line)
        late = self._log_work(self.ticket, "2026-01-02 10:00", 1)
        self.assertEqual(self._get_charges(self.line), before)
        self.assertEqual(self._get_charges(late), [("overage", 1, 70.0)])
        self.assertProved(self.contract)

    def test_cancelled_bill_opens_its_charges_for_the_next(self):
        bill = self._bill_january()
        bill.action_approve()
        bill.action_cancel()
        self.assertEqual(set(self.line.charge_ids.mapped("state")), {"open"})
        again = self._bill_january()
        self.assertEqual((again.amount_untaxed, again.kind), (170.0, "term"))
        self.assertFalse(self._bill_january())

    def test_approved_bill_is_not_deleted(self):
        bill = self._bill_january()
        bill.action_approve()
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            bill.unlink()

    def test_bill_of_nothing_is_settled(self):
        contract = self._make_contract(
            self._make_plan(hours=5), partner=self._make_customer("Quiet Ltd")
        )
        self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        bill = self._bill_january(contract)
        bill.action_submit()
        self.assertEqual((bill.state, bill.amount_untaxed), ("settled", 0.0))

    # === THE INVOICE === #

    def test_invoice_has_what_the_bill_has(self):
        bill = self._bill_january()
        move = self._invoice(bill)
        self.assertEqual((move.move_type, move.state), ("out_invoice", "draft"))
        self.assertEqual((move.amount_untaxed, move.amount_tax), (170.0, 25.5))
        self.assertEqual((move.invoice_date, move.invoice_origin), (bill.date, bill.name))
        self.assertEqual(move.invoice_line_ids.support_charge_id, bill.charge_ids)

    def test_covered_work_appears_at_nothing(self):  # ex. C34, ex. D19
        move = self._invoice(self._bill_january())
        covered = move.invoice_line_ids.filtered(
            lambda line: line.support_charge_id.kind == "covered"
        )
        self.assertEqual((covered.quantity, covered.price_unit, covered.price_subtotal), (5, 0, 0))

    def test_invoice_has_the_terms_of_the_contract(self):
        address = self.env["res.partner"].create(
            {"name": "Accounts", "type": "invoice", "parent_id": self.customer.id}
        )
        analytic = self.env["account.analytic.account"].create(
            {
                "name": "Support",
                "plan_id": self.env["account.analytic.plan"].create({"name": "Plan"}).id,
            }
        )
        self.contract.write(
            {
                "partner_invoice_id": address.id,
                "client_order_ref": "PO 4711",
                "payment_term_id": self.pay_terms_b.id,
                "analytic_account_id": analytic.id,
            }
        )
        move = self._invoice(self._bill_january(), post=True)
        self.assertEqual((move.partner_id, move.ref), (address, "PO 4711"))
        self.assertEqual(move.invoice_payment_term_id, self.pay_terms_b)
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        self.assertEqual(len(due), 2)
        for line in move.invoice_line_ids:
            self.assertEqual(line.analytic_distribution, {str(analytic.id): 100.0})

    def test_fiscal_position_maps_taxes_and_accounts(self):
        self.contract.fiscal_position_id = self.fiscal_pos_a
        move = self._invoice(self._bill_january())
        self.assertEqual(move.fiscal_position_id, self.fiscal_pos_a)
        self.assertEqual(move.invoice_line_ids.tax_ids, self.tax_sale_b)
        self.assertEqual(
            move.invoice_line_ids.account_id, self.product_b.property_account_income_id
        )

    def test_products_have_their_own_accounts(self):
        account = self.copy_account(self.company_data["default_account_revenue"])
        self.fee_product.property_account_income_id = account
        move = self._invoice(self._bill_january())
        fee = move.invoice_line_ids.filtered(lambda line: line.product_id == self.fee_product)
        self.assertEqual(fee.account_id, account)
        self.assertNotIn(account, (move.invoice_line_ids - fee).account_id)

    def test_each_contract_has_its_invoice(self):
        other = self._make_contract(self._make_plan(fee=100))
        moves = self._invoice(self._bill_january(self.contract | other))
        self.assertEqual(moves.mapped("amount_untaxed"), [170.0, 100.0])

    def test_customer_may_have_one_invoice_for_all(self):
        self.customer.support_invoice_grouping = "customer"
        other = self._make_contract(self._make_plan(fee=100))
        bills = self._bill_january(self.contract | other)
        move = self._invoice(bills)
        self.assertEqual((len(move), move.amount_untaxed), (1, 270.0))
        self.assertEqual(move.support_bill_ids, bills)
        sections = move.invoice_line_ids.filtered(lambda line: line.display_type == "line_section")
        self.assertEqual(len(sections), 2)

    def test_negative_bill_is_a_credit_note(self):
        self._make_charge(self.contract, -300.0, kind="credit")
        bill = self._bill(self.contract, "2026-01-31")
        move = self._invoice(bill, post=True)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 300.0))
        self.assertEqual((bill.amount_untaxed, bill.state), (-300.0, "invoiced"))
        self.assertProved(self.contract)

    def test_odd_seconds_are_worth_the_same_everywhere(self):
        ticket = self._make_ticket(self.contract)
        for index, seconds in enumerate((6000, 1, 3601, 12345, 59)):
            self._log_seconds(ticket, f"2026-01-2{index} 10:00", seconds)
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        amounts = [116.67, 0.02, 70.02, 240.04, 1.15]
        self.assertEqual(ticket.charged_amount, sum(amounts))
        self.assertAlmostEqual(bill.amount_untaxed, 170 + sum(amounts), 2)
        self.assertEqual(move.amount_untaxed, bill.amount_untaxed)
        for line in move.invoice_line_ids:
            self.assertEqual(line.price_subtotal, line.support_charge_id.amount)
        self.assertProved(self.contract)

    def test_taxes_included_in_prices_leave_the_charges_untaxed(self):
        tax = self.tax_sale_a.copy(
            {"name": "21% incl.", "amount": 21, "price_include_override": "tax_included"}
        )
        self.fee_product.taxes_id = tax
        self.phone.product_id.taxes_id = tax
        self._log_seconds(self.ticket, "2026-01-20 10:00", 6000)
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        self.assertEqual((bill.amount_untaxed, move.amount_untaxed), (286.67, 286.67))
        self.assertEqual(move.amount_tax, 60.2)
        self.assertProved(self.contract)

    def test_contract_in_another_currency_is_billed_in_it(self):
        euro = self.setup_other_currency("EUR", rates=[("1900-01-01", 0.5)])
        plan = self._make_plan(fee=100, rates=[self._rate("price", 70.0)], currency_id=euro.id)
        contract = self._make_contract(plan, partner=self._make_customer("Euro Ltd"))
        self._log_seconds(self._make_ticket(contract), "2026-01-10 10:00", 6000)
        bill = self._bill_january(contract)
        move = self._invoice(bill, post=True)
        self.assertEqual((move.currency_id, move.amount_untaxed), (euro, 216.67))
        self.assertEqual(move.amount_untaxed_signed, 433.34)
        self.assertProved(contract)

    # === THE LIFE OF THE INVOICE === #

    def _get_states(self, bill):
        return bill.state, set(bill.charge_ids.mapped("state"))

    def test_posted_invoice_leaves_the_bill_invoiced(self):
        bill = self._bill_january()
        self._invoice(bill, post=True)
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))

    def test_invoiced_bill_is_not_invoiced_again(self):
        bill = self._bill_january()
        self._invoice(bill)
        with self.assertRaisesRegex(UserError, "is Invoiced"):
            bill.action_invoice()
        self.assertFalse(self._bill_january())

    def test_invoice_reset_to_draft_still_holds_the_bill(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        move.button_draft()
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))

    def test_cancelled_invoice_frees_the_bill(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        move.button_draft()
        move.button_cancel()
        self.assertEqual(self._get_states(bill), ("approved", {"approved"}))
        again = self.env["support.invoicing"]._create_invoices(bill)
        self.assertEqual((bill.move_id, again.amount_untaxed), (again, 170.0))

    def test_cancelled_invoice_is_not_used_again_beside_its_successor(self):
        bill = self._bill_january()
        move = self._invoice(bill)
        move.button_cancel()
        self.env["support.invoicing"]._create_invoices(bill).action_post()
        move.button_draft()
        with self.assertRaisesRegex(UserError, "has been invoiced on"):
            move.action_post()

    def test_deleted_invoice_frees_the_bill(self):
        bill = self._bill_january()
        self._invoice(bill).unlink()
        self.assertEqual(self._get_states(bill), ("approved", {"approved"}))
        self.assertEqual(self.env["support.invoicing"]._create_invoices(bill), bill.move_id)

    def _reverse(self, move, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "date": "2026-02-02"})
        )
        action = wizard.modify_moves() if modify else wizard.refund_moves()
        return self.env["account.move"].browse(action["res_id"])

    def test_draft_credit_note_credits_nothing_yet(self):
        bill = self._bill_january()
        note = self._reverse(self._invoice(bill, post=True))
        self.assertEqual(note.state, "draft")
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))

    def test_posted_credit_note_credits_the_bill(self):
        bill = self._bill_january()
        note = self._reverse(self._invoice(bill, post=True))
        note.action_post()
        self.assertEqual(self._get_states(bill), ("credited", {"credited"}))
        self.assertEqual(note.invoice_line_ids.support_charge_id, bill.charge_ids)
        self.assertFalse(self._bill_january())

    def test_credit_note_reset_to_draft_brings_the_bill_back(self):
        bill = self._bill_january()
        note = self._reverse(self._invoice(bill, post=True))
        note.action_post()
        note.button_draft()
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))

    def test_part_of_a_credit_leaves_the_bill_invoiced(self):
        bill = self._bill_january()
        note = self._reverse(self._invoice(bill, post=True))
        note.invoice_line_ids.filtered(
            lambda line: line.product_id == self.fee_product
        ).price_unit = 40
        note.action_post()
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))

    def test_credited_bill_can_be_invoiced_again_once(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        self._reverse(move).action_post()
        bill.action_invoice_again()
        again = self.env["support.invoicing"]._create_invoices(bill)
        again.action_post()
        self.assertEqual(self._get_states(bill), ("invoiced", {"invoiced"}))
        self.assertEqual(
            bill.move_ids.filtered(lambda m: m.move_type == "out_invoice"), move | again
        )
        self.assertProved(self.contract)

    def test_corrected_copy_becomes_the_invoice_of_the_bill(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        copy = self._reverse(move, modify=True)
        self.assertEqual((copy.move_type, copy.state), ("out_invoice", "draft"))
        copy.action_post()
        self.assertEqual((bill.move_id, bill.state), (copy, "invoiced"))
        self.assertEqual(copy.amount_untaxed, 170.0)
        self.assertFalse(self._bill_january())
        self.assertProved(self.contract)

    def test_deleted_corrected_copy_leaves_the_bill_credited(self):
        bill = self._bill_january()
        copy = self._reverse(self._invoice(bill, post=True), modify=True)
        copy.unlink()
        self.assertEqual(self._get_states(bill), ("credited", {"credited"}))

    def test_company_may_post_at_once(self):
        self.company.support_post_invoices = True
        self.assertEqual(self._invoice(self._bill_january()).state, "posted")

    # === PREFILLED = PLAIN === #

    MOVE_FIELDS = (
        "move_type", "amount_untaxed", "amount_tax", "amount_total", "amount_residual",
        "amount_total_signed", "amount_untaxed_signed", "invoice_date", "invoice_date_due",
        "payment_state", "ref", "invoice_origin", "partner_id", "fiscal_position_id",
        "invoice_payment_term_id", "currency_id", "journal_id", "invoice_currency_rate",
    )  # fmt: skip
    LINE_FIELDS = (
        "display_type", "name", "product_id", "product_uom_id", "quantity", "price_unit",
        "discount", "price_subtotal", "price_total", "account_id", "tax_ids", "tax_line_id",
        "tax_repartition_line_id", "tax_tag_ids", "tax_base_amount", "balance", "debit", "credit",
        "amount_currency", "amount_residual", "amount_residual_currency", "currency_id",
        "partner_id", "date", "date_maturity", "analytic_distribution", "support_charge_id",
        "tax_group_id", "group_tax_id", "reconciled",
    )  # fmt: skip

    def _describe(self, move):
        def read(record, names):
            # Nothing is nothing, whichever way it is kept.
            values = {name: record[name] for name in names}
            return {
                name: value.ids if hasattr(value, "ids") else value or False
                for name, value in values.items()
            }

        lines = [read(line, self.LINE_FIELDS) for line in move.line_ids]
        return {
            "move": read(move, self.MOVE_FIELDS),
            "lines": sorted(lines, key=lambda values: str(sorted(values.items(), key=str))),
        }

    def _make_tax(self, amount, included=False):
        return self.tax_sale_a.copy(
            {
                "name": f"{amount}% {included}",
                "amount": amount,
                "price_include_override": "tax_included" if included else "tax_excluded",
            }
        )

    def _make_random_bill(self, rng, case, taxes, currencies, analytic):
        contract = self._make_contract(
            self._make_plan(fee=1, currency_id=rng.choice(currencies).id),
            start="2026-02-01",
            partner=self._make_customer(f"Customer {case}"),
            client_order_ref=rng.choice([False, "PO 1"]),
            payment_term_id=rng.choice([self.pay_terms_a, self.pay_terms_b]).id,
            fiscal_position_id=rng.choice([False, False, self.fiscal_pos_a.id]),
            analytic_account_id=rng.choice([False, analytic.id]),
        )
        products = self.env["product.product"]
        for index in range(3):
            products += self._make_product(
                f"Product {case} {index}",
                10,
                taxes_id=[Command.set(rng.choice(taxes).ids)],
            )
        for _index in range(rng.randint(1, 7)):
            seconds, price = rng.randint(1, 40000), rng.choice([70, 33.33, 0.07, 125.5])
            amount = contract.currency_id.round(seconds * price / 3600)
            self._make_charge(
                contract,
                rng.choice([1, 1, 1, -0.5, 0]) * amount,
                rng.choice(products),
                quantity=seconds / 3600,
                price_unit=price,
                seconds=seconds,
            )
        bill = self._bill(contract, "2026-02-02")
        bill.action_approve()
        return bill

    def _invoice_both_ways(self, bill):
        """The invoice as we make it and as Odoo would, of the same bill."""
        described = []
        for plain in (False, "1"):
            with self.env.cr.savepoint() as savepoint:
                self.env["ir.config_parameter"].sudo().set_param(PLAIN, plain)
                move = self.env["support.invoicing"]._create_invoices(bill)
                draft = self._describe(move)
                move.action_post()
                described.append((draft, self._describe(move)))
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
        return described

    def test_prefilled_invoices_are_those_of_odoo(self):
        rng = random.Random(20260202)
        euro = self.setup_other_currency("EUR", rates=[("1900-01-01", 0.7)])
        yen = self.setup_other_currency("JPY", rates=[("1900-01-01", 133.7)])
        none = self.env["account.tax"]
        tax_5, tax_19, incl_21 = (
            self._make_tax(5), self._make_tax(19), self._make_tax(21, included=True),
        )  # fmt: skip
        taxes = [none, tax_5, tax_19, tax_5 + tax_19, self.tax_sale_a, incl_21]
        analytic = self.env["account.analytic.account"].create(
            {
                "name": "Support",
                "plan_id": self.env["account.analytic.plan"].create({"name": "Plan"}).id,
            }
        )
        for case in range(20):
            self.company.tax_calculation_rounding_method = rng.choice(
                ["round_per_line", "round_globally"]
            )
            currencies = [self.company.currency_id, euro, yen]
            bill = self._make_random_bill(rng, case, taxes, currencies, analytic)
            if bill.state == "settled":
                continue
            with self.subTest(case=case):
                prefilled, plain = self._invoice_both_ways(bill)
                self.assertEqual(prefilled[0], plain[0])
                self.assertEqual(prefilled[1], plain[1])
