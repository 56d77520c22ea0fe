# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A contract rests: its tickets wait, its fees go on or stop, its end moves (ex. A26)."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
class TestSuspension(BillingCommon):
    @classmethod
    def _make(cls, fee=90, end=None, partner=None, **vals):
        plan = cls._make_plan(
            fee=fee,
            hours=2,
            rates=[cls._rate("price", 70.0)],
            **{"billing_mode": "advance", "proration": "fixed30"} | vals,
        )
        partner = partner or cls._make_customer("Rester Ltd")
        with freeze_time("2026-06-01 12:00:00"):
            return cls._make_contract(plan, "2026-06-01", partner=partner, date_end=end)

    @classmethod
    def _open_wizard(cls, contract, **vals):
        action = contract.action_open_suspend()
        return (
            contract.env[action["res_model"]]
            .with_context(**action["context"])
            .create({"reason": "Winter break"} | vals)
        )

    @classmethod
    def _suspend(cls, contract, **vals):
        cls._open_wizard(contract, **vals).action_suspend()
        return contract.suspension_ids[:1]

    # === WORK === #

    def test_tickets_wait_while_it_rests(self):
        contract = self._make()
        ticket = self._make_ticket(contract, "2026-06-05 10:00:00")
        closed = self._make_ticket(contract, "2026-06-05 10:00:00")
        closed.stage_id = self.env["helpdesk.ticket.stage"].search([("closed", "=", True)])[:1]
        with freeze_time("2026-06-10 12:00:00"):
            self._suspend(contract)
            self.assertEqual(contract.state, "suspended")
            self.assertIn("until it is resumed: Winter break", contract.suspension_label)
            with self.assertRaisesRegex(UserError, "is suspended. Resume it"):
                self._log_work(ticket, "2026-06-10 10:00", 1)
            self.assertEqual(ticket.lock_reason, "suspended")
            self.assertEqual(str(ticket.locked_at), "2026-06-10 12:00:00")
            self.assertFalse(closed.lock_reason)
            new = self._make_ticket(opened="2026-06-10 11:00:00", partner_id=contract.partner_id.id)
            self.assertFalse(new.contract_id)
        with freeze_time("2026-06-20 12:00:00"):
            contract.action_resume()
            work = self._log_work(ticket, "2026-06-20 10:00", 1)
        self.assertFalse(ticket.lock_reason)
        self.assertEqual(self._get_charges(work), [("covered", 1, 0)])
        self.assertEqual(contract.change_ids.mapped("kind"), ["resume", "suspend"])
        self.assertProved(contract)

    # === FEES === #

    def test_fees_go_on_or_stop(self):  # ex. A26
        """Ten days of thirty: nothing was billed yet, in arrears."""
        for fees, amount in (("run", 90), ("stop", 60)):
            contract = self._make(billing_mode="arrears")
            with freeze_time("2026-06-10 12:00:00"):
                suspension = self._suspend(contract, fees=fees)
            with freeze_time("2026-06-20 12:00:00"):
                contract.action_resume()
            self.assertEqual((suspension.state, suspension.date_to), ("done", date(2026, 6, 19)))
            with freeze_time("2026-07-01 12:00:00"):
                bill = self._bill(contract, "2026-07-01")
                (move,) = self._invoice(bill, post=True)
            self.assertEqual((bill.amount_untaxed, move.amount_untaxed), (amount, amount))
            self.assertProved(contract)

    def test_what_was_billed_already_is_settled_on_the_next_bill(self):
        contract = self._make()
        with freeze_time("2026-06-02 12:00:00"):
            self._invoice(self._bill(contract, "2026-06-02"), post=True)
        with freeze_time("2026-06-10 12:00:00"):
            wizard = self._open_wizard(contract, fees="stop")
            self.assertIn("-63.00", wizard.preview.replace("\ufeff", ""))
            wizard.action_suspend()
            self.assertEqual(contract.change_ids.amount, -63)
            self.assertNotIn("63", contract.change_ids.summary)  # staff without prices reads it
        with freeze_time("2026-06-20 12:00:00"):
            contract.action_resume()
        with freeze_time("2026-07-01 12:00:00"):
            bill = self._bill(contract, "2026-07-01")
            self.assertEqual(sorted(bill.charge_ids.mapped("amount")), [-30, 90])
            self._invoice(bill, post=True)
        self.assertProved(contract)

    def test_term_that_rests_as_a_whole_costs_nothing(self):
        for proration in ("fixed30", "actual", "none"):
            contract = self._make(proration=proration)
            with freeze_time("2026-06-02 12:00:00"):
                self._suspend(contract, date_from="2026-07-01", date_to="2026-07-31", fees="stop")
            amounts = []
            for month in ("06", "07", "08"):
                with freeze_time(f"2026-{month}-01 13:00:00"):
                    bills = self._bill(contract, f"2026-{month}-01")
                    amounts.append(sum(bills.mapped("amount_untaxed")))
            self.assertEqual(amounts, [90, 0, 90], proration)
            self.assertEqual(contract.state, "active")

    def test_allowances_are_granted_all_the_same(self):
        contract = self._make()
        with freeze_time("2026-06-10 12:00:00"):
            self._suspend(contract, fees="stop")
        with freeze_time("2026-07-02 12:00:00"):
            self._roll(contract)
        self.assertEqual(len(contract.entitlement_ids), 2)

    # === THE END === #

    def test_remaining_length_is_preserved(self):  # ex. A26
        """June to August, of which July and August were to come; rests in July."""
        contract = self._make(end="2026-08-31")
        with freeze_time("2026-06-02 12:00:00"):
            wizard = self._open_wizard(
                contract, date_from="2026-07-01", date_to="2026-07-31", extend_end=True
            )
            self.assertIn("10/01/2026", wizard.preview)
            wizard.action_suspend()
            self.assertEqual(contract.state, "active")
            self.assertIn("To be suspended from 07/01/2026", contract.suspension_label)
        with freeze_time("2026-07-01 12:00:00"):
            self._run_cron()
            self.assertEqual(contract.state, "suspended")
        with freeze_time("2026-08-01 12:00:00"):
            self._run_cron()
        self.assertEqual((contract.state, contract.date_end), ("active", date(2026, 10, 1)))

    def _run_cron(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env["support.contract"].with_env(self.env(cr=cr))._cron_roll()
        self.env.invalidate_all()

    def test_it_does_not_end_while_it_rests(self):  # ex. A26
        """Rests through its end; what was left of it comes afterwards."""
        contract = self._make(end="2026-07-10", fee=30)
        with freeze_time("2026-07-01 12:00:00"):
            self._invoice(self._bill(contract, "2026-07-01"), post=True)
            self._suspend(contract, fees="stop", extend_end=True)
        with freeze_time("2026-09-01 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "suspended")
            contract.action_resume()
            self.assertEqual((contract.state, contract.date_end), ("active", date(2026, 9, 10)))
            self._invoice(self._bill(contract, "2026-09-01"), post=True)
        kinds = contract.term_ids.sorted("number").mapped("kind")
        self.assertEqual(kinds, ["regular"] * 4 + ["final"])
        # June as a whole, ten days of September instead of ten of July.
        self.assertEqual(sum(contract.charge_ids.mapped("amount")), 40)
        self.assertEqual(sum(contract.bill_ids.move_id.mapped("amount_untaxed_signed")), 40)
        self.assertProved(contract)

    def test_end_that_can_not_move_is_told(self):
        contract = self._make(end="2026-08-31")
        with freeze_time("2026-06-02 12:00:00"):
            self._suspend(contract, date_from="2026-07-01", date_to="2026-07-31", extend_end=True)
            following = self._make_contract(
                contract.plan_id, "2026-09-01", partner=contract.partner_id
            )
        with freeze_time("2026-08-02 12:00:00"):
            self._roll(contract)
        self.assertEqual((contract.state, contract.date_end), ("active", date(2026, 8, 31)))
        self.assertIn(following.name, contract.activity_ids.note)
        with (
            freeze_time("2026-08-03 12:00:00"),
            self.assertRaisesRegex(UserError, "begins on 09/01/2026"),
        ):
            self._suspend(contract, date_to="2026-08-10", extend_end=True)

    # === PLANNED === #

    def test_late_cron_begins_and_ends_it(self):  # T4
        contract = self._make(billing_mode="arrears")
        with freeze_time("2026-06-02 12:00:00"):
            suspension = self._suspend(
                contract, date_from="2026-06-11", date_to="2026-06-20", fees="stop"
            )
        with freeze_time("2026-07-05 12:00:00"):
            bill = self._bill(contract, "2026-07-05")
        self.assertEqual((suspension.state, contract.state), ("done", "active"))
        self.assertEqual(bill.amount_untaxed, 60)

    def test_planned_one_can_be_cancelled(self):
        contract = self._make(billing_mode="arrears")
        with freeze_time("2026-06-02 12:00:00"):
            suspension = self._suspend(
                contract, date_from="2026-06-11", date_to="2026-06-20", fees="stop"
            )
            suspension.action_cancel()
            with self.assertRaisesRegex(UserError, "It has begun"):
                suspension.action_cancel()
        with freeze_time("2026-07-05 12:00:00"):
            self.assertEqual(self._bill(contract, "2026-07-05").amount_untaxed, 90)
        self.assertEqual(contract.change_ids.mapped("kind"), ["undo", "suspend"])

    def test_resumed_on_the_same_day_it_has_not_rested(self):
        contract = self._make(billing_mode="arrears")
        with freeze_time("2026-06-10 12:00:00"):
            suspension = self._suspend(contract, fees="stop")
            contract.action_resume()
        self.assertEqual((suspension.state, contract.state), ("cancelled", "active"))
        with freeze_time("2026-07-01 12:00:00"):
            self.assertEqual(self._bill(contract, "2026-07-01").amount_untaxed, 90)

    # === BAD INPUT === #

    def test_days_must_be_possible(self):
        contract = self._make(end="2026-12-31")
        with freeze_time("2026-06-10 12:00:00"):
            for values, text in (
                ({"date_from": "2026-06-09"}, "begins today or later"),
                ({"date_to": "2026-06-09"}, "before the first one"),
                ({"date_from": "2027-01-01"}, "ends on 12/31/2026"),
            ):
                wizard = self._open_wizard(contract, **values)
                self.assertIn(text, wizard.preview)
                with self.assertRaisesRegex(UserError, text):
                    wizard.action_suspend()
            self._suspend(contract, date_from="2026-08-01", date_to="2026-08-10")
            with self.assertRaisesRegex(UserError, "is to be suspended from 08/01/2026"):
                self._suspend(contract, date_from="2026-08-10")
            self._suspend(contract, date_to="2026-07-31")
            with self.assertRaisesRegex(UserError, "is Suspended: only an active"):
                self._suspend(contract)
            endless = self._make()
            with self.assertRaisesRegex(UserError, "without end"):
                self._suspend(endless, extend_end=True)

    def test_context_from_outside_stops_no_fee(self):
        contract = self._make(billing_mode="arrears")
        rest = [date(2026, 6, 1), date(2026, 6, 30)]
        with freeze_time("2026-07-01 12:00:00"):
            bill = self._bill(contract.with_context(support_supposed_rest=rest), "2026-07-01")
        self.assertEqual(bill.amount_untaxed, 90)

    def test_staff_may_not_suspend(self):
        contract = self._make()
        staff = new_test_user(self.env, "rest_staff", "support_contract.group_support_user")
        with freeze_time("2026-06-10 12:00:00"):
            with self.assertRaises(AccessError):
                self._open_wizard(contract.with_user(staff))
            suspension = self._suspend(contract, date_from="2026-06-12")
            self.assertEqual(suspension.with_user(staff).reason, "Winter break")
            for user in (staff, self.env.user):
                with self.assertRaises(AccessError):
                    suspension.with_user(user).write({"date_to": "2026-06-30"})
            with self.assertRaises(AccessError):
                suspension.with_user(staff).action_cancel()
            with self.assertRaises(AccessError):
                contract.with_user(staff).action_resume()
