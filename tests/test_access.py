# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Who may do what: staff, managers, accountants, other companies, customers in the portal."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import HttpCase, new_test_user, tagged

from .common import HOUR, SupportCommon

PRICED_MODELS = (
    "support.charge",
    "support.bill",
    "support.billing.run",
    "support.billing.run.item",
    "support.rate",
    "support.contract.line",
    "support.contract.line.change",
    "support.discrepancy",
    "support.bill.difference",
    "support.bill.rule",
    "support.bill.rule.criterion",
)
SEEN_MODELS = (
    "support.contract",
    "support.contract.term",
    "support.entitlement",
    "support.entitlement.entry",
    "support.plan",
    "support.plan.allowance",
    "support.activity.type",
    "support.site",
    "support.contract.change",
    "support.contract.stage",
    "support.contract.notice",
    "support.contract.version",
    "support.contract.termination",
    "support.contract.termination.unit",
    "support.contract.suspension",
    "support.hold",
    "support.top.up.plan",
    "support.time.report",
    "support.undelivered",
)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestAccess(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls._make_plan(hours=5, fee=100, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls.line = cls._log_work(cls.ticket, "2026-01-10 10:00", 6)
        cls.staff = cls._make_user(
            "agent", "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user"
        )
        cls.accountant = cls._make_user("accountant", "account.group_account_invoice")
        cls.employee_only = cls._make_user("clerk", "base.group_user")
        cls.portal = new_test_user(cls.env(su=True), "portal_person", "base.group_portal")
        cls.portal.partner_id.parent_id = cls.customer

    @classmethod
    def _make_user(cls, login, groups, company=None):
        company = company or cls.company
        user = new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        cls.env["hr.employee"].sudo().create(
            {"name": login, "user_id": user.id, "company_id": company.id}
        )
        return user

    # === SUPPORT STAFF === #

    def test_staff_see_contracts_and_balances(self):
        contract = self.contract.with_user(self.staff)
        self.assertEqual((contract.time_left, contract.state), (0, "active"))
        for model in SEEN_MODELS:
            self.assertTrue(self.env[model].with_user(self.staff).has_access("read"), model)

    def test_staff_see_no_prices(self):
        for model in PRICED_MODELS:
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(self.staff).search([]).read()

    def test_staff_see_no_amounts_on_what_they_see(self):
        for record, names in (
            (self.contract, ("charge_ids", "bill_ids", "line_ids", "rate_ids", "amount_unbilled")),
            (self.contract.term_ids[0], ("amount_charged", "amount_to_bill", "charge_ids")),
            (self.ticket, ("charged_amount", "charge_ids", "part_ids")),
            (self.line, ("support_amount",)),
            (self.contract.plan_id, ("line_ids", "rate_ids", "incident_price")),
        ):
            for name in names:
                with self.assertRaises(AccessError, msg=name):
                    record.with_user(self.staff).read([name])

    def test_staff_change_no_contracts(self):
        for model in SEEN_MODELS:
            for operation in ("write", "create", "unlink"):
                access = self.env[model].with_user(self.staff).has_access(operation)
                self.assertFalse(access, f"{operation} {model}")

    def test_staff_log_time_without_seeing_prices(self):
        ticket = self.ticket.with_user(self.staff)
        line = (
            self.env["account.analytic.line"]
            .with_user(self.staff)
            .create(
                {
                    "ticket_id": ticket.id,
                    "name": "Call",
                    "activity_type_id": self.phone.id,
                    "work_start": "2026-01-11 10:00:00",
                    "unit_amount": 1,
                }
            )
        )
        self.assertEqual(line.employee_id.name, "agent")
        self.assertEqual(self._get_charges(line.sudo()), [("overage", 1, 70.0)])
        line.unit_amount = 2
        self.assertEqual(self._get_charges(line.sudo()), [("overage", 2, 140.0)])
        line.unlink()
        self.assertFalse(self.env["support.charge"].search([("time_entry_id", "=", line.id)]))

    def test_staff_open_a_ticket_under_a_contract(self):
        ticket = (
            self.env["helpdesk.ticket"]
            .with_user(self.staff)
            .create({"name": "New", "description": "?", "partner_id": self.customer.id})
        )
        self.assertEqual(ticket.contract_id, self.contract)

    def test_staff_use_the_timer(self):
        ticket = self.ticket.with_user(self.staff)
        ticket.action_start_timer()
        self.assertTrue(ticket.running_timer_id)
        with freeze_time("2026-01-20 13:00:00"):
            ticket.action_stop_timer()
        line = self.ticket.time_entry_ids - self.line
        self.assertEqual((line.user_id, line.worked_seconds), (self.staff, HOUR))

    def test_staff_cannot_write_what_rating_decides(self):
        line = (
            self.env["account.analytic.line"]
            .with_user(self.staff)
            .create({"ticket_id": self.ticket.id, "name": "Call", "unit_amount": 1})
        )
        for vals in (
            {"rated_pieces": []},
            {"billable_seconds": 0},
            {"support_contract_id": False},
            {"recorded_at": "2020-01-01 00:00:00"},
        ):
            with self.assertRaises(AccessError, msg=str(vals)):
                line.write(vals)
            with self.assertRaises(AccessError, msg=str(vals)):
                line.copy(vals)

    def test_staff_cannot_rate_by_context(self):
        line = (
            self.env["account.analytic.line"]
            .with_user(self.staff)
            .with_context(default_billable_seconds=0, default_rated_pieces=[])
            .create(
                {
                    "ticket_id": self.ticket.id,
                    "name": "Call",
                    "work_start": "2026-01-11 10:00:00",
                    "unit_amount": 1,
                }
            )
        )
        self.assertEqual(sum(line.sudo().charge_ids.mapped("amount")), 70.0)

    # === MANAGERS === #

    def test_manager_makes_and_bills_a_contract(self):
        contract = self._make_contract(self._make_plan(fee=50))
        with freeze_time("2026-02-01 12:00:00"):
            bill = self._bill(contract, "2026-02-01")
        bill.action_approve()
        self.assertFalse(self.env.su)
        self.assertEqual((bill.state, bill.amount_untaxed), ("approved", 50.0))

    def test_manager_cannot_touch_the_ledger(self):
        entry = self.contract.entitlement_ids.entry_ids[0]
        for operation in ("write", "create", "unlink"):
            self.assertFalse(entry.has_access(operation), operation)

    def test_manager_cannot_make_a_running_contract_by_context(self):
        contracts = self.env["support.contract"].with_context(default_state="active")
        contract = contracts.create(
            {"plan_id": self.contract.plan_id.id, "partner_id": self.customer.id}
        )
        self.assertEqual(contract.state, "draft")

    def test_manager_cannot_make_a_grant_past_the_door(self):
        vals = {
            "name": "Forged",
            "unit": "time",
            "date_from": "2026-01-01",
            "partner_id": self.customer.id,
        }

        with self.assertRaises(AccessError):
            self.env["support.entitlement"].create(vals)

    def test_context_cannot_fill_a_grant(self):
        grants = self.env["support.entitlement"].with_context(
            default_quantity=100, default_remaining=100
        )

        grant = grants._grant(
            [
                {
                    "name": "Forged",
                    "unit": "time",
                    "amount": 60,
                    "date_from": "2026-01-01",
                    "partner_id": self.customer.id,
                }
            ]
        )

        self.assertEqual((grant.quantity, grant.remaining), (60, 60))

    def test_manager_cannot_write_terms(self):
        with self.assertRaises(AccessError):
            self.contract.term_ids[0].charged = True

    def test_staff_cannot_say_when_a_ticket_was_recorded(self):
        with self.assertRaises(AccessError):
            self.ticket.with_user(self.staff).recorded_at = "2020-01-01 00:00:00"

    # === ACCOUNTANTS === #

    def test_accountant_reads_what_invoices_come_from(self):
        for model in ("support.bill", "support.charge", "support.contract", "support.rate"):
            self.assertTrue(self.env[model].with_user(self.accountant).has_access("read"), model)

    def test_accountant_bills_what_is_due(self):
        with freeze_time("2026-02-01 12:00:00"):
            bills = self.env["support.bill"].with_user(self.accountant)
            bill = bills._generate(self.contract.with_user(self.accountant), date(2026, 2, 1))
            bill.action_approve()
        self.assertEqual((bill.state, bill.amount_untaxed), ("approved", 170.0))

    def test_bill_changes_by_its_buttons_only(self):
        with freeze_time("2026-02-01 12:00:00"):
            bill = self._bill(self.contract, "2026-02-01")
        for user in (self.accountant, self.env.user):
            for vals in (
                {"state": "approved"},
                {"approval_state": "approved"},
                {"is_main": False},
                {"amount_untaxed": 1.0},
            ):
                with self.assertRaises(AccessError, msg=str(vals)):
                    bill.with_user(user).write(vals)

    def test_state_of_a_charge_is_not_written(self):
        with self.assertRaisesRegex(UserError, "follows from its bill"):
            self.line.charge_ids[0].state = "open"

    def test_accountant_does_not_approve_for_the_manager(self):
        for approval in ("manager", "customer"):
            contract = self._make_contract(self._make_plan(fee=1), bill_approval=approval)
            with freeze_time("2026-02-01 12:00:00"):
                bill = self._bill(contract, "2026-02-01").with_user(self.accountant)
            bill.action_submit()
            with self.assertRaisesRegex(AccessError, "by a manager"):
                bill.action_approve()
            bill.with_user(self.env.user).action_approve()
            self.assertEqual(bill.state, "approved")

    def test_accountant_makes_no_contracts_and_no_grants(self):
        for model in ("support.contract", "support.plan", "support.rate", "support.entitlement"):
            access = self.env[model].with_user(self.accountant).has_access("write")
            self.assertFalse(access, model)

    # === OTHERS === #

    def test_clerk_without_helpdesk_sees_nothing(self):
        for model in (*SEEN_MODELS, *PRICED_MODELS):
            access = self.env[model].with_user(self.employee_only).has_access("read")
            self.assertFalse(access, model)

    def test_portal_reads_nothing(self):
        for model in (*SEEN_MODELS, *PRICED_MODELS):
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(self.portal).search([]).read()

    def test_portal_reads_no_amounts_on_a_ticket(self):
        ticket = self.ticket.with_user(self.portal)
        self.assertEqual(ticket.name, self.ticket.name)
        for name in ("charged_amount", "charge_ids", "part_ids"):
            with self.assertRaises(AccessError, msg=name):
                ticket.read([name])

    def test_other_company_sees_nothing(self):
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        stranger = self._make_user("stranger", "support_contract.group_support_manager", other)
        with freeze_time("2026-02-01 12:00:00"):
            self._bill(self.contract, "2026-02-01")
        for model in (
            "support.contract",
            "support.contract.term",
            "support.contract.line",
            "support.entitlement",
            "support.entitlement.entry",
            "support.plan",
            "support.plan.allowance",
            "support.rate",
            "support.charge",
            "support.bill",
        ):
            self.assertTrue(self.env[model].search_count([]), model)
            self.assertFalse(self.env[model].with_user(stranger).search_count([]), model)

    def test_other_company_reads_no_record_it_knows_of(self):
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        stranger = self._make_user("stranger", "support_contract.group_support_manager", other)
        for record in (self.contract, self.contract.entitlement_ids, self.line.charge_ids):
            with self.assertRaises(AccessError):
                record.with_user(stranger).read(["display_name"])


@tagged("post_install", "-at_install")
class TestPortal(HttpCase):
    """A customer opens a ticket in the portal, to a team that requires an incident."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env.ref("base.main_company")
        company.helpdesk_mgmt_portal_select_team = True
        cls.customer = cls.env["res.partner"].create({"name": "Lumen Ltd", "is_company": True})
        cls.user = new_test_user(
            cls.env, "portal_person", "base.group_portal", company_id=company.id
        )
        cls.user.partner_id.parent_id = cls.customer
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Incidents",
                "company_id": company.id,
                "show_in_portal": True,
                "requires_incident": True,
            }
        )

    def _submit(self):
        self.authenticate("portal_person", "portal_person")
        return self.url_open(
            "/submitted/ticket",
            data={
                "csrf_token": Request.csrf_token(self),
                "subject": "It does not work",
                "description": "At all",
                "team": str(self.team.id),
            },
        )

    def _get_tickets(self):
        return self.env["helpdesk.ticket"].search([("name", "=", "It does not work")])

    def test_ticket_of_the_portal_takes_an_incident(self):
        grant = self.env["support.entitlement"]._grant(
            [
                {
                    "name": "Ten incidents",
                    "unit": "incident",
                    "amount": 10,
                    "date_from": "2020-01-01",
                    "partner_id": self.customer.id,
                }
            ]
        )
        self.assertEqual(self._submit().status_code, 200)
        ticket = self._get_tickets()
        self.assertEqual((ticket.team_id, ticket.incident_quantity), (self.team, 1))
        self.assertEqual(grant.remaining, 9)

    def test_ticket_of_the_portal_without_incident_is_not_opened(self):
        self._submit()
        self.assertFalse(self._get_tickets())
