# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo.fields import Command
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """The main flow as a person goes it, in a real browser."""

    def test_manager_goes_from_contract_to_posted_invoice(self):
        product = self.env["product.product"].create(
            {"name": "Tour fee", "type": "service", "list_price": 100.0}
        )
        self.env["res.partner"].create({"name": "Tour Hotel", "is_company": True})
        self.env["support.plan"].create(
            {
                "name": "Tour Plan",
                "billing_mode": "advance",
                "line_ids": [Command.create({"product_id": product.id})],
                "allowance_ids": [Command.create({"unit": "time", "quantity": 3600})],
                "rate_ids": [Command.create({"kind": "price", "price": 70.0})],
            }
        )

        self.start_tour("/odoo/support-contracts", "support_contract_to_invoice", login="admin")

        contract = self.env["support.contract"].search([("partner_id.name", "=", "Tour Hotel")])
        self.assertEqual(contract.state, "active")
        self.assertEqual(contract.ticket_ids.time_entry_ids.billable_seconds, 5400)
        self.assertEqual(contract.bill_ids.state, "invoiced")
        self.assertEqual(contract.bill_ids.move_id.state, "posted")
        self.assertEqual(contract.bill_ids.move_id.amount_untaxed, 100.0)
        overage = contract.charge_ids.filtered(lambda charge: charge.kind == "overage")
        self.assertEqual(overage.amount, 35.0)
        self.assertEqual(overage.billing_term_id.number, 1)
