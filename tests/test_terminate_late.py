# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What comes together with an early end: unbilled terms, late work, the allowance of a cut term."""

from freezegun import freeze_time

from odoo.tests import tagged

from .common import HOUR, BillingCommon
from .test_terminate import TerminateMixin


@tagged("post_install", "-at_install")
class TestTerminateLate(TerminateMixin, BillingCommon):
    def _make(self, mode, hours=0):
        plan = self._make_plan(
            fee=90,
            hours=hours,
            rates=[self._rate("price", 70.0)],
            billing_mode=mode,
            proration="fixed30",
        )
        with freeze_time("2026-06-01 12:00:00"):
            return self._make_contract(plan, "2026-06-01")

    def _get_bills(self, contract):
        bills = contract.termination_id.bill_ids.sorted("date")
        return [(str(bill.date), bill.term_id.kind, bill.amount_untaxed) for bill in bills]

    def test_unbilled_terms_keep_their_own_bills(self):  # T4
        """In advance a final one comes after them; in arrears that of the last term is it."""
        expected = {
            "advance": [
                ("2026-06-01", "regular", 90.0),
                ("2026-07-01", "regular", 60.0),
                ("2026-07-21", "final", 140.0),
            ],
            "arrears": [("2026-07-01", "regular", 90.0), ("2026-07-21", "regular", 200.0)],
        }
        for mode, bills in expected.items():
            contract = self._make(mode)
            with freeze_time("2026-07-22 12:00:00"):
                self._roll(contract)
                ticket = self._make_ticket(contract, "2026-06-05 09:00:00")
                self._log_work(ticket, "2026-07-10 10:00", 2)
                wizard = self._open_wizard(contract, "2026-07-20")
                self.assertIn("keep a bill of their own: 06/01/2026", wizard.preview)
                self.assertIn("290.00", wizard.preview)
                wizard.action_terminate()
            self.assertEqual(self._get_bills(contract), bills)
            self.assertProved(contract)

    def test_one_bill_needs_no_words(self):
        contract = self._make("arrears")
        with freeze_time("2026-06-20 12:00:00"):
            self.assertNotIn("of their own", self._open_wizard(contract).preview)
        contract = self._make("advance")
        with freeze_time("2026-06-20 12:00:00"):
            self._bill(contract, "2026-06-20")
            wizard = self._open_wizard(contract, credit_fees=True)
            self.assertNotIn("of their own", wizard.preview)

    def test_allowance_of_a_cut_term_is_granted_whole(self):
        """Money is prorated, units never are."""
        contract = self._make("arrears", hours=5)
        with freeze_time("2026-06-12 12:00:00"):
            work = self._log_work(self._make_ticket(contract), "2026-06-10 10:00", 5)
            self._terminate(contract, "2026-06-10")
        self.assertEqual(self._get_charges(work), [("covered", 5, 0)])
        self.assertEqual(contract.entitlement_ids.quantity, 5 * HOUR)
        self.assertEqual(self._get_bills(contract), [("2026-06-11", "regular", 30.0)])

    def test_work_recorded_after_the_settlement_finds_forfeited_units_gone(self):
        """It is charged, on a bill of its own; taken back and done again it is covered."""
        contract = self._make("arrears", hours=5)
        with freeze_time("2026-06-22 12:00:00"):
            ticket = self._make_ticket(contract, "2026-06-05 09:00:00")
            self._log_work(ticket, "2026-06-08 10:00", 2)
            self._terminate(contract, "2026-06-20")
            late = self._log_work(ticket, "2026-06-15 10:00", 1)
        self.assertEqual(self._get_charges(late), [("overage", 1, 70)])
        with freeze_time("2026-06-23 12:00:00"):
            self._undo(contract)
            self.assertEqual(self._get_charges(late), [("covered", 1, 0)])
            self._terminate(contract, "2026-06-20")
        grant = contract.entitlement_ids.filtered("quantity")
        self.assertEqual((grant.used, grant.remaining), (3 * HOUR, 0))
        self.assertEqual(contract.termination_id.bill_ids.mapped("amount_untaxed"), [60])
        self.assertProved(contract)

    def test_charge_of_late_work_is_billed(self):
        contract = self._make("advance", hours=5)
        with freeze_time("2026-06-22 12:00:00"):
            self._terminate(contract, "2026-06-20")
            ticket = self._make_ticket(contract, "2026-06-05 09:00:00")
            late = self._log_work(ticket, "2026-06-15 10:00", 1)
        with freeze_time("2026-07-22 12:00:00"):
            bill = self._bill(contract, "2026-07-22")
        self.assertEqual(late.charge_ids.bill_id, bill)
        self.assertEqual((bill.term_id.kind, bill.amount_untaxed), ("final", 70))
        self.assertProved(contract)
