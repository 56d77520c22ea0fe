# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.tools import format_amount, format_date, html2plaintext

from ..tools.rating import format_hours
from ..tools.terms_diff import Row
from .support_notice_terms import NOTICE_FIELDS

AGREED_FIELDS = [
    "title",
    "partner_id",
    "plan_id",
    "date_start",
    "date_end",
    "equipment_ids",
    "apply_to_new_tickets",
    "partner_invoice_id",
    "payment_term_id",
    "client_order_ref",
    "description",
]
# Who is told what is no term that anybody has agreed upon.
NOT_AGREED_FIELDS = {"warning_thresholds", *NOTICE_FIELDS}
SPECIAL_PRICES = "special"  # they tell the chatter themselves
PRICES_GROUP = "support_contract.group_support_prices"


class SupportContract(models.Model):
    """The commercial terms of a contract at a moment, as rows that can be kept and compared."""

    _inherit = "support.contract"

    @api.model
    def _get_version_fields(self):
        """Return the fields whose changes make a new version; to be extended."""
        terms = [name for name in self._get_terms_fields() if name not in NOT_AGREED_FIELDS]
        return AGREED_FIELDS + [name for name in terms if name not in AGREED_FIELDS]

    def _get_snapshot(self):
        """Return the terms in force: the contract's own and, of the rates, those of its plan.

        :rtype: list[Row]
        """
        self.ensure_one()
        rows = [self._get_field_row(name) for name in self._get_version_fields()]
        rows += [line._get_snapshot_row() for line in self.line_ids]
        rows += [allowance._get_snapshot_row() for allowance in self.allowance_ids]
        rows += [rate._get_snapshot_row() for rate in self._get_rates()]
        rows += [item._get_snapshot_row() for item in self.price_item_ids]
        return rows

    def _get_field_row(self, name):
        field, value = self._fields[name], self[name]
        text = str(value or "")
        if field.relational:
            text = ", ".join(record.display_name or "" for record in value)
            value = sorted(value.ids)
        elif field.type == "boolean":
            text = self.env._("Yes") if value else self.env._("No")
        elif field.type == "selection":
            text = dict(field._description_selection(self.env)).get(value, "")
        elif field.type == "date":
            text = format_date(self.env, value) if value else ""
            value = str(value or "")
        elif field.type == "float":
            text = f"{value:g}"
        elif field.type == "monetary":
            text = format_amount(self.env, value, self.currency_id)
        elif field.type == "html":
            text = html2plaintext(value or "").strip()
            value = text
        return Row(
            key=f"field/{name}",
            section=self.env._("Terms"),
            label=field._description_string(self.env),
            value=value or False,
            text=text,
            priced=PRICES_GROUP in (field.groups or ""),
        )


class SupportContractLine(models.Model):
    _inherit = "support.contract.line"

    def _get_snapshot_row(self):
        self.ensure_one()

        def price(quantity, price_unit):
            quantity = f"{quantity:g}"
            return f"{quantity} × {format_amount(self.env, price_unit, self.currency_id)}"

        parts = [price(self.quantity, self.price_unit)]
        if self.date_start:
            parts.append(self.env._("from %s", format_date(self.env, self.date_start)))
        if self.date_end:
            parts.append(self.env._("until %s", format_date(self.env, self.date_end)))
        changes = self.change_ids.sorted("date")
        parts += [
            self.env._(
                "from %(day)s on %(price)s",
                day=format_date(self.env, change.date),
                price=price(change.quantity, change.price_unit),
            )
            for change in changes
        ]
        return Row(
            key=f"line/{self.id}",
            section=self.env._("Recurring products"),
            label=self.name or "",
            value=[
                self.product_id.id,
                self.name,
                self.quantity,
                self.price_unit,
                str(self.date_start or ""),
                str(self.date_end or ""),
                *([str(c.date), c.quantity, c.price_unit] for c in changes),
            ],
            text=", ".join(parts),
            priced=True,
        )


class SupportPlanAllowance(models.Model):
    _inherit = "support.plan.allowance"

    def _get_snapshot_row(self):
        self.ensure_one()
        parts = [self._get_summary()]
        if self.activity_type_ids:
            parts.append(", ".join(self.activity_type_ids.mapped("name")))
        if self.carry_forward:
            cap = format_hours(self.carry_cap) if self.unit == "time" else str(self.carry_cap)
            parts.append(
                self.env._("what is left is carried, up to %s", cap)
                if self.carry_cap
                else self.env._("what is left is carried")
            )
            if self.carry_terms:
                parts.append(self.env._("for %s terms", self.carry_terms))
        return Row(
            key=f"allowance/{self.id}",
            section=self.env._("Allowances"),
            label=self.name or "",
            value=[
                self.unit,
                self.quantity,
                self.per,
                sorted(self.activity_type_ids.ids),
                self.priority,
                self.carry_forward,
                self.carry_cap,
                self.carry_terms,
            ],
            text=", ".join(parts),
        )


class SupportRate(models.Model):
    _inherit = "support.rate"

    def _get_snapshot_row(self):
        self.ensure_one()
        sides = dict(self._fields["shift_side"]._description_selection(self.env))
        scope = [self.activity_type_id.name, self.site_id.name]
        if self.shift_id:
            scope.append(f"{self.shift_id.name} ({sides[self.shift_side]})")
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        if self.kind == "multiplier":
            text = f"× {self.multiplier:g}"
        else:
            text = format_amount(self.env, self.price, self.currency_id)
            text = f"{kinds[self.kind]}: {text}"
        if self.has_unit_factor:
            text += ", " + self.env._("takes %s times the time", f"{self.unit_factor:g}")
        return Row(
            key=f"rate/{self.id}",
            section=self.env._("Rates"),
            label=self.name or ", ".join(filter(None, scope)) or self.env._("All work"),
            value=[
                self.name or "",
                self.kind,
                self.activity_type_id.id,
                self.site_id.id,
                self.shift_id.id,
                self.shift_side,
                self.price,
                self.multiplier,
                self.has_unit_factor,
                self.unit_factor,
            ],
            text=text,
            priced=True,
        )


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"

    def _get_snapshot_row(self):
        self.ensure_one()
        parts = [self.price]
        if self.min_quantity:
            parts.append(self.env._("from a quantity of %s on", f"{self.min_quantity:g}"))
        if self.date_start:
            parts.append(self.env._("from %s", format_date(self.env, self.date_start)))
        if self.date_end:
            parts.append(self.env._("until %s", format_date(self.env, self.date_end)))
        return Row(
            key=f"{SPECIAL_PRICES}/{self.id}",
            section=self.env._("Special prices"),
            label=self.name or "",
            value=[
                self.applied_on,
                self.product_id.id,
                self.product_tmpl_id.id,
                self.categ_id.id,
                self.compute_price,
                self.fixed_price,
                self.percent_price,
                self.price_discount,
                self.price_surcharge,
                self.price_round,
                self.price_min_margin,
                self.price_max_margin,
                self.base,
                self.min_quantity,
                str(self.date_start or ""),
                str(self.date_end or ""),
            ],
            text=", ".join(parts),
            priced=True,
        )
