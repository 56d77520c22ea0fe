# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.sql import column_exists, create_column

from ..tools.money import round_to

# What can't change any more on a line that has made a contract: that is changed instead.
SOLD_FIELDS = (
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "price_unit",
    "discount",
    "support_date_start",
)


class SaleOrderLine(models.Model):
    """A sold contract. The contract bills it term by term; the order doesn't invoice it."""

    _inherit = "sale.order.line"

    support_plan_id = fields.Many2one(
        "support.plan",
        compute="_compute_support_plan_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Confirming the order makes a contract of this plan. It is billed by the contract; "
        "there is nothing to invoice on the order.",
    )
    support_sold_contract_ids = fields.One2many(
        "support.contract",
        "sale_line_id",
        string="Sold Contracts",
        readonly=True,
        groups="support_contract.group_support_user",
    )

    def _auto_init(self):
        # When the add-on is installed nothing sold is a contract: no need to compute every line.
        if not column_exists(self.env.cr, self._table, "support_plan_id"):
            create_column(self.env.cr, self._table, "support_plan_id", "int4")
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends("product_id", "state")
    def _compute_support_plan_id(self):
        for line in self:
            if not line._get_live_contract():  # what is sold stays what it was
                # Salesmen needn't see plans to sell them.
                line.support_plan_id = line.product_id.product_tmpl_id.sudo().support_plan_id
            else:
                line.support_plan_id = line.support_plan_id

    @api.depends("support_plan_id")
    def _compute_qty_to_invoice(self):
        result = super()._compute_qty_to_invoice()
        self.filtered("support_plan_id").qty_to_invoice = 0.0
        return result

    @api.depends("support_plan_id")
    def _compute_untaxed_amount_to_invoice(self):
        result = super()._compute_untaxed_amount_to_invoice()
        self.filtered("support_plan_id").untaxed_amount_to_invoice = 0.0
        return result

    @api.depends("support_plan_id")
    def _compute_amount_to_invoice(self):
        result = super()._compute_amount_to_invoice()
        self.filtered("support_plan_id").amount_to_invoice = 0.0
        return result

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if "default_support_plan_id" in self.env.context:
            self._check_plan_not_given({"support_plan_id"})
        for vals in vals_list:
            self._check_plan_not_given(vals)
        lines = super().create(vals_list)
        added = lines.filtered(lambda line: line.state == "sale" and line.support_plan_id)
        for line in added:
            problem = line._get_plan_problem()
            if problem:
                raise ValidationError(problem)
        added._make_support_contracts()
        return lines

    @api.model
    def _check_plan_not_given(self, vals):
        """Refuse to sell another plan than the product's."""
        if "support_plan_id" in vals and not self.env.su:
            raise AccessError(
                self.env._(
                    "Which contract a line sells follows from its product. Choose another product."
                )
            )

    def write(self, vals):
        self._check_plan_not_given(vals)
        changed = set(SOLD_FIELDS).intersection(vals)
        for line in self.filtered("support_plan_id") if changed else ():
            contract = line._get_live_contract()
            if contract and line._differs_from(vals, changed):
                raise ValidationError(
                    self.env._(
                        "“%(line)s” has made the contract %(contract)s. Change the contract: its "
                        "recurring products have dated quantities and prices.",
                        line=line.product_id.display_name,
                        contract=contract.name,
                    )
                )
        return super().write(vals)

    def _differs_from(self, vals, names):
        self.ensure_one()
        fixed = [self._fields[name] for name in names]
        return any(
            field.convert_to_cache(vals[field.name], self)
            != field.convert_to_cache(self[field.name], self)
            for field in fixed
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sold_contract(self):
        self.order_id._check_no_support_contracts(self)

    # === THE CONTRACT === #

    def _get_live_contract(self):
        """Return the contract that this line has made and that wasn't cancelled."""
        self.ensure_one()
        # Salesmen needn't see contracts to sell them.
        return self._origin.sudo().support_sold_contract_ids.filtered(
            lambda contract: contract.state != "cancelled"
        )

    def _make_support_contracts(self):
        """Make the contracts of confirmed lines, each once."""
        sold = self.filtered(
            lambda line: (
                line.state == "sale" and line.support_plan_id and not line._get_live_contract()
            )
        )
        if sold:
            self.env["support.contract"]._make_from_order_lines(sold)
            sold.sudo().invalidate_recordset(["support_sold_contract_ids"])

    def _prepare_support_contract(self):
        """Return the values of the contract; everything else follows from the plan."""
        self.ensure_one()
        order = self.order_id
        values = {
            "plan_id": self.support_plan_id.id,
            "partner_id": order.partner_id.id,
            "partner_invoice_id": order.partner_invoice_id.id,
            # Whoever sells it needn't see the plan.
            "payment_term_id": (
                order.payment_term_id or self.support_plan_id.sudo().payment_term_id
            ).id,
            "fiscal_position_id": order.fiscal_position_id.id,
            "client_order_ref": order.client_order_ref,
            "company_id": order.company_id.id,
            "user_id": order.user_id.id,
            "sale_line_id": self.id,
        }
        if self.support_date_start:
            values["date_start"] = self.support_date_start
        return values

    def _get_plan_quantity(self):
        """Return how many were ordered, in the unit of measure of the product."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(
            self.product_uom_qty, self.product_id.uom_id, round=False
        )

    def _prepare_recurring_product(self):
        """Return quantity and price of the contract's only recurring product, as ordered.

        Several keep the prices of the plan. Where the price doesn't come out even, one unit at
        the whole amount is billed: a term costs what the order says, to the cent.
        """
        self.ensure_one()
        if len(self.support_plan_id.sudo().line_ids) != 1:
            return {}
        precision = self.env["decimal.precision"]
        quantity = Decimal(str(self._get_plan_quantity()))
        quantity = round_to(quantity, Decimal(1).scaleb(-precision.precision_get("Product Unit")))
        amount = Decimal(str(self.price_subtotal))
        price = round_to(
            amount / quantity, Decimal(1).scaleb(-precision.precision_get("Product Price"))
        )
        if quantity * price != amount:
            quantity, price = 1, amount
        return {"quantity": float(quantity), "price_unit": float(price)}

    def _get_plan_problem(self):
        """Return why the contract can't be made and what to do about it, or nothing."""
        self.ensure_one()
        plan = self.support_plan_id.sudo()  # of whoever sells it
        order = self.order_id
        if not plan:
            return None
        values = {"order": order.name, "line": self.product_id.display_name, "plan": plan.name}
        if self.product_uom_qty <= 0:
            return self.env._(
                "%(order)s: a contract “%(line)s” can't be sold in this quantity. Enter one of "
                "more than zero.",
                **values,
            )
        if not plan.active or plan.company_id != order.company_id:
            return self.env._(
                "%(order)s: the plan “%(plan)s” of “%(line)s” isn't sold by this company any more. "
                "Choose another product.",
                **values,
            )
        if plan.currency_id != order.currency_id:
            return self.env._(
                "%(order)s is in %(currency)s, but contracts of the plan “%(plan)s” are billed in "
                "%(other)s. Choose a price list in %(other)s for the order.",
                currency=order.currency_id.name,
                other=plan.currency_id.name,
                **values,
            )
        worth = sum(line.quantity * line.price_unit for line in plan.line_ids)
        worth = order.currency_id.round(worth * self._get_plan_quantity())
        if len(plan.line_ids) != 1 and order.currency_id.compare_amounts(
            worth, self.price_subtotal
        ):
            return self.env._(
                "%(order)s: “%(line)s” costs %(ordered)s here, but contracts of the plan "
                "“%(plan)s” bill %(worth)s a term, by %(count)s recurring products. Set the price "
                "to that, or give the plan a single recurring product, which then takes the "
                "order's price.",
                ordered=order.currency_id.format(self.price_subtotal),
                worth=order.currency_id.format(worth),
                count=len(plan.line_ids),
                **values,
            )
        return None


class SaleOrder(models.Model):
    _inherit = "sale.order"

    support_plan_line_ids = fields.One2many(
        "sale.order.line",
        "order_id",
        string="Sold Contracts",
        domain=[("support_plan_id", "!=", False)],
        copy=False,
    )
    support_contract_count = fields.Integer(compute="_compute_support_contract_count")

    def _compute_support_contract_count(self):
        counts = dict(
            self.env["support.contract"]
            .sudo()  # a number on a button
            ._read_group([("sale_line_id.order_id", "in", self.ids)], ["sale_line_id"], ["__count"])
        )
        for order in self:
            order.support_contract_count = sum(counts.get(line, 0) for line in order.order_line)

    @api.constrains("partner_id")
    def _check_contract_customer(self):
        """A contract stays with the customer to whom it was sold."""
        for line in self.order_line.filtered("support_plan_id"):
            contract = line._get_live_contract()
            if contract and (
                contract.commercial_partner_id != line.order_id.partner_id.commercial_partner_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(order)s has made the contract %(contract)s of %(customer)s: its "
                        "customer can't change. Cancel it and make another order.",
                        order=line.order_id.name,
                        contract=contract.name,
                        customer=contract.commercial_partner_id.display_name,
                    )
                )

    def _confirmation_error_message(self):
        message = super()._confirmation_error_message()
        for line in self.order_line:
            message = message or line._get_plan_problem()
        return message

    def _action_confirm(self):
        result = super()._action_confirm()
        self.order_line._make_support_contracts()
        return result

    def _action_cancel(self):
        """Cancel the contracts, too, as long as nobody has had anything of them."""
        for line in self.order_line.filtered("support_plan_id"):
            contract = line._get_live_contract()
            if contract.state in ("draft", "pending", "active"):
                contract._cancel_sold()
            elif contract.state == "suspended":
                raise UserError(
                    self.env._(
                        "%(order)s can't be cancelled while its contract %(contract)s is "
                        "suspended. Terminate the contract, which settles what was paid and used.",
                        order=line.order_id.name,
                        contract=contract.display_name,
                    )
                )
        return super()._action_cancel()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sold_contract(self):
        self._check_no_support_contracts(self.order_line)

    def _check_no_support_contracts(self, lines):
        contract = (
            self.env["support.contract"]
            .sudo()  # whoever deletes the order
            .search([("sale_line_id", "in", lines.ids)], limit=1)
        )
        if contract:
            raise UserError(
                self.env._(
                    "%(order)s can't be deleted: it has made the contract %(contract)s. A "
                    "cancelled order stays, so that one can see where a contract came from.",
                    order=contract.sale_order_id.name,
                    contract=contract.name,
                )
            )

    def action_view_support_contracts(self):
        """Show the contracts that this order has made."""
        self.ensure_one()
        contracts = self.env["support.contract"].search([("sale_line_id.order_id", "=", self.id)])
        return contracts._get_records_action(name=self.env._("Support Contracts"))
