# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Changes of prices are in the history of the contract, told by rights (Y18, Y20)."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
class TestPriceHistory(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract = cls._make_contract(cls._make_plan(fee=100, rates=[cls._rate("price", 70.0)]))
        cls.env.cr.flush()

    def _get_entries(self):
        self.env.cr.flush()
        return self.contract.change_ids.filtered(lambda change: change.kind == "price")

    def test_signing_and_other_terms_leave_no_entry(self):
        self.contract.client_order_ref = "PO 1"
        self.assertFalse(self._get_entries())

    def test_a_recurring_product(self):
        self.contract.line_ids.price_unit = 120
        [entry] = self._get_entries()
        self.assertEqual(entry.summary, "Support fee: changed")
        self.assertRegex(entry.details, r"Support fee: 1 × .*100\.00.* → 1 × .*120\.00")
        self.assertEqual(entry.user_id, self.env.user)
        self.contract.line_ids.change_ids = [Command.create({"date": "2026-06-01"})]
        self.assertEqual(len(self._get_entries()), 2)

    def test_special_prices_made_changed_and_removed(self):
        self.contract.price_item_ids = [
            Command.create(
                {
                    "applied_on": "1_product",
                    "product_tmpl_id": self.fee_product.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": 80,
                }
            )
        ]
        [made] = self._get_entries()
        self.assertIn("80.00", made.details)
        self.assertNotIn("80", made.summary)
        self.contract.price_item_ids.fixed_price = 75
        changed = self._get_entries() - made
        self.assertRegex(changed.details, r"80\.00.* → .*75\.00")
        self.contract.price_item_ids.unlink()
        removed = self._get_entries() - made - changed
        self.assertRegex(removed.details, r"75\.00.* → –")

    def test_a_discount(self):
        self.contract.discount = 10
        self.assertEqual(self._get_entries().details, "Discount (%): 0 → 10")

    def test_prices_are_for_those_who_see_them(self):
        self.contract.line_ids.price_unit = 120
        user = new_test_user(self.env, "tech", "support_contract.group_support_user")
        entry = self._get_entries().with_user(user)
        self.assertEqual(entry.summary, "Support fee: changed")
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            entry.read(["details"])

    def test_it_is_never_edited(self):
        self.contract.line_ids.price_unit = 120
        with self.assertRaisesRegex(UserError, "never edited"):
            self._get_entries().details = "nothing"
