# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from .support_contract import _from_plan


class SupportTermsMixin(models.AbstractModel):
    """The SLA that a plan offers, and that a contract takes over (Y2, Y5)."""

    _inherit = "support.terms.mixin"

    sla_policy_id = fields.Many2one(
        "support.sla.policy",
        string="SLA",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="New tickets under the contract go by it. Tickets that are there keep what they have.",
    )


class SupportContract(models.Model):
    _inherit = "support.contract"

    sla_policy_id = _from_plan(fields.Many2one)

    sla_promise_count = fields.Integer(compute="_compute_sla_kept")
    sla_kept_percent = fields.Float(
        string="Promises Kept",
        compute="_compute_sla_kept",
        help="Of the promises to this customer that were kept or missed.",
    )

    @api.model
    def _get_terms_fields(self):
        return [*super()._get_terms_fields(), "sla_policy_id"]

    def _compute_sla_kept(self):
        kept = self.env["support.sla.report"]._get_kept("contract_id", self)
        for contract in self:
            contract.sla_promise_count, contract.sla_kept_percent = kept.get(contract, (0, 0))

    def action_view_sla_compliance(self):
        return self.env["support.sla.report"]._get_action("contract_id", self)
