# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductPricelistItem(models.Model):
    """A special price of one contract: Odoo's own price rule, without a price list (Y6, Y20, C25).

    Whom it is for, from when and until when follow from the contract.
    """

    _inherit = "product.pricelist.item"

    support_contract_id = fields.Many2one(
        "support.contract",
        index="btree_not_null",
        ondelete="cascade",
        help="The contract whose customer gets this price while it runs.",
    )
    support_list_price = fields.Float(
        string="Original Price",
        related="product_tmpl_id.list_price",
        digits="Product Price",
        help="What the product costs without the contract.",
    )

    # === COMPUTE METHODS === #

    @api.depends("support_contract_id.company_id")
    def _compute_company_id(self):
        result = super()._compute_company_id()
        for item in self.filtered("support_contract_id"):
            item.company_id = item.support_contract_id.company_id
        return result

    @api.depends("support_contract_id.currency_id")
    def _compute_currency_id(self):
        result = super()._compute_currency_id()
        for item in self.filtered("support_contract_id"):
            item.currency_id = item.support_contract_id.currency_id
        return result

    @api.depends("support_contract_id")
    def _compute_is_pricelist_required(self):
        result = super()._compute_is_pricelist_required()
        self.filtered("support_contract_id").is_pricelist_required = False
        return result

    # === CONSTRAINTS === #

    @api.constrains("support_contract_id", "pricelist_id")
    def _check_support_pricelist(self):
        for item in self:
            if item.support_contract_id and item.pricelist_id:
                raise ValidationError(
                    self.env._(
                        "The price of “%(product)s” belongs to %(contract)s and can't be on the "
                        "price list %(pricelist)s, too. Add it there as a rule of its own.",
                        product=item.name,
                        contract=item.support_contract_id.display_name,
                        pricelist=item.pricelist_id.name,
                    )
                )

    @api.constrains("support_contract_id", "compute_price", "fixed_price", "percent_price")
    def _check_support_price(self):
        for item in self.filtered("support_contract_id"):
            negative = item.compute_price == "fixed" and item.fixed_price < 0
            if negative or item.compute_price == "percentage" and item.percent_price > 100:
                raise ValidationError(
                    self.env._(
                        "The price of “%(product)s” on %(contract)s would be negative. Enter a "
                        "price of 0 or more; to give money back use a credit.",
                        product=item.name,
                        contract=item.support_contract_id.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        contract = self.env.context.get("default_support_contract_id")
        for vals in vals_list:
            if vals.get("support_contract_id", contract):
                vals.setdefault("pricelist_id", False)  # else Odoo takes the first there is
        items = super().create(vals_list)
        items._tell_contract(self.env._("New special price: %s"))
        return items

    def write(self, vals):
        result = super().write(vals)
        if vals:
            self._tell_contract(self.env._("Special price changed: %s"))
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_tell(self):
        self._tell_contract(self.env._("Special price removed: %s"))

    def _tell_contract(self, text):
        """Note in the contract what was changed; amounts are for those who may see them."""
        for contract, items in self.grouped("support_contract_id").items():
            if contract:
                names = ", ".join(items.mapped("name"))
                # Who may change the prices of a contract may tell so.
                contract.sudo()._message_log(body=text % names)
                contract._note_terms()

    # === BUSINESS METHODS === #

    def _get_support_rank(self):
        """Return what puts the rules of a contract in the order in which they are tried."""
        self.ensure_one()
        depth = (self.categ_id.parent_path or "").count("/")
        return self.applied_on, -self.min_quantity, -depth, -self.id

    def _get_support_price(self, product, quantity, uom, day):
        """Return the price of one unit of measure of a product by this rule of a contract.

        In the contract's currency, not rounded.
        """
        self.ensure_one()
        contract = self.support_contract_id
        product = product.with_company(contract.company_id)
        return self.with_company(contract.company_id)._compute_price(
            product, quantity, uom, date=day, currency=contract.currency_id
        )
