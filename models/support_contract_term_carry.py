# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models

from ..tools.periods import ONE_DAY


class SupportContractTerm(models.Model):
    """Terms as what debts are carried from and to."""

    _inherit = "support.contract.term"

    @api.model
    def _make_missing(self, contracts, days):
        """Keep the terms that were made ahead of their time for what is billed in them."""
        ahead = self.search(
            [
                ("contract_id", "in", contracts.ids),
                ("state", "=", "upcoming"),
                ("kind", "=", "regular"),
                (
                    "billed_charge_ids",
                    "any",
                    [
                        ("billing_contract_id", "in", contracts.ids),
                        ("state", "in", ("open", "billed")),
                    ],
                ),
            ]
        )
        days = dict(days)
        for term in ahead:
            days[term.contract_id] = max(days[term.contract_id], term.whole_start - ONE_DAY)
        return super()._make_missing(contracts, days)

    def _drop(self, heir):
        """Have what was carried here be carried to the term that takes its place."""
        transfers = self.env["support.charge.transfer"].search([("to_term_id", "in", self.ids)])
        transfers.write({"to_term_id": heir.id})
        return super()._drop(heir)

    def _get_main_bill(self):
        """Return the bill of this term that counts."""
        return self.bill_ids.filtered(lambda bill: bill.kind == "term" and bill.is_main)[:1]

    def _get_open_bill(self):
        """Return the bill of this term, while something can still be put on it."""
        bill = self._get_main_bill()
        return bill if bill._is_open() else bill.browse()

    def _get_carried_out(self):
        """Return how much has been carried out of this term, untaxed."""
        if not self:
            return 0.0
        # sudo: the sum decides whether somebody else must approve.
        rows = (
            self.env["support.charge.transfer"]
            .sudo()
            ._read_group(
                [("from_term_id", "in", self.ids), ("state", "=", "done")], [], ["amount:sum"]
            )
        )
        return rows[0][0] or 0.0
