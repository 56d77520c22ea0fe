# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column

from .sale_order_line_price import COLUMNS


class AccountMoveLine(models.Model):
    """The price of a contract on a customer's invoice or credit note, which Odoo prices by list."""

    _name = "account.move.line"
    _inherit = ["account.move.line", "support.priced.line.mixin"]

    support_price_contract_id = fields.Many2one(
        compute="_compute_support_price", store=True, precompute=True
    )
    support_price_unit = fields.Float(compute="_compute_support_price", store=True, precompute=True)

    def _auto_init(self):
        # Lines that are there when the add-on is installed keep their prices (Y23).
        for name, kind in COLUMNS.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    @api.depends("product_id", "product_uom_id", "quantity")
    def _compute_support_price(self):
        """Look the price up when product or quantity is set, at the invoice's date."""
        self._note_contract_prices()

    @api.depends("product_id", "product_uom_id")
    def _compute_price_unit(self):
        result = super()._compute_price_unit()
        for line in self._get_astray():
            line.price_unit = line.support_price_unit
        return result

    @api.onchange("quantity", "product_id", "product_uom_id")
    def _onchange_priced_quantity(self):
        for line in self._get_astray():
            line.update(line._prepare_contract_price())

    @api.onchange("price_unit", "discount", "support_price_reason")
    def _onchange_contract_price(self):
        return self._warn_of_contract_price()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_priced_values(vals_list)
        lines = super().create(vals_list)
        lines._keep_contract_prices(vals_list)
        return lines

    def write(self, vals):
        self._check_priced_values([vals])
        priced = self.browse()
        if "quantity" in vals and "price_unit" not in vals:
            priced = self.filtered("support_price_contract_id")
        result = super().write(vals)
        # Too few for the price of the contract: what Odoo asks again.
        priced.filtered(lambda line: not line.support_price_contract_id)._recompute_prices()
        self._keep_contract_prices([vals])
        return result

    # === THE PRICE === #

    def _can_have_contract_price(self):
        """Return whether it is a line that somebody enters on a customer's invoice.

        What our own billing makes is worth exactly its charge; a reversal gives back what was
        paid.
        """
        self.ensure_one()
        move = self.move_id
        return bool(
            self.product_id
            and move.move_type in ("out_invoice", "out_refund")
            and self.display_type == "product"
            and move.state == "draft"
            and not self.support_charge_id
            and not self.is_imported
            and not self.is_downpayment
            and not move.reversed_entry_id
        )

    def _keeps_contract_price(self):
        return self.move_id.state != "draft"

    def _get_contract_prices(self):
        """What was ordered is invoiced at the price of the order, a contract's or not."""
        # Whoever invoices needn't be allowed to read all orders.
        ordered = self.filtered(
            lambda line: line._can_have_contract_price() and line.sudo().sale_line_ids
        )
        prices = super(AccountMoveLine, self - ordered)._get_contract_prices()
        for line in ordered:
            sold = line.sudo().sale_line_ids._origin[:1]  # not as it would be computed anew
            if sold.support_price_contract_id and not sold.support_price_reason:
                prices[line] = (
                    sold.support_price_contract_id.sudo(False),
                    sold.support_price_unit,
                )
        return prices

    def _recompute_prices(self):  # pylint: disable=missing-return
        """Have Odoo follow with taxes and totals."""
        for move, lines in self.grouped("move_id").items():
            container = {"records": move}
            with move._check_balanced(container), move._sync_dynamic_lines(container):
                super(AccountMoveLine, lines)._recompute_prices()

    def _get_priced_document(self):
        return self.move_id

    def _get_priced_quantity(self):
        return self.quantity

    def _get_priced_day(self, contract):
        return self.move_id.invoice_date or contract._get_today()


class AccountMove(models.Model):
    _inherit = "account.move"

    has_contract_price = fields.Boolean(compute="_compute_has_contract_price")

    @api.depends("invoice_line_ids.support_price_contract_id")
    def _compute_has_contract_price(self):
        for move in self:
            move.has_contract_price = bool(move.invoice_line_ids.support_price_contract_id.ids)

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            drafts = self.filtered(lambda move: move.state == "draft" and move.is_sale_document())
            drafts.invoice_line_ids._look_up_contract_prices()
        return result
