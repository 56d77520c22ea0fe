# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportContractLineChange(models.Model):
    """From a date on, a recurring product has another quantity or price."""

    _name = "support.contract.line.change"
    _description = "Dated Change of a Recurring Product"
    _order = "date, id"

    line_id = fields.Many2one(
        "support.contract.line", required=True, ondelete="cascade", index=True
    )
    date = fields.Date(required=True, help="The first day on which it holds.")
    quantity = fields.Float(
        digits="Product Unit",
        compute="_compute_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    price_unit = fields.Float(
        digits="Product Price",
        compute="_compute_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )

    _date_once = models.Constraint(
        "UNIQUE (line_id, date)", "A recurring product can change only once on a day."
    )

    @api.model_create_multi
    def create(self, vals_list):
        changes = super().create(vals_list)
        changes.line_id.write({"changed": True})
        return changes

    def write(self, vals):
        self.line_id.write({"changed": True})
        return super().write(vals)

    def unlink(self):
        self.line_id.write({"changed": True})
        return super().unlink()

    @api.depends("line_id")
    def _compute_values(self):
        for change in self:
            change.quantity = change.quantity or change.line_id.quantity
            change.price_unit = change.price_unit or change.line_id.price_unit
