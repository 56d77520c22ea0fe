# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    support_post_invoices = fields.Boolean(
        string="Post Support Invoices",
        help="Invoices of support bills are posted at once. Otherwise they stay drafts for the "
        "accountant.",
    )
