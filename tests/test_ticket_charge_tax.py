# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A ticket charge is entered with its taxes (B57): the invoice comes to it, to the cent."""

import random
from decimal import Decimal

from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ..tools.ticket_charge import FrozenCharge, settle
from .common import BillingCommon

CENT = Decimal("0.01")
amounts = st.decimals(min_value=0, max_value=1000, places=2)


class TestSettle(BaseCase):
    """The arithmetic: what is charged or refunded brings the frozen charges to the target."""

    @given(amounts, st.lists(amounts, max_size=5))
    def test_sum_is_the_target_and_no_charge_is_refunded_twice(self, target, lefts):
        frozen = [FrozenCharge(index + 1, left) for index, left in enumerate(lefts)]
        wanted = settle(target, frozen)
        self.assertEqual(sum(lefts, Decimal(0)) + sum(wanted.values()), target)
        for key, amount in wanted.items():
            self.assertTrue(amount)
            if key is None:
                self.assertGreater(amount, 0)
                self.assertEqual(len(wanted), 1)
            else:
                self.assertLess(amount, 0)
                self.assertLessEqual(-amount, lefts[key - 1])

    def test_the_youngest_is_refunded_first(self):
        frozen = [FrozenCharge("old", Decimal(10)), FrozenCharge("new", Decimal(5))]
        self.assertEqual(settle(Decimal(12), frozen), {"new": Decimal(-3)})
        self.assertEqual(settle(Decimal(4), frozen), {"new": Decimal(-5), "old": Decimal(-6)})

    def test_a_negative_target_is_refused(self):
        with self.assertRaisesRegex(ValueError, "can't be negative"):
            settle(Decimal(-1), [])


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestTicketChargeTax(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._make_product("Help", 0.0, taxes_id=[Command.clear()])
        cls.company.support_ticket_product_id = cls.product

    def _tax(self, amount, include=False, kind="percent", **vals):
        return self.env["account.tax"].create(
            {
                "name": f"{kind} {amount} {include} {len(self.env['account.tax'].search([]))}",
                "amount": amount,
                "amount_type": kind,
                "type_tax_use": "sale",
                "price_include_override": "tax_included" if include else "tax_excluded",
            }
            | vals
        )

    def _invoice_amounts(self, amounts, taxes, **vals):
        """Charge a new ticket of the customer for each of the amounts; one invoice of them all."""
        self.product.taxes_id = taxes
        tickets = self.env["helpdesk.ticket"].concat(
            *(self._make_ticket(charge_amount=amount, **vals) for amount in amounts)
        )
        tickets.action_bill_now()
        bill = tickets.charge_ids.bill_id
        return self.env["support.invoicing"]._create_invoices(bill)

    def assertExact(self, move, amounts):
        """The invoice, its lines and its journal items are worth the amounts, tax included."""
        total = round(sum(amounts), 2)
        sign = move._get_support_sign()
        self.assertEqual(move.amount_total, total)
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        self.assertEqual(sorted(lines.mapped("price_total")), sorted(amounts))
        for line in lines:
            self.assertEqual(sign * line.price_subtotal, line.support_charge_id.amount)
            self.assertEqual(-sign * line.amount_currency, line.price_subtotal)
        receivable = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        self.assertEqual(round(sum(receivable.mapped("amount_currency")), 2), sign * total)
        self.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0, 9)
        self.assertEqual(round(sum(lines.mapped("price_subtotal")), 2), move.amount_untaxed)
        differences = self.env["support.discrepancy"]._prove_without_contract(
            move.commercial_partner_id
        )
        self.assertEqual(differences.mapped("description"), [])

    def test_ten_with_21_percent_is_ten(self):
        move = self._invoice_amounts([10.0], self._tax(21))
        self.assertEqual(
            (move.amount_untaxed, move.amount_tax, move.amount_total), (8.26, 1.74, 10.0)
        )
        self.assertExact(move, [10.0])
        tax_line = move.line_ids.filtered("tax_line_id")
        self.assertEqual(tax_line.amount_currency, -1.74)

    def test_plain_odoo_would_lose_the_cent(self):
        """What this is for: a line of 8.26 at 21 % comes to 9.99."""
        self.product.taxes_id = self._tax(21)
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_line_ids": [
                    Command.create({"product_id": self.product.id, "price_unit": 8.26})
                ],
            }
        )
        self.assertEqual(move.amount_total, 9.99)

    def test_the_cent_survives_other_lines_and_posting(self):
        tax = self._tax(21)
        move = self._invoice_amounts([10.0], tax)
        move.invoice_line_ids = [
            Command.create({"product_id": self.product.id, "price_unit": 8.26, "tax_ids": tax.ids})
        ]
        self.assertEqual(move.amount_total, 19.99)
        move.action_post()
        self.assertEqual(move.amount_total, 19.99)
        note = move._reverse_moves()
        self.assertEqual((note.amount_total, note.amount_untaxed), (19.99, 16.52))

    def test_an_accountant_may_still_change_the_line(self):
        move = self._invoice_amounts([10.0], self._tax(21))
        move.invoice_line_ids.price_unit = 100.0
        self.assertEqual(move.amount_total, 121.0)

    def test_without_tax(self):
        move = self._invoice_amounts([10.0, 0.01], self.env["account.tax"])
        self.assertEqual(move.amount_tax, 0)
        self.assertExact(move, [10.0, 0.01])

    def test_many_amounts_and_rates(self):
        """Random amounts under many taxes, rounded per line and globally."""
        rnd = random.Random(57)
        groups = [
            self._tax(rate, include)
            for rate in (0, 2.1, 5.5, 7, 10, 19, 20, 21, 25, 33.33)
            for include in (False, True)
        ]
        groups += [
            self._tax(10) + self._tax(5),
            self._tax(10, include_base_amount=True, sequence=1) + self._tax(5, sequence=2),
            self._tax(10, True, sequence=1) + self._tax(5.5, sequence=2),
            self._tax(1.5, kind="fixed") + self._tax(21),
            self._tax(20, kind="division"),
            self._tax(20, True, kind="division"),
        ]
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            for taxes in groups:
                low = 200 if "fixed" in taxes.mapped("amount_type") else 1
                values = [rnd.randint(low, 30000) / 100 for _index in range(rnd.randint(1, 4))]
                with self.subTest(method=method, taxes=taxes.mapped("name"), values=values):
                    self.assertExact(self._invoice_amounts(values, taxes), values)

    def test_every_amount_up_to_ten_at_21_percent(self):
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            values = [cents / 100 for cents in range(1, 1001, 17)]
            self.assertExact(self._invoice_amounts(values, self._tax(21)), values)

    def test_plain_invoices_are_exact_too(self):
        self.env["ir.config_parameter"].sudo().set_param("support_contract.plain_invoices", "1")
        for taxes in (self._tax(21), self._tax(21, True), self._tax(10) + self._tax(5)):
            self.assertExact(self._invoice_amounts([10.0, 33.33], taxes), [10.0, 33.33])

    def test_foreign_currency(self):
        other = self.setup_other_currency("HRK")
        contract = self._make_contract(
            self._make_plan(fee=1, currency_id=other.id), partner=self._make_customer("Zagreb Ltd")
        )
        self.assertEqual(contract.currency_id, other)
        self.product.taxes_id = self._tax(21)
        ticket = self._make_ticket(contract, charge_amount=10.0)
        ticket.action_bill_now()
        bill = ticket.charge_ids.bill_id
        move = self.env["support.invoicing"]._create_invoices(bill)
        self.assertEqual((move.amount_total, move.currency_id), (10.0, other))
        self.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0, 9)
        self.assertProved(contract)

    def test_fiscal_position_that_changes_before_the_invoice(self):
        """What the customer pays stays; what of it is untaxed follows the taxes of the invoice."""
        home, abroad = self._tax(21), self._tax(10)
        self.product.taxes_id = home
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        abroad.write(
            {"fiscal_position_ids": [Command.link(position.id)], "original_tax_ids": home.ids}
        )
        ticket = self._make_ticket(charge_amount=10.0)
        self.assertEqual(ticket.charge_ids.amount, 8.26)
        ticket.action_bill_now()
        self.customer.property_account_position_id = position
        bill = ticket.charge_ids.bill_id
        move = self.env["support.invoicing"]._create_invoices(bill)
        self.assertEqual(move.invoice_line_ids.tax_ids, abroad)
        self.assertEqual((move.amount_untaxed, bill.amount_untaxed), (9.09, 9.09))
        self.assertExact(move, [10.0])

    def test_credit_note_comes_to_the_refund(self):
        for taxes in (self._tax(21), self._tax(21, True), self._tax(10) + self._tax(5)):
            move = self._invoice_amounts([10.0], taxes)
            move.action_post()
            ticket = move.invoice_line_ids.support_charge_id.ticket_id
            for left, refunded in ((7.0, 3.0), (0.0, 7.0)):
                ticket.charge_amount = left
                note = move.reversal_move_ids.sorted("id")[-1:]
                self.assertEqual((note.move_type, note.amount_total), ("out_refund", refunded))
                self.assertExact(note, [refunded])
                note.action_post()
            self.assertEqual(move.payment_state, "reversed")

    def test_charges_and_ordinary_lines_on_one_invoice(self):
        """Parts on the same bill are taxed as ever."""
        part = self._make_product("Toner", 8.26, taxes_id=[Command.set(self._tax(21).ids)])
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            self.product.taxes_id = self._tax(21)
            ticket = self._make_ticket(charge_amount=10.0)
            self.env["support.charge"].create(
                {"kind": "part", "ticket_id": ticket.id, "product_id": part.id, "quantity": 1}
            )
            ticket.action_bill_now()
            move = self.env["support.invoicing"]._create_invoices(ticket.charge_ids.bill_id)
            self.assertEqual(move.amount_total, 19.99)
            self.assertEqual(
                sorted(move.invoice_line_ids.mapped("price_total")), [9.99, 10.0], method
            )
