# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Deduct only operational hours from the allowances; other work is charged by the rates (C38)."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .support_contract import _from_plan


class SupportTermsMixin(models.AbstractModel):
    _inherit = "support.terms.mixin"

    operational_calendar_id = fields.Many2one(
        "resource.calendar",
        string="Deduct Only Hours Of",
        check_company=True,
        ondelete="restrict",
        help="Only work within this working schedule, in its time zone, draws on the prepaid "
        "hours; other work is charged by the rates, whatever is left. Empty: all work draws.",
    )

    @api.constrains("operational_calendar_id", "overage_policy")
    def _check_operational_hours(self):
        """What isn't deducted is charged, so that charging must be what the terms say."""
        for terms in self:
            if terms.operational_calendar_id and terms.overage_policy != "charge":
                raise ValidationError(
                    self.env._(
                        "“%s” deducts only operational hours, and what is outside of them must be "
                        "charged: choose “Charge” for what exceeds, or deduct all hours.",
                        terms.display_name,
                    )
                )


class SupportContract(models.Model):
    _inherit = "support.contract"

    operational_calendar_id = _from_plan(fields.Many2one, tracking=True)

    @api.model
    def _get_terms_fields(self):
        return [*super()._get_terms_fields(), "operational_calendar_id"]

    def write(self, vals):
        result = super().write(vals)
        if "operational_calendar_id" in vals:
            self._note_rating()
        return result

    def _check_confirmable(self):
        """Have rates where work outside the operational hours is charged by them."""
        result = super()._check_confirmable()
        for contract in self:
            if contract.operational_calendar_id and not contract._get_rates():
                raise UserError(
                    self.env._(
                        "%s deducts only operational hours and has no rates for the others: add "
                        "rates to it or to its plan.",
                        contract.display_name,
                    )
                )
        return result

    def _get_operational_key(self):
        """Return the key of the hours that are deducted, as rates name shifts; None: all are."""
        self.ensure_one()
        calendar = self.operational_calendar_id
        return (calendar.id, "during") if calendar else None
