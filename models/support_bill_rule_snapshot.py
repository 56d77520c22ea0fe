# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Bill rules are terms of a contract as well: its own, and those of its plan."""

from odoo import models

from ..tools.terms_diff import Row


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _get_snapshot(self):
        rows = super()._get_snapshot()
        return rows + [rule._get_snapshot_row() for rule in self._get_bill_rules()]


class SupportBillRule(models.Model):
    _inherit = "support.bill.rule"

    def _get_snapshot_row(self):
        self.ensure_one()
        rates = [rate._get_snapshot_row() for rate in self.rate_ids]
        prices = [f"{rate.label} {rate.text}" for rate in rates] or [self.cost_label or ""]
        return Row(
            key=f"rule/{self.id}",
            section=self.env._("Bill rules"),
            label=self.name,
            value=[
                self.name,
                self.sequence,
                self.match,
                [
                    [criterion.fact, criterion.operator, sorted(map(str, criterion._get_values()))]
                    for criterion in self.criterion_ids
                ],
                self.cost,
                self.amount,
                self.product_id.id,
                self.instead_of_time,
                [rate.value for rate in rates],
            ],
            text=f"{self.criteria_label}: {', '.join(prices)}",
            priced=True,
        )

    def _get_concerned_contracts(self):
        return self._get_contracts()

    def _rate_again(self):
        """Have the terms compared, too: it is called whenever a rule, or a row of it, changes."""
        result = super()._rate_again()
        self._note_terms()
        return result
