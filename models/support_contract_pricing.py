# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain


class SupportContract(models.Model):
    """The special prices of a contract: for any product, labour included (Y20-Y23)."""

    _inherit = "support.contract"

    price_item_ids = fields.One2many(
        "product.pricelist.item",
        "support_contract_id",
        string="Special Prices",
        copy=True,
        groups="support_contract.group_support_prices",
        help="While the contract runs they go before every price list, on work under the contract "
        "and on the customer's orders and invoices.",
    )

    def _get_price_item(self, product, quantity, day):
        """Return the rule that gives a product its special price on a day; none: it has none.

        As on a price list: a variant goes before its product, that before its category, that
        before all products; then the highest quantity that is reached.

        :param float quantity: in the product's own unit of measure
        """
        self.ensure_one()
        # Whoever sells or works gets the price; the list of them isn't shown to everybody.
        for item in self.sudo().price_item_ids.sorted(lambda item: item._get_support_rank()):
            start = item.date_start and self._get_local_day(item.date_start)
            end = item.date_end and self._get_local_day(item.date_end)
            if (
                (not start or start <= day)
                and (not end or day <= end)
                and item._is_applicable_for(product, quantity)
            ):
                return item
        return self.env["product.pricelist.item"]

    def _get_special_price(self, product, quantity, uom, day, currency):
        """Return the special price of one unit of measure of a product, or None.

        :param day: of the price and of the rate at which it is converted
        :param currency: in which the price is wanted; it isn't rounded
        """
        self.ensure_one()
        own = uom._compute_quantity(quantity, product.uom_id, round=False, raise_if_failure=False)
        item = self._get_price_item(product, own, day)
        if not item:
            return None
        price = item._get_support_price(product, quantity, uom, day)
        if currency == self.currency_id:
            return price
        return self.currency_id._convert(price, currency, self.company_id, day, round=False)

    def _get_product_price(self, product, day, unit=None):
        item = self._get_price_item(product, 1.0, day)
        if not item:
            return super()._get_product_price(product, day, unit)
        uom = self._get_price_unit_of_measure(product, unit)
        return item._get_support_price(product, 1.0, uom, day)

    @api.model
    def _get_running(self, companies, partners, domain):
        """Return the running contracts of customers, in the order in which they decide.

        Of several that say something about a product: priority, then the earliest end, then the
        lowest id. One query, however many customers.

        :param partners: commercial partners
        :param domain: what the contracts must have
        :return: {(company, commercial partner): contracts}
        """
        if not partners:
            return {}
        # The agreements of a customer hold whoever sells him something.
        contracts = self.sudo().search(
            Domain("commercial_partner_id", "in", partners.ids)
            & Domain("company_id", "in", companies.ids)
            & Domain("state", "=", "active")
            & Domain(domain)
        )
        return contracts.sorted(
            lambda contract: (contract.priority, contract.date_end or date.max, contract.id)
        ).grouped(lambda contract: (contract.company_id, contract.commercial_partner_id))

    def _runs_on(self, day):
        """Return whether a day is within the contract's life."""
        self.ensure_one()
        life = self._get_life()
        return life.start <= day <= life.end
