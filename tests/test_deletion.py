# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What has entries, or explains them, is not deleted: the error says what to do instead."""

from psycopg2.errors import RestrictViolation

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_returns import ReturnsCommon


@tagged("post_install", "-at_install")
class TestDeletion(ReturnsCommon):
    def assertKept(self, record, *words):
        for word in words:
            with self.assertRaisesRegex(UserError, word), self.cr.savepoint():
                record.unlink()
        self.assertTrue(record.exists())

    def _make_item(self):
        items = self.env["maintenance.equipment"].sudo()  # whoever keeps the items
        return items.create({"name": "Printer", "support_partner_id": self.customer.id})

    def test_customer_with_grants(self):
        grant = self._make_grant(incidents=1)
        self.assertKept(self.customer, self.customer.name, grant.name, "Archive")

    def test_customer_and_contact_with_contracts(self):
        contact = self.env["res.partner"].create({"name": "Ida", "parent_id": self.customer.id})
        contract = self._make_contract(partner=contact)
        contract.active = False
        self.assertKept(contact, "Ida", contract.name, "Archive")

    def test_customer_without_any(self):
        stranger = self._make_customer("Ohm Ltd")
        stranger.unlink()
        self.assertFalse(stranger.exists())

    def test_item_under_contract(self):
        item, other = self._make_item(), self._make_item()
        plan = self._make_plan(rates=[self._rate("price", 70.0)], coverage="item")
        items = [Command.set((item + other).ids)]
        contract = self._make_contract(plan, equipment_ids=items, confirm=False)
        other.unlink()  # nothing is agreed yet
        contract.action_confirm()
        self.assertKept(item, "Printer", contract.name, "Archive")
        self.assertEqual(contract.equipment_ids, item)

    def test_item_with_tickets(self):
        self._make_grant(incidents=1)
        item = self._make_item()
        ticket = self._open(equipment_id=item.id)
        ticket.active = False
        self.assertKept(item, "Printer", ticket.number, "Archive")

    def test_team_whose_tickets_took_incidents(self):
        self._make_grant(incidents=1)
        ticket = self._open()
        ticket.active = False
        self.assertKept(self.paid, self.paid.name, ticket.number, "Archive")
        ticket.unlink()
        self.paid.unlink()
        self.assertFalse(self.paid.exists())

    def test_original_of_a_duplicate(self):
        grant = self._make_grant(incidents=2)
        original, duplicate = self._open(), self._open()
        duplicate.duplicate_id = original
        self.assertEqual(grant.remaining, 1)
        self.assertKept(original, original.number, duplicate.number, "Archive")
        (original + duplicate).unlink()
        self.assertEqual(grant.remaining, 2)

    def test_sold_pack_product(self):
        """What a customer was sold stays explained, whatever becomes of the product."""
        self.company.sudo().support_pack_grant_on = "confirmed"
        product = self._make_product(
            "Ten incidents",
            100.0,
            support_pack="lifetime",
            support_unit="incident",
            support_incidents=10,
        )
        lines = [Command.create({"product_id": product.id})]
        orders = self.env["sale.order"].sudo()  # a salesman's
        order = orders.create({"partner_id": self.customer.id, "order_line": lines})
        order.action_confirm()
        self.cr.flush()  # what is noted is done when a transaction ends
        grant = order.order_line.support_entitlement_ids
        self.assertEqual(grant.remaining, 10)
        with mute_logger("odoo.sql_db"), self.assertRaises(RestrictViolation):
            with self.cr.savepoint():
                product.sudo().unlink()
        self.assertTrue(product.exists())
        self.assertEqual(grant.remaining, 10)
