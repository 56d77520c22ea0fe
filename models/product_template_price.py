# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _domain_pricelist_rule_ids(self):
        # The prices of contracts are on the contracts; here they would look like everybody's.
        return [*super()._domain_pricelist_rule_ids(), ("support_contract_id", "=", False)]
