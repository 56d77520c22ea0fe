# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SupportTermsItemMixin(models.AbstractModel):
    """A row of a plan that is copied into the contracts made from it.

    It belongs to a plan or to a contract. A contract owns its rows: what is changed on the
    plan later on doesn't touch the contracts that run.
    """

    _name = "support.terms.item.mixin"
    _description = "Row of Support Contract Terms"

    plan_id = fields.Many2one("support.plan", index="btree_not_null", ondelete="cascade")
    contract_id = fields.Many2one("support.contract", index="btree_not_null", ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True, precompute=True
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")

    @api.depends("plan_id.company_id", "contract_id.company_id")
    def _compute_company_id(self):
        for item in self:
            item.company_id = (item.contract_id or item.plan_id).company_id

    @api.depends("plan_id.currency_id", "contract_id.currency_id")
    def _compute_currency_id(self):
        for item in self:
            item.currency_id = (item.contract_id or item.plan_id).currency_id

    @api.constrains("plan_id", "contract_id")
    def _check_one_owner(self):
        for item in self:
            if bool(item.plan_id) == bool(item.contract_id):
                raise ValidationError(
                    self.env._("This row must belong to one plan or to one contract, not to both.")
                )

    def _prepare_contract_copy(self):
        """Return the values of the same row in a contract."""
        self.ensure_one()
        values = self.copy_data()[0]
        values.pop("plan_id", None)
        return values
