# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Special prices of contracts on work, orders and invoices (Y6, Y20-Y23, C25)."""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged

from .common import BillingCommon


class PriceMixin:
    """A router at 100.00 that costs 80.00 under the contract of Lumen, and orders and invoices."""

    @classmethod
    def _set_up_prices(cls):
        for group in ("sales_team.group_sale_salesman_all_leads", "project.group_project_user"):
            cls.env.user.group_ids += cls.env.ref(group)
        cls.router = cls._make_product("Router", 100.0, taxes_id=False)
        cls.cable = cls._make_product("Cable", 10.0, taxes_id=False)

    @classmethod
    def _make_user(cls, login, groups):
        """A user of this company with these groups only."""
        return new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _price(cls, product=None, price=80.0, contract=None, **vals):
        values = {"support_contract_id": (contract or cls.contract).id, **vals}
        if product:
            values["product_tmpl_id"] = product.product_tmpl_id.id
        if "percent_price" not in vals:
            values["fixed_price"] = price
        return cls.env["product.pricelist.item"].create(values)

    def _make_order(self, product=None, quantity=1.0, partner=None, **vals):
        line = {"product_id": (product or self.router).id, "product_uom_qty": quantity} | vals
        return self.env["sale.order"].create(
            {
                "partner_id": (partner or self.customer).id,
                "order_line": [Command.create(line)],
            }
        )

    def _make_invoice(self, product=None, quantity=1.0, kind="out_invoice", day=None, **vals):
        line = {"product_id": (product or self.router).id, "quantity": quantity} | vals
        return self.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": self.customer.id,
                "invoice_date": day,
                "invoice_line_ids": [Command.create(line)],
            }
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestContractPrices(PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.contract = cls._make_contract(date_end="2026-12-31")

    # === ON ORDERS === #

    def test_order_line_gets_the_price(self):
        """Y21: by itself, whichever price list the order has."""
        self._price(self.router)
        order = self._make_order()
        line = order.order_line
        self.assertEqual((line.price_unit, line.discount), (80.0, 0.0))
        self.assertEqual(line.support_price_contract_id, self.contract)
        self.assertIn(self.contract.name, line.support_price_note)
        self.assertEqual(self._make_order(self.cable).order_line.price_unit, 10.0)
        stranger = self._make_customer("Stranger Ltd")
        self.assertEqual(self._make_order(partner=stranger).order_line.price_unit, 100.0)
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.customer.id})
        self.assertEqual(self._make_order(partner=contact).order_line.price_unit, 80.0)

    def test_order_price_beats_manual_changes(self):
        """Y22: in values at creation, in a write, and as a discount."""
        self._price(self.router)
        order = self._make_order(price_unit=95.0, discount=50.0)
        line = order.order_line
        self.assertEqual((line.price_unit, line.discount), (80.0, 0.0))
        self.assertIn("keeps the price", order.message_ids[0].body)
        line.price_unit = 70.0
        self.assertEqual(line.price_unit, 80.0)
        line.write({"discount": 10.0})
        self.assertEqual((line.discount, order.amount_untaxed), (0.0, 80.0))
        order.action_confirm()
        line.price_unit = 1.0
        self.assertEqual(line.price_unit, 80.0)

    def test_order_form_warns(self):
        self._price(self.router)
        with (
            self.assertLogs("odoo.tests.form.onchange", "WARNING") as warnings,
            Form(self.env["sale.order"]) as form,
        ):
            form.partner_id = self.customer
            with form.order_line.new() as line:
                line.product_id = self.router
                self.assertEqual(line.price_unit, 80.0)
                line.price_unit = 60.0
                self.assertEqual(line.price_unit, 80.0)
                line.product_uom_qty = 3
                self.assertEqual(line.price_unit, 80.0)
        self.assertEqual(form.record.amount_untaxed, 240.0)
        self.assertEqual(len(warnings.output), 1)
        self.assertIn(self.contract.name, warnings.output[0])

    def test_order_lines_made_before_stay(self):
        """Y23: a new, changed or ended price touches only lines whose quantity is set later."""
        order = self._make_order()
        item = self._price(self.router)
        self.assertEqual(order.order_line.price_unit, 100.0)
        later = self._make_order()
        self.assertEqual(later.order_line.price_unit, 80.0)
        item.fixed_price = 75.0
        later.invalidate_recordset()
        self.assertEqual(later.order_line.price_unit, 80.0)
        later.order_line.name = "Another text"
        self.assertEqual(later.order_line.price_unit, 80.0)
        later.order_line.product_uom_qty = 2
        self.assertEqual(later.amount_untaxed, 150.0)
        order.order_line.product_uom_qty = 2
        self.assertEqual(order.amount_untaxed, 150.0)
        item.unlink()
        self.assertEqual(later.order_line.price_unit, 75.0)
        later.order_line.product_uom_qty = 3
        self.assertEqual(later.order_line.price_unit, 100.0)
        self.assertFalse(later.order_line.support_price_contract_id)

    def test_manager_overrides_with_a_reason(self):
        self._price(self.router)
        order = self._make_order()
        order.order_line.write({"price_unit": 90.0, "support_price_reason": "Rush order"})
        self.assertEqual(order.order_line.price_unit, 90.0)
        self.assertIn("Rush order", order.message_ids[0].body)
        self.assertIn("80.00", order.message_ids[0].body)
        order.order_line.product_uom_qty = 2
        self.assertEqual(order.amount_untaxed, 180.0)
        order.order_line.support_price_reason = False
        self.assertEqual(order.amount_untaxed, 160.0)

    def test_salesman_cannot_override(self):
        self._price(self.router)
        seller = self._make_user("seller_prices", "sales_team.group_sale_salesman_all_leads")
        order = self._make_order()
        line = order.order_line.with_user(seller)
        line.price_unit = 1.0
        self.assertEqual(line.price_unit, 80.0)
        with self.assertRaisesRegex(AccessError, "manager of support contracts"):
            line.write({"price_unit": 1.0, "support_price_reason": "A friend"})
        for name, value in (("support_price_unit", 1.0), ("support_price_contract_id", False)):
            with self.assertRaisesRegex(AccessError, "can't be written"):
                line.write({name: value})
        # He gets the price by himself, but doesn't see the contract's list.
        order = self.env(user=seller)["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [Command.create({"product_id": self.router.id})],
            }
        )
        self.assertEqual(order.order_line.price_unit, 80.0)
        self.assertIn(self.contract.name, order.order_line.support_price_note)
        with self.assertRaises(AccessError):
            self.contract.with_user(seller).read(["name"])
        items = self.env(user=seller)["product.pricelist.item"]
        self.assertFalse(items.search([("support_contract_id", "!=", False)]))

    def test_only_while_the_contract_runs(self):
        self._price(self.router)
        draft = self._make_contract(confirm=False)
        self._price(self.cable, 5.0, contract=draft)
        self.assertEqual(self._make_order(self.cable).order_line.price_unit, 10.0)
        self.contract.action_suspend()
        self.assertEqual(self._make_order().order_line.price_unit, 100.0)
        self.contract.action_resume()
        self.assertEqual(self._make_order().order_line.price_unit, 80.0)
        with freeze_time("2027-01-01 12:00:00"):
            self.assertEqual(self._make_order().order_line.price_unit, 100.0)

    def test_several_contracts(self):
        """Priority, then the earliest end, then the lowest id."""
        second = self._make_contract(date_end="2026-06-30")
        self._price(self.router, 80.0)
        self._price(self.router, 70.0, contract=second)
        self.assertEqual(self._make_order().order_line.price_unit, 70.0)
        self.contract.priority = 5
        self.assertEqual(self._make_order().order_line.price_unit, 80.0)
        second.write({"priority": 5, "date_end": "2026-12-31"})
        self.assertEqual(self._make_order().order_line.price_unit, 80.0)

    def test_kinds_of_prices(self):
        """By variant, product, category and all; fixed and discount; quantities and dates."""
        category = self.env["product.category"].create({"name": "Network"})
        self.router.categ_id = category
        self._price(percent_price=5.0, compute_price="percentage")
        self.assertEqual(self._make_order(self.cable).order_line.price_unit, 9.5)
        self._price(categ_id=category.id, percent_price=10.0, compute_price="percentage")
        self.assertEqual(self._make_order().order_line.price_unit, 90.0)
        self._price(self.router, 85.0)
        self._price(self.router, 75.0, min_quantity=10)
        self.assertEqual(self._make_order(quantity=9).order_line.price_unit, 85.0)
        order = self._make_order(quantity=10)
        self.assertEqual(order.order_line.price_unit, 75.0)
        order.order_line.product_uom_qty = 2
        self.assertEqual(order.order_line.price_unit, 85.0)
        self._price(self.router, 60.0, date_start="2026-05-01", product_id=self.router.id)
        self.assertEqual(self._make_order().order_line.price_unit, 85.0)
        with freeze_time("2026-05-01 12:00:00"):
            self.assertEqual(self._make_order().order_line.price_unit, 60.0)

    def test_another_customer_another_price(self):
        self._price(self.router)
        stranger = self._make_customer("Stranger Ltd")
        order = self._make_order()
        order.partner_id = stranger
        self.assertEqual(order.order_line.price_unit, 100.0)
        self.assertFalse(order.order_line.support_price_contract_id)
        order.partner_id = self.customer
        self.assertEqual(order.order_line.price_unit, 80.0)

    def test_other_currency_and_unit(self):
        """The price is converted at the order's date, and by the unit of measure."""
        self._price(self.router)
        euro = self.env.ref("base.EUR")
        euro.active = True
        if euro == self.company.currency_id:
            euro = self.env.ref("base.USD")
        self.env["res.currency.rate"].sudo().create(
            {"name": "2026-01-01", "currency_id": euro.id, "rate": 2.0}
        )
        pricelist = (
            self.env["product.pricelist"]
            .sudo()
            .create({"name": "Abroad", "currency_id": euro.id, "company_id": self.company.id})
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": pricelist.id,
                "order_line": [
                    Command.create({"product_id": self.router.id}),
                    Command.create(
                        {
                            "product_id": self.router.id,
                            "product_uom_id": self.env.ref("uom.product_uom_dozen").id,
                        }
                    ),
                ],
            }
        )
        self.assertEqual(order.order_line.mapped("price_unit"), [160.0, 1920.0])

    # === ON INVOICES === #

    def test_invoice_line_gets_the_price(self):
        self._price(self.router)
        move = self._make_invoice()
        line = move.invoice_line_ids
        self.assertEqual((line.price_unit, move.amount_untaxed), (80.0, 80.0))
        self.assertEqual(line.support_price_contract_id, self.contract)
        self.assertEqual(self._make_invoice(kind="out_refund").amount_untaxed, 80.0)
        bought = self._make_invoice(kind="in_invoice", price_unit=95.0)
        self.assertEqual(bought.amount_untaxed, 95.0)
        self.assertEqual(self._make_invoice(day="2025-12-31").amount_untaxed, 100.0)
        move.action_post()
        receivable = move.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.assertEqual(receivable.balance, 80.0)

    def test_invoice_price_beats_manual_changes(self):
        self._price(self.router)
        move = self._make_invoice(price_unit=95.0, discount=10.0)
        line = move.invoice_line_ids
        self.assertEqual((line.price_unit, line.discount, move.amount_total), (80.0, 0.0, 80.0))
        move.write({"invoice_line_ids": [Command.update(line.id, {"price_unit": 12.0})]})
        self.assertEqual((line.price_unit, move.amount_total), (80.0, 80.0))
        self.assertIn("keeps the price", move.message_ids[0].body)
        line.discount = 20.0
        self.assertEqual(move.amount_total, 80.0)
        self.assertEqual(sum(move.line_ids.mapped("balance")), 0.0)

    def test_accountant_overrides_with_a_reason(self):
        self._price(self.router)
        clerk = self._make_clerk()
        move = self._make_invoice()
        line = move.invoice_line_ids.with_user(clerk)
        line.write({"support_price_reason": "Damaged box", "price_unit": 50.0})
        self.assertEqual(move.amount_total, 50.0)
        self.assertIn("Damaged box", move.message_ids[0].body)
        move.action_post()
        self.assertEqual(move.amount_total, 50.0)
        copy = move.copy()
        self.assertEqual(copy.amount_total, 50.0)

    def _make_clerk(self):
        clerk = self._make_user("clerk_prices", "account.group_account_invoice")
        return clerk

    def test_clerk_gets_the_price(self):
        self._price(self.router)
        clerk = self._make_clerk()
        move = self.env(user=clerk)["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_line_ids": [Command.create({"product_id": self.router.id})],
            }
        )
        self.assertEqual(move.amount_untaxed, 80.0)
        move.invoice_line_ids.price_unit = 3.0
        self.assertEqual(move.amount_untaxed, 80.0)
        with self.assertRaises(AccessError):
            self._price(self.router).with_user(clerk).fixed_price = 1.0

    def test_invoice_quantity_sets_the_price(self):
        """Y23 and quantities: an old line keeps its price until its quantity is set."""
        move = self._make_invoice()
        self._price(self.router)
        self._price(self.router, 70.0, min_quantity=10)
        self.assertEqual(move.amount_untaxed, 100.0)
        move.invoice_line_ids.name = "Another text"
        self.assertEqual(move.amount_untaxed, 100.0)
        move.invoice_line_ids.quantity = 2
        self.assertEqual((move.amount_untaxed, move.amount_total), (160.0, 160.0))
        move.invoice_line_ids.quantity = 10
        self.assertEqual((move.amount_untaxed, move.amount_total), (700.0, 700.0))

    def test_invoice_quantity_loses_the_price(self):
        self._price(self.router, 70.0, min_quantity=10)
        move = self._make_invoice(quantity=10)
        self.assertEqual(move.amount_untaxed, 700.0)
        move.invoice_line_ids.quantity = 2
        self.assertEqual((move.amount_untaxed, move.amount_total), (200.0, 200.0))
        self.assertEqual(sum(move.line_ids.mapped("balance")), 0.0)

    def test_manual_price_without_contract_price_stays(self):
        """What Odoo does with other lines it still does."""
        self._price(self.cable, 5.0)
        move = self._make_invoice(price_unit=33.0)
        move.invoice_line_ids.quantity = 3
        self.assertEqual(move.amount_untaxed, 99.0)
        order = self._make_order()
        order.order_line.price_unit = 33.0
        order.order_line.product_uom_qty = 3
        self.assertEqual(order.amount_untaxed, 99.0)

    def test_invoice_form(self):
        self._price(self.router)
        moves = self.env["account.move"].with_context(default_move_type="out_invoice")
        with self.assertLogs("odoo.tests.form.onchange", "WARNING"), Form(moves) as form:
            form.partner_id = self.customer
            with form.invoice_line_ids.new() as line:
                line.product_id = self.router
                self.assertEqual(line.price_unit, 80.0)
                line.price_unit = 60.0
                self.assertEqual(line.price_unit, 80.0)
                line.quantity = 2
        self.assertEqual(form.record.amount_untaxed, 160.0)

    def test_invoice_of_another_customer(self):
        self._price(self.router)
        move = self._make_invoice()
        move.partner_id = self._make_customer("Stranger Ltd")
        self.assertEqual((move.amount_untaxed, move.amount_total), (100.0, 100.0))
        move.partner_id = self.customer
        self.assertEqual((move.amount_untaxed, move.amount_total), (80.0, 80.0))

    def test_reversal_gives_back_what_was_paid(self):
        item = self._price(self.router)
        move = self._make_invoice()
        move.action_post()
        item.fixed_price = 60.0
        note = move._reverse_moves()
        self.assertEqual(note.amount_untaxed, 80.0)
        note.invoice_line_ids.quantity = 0.5
        self.assertEqual(note.amount_untaxed, 40.0)

    def test_order_keeps_its_price_on_the_invoice(self):
        """Sum of the order = sum of its invoice, whatever has changed in between."""
        old = self._make_order(quantity=2)
        old.action_confirm()
        item = self._price(self.router)
        new = self._make_order(quantity=2)
        new.action_confirm()
        item.fixed_price = 60.0
        self.assertEqual(old._create_invoices().amount_untaxed, 200.0)
        invoice = new._create_invoices()
        self.assertEqual(invoice.amount_untaxed, 160.0)
        invoice.invoice_line_ids.price_unit = 1.0
        self.assertEqual(invoice.amount_untaxed, 160.0)
        invoice.invoice_line_ids.quantity = 1
        self.assertEqual(invoice.amount_untaxed, 80.0)

    def test_taxes_in_the_price(self):
        """As in the product's own price, a tax that is included is in the contract's, too."""
        tax = (
            self.env["account.tax"]
            .sudo()
            .create(
                {
                    "name": "20 % in",
                    "amount": 20.0,
                    "price_include_override": "tax_included",
                    "company_id": self.company.id,
                }
            )
        )
        self.router.taxes_id = tax
        self._price(self.router, 120.0)
        self.assertEqual(self._make_order().amount_untaxed, 100.0)
        self.assertEqual(self._make_invoice().amount_untaxed, 100.0)

    # === WORK === #

    def test_labour_part_and_incident(self):
        """The contract's own price list gives way; what is billed is exact."""
        self._price(self.phone.product_id, 55.0)
        self._price(self.router)
        self._price(self.incident_product, 30.0)
        plan = self._make_plan(incident_product_id=self.incident_product.id)
        plan.allowance_ids = [self._allowance(incidents=1)]
        contract = self._make_contract(plan, start="2026-03-01")
        for product, price in (
            (self.phone.product_id, 50.0),
            (self.router, 75.0),
            (self.incident_product, 25.0),
        ):
            self._price(product, price, contract=contract)
        tickets = [self._make_ticket(contract, opened="2026-03-05 09:00:00") for _n in range(2)]
        work = self._log_work(tickets[0], "2026-03-05 09:00", 2)
        self.assertEqual(sum(work.charge_ids.mapped("amount")), 100.0)
        part = self.env["support.charge"].create(
            {
                "kind": "part",
                "ticket_id": tickets[0].id,
                "product_id": self.router.id,
                "quantity": 2,
                "date": "2026-03-06",
            }
        )
        self.assertEqual(part.amount, 150.0)
        incident = contract.charge_ids.filtered(lambda charge: charge.kind == "incident")
        self.assertEqual(incident.mapped("amount"), [25.0])
        bill = self._bill(contract, "2026-04-01")
        self.assertEqual(bill.amount_untaxed, 275.0)
        move = self._invoice(bill, post=True)
        self.assertEqual(move.amount_untaxed, 275.0)
        self.assertProved(contract)

    def test_own_billing_is_exact(self):
        """The fee is worth its charge, whatever the contract says about its product."""
        contract = self._make_contract(self._make_plan(fee=50), start="2026-01-01")
        self._price(self.fee_product, 1.0, contract=contract)
        bill = self._bill(contract, "2026-02-01")
        move = self._invoice(bill, post=True)
        self.assertEqual(move.amount_untaxed, bill.amount_untaxed)
        self.assertTrue(move.amount_untaxed)
        self.assertProved(contract)

    # === THE CONTRACT === #

    def test_bad_prices(self):
        with self.assertRaisesRegex(ValidationError, "negative"):
            self._price(self.router, -1.0)
        with self.assertRaisesRegex(ValidationError, "negative"):
            self._price(percent_price=101.0, compute_price="percentage")
        pricelist = self.env["product.pricelist"].sudo().create({"name": "Public"})
        with self.assertRaisesRegex(ValidationError, "price list"):
            self._price(self.router, pricelist_id=pricelist.id)

    def test_contract_form(self):
        """Y20: the product's name and original price fill in."""
        with Form(self.contract) as form, form.price_item_ids.new() as line:
            line.product_tmpl_id = self.router.product_tmpl_id
            self.assertEqual(line.support_list_price, 100.0)
            line.fixed_price = 81.0
        item = self.contract.price_item_ids
        self.assertEqual(item.applied_on, "1_product")
        self.assertFalse(item.pricelist_id)
        self.assertEqual(item.company_id, self.company)
        self.assertIn("Router", self.contract.message_ids[0].body)
        self.assertEqual(self._make_order().order_line.price_unit, 81.0)

    def test_other_price_lists_know_nothing_of_it(self):
        self._price(self.router)
        pricelist = self.env["product.pricelist"].sudo().create({"name": "Public"})
        self.assertEqual(pricelist._get_product_price(self.router, 1.0), 100.0)
        self.router.invalidate_recordset()
        self.assertNotIn(
            self.contract.price_item_ids, self.router.product_tmpl_id.pricelist_rule_ids
        )

    def test_managers_of_contracts_make_no_price_lists(self):
        manager = self._make_user("manager_prices", "support_contract.group_support_manager")
        items = self.env(user=manager)["product.pricelist.item"]
        item = items.create({"support_contract_id": self.contract.id, "fixed_price": 80.0})
        item.fixed_price = 70.0
        pricelist = self.env["product.pricelist"].sudo().create({"name": "Public"})
        with self.assertRaises(AccessError):
            items.create({"pricelist_id": pricelist.id, "fixed_price": 80.0})
        technician = self._make_user("technician_prices", "support_contract.group_support_user")
        self.assertFalse(
            self.env(user=technician)["product.pricelist.item"].search(
                [("support_contract_id", "!=", False)]
            )
        )
        with self.assertRaises(AccessError):
            self.contract.with_user(technician).read(["price_item_ids"])

    # === SPEED === #

    def _count(self, method):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        method()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_constant_queries(self):
        """One query where there is no contract price; constant ones where there are."""
        lines = [
            Command.create({"product_id": self.router.id, "quantity": number})
            for number in range(1, 41)
        ]

        def invoice(count):
            self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "invoice_line_ids": lines[:count],
                }
            )

        def count_more(few, many):
            invoice(few)
            return self._count(lambda: invoice(many)) - self._count(lambda: invoice(few))

        asked = []
        origin = type(self.env["support.contract"])._get_running

        def get_running(model, *args):
            asked.append(args)
            return origin(model, *args)

        self.patch(type(self.env["support.contract"]), "_get_running", get_running)
        invoice(2)
        few = len(asked)
        invoice(40)
        self.assertTrue(few)
        self.assertEqual(len(asked), 2 * few)
        plain = count_more(2, 40)  # what Odoo asks line by line
        self._price(self.router)
        self.assertLessEqual(count_more(2, 40), plain)
