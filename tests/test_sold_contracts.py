# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts sold on sales orders (L37, L38, L43)."""

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .common import BillingCommon
from .test_contract_prices import PriceMixin


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestSoldContracts(PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.plan = cls._make_plan(fee=100, hours=5, billing_mode="advance", duration_months=12)
        cls.sold = cls._make_product(
            "Gold contract", 120.0, taxes_id=False, support_plan_id=cls.plan.id
        )

    def _sell(self, product=None, confirm=True, **vals):
        order = self._make_order(product or self.sold, **vals)
        if confirm:
            order.action_confirm()
        return order

    def _get_contracts(self, order):
        return self.env["support.contract"].search([("sale_line_id.order_id", "=", order.id)])

    def test_order_makes_a_contract(self):
        order = self._sell(confirm=False, quantity=3)
        order.client_order_ref = "PO 77"
        self.assertFalse(self._get_contracts(order))
        order.action_confirm()
        contract = self._get_contracts(order)
        self.assertRecordValues(
            contract,
            [
                {
                    "state": "active",
                    "plan_id": self.plan.id,
                    "partner_id": self.customer.id,
                    "client_order_ref": "PO 77",
                    "sale_order_id": order.id,
                    "payment_pending": False,
                }
            ],
        )
        self.assertEqual(str(contract.date_start), "2026-03-10")
        self.assertEqual(str(contract.date_end), "2027-03-09")
        self.assertRecordValues(contract.line_ids, [{"quantity": 3.0, "price_unit": 120.0}])
        self.assertEqual(self._get_hours_left(contract.entitlement_ids), [5.0])
        self.assertEqual(order.support_contract_count, 1)
        self.assertEqual(order.action_view_support_contracts()["res_id"], contract.id)
        self.assertEqual(contract.action_view_sale_order()["res_id"], order.id)

    def test_billed_once(self):
        """Sum of the order = the first term's bill = its invoice; nothing on the order itself."""
        order = self._sell(quantity=3, discount=10.0)
        self.assertEqual(order.amount_untaxed, 324.0)
        line = order.order_line
        self.assertEqual((line.qty_to_invoice, line.untaxed_amount_to_invoice), (0.0, 0.0))
        self.assertEqual((line.invoice_status, order.invoice_status), ("no", "no"))
        self.assertEqual(order.amount_to_invoice, 0.0)
        with self.assertRaises(UserError):
            order._create_invoices()
        contract = self._get_contracts(order)
        bill = self._bill(contract, "2026-03-10")
        move = self._invoice(bill, post=True)
        self.assertEqual((bill.amount_untaxed, move.amount_untaxed), (324.0, 324.0))
        self.assertFalse(move.invoice_line_ids.sale_line_ids)
        self.assertProved(contract)

    def test_uneven_price(self):
        """7 at a third off 9.99: a term costs what the order says, to the cent."""
        order = self._sell(quantity=7, price_unit=9.99, discount=33.33)
        contract = self._get_contracts(order)
        bill = self._bill(contract, "2026-03-10")
        self.assertEqual(bill.amount_untaxed, order.amount_untaxed)
        self.assertEqual(order.amount_untaxed, 46.62)

    def test_beside_other_products(self):
        order = self._sell(confirm=False)
        order.order_line = [Command.create({"product_id": self.router.id})]
        order.action_confirm()
        invoice = order._create_invoices()
        self.assertEqual(invoice.amount_untaxed, 100.0)
        self.assertEqual(invoice.invoice_line_ids.product_id, self.router)

    def _sell_prepaid(self, **vals):
        self.company.support_payment_required = True
        contract = self._get_contracts(self._sell(**vals))
        self.cr.flush()
        return contract

    def _pay(self, move):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.cr.flush()

    def test_pending_until_its_first_fee_is_paid(self):
        """L37: nothing is granted and nobody works until then."""
        contract = self._sell_prepaid()
        self.assertEqual((contract.state, contract.payment_pending), ("pending", True))
        ticket = self._make_ticket(contract, opened="2026-03-10 12:00:00")
        self.assertEqual(ticket.lock_reason, "unpaid")
        with self.assertRaisesRegex(UserError, "is not paid. Register the payment"):
            self._log_work(ticket, "2026-03-10 12:00", 1)
        move = self._invoice(self._bill(contract, "2026-03-10"), post=True)
        self.cr.flush()
        self.assertEqual((contract.state, move.amount_untaxed), ("pending", 120.0))
        self.assertFalse(contract.entitlement_ids)
        with freeze_time("2026-03-20 12:00:00"):
            self._pay(move)
            self.assertEqual((contract.state, contract.payment_pending), ("active", False))
            self.assertFalse(ticket.lock_reason)
            self.assertEqual(str(contract.date_start), "2026-03-10")
            self.assertEqual(self._get_hours_left(contract.entitlement_ids), [5.0])
            self._log_work(ticket, "2026-03-20 12:00", 1)
            self.assertEqual(self._get_hours_left(contract.entitlement_ids), [4.0])
            self.assertFalse(self._bill(contract, "2026-03-20"))  # billed once
        self.assertEqual(self._bill(contract, "2026-04-10").amount_untaxed, 120.0)
        self.assertProved(contract)

    def test_no_payment_required_means_active_at_once(self):  # L38
        self.assertEqual(self._get_contracts(self._sell()).state, "active")

    def test_for_nothing_there_is_nothing_to_pay_first(self):
        self.assertEqual(self._sell_prepaid(discount=100.0).state, "active")

    def test_in_arrears_there_is_nothing_to_pay_first(self):
        self.plan.billing_mode = "arrears"
        self.assertEqual(self._sell_prepaid().state, "active")

    def test_days_and_runs_bill_only_the_first_fee_of_what_is_not_paid(self):
        contract = self._sell_prepaid()
        with freeze_time("2026-06-15 12:00:00"):
            self._roll(contract)
            run = self.env["support.billing.run"].create({"date_until": "2026-06-15"})
            self.assertIn(contract, self.env["support.contract"].search(run._get_domain()))
            bills = self._bill(contract, "2026-06-15")
            self.assertEqual(bills.mapped("amount_untaxed"), [120.0])
            self.assertEqual(str(bills.date), "2026-03-10")
            self.assertFalse(self._bill(contract, "2026-06-15"))
            self.assertEqual(contract.state, "pending")
            self.assertNotIn(
                contract,
                self.env["support.contract"].search(
                    self.env["support.contract.term"]._get_due_domain(fields.Date.today())
                ),
            )

    def test_only_money_pays_it(self):
        contract = self._sell_prepaid()
        bill = self._bill(contract, "2026-03-10")
        bill.action_cancel()
        self.cr.flush()
        self.assertEqual((contract.state, contract.payment_pending), ("pending", True))
        move = self._invoice(self._bill(contract, "2026-03-10"), post=True)
        move._reverse_moves(cancel=True)
        self.cr.flush()
        self.assertEqual((contract.state, contract.payment_pending), ("pending", True))

    def test_what_begins_later_waits_for_its_day_when_it_is_paid(self):
        self.company.support_payment_required = True
        order = self._sell(confirm=False)
        order.order_line.support_date_start = "2026-04-01"
        order.action_confirm()
        contract = self._get_contracts(order)
        self._pay(self._invoice(self._bill(contract, "2026-04-01"), post=True))
        self.assertEqual((contract.state, contract.payment_pending), ("pending", False))
        with freeze_time("2026-04-01 12:00:00"):
            self._roll(contract)
        self.assertEqual(contract.state, "active")
        self.assertEqual(self._get_hours_left(contract.entitlement_ids), [5.0])

    def test_a_manager_begins_it_unpaid(self):
        contract = self._sell_prepaid()
        contract.action_activate()
        self.cr.flush()
        self.assertEqual((contract.state, contract.payment_pending), ("active", True))
        self.assertEqual(self._get_hours_left(contract.entitlement_ids), [5.0])
        self.assertEqual(self._make_ticket(contract).lock_reason, "unpaid")

    def test_an_unpaid_contract_is_cancelled_with_its_bill(self):
        contract = self._sell_prepaid()
        ticket = self._make_ticket(contract, opened="2026-03-10 12:00:00")
        bill = self._bill(contract, "2026-03-10")
        contract.sale_order_id._action_cancel()
        self.cr.flush()
        self.assertEqual((contract.state, bill.state), ("cancelled", "cancelled"))
        self.assertEqual(contract.charge_ids.mapped("state"), ["cancelled"])
        self.assertNotEqual(ticket.lock_reason, "unpaid")
        self.assertProved(contract)

    def test_it_is_not_cancelled_or_changed_past_its_bill(self):
        contract = self._sell_prepaid()
        bill = self._bill(contract, "2026-03-10")
        with self.assertRaisesRegex(UserError, "can't change any more"):
            contract.date_start = "2026-05-01"
        bill.action_approve()
        with self.assertRaisesRegex(UserError, "was approved. Cancel or credit that bill first"):
            contract.action_cancel()

    def test_the_setting_switched_off_begins_it(self):
        contract = self._sell_prepaid()
        self.company.support_payment_required = False
        self.cr.flush()
        self.assertEqual(contract.state, "active")

    def test_start(self):
        """As agreed; else today, or after the customer's running contract of the kind."""
        order = self._sell(confirm=False)
        order.order_line.support_date_start = "2026-04-01"
        order.action_confirm()
        contract = self._get_contracts(order)
        self.assertEqual((contract.state, str(contract.date_start)), ("pending", "2026-04-01"))
        following = self._get_contracts(self._sell())
        self.assertEqual(following.date_start, contract.date_end.replace(day=1, month=4))
        self.assertEqual(following.state, "pending")

    def test_several_recurring_products(self):
        """They keep the plan's prices, so the order must say the same."""
        self.plan.line_ids = [self._line(20, name="Monitoring")]
        order = self._sell(confirm=False, quantity=2)
        order.order_line.price_unit = 130.0
        with self.assertRaisesRegex(UserError, "240.00 a term"):
            order.action_confirm()
        order.order_line.price_unit = 120.0
        order.action_confirm()
        contract = self._get_contracts(order)
        self.assertEqual(contract.line_ids.mapped("quantity"), [2.0, 2.0])
        bill = self._bill(contract, "2026-03-10")
        self.assertEqual(bill.amount_untaxed, order.amount_untaxed)

    def test_nothing_recurs(self):
        """A price on the order that nobody would ever bill is refused."""
        self.plan.line_ids.unlink()
        order = self._sell(confirm=False)
        with self.assertRaisesRegex(UserError, "bill .*0.00 a term"):
            order.action_confirm()
        order.order_line.price_unit = 0.0
        order.action_confirm()
        self.assertEqual(self._get_contracts(order).state, "active")

    def test_bad_input(self):
        order = self._sell(confirm=False, quantity=0)
        with self.assertRaisesRegex(UserError, "more than zero"):
            order.action_confirm()
        order.order_line.product_uom_qty = 1
        self.plan.active = False
        with self.assertRaisesRegex(UserError, "isn't sold"):
            order.action_confirm()
        self.plan.active = True
        foreign = self.env["res.currency"].search(
            [("id", "!=", self.company.currency_id.id), ("active", "in", (True, False))], limit=1
        )
        foreign.sudo().active = True
        self.plan.write({"currency_id": foreign.id})
        with self.assertRaisesRegex(UserError, foreign.name):
            order.action_confirm()
        self.assertEqual(order.state, "draft")
        with self.assertRaisesRegex(ValidationError, "the one or the other"), self.cr.savepoint():
            self.sold.write(
                {"support_pack": "lifetime", "support_unit": "incident", "support_incidents": 1}
            )
        with self.assertRaisesRegex(ValidationError, "service"):
            self.sold.type = "consu"

    def test_confirmed_once(self):
        order = self._sell()
        contract = self._get_contracts(order)
        with self.assertRaises(UserError):
            order.action_confirm()
        order._action_confirm()
        self.assertEqual(self._get_contracts(order), contract)
        order.action_lock()
        order.action_unlock()
        self.assertEqual(self._get_contracts(order), contract)

    def test_line_added_to_a_confirmed_order(self):
        order = self._sell(self.router)
        order.order_line = [Command.create({"product_id": self.sold.id})]
        self.assertEqual(len(self._get_contracts(order)), 1)

    def test_sold_line_stays(self):
        order = self._sell()
        contract = self._get_contracts(order)
        for vals in ({"product_uom_qty": 2}, {"price_unit": 1.0}, {"product_id": self.router.id}):
            with self.assertRaisesRegex(UserError, "made the contract|cannot modify"):
                order.order_line.write(vals)
        with self.assertRaisesRegex(ValidationError, "customer can't change"):
            order.partner_id = self._make_customer("Stranger Ltd")
        self.sold.support_plan_id = False
        self.assertEqual(order.order_line.support_plan_id, self.plan)
        self.assertEqual(order.order_line.qty_to_invoice, 0.0)
        with self.assertRaisesRegex(UserError, "which is billed by the contract"):
            wizard = (
                self.env["sale.advance.payment.inv"]
                .with_context(active_model="sale.order", active_ids=order.ids)
                .create({"advance_payment_method": "fixed", "fixed_amount": 10.0})
            )
            wizard.create_invoices()
        self.assertEqual(contract.state, "active")

    # === CANCELLING === #

    def test_cancelling_cancels_the_contract(self):
        """Nobody has had anything of it: fees and units go, and it can be sold anew."""
        order = self._sell()
        contract = self._get_contracts(order)
        self._bill(contract, "2026-03-10")
        self.assertTrue(contract.charge_ids)
        order._action_cancel()
        self.assertEqual((order.state, contract.state), ("cancel", "cancelled"))
        self.assertEqual(set(contract.charge_ids.mapped("state")), {"cancelled"})
        self.assertEqual(set(contract.bill_ids.mapped("state")), {"cancelled"})
        self.assertEqual(contract.entitlement_ids.mapped("remaining"), [0])
        self.assertFalse(self._bill(contract, "2026-12-31"))
        self._roll(contract, "2026-12-31")
        self.assertEqual(contract.state, "cancelled")
        self.assertProved(contract)
        with self.assertRaisesRegex(UserError, "Make a new contract"):
            contract.action_draft()
        order.action_draft()
        order.action_confirm()
        again = self._get_contracts(order) - contract
        self.assertEqual((len(again), again.state), (1, "active"))
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            order._action_cancel()
            order.sudo().unlink()

    def test_cancelling_what_has_not_begun(self):
        order = self._sell(confirm=False)
        order.order_line.support_date_start = "2026-04-01"
        order.action_confirm()
        order._action_cancel()
        self.assertEqual(self._get_contracts(order).state, "cancelled")

    def test_cancelling_is_refused(self):
        """Billed, worked on or used: that is for a termination to settle."""
        order = self._sell()
        contract = self._get_contracts(order)
        with self.assertRaisesRegex(UserError, "terminate it"):
            contract.action_cancel()
        ticket = self._make_ticket(contract, opened="2026-03-10 09:00:00")
        with self.assertRaisesRegex(UserError, "ticket.*Terminate it"), self.cr.savepoint():
            order._action_cancel()
        self.assertEqual((order.state, contract.state), ("sale", "active"))
        ticket.contract_id = False
        self._invoice(self._bill(contract, "2026-03-10"))
        with self.assertRaisesRegex(UserError, "approved.*Terminate it"), self.cr.savepoint():
            order._action_cancel()
        contract.action_suspend()
        with self.assertRaisesRegex(UserError, "Terminate the contract"):
            order._action_cancel()

    # === WHO === #

    def test_salesman_without_support_rights(self):
        """He sells and cancels it; contracts and plans, of others too, he doesn't see."""
        seller = self._make_user("seller_sold", "sales_team.group_sale_salesman")
        env = self.env(user=seller)
        order = env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [Command.create({"product_id": self.sold.id})],
            }
        )
        order.action_confirm()
        contract = self._get_contracts(order)
        self.assertEqual((contract.state, contract.user_id), ("active", seller))
        self.assertEqual(order.support_contract_count, 1)
        for records in (contract, self.plan):
            with self.assertRaises(AccessError):
                records.with_user(seller).read(["name"])
        with self.assertRaises(AccessError):
            order.action_view_support_contracts()
        with self.assertRaises(AccessError):
            self.sold.product_tmpl_id.with_user(seller).read(["support_plan_id"])
        with Form(order) as form:
            form.client_order_ref = "Seen"
        order._action_cancel()
        self.assertEqual(contract.state, "cancelled")

    def test_customer_confirms_it_himself(self):
        """The portal confirms as the public user, whoever that is."""
        order = self._sell(confirm=False)
        public = self.env.ref("base.public_user")
        order.with_user(public).sudo().action_confirm()
        contract = self._get_contracts(order)
        self.assertEqual((contract.state, contract.user_id), ("active", order.user_id))
