# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.rating import format_hours, hours_of, seconds_of


class SupportPlanAllowance(models.Model):
    """Units that a plan or contract includes: so many incidents, or so much time."""

    _name = "support.plan.allowance"
    _description = "Support Allowance"
    _inherit = ["support.whole.mixin", "support.terms.item.mixin"]
    _order = "sequence, id"
    _whole_fields = ("quantity", "carry_cap")

    sequence = fields.Integer(default=10)
    name = fields.Char(compute="_compute_name", store=True, readonly=False, precompute=True)
    unit = fields.Selection(
        [("time", "Time"), ("incident", "Incidents")], required=True, default="time"
    )
    hours = fields.Float(
        compute="_compute_hours", inverse="_inverse_hours", help="Time in hours and minutes."
    )
    quantity = fields.Integer(required=True, help="Whole seconds of time, or whole incidents.")
    per = fields.Selection(
        [
            ("term", "Each term"),
            ("month", "Each month of the term"),
            ("contract", "Once for the whole contract"),
        ],
        required=True,
        default="term",
    )
    activity_type_ids = fields.Many2many(
        "support.activity.type",
        string="For Activities",
        help="Only work of these types draws on it; empty: all work does.",
    )
    priority = fields.Integer(
        default=10, help="Grants with a lower number are used first, then those that expire first."
    )
    carry_forward = fields.Boolean(help="What is left at the end can be used in later terms.")
    carry_cap = fields.Integer(help="The most that is carried, in seconds or incidents. 0: all.")
    carry_cap_hours = fields.Float(compute="_compute_hours", inverse="_inverse_hours")
    carry_terms = fields.Integer(
        default=1, help="For how many terms it may still be used; 0: until the contract ends."
    )

    _quantities = models.Constraint(
        "CHECK (quantity > 0 AND carry_cap >= 0 AND carry_terms >= 0)",
        "An allowance needs a quantity above zero; its carry-forward limits can't be negative.",
    )

    @api.depends("quantity", "carry_cap", "unit")
    def _compute_hours(self):
        for allowance in self:
            is_time = allowance.unit == "time"
            allowance.hours = hours_of(allowance.quantity) if is_time else 0.0
            allowance.carry_cap_hours = hours_of(allowance.carry_cap) if is_time else 0.0

    def _inverse_hours(self):
        for allowance in self.filtered(lambda allowance: allowance.unit == "time"):
            allowance.quantity = seconds_of(allowance.hours)
            allowance.carry_cap = seconds_of(allowance.carry_cap_hours)

    @api.depends("unit", "activity_type_ids")
    def _compute_name(self):
        for allowance in self:
            label = (
                self.env._("Prepaid time") if allowance.unit == "time" else self.env._("Incidents")
            )
            scope = ", ".join(allowance.activity_type_ids.mapped("name"))
            allowance.name = f"{label}: {scope}" if scope else label

    @api.onchange("unit")
    def _onchange_unit(self):
        """Begin with an hour or an incident: seconds say nothing when incidents are counted."""
        if self.unit != self._origin.unit:
            self.quantity = seconds_of(1) if self.unit == "time" else 1
            self.carry_cap = 0

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._prepare_seconds(vals) for vals in vals_list])

    @api.model
    def _prepare_seconds(self, vals):
        """Turn hours into seconds before the insertion: the database refuses no quantity."""
        vals = dict(vals)
        for hours_name, name in (("hours", "quantity"), ("carry_cap_hours", "carry_cap")):
            hours = vals.pop(hours_name, 0.0)
            if hours and vals.get("unit", "time") == "time":
                vals[name] = seconds_of(hours)
        return vals

    def _get_summary(self):
        """Return what is included in a few words: 5:00 h each term."""
        self.ensure_one()
        per = dict(self._fields["per"]._description_selection(self.env))[self.per].lower()
        if self.unit == "time":
            return self.env._("%(hours)s %(per)s", hours=format_hours(self.quantity), per=per)
        return self.env._("%(count)s incidents %(per)s", count=self.quantity, per=per)

    @api.constrains("unit", "activity_type_ids")
    def _check_scope(self):
        for allowance in self:
            if allowance.unit == "incident" and allowance.activity_type_ids:
                raise ValidationError(
                    self.env._(
                        "Incidents are counted per ticket, not per activity: remove the "
                        "activities from the allowance %(name)s or count it in time.",
                        name=allowance.name,
                    )
                )
