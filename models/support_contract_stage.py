# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportContractStage(models.Model):
    """Where a contract in preparation stands: a column of the pipeline."""

    _name = "support.contract.stage"
    _description = "Stage of Support Contracts in Preparation"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    fold = fields.Boolean(string="Folded", help="Its column is folded in the pipeline.")
    likelihood = fields.Integer(
        string="Likelihood (%)",
        default=50,
        help="How likely contracts of this stage will close; each can have its own.",
    )
    active = fields.Boolean(default=True)

    _likelihood_percent = models.Constraint(
        "CHECK (likelihood BETWEEN 0 AND 100)", "A likelihood is between 0 and 100 percent."
    )
