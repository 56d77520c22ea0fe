# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Cancelled activities (Q12) and credits in money (Q13): what comes back, and what is refused."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import HOUR
from .test_transfer import TransferCommon


@tagged("post_install", "-at_install")
class TestCancel(TransferCommon):
    """Four hours of January are included: 2 of the first work, 2 of the second; 1 is charged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-01-20 12:00:00"):
            plan = cls._make_plan(hours=4, fee=50, rates=[cls._rate("price", 70.0)])
            cls.covered = cls._make_contract(plan, partner=cls._make_customer("Cover Ltd"))
            ticket = cls._make_ticket(cls.covered)
            cls.first = cls._log_work(ticket, "2026-01-06 09:00", 2)
            cls.second = cls._log_work(ticket, "2026-01-07 09:00", 3)
        cls.covered_bill = cls._bill(cls.covered, "2026-02-01")

    def _get_kinds(self, line):
        return [
            (c.kind, c.hours, c.amount)
            for c in line.charge_ids.filtered(lambda c: not c.cancelled).sorted("sequence")
        ]

    # === TIME === #

    def test_units_come_back_and_serve_other_work(self):
        self.assertEqual(self._get_kinds(self.second), [("covered", 2, 0), ("overage", 1, 70)])
        self._cancel(self.first.charge_ids)
        self.assertIn("Time that comes back: 2:00 h", self.preview)
        self.assertEqual(self._get_kinds(self.first), [])
        self.assertEqual(self._get_kinds(self.second), [("covered", 3, 0)])
        self.assertEqual(self._get_drawn(self.first), {})
        self.assertEqual(self.covered.entitlement_ids.sorted("id")[0].used, 3 * HOUR)
        self.assertEqual(self.covered_bill.amount_untaxed, 50)
        self.assertEqual(self.first.covered_hours, 0)
        self.assertIn("Time that comes back: 2:00 h", self.covered.change_ids[0].summary)
        self.assertProved(self.covered)

    def test_cancelling_one_piece_cancels_the_activity(self):
        overage = self.second.charge_ids.filtered(lambda c: c.kind == "overage")
        self._cancel(overage)
        self.assertEqual(set(self.second.charge_ids.mapped("state")), {"cancelled"})
        self.assertEqual(self.covered.change_ids[0].amount, -70)
        self.assertEqual(self.covered_bill.cancelled_charge_ids, self.second.charge_ids)
        self.assertEqual(self.second.support_amount, 0)
        self.assertProved(self.covered)

    def test_charged_again_it_is_as_before(self):
        self._cancel(self.first.charge_ids)
        charge = self.first.charge_ids
        self._take_back(charge.action_restore_activity())
        self.assertEqual(self.first.charge_ids, charge)
        self.assertFalse(charge.cancel_reason or self.first.support_cancelled_at)
        self.assertEqual(self._get_kinds(self.first), [("covered", 2, 0)])
        self.assertEqual(self._get_kinds(self.second), [("covered", 2, 0), ("overage", 1, 70)])
        self.assertEqual(self.covered_bill.amount_untaxed, 120)
        self.assertProved(self.covered)

    def test_not_charged_again_after_the_bill_is_approved(self):
        self._cancel(self.second.charge_ids)
        self._invoice(self.covered_bill, post=True)
        with self.assertRaisesRegex(UserError, "which is approved"):
            self._take_back(self.second.charge_ids.action_restore_activity())
        self.assertEqual(self.covered_bill.move_id.amount_untaxed, 50)

    def test_cancelled_work_is_neither_edited_nor_deleted(self):
        self._cancel(self.first.charge_ids)
        with self.assertRaisesRegex(UserError, "Have a manager charge it again"):
            self.first.unit_amount = 5
        with self.assertRaisesRegex(UserError, "Have a manager charge it again"):
            self.first.unlink()
        with self.assertRaisesRegex(UserError, "stays visible"):
            self.first.charge_ids.unlink()
        with self.assertRaises(AccessError):
            self.first.with_user(self.colleague).support_cancelled_at = False

    def test_cancelled_before_its_bill_it_is_shown_on_it(self):
        line = self._log_work(self.ticket, "2026-02-01 09:00", 1)
        self._cancel(line.charge_ids)
        self._log_work(self.ticket, "2026-02-01 10:00", 1)
        bill = self._bill_on("2026-03-01")
        self.assertEqual((bill.cancelled_charge_ids, bill.amount_untaxed), (line.charge_ids, 70))
        bill.action_cancel()
        self.assertFalse(line.charge_ids.bill_id)
        again = self._bill_on("2026-03-01")
        self.assertEqual((again.cancelled_charge_ids, again.amount_untaxed), (line.charge_ids, 70))

    def test_moved_piece_of_invoiced_work_is_cancelled_alone(self):
        overage = self.second.charge_ids.filtered(lambda c: c.kind == "overage")
        self._carry(overage)
        self._invoice(self.covered_bill, post=True)
        self._cancel(overage)
        self.assertNotIn("Time that comes back", self.preview)
        self.assertEqual(overage.state, "cancelled")
        self.assertFalse(self.second.support_cancelled_at)
        february = self._bill_on("2026-03-01", self.covered)
        self.assertEqual(february.amount_untaxed, 50)
        self.assertProved(self.covered)

    # === OTHER KINDS === #

    def test_incidents_come_back(self):
        plan = self._make_plan(
            allowances=[self._allowance(incidents=1)],
            incident_product_id=self.incident_product.id,
            incident_price=40.0,
        )
        contract = self._make_contract(plan, partner=self._make_customer("Incident Ltd"))
        one, two = (
            self._make_ticket(contract, opened=f"2026-01-{day} 09:00:00") for day in ("05", "06")
        )
        self.assertEqual((one.consumed_incidents, two.charge_ids.amount), (1, 40))
        bill = self._bill(contract, "2026-02-01")
        self.assertEqual(bill.amount_untaxed, 40)
        charge = one.charge_ids
        self._cancel(charge)
        self.assertIn("Incidents that come back: 1", self.preview)
        self.assertEqual((one.incident_quantity, one.consumed_incidents), (0, 0))
        self.assertEqual((charge.state, two.charge_ids.kind), ("cancelled", "covered"))
        self.assertEqual(bill.amount_untaxed, 0)
        self.assertProved(contract)
        self._take_back(charge.action_restore_activity())
        # A ticket that takes an incident again takes one of those that are left now (B38).
        self.assertEqual((one.incident_quantity, one.consumed_incidents), (1, 1))
        self.assertEqual((one.charge_ids, charge.state), (charge, "billed"))
        self.assertEqual((charge + two.charge_ids).mapped("kind"), ["covered", "covered"])
        self.assertProved(contract)

    def test_part_fee_and_ticket_charge(self):
        part = self.env["support.charge"].create(
            {
                "kind": "part",
                "ticket_id": self.first.ticket_id.id,
                "product_id": self.fee_product.id,
                "quantity": 2,
                "date": "2026-02-01",
            }
        )
        ticket = self.first.ticket_id
        ticket.charge_amount = 115.0
        charge = ticket.ticket_charge_ids
        february = self._bill_on("2026-03-01", self.covered)
        self.assertEqual(february.amount_untaxed, 350)
        self._cancel(part + charge, bill=february)
        self.assertEqual((ticket.charge_amount, charge.state), (0, "cancelled"))
        self.assertEqual(february.amount_untaxed, 50)
        fee = february.fee_charge_ids
        self._cancel(fee, bill=february)
        self.assertEqual(february.amount_untaxed, 0)
        # A fee that was given up isn't charged as a difference when its price changes.
        self.covered.line_ids.changed = True
        self.assertFalse(self.covered.line_ids._settle_changes())
        self._take_back((part + charge + fee).action_restore_activity())
        self.assertEqual((ticket.charge_amount, february.amount_untaxed), (115, 250))
        self.assertEqual(self._bill_on("2026-04-01", self.covered).mapped("amount_untaxed"), [150])
        self.assertProved(self.covered)

    def test_what_is_carried_in_part_is_taken_back_first(self):
        self._carry(self.debt, amount=100.0)
        with self.assertRaisesRegex(UserError, "carried in part"):
            self._cancel(self.debt)
        part = self._get_transfer().part_ids[0]
        with self.assertRaisesRegex(UserError, "no charge here"):
            part.action_cancel_activity()

    def test_carried_debt_is_cancelled_where_it_is(self):
        self._carry(self.debt)
        february = self._bill_on("2026-03-01")
        self._cancel(self.debt, bill=february)
        self.assertEqual(self._get_picture(february), (0, 0, 0, 0, 0))
        self.assertEqual(february.cancelled_charge_ids, self.debt)
        self.assertProved(self.contract)

    def test_rounding_per_ticket_and_day_leaves_cancelled_work_out(self):
        self.phone.write(
            {"rounding_scope": "ticket_day", "increment_minutes": 60, "minimum_minutes": 0}
        )
        ticket = self._make_ticket(self.contract)
        one = self._log_work(ticket, "2026-02-01 09:00", 0.5)
        two = self._log_work(ticket, "2026-02-01 10:00", 0.5)
        self.assertEqual([one.billable_hours, two.billable_hours], [1, 0])
        self._cancel(one.charge_ids)
        self.assertEqual(two.billable_hours, 1)
        self._take_back(one.charge_ids.action_restore_activity())
        self.assertEqual([one.billable_hours, two.billable_hours], [1, 0])
        self.assertProved(self.contract)


@tagged("post_install", "-at_install")
class TestCredit(TransferCommon):
    def test_credit_at_once_is_a_credit_note(self):
        charge = self._give_credit(self.contract, 30.0, when="now")
        bill = charge.bill_id
        self.assertEqual(
            (bill.kind, bill.state, bill.amount_untaxed), ("immediate", "approved", -30)
        )
        move = self.env["support.invoicing"]._create_invoices(bill)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 30))

    def test_credit_on_the_bill_that_is_open(self):
        self._give_credit(self.contract, 30.0, when="current")
        self.assertEqual(self._get_picture(self.bill), (0, 350, 0, -30, 320))
        change = self.contract.change_ids[0]
        self.assertEqual((change.kind, change.amount), ("credit", -30))
        self.assertEqual(self._invoice(self.bill, post=True).amount_untaxed, 320)
        self.assertProved(self.contract)

    def test_nothing_and_less_are_refused(self):
        for amount in (0.0, -5.0, 0.001):
            with self.assertRaisesRegex(UserError, "must be above 0"):
                self._give_credit(self.contract, amount)

    def test_ended_contract_gets_it_at_once(self):
        self.contract.date_end = "2026-01-31"
        with self.assertRaisesRegex(UserError, "Apply the credit at once"):
            self._give_credit(self.contract, 30.0)
        self._give_credit(self.contract, 30.0, when="now")

    def test_ended_contract_with_a_renewal(self):
        self.contract.date_end = "2026-01-31"
        renewal = self.contract.copy(
            {"date_start": "2026-02-01", "renews_id": self.contract.id, "date_end": False}
        )
        renewal.action_confirm()
        charge = self._give_credit(self.contract, 30.0)
        self.assertEqual(charge.billing_contract_id, renewal)
        bill = self._bill_on("2026-03-01", renewal)
        self.assertEqual(self._get_picture(bill), (0, 0, 0, -30, -30))

    def test_credit_is_taken_back_while_it_is_open(self):
        charge = self._give_credit(self.contract, 30.0, when="current")
        self._cancel(charge)
        self.assertEqual((charge.state, self.bill.amount_untaxed), ("cancelled", 350))
        self.assertEqual(self.contract.change_ids[0].amount, 30)

    def test_contract_that_does_not_run(self):
        draft = self._make_contract(
            self.plan, confirm=False, partner=self._make_customer("Draft Ltd")
        )
        with self.assertRaisesRegex(UserError, "doesn't run"):
            self._give_credit(draft, 30.0)

    def test_taxes_are_those_of_the_product(self):
        self.fee_product.taxes_id = [Command.clear()]
        charge = self._give_credit(self.contract, 30.0, product_id=self.fee_product)
        bill = self._bill_on("2026-03-01")
        self.assertEqual(bill.charge_ids, charge)
        self.assertEqual(self._invoice(bill, post=True).amount_tax, 0)
