# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportPlanKind(models.Model):
    """What plans replace each other: of one kind a holder has one running contract (L23)."""

    _name = "support.plan.kind"
    _description = "Kind of Support Plan"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)

    _name_once = models.Constraint("UNIQUE (name)", "There is a kind of plan with this name.")
