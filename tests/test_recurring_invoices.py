# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Odoo's own recurring invoices stop with the contract to which they belong (Y11)."""

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import freeze_time, tagged

from .common import BillingCommon
from .test_contract_prices import PriceMixin

RECURRENCE = ("state", "auto_post", "auto_post_until")


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestRecurringInvoices(PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.contract = cls._make_contract(date_end="2026-05-31")

    def _make_recurring(self, day="2026-03-10", contract=None, **vals):
        move = self._make_invoice(day=day)
        move.write(
            {
                "date": day,
                "auto_post": "monthly",
                "support_contract_id": (contract or self.contract).id,
            }
            | vals
        )
        return move

    def _post_due(self, day):
        """What Odoo's scheduled action does on a day."""
        with freeze_time(f"{day} 12:00:00"):
            while due := self.env["account.move"].search(
                [
                    ("state", "=", "draft"),
                    ("auto_post", "!=", "no"),
                    ("date", "<=", day),
                    ("company_id", "=", self.company.id),
                ]
            ):
                due._post()

    def _get_days(self, state="posted"):
        moves = self.contract.attached_move_ids.filtered(lambda move: move.state == state)
        return sorted(fields.Date.to_string(move.invoice_date) for move in moves)

    def test_ends_with_the_contract(self):
        move = self._make_recurring()
        self.assertEqual(move.auto_post_until, fields.Date.to_date("2026-05-31"))
        self._post_due("2026-03-10")
        self._post_due("2027-01-10")
        self.assertEqual(self._get_days(), ["2026-03-10", "2026-04-10", "2026-05-10"])
        self.assertFalse(self._get_days("draft"))
        self.assertEqual(self.contract.attached_move_count, 3)

    def test_own_limit_goes_before_a_later_end(self):
        move = self._make_recurring(auto_post_until="2026-04-30")
        self.assertEqual(str(move.auto_post_until), "2026-04-30")
        move.auto_post_until = "2026-12-31"
        self.assertEqual(str(move.auto_post_until), "2026-05-31")
        self.contract.date_end = "2026-12-31"
        self.assertEqual(str(move.auto_post_until), "2026-12-31")
        self.contract.date_end = "2027-12-31"
        self.assertEqual(str(move.auto_post_until), "2026-12-31")
        self.contract.date_end = False
        self.assertEqual(str(move.auto_post_until), "2026-12-31")

    def test_earlier_end_stops_what_waits(self):
        self._make_recurring()
        self._post_due("2026-03-10")
        waiting = self.contract.attached_move_ids.filtered(lambda move: move.state == "draft")
        self.assertEqual(self._get_days("draft"), ["2026-04-10"])
        self.contract.date_end = "2026-03-31"
        self.assertRecordValues(
            waiting, [{"state": "cancel", "auto_post": "no", "support_stopped": "monthly"}]
        )
        self.assertIn(self.contract.name, waiting.message_ids[0].body)
        self._post_due("2026-06-10")
        self.assertEqual(self._get_days(), ["2026-03-10"])
        # A later end lets it go on.
        self.contract.date_end = "2026-06-30"
        self.assertRecordValues(
            waiting,
            [
                {
                    "state": "draft",
                    "auto_post": "monthly",
                    "auto_post_until": fields.Date.to_date("2026-06-30"),
                    "support_stopped": False,
                }
            ],
        )
        self._post_due("2026-12-10")
        self.assertEqual(self._get_days(), ["2026-03-10", "2026-04-10", "2026-05-10", "2026-06-10"])

    def test_later_end_after_the_last_one(self):
        """Nothing waits any more, and yet it goes on where the contract does; only once."""
        self._make_recurring()
        self._post_due("2026-05-10")
        self.assertEqual(self._get_days(), ["2026-03-10", "2026-04-10", "2026-05-10"])
        self.contract.date_end = "2026-06-15"
        self.contract.date_end = "2026-06-30"
        self.assertEqual(self._get_days("draft"), ["2026-06-10"])

    def test_ended_by_the_user_stays_ended(self):
        self._make_recurring(auto_post_until="2026-04-30")
        self._post_due("2026-05-10")
        self.contract.date_end = "2027-06-30"
        self.assertEqual(self._get_days(), ["2026-03-10", "2026-04-10"])
        self.assertFalse(self._get_days("draft"))

    def test_expiry_and_termination(self):
        self._make_recurring(day="2026-03-12")
        self.contract._set_state("expired")
        self.assertEqual(self._get_days("cancel"), ["2026-03-12"])
        other = self._make_contract()
        move = self._make_recurring(day="2026-03-12", contract=other)
        other._set_state("terminated")
        self.assertEqual((move.state, move.auto_post), ("cancel", "no"))

    def test_cancelled_contract(self):
        pending = self._make_contract(start="2026-04-01")
        move = self._make_recurring(day="2026-04-10", contract=pending)
        pending.action_cancel()
        self.assertEqual(move.state, "cancel")

    def test_no_invoice_after_the_end(self):
        """Also one by hand, which doesn't recur."""
        move = self._make_invoice(day="2026-06-01")
        move.support_contract_id = self.contract
        with freeze_time("2026-06-02"), self.assertRaisesRegex(UserError, self.contract.name):
            move.action_post()
        move.support_contract_id = False
        with freeze_time("2026-06-02"):
            move.action_post()
        self.assertEqual(move.state, "posted")

    def test_wrong_contract(self):
        stranger = self._make_contract(partner=self._make_customer("Stranger Ltd"))
        with self.assertRaisesRegex(ValidationError, "same customer"):
            self._make_invoice().support_contract_id = stranger
        with self.assertRaisesRegex(ValidationError, "Only customer invoices"):
            self._make_invoice(kind="out_refund").support_contract_id = self.contract

    def test_prices_of_the_contract(self):
        """Each copy is priced when it is made."""
        item = self._price(self.router)
        self._make_recurring()
        self._post_due("2026-03-10")
        item.fixed_price = 60.0
        self._post_due("2026-04-10")
        moves = self.contract.attached_move_ids.sorted("date")
        self.assertEqual(moves.mapped("amount_untaxed"), [80.0, 80.0, 60.0])
