# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""To whom bills go, and before which day they are to be paid (C24)."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBillAddress(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.books = cls.env["res.partner"].create(
            {"name": "Books & Co", "email": "books@example.com"}
        )
        cls.thirty = cls.env["account.payment.term"].create(
            {
                "name": "Half in 10 days, the rest in 45",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (10, 45)
                ],
            }
        )

    def _make(self, plan_vals=None, **vals):
        plan = self._make_plan(fee=100, **plan_vals or {})
        return self._make_contract(plan, **vals)

    def _get_proposed(self, move):
        send = self.env["account.move.send"]
        template = send._get_default_mail_template_id(move)
        return send._get_default_mail_partner_ids(move, template, "en_US")

    # === RECIPIENTS === #

    def test_the_mail_with_the_bill_goes_to_those_named(self):
        contract = self._make({"bill_approval": "customer"})
        contract.bill_recipient_ids = self.books | self.customer
        bill = self._bill(contract, "2026-02-01")
        bill.action_submit()
        bill.sudo()._ask_customer()
        mail = self.env["mail.mail"].search([("model", "=", bill._name), ("res_id", "=", bill.id)])
        self.assertEqual(mail.recipient_ids, self.books | self.customer)

    def test_nobody_named_means_the_invoice_address(self):
        bill = self._bill(self._make(), "2026-02-01")
        self.assertEqual(bill._get_recipients(), self.customer)

    def test_somebody_without_an_address_is_refused(self):
        contract = self._make()
        mute = self.env["res.partner"].create({"name": "Mute"})
        with self.assertRaisesRegex(ValidationError, "Mute has no e-mail address"):
            contract.bill_recipient_ids = mute

    def test_invoices_are_proposed_to_them_too(self):
        contract, other = self._make(), self._make()
        contract.bill_recipient_ids = self.books
        moves = self._invoice(self._bill(contract | other, "2026-02-01"))
        mine = moves.filtered(lambda move: move.support_bill_ids.contract_id == contract)
        self.assertEqual(self._get_proposed(mine), self.books)
        self.assertEqual(self._get_proposed(moves - mine), self.customer)

    def test_an_invoice_of_several_contracts_goes_to_all(self):
        self.customer.support_invoice_grouping = "customer"
        contract, other = self._make(), self._make()
        contract.bill_recipient_ids = self.books
        move = self._invoice(self._bill(contract | other, "2026-02-01"))
        self.assertEqual(len(move), 1)
        self.assertEqual(self._get_proposed(move), self.books | self.customer)

    # === PAY BEFORE === #

    def test_payment_terms_come_from_the_plan_before_the_customer(self):
        self.customer.property_payment_term_id = self.pay_terms_a
        self.assertEqual(self._make().payment_term_id, self.pay_terms_a)
        contract = self._make({"payment_term_id": self.thirty.id})
        self.assertEqual(contract.payment_term_id, self.thirty)
        contract.payment_term_id = self.pay_terms_a
        self.assertEqual(contract.payment_term_id, self.pay_terms_a)

    def test_the_bill_says_the_due_date_of_its_invoice(self):
        bill = self._bill(self._make({"payment_term_id": self.thirty.id}), "2026-02-01")
        self.assertEqual(bill.date_due, date(2026, 3, 18))  # 45 days after February 1st
        move = self._invoice(bill, post=True)
        self.assertEqual(move.invoice_date_due, bill.date_due)
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "support_contract.action_report_support_bill", bill.ids
        )
        self.assertIn("Pay Before", html.decode())
        self.assertIn("03/18/2026", html.decode())

    def test_without_payment_terms_it_is_due_at_once(self):
        self.customer.property_payment_term_id = False
        bill = self._bill(self._make(), "2026-02-01")
        self.assertEqual(bill.date_due, bill.date)
