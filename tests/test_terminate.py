# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A contract ends early: credits by days, units, debts, the final bill, and all of it taken back
(C43, ex. A22, A23, B14, B39, T9, T10)."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import HOUR, BillingCommon


class TerminateMixin:
    @classmethod
    def _open_wizard(cls, contract, last_day=None, **vals):
        action = contract.action_terminate()
        if last_day:
            vals["last_day"] = last_day
        return (
            contract.env[action["res_model"]]
            .with_context(**action["context"])
            .create({"reason": "Moves away"} | vals)
        )

    @classmethod
    def _terminate(cls, contract, last_day=None, units=None, **vals):
        """Terminate through the wizard; `units`: values for all grants that are left."""
        wizard = cls._open_wizard(contract, last_day, **vals)
        if units:
            wizard.unit_ids.write(units)
        wizard.action_terminate()
        return contract.termination_id

    @classmethod
    def _undo(cls, contract):
        cls.env["support.undo.termination.wizard"].create(
            {"contract_id": contract.id, "reason": "Stays"}
        ).action_take_back()


@tagged("post_install", "-at_install")
class TestTerminate(TerminateMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.company_data["default_tax_sale"]
        cls.fee_product.taxes_id = cls.tax

    @classmethod
    def _make(cls, start="2026-06-01", fee=90, today=None, partner=None, **vals):
        """A contract made on its first day; in advance and by thirtieths unless told otherwise."""
        end = {"date_end": vals.pop("date_end")} if "date_end" in vals else {}
        plan = cls._make_plan(
            fee=fee,
            rates=[cls._rate("price", 70.0)],
            **{"billing_mode": "advance", "proration": "fixed30"} | vals,
        )
        partner = partner or cls._make_customer("Leaver Ltd")
        with freeze_time(f"{start} 12:00:00"):
            contract = cls._make_contract(plan, start, partner=partner, **end)
        if today:
            with freeze_time(f"{today} 12:00:00"):
                cls._roll(contract)
        return contract

    def _get_lines(self, bills):
        charges = bills.charge_ids.filtered("amount")
        return sorted((charge.kind, charge.amount) for charge in charges)

    # === FEES === #

    def test_what_was_paid_in_advance_comes_back_by_days(self):  # ex. B39
        """Two months billed, the last day in the second: 5 of 30 days."""
        contract = self._make()
        with freeze_time("2026-06-05 12:00:00"):
            paid = self._invoice(self._bill(contract, "2026-07-01"), post=True)
        self.assertEqual(sum(paid.mapped("amount_untaxed")), 180)
        with freeze_time("2026-07-26 12:00:00"):
            self._terminate(contract, "2026-07-25", credit_fees=True)
            bill = contract.termination_id.bill_ids
            self.assertEqual(self._get_lines(bill), [("proration", -15)])
            (note,) = self._invoice(bill, post=True)
        self.assertEqual((note.move_type, note.amount_untaxed), ("out_refund", 15))
        self.assertEqual(note.invoice_line_ids.tax_ids, self.tax)
        self.assertEqual(note.amount_tax, 2.25)
        self.assertEqual((contract.state, contract.date_end), ("terminated", date(2026, 7, 25)))
        self.assertProved(contract)

    def test_whole_terms_billed_ahead_come_back_whole(self):  # ex. B39
        """The last day in the first month: 10 of 30 days and the whole second month."""
        contract = self._make()
        with freeze_time("2026-06-05 12:00:00"):
            self._invoice(self._bill(contract, "2026-07-01"), post=True)
        with freeze_time("2026-06-25 12:00:00"):
            self._terminate(contract, "2026-06-20", credit_fees=True)
            bill = contract.termination_id.bill_ids
            self.assertEqual(self._get_lines(bill), [("proration", -90), ("proration", -30)])
            self._invoice(bill, post=True)
        kinds = contract.term_ids.sorted("number").mapped("kind")
        self.assertEqual(kinds, ["regular", "void", "final"])
        with freeze_time("2026-09-25 12:00:00"):  # T9: nothing follows
            self._roll(contract)
            self.assertFalse(self._bill(contract, "2026-09-25"))
        self.assertEqual(len(contract.term_ids), 3)
        self.assertEqual(sum(contract.charge_ids.mapped("amount")), 60)
        self.assertProved(contract)

    def test_credit_is_rounded_per_product(self):  # T10: by the days of the whole term
        contract = self._make(proration="actual", fee=100)
        contract.line_ids = [self._line(0.99, name="Extra")]
        with freeze_time("2026-06-05 12:00:00"):
            self._invoice(self._bill(contract, "2026-06-05"), post=True)
        with freeze_time("2026-06-21 12:00:00"):
            self._terminate(contract, "2026-06-19", credit_fees=True)
        # 19/30 of 100.00 is 63.33, of 0.99 it is 0.63.
        self.assertEqual(
            self._get_lines(contract.termination_id.bill_ids),
            [("proration", -36.67), ("proration", -0.36)],
        )

    def test_dated_changes_count_in_the_credit(self):
        contract = self._make(fee=30)
        contract.line_ids.change_ids = [
            Command.create({"date": "2026-06-16", "quantity": 2, "price_unit": 30})
        ]
        with freeze_time("2026-06-02 12:00:00"):
            bill = self._bill(contract, "2026-06-02")
            self.assertEqual(bill.amount_untaxed, 45)
            self._invoice(bill, post=True)
        with freeze_time("2026-06-27 12:00:00"):
            self._terminate(contract, "2026-06-25", credit_fees=True)
        self.assertEqual(contract.termination_id.bill_ids.amount_untaxed, -10)

    def test_last_term_in_arrears_is_prorated(self):  # ex. B14: eight days of thirty
        contract = self._make("2023-05-15", 300, billing_mode="arrears")
        with freeze_time("2023-05-25 12:00:00"):
            self._terminate(contract, "2023-05-22")
            (bill,) = contract.termination_id.bill_ids
            self.assertEqual(self._get_lines(bill), [("recurring", 80)])
            (move,) = self._invoice(bill, post=True)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_invoice", 80))
        self.assertProved(contract)

    def test_yearly_contract_in_arrears_is_billed_on_the_day_after(self):  # ex. A22
        contract = self._make(
            "2019-01-01",
            365,
            billing_mode="arrears",
            billing_period="12",
            proration="actual",
            date_end="2019-12-31",
        )
        with freeze_time("2019-05-10 12:00:00"):
            self._terminate(contract, "2019-05-31")
            self.assertEqual(contract.state, "active")
            self.assertIn("Ends on 05/31/2019", contract.termination_label)
            self.assertEqual(contract.next_billing_date, date(2019, 6, 1))
            self.assertFalse(contract.bill_ids)
        with freeze_time("2019-06-01 12:00:00"):
            self._roll(contract)
        self.assertEqual(contract.state, "terminated")
        bill = contract.bill_ids
        self.assertEqual((bill.date, bill.amount_untaxed), (date(2019, 6, 1), 151))
        self.assertEqual(bill, contract.termination_id.bill_ids)

    def test_end_before_a_bill_without_credit_is_refused(self):  # ex. A23, T9
        contract = self._make("2018-01-15")
        with freeze_time("2018-01-20 12:00:00"):
            self._invoice(self._bill(contract, "2018-01-20"), post=True)
            wizard = self._open_wizard(contract, "2018-02-13")
            self.assertIn("billed through 2018-02-14", wizard.preview)
            with self.assertRaisesRegex(UserError, "Credit what was paid in advance"):
                wizard.action_terminate()
            self.assertEqual((contract.state, contract.date_end), ("active", False))
            wizard.last_day = "2018-02-14"
            wizard.action_terminate()
        with freeze_time("2018-02-15 12:00:00"):
            self._roll(contract)
        self.assertEqual(contract.state, "terminated")
        self.assertFalse(contract.termination_id.bill_ids)  # all is paid

    # === THE FINAL BILL === #

    def test_one_final_bill_with_debts_credits_and_fee(self):
        contract = self._make(fee=90)
        product = self._make_product("Exit", 0.0, taxes_id=[Command.set(self.tax.ids)])
        with freeze_time("2026-06-02 12:00:00"):
            self._invoice(self._bill(contract, "2026-06-02"), post=True)
        with freeze_time("2026-06-22 12:00:00"):
            self._log_work(self._make_ticket(contract), "2026-06-10 10:00", 2)
            wizard = self._open_wizard(
                contract, "2026-06-20", credit_fees=True, fee_amount=50, fee_product_id=product.id
            )
            self.assertIn("160.00", wizard.preview)
            wizard.action_terminate()
            bill = contract.termination_id.bill_ids
            self.assertEqual(
                self._get_lines(bill), [("labour", 140), ("proration", -30), ("termination", 50)]
            )
            self.assertEqual((bill.amount_untaxed, bill.date), (160, date(2026, 6, 21)))
            (move,) = self._invoice(bill, post=True)
        self.assertEqual((move.amount_untaxed, move.state), (160, "posted"))
        self.assertEqual(
            move.invoice_line_ids.filtered(lambda x: x.product_id == product).tax_ids, self.tax
        )
        change = contract.change_ids
        self.assertEqual(
            (change.kind, change.reason, change.amount), ("terminate", "Moves away", 20)
        )
        self.assertEqual(contract.termination_id.change_id, change)
        self.assertProved(contract)

    def test_bill_now_settles_before_the_day_is_over(self):
        contract = self._make(billing_mode="arrears", proration="actual")
        with freeze_time("2026-06-20 09:00:00"):
            self._terminate(contract, settle_now=True)
            bill = contract.termination_id.bill_ids
            self.assertEqual((bill.amount_untaxed, bill.date), (60, date(2026, 6, 20)))
            self.assertEqual(contract.state, "active")
            late = self._log_work(self._make_ticket(contract), "2026-06-20 11:00", 1)
        with freeze_time("2026-06-21 09:00:00"):
            self._roll(contract)
        self.assertEqual(contract.state, "terminated")
        self.assertEqual(late.charge_ids.bill_id, contract.termination_id.bill_ids - bill)
        self.assertProved(contract)

    def test_bill_now_only_in_the_running_term(self):
        contract = self._make()
        with (
            freeze_time("2026-06-20 09:00:00"),
            self.assertRaisesRegex(UserError, "within the running term"),
        ):
            self._terminate(contract, "2026-08-10", settle_now=True)

    def test_approval_is_as_the_contract_says(self):
        contract = self._make(billing_mode="arrears", bill_approval="manager")
        with freeze_time("2026-06-22 09:00:00"):
            self._terminate(contract, "2026-06-20")
            bill = contract.termination_id.bill_ids
            bill.action_submit()
        self.assertEqual(bill.state, "to_approve")

    def test_suspended_contract_can_be_terminated(self):
        contract = self._make(billing_mode="arrears")
        with freeze_time("2026-06-22 09:00:00"):
            contract.action_suspend()
            self._terminate(contract, "2026-06-20")
            self.assertEqual(contract.state, "terminated")
            self._undo(contract)
            self.assertEqual(contract.state, "suspended")

    # === UNITS === #

    def _make_with_units(self, **vals):
        """Ten hours that cost 500.00, three of them used; and a second contract."""
        contract = self._make("2026-06-01", **vals)
        with freeze_time("2026-06-02 12:00:00"):
            charge = self.env["support.charge"].create(
                {
                    "kind": "top_up",
                    "name": "Ten hours",
                    "contract_id": contract.id,
                    "partner_id": contract.commercial_partner_id.id,
                    "product_id": self.fee_product.id,
                    "billing_term_id": contract.term_ids[:1].id,
                    "term_id": contract.term_ids[:1].id,
                    "date": "2026-06-02",
                    "price_unit": 500,
                    "amount": 500,
                }
            )
            grant = self._make_grant(
                10,
                start="2026-06-02",
                end="2026-12-31",
                partner_id=contract.commercial_partner_id.id,
                contract_id=contract.id,
                charge_id=charge.id,
                origin="top_up",
                activity_type_ids=[Command.set(self.phone.ids)],
            )
            ticket = self._make_ticket(contract, "2026-06-02 12:30:00")
            self._log_work(ticket, "2026-06-02 13:00", 3)
        self.assertEqual(grant.remaining, 7 * HOUR)
        return contract, grant

    def test_forfeited_units_are_gone_with_the_reason(self):
        contract, grant = self._make_with_units()
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20")
        self.assertEqual((grant.remaining, grant.used), (0, 3 * HOUR))
        entry = grant.entry_ids[0]
        self.assertEqual((entry.kind, entry.quantity), ("adjust", -7 * HOUR))
        self.assertIn("Moves away", entry.reason)
        self.assertNotIn("credit", contract.charge_ids.mapped("kind"))
        self.assertProved(contract)

    def test_units_are_credited_at_what_they_cost(self):
        contract, grant = self._make_with_units(fee=0, allowances=[self._allowance(incidents=3)])
        with freeze_time("2026-06-22 12:00:00"):
            wizard = self._open_wizard(contract, "2026-06-20")
            amounts = {unit.entitlement_id: unit.amount for unit in wizard.unit_ids}
            self.assertEqual(amounts.pop(grant), 350)
            self.assertEqual(list(amounts.values()), [0])  # part of the fee
            wizard.unit_ids.action = "credit"
            self.assertIn("350.00", wizard.preview)
            wizard.action_terminate()
            term, final = contract.termination_id.bill_ids.sorted("date")
            self.assertEqual(self._get_lines(term), [("top_up", 500)])  # was due before
            self.assertEqual(self._get_lines(final), [("credit", -350)])
            credit = final.charge_ids.filtered("amount")
            self.assertEqual(credit.product_id, self.fee_product)
            self.assertIn("7:00", credit.name)
            (move,) = self._invoice(final, post=True)
        self.assertEqual(move.invoice_line_ids.tax_ids, self.tax)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 350))
        self.assertEqual(grant.remaining, 0)
        self.assertProved(contract)

    def test_other_price_for_units_than_proposed(self):
        contract, grant = self._make_with_units(fee=0)
        with freeze_time("2026-06-10 12:00:00"):
            self._terminate(contract, "2026-06-20", {"action": "credit", "amount": 70})
        with freeze_time("2026-06-11 12:00:00"):  # one of the seven is used until the end
            self._log_work(self._make_ticket(contract), "2026-06-11 10:00", 1)
        with freeze_time("2026-06-21 12:00:00"):
            self._roll(contract)
        credit = contract.charge_ids.filtered(lambda charge: charge.kind == "credit")
        self.assertEqual((credit.amount, grant.remaining), (-60, 0))

    def test_units_are_moved_to_another_contract(self):
        contract, grant = self._make_with_units()
        target = self._make("2026-06-01", partner=contract.partner_id)
        with freeze_time("2026-06-22 12:00:00"):
            self._roll(target)
            before = self._log_work(self._make_ticket(target), "2026-06-22 10:00", 1)
        with freeze_time("2026-06-22 13:00:00"):
            self._terminate(
                contract,
                "2026-06-20",
                {"action": "move", "target_id": target.id, "date_to": "2027-01-31"},
            )
        with freeze_time("2026-06-22 14:00:00"):
            after = self._log_work(self._make_ticket(target), "2026-06-22 10:00", 1)
        moved = target.entitlement_ids
        self.assertEqual((moved.origin, moved.moved_from_id), ("moved", grant))
        self.assertEqual((moved.quantity, moved.remaining), (7 * HOUR, 6 * HOUR))
        self.assertEqual((moved.date_from, moved.date_to), (date(2026, 6, 21), date(2027, 1, 31)))
        self.assertEqual(moved.activity_type_ids, self.phone)
        self.assertEqual(grant.remaining, 0)
        self.assertEqual(self._get_charges(before), [("labour", 1, 70)])  # rated without them
        self.assertEqual(self._get_charges(after), [("covered", 1, 0)])
        with freeze_time("2026-06-23 12:00:00"), self.assertRaisesRegex(UserError, "some are used"):
            self._undo(contract)
        self.assertProved(contract + target)

    def test_units_for_life_without_contract_are_not_touched(self):
        contract = self._make()
        free = self._make_grant(5, partner_id=contract.partner_id.id)
        with freeze_time("2026-06-22 12:00:00"):
            wizard = self._open_wizard(contract, "2026-06-20")
            self.assertFalse(wizard.unit_ids)
            wizard.action_terminate()
        self.assertEqual(free.remaining, 5 * HOUR)

    def test_units_that_were_used_meanwhile_are_looked_at_again(self):
        contract, _grant = self._make_with_units()
        with freeze_time("2026-06-22 12:00:00"):
            wizard = self._open_wizard(contract, "2026-06-20")
            self._log_work(self._make_ticket(contract), "2026-06-12 10:00", 1)
            with self.assertRaisesRegex(UserError, "6:00 h left by now, no longer 7:00"):
                wizard.action_terminate()
            self.assertEqual(contract.state, "active")

    def test_units_can_not_be_moved_anywhere(self):
        contract, _grant = self._make_with_units()
        stranger = self._make()
        own = self._make(partner=contract.partner_id)
        draft = self._make(partner=contract.partner_id)
        with freeze_time("2026-06-22 12:00:00"):
            draft = draft.copy()
            wizard = self._open_wizard(contract, "2026-06-20")
            for values, text in (
                ({}, "Choose the contract"),
                ({"target_id": stranger.id}, "of the same customer"),
                ({"target_id": contract.id}, "of the same customer"),
                ({"target_id": draft.id}, "doesn't run"),
                ({"target_id": own.id, "date_to": "2026-12-30"}, "or get longer"),
            ):
                wizard.unit_ids.write({"action": "move", "target_id": False} | values)
                with self.assertRaisesRegex(UserError, text):
                    wizard.action_terminate()
            wizard.unit_ids.write({"action": "credit", "amount": -1})
            with self.assertRaisesRegex(UserError, "can't be negative"):
                wizard.action_terminate()
            self.assertFalse(contract.termination_id)

    # === WORK AFTER THE END === #

    def test_own_rule_for_work_after_the_end_wins(self):
        self.company.support_expired_work = "ignore"
        contract = self._make()
        ticket = self._make_ticket(contract)
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20", after_end_policy="rollover")
            self.assertEqual(self._log_work(ticket, "2026-06-21 10:00", 1).support_state, "waiting")
            self.assertIn("next contract", ticket.contract_end_label)
            self._undo(contract)
            self.assertFalse(contract.after_end_policy)

    def test_new_tickets_are_not_covered_after_the_end(self):
        contract = self._make()
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20")
            ticket = self._make_ticket(
                partner_id=contract.partner_id.id, opened="2026-06-22 10:00:00"
            )
        self.assertFalse(ticket.contract_id)

    # === TAKING BACK === #

    def _describe(self, contract):
        """All that a contract has come to, the numbers of bills and invoices aside."""
        charges = contract.charge_ids.filtered(lambda charge: charge.state != "cancelled")
        return {
            "state": contract.state,
            "end": contract.date_end,
            "terms": [
                (t.number, t.kind, t.date_start, t.date_end, t.state, t.charged, t.billed)
                for t in contract.term_ids.sorted("number")
            ],
            "charges": sorted(
                (c.kind, c.date, c.amount, c.term_id.number, c.billing_term_id.number, c.state)
                for c in charges
            ),
            "grants": sorted(
                (g.origin, g.date_from, g.quantity, g.used, g.lapsed)
                for g in contract.entitlement_ids
            ),
            "invoiced": sum(
                move._get_support_sign() * move.amount_untaxed for move in contract.bill_ids.move_id
            ),
        }

    def _live(self, mode, undo_on=None, last_day=None, **options):
        """The months of a contract; terminated and taken back on some days, or never."""
        contract = self._make(fee=90, billing_mode=mode, hours=2)
        with freeze_time("2026-06-05 12:00:00"):
            ticket = self._make_ticket(contract)
            self._log_work(ticket, "2026-06-03 10:00", 1)
            until = "2026-07-01" if mode == "advance" else "2026-06-05"
            bills = self._bill(contract, until)
            if bills:
                self._invoice(bills, post=True)
        if undo_on:
            with freeze_time("2026-06-22 12:00:00"):
                self._terminate(contract, last_day, **options)
                self.assertTrue(contract.termination_id)
            with freeze_time(f"{undo_on} 12:00:00"):
                self._roll(contract)
                self._undo(contract)
        with freeze_time("2026-07-10 12:00:00"):
            self._roll(contract)
            self._log_work(ticket, "2026-06-28 10:00", 3)
            self._log_work(ticket, "2026-07-05 10:00", 1)
        with freeze_time("2026-09-02 12:00:00"):
            self._roll(contract)
            self._invoice(self._bill(contract, "2026-09-02"), post=True)
        self.assertProved(contract)
        return contract

    def test_taken_back_it_is_as_if_it_had_never_been_terminated(self):
        options = {"credit_fees": True, "fee_amount": 25}
        for mode in ("advance", "arrears"):
            never = self._describe(self._live(mode))
            for undo_on, last_day in (
                ("2026-06-23", "2026-06-20"),
                ("2026-07-03", "2026-06-20"),
                ("2026-06-24", "2026-06-30"),
                ("2026-07-03", "2026-06-30"),
            ):
                with self.subTest(mode=mode, undo_on=undo_on, last_day=last_day):
                    contract = self._live(mode, undo_on, last_day, **options)
                    self.assertEqual(self._describe(contract), never)

    def test_undo_is_noted_and_happens_once(self):
        contract, grant = self._make_with_units()
        with freeze_time("2026-06-22 12:00:00"):
            termination = self._terminate(
                contract, "2026-06-20", {"action": "credit"}, fee_amount=10
            )
            bills = termination.bill_ids
            self._undo(contract)
            self.assertEqual((contract.state, contract.date_end), ("active", False))
            self.assertEqual(grant.remaining, 7 * HOUR)
            self.assertEqual(set(bills.mapped("state")), {"cancelled"})
            undo, done = contract.change_ids
            self.assertEqual((undo.kind, undo.undoes_id, undo.reason), ("undo", done, "Stays"))
            self.assertEqual((done.amount, undo.amount), (-340, 340))
            with self.assertRaisesRegex(UserError, "isn't terminated"):
                self._undo(contract)
            self._terminate(contract, "2026-06-21")  # and it can be terminated again
            self.assertEqual(contract.state, "terminated")
        self.assertProved(contract)

    def test_no_undo_after_the_final_bill_is_approved(self):
        contract = self._make(billing_mode="arrears")
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20")
            bill = contract.termination_id.bill_ids
            bill.action_approve()
            with self.assertRaisesRegex(UserError, "is approved"):
                self._undo(contract)
            self.assertEqual(contract.state, "terminated")
            bill.action_draft()
            self._undo(contract)
        self.assertEqual(contract.state, "active")

    # === BAD INPUT === #

    def test_only_during_the_contract_period(self):  # C43
        running = self._make(date_end="2026-12-31")
        with freeze_time("2026-06-22 12:00:00"):
            for day in ("2026-05-31", "2027-01-01"):
                with self.assertRaisesRegex(UserError, "06/01/2026 until 12/31/2026"):
                    self._terminate(running, day)
            pending = self._make_contract(
                self._make_plan(fee=9), "2026-07-01", partner=running.partner_id
            )
            self.assertEqual(pending.state, "pending")
            with self.assertRaisesRegex(UserError, "Cancel it instead"):
                self._terminate(pending)
            pending.action_cancel()
            with self.assertRaisesRegex(UserError, "is Cancelled"):
                self._terminate(pending)
            self._terminate(running, "2026-06-20")
            with self.assertRaisesRegex(UserError, "Ended on 06/20/2026"):
                self._terminate(running, "2026-06-19")
        expired = self._make(date_end="2026-06-30", today="2026-07-02")
        with freeze_time("2026-07-02 12:00:00"), self.assertRaisesRegex(UserError, "is Expired"):
            self._terminate(expired, "2026-06-20")

    def test_fee_must_be_one(self):
        contract = self._make()
        with freeze_time("2026-06-22 12:00:00"):
            with self.assertRaisesRegex(UserError, "can't be negative"):
                self._terminate(contract, fee_amount=-1)
            with self.assertRaisesRegex(UserError, "Choose the product"):
                self._terminate(contract, fee_amount=1, fee_product_id=False)

    def test_end_moves_only_with_the_termination(self):
        contract = self._make()
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-08-20")
            with self.assertRaisesRegex(UserError, "Take the termination back"):
                contract.date_end = "2026-09-30"

    def test_terminated_is_left_by_undo_alone(self):
        contract = self._make()
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20")
            for context in ({}, {"support_taken_back": True}):
                with self.assertRaisesRegex(UserError, "can't become Active"):
                    contract.with_context(**context).action_activate()

    def test_same_request_counts_once(self):  # T28
        contract = self._make()
        with freeze_time("2026-06-22 12:00:00"):
            wizard = self._open_wizard(contract, "2026-06-20", fee_amount=10)
            wizard.action_terminate()
            wizard.action_terminate()
        self.assertEqual(len(contract.termination_ids), 1)
        self.assertEqual(len(contract.charge_ids), 2)

    def test_staff_may_look_but_not_terminate(self):
        contract = self._make()
        staff = new_test_user(self.env, "terminate_staff", "support_contract.group_support_user")
        with freeze_time("2026-06-22 12:00:00"):
            with self.assertRaises(AccessError):
                self._open_wizard(contract.with_user(staff))
            termination = self._terminate(contract, "2026-06-20", fee_amount=10)
            seen = contract.with_user(staff)
            self.assertIn("Moves away", seen.termination_label)
            with self.assertRaises(AccessError):
                seen.termination_id.read(["fee_amount"])
            with self.assertRaises(AccessError):
                termination.write({"last_day": "2026-06-21"})
            with self.assertRaises(AccessError):
                self.env["support.undo.termination.wizard"].with_user(staff).create(
                    {"contract_id": contract.id, "reason": "?"}
                )

    def test_end_by_hand_before_a_bill_is_still_refused(self):  # ex. A23
        contract = self._make()
        with freeze_time("2026-06-05 12:00:00"):
            self._invoice(self._bill(contract, "2026-06-05"))
            with self.assertRaisesRegex(ValidationError, "billed through 2026-06-30"):
                contract.date_end = "2026-06-20"
