# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models
from odoo.exceptions import UserError

from ..tools.packs import units_of


class AccountMove(models.Model):
    """An invoice or credit note of support packs."""

    _inherit = "account.move"

    def _post(self, soft=True):
        customers = self.filtered(lambda move: move.is_sale_document(include_receipts=True)).sudo()
        customers._check_support_packs()  # order lines, for whoever posts
        posted = super()._post(soft)
        refunds = (posted & customers).filtered(lambda move: move.move_type == "out_refund")
        self.env["support.pack"]._note_refunds(
            refunds.filtered(lambda move: move.sudo().line_ids.sale_line_ids.support_product_id)
        )
        return posted

    def _check_support_packs(self):
        """Refuse to invoice or credit a part of an incident (T16)."""
        for line in self.invoice_line_ids:
            sold = line.sale_line_ids.filtered(lambda sold: sold.support_unit == "incident")[:1]
            if not sold:
                continue
            packs = line.product_uom_id._compute_quantity(
                line.quantity, sold.product_id.uom_id, round=False, raise_if_failure=False
            )
            units = units_of(packs, sold.support_pack_units)
            if units.denominator != 1:
                raise UserError(
                    self.env._(
                        "%(move)s: %(quantity)s of “%(line)s” are %(units)s incidents. Change the "
                        "quantity so that it is a whole number.",
                        move=line.move_id.display_name,
                        quantity=line.quantity,
                        line=sold.product_id.display_name,
                        units=round(float(units), 2),
                    )
                )
