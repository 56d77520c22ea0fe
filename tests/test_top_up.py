# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Prepaid contracts are topped up: units, their price, and what exceeded before (C40, C41)."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user
from odoo.tools import mute_logger

from .common import HOUR, BillingCommon

NOW = "2026-01-10 12:00:00"


@freeze_time(NOW)
class TestTopUp(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_prepaid()
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)

    # === HELPERS === #

    @classmethod
    def _make_prepaid(cls, hours=5, **vals):
        vals = {"rates": [cls._rate("price", 70.0)]} | vals
        return cls._make_plan(hours=hours, billing_mode="advance", warning_thresholds=False, **vals)

    @classmethod
    def _make_top_up(cls, hours=10, price=600.0, **vals):
        values = {"name": "10 more hours", "hours": hours, "price": price}
        plans = vals.pop("plans", cls.plan)
        return cls.env["support.top.up.plan"].create(
            values | {"plan_ids": [Command.set(plans.ids)]} | vals
        )

    def _open(self, contract=None, **vals):
        contract = contract or self.contract
        return self.env["support.top.up.wizard"].create(
            {"contract_id": contract.id, "reason": "Asked for on the phone"} | vals
        )

    def _top_up(self, contract=None, **vals):
        """Top up by so many units, and return the entry in the contract's history."""
        wizard = self._open(contract, **{"source": "units", "price_unit": 0.0} | vals)
        wizard.action_top_up()
        return (contract or self.contract).change_ids[0]

    def _take_back(self, change):
        self.env["support.top.up.undo"].create(
            {
                "contract_id": change.contract_id.id,
                "change_id": change.id,
                "reason": "The wrong contract",
            }
        ).action_take_back()

    def _invoice_approved(self, bill):
        """The posted invoice of a bill that needed no approval."""
        bill.action_invoice()
        bill.move_id.action_post()
        return bill.move_id

    def _get_grant(self, change):
        return change.charge_ids.paid_grant_ids

    # === BY A PLAN === #

    def test_package_at_once(self):
        """Two packages of ten hours: units in the term, a bill at once, an invoice with taxes."""
        tax = self.company_data["default_tax_sale"]
        top_up = self._make_top_up(incidents=3)
        top_up.product_id.taxes_id = tax
        wizard = self._open(quantity=2)
        self.assertEqual(wizard.top_up_plan_id, top_up)  # the only one there is
        self.assertEqual((wizard.source, wizard.price_unit), ("plan", 600.0))
        self.assertIn("20:00 h + 6 incidents, to be used until 01/31/2026.", wizard.preview)
        self.assertIn("5:00 h now, 25:00 h afterwards", wizard.preview)
        self.assertIn("0 incidents now, 6 incidents afterwards", wizard.preview)
        self.assertIn("1,200.00", wizard.preview)
        self.assertIn("1,380.00", wizard.preview)  # 15 % taxes

        action = wizard.action_top_up()
        bill = self.env["support.bill"].browse(action["res_id"])
        self.assertEqual((bill.kind, bill.state), ("immediate", "approved"))
        self.assertEqual(bill.amount_untaxed, 1200.0)
        charge = bill.charge_ids
        self.assertEqual((charge.kind, charge.quantity, charge.price_unit), ("top_up", 2, 600.0))
        self.assertEqual(charge.term_id, self.contract.current_term_id)
        time, incidents = charge.paid_grant_ids.sorted("unit", reverse=True)
        self.assertEqual((time.quantity, incidents.quantity), (20 * HOUR, 6))
        for grant in time | incidents:
            self.assertEqual(grant.origin, "top_up")
            self.assertEqual(grant.term_id, self.contract.current_term_id)
            self.assertEqual(str(grant.date_from), "2026-01-10")
            self.assertEqual(str(grant.date_to), "2026-01-31")
            self.assertEqual(str(grant.made_at), NOW)
        change = self.contract.change_ids
        self.assertEqual((change.kind, change.amount), ("top_up", 1200.0))
        self.assertEqual(change.user_id, self.env.user)
        self.assertIn("20:00 h + 6 incidents", change.summary)

        move = self._invoice_approved(bill)
        self.assertEqual((move.amount_untaxed, move.amount_total), (1200.0, 1380.0))
        self.assertEqual(move.state, "posted")
        self.assertProved(self.contract)

    def test_with_the_next_bill(self):  # billed in advance: that of February
        self._make_top_up()
        wizard = self._open(quantity=1, billing="term")
        self.assertIn("on the bill of 02/01/2026", wizard.preview)
        wizard.action_top_up()
        charge = self.contract.change_ids.charge_ids
        self.assertEqual(charge.state, "open")
        self.assertEqual(str(charge.billing_term_id.date_start), "2026-02-01")
        bills = self._bill(self.contract, "2026-02-01")
        self.assertEqual(charge.bill_id.amount_untaxed, 600.0)
        move = self._invoice(bills.filtered("amount_untaxed"), post=True)
        self.assertEqual(move.amount_untaxed, 600.0)
        self.assertProved(self.contract)

    def test_bill_waits_for_approval_as_the_contract_says(self):
        self.contract.bill_approval = "manager"
        change = self._top_up(hours=1, price_unit=50.0)
        self.assertEqual(change.charge_ids.bill_id.state, "to_approve")

    def test_free_of_charge(self):
        self._make_top_up()
        wizard = self._open(free_of_charge=True)
        self.assertIn("Free of charge", wizard.preview)
        self.assertEqual(wizard.action_top_up()["type"], "ir.actions.act_window_close")
        change = self.contract.change_ids
        self.assertEqual((change.amount, change.charge_ids.state), (0.0, "open"))
        self.assertEqual(self._get_grant(change).remaining, 10 * HOUR)

    def test_price_can_be_another(self):
        self._make_top_up()
        self._open(quantity=1, price_unit=550.0).action_top_up()
        self.assertEqual(self.contract.change_ids.amount, 550.0)

    def test_validities(self):
        for validity, months, last in (
            ("term", 1, "2026-01-31"),
            ("months", 3, "2026-04-09"),
            ("life", 1, "False"),
            ("contract", 1, "2026-12-31"),
        ):
            self.contract.date_end = "2026-12-31"
            top_up = self._make_top_up(validity=validity, validity_months=months)
            wizard = self._open(top_up_plan_id=top_up.id)
            wizard.action_top_up()
            self.assertEqual(str(self._get_grant(self.contract.change_ids[0]).date_to), last)
        change = self._top_up(hours=1, validity="date", date_to="2026-03-05")
        self.assertEqual(str(self._get_grant(change).date_to), "2026-03-05")

    def test_screen(self):
        """What is chosen brings its price and validity; another choice brings others."""
        top_up = self._make_top_up(validity="life")
        other = self._make_top_up(name="1 hour", hours=1, price=70.0)
        with Form(
            self.env["support.top.up.wizard"].with_context(
                **self.contract.action_top_up()["context"]
            )
        ) as form:
            form.reason = "Asked for"
            form.top_up_plan_id = top_up
            self.assertEqual((form.price_unit, form.validity), (600.0, "life"))
            self.assertIn("10:00 h for life", form.preview)
            form.top_up_plan_id = other
            self.assertEqual((form.price_unit, form.validity), (70.0, "term"))
            form.source = "units"
            form.hours = 2.5
            self.assertIn("2:30 h, to be used", form.preview)
        form.record.action_top_up()
        self.assertEqual(self._get_grant(self.contract.change_ids).quantity, 2.5 * HOUR)

    # === UNITS === #

    def test_two_uses(self):  # ex. C20, in hours
        contract = self._make_contract(
            self._make_prepaid(hours=0), partner=self._make_customer("B")
        )
        change = self._top_up(contract, hours=100)
        ticket = self._make_ticket(contract)
        lines = [self._log_work(ticket, "2026-01-12 08:00", hours) for hours in (25, 35)]
        grant = self._get_grant(change)
        self.assertEqual(
            [self._get_drawn(line) for line in lines], [{grant: 25 * HOUR}, {grant: 35 * HOUR}]
        )
        self.assertEqual(grant.remaining, 40 * HOUR)
        self.assertProved(contract)

    def test_what_was_granted_goes_first(self):  # ex. C21, ex. D19
        contract = self._make_contract(
            self._make_prepaid(hours=30), partner=self._make_customer("B")
        )
        change = self._top_up(contract, hours=70)
        line = self._log_work(self._make_ticket(contract), "2026-01-12 08:00", 80)
        self.assertEqual(self._get_charges(line), [("covered", 30.0, 0.0), ("covered", 50.0, 0.0)])
        self.assertEqual(self._get_grant(change).remaining, 20 * HOUR)
        bills = self._bill(contract, "2026-02-01")
        covered = bills.charge_ids.filtered(lambda charge: charge.kind == "covered")
        self.assertEqual(covered.mapped("hours"), [30.0, 50.0])
        self.assertProved(contract)

    def test_amount_is_rounded_once(self):  # ex. C23
        change = self._top_up(hours=1, price_unit=17.9699999999999988631316)
        self.assertEqual(change.amount, 17.97)
        charge = change.charge_ids
        self.assertEqual((charge.amount, charge.bill_id.amount_untaxed), (17.97, 17.97))
        move = self._invoice_approved(charge.bill_id)
        self.assertEqual(move.amount_untaxed, 17.97)

    def test_units_for_some_activities(self):  # ex. C24, in hours
        contract = self._make_contract(
            self._make_prepaid(hours=0), partner=self._make_customer("B")
        )
        scope = self.phone | self.onsite
        change = self._top_up(contract, hours=39, activity_type_ids=[Command.set(scope.ids)])
        ticket, grant = self._make_ticket(contract), self._get_grant(change)
        left = []
        for hours, activity in ((10, self.preventive), (17.72, self.phone), (17.69, self.onsite)):
            self._log_work(ticket, "2026-01-12 08:00", hours, activity)
            left.append(round(grant.remaining / HOUR, 2))
        self.assertEqual(left, [39.0, 21.28, 3.59])
        self.assertProved(contract)

    def test_same_request_twice(self):  # ex. C28, T28: 10 there + 100 sent twice = 110
        contract = self._make_contract(
            self._make_prepaid(hours=10), partner=self._make_customer("B")
        )
        wizard = self._open(contract, source="units", hours=100, price_unit=1000.0)
        wizard.action_top_up()
        wizard.action_top_up()
        again = self._open(
            contract, source="units", hours=100, price_unit=1000.0, request_key=wizard.request_key
        )
        again.action_top_up()
        self.assertEqual(contract.time_left, 110.0)
        self.assertEqual(len(contract.change_ids), 1)
        self.assertEqual(sum(contract.bill_ids.mapped("amount_untaxed")), 1000.0)
        self.assertProved(contract)

    def test_warning_when_most_is_used(self):  # ex. C33: 20 h bought, told once 18 h are used
        self.contract.warning_thresholds = "90"
        contract = self._make_contract(
            self._make_prepaid(hours=0), partner=self._make_customer("B"), warning_thresholds="90"
        )
        grant = self._get_grant(self._top_up(contract, hours=20))
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-12 08:00", 17.99)
        self.assertFalse(grant.warned)
        self._log_work(ticket, "2026-01-13 08:00", 0.01)
        self.assertEqual(grant.warned, 90)

    def test_three_bought_four_worked(self):  # ex. C34, Y60-Y62
        contract = self._make_contract(
            self._make_prepaid(hours=0), partner=self._make_customer("B")
        )
        self._top_up(contract, hours=3)
        line = self._log_work(self._make_ticket(contract), "2026-01-12 08:00", 4, self.onsite)
        self.assertEqual(self._get_charges(line), [("covered", 3.0, 0.0), ("overage", 1.0, 70.0)])

    def test_expiring_ones_go_first(self):  # ex. C37, in hours
        contract = self._make_contract(
            self._make_prepaid(hours=0), partner=self._make_customer("B")
        )
        for_life = self._get_grant(self._top_up(contract, hours=100, validity="life"))
        expiring = self._get_grant(self._top_up(contract, hours=80))
        line = self._log_work(self._make_ticket(contract), "2026-01-12 08:00", 220)
        self.assertEqual(self._get_drawn(line), {expiring: 80 * HOUR, for_life: 100 * HOUR})
        self.assertEqual(self._get_hours_left(expiring | for_life), [0.0, 0.0])
        self.assertEqual(self._get_charges(line)[-1], ("overage", 40.0, 2800.0))

    def test_blocked_work_goes_on_after_a_top_up(self):  # C34: block
        contract = self._make_contract(
            self._make_prepaid(overage_policy="block"), partner=self._make_customer("B")
        )
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-10 08:00", 4)
        with (
            self.assertRaisesRegex(UserError, "top the contract up"),
            self.env.cr.savepoint(),
        ):
            self._log_work(ticket, "2026-01-10 13:00", 2)
        self._top_up(contract, hours=1)
        line = self._log_work(ticket, "2026-01-10 13:00", 2)
        self.assertEqual(self._get_charges(line), [("covered", 1.0, 0.0)] * 2)
        self.assertEqual(contract.time_left, 0.0)
        self.assertProved(contract)

    def test_waiting_ticket_is_opened(self):  # C34, L28
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Strict", "company_id": self.company.id, "requires_incident": True}
        )
        ticket = self.env["helpdesk.ticket"].message_new(
            {
                "subject": "Help",
                "body": "It burns.",
                "from": self.customer.email,
                "author_id": self.customer.id,
            },
            {"team_id": team.id, "partner_id": self.customer.id, "contract_id": self.contract.id},
        )
        ticket.sudo()._cover_arrived()  # as the cron does
        self.assertEqual(ticket.lock_reason, "no_incident")
        self._top_up(incidents=1)
        with self.enter_registry_test_mode():
            self.env.ref("support_contract.cron_cover_waiting").method_direct_trigger()
        ticket.invalidate_recordset()
        self.assertFalse(ticket.lock_reason)
        self.assertEqual(ticket.consumed_incidents, 1)

    # === WHAT EXCEEDED BEFORE === #

    def test_work_done_before_stays_charged(self):
        line = self._log_work(self.ticket, "2026-01-09 08:00", 7)
        with freeze_time("2026-01-11 12:00:00"):
            change = self._top_up(hours=10)
            self.assertEqual(self._get_charges(line)[-1], ("overage", 2.0, 140.0))
            self.assertEqual(self._get_grant(change).remaining, 10 * HOUR)
            line.name = "Edited"
            line.unit_amount = 8  # it was recorded before the top-up, and stays so
            self.assertEqual(self._get_charges(line)[-1], ("overage", 3.0, 210.0))
        self.assertProved(self.contract)

    def test_absorbing_takes_overage_over(self):
        line = self._log_work(self.ticket, "2026-01-02 08:00", 7)
        with freeze_time("2026-01-11 12:00:00"):
            wizard = self._open(source="units", hours=10, price_unit=500.0, absorb=True)
            self.assertIn("Of what exceeded in the term, 2:00 h is taken over.", wizard.preview)
            self.assertIn("140.00", wizard.preview)
            self.assertIn("0:00 h now, 8:00 h afterwards", wizard.preview)
            wizard.action_top_up()
        change = self.contract.change_ids
        self.assertEqual(change.amount, 500.0 - 140.0)
        self.assertIn("2:00 h is taken over", change.summary)
        grant = self._get_grant(change)
        self.assertEqual((str(grant.date_from), grant.made_at), ("2026-01-01", False))
        self.assertEqual(self._get_charges(line), [("covered", 5.0, 0.0), ("covered", 2.0, 0.0)])
        self.assertEqual(self.contract.time_left, 8.0)
        self.assertProved(self.contract)

    def test_absorbing_incidents(self):
        contract = self._make_contract(
            self._make_prepaid(
                hours=0,
                allowances=[self._allowance(incidents=1)],
                incident_product_id=self.incident_product.id,
            ),
            partner=self._make_customer("B"),
        )
        tickets = self._make_ticket(contract) | self._make_ticket(contract)
        self.assertEqual(sum(tickets.charge_ids.mapped("amount")), 40.0)
        change = self._top_up(contract, incidents=3, price_unit=90.0, absorb=True)
        self.assertEqual(change.amount, 50.0)
        self.assertEqual(set(tickets.charge_ids.mapped("kind")), {"covered"})
        self.assertEqual(contract.incidents_left, 2)
        self.assertProved(contract)

    def test_absorbing_leaves_what_is_billed(self):
        line = self._log_work(self.ticket, "2026-01-02 08:00", 7)
        bill = self.env["support.bill"]._bill_at_once(line.charge_ids, self.contract._get_today())
        self._invoice(bill, post=True)
        later = self._log_work(self.ticket, "2026-01-03 08:00", 1)
        wizard = self._open(source="units", hours=10, absorb=True)
        self.assertIn("1:00 h is taken over", wizard.preview)
        self.assertIn("70.00", wizard.preview)
        wizard.action_top_up()
        self.assertEqual(self._get_charges(line)[-1], ("overage", 2.0, 140.0))
        self.assertEqual(self._get_charges(later), [("covered", 1.0, 0.0)])
        self.assertProved(self.contract)

    def test_absorbing_nothing_says_so(self):
        wizard = self._open(source="units", hours=1, absorb=True)
        self.assertIn("Nothing was charged", wizard.preview)

    # === REFUSED === #

    def test_refused_values(self):
        top_up = self._make_top_up(plans=self._make_prepaid())
        for vals, message in (
            ({"source": "units", "hours": 0}, "above zero"),
            ({"source": "units", "hours": -1}, "above zero"),
            ({"source": "units", "hours": 1, "incidents": -1}, "above zero"),
            ({"source": "units", "hours": 1, "price_unit": -5.0}, "be negative. To give"),
            (
                {"source": "units", "hours": 1, "validity": "date", "date_to": "2026-01-09"},
                "not over yet",
            ),
            ({"source": "plan", "top_up_plan_id": top_up.id}, "for contracts of"),
            ({"source": "plan", "top_up_plan_id": False}, "for contracts of"),
        ):
            with self.subTest(vals):
                wizard = self._open(**vals)
                self.assertRegex(wizard.preview, message)
                with self.assertRaisesRegex(UserError, message):
                    wizard.action_top_up()
        self._make_top_up()
        with self.assertRaisesRegex(UserError, "at least one"):
            self._open(quantity=0).action_top_up()
        with self.assertRaisesRegex(ValidationError, "whole numbers"):
            self._open(quantity=1.5)
        self.assertFalse(self.contract.change_ids)
        self.assertFalse(self.contract.charge_ids)

    def test_refused_contracts(self):
        arrears = self._make_contract(self._make_plan(hours=5), partner=self._make_customer("B"))
        draft = self._make_contract(self.plan, partner=self._make_customer("C"), confirm=False)
        pending = self._make_contract(self.plan, "2026-03-01", partner=self._make_customer("D"))
        expired = self._make_contract(
            self.plan, "2025-12-01", partner=self._make_customer("E"), date_end="2026-01-05"
        )
        terminated = self._make_contract(self.plan, partner=self._make_customer("F"))
        terminated._set_state("terminated")
        cancelled = self._make_contract(self.plan, partner=self._make_customer("G"), confirm=False)
        cancelled.action_cancel()
        suspended = self._make_contract(self.plan, partner=self._make_customer("H"))
        suspended.action_suspend()
        self.assertEqual(expired.state, "expired")
        for contract, message in (
            (arrears, "billed in arrears"),
            (draft, "Confirm it first"),
            (pending, "Wait until it begins"),
            (expired, "is Expired and can't be topped up. Renew it"),
            (terminated, "is Terminated"),
            (cancelled, "is Cancelled"),
            (suspended, "Resume it first"),
        ):
            with self.subTest(contract.state):
                self.assertFalse(contract.can_top_up)
                with self.assertRaisesRegex(UserError, message):
                    self._top_up(contract, hours=1)
                self.assertFalse(contract.charge_ids)
        self.assertTrue(self.contract.can_top_up)

    def test_staff_cannot(self):
        staff = new_test_user(self.env, "top_up_staff", "support_contract.group_support_user")
        wizards = self.env["support.top.up.wizard"].with_user(staff)
        with self.assertRaises(AccessError):
            wizards.create({"contract_id": self.contract.id, "reason": "I want"})
        top_up = self._make_top_up().with_user(staff)
        self.assertEqual(top_up.units_label, "10:00 h")
        with self.assertRaises(AccessError):
            top_up.read(["price"])
        with self.assertRaises(AccessError):
            top_up.name = "Mine"

    # === TAKEN BACK === #

    def test_taken_back_with_its_bill(self):
        self.contract.bill_approval = "manager"
        change = self._top_up(hours=10, price_unit=500.0)
        charge, bill = change.charge_ids, change.charge_ids.bill_id
        self._take_back(change)
        self.assertEqual((charge.state, bill.state), ("cancelled", "cancelled"))
        self.assertEqual(self._get_grant(change).remaining, 0)
        self.assertEqual(self.contract.time_left, 5.0)
        undo = self.contract.change_ids[0]
        self.assertEqual((undo.kind, undo.amount, undo.undoes_id), ("undo", -500.0, change))
        self.assertFalse(change.can_take_back)
        with self.assertRaisesRegex(UserError, "already"):
            self._take_back(change)
        self.assertProved(self.contract)

    def test_not_taken_back_once_used(self):
        change = self._top_up(hours=10, price_unit=500.0, billing="term")
        self._log_work(self.ticket, "2026-01-12 08:00", 6)
        with self.assertRaisesRegex(UserError, "1:00 h of “Top-up” were used"):
            self._take_back(change)
        self.assertEqual(change.charge_ids.state, "open")

    def test_not_taken_back_once_invoiced(self):
        change = self._top_up(hours=10, price_unit=500.0)
        bill = change.charge_ids.bill_id
        with self.assertRaisesRegex(UserError, "is on the bill"):
            self._take_back(change)
        move = self._invoice_approved(bill)
        with self.assertRaisesRegex(UserError, "is on the bill"):
            self._take_back(change)
        # Its money was given back: then the units go back, too.
        reversal = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id})
        )
        refund = self.env["account.move"].browse(reversal.refund_moves()["res_id"])
        refund.action_post()
        self.assertEqual(bill.state, "credited")
        self._take_back(change)
        self.assertEqual(self.contract.time_left, 5.0)
        self.assertEqual(self.contract.change_ids[0].amount, 0.0)
        with self.assertRaisesRegex(UserError, "were taken back"):
            bill.action_invoice_again()
        self.assertProved(self.contract)

    def test_what_pays_for_units_is_neither_deleted_nor_cancelled(self):
        change = self._top_up(hours=10, price_unit=500.0, billing="term")
        charge = change.charge_ids
        with self.assertRaisesRegex(UserError, "Take the top-up back"):
            charge.unlink()
        with self.assertRaisesRegex(UserError, "Take the top-up back"):
            charge.cancelled = True
        self._take_back(change)
        self.assertTrue(charge.cancelled)

    def test_cancelled_bill_leaves_the_charge_open(self):
        change = self._top_up(hours=10, price_unit=500.0)
        change.charge_ids.bill_id.action_cancel()
        self.assertEqual(change.charge_ids.state, "open")
        bills = self._bill(self.contract, "2026-02-01")
        self.assertIn(change.charge_ids, bills.charge_ids)

    # === TOP-UP PLANS === #

    def test_for_future_plans(self):  # C41
        future = self._make_top_up(for_future_plans=True, plans=self.plan.browse())
        self._make_top_up(name="Not for others")
        prepaid, arrears = self._make_prepaid(), self._make_plan(hours=5)
        self.assertEqual(prepaid.top_up_plan_ids, future)
        self.assertFalse(arrears.top_up_plan_ids)

    def test_for_prepaid_plans_only(self):
        top_up = self._make_top_up()
        with self.assertRaisesRegex(ValidationError, "billed in arrears"):
            top_up.plan_ids += self._make_plan(hours=5)
        with self.assertRaisesRegex(ValidationError, "billed in arrears"):
            self.plan.billing_mode = "arrears"

    def test_in_the_currency_of_the_plan(self):
        other = self.setup_other_currency("EUR")
        with self.assertRaisesRegex(ValidationError, "EUR"):
            self._make_top_up(currency_id=other.id)

    @mute_logger("odoo.sql_db")
    def test_bad_plans(self):
        for vals in (
            {"hours": 0},
            {"hours": -1},
            {"price": -1.0},
            {"validity": "months", "validity_months": 0},
        ):
            with self.subTest(vals), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self._make_top_up(**vals)

    def test_used_plan_is_archived_instead(self):
        top_up = self._make_top_up()
        self._open().action_top_up()
        with self.assertRaisesRegex(UserError, "archive it"):
            top_up.unlink()
        top_up.active = False
        self.assertEqual(self._open().source, "units")
