# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import float_compare

# What follows from the product, the quantity and the contracts.
PRICED_FIELDS = {"support_price_contract_id", "support_price_unit"}
# What can take a line away from the price of its contract, or back to it.
PRICE_FIELDS = {
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "quantity",
    "price_unit",
    "discount",
    "support_price_reason",
}
# Prices are kept unrounded; what differs less is what a browser has made of the same number.
PRICE_DIGITS = 6


class SupportPricedLineMixin(models.AbstractModel):
    """A line of an order or invoice on which the special price of a contract applies (Y21-Y23).

    The price is looked up when the product or its quantity is set, and is kept from then on:
    what changes on the contract later doesn't touch the line. A price entered by hand gives way
    to it, unless a reason is given, which is logged.
    """

    _name = "support.priced.line.mixin"
    _description = "Line with the Price of a Support Contract"

    support_price_contract_id = fields.Many2one(
        "support.contract",
        string="Price of Contract",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The support contract of the customer that sets this price.",
    )
    support_price_unit = fields.Float(
        string="Contract Price", copy=False, help="As it was when product and quantity were set."
    )
    support_price_reason = fields.Char(
        string="Reason for Another Price",
        groups="base.group_user",  # customers read the lines of their orders
        help="With a reason the price of the contract can be overridden. It is logged.",
    )
    support_price_note = fields.Char(
        compute="_compute_support_price_note", groups="base.group_user"
    )

    @api.depends("support_price_contract_id", "support_price_reason")
    def _compute_support_price_note(self):
        for line in self:
            # Who sells needn't see the contract to know where the price comes from.
            contract = line.support_price_contract_id.sudo()
            if not contract:
                line.support_price_note = False
            elif line.support_price_reason:
                line.support_price_note = self.env._("Instead of %s", contract.name)
            else:
                line.support_price_note = contract.name

    # === TO BE SAID BY EACH MODEL === #

    def _can_have_contract_price(self):
        """Return whether it sells a product at a price that is still open."""
        raise NotImplementedError

    def _get_priced_document(self):
        """Return the order or invoice, in whose chatter reasons are logged."""
        raise NotImplementedError

    def _get_priced_quantity(self):
        raise NotImplementedError

    def _get_priced_day(self, contract):
        """Return the day whose price counts, where the customer is."""
        raise NotImplementedError

    def _get_priced_product(self):
        return self.product_id

    def _prepare_contract_price(self):
        """Return the values that give the line the price of its contract."""
        return {"price_unit": self.support_price_unit, "discount": 0.0}

    # === THE PRICE === #

    def _get_contract_prices(self):
        """Return what contracts say about these lines: {line: (contract, price)}.

        The price is that of the line's unit of measure, in the document's currency, in or without
        taxes as `price_unit` is. One query where no customer has special prices.
        """
        lines = self.filtered(lambda line: line._can_have_contract_price())
        documents = lines._get_priced_document()
        running = self.env["support.contract"]._get_running(
            documents.company_id,
            documents.partner_id.commercial_partner_id,
            [("price_item_ids", "!=", False)],
        )
        prices = {}
        for line in lines if running else ():
            document = line._get_priced_document()
            key = document.company_id, document.partner_id.commercial_partner_id
            for contract in running.get(key, ()):
                price = line._get_price_of(contract)
                if price is not None:
                    prices[line] = contract.sudo(False), price
                    break
        return prices

    def _get_price_of(self, contract):
        self.ensure_one()
        day = self._get_priced_day(contract)
        if not contract._runs_on(day):
            return None
        document = self._get_priced_document()
        product = self._get_priced_product().with_company(document.company_id)
        price = contract._get_special_price(
            product,
            self._get_priced_quantity() or 1.0,
            self.product_uom_id or product.uom_id,
            day,
            document.currency_id or document.company_id.currency_id,
        )
        if price is None:
            return None
        return product._get_tax_included_unit_price_from_price(
            price,
            product_taxes=product.taxes_id._filter_taxes_by_company(document.company_id),
            fiscal_position=document.fiscal_position_id,
        )

    def _look_up_contract_prices(self):
        """Give up the prices of another customer's contracts, and take those of this one's."""
        found = self._get_contract_prices()
        nothing = self.env["support.contract"], 0.0
        changed = self.filtered(
            lambda line: line.support_price_contract_id != found.get(line, nothing)[0]
        )
        if changed:
            changed._recompute_prices()
            changed._keep_contract_prices([{"support_price_reason": False}])

    def _recompute_prices(self):
        """Have Odoo compute the prices anew, and with them those of the contracts."""
        names = ("support_price_contract_id", "support_price_unit", "price_unit")
        for name in names:
            self.env.add_to_compute(self._fields[name], self)
        for name in names:
            self.mapped(name)

    def _note_contract_prices(self):
        """Set contract and price; part of a compute method."""
        prices = self._get_contract_prices()
        nothing = self.env["support.contract"], 0.0
        for line in self:
            if line._keeps_contract_price():
                line.support_price_contract_id = line.support_price_contract_id
                line.support_price_unit = line.support_price_unit
            else:
                line.support_price_contract_id, line.support_price_unit = prices.get(line, nothing)

    def _keeps_contract_price(self):
        """Return whether what was found once stays, whatever becomes of the quantity."""
        return False

    def _is_at_contract_price(self):
        self.ensure_one()
        wanted = {"price_unit": self.support_price_unit, "discount": 0.0}
        return all(
            not float_compare(self[name], value, precision_digits=PRICE_DIGITS)
            for name, value in wanted.items()
        )

    def _get_astray(self):
        """Return the lines with another price than their contract's, for no reason given."""
        return self.filtered(
            lambda line: (
                line.support_price_contract_id
                and not line.support_price_reason
                and line._can_have_contract_price()
                and not line._is_at_contract_price()
            )
        )

    # === WHAT PEOPLE ENTER === #

    def _check_priced_values(self, vals_list):
        """Refuse what follows by itself, in values and in the context."""
        given = {f"default_{name}" for name in PRICED_FIELDS}.intersection(self.env.context)
        given = given or any(PRICED_FIELDS.intersection(vals) for vals in vals_list)
        if given and not self.env.su:
            raise AccessError(
                self.env._(
                    "The price of a contract follows from the contract and can't be written. Give "
                    "a reason for another price and enter that."
                )
            )

    def _keep_contract_prices(self, vals_list):
        """Bring lines back to the price of their contract; log what is overridden.

        :param list vals_list: what was written, for all lines or for each
        """
        names = set().union(*vals_list)
        if not PRICE_FIELDS.intersection(names):
            return
        astray = self._get_astray()
        if {"price_unit", "discount"}.intersection(names):
            astray._log_on_document(
                self.env._("%(product)s keeps the price of contract %(contract)s: %(price)s.")
            )
        for line in astray:
            line.write(line._prepare_contract_price())
        if {"support_price_reason", "price_unit", "discount"}.intersection(names):
            self.filtered(
                lambda line: (
                    line.support_price_contract_id
                    and line.support_price_reason
                    and not line._is_at_contract_price()
                )
            )._log_on_document(
                self.env._(
                    "%(product)s is sold at %(sold)s instead of %(price)s, the price of contract "
                    "%(contract)s: %(reason)s"
                )
            )

    def _log_on_document(self, text):
        for document, lines in self.grouped(lambda line: line._get_priced_document()).items():
            body = Markup("<br/>").join(text % line._prepare_price_log() for line in lines)
            # Whoever may change the price may say so.
            document.sudo()._message_log(body=body)

    def _prepare_price_log(self):
        self.ensure_one()
        currency = self.currency_id
        return {
            "product": self.product_id.display_name,
            "contract": self.support_price_contract_id.sudo().name,  # its number, for everybody
            "price": currency.format(self.support_price_unit),
            "sold": currency.format(self.price_unit * (1 - (self.discount or 0.0) / 100)),
            "reason": self.support_price_reason,
        }

    def _warn_of_contract_price(self):
        """Bring a line that is being entered back to its price, and say why."""
        astray = self._get_astray()
        if not astray:
            return None
        for line in astray:
            line.update(line._prepare_contract_price())
        return {
            "warning": {
                "type": "notification",
                "title": self.env._("The contract sets the price"),
                "message": self.env._(
                    "%(product)s costs %(price)s under contract %(contract)s. To sell it at "
                    "another price, enter a reason for it on the line first.",
                    **astray[0]._prepare_price_log(),
                ),
            }
        }
