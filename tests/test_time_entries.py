# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Time entries: billable, non-billable, billed; bulk changes; views; who may put what on them."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import HOUR, BillingCommon, SupportCommon
from .test_parallel import ParallelCase


class TimeMixin:
    """5 h a month for any work, 70.00 for each hour beyond."""

    @classmethod
    def _set_up_time(cls):
        plan = cls._make_plan(hours=5, fee=100, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls.first = cls._log_work(cls.ticket, "2026-01-06 09:00", 4, name="First")
        cls.second = cls._log_work(cls.ticket, "2026-01-07 09:00", 3, name="Second")

    def _wizard(self, lines, change, **vals):
        return (
            self.env["support.time.entry.wizard"]
            .with_context(active_model=lines._name, active_ids=lines.ids)
            .create({"change": change, "reason": "Agreed"} | vals)
        )

    def _change(self, lines, change, **vals):
        wizard = self._wizard(lines, change, **vals)
        wizard.action_preview()
        wizard.action_confirm()
        return wizard

    @classmethod
    def _make_agent(cls):
        agent = new_test_user(
            cls.env(su=True),
            "time_agent",
            "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.env["hr.employee"].sudo().create(
            {"name": "Agent", "user_id": agent.id, "company_id": cls.company.id}
        )
        return agent


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestTimeStates(TimeMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_time()

    def test_only_billable_work_is_billed(self):  # C60
        self.second.support_billable = False
        bill = self._bill(self.contract, "2026-02-01")
        self.assertEqual(
            (self.first + self.second).mapped("support_state"), ["billable", "non_billable"]
        )
        move = self._invoice(bill, post=True)
        self.assertEqual(
            (self.first + self.second).mapped("support_state"), ["billed", "non_billable"]
        )
        self.assertFalse(self.second.charge_ids)
        self.assertEqual(move.amount_untaxed, 100.0)  # the fee
        self.assertProved(self.contract)

    def test_billed_work_changes_only_by_credit(self):  # C60, C62
        self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        for vals in (
            {"support_billable": False},
            {"unit_amount": 1},
            {"billable_override": HOUR},
            {"billable_override_hours": 1},
            {"activity_type_id": self.onsite.id},
        ):
            with self.assertRaisesRegex(UserError, "Cancel or credit the bill first"):
                self.second.write(vals)
        with self.assertRaisesRegex(UserError, "approved bills and can't change: Second"):
            self._wizard(self.second, "non_billable").action_preview()
        self.assertEqual(self.second.support_state, "billed")

    def test_work_of_a_cancelled_bill_is_billable_again(self):
        bill = self._bill(self.contract, "2026-02-01")
        bill.action_approve()
        self.assertEqual(self.first.support_state, "billed")
        bill.action_cancel()
        self.assertEqual(self.first.support_state, "billable")

    def test_non_billable_takes_nothing(self):  # C61
        self.assertEqual(self._get_drawn(self.first), {self.contract.entitlement_ids: 4 * HOUR})
        self.first.support_billable = False
        self.assertFalse(self._get_drawn(self.first))
        self.assertEqual(self._get_charges(self.first), [])
        self.assertEqual(self._get_charges(self.second), [("covered", 3, 0.0)])
        self.assertEqual(self.contract.entitlement_ids.remaining, 2 * HOUR)
        self.assertProved(self.contract)

    def test_what_is_billed_is_left_out_where_wanted(self):  # C62
        third = self._log_work(self.ticket, "2026-02-03 09:00", 1, name="Third")
        bill = self._bill(self.contract, "2026-02-01")
        self._invoice(bill, post=True)
        lines = self.first + self.second + third
        wizard = self._change(lines, "non_billable", skip_billed=True)
        self.assertEqual(lines.mapped("support_state"), ["billed", "billed", "non_billable"])
        self.assertIn("that are billed are left out", wizard.preview)
        with self.assertRaisesRegex(UserError, "no time entry left"):
            self._change(self.first, "billable", skip_billed=True)
        self.assertProved(self.contract)

    def test_replaced_bills_count_once(self):  # C54
        """A replaced version keeps copies of its charges: no total counts them."""
        bill = self._bill(self.contract, "2026-02-01")
        self._invoice(bill, post=True)
        self.contract.rate_ids = [self._rate("price", 80.0)]
        version = bill.browse(bill.action_regenerate()["res_id"])
        version.action_make_main()
        self.env.flush_all()
        rows = self.env["support.time.report"].browse((self.first + self.second).ids)
        self.assertEqual(rows.mapped("amount"), [0, 160])
        self.assertEqual(rows.mapped("covered_hours"), [4, 1])
        row = self.env["support.forecast"]._inquire(self.customer)[0]
        self.assertEqual((row.hours_used, row.amount_fees, row.amount_usage), (7, 100, 160))

    def test_override_is_invoiced(self):  # C37
        self.second.billable_override_hours = 1.5
        move = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        self.assertEqual(move.amount_untaxed, 135.0)  # the fee, and 4 h + 1:30 h less 5 h
        self.assertEqual(self.second.unit_amount, 3)
        self.assertProved(self.contract)

    def test_ad_hoc_is_charged_whatever_is_left(self):  # Q34
        self.ticket.billing_type = "ad_hoc"
        self.assertEqual(self._get_charges(self.first), [("labour", 4, 280.0)])
        self.assertEqual(self.contract.entitlement_ids.remaining, 5 * HOUR)
        move = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        self.assertEqual(move.amount_untaxed, 590.0)
        self.assertProved(self.contract)

    def test_distance_is_charged_by_the_kilometre(self):  # Q35
        product = self.env.ref("support_contract.product_support_distance")
        product.sudo().lst_price = 0.42
        form = Form(self.env["support.part.wizard"].with_context(default_ticket_id=self.ticket.id))
        form.kind = "distance"
        form.quantity = 63
        self.assertEqual(form.product_id, product)
        self.assertEqual(form.uom_id, self.env.ref("uom.product_uom_km"))
        form.save().action_add()
        charge = self.ticket.part_ids
        self.assertEqual((charge.kind, charge.amount), ("expense", 26.46))
        move = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        line = move.invoice_line_ids.filtered(lambda line: line.product_id == product)
        self.assertEqual((line.quantity, line.price_subtotal), (63, 26.46))
        self.assertEqual(line.product_uom_id, product.uom_id)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestTimeWizard(TimeMixin, SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_time()

    def test_effect_is_shown_and_nothing_is_done(self):  # C62
        wizard = self._wizard(self.first + self.second, "non_billable")
        action = wizard.action_preview()
        self.assertEqual((action["res_id"], wizard.state), (wizard.id, "shown"))
        self.assertEqual((self.first + self.second).mapped("support_billable"), [True, True])
        self.assertEqual(self._get_charges(self.second), [("covered", 1, 0), ("overage", 2, 140)])
        preview = str(wizard.preview)
        self.assertIn("<strong>2 time entries, 7:00 h worked.</strong>", preview)
        for before, after in (("7:00 h", "0:00 h"), ("5:00 h", "0:00 h")):
            self.assertIn(f">{before}<", preview)
            self.assertIn(f">{after}<", preview)
        self.assertIn("140.00", preview)
        self.assertProved(self.contract)

    def test_others_get_the_units(self):
        """What one entry doesn't take any more pays for another one: the effect tells."""
        wizard = self._wizard(self.first, "non_billable")
        wizard.action_preview()
        row = str(wizard.preview).split(self.contract.display_name)[1]
        self.assertIn("140.00", row)
        self.assertIn("0.00", row.split("140.00")[1])
        wizard.action_confirm()
        self.assertEqual(self._get_charges(self.second), [("covered", 3, 0.0)])
        change = self.contract.change_ids
        self.assertEqual((change.kind, change.reason, change.amount), ("time", "Agreed", -140.0))
        self.assertIn("1 time entries (4:00 h) are non-billable now", change.summary)
        self.assertIn("-2:00 h", change.summary)
        self.assertIn("non-billable now", self.ticket.message_ids[0].body)
        self.assertIn("Agreed", self.ticket.message_ids[0].body)
        self.assertProved(self.contract)

    def test_there_and_back(self):
        before = [self._get_charges(line) for line in self.first + self.second]
        self._change(self.first + self.second, "non_billable")
        self.assertEqual(self.contract.entitlement_ids.used, 0)
        self._change(self.first + self.second, "billable")
        self.assertEqual([self._get_charges(line) for line in self.first + self.second], before)
        self.assertEqual(self.contract.change_ids.mapped("amount"), [140.0, -140.0])

    def test_another_activity(self):
        allowance = self._allowance(5, activities=self.phone)
        contract = self._make_contract(
            self._make_plan(allowances=[allowance], rates=[self._rate("price", 70.0)])
        )
        line = self._log_work(self._make_ticket(contract), "2026-01-06 09:00", 2)
        self._change(line, "activity", activity_type_id=self.onsite.id)
        self.assertEqual(self._get_charges(line), [("labour", 2, 140.0)])
        self.assertEqual(contract.change_ids.amount, 140.0)

    def test_to_another_ticket(self):
        other = self._make_ticket(
            self._make_contract(self._make_plan(rates=[self._rate("price", 50.0)]))
        )
        self._change(self.second, "move", ticket_id=other.id)
        self.assertEqual(self.second.ticket_id, other)
        self.assertEqual(self._get_charges(self.second), [("labour", 3, 150.0)])
        self.assertEqual(self.contract.change_ids.amount, -140.0)
        self.assertEqual(other.contract_id.change_ids.amount, 150.0)
        for ticket in self.ticket + other:
            self.assertIn("moved to", ticket.message_ids[0].body)
        self.assertProved(self.contract + other.contract_id)

    def test_effect_must_have_been_seen(self):
        wizard = self._wizard(self.first, "non_billable")
        with self.assertRaisesRegex(UserError, "Look at the effect first"):
            wizard.action_confirm()
        wizard.action_preview()
        wizard.change = "billable"
        with self.assertRaisesRegex(UserError, "Look at the effect first"):
            wizard.action_confirm()

    def test_effect_must_be_the_same(self):
        wizard = self._wizard(self.first, "non_billable")
        wizard.action_preview()
        self.second.unit_amount = 4
        with self.assertRaisesRegex(UserError, "changed meanwhile"), self.env.cr.savepoint():
            wizard.action_confirm()
        self.assertTrue(self.first.support_billable)

    def test_a_reason_is_needed(self):
        wizard = self._wizard(self.first, "non_billable", reason=" ")
        wizard.action_preview()
        with self.assertRaisesRegex(UserError, "Give a reason"):
            wizard.action_confirm()

    def test_it_counts_once(self):
        wizard = self._change(self.first, "non_billable")
        wizard.action_confirm()
        self.assertEqual(len(self.contract.change_ids), 1)

    def test_what_is_missing_is_said(self):
        for change, text in (("activity", "Choose the activity"), ("move", "Choose the ticket")):
            with self.assertRaisesRegex(UserError, text):
                self._wizard(self.first, change).action_preview()

    def test_a_policy_that_blocks_refuses_all(self):
        self.second.support_billable = False
        self.contract.overage_policy = "block"
        with self.assertRaisesRegex(UserError, "no work beyond"):
            self._wizard(self.second, "billable").action_preview()
        self.assertFalse(self.second.support_billable)

    def test_only_managers(self):
        agent = self._make_agent()
        with self.assertRaises(AccessError):
            self.env["support.time.entry.wizard"].with_user(agent).create(
                {"time_entry_ids": [(6, 0, self.first.ids)]}
            )

    def test_screen(self):
        wizard = self._wizard(self.first, "non_billable")
        with Form(wizard) as form:
            form.change = "activity"
            form.activity_type_id = self.onsite
        wizard.action_preview()
        with Form(wizard) as form:
            form.reason = "Wrong one"
        wizard.action_confirm()
        self.assertEqual(self.first.activity_type_id, self.onsite)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestBillableOverride(TimeMixin, SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_time()

    def test_more_or_less_than_worked(self):  # C37
        for hours, charges in (
            (1, [("covered", 1, 0.0)]),
            (6, [("covered", 1, 0.0), ("overage", 5, 350.0)]),
            (0, [("covered", 1, 0.0), ("overage", 2, 140.0)]),
        ):
            self.second.billable_override_hours = hours
            self.assertEqual(self._get_charges(self.second), charges, hours)
            self.assertEqual(self.second.worked_seconds, 3 * HOUR)
            self.assertProved(self.contract)

    def test_no_minimum_and_no_rounding(self):
        self.phone.write({"minimum_minutes": 60, "increment_minutes": 30})
        line = self._log_seconds(
            self.ticket, "2026-01-08 09:00", 4000, billable_override_hours=1 / 3
        )
        self.assertEqual((line.billable_override, line.billable_seconds), (1200, 1200))

    def test_it_is_left_out_of_the_rounding_of_a_day(self):
        activity = self._make_activity("Remote", increment_minutes=15, rounding_scope="ticket_day")
        lines = self.env["account.analytic.line"]
        for start in ("09:00", "10:00", "11:00"):
            lines += self._log_seconds(self.ticket, f"2026-01-08 {start}", 300, activity)
        self.assertEqual(lines.mapped("billable_seconds"), [900, 0, 0])
        lines[0].billable_override = 600
        self.assertEqual(lines.mapped("billable_seconds"), [600, 900, 0])
        self.assertProved(self.contract)

    def test_it_is_cut_at_shifts_like_work(self):
        night = self._make_shift("Night", [(0, 6), (22, 24)])
        plan = self._make_plan(
            rates=[self._rate("price", 60.0), self._rate("multiplier", 2, shift_id=night.id)]
        )
        ticket = self._make_ticket(self._make_contract(plan))
        line = self._log_work(ticket, "2026-01-08 21:00", 2, billable_override_hours=1.5)
        self.assertEqual(self._get_charges(line), [("labour", 1, 60.0), ("labour", 0.5, 60.0)])

    def test_there_must_be_work(self):
        with self.assertRaisesRegex(ValidationError, "no time worked"):
            self._log_work(self.ticket, "2026-01-08 09:00", 0, billable_override_hours=1)
        with self.assertRaisesRegex(ValidationError, "no time worked"):
            self.second.write({"billable_override_hours": 1, "unit_amount": 0})

    def test_it_is_never_negative(self):
        for vals in ({"billable_override_hours": -1}, {"billable_override": -1}):
            with self.assertRaisesRegex(ValidationError, "can't be negative"):
                self.second.write(vals)

    def test_who_may(self):
        agent = self._make_agent()
        ticket = self.ticket.with_user(agent)
        vals = {"ticket_id": ticket.id, "name": "Mine", "unit_amount": 1}
        lines = self.env["account.analytic.line"].with_user(agent)
        with self.assertRaisesRegex(AccessError, "Only managers"):
            lines.create(vals | {"billable_override_hours": 2})
        with self.assertRaisesRegex(AccessError, "Only managers"):
            lines.with_context(default_billable_override=7200).create(vals)
        line = lines.create(vals)
        with self.assertRaisesRegex(AccessError, "Only managers"):
            line.billable_override_hours = 2
        self.assertFalse(line.may_override)
        self.contract.allow_billable_time = True
        self.assertTrue(line.may_override)
        line.billable_override_hours = 2
        self.assertEqual(line.billable_seconds, 2 * HOUR)
        strict = self._make_ticket(self._make_contract())
        with self.assertRaisesRegex(AccessError, "Only managers"):
            line.ticket_id = strict.id  # where it isn't allowed it can't be moved
        self.contract.allow_billable_time = False
        line.name = "Still mine"  # what is there stays
        line.billable_override_hours = 0

    def test_the_plan_decides_until_the_contract_does(self):  # C37
        plan = self._make_plan(fee=10, allow_billable_time=True, allow_parts=False)
        contract = self._make_contract(plan)
        self.assertTrue(contract.allow_billable_time)
        self.assertFalse(contract.allow_parts)
        plan.allow_parts = True
        self.assertFalse(contract.allow_parts)

    def test_contracts_from_before_the_switch(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE support_contract SET allow_parts = NULL WHERE id = %s", (self.contract.id,)
        )
        self.env["support.contract"].init()
        self.contract.invalidate_recordset()
        self.assertTrue(self.contract.allow_parts)

    def test_parts(self):  # C37
        agent = self._make_agent()
        part = self._make_product("Fuse", 3.0)

        def add(user):
            self.env["support.part.wizard"].with_user(user).create(
                {"ticket_id": self.ticket.id, "product_id": part.id, "quantity": 2}
            ).action_add()

        add(agent)
        self.contract.allow_parts = False
        self.assertFalse(self.ticket.with_user(agent).can_add_parts)
        with self.assertRaisesRegex(AccessError, "Only managers and accountants add parts"):
            add(agent)
        self.assertTrue(self.ticket.can_add_parts)
        add(self.env.user)
        self.assertEqual(self.ticket.part_ids.mapped("amount"), [6.0, 6.0])


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestBillingType(TimeMixin, SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_time()

    def test_waived_and_back(self):  # Q34
        before = [self._get_charges(line) for line in self.first + self.second]
        self.ticket.billing_type = "waived"
        lines = self.first + self.second
        self.assertEqual(lines.mapped("support_state"), ["non_billable"] * 2)
        self.assertFalse(lines.charge_ids)
        self.assertEqual(self.contract.entitlement_ids.remaining, 5 * HOUR)
        later = self._log_work(self.ticket, "2026-01-09 09:00", 1)
        self.assertEqual((later.support_state, later.billable_seconds), ("non_billable", 0))
        self.assertProved(self.contract)
        with self.assertRaisesRegex(UserError, "is waived"):
            self._wizard(later, "billable").action_preview()
        later.unlink()
        self.ticket.billing_type = "contract"
        self.assertEqual([self._get_charges(line) for line in lines], before)
        self.assertProved(self.contract)

    def test_ad_hoc_leaves_the_allowance_to_others(self):
        other = self._make_ticket(self.contract)
        line = self._log_work(other, "2026-01-08 09:00", 2)
        self.assertEqual(self._get_charges(line), [("overage", 2, 140.0)])
        self.ticket.billing_type = "ad_hoc"
        self.assertEqual(self._get_charges(line), [("covered", 2, 0.0)])
        self.assertEqual(self._get_charges(self.second), [("labour", 3, 210.0)])
        self.assertProved(self.contract)

    def test_incidents(self):
        plan = self._make_plan(
            allowances=[self._allowance(incidents=2)],
            incident_product_id=self.incident_product.id,
            incident_price=40.0,
        )
        contract = self._make_contract(plan)
        ticket = self._make_ticket(contract)
        grant = contract.entitlement_ids
        self.assertEqual(grant.remaining, 1)
        ticket.billing_type = "waived"
        self.assertEqual((grant.remaining, ticket.incident_demand), (2, 0))
        self.assertIn("Waived", ticket.incident_entry_ids.sorted("id")[-1].reason)
        ticket.billing_type = "ad_hoc"
        self.assertEqual(
            (grant.remaining, ticket.incident_demand, ticket.charged_amount), (2, 1, 40.0)
        )
        self.assertProved(contract)
        ticket.billing_type = "contract"
        ticket.invalidate_recordset()
        self.assertEqual((grant.remaining, ticket.charged_amount), (1, 0.0))
        self.assertProved(contract)

    def test_parts_of_a_waived_ticket_cost_nothing(self):
        part = self._make_product("Fuse", 3.0)
        vals = {"ticket_id": self.ticket.id, "product_id": part.id}
        self.env["support.part.wizard"].create(vals).action_add()
        with self.assertRaisesRegex(UserError, "can't be waived"), self.env.cr.savepoint():
            self.ticket.billing_type = "waived"
        self.ticket.part_ids.price_unit = 0
        self.ticket.billing_type = "waived"
        self.env["support.part.wizard"].create(vals).action_add()
        self.assertEqual(self.ticket.part_ids.mapped("amount"), [0.0, 0.0])
        with self.assertRaisesRegex(UserError, "can't be waived"), self.env.cr.savepoint():
            self.ticket.charge_amount = 10

    def test_who_may(self):
        agent = self._make_agent()
        with self.assertRaisesRegex(AccessError, "how a ticket is billed"):
            self.ticket.with_user(agent).billing_type = "waived"
        with self.assertRaisesRegex(AccessError, "how a ticket is billed"):
            self.env["helpdesk.ticket"].with_user(agent).with_context(
                default_billing_type="waived"
            ).create({"name": "Free", "description": "Free", "partner_id": self.customer.id})
        self.ticket.with_user(agent).billing_type = "contract"  # as it is


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestTimeReport(TimeMixin, SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_time()
        cls.agent = cls._make_agent()
        cls.theirs = (
            cls.env["account.analytic.line"]
            .with_user(cls.agent)
            .create(
                {
                    "ticket_id": cls.ticket.id,
                    "name": "Theirs",
                    "work_start": "2026-02-02 09:00:00",
                    "unit_amount": 0.5,
                    "support_billable": False,
                }
            )
        )
        cls.env.flush_all()
        cls.report = cls.env["support.time.report"]
        cls.domain = [("ticket_id", "=", cls.ticket.id)]

    def test_rows(self):  # C63
        rows = self.report.search(self.domain, order="id")
        self.assertEqual(
            [
                (r.worked_hours, r.billable_hours, r.covered_hours, r.charged_hours, r.amount)
                for r in rows
            ],
            [(4, 4, 4, 0, 0), (3, 3, 1, 2, 140), (0.5, 0, 0, 0, 0)],
        )
        self.assertEqual(rows[2].support_state, "non_billable")
        self.assertEqual(rows.partner_id, self.customer)
        self.assertEqual(rows[0].action_open()["res_id"], self.first.id)

    def test_totals_by_person_and_month(self):
        groups = self.report.formatted_read_group(
            self.domain,
            ["date:month", "employee_id"],
            ["worked_hours:sum", "covered_hours:sum", "amount:sum"],
        )
        self.assertEqual(
            [(g["worked_hours:sum"], g["covered_hours:sum"], g["amount:sum"]) for g in groups],
            [(7, 5, 140), (0.5, 0, 0)],
        )

    def test_who_sees_what(self):
        rows = self.report.with_user(self.agent).search(self.domain)
        self.assertEqual(rows.mapped("name"), ["Theirs"])
        with self.assertRaises(AccessError):
            rows.read(["amount"])
        arch = self.report.with_user(self.agent).get_view(
            self.env.ref("support_contract.view_support_time_report_list").id, "list"
        )["arch"]
        self.assertNotIn('name="amount"', arch)
        self.assertNotIn("Change", arch)

    def test_screens(self):
        for xmlid in ("action_support_time_report", "action_time_entry"):
            action = self.env.ref(f"support_contract.{xmlid}").sudo()
            model = self.env[action.res_model]
            views = model.get_views([*action.views, (False, "search")])["views"]
            self.assertLessEqual({"list", "pivot", "graph", "calendar"}, views.keys())
            self.assertIn("Change …", views["list"]["arch"])
        self.env.user.sudo().group_ids += self.env.ref("base.group_allow_export")
        exported = self.report.search(self.domain, order="id").export_data(
            ["date", "partner_id/name", "worked_hours", "amount"]
        )["datas"]
        self.assertEqual(exported[1][2:], [3.0, 140.0])

    def test_changed_from_the_report(self):
        self._change(self.report.browse(self.second.id), "non_billable")
        self.assertFalse(self.second.support_billable)


@tagged("post_install", "-at_install")
class TestTimeWizardParallel(ParallelCase):
    def _delete_all(self):
        with self.registry.cursor() as cr:
            cr.execute(
                """
                DELETE FROM support_time_entry_wizard WHERE id = %(wizard)s;
                DELETE FROM support_contract_change WHERE contract_id = %(contract)s;
                DELETE FROM account_analytic_line WHERE ticket_id = %(ticket)s;
                """,
                {"wizard": self.wizard_id, "contract": self.contract_id, "ticket": self.ticket_id},
            )
            cr.execute("DELETE FROM hr_employee WHERE id = %s", (self.employee_id,))
        return super()._delete_all()

    def test_confirmed_twice_at_once_it_counts_once(self):
        self.wizard_id = self.contract_id = self.ticket_id = self.employee_id = 0
        with self._environment() as env:
            activity = env.ref("support_contract.activity_type_support")
            env["helpdesk.ticket.team"].browse(self.team_id).requires_incident = False
            plan = env["support.plan"].create({"name": "Parallel", "duration_months": 0})
            self.plan_id = plan.id
            contract = env["support.contract"].create(
                {"plan_id": plan.id, "partner_id": self.customer_id, "date_start": "2026-01-01"}
            )
            contract.rate_ids = [(0, 0, {"kind": "price", "price": 70.0})]
            contract.action_confirm()
            employee = env["hr.employee"].create({"name": "Parallel"})
            ticket = env["helpdesk.ticket"].create(
                {
                    "name": "Parallel",
                    "description": "Parallel",
                    "partner_id": self.customer_id,
                    "team_id": self.team_id,
                    "contract_id": contract.id,
                }
            )
            line = env["account.analytic.line"].create(
                {
                    "ticket_id": ticket.id,
                    "name": "Work",
                    "employee_id": employee.id,
                    "activity_type_id": activity.id,
                    "unit_amount": 2,
                }
            )
            wizard = env["support.time.entry.wizard"].create(
                {"time_entry_ids": [(6, 0, line.ids)], "change": "non_billable", "reason": "Twice"}
            )
            wizard.action_preview()
            self.wizard_id, self.contract_id = wizard.id, contract.id
            self.ticket_id, self.employee_id = ticket.id, employee.id

        def confirm(env):
            env["support.time.entry.wizard"].browse(self.wizard_id).action_confirm()

        with mute_logger("odoo.sql_db"):
            self._run_parallel(lambda _number: self._retry(confirm), 3)
        with self._environment() as env:
            changes = env["support.contract"].browse(self.contract_id).change_ids
            self.assertEqual([(c.kind, c.amount) for c in changes], [("time", -140.0)])
