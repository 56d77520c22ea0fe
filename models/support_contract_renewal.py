# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportContract(models.Model):
    """A renewal is a contract of its own that starts the day after the one it renews (C42)."""

    _inherit = "support.contract"

    renews_id = fields.Many2one(
        "support.contract",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    renewal_ids = fields.One2many("support.contract", "renews_id", readonly=True)
    renewal_id = fields.Many2one(
        "support.contract", string="Renewed By", compute="_compute_renewal_id"
    )

    _renewed_once = models.UniqueIndex(
        "(renews_id) WHERE renews_id IS NOT NULL AND state <> 'cancelled'",
        "This contract has been renewed already.",
    )

    @api.depends("renewal_ids.state")
    def _compute_renewal_id(self):
        for contract in self:
            contract.renewal_id = contract.renewal_ids.filtered(
                lambda renewal: renewal.state != "cancelled"
            )[:1]
