# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.sql import column_exists, create_column

from ..tools.packs import (
    Invoiced,
    due_when_invoiced,
    due_when_ordered,
    whole_units,
)
from ..tools.periods import ONE_DAY, iter_terms
from ..tools.zones import local_day
from .product_template import PACKS, UNITS
from .res_company import PACK_GRANT_ON

# What was sold, kept as it was when the order was confirmed, and the type of its column.
PACK_FACTS = {
    "support_pack": "varchar",
    "support_unit": "varchar",
    "support_pack_units": "int4",
    "support_months": "int4",
    "support_product_id": "int4",
    "support_grant_on": "varchar",
}
SETTLED_STATES = ("paid", "in_payment", "reversed", "invoicing_legacy")


class SaleOrderLine(models.Model):
    """A sold support pack: how many units are due to the customer, and from which day on.

    `support_units_due` follows from the order and its invoices alone; whenever it isn't what
    was granted, `support.pack` brings the grants in line before the transaction ends.
    """

    _inherit = "sale.order.line"

    support_pack = fields.Selection(
        PACKS, compute="_compute_support_pack", store=True, precompute=True
    )
    support_unit = fields.Selection(
        UNITS, string="Units", compute="_compute_support_pack", store=True, precompute=True
    )
    support_pack_units = fields.Integer(
        string="Units per Pack",
        compute="_compute_support_pack",
        store=True,
        precompute=True,
        help="Seconds or incidents of one pack; of a recurring one, each month.",
    )
    support_months = fields.Integer(
        string="Months", compute="_compute_support_pack", store=True, precompute=True
    )
    support_product_id = fields.Many2one(
        "product.template",
        string="Pack Sold",
        compute="_compute_support_pack",
        store=True,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The pack that was sold. Changing the product later doesn't change what was sold.",
    )
    support_grant_on = fields.Selection(
        PACK_GRANT_ON,
        string="Granted When",
        compute="_compute_support_pack",
        store=True,
        precompute=True,
        help="The company's setting when the order was confirmed.",
    )
    support_date_start = fields.Date(
        string="Units From",
        copy=False,
        help="The first day of the first month. Empty: the day after a running pack of the same "
        "product ends, otherwise the day on which the units are granted.",
    )
    support_extends_id = fields.Many2one(
        "sale.order.line",
        string="Adds to Pack",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="A running recurring pack: the units are added to its current month and to each "
        "month that remains.",
    )
    support_customer_id = fields.Many2one(
        related="order_id.partner_id.commercial_partner_id", string="Customer of the Units"
    )
    support_units_due = fields.Integer(
        string="Units Due",
        compute="_compute_support_units_due",
        store=True,
        help="What the order and its invoices entitle the customer to; each month, of a recurring "
        "pack.",
    )
    support_units_synced = fields.Integer(
        readonly=True, copy=False, default=0, help="The units due for which grants were made."
    )
    support_date_from = fields.Date(string="Units First Day", readonly=True, copy=False)
    support_date_to = fields.Date(string="Units Last Day", readonly=True, copy=False)
    support_entitlement_ids = fields.One2many(
        "support.entitlement", "sale_line_id", string="Grants", readonly=True, copy=False
    )
    support_label = fields.Char(string="Grants Units", compute="_compute_support_label")
    support_begins = fields.Char(string="Begins", compute="_compute_support_begins")

    def _auto_init(self):
        # When the add-on is installed nothing sold is a pack: no need to compute every line.
        columns = PACK_FACTS | {"support_units_due": "int4"}
        for name, kind in columns.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends("product_id", "state")
    def _compute_support_pack(self):
        for line in self:
            if line._is_support_pack_kept():
                facts = {name: line[name] for name in PACK_FACTS}
            else:
                facts = line._prepare_support_facts()
            if facts["support_pack"] and line.state == "sale":
                facts["support_grant_on"] = (
                    facts["support_grant_on"] or line.company_id.support_pack_grant_on
                )
            line.update(facts)

    @api.depends(
        "state",
        "support_pack",
        "support_pack_units",
        "support_grant_on",
        "product_uom_qty",
        "product_uom_id",
        "invoice_lines.quantity",
        "invoice_lines.product_uom_id",
        "invoice_lines.move_id.state",
        "invoice_lines.move_id.payment_state",
        "invoice_lines.move_id.reversed_entry_id",
    )
    def _compute_support_units_due(self):
        for line in self:
            line.support_units_due = (
                whole_units(line._get_support_packs_due(), line.support_pack_units)
                if line.support_pack and line.state == "sale"
                else 0
            )
        self.env["support.pack"]._note(self)

    @api.depends(
        *("support_pack", "support_unit", "support_pack_units", "support_months"),
        *("support_date_start", "support_date_from", "support_extends_id"),
        *("product_uom_qty", "product_uom_id"),
    )
    @api.depends_context("lang")
    def _compute_support_label(self):
        for line in self:
            line.support_label = line.support_pack and line._get_support_summary(
                line._to_support_units(line.product_uom_qty)
            )

    @api.depends("support_pack", "support_date_start", "support_date_from", "support_extends_id")
    @api.depends_context("lang")
    def _compute_support_begins(self):
        packs = self.filtered("support_pack")
        (self - packs).support_begins = False
        open_ended = packs.filtered(
            lambda line: (
                line.support_pack == "recurring"
                and not (line.support_date_from or line.support_date_start)
                and not line.support_extends_id
            )
        )
        ends = self.env["support.pack"].sudo()._get_running_ends(open_ended)  # other salesmen's too
        for line in packs:
            first = line.support_date_from or line.support_date_start
            if first:
                line.support_begins = format_date(self.env, first)
            elif line.support_extends_id:
                line.support_begins = self.env._("with the current month")
            elif line in ends:
                line.support_begins = self.env._(
                    "%s, after the running pack", format_date(self.env, ends[line] + ONE_DAY)
                )
            else:
                line.support_begins = self.env._("when granted")

    @api.depends("support_date_start")
    def _compute_name(self):
        return super()._compute_name()

    def _get_sale_order_line_multiline_description_sale(self):
        description = super()._get_sale_order_line_multiline_description_sale()
        if self.support_pack:
            description += "\n" + self._get_support_summary(self.support_pack_units)
        return description

    # === WHAT WAS SOLD === #

    def _is_support_pack_kept(self):
        """Return whether the pack is sold already: then a changed product doesn't change it."""
        self.ensure_one()
        return (
            self.support_product_id
            and self.support_product_id == self.product_id.product_tmpl_id
            and bool(
                self.support_date_from
                or (self.support_grant_on and self.state in ("sale", "cancel"))
            )
        )

    def _prepare_support_facts(self):
        """Return what the product grants as it is today, by field of the line."""
        self.ensure_one()
        product = self.product_id.product_tmpl_id.sudo()  # salesmen needn't see its costs
        if not product.support_pack:
            return dict.fromkeys(PACK_FACTS, False)
        return {
            "support_pack": product.support_pack,
            "support_unit": product.support_unit,
            "support_pack_units": product._get_support_units(),
            "support_months": product.support_months if product.support_pack == "recurring" else 0,
            "support_product_id": product.id,
            "support_grant_on": False,
        }

    def _get_support_packs_due(self):
        """Return how many packs, in the unit of measure of the product, grant units now."""
        self.ensure_one()
        moves = {}
        for invoice_line in self.invoice_lines:
            move = invoice_line.move_id
            if move.state == "posted" or move.payment_state == "invoicing_legacy":
                quantity = invoice_line.product_uom_id._compute_quantity(
                    invoice_line.quantity, self.product_id.uom_id, round=False
                )
                moves.setdefault(move, []).append(quantity * -move.direction_sign)
        invoiced = [
            Invoiced(
                id=move.id,
                quantity=sum(quantities),
                settled=move.payment_state in SETTLED_STATES,
                reverses=move.reversed_entry_id.id or None,
            )
            for move, quantities in moves.items()
        ]
        if self.support_grant_on == "confirmed":
            return due_when_ordered(self._to_support_packs(self.product_uom_qty), invoiced)
        return due_when_invoiced(invoiced, paid=self.support_grant_on == "paid")

    def _to_support_packs(self, quantity):
        """Return a quantity of this line in the unit of measure of the product (T16)."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(
            quantity, self.product_id.uom_id, round=False, raise_if_failure=False
        )

    def _to_support_units(self, quantity):
        """Return the units in a quantity of this line: whole seconds or incidents."""
        self.ensure_one()
        return whole_units(self._to_support_packs(quantity), self.support_pack_units)

    def _is_support_running(self):
        """Return whether units of this line are granted and its last day isn't over."""
        self.ensure_one()
        return bool(
            self.support_units_due
            and self.support_date_from
            and (not self.support_date_to or self.support_date_to >= self._get_support_today())
        )

    def _get_support_windows(self):
        """Return the (first day, last day) of what it grants; no last day is for life."""
        self.ensure_one()
        first, last = self.support_date_from, self.support_date_to
        if not last:
            return [(first, None)]
        return [
            tuple(month) for _k, _whole, month in iter_terms(first, 1, "anniversary", last, last)
        ]

    def _get_support_today(self):
        """Return the day it is where the customer is."""
        self.ensure_one()
        zone = self.support_customer_id.tz or self.company_id.partner_id.tz or "UTC"
        return local_day(fields.Datetime.now(), zone)

    def _format_support_units(self, units):
        self.ensure_one()
        return self.env["product.template"]._format_support_units(self.support_unit, units)

    def _get_support_summary(self, units):
        """Return in a few words what is granted: 10 incidents per month for 3 months."""
        self.ensure_one()
        units = self._format_support_units(units)
        first = self.support_date_from or self.support_date_start
        day = format_date(self.env, first) if first else ""
        if self.support_extends_id:
            return self.env._("%s more in each remaining month", units)
        if self.support_pack == "lifetime":
            return (
                self.env._("%(units)s from %(day)s, for life", units=units, day=day)
                if day
                else self.env._("%(units)s, for life", units=units)
            )
        values = {"units": units, "months": self.support_months, "day": day}
        if self.support_months == 1:
            return (
                self.env._("%(units)s for one month from %(day)s", **values)
                if day
                else self.env._("%(units)s for one month", **values)
            )
        return (
            self.env._("%(units)s per month for %(months)s months from %(day)s", **values)
            if day
            else self.env._("%(units)s per month for %(months)s months", **values)
        )
