# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Products that must not be sold to the customer of a contract (Y24)."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import BillingCommon
from .test_contract_prices import PriceMixin


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestBlockedProducts(PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.contract = cls._make_contract(date_end="2026-12-31")

    def _block(self, product=None):
        product = product or self.router
        self.contract.blocked_product_ids = product.product_tmpl_id

    def _assert_blocked(self):
        return self.assertRaisesRegex(
            (ValidationError, UserError), f"Router.*blocked by.*{self.contract.name}"
        )

    def test_order_line_is_refused(self):
        self._block()
        with self._assert_blocked():
            self._make_order()
        order = self._make_order(self.cable)
        with self._assert_blocked():
            order.order_line.product_id = self.router
        with self._assert_blocked():
            order.write({"order_line": [Command.create({"product_id": self.router.id})]})
        stranger = self._make_customer("Stranger Ltd")
        other = self._make_order(partner=stranger)
        with self._assert_blocked():
            other.partner_id = self.customer

    def test_lines_made_before_stay_but_are_not_confirmed(self):
        order = self._make_order()
        self._block()
        order.order_line.product_uom_qty = 2
        with self._assert_blocked():
            order.action_confirm()
        self.contract.blocked_product_ids = False
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_invoice_is_refused(self):
        before = self._make_invoice()
        self._block()
        with self._assert_blocked():
            self._make_invoice()
        with self._assert_blocked():
            self._make_invoice(self.cable).invoice_line_ids.product_id = self.router
        with self._assert_blocked():
            before.action_post()
        self.assertEqual(before.state, "draft")
        # What was sold can still be given back, and what is bought isn't sold.
        self._make_invoice(kind="out_refund").action_post()
        self._make_invoice(kind="in_invoice", day="2026-03-10").action_post()

    def test_only_while_the_contract_runs(self):
        self._block()
        self._make_invoice(day="2025-12-31").action_post()
        self.contract.action_suspend()
        self._make_order().action_confirm()
        self.contract.action_resume()
        with freeze_time("2027-01-01 12:00:00"):
            self._make_order().action_confirm()

    def test_category_with_those_below(self):
        parent = self.env["product.category"].create({"name": "Hardware"})
        child = self.env["product.category"].create({"name": "Network", "parent_id": parent.id})
        self.router.categ_id = child
        self.contract.blocked_categ_ids = parent
        with self._assert_blocked():
            self._make_order()
        self._make_order(self.cable)

    def test_contract_takes_the_block_of_its_plan(self):
        plan = self._make_plan(fee=50)
        plan.blocked_product_ids = self.router.product_tmpl_id
        contract = self._make_contract(plan, start="2026-01-01")
        self.assertEqual(contract.blocked_product_ids, self.router.product_tmpl_id)
        with self.assertRaisesRegex(ValidationError, contract.name):
            self._make_order()
        contract.blocked_product_ids = False
        self._make_order()
        self.assertTrue(plan.blocked_product_ids)

    def test_what_recurs_cannot_be_blocked(self):
        plan = self._make_plan(fee=50)
        with self.assertRaisesRegex(ValidationError, "recurs"), self.cr.savepoint():
            plan.blocked_product_ids = self.fee_product.product_tmpl_id
        contract = self._make_contract(plan)
        with self.assertRaisesRegex(ValidationError, "recurs"), self.cr.savepoint():
            contract.blocked_categ_ids = self.fee_product.categ_id
        contract.blocked_product_ids = self.router.product_tmpl_id
        with self.assertRaisesRegex(ValidationError, "recurs"):
            contract.line_ids = [self._line(5, product_id=self.router.id)]

    def test_own_billing_goes_on(self):
        """What the work under another contract has brought is billed: it was agreed before."""
        ticket = self._make_ticket(self.contract)
        self.env["support.charge"].create(
            {
                "kind": "part",
                "ticket_id": ticket.id,
                "product_id": self.router.id,
                "date": "2026-01-06",
            }
        )
        self._block()
        bill = self._bill(self.contract, "2026-02-01")
        move = self._invoice(bill, post=True)
        self.assertEqual((move.state, move.amount_untaxed), ("posted", 100.0))
        self.assertProved(self.contract)

    def test_who_blocks(self):
        technician = self._make_user("technician_block", "support_contract.group_support_user")
        with self.assertRaises(AccessError):
            self.contract.with_user(technician).blocked_product_ids = False
        seller = self._make_user("seller_block", "sales_team.group_sale_salesman_all_leads")
        self._block()
        order = self.env(user=seller)["sale.order"].create({"partner_id": self.customer.id})
        with self._assert_blocked():
            order.order_line = [Command.create({"product_id": self.router.id})]
