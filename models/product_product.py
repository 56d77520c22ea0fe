# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

from .product_template import PACK_FIELDS


class ProductProduct(models.Model):
    _inherit = "product.product"

    def write(self, vals):
        # Odoo hands the fields of the template on one by one; a pack is checked as a whole.
        if PACK_FIELDS.intersection(vals):
            names = PACK_FIELDS | {"type", "invoice_policy"}
            self.product_tmpl_id.write({name: vals[name] for name in names if name in vals})
            vals = {name: value for name, value in vals.items() if name not in names}
        return super().write(vals)
