# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts that ran elsewhere before: what was left of them, and their first bill here."""

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, freeze_time

from .common import HOUR, BillingCommon, SupportCommon

MONTHLY = {"opening_date": "2026-02-10"}


@freeze_time("2026-02-10 12:00:00")
class TestOpening(SupportCommon):
    def _come_here(self, plan=None, start="2025-01-01", **vals):
        return self._make_contract(plan or self._make_plan(hours=5), start, **MONTHLY | vals)

    def _get_grants(self, contract):
        """The grants as (origin, hours or incidents, first day, last day), in their order."""
        return [
            (
                grant.origin,
                grant.quantity / HOUR if grant.unit == "time" else grant.quantity,
                str(grant.date_from),
                str(grant.date_to) if grant.date_to else False,
            )
            for grant in contract.entitlement_ids.sorted("id")
        ]

    # === TERMS === #

    def test_terms_before_are_not_made(self):
        contract = self._come_here()
        self.assertEqual(
            [
                (term.number, str(term.date_start), str(term.date_end), term.state)
                for term in contract.term_ids
            ],
            [
                (13, "2026-02-01", "2026-02-28", "open"),
                (14, "2026-03-01", "2026-03-31", "upcoming"),
            ],
        )

    def test_terms_stay_counted_from_the_anchor(self):
        contract = self._come_here(start="2024-08-31", opening_date="2025-11-30")
        self.assertEqual(
            [str(term.date_start) for term in contract.term_ids],
            ["2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28"],
        )

    def test_first_calendar_term_keeps_its_days(self):
        plan = self._make_plan(hours=5, fee=100, alignment="calendar", billing_period="3")
        contract = self._come_here(plan, start="2026-01-11")
        term = contract.term_ids[0]
        self.assertEqual((term.number, str(term.date_start)), (0, "2026-01-11"))
        [fee] = term._prepare_fees()
        self.assertEqual(fee["amount"], 88.89)  # 80 of 90 days

    def test_comes_here_later(self):
        contract = self._come_here(opening_date="2026-04-15", opening_hours=2)
        self.assertEqual(contract.state, "pending")
        ticket = self._make_ticket(partner_id=contract.partner_id.id)
        self.assertEqual(contract._judge_moment(ticket.opened_at).state, "pending")
        self._roll(contract, "2026-04-15")
        self.assertEqual(contract.state, "active")
        self.assertEqual(contract.term_ids.mapped("number"), [15, 16])
        self.assertEqual(self._get_grants(contract), [("allowance", 2, "2026-04-15", "2026-04-30")])

    def test_what_still_ran_was_prolonged(self):
        plan = self._make_plan(hours=5, duration_months=12)
        contract = self._come_here(plan, start="2024-03-05", confirm=False)
        self.assertEqual(str(contract.date_end), "2026-03-04")
        form = Form(self.env["support.contract"])
        form.partner_id = self.customer
        form.plan_id = plan
        form.date_start = "2024-03-05"
        self.assertEqual(str(form.date_end), "2025-03-04")
        form.opening_date = "2026-02-10"
        self.assertEqual(str(form.date_end), "2026-03-04")

    # === UNITS === #

    def test_units_left_replace_those_of_the_term(self):
        contract = self._come_here(opening_hours=2.5)
        self.assertEqual(
            self._get_grants(contract), [("allowance", 2.5, "2026-02-10", "2026-02-28")]
        )
        self.assertEqual(contract.entitlement_ids.entry_ids.reason, "Opening balance")
        self.assertProved(contract)

    def test_none_left_is_not_the_same_as_not_known(self):
        none = self._come_here(opening_hours=0.0)
        self.assertEqual(none.time_left, 0)
        work = self._log_work(self._make_ticket(none, "2026-02-10"), "2026-02-10 09:00", 1)
        self.assertEqual(self._get_charges(work), [("overage", 1, 70)])  # not mere labour
        unknown = self._come_here(opening_hours=False)
        self.assertEqual(unknown.time_left, 5)
        self.assertEqual(self._come_here().time_left, 5)

    def test_units_left_fill_the_allowances_in_their_order(self):
        plan = self._make_plan(
            allowances=[
                self._allowance(hours=2, activities=self.phone),
                self._allowance(hours=3, activities=self.onsite),
                self._allowance(incidents=4),
            ]
        )
        contract = self._come_here(plan, opening_hours=3.5, opening_incidents=1)
        grants = contract.entitlement_ids.sorted("id")
        self.assertEqual(
            [(grant.activity_type_ids, grant.quantity) for grant in grants],
            [(self.phone, 2 * HOUR), (self.onsite, 1.5 * HOUR), (self.phone.browse(), 1)],
        )

    def test_what_exceeds_lasts_as_long_as_the_contract(self):
        contract = self._come_here(opening_hours=12, date_end="2026-12-31")
        self.assertEqual(
            self._get_grants(contract),
            [
                ("allowance", 5, "2026-02-10", "2026-02-28"),
                ("opening", 7, "2026-02-10", "2026-12-31"),
            ],
        )
        without = self._come_here(opening_incidents=3)
        self.assertIn(("opening", 3, "2026-02-10", False), self._get_grants(without))

    def test_what_exceeds_goes_by_the_rules_of_carrying(self):
        for terms, end in ((1, "2026-02-28"), (3, "2026-04-30"), (0, False)):
            allowance = self._allowance(hours=5, carry_forward=True, carry_terms=terms)
            contract = self._come_here(self._make_plan(allowances=[allowance]), opening_hours=8)
            self.assertIn(("opening", 3, "2026-02-10", end), self._get_grants(contract))

    def test_units_left_are_carried_forward(self):
        allowance = self._allowance(hours=5, carry_forward=True)
        contract = self._come_here(self._make_plan(allowances=[allowance]), opening_hours=2)
        self._log_work(self._make_ticket(contract, "2026-02-10"), "2026-02-10 09:00", 0.5)
        with freeze_time("2026-03-01 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.time_left, 6.5)
        self.assertProved(contract)

    def test_debt_of_the_first_term_goes_to_the_next(self):
        plan = self._make_plan(hours=5, overage_policy="carry")
        contract = self._come_here(plan, opening_hours=1)
        self._log_work(self._make_ticket(contract, "2026-02-10"), "2026-02-10 09:00", 3)
        with freeze_time("2026-03-01 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.time_left, 3)
        self.assertProved(contract)

    def test_months_of_a_quarter(self):
        """The month of the opening opens with what was left, the next one whole."""
        plan = self._make_plan(allowances=[self._allowance(hours=5, per="month")])
        plan.billing_period = "3"
        contract = self._come_here(plan, start="2026-01-01", opening_hours=1)
        self.assertEqual(
            self._get_grants(contract),
            [
                ("allowance", 1, "2026-02-10", "2026-02-28"),
                ("allowance", 5, "2026-03-01", "2026-03-31"),
            ],
        )

    def test_allowance_of_the_whole_contract(self):
        plan = self._make_plan(allowances=[self._allowance(hours=100, per="contract")])
        contract = self._come_here(plan, opening_hours=37.25)
        self.assertEqual(self._get_grants(contract), [("allowance", 37.25, "2026-02-10", False)])
        self._roll(contract, "2026-04-01")
        self.assertEqual(len(contract.entitlement_ids), 1)

    def test_seconds_are_exact(self):
        contract = self._come_here(opening_hours=1.1)
        self.assertEqual(contract.entitlement_ids.remaining, 3960)

    # === WORK === #

    def test_work_before_is_not_counted_here(self):
        contract = self._come_here(opening_hours=2)
        ticket = self._make_ticket(contract, "2026-02-03 09:00:00")
        before = self._log_work(ticket, "2026-02-09 09:00", 1)
        since = self._log_work(ticket, "2026-02-10 09:00", 1)
        self.assertFalse(before.support_contract_id or before.charge_ids)
        self.assertEqual(self._get_charges(since), [("covered", 1, 0)])
        self.assertEqual(contract.time_left, 1)
        self.assertProved(contract)

    def test_ticket_before_took_its_incident_elsewhere(self):
        plan = self._make_plan(allowances=[self._allowance(incidents=4)])
        contract = self._come_here(plan, opening_incidents=1)
        self.assertEqual(self._make_ticket(contract, "2026-02-09 09:00:00").incident_quantity, 0)
        self.assertEqual(self._make_ticket(contract, "2026-02-10 09:00:00").consumed_incidents, 1)
        self.assertEqual(contract.incidents_left, 0)
        self.assertProved(contract)

    def test_work_in_the_time_zone_of_the_contract(self):
        contract = self._come_here(opening_hours=2, tz="Asia/Tokyo")
        ticket = self._make_ticket(contract, "2026-02-09 14:00:00")
        before = self._log_work(ticket, "2026-02-09 14:30", 0.25)
        since = self._log_work(ticket, "2026-02-09 15:30", 1)  # past midnight there
        self.assertFalse(before.support_contract_id)
        self.assertEqual(since.support_contract_id, contract)

    # === BAD INPUT === #

    def test_opening_day_must_be_in_the_life(self):
        for vals in (
            {"opening_date": "2024-12-31"},
            {"opening_date": "2026-02-10", "date_end": "2026-02-09"},
        ):
            with self.assertRaisesRegex(ValidationError, "Choose a day on which it runs"):
                self._come_here(confirm=False, **vals)

    def test_negative_units(self):
        for vals in ({"opening_hours": -1}, {"opening_incidents": -1}):
            with self.assertRaisesRegex(ValidationError, "less than nothing"):
                self._come_here(confirm=False, **vals)

    def test_balance_without_a_day(self):
        for vals in ({"opening_hours": 0}, {"opening_amount": 5}):
            with self.assertRaisesRegex(ValidationError, "since when"):
                self._come_here(confirm=False, opening_date=False, **vals)

    def test_settled_once_it_runs(self):
        contract = self._come_here(opening_hours=2)
        for vals in (
            {"opening_date": "2026-02-11"},
            {"opening_hours": 3},
            {"opening_amount": 10},
            {"opening_hours_given": False},
        ):
            with self.assertRaisesRegex(UserError, "can't change any more"):
                contract.write(vals)
        contract.opening_hours = 2  # as it was

    def test_not_copied(self):
        copy = self._come_here(opening_hours=2, opening_amount=5).copy()
        self.assertFalse(copy.opening_date or copy.opening_hours_given or copy.opening_amount)


@freeze_time("2026-02-10 12:00:00")
class TestOpeningBills(BillingCommon):
    def _come_here(self, hours=2, **vals):
        plan = self._make_plan(hours=5, fee=100, rates=[self._rate("price", 70.0)])
        plan.billing_mode = vals.pop("mode", "arrears")
        contract = self._make_contract(plan, "2025-01-01", opening_hours=hours, **MONTHLY | vals)
        self._log_work(self._make_ticket(contract, "2026-02-10"), "2026-02-10 09:00", 3)
        return contract

    def _get_lines(self, move):
        return [(line.product_id.name, line.price_subtotal) for line in move.invoice_line_ids]

    def test_first_bill_in_arrears(self):
        contract = self._come_here(opening_amount=250.5)
        self.assertFalse(self._bill(contract, "2026-02-28"))
        with freeze_time("2026-03-01 12:00:00"):
            bill = self._bill(contract, "2026-03-01")
            self.assertEqual(bill.term_id.number, 13)
            self.assertEqual(
                (bill.amount_fees, bill.amount_work, bill.amount_other), (100, 70, 250.5)
            )
            move = self._invoice(bill, post=True)
            self.assertEqual(move.state, "posted")
            self.assertCountEqual(
                self._get_lines(move),
                [
                    ("Support fee", 100),
                    ("Phone support labour", 0),
                    ("Phone support labour", 70),
                    ("Opening Balance", 250.5),
                ],
            )
            self.assertEqual(move.amount_untaxed, 420.5)
            self.assertFalse(self._bill(contract, "2026-03-31"))
        self.assertProved(contract)

    def test_first_bill_in_advance(self):
        """The fee of February was billed elsewhere: March's fee meets February's usage here."""
        contract = self._come_here(mode="advance", opening_amount=250.5)
        self.assertEqual(str(contract.next_billing_date), "2026-03-01")
        self.assertFalse(self._bill(contract, "2026-02-28"))
        with freeze_time("2026-03-01 12:00:00"):
            bill = self._bill(contract, "2026-03-01")
            self.assertEqual(bill.term_id.number, 14)
            self.assertEqual(
                (bill.amount_fees, bill.amount_work, bill.amount_other), (100, 70, 250.5)
            )
            self.assertEqual(str(bill.fee_charge_ids.date), "2026-03-01")
            self.assertEqual(self._invoice(bill, post=True).amount_untaxed, 420.5)
        self.assertProved(contract)

    def test_advance_from_the_first_day_of_a_term(self):
        contract = self._come_here(mode="advance", opening_date="2026-02-01", opening_amount=50)
        bill = self._bill(contract, "2026-02-10")
        self.assertEqual((bill.term_id.number, bill.amount_untaxed), (13, 150))

    def test_credit_in_the_customers_favour(self):
        contract = self._come_here(hours=5, opening_amount=-300)
        with freeze_time("2026-03-01 12:00:00"):
            move = self._invoice(self._bill(contract, "2026-03-01"), post=True)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 200))
        self.assertProved(contract)

    def test_contract_that_ends_in_its_first_term(self):
        contract = self._come_here(
            mode="advance", opening_amount=30, date_end="2026-02-20", opening_date="2026-02-05"
        )
        with freeze_time("2026-03-01 12:00:00"):
            bill = self._bill(contract, "2026-03-01")
        self.assertEqual((bill.term_id.kind, bill.amount_untaxed), ("final", 100))  # 30 + 1 h

    def test_changes_of_what_was_billed_elsewhere(self):
        """Ten days at twice the price: only the difference of those days is charged here."""
        contract = self._come_here(hours=5, mode="advance")
        line = contract.line_ids
        line.price_unit = 120.0  # a correction of the fee that holds all the time
        line.change_ids = [
            fields.Command.create({"date": "2026-02-15", "quantity": 2.0, "price_unit": 120.0})
        ]
        bill = self._bill(contract, "2026-02-10")
        self.assertFalse(bill.charge_ids)
        with freeze_time("2026-03-01 12:00:00"):
            bill = self._bill(contract, "2026-03-01")
        self.assertEqual(
            sorted((charge.kind, charge.amount) for charge in bill.fee_charge_ids),
            [("proration", 60), ("recurring", 240)],
        )
        self.assertProved(contract)

    def test_late_first_bill(self):
        """Two months later each term is billed once, the opening balance on the first (T4)."""
        contract = self._come_here(opening_amount=10)
        with freeze_time("2026-04-02 12:00:00"):
            bills = self._bill(contract, "2026-04-02").sorted("date")
        self.assertEqual(bills.mapped("amount_untaxed"), [180, 100])
        self.assertProved(contract)
