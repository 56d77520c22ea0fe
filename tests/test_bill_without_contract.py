# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Bills of customers without a contract: parts, expenses and ticket charges, billed at once."""

from freezegun import freeze_time

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.fields import Date
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBillWithoutContract(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.part = cls._make_product("Toner", 80.0)
        cls.ticket = cls._make_ticket()
        cls.charge = cls._put_part(cls.ticket)

    @classmethod
    def _put_part(cls, ticket, **vals):
        return cls.env["support.charge"].create(
            {"kind": "part", "ticket_id": ticket.id, "product_id": cls.part.id} | vals
        )

    def _generate(self, until="2026-02-02"):
        bills = self.env["support.bill"]
        domain = bills._get_domain_without_contract(self.company, Date.to_date(until))
        charges = self.env["support.charge"].search(domain)
        return bills._generate_without_contract(charges, Date.to_date(until))

    def assertBillsProved(self, partners):
        differences = self.env["support.discrepancy"]._prove_without_contract(partners)
        self.assertEqual(differences.mapped("description"), [])

    def test_part_without_a_contract_is_billed_and_invoiced(self):
        bill = self._generate()
        self.assertEqual((bill.kind, bill.state, bill.amount_untaxed), ("immediate", "draft", 80.0))
        self.assertEqual((bill.partner_id, bill.company_id), (self.customer, self.company))
        bill.action_submit()
        self.assertEqual(bill.state, "approved")
        move = self.env["support.invoicing"]._create_invoices(bill)
        self.assertEqual((move.partner_id, move.amount_untaxed), (self.customer, 80.0))
        self.assertEqual((bill.state, self.charge.state), ("invoiced", "invoiced"))
        self.assertBillsProved(self.customer)

    def test_generating_twice_finds_nothing_the_second_time(self):
        self._generate()
        self.assertFalse(self._generate())

    def test_charges_of_a_later_day_wait(self):
        self._put_part(self.ticket, date="2026-03-01")
        self.assertEqual(self._generate().amount_untaxed, 80.0)
        self.assertEqual(self._generate("2026-03-01").amount_untaxed, 80.0)

    def test_one_bill_per_customer_and_currency(self):
        other = self._make_customer("Other Ltd")
        self._put_part(self._make_ticket(partner_id=other.id))
        self._put_part(self._make_ticket(), quantity=2)
        bills = self._generate()
        self.assertEqual(
            sorted((bill.partner_id.name, bill.amount_untaxed) for bill in bills),
            [("Lumen Ltd", 240.0), ("Other Ltd", 80.0)],
        )

    def test_invoice_has_the_customers_own_address_terms_and_position(self):
        address = self.env["res.partner"].create(
            {"name": "Accounts", "type": "invoice", "parent_id": self.customer.id}
        )
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        self.customer.write(
            {
                "property_payment_term_id": self.pay_terms_b.id,
                "property_account_position_id": position.id,
            }
        )
        bill = self._generate()
        move = self._invoice(bill)
        self.assertEqual((bill.partner_invoice_id, move.partner_id), (address, address))
        self.assertEqual(move.invoice_payment_term_id, self.pay_terms_b)
        self.assertEqual(move.fiscal_position_id, position)

    def test_one_invoice_per_customer_when_he_wants_that(self):
        self.customer.support_invoice_grouping = "customer"
        first = self._generate()
        self._put_part(self.ticket)
        move = self._invoice(first + self._generate())
        self.assertEqual((len(move), move.amount_untaxed), (1, 160.0))
        sections = move.invoice_line_ids.filtered(lambda line: line.display_type == "line_section")
        self.assertEqual(len(sections), 2)
        self.assertTrue(all(sections.mapped("name")))
        self.assertBillsProved(self.customer)

    def test_bill_can_be_cancelled_and_made_again(self):
        bill = self._generate()
        bill.action_cancel()
        self.assertEqual(self.charge.state, "open")
        self.assertEqual(self._generate().charge_ids, self.charge)

    def test_company_and_customer_of_a_bill_cannot_be_written(self):
        bill = self._generate()
        for name, value in (("partner_id", self.partner_a.id), ("company_id", self.company.id)):
            with self.assertRaises(AccessError):
                bill.with_user(self._make_manager()).write({name: value})

    def test_bill_of_a_contract_is_that_of_its_customer(self):
        contract = self._make_contract()
        bill = self.env["support.bill"].create(
            {"contract_id": contract.id, "partner_id": self.partner_a.id, "kind": "immediate"}
        )
        self.assertEqual(bill.partner_id, contract.commercial_partner_id)

    def test_a_term_bill_needs_a_contract_by_the_database(self):
        with mute_logger("odoo.sql_db"), self.assertRaisesRegex(Exception, "term_of_contract"):
            self.env["support.bill"].create(
                {
                    "kind": "term",
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                }
            )
            self.env.flush_all()

    def test_report_and_screens_without_a_contract(self):
        self.ticket.charge_amount = 12.5
        self.ticket.action_bill_now()
        bill = self.ticket.charge_ids.bill_id
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "support_contract.report_support_bill", bill.ids
        )
        text = html.decode()
        self.assertIn("Toner", text)
        self.assertIn("12.50", text)
        self.assertNotIn("<strong>Contract</strong>", text)

    def test_proof_finds_a_wrong_bill(self):
        bill = self._generate()
        self.env.flush_all()
        self.cr.execute("UPDATE support_bill SET amount_untaxed = 1 WHERE id = %s", [bill.id])
        bill.invalidate_recordset()
        found = self.env["support.discrepancy"]._prove_without_contract(self.customer)
        self.assertEqual((found.expected, found.found), (80.0, 1.0))
        self.assertEqual((found.partner_id, found.company_id), (self.customer, self.company))

    # === BILLING RUN === #

    def _make_run(self, **vals):
        run = self.env["support.billing.run"].create({"date_until": "2026-02-02"} | vals)
        run.action_start()
        with self.enter_registry_test_mode():
            self.env.ref("support_contract.cron_billing_run").with_user(
                SUPERUSER_ID
            ).method_direct_trigger()
        run.invalidate_recordset()
        return run

    def test_billing_run_bills_them_too(self):
        self._make_contract(self._make_plan(fee=100))
        self._put_part(self._make_ticket(partner_id=self._make_customer("Other Ltd").id))
        run = self._make_run()
        self.assertEqual((run.state, run.total, run.done_count), ("done", 3, 3))
        self.assertEqual(sorted(run.bill_ids.mapped("amount_untaxed")), [80, 80, 100])
        self.assertEqual(self.charge.state, "invoiced")
        self.assertFalse(self._make_run().bill_ids)

    def test_billing_run_for_chosen_contracts_leaves_them(self):
        contract = self._make_contract(self._make_plan(fee=100))
        run = self._make_run(contract_ids=contract.ids)
        self.assertEqual((run.total, self.charge.state), (1, "open"))

    def test_nightly_run_starts_for_them(self):
        self.env["support.billing.run"]._cron_bill()
        run = self.env["support.billing.run"].search(
            [("company_id", "=", self.company.id)], limit=1, order="id desc"
        )
        self.assertEqual(run.item_ids.partner_id, self.customer)

    def test_one_customer_that_fails_does_not_stop_the_others(self):
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        address = self.env["res.partner"].create(
            {"name": "Wrong", "type": "invoice", "parent_id": self.customer.id}
        )
        good = self._put_part(self._make_ticket(partner_id=self._make_customer("Good Ltd").id))
        self.env.flush_all()
        self.cr.execute(
            "UPDATE res_partner SET company_id = %s WHERE id = %s", [other.id, address.id]
        )
        self.env.invalidate_all()
        with mute_logger("odoo.addons.support_contract.models.support_billing_run_item"):
            run = self._make_run()
        self.assertEqual((run.state, run.failed_count), ("failed", 1))
        self.assertEqual(run.failed_item_ids.partner_id, self.customer)
        self.assertTrue(run.failed_item_ids.message)
        self.assertEqual((good.state, self.charge.state), ("invoiced", "open"))
        self.cr.execute("UPDATE res_partner SET company_id = NULL WHERE id = %s", [address.id])
        self.env.invalidate_all()
        self.assertEqual(run.action_view_failures()["res_model"], "res.partner")

    # === ACCESS === #

    def _make_manager(self):
        return new_test_user(
            self.env, "chief", "support_contract.group_support_manager",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip

    def test_manager_bills_and_technician_does_not(self):
        technician = new_test_user(
            self.env, "technician", "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        with self.assertRaises(AccessError):
            self.ticket.with_user(technician).action_bill_now()
        self.ticket.with_user(self._make_manager()).action_bill_now()
        self.assertEqual(self.charge.state, "approved")

    def test_company_rule(self):
        bill = self._generate()
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        user = new_test_user(
            self.env, "elsewhere", "support_contract.group_support_manager",
            company_id=company.id, company_ids=[(6, 0, company.ids)],
        )  # fmt: skip
        with self.assertRaises(AccessError):
            bill.with_user(user).read(["amount_untaxed"])
