# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What calls past the screens must not do: forged values, defaults of the context, other people's.

Each is a call that anybody with the role could send; the screens never do.
"""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .common import BillingCommon
from .test_packs import PackMixin

TECHNICIAN = "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user"


@tagged("post_install", "-at_install")
@freeze_time("2026-01-05 12:00:00")
class TestAccessUnits(PackMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_packs()
        cls.salesman = cls._make_user("seller", "sales_team.group_sale_salesman_all_leads")
        cls.clerk = cls._make_user("biller", "account.group_account_invoice")
        cls.technician = cls._make_user("technician", TECHNICIAN)
        cls.colleague = cls._make_user("colleague", TECHNICIAN)
        cls.other = cls.env["res.company"].sudo().create({"name": "Other company"})
        cls.stranger = cls._make_user("stranger", TECHNICIAN, cls.other)
        cls.stranger_paid = cls._make_user(
            "stranger_paid",
            "account.group_account_invoice,helpdesk_mgmt.group_helpdesk_user",
            cls.other,
        )

    @classmethod
    def _make_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    # === SALESMEN ===

    def test_nobody_writes_that_a_contract_is_paid(self):
        contract = self._make_contract()
        with self.assertRaisesRegex(UserError, "can't be written"):
            contract.payment_pending = True

    def test_salesman_cannot_write_what_a_pack_grants(self):
        """Ten incidents are sold, not a thousand, nor for longer."""
        order = self._make_order(self.lifetime, confirm=False)
        line = order.order_line.with_user(self.salesman)
        forged = (
            {"support_pack_units": 1000},
            {"support_grant_on": "confirmed"},
            {"support_units_due": 1000},
            {"support_units_synced": -1000},
            {"support_date_from": "2020-01-01"},
            {"support_date_to": "2099-12-31"},
        )
        for vals in forged:
            with self.assertRaises(AccessError, msg=vals):
                line.write(vals)
            with self.assertRaises(AccessError, msg=vals):
                order.with_user(self.salesman).write(
                    {"order_line": [Command.update(line.id, vals)]}
                )
        vals = {"order_id": order.id, "product_id": self.lifetime.id}
        lines = self.env["sale.order.line"].with_user(self.salesman)
        with self.assertRaises(AccessError):
            lines.create(vals | {"support_units_due": 1000})
        with self.assertRaises(AccessError):
            lines.with_context(default_support_units_due=1000).create(vals)
        self._confirm(order.with_user(self.salesman))
        self.assertEqual(self._get_grants(order).quantity, 10)

    def test_salesman_cannot_set_a_maximum_by_context(self):
        partners = self.env["res.partner"].with_user(self.technician).sudo(False)
        self.technician.sudo().group_ids += self.env.ref("base.group_partner_manager")
        for name in ("support_incidents_max", "support_hours_max"):
            with self.assertRaises(AccessError, msg=name):
                partners.with_context(**{f"default_{name}": 100}).create({"name": "Friend"})
        self.assertTrue(partners.create({"name": "Customer"}))

    # === ACCOUNTANTS ===

    def test_clerk_cannot_write_what_a_payment_counts(self):
        payments = self.env["account.payment"].with_user(self.clerk)
        vals = {"partner_id": self.customer.id, "amount": 10.0, "payment_type": "inbound"}
        payment = payments.create(vals)
        with self.assertRaises(AccessError):
            payment.support_counted_amount = 1e6
        with self.assertRaises(AccessError):
            payments.create(vals | {"support_counted_amount": 1e6})
        with self.assertRaises(AccessError):
            payments.with_context(default_support_counted_amount=1e6).create(vals)

    def test_clerk_of_another_company_reads_no_charge_by_the_wizard(self):
        ticket = self._make_ticket()
        ticket.charge_amount = 50.0
        wizards = self.env["support.ticket.charge.wizard"].with_user(self.stranger_paid)
        with self.assertRaises(AccessError):
            wizards.create({"ticket_id": ticket.id}).read(["charged", "amount"])
        with self.assertRaises(AccessError):
            ticket.with_user(self.stranger_paid).action_bill_now()
        self.assertFalse(self.env["support.bill"].search([("partner_id", "=", self.customer.id)]))

    def test_statement_of_another_company_is_not_read(self):
        """Whoever sees prices sees those of his companies only."""
        statement = (
            self.env["support.statement"]
            .with_user(self.stranger_paid)
            .create({"partner_id": self.customer.id, "company_id": self.company.id})
        )
        with self.assertRaises(AccessError):
            statement._get_data()
        statement.company_id = self.other
        self.assertIsNotNone(statement._get_data()["money"])

    # === TECHNICIANS ===

    def test_technician_sees_no_money_on_a_statement(self):
        statements = self.env["support.statement"].with_user(self.technician)
        self._make_order(self.hours)
        vals = {
            "partner_id": self.customer.id,
            "company_id": self.company.id,
            "date_from": "2026-01-01",
            "date_to": "2026-01-31",
        }
        statement = statements.create(vals)
        honest = statement.preview
        statement.write({"shows_money": True})
        statement.invalidate_recordset(["preview"], flush=False)
        self.assertIsNone(statement._get_data()["money"])
        self.assertEqual(statement.preview, honest)
        shown = statements.onchange(
            vals | {"shows_money": True},
            [],
            {name: {} for name in (*vals, "shows_money", "preview")},
        )
        self.assertEqual(shown["value"]["preview"], honest)

    def test_technician_charges_no_ticket_by_context(self):
        tickets = self.env["helpdesk.ticket"].with_user(self.technician)
        vals = {"name": "Broken", "description": "It is", "partner_id": self.customer.id}
        with self.assertRaises(AccessError):
            tickets.with_context(default_charge_amount=100.0).create(vals)
        ticket = self.env["helpdesk.ticket"].with_context(default_charge_amount=100.0).create(vals)
        self.assertEqual(ticket.charge_amount, 100.0)
        self.assertTrue(ticket.ticket_charge_ids)

    def test_technician_makes_the_contract_of_the_plan_only(self):
        """Defaults of the context make the contract neither cheaper nor larger."""
        plan = self._make_plan(name="One request", coverage="request", fee=80.0, hours=1)
        ticket = self._make_ticket(opened="2026-01-05 09:00:00")
        wizard = (
            self.env["support.ticket.contract.wizard"]
            .with_user(self.technician)
            .create({"ticket_id": ticket.id, "plan_id": plan.id, "invoice_at_once": False})
        )
        wizard.with_context(
            default_line_ids=[],
            default_opening_date="2026-01-05",
            default_opening_hours=500,
            default_priority=99,
        ).action_create()
        contract = ticket.contract_id
        self.assertEqual(sum(contract.line_ids.mapped("subtotal")), 80.0)
        self.assertFalse(contract.opening_date or contract.opening_hours_given)
        self.assertNotEqual(contract.priority, 99)
        self.assertEqual(contract.time_left, 1.0)

    def test_technician_logs_no_work_on_a_locked_ticket_by_context(self):
        self.company.sudo().support_no_contract_policy = "lock"
        ticket = self._make_ticket(opened="2026-01-05 09:00:00")
        self.assertEqual(ticket.lock_reason, "no_contract")
        self.env["hr.employee"].sudo().create(
            {"name": "T", "user_id": self.technician.id, "company_id": self.company.id}
        )
        project = ticket.team_id._get_support_project(self.company)
        lines = self.env["account.analytic.line"].with_user(self.technician)
        with self.assertRaisesRegex(UserError, "locked"):
            lines.with_context(default_ticket_id=ticket.id).create(
                {"name": "Work", "project_id": project.id, "unit_amount": 1.0}
            )

    def test_technician_of_another_company_learns_nothing_by_wizards(self):
        contract = self._make_contract(self._make_plan(hours=1))
        ticket = self._make_ticket(contract)
        lines = self.env["support.coverage.explanation.line"].with_user(self.stranger)
        own = (
            self.env["helpdesk.ticket"]
            .with_user(self.stranger)
            .create({"name": "Mine", "description": "Mine"})
        )
        explanation = (
            self.env["support.coverage.explanation"]
            .with_user(self.stranger)
            .create({"ticket_id": own.id})
        )
        with self.assertRaises(AccessError):
            lines.create({"explanation_id": explanation.id, "contract_id": contract.id}).read(
                ["partner_id", "date_start", "state"]
            )
        with self.assertRaises(AccessError):
            self.env["support.ticket.contract.wizard"].with_user(self.stranger).create(
                {"ticket_id": ticket.id, "plan_id": contract.plan_id.id}
            ).read(["partner_id"])

    def test_what_was_found_for_one_is_not_read_by_another(self):
        ticket = self._make_ticket(self._make_contract(self._make_plan(hours=1)))
        action = ticket.with_user(self.technician).action_explain_coverage()
        found = self.env[action["res_model"]].browse(action["res_id"])
        self.assertTrue(found.with_user(self.technician).read(["result"]))
        for user in (self.colleague, self.stranger):
            with self.assertRaises(AccessError):
                found.with_user(user).read(["result"])
            with self.assertRaises(AccessError):
                found.line_ids.with_user(user).read(["reason"])
