# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    support_post_invoices = fields.Boolean(
        related="company_id.support_post_invoices", readonly=False
    )
