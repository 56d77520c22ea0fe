# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

MADE_STATES = ("pending", "active")


class SupportContract(models.Model):
    """Staff are told when a contract is made (Y63): who is responsible, and who asked for it.

    That is whoever follows the customer, or his company, and has chosen “Support Contract Made”
    among what he is told of; he follows the contract for that, and for nothing else.
    """

    _inherit = "support.contract"

    def _set_state(self, target):
        made = self.filtered(lambda contract: contract.state == "draft")
        result = super()._set_state(target)
        if target in MADE_STATES:
            made._tell_made()
        return result

    def _tell_made(self):
        """Tell those who want to know; a tracked state would be silent about new records."""
        subtype = self.env.ref("support_contract.mt_contract_made")
        watchers = self._get_customer_watchers()
        for contract in self:
            watching = watchers.get(contract.partner_id.id, self.env["res.partner"])
            watching |= watchers.get(contract.commercial_partner_id.id, watching)
            told = watching | (contract.user_id - self.env.user).partner_id
            if not told:
                continue
            # Who may make the contract, or sell it, has staff told of it.
            contract.sudo().message_subscribe(watching.ids, subtype.ids)
            contract.sudo().message_post(
                body=self.env._("Support contract made: %s", contract.display_name),
                subtype_id=subtype.id,
                partner_ids=told.ids,
                author_id=self.env.user.partner_id.id,
            )

    def _get_customer_watchers(self):
        """Return the colleagues who want to hear of contracts with a customer.

        :return: {id of the customer: partners}
        """
        customers = self.partner_id | self.commercial_partner_id
        followers = (
            self.env["mail.followers"]
            .sudo()  # whoever makes the contract
            .search(
                [
                    ("res_model", "=", "res.partner"),
                    ("res_id", "in", customers.ids),
                    (
                        "subtype_ids",
                        "in",
                        self.env.ref("support_contract.mt_partner_contract_made").ids,
                    ),
                    ("partner_id.partner_share", "=", False),
                ]
            )
        )
        return {
            customer: group.partner_id for customer, group in followers.grouped("res_id").items()
        }
