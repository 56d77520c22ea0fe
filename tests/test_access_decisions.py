# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What calls past the screens must not do to the life of contracts and bills.

Forged values, defaults of the context, other people's records: each is a call that anybody with
the role could send; the screens never do.
"""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .common import BillingCommon
from .test_contract_prices import PriceMixin

TECHNICIAN = "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user"


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestAccessDecisions(PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.seller = cls._make_user("seller", "sales_team.group_sale_salesman_all_leads")
        cls.clerk = cls._make_user("biller", "account.group_account_invoice")
        cls.technician = cls._make_user("technician", TECHNICIAN)
        cls.other = cls.env["res.company"].sudo().create({"name": "Other company"})
        cls.stranger = cls._make_user(
            "stranger", "support_contract.group_support_manager", cls.other
        )
        cls.advance = cls._make_plan(fee=100, hours=5, billing_mode="advance", duration_months=12)

    @classmethod
    def _make_user(cls, login, groups, company=None):
        company = company or cls.company
        user = new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        cls.env["hr.employee"].sudo().create(
            {"name": login, "user_id": user.id, "company_id": company.id}
        )
        return user

    def _make_bill(self, approval="customer"):
        contract = self._make_contract(
            self._make_plan(fee=100, bill_approval=approval, bill_approval_days=5)
        )
        bill = self._bill(contract, "2026-03-01")[:1]
        bill.action_submit()
        return bill

    # === ACCOUNTANTS ===

    def test_clerk_answers_for_no_customer(self):
        """A deadline that is over would approve the bill by itself."""
        bill = self._make_bill()
        for vals in (
            {"approval_deadline": "2026-03-01"},
            {"approval_asked_at": "2026-03-01 10:00:00"},
            {"approval_problem": "None"},
            {"disputed": False},
            {"dispute_text": "Fine"},
            {"answered_by_id": self.customer.id},
            {"answered_at": "2026-03-01 10:00:00"},
            {"amount_before": 1.0},
            {"amount_difference": 1.0},
            {"termination_id": False},
        ):
            with self.assertRaises(AccessError, msg=vals):
                bill.with_user(self.clerk).write(vals)

    def test_clerk_makes_no_version_by_hand(self):
        bill = self._make_bill()
        bills = self.env["support.bill"].with_user(self.clerk)
        vals = {"contract_id": bill.contract_id.id, "kind": "immediate"}
        for name in ("replaces_id", "replaced_by_id"):
            with self.assertRaises(AccessError, msg=name):
                bills.create(vals | {name: bill.id})
            with self.assertRaises(AccessError, msg=name):
                bills.with_context(**{f"default_{name}": bill.id}).create(vals)

    def test_clerk_puts_nothing_on_an_approved_bill(self):
        bill = self._make_bill("none")
        self.assertEqual(bill.state, "approved")
        ticket = self._make_ticket(bill.contract_id, "2026-03-05 09:00:00")
        charges = self.env["support.charge"].with_user(self.clerk)
        vals = {
            "kind": "part",
            "ticket_id": ticket.id,
            "product_id": self.fee_product.id,
            "price_unit": 500.0,
        }
        amount = bill.amount_untaxed
        with self.assertRaises(UserError):
            charges.create(vals | {"bill_id": bill.id})
        with self.assertRaises(UserError):
            charges.create(vals).bill_id = bill
        self.assertEqual(bill.amount_untaxed, amount)

    # === SALESMEN ===

    def test_salesman_makes_no_order_a_renewal(self):
        """It would confirm the renewal, and none of its products would be invoiced."""
        contract = self._make_contract(self.advance)
        orders = self.env["sale.order"].with_user(self.seller)
        vals = {
            "partner_id": self.customer.id,
            "order_line": [Command.create({"product_id": self.fee_product.id})],
        }
        with self.assertRaises(AccessError):
            orders.create(vals | {"support_renewal_id": contract.id})
        with self.assertRaises(AccessError):
            orders.with_context(default_support_renewal_id=contract.id).create(vals)
        order = orders.create(vals)
        with self.assertRaises(AccessError):
            order.support_renewal_id = contract

    def test_salesman_sells_the_plan_of_the_product(self):
        orders = self.env["sale.order"].with_user(self.seller)
        vals = {"product_id": self.fee_product.id, "support_plan_id": self.advance.id}
        with self.assertRaises(AccessError):
            orders.create({"partner_id": self.customer.id, "order_line": [Command.create(vals)]})
        order = orders.create(
            {
                "partner_id": self.customer.id,
                "order_line": [Command.create({"product_id": self.fee_product.id})],
            }
        )
        with self.assertRaises(AccessError):
            order.order_line.support_plan_id = self.advance
        with self.assertRaises(AccessError):
            order.order_line.with_context(default_support_plan_id=self.advance.id).create(
                {"order_id": order.id, "product_id": self.fee_product.id}
            )

    def test_salesman_gives_no_reason_by_context(self):
        contract = self._make_contract(self.advance)
        self._price(self.fee_product, 50.0, contract)
        order = self._make_order(self.fee_product)
        lines = order.order_line.with_user(self.seller)
        with self.assertRaises(AccessError):
            lines.with_context(default_support_price_reason="A friend").create(
                {"order_id": order.id, "product_id": self.fee_product.id, "price_unit": 1.0}
            )

    # === TECHNICIANS ===

    def test_history_tells_technicians_no_money(self):
        contract = self._make_contract(self._make_plan(fee=90, billing_mode="advance"))
        self._invoice(self._bill(contract, "2026-03-10"))
        self.env["support.suspend.wizard"].create(
            {
                "contract_id": contract.id,
                "date_from": "2026-03-10",
                "date_to": "2026-03-20",
                "fees": "stop",
                "reason": "Holidays",
            }
        ).action_suspend()
        other = self._make_contract(self._make_plan(fee=100, billing_mode="advance"))
        bill = self._bill(other, "2026-01-01")
        bill.action_regenerate()
        bill.proposal_id.action_make_main()
        for change in (contract | other).change_ids.with_user(self.technician):
            self.assertNotIn(self.company.currency_id.symbol, change.summary)
            with self.assertRaises(AccessError):
                change.read(["amount"])

    # === OTHERS' RECORDS ===

    def test_terminating_disposes_of_own_units_only(self):
        contract = self._make_contract(self._make_plan(hours=5))
        victim = self._make_contract(
            self._make_plan(hours=5), partner=self._make_customer("Victim Ltd")
        )
        grant = victim.entitlement_ids.filtered("remaining")[:1]
        values = {
            "contract_id": contract.id,
            "last_day": "2026-03-20",
            "after_end_policy": "ignore",
            "reason": "Leaves",
        }
        unit = {"entitlement_id": grant.id, "units": grant._get_unused(), "action": "credit"}
        unit["amount"] = 1000.0
        wizard = self.env["support.terminate.wizard"].create(
            values | {"unit_ids": [Command.create(unit)]}
        )
        with self.assertRaisesRegex(UserError, "isn't of"):
            wizard.action_terminate()
        own = contract.entitlement_ids.filtered("remaining")[:1]
        unit |= {"entitlement_id": own.id, "units": own._get_unused()}
        wizard = self.env["support.terminate.wizard"].create(
            values | {"unit_ids": [Command.create(unit), Command.create(unit)]}
        )
        with self.assertRaisesRegex(UserError, "twice"):
            wizard.action_terminate()

    def test_manager_of_another_company_decides_nothing_and_learns_nothing(self):
        contract = self._make_contract(self.advance)
        bill = self._make_bill()
        values = {
            "support.top.up.wizard": {"price_unit": 1.0},
            "support.cancel.wizard": {},
            "support.renew.wizard": {"plan_id": self.advance.id},
            "support.suspend.wizard": {"date_from": "2026-03-10"},
            "support.terminate.wizard": {"last_day": "2026-03-20", "after_end_policy": "ignore"},
            "support.undo.termination.wizard": {},
        }
        for model, vals in values.items():
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(self.stranger).create(
                    {"contract_id": contract.id, "reason": "?"} | vals
                ).read(["company_id", "currency_id"])
        own = (
            self.env["support.bill"]
            .sudo()
            .create(
                {
                    "kind": "immediate",
                    "company_id": self.other.id,
                    "currency_id": self.other.currency_id.id,
                    "partner_id": self.customer.id,
                }
            )
        )
        wizard = (
            self.env["support.bill.answer.wizard"]
            .with_user(self.stranger)
            .create({"bill_id": own.id, "partner_id": self.customer.id})
        )
        lines = self.env["support.bill.answer.wizard.line"].with_user(self.stranger)
        with self.assertRaises(AccessError):
            lines.create({"wizard_id": wizard.id, "charge_id": bill.charge_ids[0].id}).read(
                ["amount", "date"]
            )

    def test_what_was_shown_to_one_is_not_read_by_another(self):
        contract = self._make_contract(self.advance)
        wizard = (
            self.env["support.bill.wizard"]
            .with_user(self.clerk)
            .create({"company_id": self.company.id, "contract_ids": [Command.set(contract.ids)]})
        )
        wizard.action_preview()
        self.assertTrue(wizard.line_ids.read(["amount"]))
        for record in (wizard, wizard.line_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.stranger).read()

    # === CUSTOMERS ===

    def test_customer_reads_no_reason_of_a_hold(self):
        portal = new_test_user(self.env(su=True), "portal_person", "base.group_portal")
        portal.partner_id.parent_id = self.customer
        self.env["support.hold.wizard"].create(
            {"partner_id": self.customer.id, "reason": "A crook"}
        ).action_hold()
        partner = portal.partner_id.with_user(portal)
        self.assertTrue(partner.read(["name"]))
        with self.assertRaises(AccessError):
            partner.read(["support_hold_label"])
        self.assertIn("A crook", self.customer.with_user(self.technician).support_hold_label)

    def test_customer_reads_no_reason_of_a_price(self):
        portal = new_test_user(self.env(su=True), "portal_person", "base.group_portal")
        portal.partner_id.parent_id = self.customer
        contract = self._make_contract(self.advance)
        self._price(self.fee_product, 50.0, contract)
        reason = {"price_unit": 60.0, "support_price_reason": "Never pays"}
        order = self._make_order(self.fee_product)
        order.order_line.write(reason)
        order.action_confirm()
        invoice = self._make_invoice(self.fee_product)
        invoice.invoice_line_ids.write(reason)
        invoice.action_post()
        for lines in (order.order_line, invoice.invoice_line_ids):
            self.assertEqual(lines.with_user(self.clerk).support_price_reason, "Never pays")
            self.assertEqual(lines.with_user(portal).read(["price_unit"])[0]["price_unit"], 60.0)
            for name in ("support_price_reason", "support_price_note"):
                with self.assertRaises(AccessError, msg=name):
                    lines.with_user(portal).read([name])
