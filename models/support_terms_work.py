# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models

from .support_contract import _from_plan

WORK_TERMS = ["allow_parts", "allow_billable_time"]


class SupportTermsMixin(models.AbstractModel):
    """What whoever works on tickets may put on the customer's bill himself (C37)."""

    _inherit = "support.terms.mixin"

    allow_parts = fields.Boolean(
        string="Staff Add Parts and Expenses",
        default=True,
        help="Whoever works on a ticket may add parts, expenses and distances to it. Otherwise "
        "only managers and accountants may.",
    )
    allow_billable_time = fields.Boolean(
        string="Staff Change the Billable Time",
        default=False,
        help="Whoever logs work may have another time billed than he worked. Otherwise only "
        "managers may.",
    )


class SupportContract(models.Model):
    _inherit = "support.contract"

    allow_parts = _from_plan(fields.Boolean)
    allow_billable_time = _from_plan(fields.Boolean)

    def init(self):  # pylint: disable=missing-return
        """Leave contracts as they were that ran before there was a choice: all added parts."""
        super().init()
        self.env.cr.execute(
            "UPDATE support_contract SET allow_parts = TRUE WHERE allow_parts IS NULL"
        )

    def _get_terms_fields(self):
        return super()._get_terms_fields() + WORK_TERMS
