# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

# Says that a policy is writing its rows and checks them together when it is done: a row may
# contradict another one that is about to change. An object: nobody can send it from outside.
TOGETHER = object()


class SupportSlaRowMixin(models.AbstractModel):
    """A row of an SLA policy: when one changes, the policy is checked and has a new version."""

    _name = "support.sla.row.mixin"
    _description = "Row of an SLA Policy"

    policy_id = fields.Many2one("support.sla.policy", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="policy_id.company_id", store=True, precompute=True)

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._settle(rows.policy_id)
        return rows

    def write(self, vals):
        policies = self.policy_id  # the row may move
        result = super().write(vals)
        self._settle(policies | self.policy_id)
        return result

    def unlink(self):
        policies = self.policy_id
        result = super().unlink()
        self._settle(policies)
        return result

    @api.model
    def _settle(self, policies):
        if self.env.context.get("support_sla_rows") is not TOGETHER:
            policies._settle_terms()
