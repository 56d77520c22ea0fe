# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    support_charge_id = fields.Many2one(
        "support.charge",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        help="What this line bills; from here down to the ticket.",
    )

    def _copy_data_extend_business_fields(self, values):
        # EXTENDS 'account': a credit note keeps the link to what it credits
        values["support_charge_id"] = self.support_charge_id.id
        return super()._copy_data_extend_business_fields(values)

    def action_view_support_charge(self):
        self.ensure_one()
        return self.support_charge_id._get_records_action()
