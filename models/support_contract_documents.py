# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportContract(models.Model):
    """Signed copies of a contract, and whatever else is filed with it (Y3)."""

    _inherit = "support.contract"

    signed_copy_ids = fields.Many2many(
        "ir.attachment",
        "support_contract_signed_copy_rel",
        "contract_id",
        "attachment_id",
        string="Signed Copies",
        copy=False,
        bypass_search_access=True,
        help="The scanned agreement, as both sides have signed it.",
    )
    signed_on = fields.Date(
        compute="_compute_signed_on",
        store=True,
        readonly=False,
        copy=False,
        tracking=True,
        help="Empty: no signed copy has come back yet.",
    )
    signed_by = fields.Char(copy=False, tracking=True, help="Who signed it on the customer's side.")

    @api.depends("signed_copy_ids")
    def _compute_signed_on(self):
        for contract in self:
            if contract.signed_copy_ids and not contract.signed_on:
                contract.signed_on = contract._get_today()

    @api.model_create_multi
    def create(self, vals_list):
        contracts = super().create(vals_list)
        contracts._file_signed_copies()
        return contracts

    def write(self, vals):
        result = super().write(vals)
        if "signed_copy_ids" in vals:
            self._file_signed_copies()
        return result

    def _file_signed_copies(self):
        """File uploads with their contract: whoever may see it may see them, and nobody else."""
        for contract in self:
            loose = contract.signed_copy_ids.filtered(
                lambda copy, c=contract: (copy.res_model, copy.res_id) != (c._name, c.id)
            )
            if loose:
                loose.write({"res_model": contract._name, "res_id": contract.id})

    def action_view_documents(self):
        """Open everything that is filed with the contract; further files can be uploaded."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents"),
            "res_model": "ir.attachment",
            "view_mode": "kanban,list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "context": {"default_res_model": self._name, "default_res_id": self.id},
            "help": self.env._(
                "Nothing is filed with this contract yet. Upload signed copies on its page "
                "“Documents”, anything else here or in a message."
            ),
        }
