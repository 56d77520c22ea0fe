# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date

from ..tools.packs import monthly_windows, units_of
from .sale_order_line import PACK_FACTS

GRANTED_FIELDS = ("product_id", "support_date_start", "support_extends_id")
# What follows from the product, the order and its invoices. Whoever could write it could sell one
# unit and grant a thousand.
NOTED_FIELDS = {
    *PACK_FACTS,
    "support_customer_id",
    "support_units_due",
    "support_units_synced",
    "support_date_from",
    "support_date_to",
}


class SaleOrderLine(models.Model):
    """What can't be sold as a support pack, and what can't change once it has granted units."""

    _inherit = "sale.order.line"

    # === CONSTRAINTS === #

    @api.constrains("product_uom_qty", "product_uom_id", *GRANTED_FIELDS)
    def _check_support_pack(self):
        for line in self.filtered(lambda line: line.state == "sale"):
            problem = line._get_support_problem()
            if problem:
                raise ValidationError(problem)

    @api.model_create_multi
    def create(self, vals_list):
        self._check_support_noted(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_support_noted([vals])
        for line in self.filtered("support_date_from"):
            if line._changes_what_was_granted(vals):
                raise ValidationError(
                    self.env._(
                        "“%(line)s” has granted units already: its product and its dates stay. "
                        "Set the quantity to 0, which takes back what is unused, and add "
                        "another line.",
                        line=line.product_id.display_name,
                    )
                )
        return super().write(vals)

    @api.model
    def _check_support_noted(self, vals_list):
        """Refuse what follows by itself, in values and in the context."""
        noted = {f"default_{name}" for name in NOTED_FIELDS}.intersection(self.env.context)
        noted = noted or any(NOTED_FIELDS.intersection(vals) for vals in vals_list)
        if noted and not self.env.su:
            raise AccessError(
                self.env._(
                    "What a support pack grants follows from its product, order and invoices and "
                    "can't be written. Change the quantity or the product."
                )
            )

    def _changes_what_was_granted(self, vals):
        self.ensure_one()
        fixed = [self._fields[name] for name in GRANTED_FIELDS if name in vals]
        return any(
            field.convert_to_cache(vals[field.name], self)
            != field.convert_to_cache(self[field.name], self)
            for field in fixed
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_granted(self):
        self.order_id._check_no_support_grants(self)

    # === WHAT CAN'T BE SOLD === #

    def _get_support_archived_problem(self):
        self.ensure_one()
        product = self.product_id
        if not product.support_pack or (product.active and product.product_tmpl_id.active):
            return None
        return self.env._(
            "%(order)s: “%(line)s” is archived and not sold any more. Choose another product, or "
            "have it restored.",
            order=self.order_id.name,
            line=product.display_name,
        )

    def _get_support_problem(self):
        """Return why these units can't be sold and what to do about it, or nothing."""
        self.ensure_one()
        kept = self._is_support_pack_kept()
        facts = {name: self[name] for name in PACK_FACTS} if kept else self._prepare_support_facts()
        if not facts["support_pack"]:
            return None
        values = {"order": self.order_id.name, "line": self.product_id.display_name}
        units = units_of(self._to_support_packs(self.product_uom_qty), facts["support_pack_units"])
        if units < 0:
            return self.env._(
                "%(order)s: “%(line)s” can't be sold in a negative quantity. Lower the quantity of "
                "the line that sold it, or make a credit note of its invoice.",
                **values,
            )
        if facts["support_unit"] == "incident" and units.denominator != 1:
            return self.env._(
                "%(order)s: “%(line)s” would grant %(units)s incidents. Change the quantity so "
                "that it is a whole number.",
                units=round(float(units), 2),
                **values,
            )
        if self.support_extends_id:
            return self._get_support_extension_problem(facts, values)
        if self.support_date_start and facts["support_pack"] == "recurring" and not kept:
            last = monthly_windows(self.support_date_start, facts["support_months"])[-1].end
            if last < self._get_support_today():
                return self.env._(
                    "%(order)s: the last month of “%(line)s” would have ended on %(day)s. Choose a "
                    "later first day, or none.",
                    day=format_date(self.env, last),
                    **values,
                )
        return None

    def _get_support_extension_problem(self, facts, values):
        base = self.support_extends_id.sudo()  # perhaps another salesman's
        values = values | {"base": base.product_id.display_name, "sold": base.order_id.name}
        if self.support_date_from:
            return None
        if facts["support_pack"] != "recurring" or base.support_pack != "recurring":
            return self.env._(
                "%(order)s: only recurring packs are added to recurring ones. Leave “Adds to "
                "Pack” of “%(line)s” empty.",
                **values,
            )
        if facts["support_unit"] != base.support_unit:
            return self.env._(
                "%(order)s: “%(line)s” and “%(base)s” of %(sold)s don't grant the same kind of "
                "units. Leave “Adds to Pack” empty.",
                **values,
            )
        if (
            base.support_customer_id != self.support_customer_id
            or base.company_id != self.company_id
        ):
            return self.env._(
                "%(order)s: “%(base)s” of %(sold)s belongs to another customer or company. Choose "
                "a pack of this customer in “Adds to Pack”.",
                **values,
            )
        if not base._is_support_running():
            return self.env._(
                "%(order)s: “%(base)s” of %(sold)s isn't running, so that “%(line)s” can't be "
                "added to it. Leave “Adds to Pack” empty to sell it on its own.",
                **values,
            )
        return None
