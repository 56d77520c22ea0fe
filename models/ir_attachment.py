# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class IrAttachment(models.Model):
    """Files of contracts: for those who see prices, but for what is shared with all."""

    _inherit = "ir.attachment"

    # The rule on attachments asks for it.
    support_shared_contract_ids = fields.Many2many(
        "support.contract",
        "support_contract_shared_file_rel",
        "attachment_id",
        "contract_id",
        string="Shared by Contracts",
        readonly=True,
        copy=False,
        groups="support_contract.group_support_user",
    )

    def _filter_priced(self):
        """Return those that may tell the prices of a contract."""
        return self.filtered(
            lambda file: (
                file.res_model == "support.contract" and not file.support_shared_contract_ids
            )
        )
