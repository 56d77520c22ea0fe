# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models
from odoo.exceptions import UserError

from ..models.support_contract_overlap import AGREED_STATES


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Partners whose contracts would overlap are not merged; payments of the others are counted."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Refuse before anything is moved: a merge re-points rows past every other guard.

        :raise UserError: naming the contracts that the merged partner would have at once
        """
        partners = self.env["res.partner"].browse(partner_ids).exists() | (
            dst_partner or self.env["res.partner"]
        )
        if len(partners) > 1:
            heir = dst_partner or partners[0]
            # Whoever merges must not overlook a contract that he can't see.
            contracts = self.env["support.contract"].sudo().with_context(active_test=False)
            contracts = contracts.search(
                [
                    ("partner_id", "in", partners.ids),
                    ("coverage", "=", "holder"),
                    ("state", "in", AGREED_STATES),
                ]
            )
            pairs = [
                (first, second)
                for first, second in contracts._get_overlaps(dict.fromkeys(partners, heir))
                if first.partner_id != second.partner_id
            ]
            if pairs:
                raise UserError(
                    self.env._(
                        "These partners can't be merged, for they have contracts for the same "
                        "days:\n%s",
                        "\n".join(first._explain_overlap(second) for first, second in pairs),
                    )
                )
        return super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Count the payments of a merged customer together, once they are all his.

        Odoo re-points grants, entries and payments by SQL, and drops the tallies for which there
        is one already: they are made anew from the payments.
        """
        result = super()._update_foreign_keys(src_partners, dst_partner)
        self.env["support.event"]._note_merged(dst_partner)
        return result
