# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.rating import format_hours, seconds_of

UNITS = [("time", "Time"), ("incident", "Incidents")]
PACKS = [
    ("lifetime", "Lifetime"),
    ("recurring", "Recurring"),
]
PACK_FIELDS = {
    "support_pack",
    "support_unit",
    "support_incidents",
    "support_hours",
    "support_months",
}


class ProductTemplate(models.Model):
    """A support pack: a service whose sale grants units to the customer (B16-B24)."""

    _inherit = "product.template"

    support_pack = fields.Selection(
        PACKS,
        help="Selling it grants hours or incidents to the customer.\n"
        "Lifetime: they can be used without an end. It can be bought again and again, and no "
        "customer can cancel it; where you cancel or credit an order, what is unused is taken "
        "back.\n"
        "Recurring: they are granted anew each month, and what is left of a month lapses at its "
        "end.",
    )
    support_unit = fields.Selection(UNITS, string="Units", default="incident")
    support_incidents = fields.Integer(
        string="Incidents per Pack",
        help="Whole incidents for each unit sold; of a recurring pack, each month.",
    )
    support_hours = fields.Float(
        string="Hours per Pack",
        help="Hours and minutes for each unit sold; of a recurring pack, each month.",
    )
    support_months = fields.Integer(
        string="Months",
        default=1,
        help="For how many months it grants. Each month is counted from the first day: April 11 "
        "to May 10, May 11 to June 10, …",
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_whole_incidents(vals)
            if vals.get("support_pack"):
                vals.setdefault("invoice_policy", "order")
        return super().create(vals_list)

    def write(self, vals):
        self._check_whole_incidents(vals)
        result = super().write(vals)
        if PACK_FIELDS.intersection(vals):
            self._refresh_quotations()
        return result

    @api.onchange("support_pack")
    def _onchange_support_pack(self):
        """Begin with what a pack needs: a service, sold in advance, and nothing made of it."""
        if self.support_pack:
            self.type = "service"
            self.invoice_policy = "order"
            self.service_tracking = "no"
            self.support_months = self.support_months or 1

    @api.constrains(*PACK_FIELDS, "type", "invoice_policy")
    def _check_support_pack(self):
        for product in self.filtered("support_pack"):
            problem = product._get_support_pack_problem()
            if problem:
                raise ValidationError(
                    self.env._(
                        "“%(product)s” can't be a support pack: %(problem)s",
                        product=product.name,
                        problem=problem,
                    )
                )

    def _get_support_pack_problem(self):
        """Return what is wrong with a pack and what to do, or nothing."""
        self.ensure_one()
        if self.type != "service":
            return self.env._("it isn't a service. Set the product type to “Service”.")
        if self.invoice_policy != "order":
            return self.env._("packs are paid in advance. Have it invoiced by ordered quantities.")
        if not self.support_unit:
            return self.env._("choose whether it grants incidents or time.")
        if self._get_support_units() <= 0:
            return self.env._("enter how many incidents or hours it grants, more than zero.")
        if self.support_pack == "recurring" and self.support_months < 1:
            return self.env._(
                "enter for how many months it grants, at least one. Daily and trial periods "
                "aren't sold; for units without an end choose “Lifetime”."
            )
        return None

    @api.model
    def _check_whole_incidents(self, vals):
        """Refuse a part of an incident, which an integer field would cut off without a word."""
        for name in ("support_incidents", "support_months"):
            value = vals.get(name)
            if isinstance(value, float) and not value.is_integer():
                raise ValidationError(
                    self.env._(
                        "%(field)s must be a whole number, not %(value)s.",
                        field=self._fields[name]._description_string(self.env),
                        value=value,
                    )
                )

    def _get_support_units(self):
        """Return the units of one pack: seconds, or incidents."""
        self.ensure_one()
        if self.support_unit == "time":
            return seconds_of(self.support_hours)
        return self.support_incidents

    def _refresh_quotations(self):
        """Have quotations show what the packs are now; what is sold stays as it was sold."""
        lines = self.env["sale.order.line"].sudo()  # of whoever quoted it
        quoted = lines.search(
            [("product_template_id", "in", self.ids), ("state", "in", ("draft", "sent"))]
        )
        for field in self.pool.field_computed[lines._fields["support_pack"]]:
            self.env.add_to_compute(field, quoted)

    @api.model
    def _format_support_units(self, unit, units):
        """Return units as people read them: 2:30 h, or 3 incidents."""
        if unit == "time":
            return format_hours(units)
        if units == 1:
            return self.env._("1 incident")
        return self.env._("%s incidents", units)
