# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .support_contract import _from_plan

BLOCK_FIELDS = ("blocked_product_ids", "blocked_categ_ids")


class SupportTermsMixin(models.AbstractModel):
    """Products that must not be sold to the customer of a contract (Y24)."""

    _inherit = "support.terms.mixin"

    blocked_product_ids = fields.Many2many(
        "product.template",
        string="Blocked Products",
        help="Must not be sold to the customer while the contract runs: neither on orders nor on "
        "invoices.",
    )
    blocked_categ_ids = fields.Many2many(
        "product.category",
        string="Blocked Categories",
        help="No product of these categories, and of those below them, may be sold to the "
        "customer while the contract runs.",
    )

    @api.constrains(*BLOCK_FIELDS)
    def _check_blocked_recurring(self):
        """What recurs on the contract can't be blocked by it."""
        for terms in self:
            # Whoever blocks a product must hear it, whether he sees prices or not.
            for product in terms.sudo().line_ids.product_id.filtered(terms._blocks):
                raise ValidationError(
                    self.env._(
                        "“%(product)s” recurs on %(name)s and can't be blocked by it. Take one of "
                        "the two away.",
                        product=product.display_name,
                        name=terms.display_name,
                    )
                )

    def _blocks(self, product):
        """Return whether a product must not be sold to the customer."""
        self.ensure_one()
        template = product.product_tmpl_id
        path = template.categ_id.parent_path or ""
        return template in self.blocked_product_ids or any(
            path.startswith(category.parent_path) for category in self.blocked_categ_ids
        )


class SupportContractLine(models.Model):
    _inherit = "support.contract.line"

    @api.constrains("product_id", "plan_id", "contract_id")
    def _check_not_blocked(self):
        self.contract_id._check_blocked_recurring()
        self.plan_id._check_blocked_recurring()


class SupportContract(models.Model):
    _inherit = "support.contract"

    blocked_product_ids = _from_plan(fields.Many2many)
    blocked_categ_ids = _from_plan(fields.Many2many)

    @api.model
    def _get_terms_fields(self):
        return super()._get_terms_fields() + list(BLOCK_FIELDS)


class SupportPricedLineMixin(models.AbstractModel):
    _inherit = "support.priced.line.mixin"

    def _is_sale(self):
        """Return whether it sells something to a customer; to be said by each model."""
        raise NotImplementedError

    def _check_blocked(self):
        """Refuse products that a running contract of the customer blocks.

        :raise ValidationError: naming the contract, the product and what to do
        """
        problem = self._get_blocked_problem()
        if problem:
            raise ValidationError(problem)

    def _get_blocked_problem(self):
        """Return what must not be sold and why, or nothing; one query where nothing is blocked."""
        lines = self.filtered(lambda line: line._is_sale())
        documents = lines._get_priced_document()
        running = self.env["support.contract"]._get_running(
            documents.company_id,
            documents.partner_id.commercial_partner_id,
            ["|", *[(name, "!=", False) for name in BLOCK_FIELDS]],
        )
        for line in lines if running else ():
            document = line._get_priced_document()
            key = document.company_id, document.partner_id.commercial_partner_id
            for contract in running.get(key, ()):
                day = line._get_priced_day(contract)
                if contract._runs_on(day) and contract._blocks(line.product_id):
                    return self.env._(
                        "%(document)s: “%(product)s” must not be sold to %(customer)s: it is "
                        "blocked by the support contract %(contract)s. Choose another product, or "
                        "have a manager of contracts take it off the blocked ones.",
                        document=document.display_name,
                        product=line.product_id.display_name,
                        customer=document.partner_id.commercial_partner_id.display_name,
                        contract=contract.name,
                    )
        return None


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.constrains("product_id")
    def _check_product_not_blocked(self):
        self._check_blocked()

    def _is_sale(self):
        self.ensure_one()
        return bool(self.product_id) and not self.display_type and not self.is_downpayment


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.constrains("partner_id")
    def _check_customer_not_blocked(self):
        self.order_line._check_blocked()

    def _confirmation_error_message(self):
        return super()._confirmation_error_message() or self.order_line._get_blocked_problem()


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.constrains("product_id")
    def _check_product_not_blocked(self):
        self._check_blocked()

    def _is_sale(self):
        """Return whether it sells something; what our own billing makes was agreed before."""
        self.ensure_one()
        return bool(
            self.product_id
            and self.move_id.move_type in ("out_invoice", "out_receipt")
            and self.display_type == "product"
            and not self.support_charge_id
            and not self.is_downpayment
        )


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.constrains("partner_id")
    def _check_customer_not_blocked(self):
        drafts = self.filtered(lambda move: move.state == "draft")
        drafts.invoice_line_ids._check_blocked()

    def _post(self, soft=True):
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        sales.invoice_line_ids._check_blocked()
        return super()._post(soft)
