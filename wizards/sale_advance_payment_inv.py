# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models
from odoo.exceptions import UserError


class SaleAdvancePaymentInv(models.TransientModel):
    _inherit = "sale.advance.payment.inv"

    def _create_invoices(self, sale_orders):
        """No down payments on contracts: nothing of the order would ever settle them."""
        sold = sale_orders.order_line.filtered("support_plan_id")
        if self.advance_payment_method != "delivered" and sold:
            raise UserError(
                self.env._(
                    "%(order)s sells the contract “%(line)s”, which is billed by the contract. "
                    "Have its plan billed in advance instead of asking for a down payment, or sell "
                    "it on an order of its own.",
                    order=sold[0].order_id.name,
                    line=sold[0].product_id.display_name,
                )
            )
        return super()._create_invoices(sale_orders)
