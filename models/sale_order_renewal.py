# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """The quotation of a renewal: what the customer confirms, the contract bills."""

    _inherit = "sale.order"

    support_renewal_id = fields.Many2one(
        "support.contract",
        string="Renewal",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Confirming this quotation confirms the renewal; the fees are billed by the contract, "
        "not by the order.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_support_renewal_id")
        self._check_may_renew(vals.get("support_renewal_id", default) for vals in vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_may_renew([vals.get("support_renewal_id")])
        return super().write(vals)

    @api.model
    def _check_may_renew(self, renewal_ids):
        """Leave it to those who may change the renewal to make an order its quotation.

        Confirming the order confirms the renewal, and the order doesn't invoice its fees.
        """
        ids = {renewal_id for renewal_id in renewal_ids if renewal_id}
        if ids:
            self.env["support.contract"].browse(ids).check_access("write")

    def _confirmation_error_message(self):
        message = super()._confirmation_error_message()
        renewal = self.support_renewal_id.sudo()  # whoever sells it may not see contracts
        if not message and renewal.state not in (False, "draft", "pending"):
            message = self.env._(
                "The renewal %s isn't waiting for this quotation any more: make another one.",
                renewal.display_name,
            )
        return message

    def _action_confirm(self):
        result = super()._action_confirm()
        # Confirming the order is signing the renewal, whoever sells it.
        renewals = self.support_renewal_id.sudo()
        renewals.filtered(lambda renewal: renewal.state == "draft").action_confirm()
        return result

    def _action_cancel(self):
        """A quotation that is called off calls the renewal off, as long as that is open."""
        # Whoever calls the order off may not see contracts.
        renewals = self.support_renewal_id.sudo()
        begun = renewals.filtered(
            lambda renewal: renewal.state not in ("draft", "pending", "cancelled")
        )
        if begun:
            raise UserError(
                self.env._(
                    "The renewal %s has begun: terminate the contract instead of cancelling the "
                    "order.",
                    begun[0].display_name,
                )
            )
        renewals.filtered(lambda renewal: renewal.state != "cancelled").action_cancel()
        return super()._action_cancel()


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    support_renews = fields.Boolean(
        string="Renews a Contract",
        readonly=True,
        copy=False,
        default=False,
        help="The renewed contract bills it, not the order.",
    )

    @api.depends("support_renews")
    def _compute_support_plan_id(self):
        """What renews a contract doesn't sell another one, even if the product does elsewhere."""
        result = super()._compute_support_plan_id()
        self.filtered("support_renews").support_plan_id = False
        return result

    @api.depends("support_renews")
    def _compute_qty_to_invoice(self):
        """The contract bills its fees: the order must not bill them again."""
        renewing = self.filtered("support_renews")
        renewing.qty_to_invoice = 0.0
        return super(SaleOrderLine, self - renewing)._compute_qty_to_invoice()

    @api.depends("support_renews")
    def _compute_invoice_status(self):
        renewing = self.filtered("support_renews")
        renewing.invoice_status = "no"
        return super(SaleOrderLine, self - renewing)._compute_invoice_status()


class SupportContract(models.Model):
    _inherit = "support.contract"

    renewal_order_ids = fields.One2many("sale.order", "support_renewal_id", readonly=True)
    renewal_order_count = fields.Integer(compute="_compute_renewal_order_count")

    def _compute_renewal_order_count(self):
        counts = dict(
            self.env["sale.order"]
            .sudo()  # a number on a button
            ._read_group(
                [("support_renewal_id", "in", self.ids)], ["support_renewal_id"], ["__count"]
            )
        )
        for contract in self:
            contract.renewal_order_count = counts.get(contract, 0)

    def action_view_renewal_orders(self):
        self.ensure_one()
        return self.renewal_order_ids._get_records_action(name=self.env._("Quotation"))

    def _make_renewal_quotation(self):
        """Make the quotation of this renewal, a draft, and send it to the customer."""
        self.ensure_one()
        order = self.env["sale.order"].create(self._prepare_renewal_order())
        template = self.env.ref(
            "support_contract.mail_template_renewal_quotation", raise_if_not_found=False
        )
        if template:
            order.message_post_with_source(template, subtype_xmlid="mail.mt_comment")
        order.action_quotation_sent()
        return order

    def _prepare_renewal_order(self):
        return {
            "support_renewal_id": self.id,
            "partner_id": self.partner_id.id,
            "partner_invoice_id": self.partner_invoice_id.id,
            "company_id": self.company_id.id,
            "user_id": self.user_id.id,
            "origin": self.renews_id.name,
            "client_order_ref": self.client_order_ref,
            "payment_term_id": self.payment_term_id.id,
            "validity_date": self.renews_id.date_end,
            "pricelist_id": self._get_order_pricelist().id,
            "order_line": [
                fields.Command.create(self._prepare_renewal_order_line(line))
                for line in self.line_ids
            ],
        }

    def _get_order_pricelist(self):
        """Return a price list in the contract's currency; none where it is the company's.

        :raise UserError: if there is none in another currency
        """
        self.ensure_one()
        if self.pricelist_id or self.currency_id == self.company_id.currency_id:
            return self.pricelist_id
        found = self.env["product.pricelist"].search(
            [
                ("currency_id", "=", self.currency_id.id),
                ("company_id", "in", (False, self.company_id.id)),
            ],
            limit=1,
        )
        if not found:
            raise UserError(
                self.env._(
                    "%(contract)s is in %(currency)s: make a price list in that currency, for its "
                    "quotation.",
                    contract=self.display_name,
                    currency=self.currency_id.name,
                )
            )
        return found

    def _prepare_renewal_order_line(self, line):
        lang = self.partner_id.lang
        periods = self._fields["billing_period"]._description_selection(
            self.with_context(lang=lang).env
        )
        return {
            "support_renews": True,
            "product_id": line.product_id.id,
            "name": self.with_context(lang=lang).env._(
                "%(product)s (each %(period)s)",
                product=line.name,
                period=dict(periods)[self.billing_period].lower(),
            ),
            "product_uom_qty": line.quantity,
            "price_unit": line.price_unit,
            "discount": float(self._get_discount()),
        }
