# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools.sql import column_exists, create_column

COLUMNS = {"support_price_contract_id": "int4", "support_price_unit": "float8"}


class SaleOrderLine(models.Model):
    """The price of a contract on an order line: before the price list, and before any by hand."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "support.priced.line.mixin"]

    support_price_contract_id = fields.Many2one(
        compute="_compute_price_unit", store=True, precompute=True
    )
    support_price_unit = fields.Float(compute="_compute_price_unit", store=True, precompute=True)
    support_price_reason = fields.Char(copy=False)

    def _auto_init(self):
        # Lines that are there when the add-on is installed keep their prices (Y23).
        for name, kind in COLUMNS.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_price_unit(self):
        result = super()._compute_price_unit()
        self._note_contract_prices()
        for line in self:
            if line.support_price_contract_id and not line.support_price_reason:
                line.price_unit = line.support_price_unit
                # Odoo tells by it that nobody has entered the price.
                line.with_context(
                    sale_write_from_compute=True
                ).technical_price_unit = line.price_unit
        return result

    @api.depends("support_price_contract_id")
    def _compute_discount(self):
        result = super()._compute_discount()
        for line in self:
            if line.support_price_contract_id and not line.support_price_reason:
                line.discount = 0.0  # the price is what is paid
        return result

    @api.onchange("product_id")
    def _onchange_product_id(self):
        result = super()._onchange_product_id()
        for line in self._get_astray():
            line.update(line._prepare_contract_price())
        return result

    @api.onchange("price_unit", "discount", "support_price_reason")
    def _onchange_contract_price(self):
        return self._warn_of_contract_price()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_priced_values(vals_list)
        self._check_price_reason(vals_list)
        lines = super().create(vals_list)
        lines._keep_contract_prices(vals_list)
        return lines

    def write(self, vals):
        self._check_priced_values([vals])
        self._check_price_reason([vals])
        result = super().write(vals)
        self._keep_contract_prices([vals])
        return result

    @api.model
    def _check_price_reason(self, vals_list):
        """Leave it to managers of contracts to sell at another price (Y22)."""
        given = any(vals.get("support_price_reason") for vals in vals_list)
        if not given and not self.env.context.get("default_support_price_reason"):
            return
        if not self.env.su and not self.env.user.has_group(
            "support_contract.group_support_manager"
        ):
            raise AccessError(
                self.env._(
                    "Only a manager of support contracts can sell at another price than the "
                    "contract's. Ask one to enter the reason."
                )
            )

    # === THE PRICE === #

    def _can_have_contract_price(self):
        self.ensure_one()
        return bool(
            self.product_id
            and self.order_id
            and not self.display_type
            and not self.is_downpayment
            and not self.is_expense
            and not self.combo_item_id
            and not self._is_global_discount()
            and self.qty_invoiced <= 0
        )

    def _keeps_contract_price(self):
        return self.qty_invoiced > 0

    def _get_priced_document(self):
        return self.order_id

    def _get_priced_quantity(self):
        return self.product_uom_qty

    def _get_priced_day(self, contract):
        return contract._get_local_day(self.order_id.date_order or fields.Datetime.now())

    def _get_priced_product(self):
        return self.product_id.with_context(**self._get_product_price_context())

    def _prepare_contract_price(self):
        # Odoo tells by the technical price that nobody has entered this one.
        return super()._prepare_contract_price() | {"technical_price_unit": self.support_price_unit}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    has_contract_price = fields.Boolean(compute="_compute_has_contract_price")

    @api.depends("order_line.support_price_contract_id")
    def _compute_has_contract_price(self):
        for order in self:
            order.has_contract_price = bool(order.order_line.support_price_contract_id.ids)

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            quotations = self.filtered(lambda order: order.state in ("draft", "sent"))
            quotations.order_line._look_up_contract_prices()
        return result
