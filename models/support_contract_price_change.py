# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportContractChange(models.Model):
    """Changes of prices after a contract was agreed upon are in its history (Y18, Y20).

    Of its recurring products, rates, special prices and discount. Everybody who sees the history
    reads that they have changed, and those who may see prices from what to what.
    """

    _inherit = "support.contract.change"

    details = fields.Text(
        string="Prices",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Before and after.",
    )

    @api.model
    def _note_prices(self, changes_by_contract):
        """Note the changes of prices among those of the terms; the versions tell the chatter.

        :param dict changes_by_contract: {contract: [Change]}
        """
        vals_list = []
        for contract, changes in changes_by_contract.items():
            priced = [change for change in changes if change.priced]
            if priced:
                vals_list.append(
                    {
                        "contract_id": contract.id,
                        "kind": "price",
                        "reason": self.env._("The terms were changed."),
                        "summary": "\n".join(contract._explain_changes(priced)),
                        "details": "\n".join(self._explain_price(change) for change in priced),
                    }
                )
        # It follows from what somebody was allowed to change.
        return self.sudo().create(vals_list)

    @api.model
    def _explain_price(self, change):
        return self.env._(
            "%(what)s: %(old)s → %(new)s",
            what=change.label,
            old=change.old or "–",
            new=change.new or "–",
        )
