# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SupportActivityType(models.Model):
    """What kind of work a time entry is, which product bills it and how it is rounded."""

    _name = "support.activity.type"
    _description = "Support Activity Type"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    company_id = fields.Many2one("res.company", help="Empty: shared by all companies.")
    product_id = fields.Many2one(
        "product.product",
        string="Labour Product",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain="[('type', '=', 'service'), ('sale_ok', '=', True)]",
        help="Its income account and taxes are used on the invoice; its sales price, per hour, "
        "is charged where no rate of the contract or plan says otherwise.",
    )
    billable = fields.Boolean(
        default=True, help="Time entries of this type are billable unless said otherwise."
    )
    minimum_minutes = fields.Integer(
        string="Minimum (minutes)",
        help="The least that is billed for one entry. The time worked stays as it was.",
    )
    increment_minutes = fields.Integer(
        string="Round up to (minutes)", help="0: no rounding, every second counts."
    )
    rounding_scope = fields.Selection(
        [("entry", "Per time entry"), ("ticket_day", "Per ticket and day")],
        string="Minimum and Rounding",
        required=True,
        default="entry",
        help="Per ticket and day: twenty entries of five minutes rounded to a quarter of an hour "
        "are 1:45 instead of 5:00.",
    )

    _minutes_positive = models.Constraint(
        "CHECK (minimum_minutes >= 0 AND increment_minutes >= 0)",
        "The minimum and the rounding of an activity type can't be negative.",
    )

    @api.constrains("product_id")
    def _check_product_unit(self):
        hour = self.env.ref("uom.product_uom_hour")
        for activity in self:
            if not activity.product_id.uom_id._has_common_reference(hour):
                raise ValidationError(
                    self.env._(
                        "The labour product %(product)s of activity type %(activity)s is sold in "
                        "%(unit)s. Choose a product whose unit is a time, e.g. hours.",
                        product=activity.product_id.display_name,
                        activity=activity.name,
                        unit=activity.product_id.uom_id.name,
                    )
                )
