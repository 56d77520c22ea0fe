# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.renewal import shift_end


class SupportContract(models.Model):
    """The same contract for another customer (Y19)."""

    _inherit = "support.contract"

    @api.model
    def _get_customer_fields(self):
        """Return what belongs to the customer of a contract, and not to another one's."""
        return [
            "partner_invoice_id",
            "payment_term_id",
            "fiscal_position_id",
            "analytic_account_id",
            "client_order_ref",
            "contact_id",
            "tz",
        ]

    def _prepare_clone(self, partner, start):
        """Return the values of the same contract for a customer, from another day on.

        What is dated in it keeps its distance from the start. Items belong to their customer and
        don't come along.
        """
        self.ensure_one()
        old = self.date_start
        values = self.copy_data(
            {
                "title": self.title,
                "partner_id": partner.id,
                "date_start": start,
                "date_end": self.date_end and shift_end(self.date_end, old, start),
                "line_ids": [
                    fields.Command.create(line._prepare_shifted(old, start))
                    for line in self.line_ids
                ],
            }
        )[0]
        for name in self._get_customer_fields():
            values.pop(name, None)
        return values


class SupportPlan(models.Model):
    _inherit = "support.plan"

    def _prepare_clone(self, partner, start):
        """Return the values of a contract of this plan."""
        self.ensure_one()
        return {
            "plan_id": self.id,
            "partner_id": partner.id,
            "company_id": self.company_id.id,
            "date_start": start,
        }
