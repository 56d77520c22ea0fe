# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The history of a contract: what was decided stays, and counts once."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import SupportCommon


class TestDecisions(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract = cls._make_contract()
        cls.changes = cls.env["support.contract.change"]

    def _note(self, **vals):
        return self.changes._note(self.contract, "credit", "Late", "−100.00", amount=-100, **vals)

    def test_it_says_who_when_and_why(self):
        change = self._note()
        self.assertEqual(change.user_id, self.env.user)
        self.assertTrue(change.moment)
        self.assertEqual((change.reason, change.amount), ("Late", -100))
        self.assertEqual(self.contract.change_count, 1)
        self.assertEqual(self.contract.action_view_changes()["domain"][0][2], self.contract.id)
        self.assertIn("Late", self.contract.message_ids[0].body)

    def test_it_is_never_edited_nor_deleted(self):
        change = self._note()
        with self.assertRaisesRegex(UserError, "never edited"):
            change.sudo().reason = "Early"
        with self.assertRaisesRegex(UserError, "is kept"):
            change.sudo().unlink()
        with self.assertRaises(AccessError):
            self.changes.create(
                {
                    "contract_id": self.contract.id,
                    "kind": "credit",
                    "reason": "Mine",
                    "summary": "+100.00",
                }
            )

    @mute_logger("odoo.sql_db")
    def test_a_request_counts_once(self):  # T28
        change = self._note(request_key="A")
        self.assertEqual(self.changes._find_request("A"), change)
        self.assertFalse(self.changes._find_request(False))
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._note(request_key="A")
            self.env.flush_all()

    def test_staff_without_prices_see_no_amount(self):
        self._note()
        staff = new_test_user(
            self.env(su=True), "support_staff", "support_contract.group_support_user"
        )
        change = self.contract.with_user(staff).change_ids
        self.assertEqual(change.reason, "Late")
        with self.assertRaises(AccessError):
            change.read(["amount"])
