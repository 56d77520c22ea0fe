# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts made from a ticket: for it alone while it is open, or for its item (L7, L15)."""

from datetime import date

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, new_test_user

from .common import HOUR, BillingCommon

TECHNICIAN = "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user"


class RequestCommon(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.support_no_contract_policy = "lock"
        cls.progress = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_in_progress")
        cls.done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        (cls.progress | cls.done).write({"mail_template_id": False})
        cls.plan = cls._make_plan(
            name="One request",
            coverage="request",
            fee=80.0,
            hours=1,
            rates=[cls._rate("price", 70.0)],
            billing_mode="arrears",
            duration_months=12,
        )
        cls.technician = new_test_user(cls.env, "technician", TECHNICIAN, company_id=cls.company.id)

    def _open_ticket(self, **vals):
        return self._make_ticket(opened=fields.Datetime.now(), **vals)

    def _create(self, ticket, user=None, **values):
        """Press the button on the ticket, fill the wizard, and return the contract."""
        user = user or self.env.user
        action = ticket.with_user(user).action_create_contract()
        form = Form(self.env[action["res_model"]].with_user(user).with_context(**action["context"]))
        for name, value in values.items():
            form[name] = value
        form.save().action_create()
        return ticket.contract_id


@freeze_time("2026-01-05 12:00:00")
class TestRequestContract(RequestCommon):
    def test_one_step_opens_and_invoices(self):
        ticket = self._open_ticket()
        self.assertEqual(ticket.lock_reason, "no_contract")
        contract = self._create(ticket)
        self.assertRecordValues(
            contract,
            [
                {
                    "state": "active",
                    "coverage": "request",
                    "partner_id": self.customer.id,
                    "request_ticket_id": ticket.id,
                    "apply_to_new_tickets": False,
                    "date_start": date(2026, 1, 5),
                    "date_end": False,
                }
            ],
        )
        self.assertFalse(ticket.lock_reason)
        self.assertTrue(ticket.contract_by_hand)
        bill = contract.bill_ids
        self.assertEqual(
            (bill.kind, bill.state, bill.amount_untaxed), ("immediate", "invoiced", 80)
        )
        self.assertEqual((bill.move_id.state, bill.move_id.amount_untaxed), ("draft", 80))
        self.assertProved(contract)

    def test_charged_once_however_long_it_takes(self):
        ticket = self._open_ticket()
        contract = self._create(ticket)
        for day in ("2026-02-10", "2026-03-10", "2026-04-10"):
            with freeze_time(day):
                self._roll(contract)
                self._bill(contract, day)
        self.assertEqual(len(contract.term_ids), 5)
        fees = contract.charge_ids.filtered(lambda charge: charge.kind == "recurring")
        self.assertEqual(fees.mapped("amount"), [80.0])
        self.assertEqual(contract.bill_ids.mapped("amount_untaxed"), [80.0])
        self.assertEqual(contract.entitlement_ids.mapped("quantity"), [HOUR])  # granted once, too

    def test_work_beyond_comes_on_the_last_bill(self):
        ticket = self._open_ticket()
        contract = self._create(ticket)
        self._log_work(ticket, "2026-01-05 09:00", 1.5)
        with freeze_time("2026-01-08 10:00:00"):
            self._log_work(ticket, "2026-01-08 08:00", 1)
            ticket.stage_id = self.done
            self.assertEqual((contract.date_end, contract.state), (date(2026, 1, 8), "active"))
            self._log_work(ticket, "2026-01-08 09:00", 0.5)  # written down after the closing
        with freeze_time("2026-01-09 10:00:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "expired")
            bill = self._bill(contract, "2026-01-09")
            self.assertEqual(bill.amount_untaxed, 140.0)
            self._invoice(bill)
            self.assertFalse(self._bill(contract, "2026-03-09"))
        self.assertEqual(sum(contract.bill_ids.move_id.mapped("amount_untaxed")), 220.0)
        self.assertProved(contract)

    def test_price_by_hand(self):
        contract = self._create(self._open_ticket(), price=125.5)
        self.assertEqual(contract.bill_ids.move_id.amount_untaxed, 125.5)
        self.assertEqual(self.plan.line_ids.price_unit, 80.0)
        self.assertProved(contract)

    def test_a_plan_without_products_has_a_price_by_hand(self):
        plan = self._make_plan(
            name="By the hour", coverage="request", rates=[self._rate("price", 70.0)]
        )
        free = self._create(self._open_ticket(), plan_id=plan)
        self.assertFalse(free.bill_ids)
        paid = self._create(self._open_ticket(), plan_id=plan, price=50.0)
        self.assertEqual(paid.bill_ids.move_id.amount_untaxed, 50.0)

    def test_no_negative_price(self):
        with self.assertRaisesRegex(UserError, "price can't be negative"):
            self._create(self._open_ticket(), price=-1.0)

    def test_not_invoiced_at_once(self):
        contract = self._create(self._open_ticket(), invoice_at_once=False)
        self.assertFalse(contract.bill_ids)
        bill = self._bill(contract, "2026-01-05")
        self.assertEqual((bill.kind, bill.amount_untaxed), ("immediate", 80.0))

    def test_closed_before_it_is_billed_it_costs_the_same(self):
        ticket = self._open_ticket()
        contract = self._create(ticket, invoice_at_once=False)
        ticket.stage_id = self.done
        self.assertEqual(self._bill(contract, "2026-01-05").amount_untaxed, 80.0)

    def test_an_approval_waits(self):
        self.plan.bill_approval = "manager"
        contract = self._create(self._open_ticket())
        self.assertEqual(
            (contract.bill_ids.state, len(contract.bill_ids.move_id)), ("to_approve", 0)
        )

    def test_where_payment_is_required(self):  # L37
        self.company.support_payment_required = True
        ticket = self._open_ticket()
        contract = self._create(ticket)
        self.assertEqual(ticket.lock_reason, "unpaid")
        contract.bill_ids.move_id.action_post()
        self._register_payment(contract.bill_ids.move_id)
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)

    def test_it_begins_where_the_customer_is(self):
        self.customer.tz = "Pacific/Auckland"
        contract = self._create(self._open_ticket())
        self.assertEqual(contract.date_start, date(2026, 1, 6))
        self.assertEqual(contract.state, "active")

    def test_the_ticket_takes_its_incident(self):
        plan = self._make_plan(
            name="One incident",
            coverage="request",
            fee=30.0,
            allowances=[self._allowance(incidents=1)],
            overage_policy="block",
        )
        with freeze_time("2026-01-02 08:00:00"):
            ticket = self._open_ticket()
        contract = self._create(ticket, plan_id=plan)
        self.assertEqual(self._get_drawn(ticket), {contract.entitlement_ids: 1})
        self.assertProved(contract)

    def test_other_tickets_are_not_covered(self):
        self._create(self._open_ticket())
        self.assertFalse(self._open_ticket().contract_id)

    # === ITS LIFE === #

    def test_opened_again_it_goes_on(self):
        ticket = self._open_ticket()
        contract = self._create(ticket)
        ticket.stage_id = self.done
        with freeze_time("2026-01-20 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "expired")
            ticket.stage_id = self.progress
            self.assertEqual((contract.state, contract.date_end), ("active", False))
            work = self._log_work(ticket, "2026-01-20 09:00", 2)
            self.assertEqual(work.support_contract_id, contract)
            ticket.stage_id = self.done
        with freeze_time("2026-01-21 12:00:00"):
            self._roll(contract)
            self.assertEqual(self._bill(contract, "2026-01-21").amount_untaxed, 70.0)
        fees = contract.charge_ids.filtered(lambda charge: charge.kind == "recurring")
        self.assertEqual(fees.mapped("amount"), [80.0])
        self.assertProved(contract)

    def test_opened_again_after_months(self):
        ticket = self._open_ticket()
        contract = self._create(ticket)
        ticket.stage_id = self.done
        with freeze_time("2026-01-06 12:00:00"):
            self._roll(contract)
            self._bill(contract, "2026-01-06")
        with freeze_time("2026-04-20 12:00:00"):
            ticket.stage_id = self.progress
            self._log_work(ticket, "2026-04-20 09:00", 3)
            ticket.stage_id = self.done
        with freeze_time("2026-04-21 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "expired")
            self.assertEqual(
                sum(self._bill(contract, "2026-04-21").mapped("amount_untaxed")), 140.0
            )
        self.assertProved(contract)

    def test_many_are_closed_at_once_and_by_archiving(self):
        tickets = self._open_ticket() | self._open_ticket()
        contracts = self._create(tickets[0]) | self._create(tickets[1])
        tickets.write({"stage_id": self.done.id})
        self.assertEqual(contracts.mapped("date_end"), [date(2026, 1, 5)] * 2)
        tickets[0].stage_id = self.progress
        self.assertFalse(contracts[0].date_end)
        tickets[0].action_archive()
        self.assertEqual(contracts[0].date_end, date(2026, 1, 5))

    def test_closed_by_another_user(self):
        ticket = self._open_ticket()
        contract = self._create(ticket)
        ticket.with_user(self.technician).stage_id = self.done
        self.assertTrue(contract.date_end)

    # === RIGHTS === #

    def test_a_technician_makes_it_at_the_list_price(self):
        ticket = self._open_ticket()
        contract = self._create(ticket, user=self.technician)
        self.assertEqual(contract.bill_ids.amount_untaxed, 80.0)
        self.assertEqual(contract.user_id, self.technician)
        wizard = self.env["support.ticket.contract.wizard"].with_user(self.technician)
        self.assertNotIn("price", wizard.fields_get())
        with self.assertRaises(AccessError):
            wizard.create({"ticket_id": ticket.id, "plan_id": self.plan.id, "price": 1.0})

    def test_only_managers_change_the_price(self):
        clerk = new_test_user(
            self.env,
            "clerk",
            f"{TECHNICIAN},support_contract.group_support_prices",
            company_id=self.company.id,
        )
        ticket = self._open_ticket()
        with self.assertRaisesRegex(AccessError, "Only managers"):
            self._create(ticket, user=clerk, price=1.0)
        self.assertEqual(self._create(ticket, user=clerk).bill_ids.amount_untaxed, 80.0)

    def test_who_cannot_write_tickets_makes_none(self):
        clerk = new_test_user(self.env, "clerk", "base.group_user", company_id=self.company.id)
        with self.assertRaises(AccessError):
            self._create(self._open_ticket(), user=clerk)

    # === WHAT IS REFUSED === #

    def test_what_is_refused(self):
        wizards = self.env["support.ticket.contract.wizard"]
        ticket = self._open_ticket(partner_id=False)
        with self.assertRaisesRegex(UserError, "has no customer"):
            wizards.create({"ticket_id": ticket.id}).action_create()
        closed = self._open_ticket(stage_id=self.done.id)
        with self.assertRaisesRegex(UserError, "is closed"):
            wizards.create({"ticket_id": closed.id}).action_create()
        covered = self._open_ticket()
        contract = self._create(covered)
        with self.assertRaisesRegex(UserError, f"is under {contract.name}"):
            wizards.create({"ticket_id": covered.id}).action_create()
        with self.assertRaisesRegex(UserError, "names no item"):
            wizards.create(
                {"ticket_id": self._open_ticket().id, "coverage": "item", "plan_id": self.plan.id}
            ).action_create()
        holder = self._make_plan(fee=1.0)
        with self.assertRaisesRegex(UserError, "doesn't fit"):
            wizards.create(
                {"ticket_id": self._open_ticket().id, "plan_id": holder.id}
            ).action_create()

    def test_none_without_its_ticket(self):
        with self.assertRaisesRegex(UserError, "made from that ticket"):
            self._make_contract(self.plan)


@freeze_time("2026-01-05 12:00:00")
class TestItemContract(RequestCommon):
    def test_item_contract_from_a_ticket(self):  # L15
        plan = self._make_plan(
            name="Printer care", coverage="item", fee=20.0, hours=2, duration_months=12
        )
        item = (
            self.env["maintenance.equipment"]
            .sudo()
            .create({"name": "Printer", "support_partner_id": self.customer.id})
        )
        ticket = self._open_ticket(equipment_id=item.id)
        self.assertEqual(ticket.lock_reason, "no_contract")
        contract = self._create(ticket, coverage="item")
        self.assertEqual((contract.plan_id, contract.equipment_ids), (plan, item))
        self.assertFalse(ticket.lock_reason)
        self.assertEqual(contract.bill_ids.move_id.amount_untaxed, 20.0)
        self.assertEqual(contract.date_end, date(2027, 1, 4))
        self.assertEqual(self._bill(contract, "2026-02-05").amount_untaxed, 20.0)  # each term
        ticket.stage_id = self.done
        self.assertEqual(contract.date_end, date(2027, 1, 4))
        self.assertProved(contract)
