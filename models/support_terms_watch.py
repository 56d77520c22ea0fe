# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The rows of a contract, and the rates of its plan, tell the contract when they change."""

from odoo import api, models


class SupportTermsItemMixin(models.AbstractModel):
    _inherit = "support.terms.item.mixin"

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        items._note_terms()
        return items

    def write(self, vals):
        before = self._get_concerned_contracts()  # the row may move
        result = super().write(vals)
        (before | self._get_concerned_contracts())._note_terms()
        return result

    def unlink(self):
        contracts = self._get_concerned_contracts()
        result = super().unlink()
        contracts._note_terms()
        return result

    def _note_terms(self):
        self._get_concerned_contracts()._note_terms()

    def _get_concerned_contracts(self):
        """Return the contracts whose terms the rows are."""
        return self.contract_id


class SupportRate(models.Model):
    _inherit = "support.rate"

    def _get_concerned_contracts(self):
        """Return the contracts of the plans, too: their rates hold for them as they are now."""
        return super()._get_concerned_contracts() | self.plan_id.sudo().contract_ids.filtered(
            lambda contract: contract.state in ("pending", "active", "suspended")
        )  # all of them, whoever changes the plan


class SupportContractLineChange(models.Model):
    _inherit = "support.contract.line.change"

    @api.model_create_multi
    def create(self, vals_list):
        changes = super().create(vals_list)
        changes.line_id._note_terms()
        return changes

    def write(self, vals):
        result = super().write(vals)
        self.line_id._note_terms()
        return result

    def unlink(self):
        lines = self.line_id
        result = super().unlink()
        lines._note_terms()
        return result
