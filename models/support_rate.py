# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.rating import Rate


class SupportRate(models.Model):
    """A pricing rule: activity type x site x shift gives a price, an addition or a multiplier."""

    _name = "support.rate"
    _description = "Support Rate"
    _inherit = ["support.terms.item.mixin"]
    _order = "sequence, id"

    sequence = fields.Integer(default=10)
    name = fields.Char(help="Shown on the charges, e.g. Night.")
    kind = fields.Selection(
        [
            ("price", "Price per hour"),
            ("adjust", "Addition per hour"),
            ("multiplier", "Multiplier"),
        ],
        required=True,
        default="price",
        help="The most specific price wins, an addition is put on it, and only the largest "
        "multiplier applies: multipliers are never multiplied with each other.",
    )
    activity_type_id = fields.Many2one(
        "support.activity.type", string="Activity", ondelete="restrict", help="Empty: any."
    )
    site_id = fields.Many2one("support.site", ondelete="restrict", help="Empty: any.")
    shift_id = fields.Many2one(
        "resource.calendar",
        ondelete="restrict",
        help="Work is split at the hours of this working schedule, in its time zone. Empty: any.",
    )
    shift_side = fields.Selection(
        [("during", "During its hours"), ("outside", "Outside its hours")],
        required=True,
        default="during",
    )
    price = fields.Monetary(string="Amount per Hour")
    multiplier = fields.Float(digits=(8, 4), default=1.0)
    has_unit_factor = fields.Boolean(
        string="Own Unit Factor",
        help="Work at this rate takes more, or less, from the allowance than it lasts.",
    )
    unit_factor = fields.Float(digits=(8, 4), default=1.0)

    _factors_positive = models.Constraint(
        "CHECK (multiplier >= 0 AND unit_factor >= 0)",
        "The multiplier and the unit factor of a rate can't be negative.",
    )

    @api.constrains("kind", "price")
    def _check_price(self):
        for rate in self:
            if rate.kind == "price" and rate.price < 0:
                raise ValidationError(self.env._("A price per hour can't be negative."))

    def _get_shift_key(self):
        """Return the key of the hours at which this rate applies: (calendar id, side)."""
        self.ensure_one()
        return (self.shift_id.id, self.shift_side) if self.shift_id else None

    def _get_key(self):
        """Return what a rate of a contract must share with one of its plan to replace it."""
        self.ensure_one()
        return self.kind, self.activity_type_id, self.site_id, self._get_shift_key()

    def _to_rates(self):
        """Return the rules as values for `tools.rating.resolve`.

        :rtype: list[Rate]
        """
        return [
            Rate(
                id=rate.id,
                kind=rate.kind,
                value=Decimal(str(rate.multiplier if rate.kind == "multiplier" else rate.price)),
                activity=rate.activity_type_id.id or None,
                site=rate.site_id.id or None,
                shift=rate._get_shift_key(),
                unit_factor=Decimal(str(rate.unit_factor)) if rate.has_unit_factor else None,
                own=bool(rate.contract_id),
            )
            for rate in self
        ]
