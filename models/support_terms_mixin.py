# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

BILLING_PERIODS = [("1", "Month"), ("3", "Quarter"), ("6", "Half-year"), ("12", "Year")]


class SupportTermsMixin(models.AbstractModel):
    """The commercial terms that a plan offers and that a contract takes over."""

    _name = "support.terms.mixin"
    _description = "Support Contract Terms"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one("res.currency", required=True)
    billing_period = fields.Selection(
        BILLING_PERIODS,
        required=True,
        default="1",
        help="The length of a term: what is granted and billed at a time.",
    )
    billing_mode = fields.Selection(
        [("advance", "In advance"), ("arrears", "In arrears")],
        required=True,
        default="arrears",
        help="In advance: fees are billed on the first day of the term, together with the usage "
        "of the term before. In arrears: fees and usage are billed after the term's last day.",
    )
    alignment = fields.Selection(
        [("anniversary", "From the start date"), ("calendar", "Calendar months")],
        string="Terms Start",
        required=True,
        default="anniversary",
        help="Calendar: terms are whole calendar months, quarters, half-years or years; the "
        "first and the last are prorated.",
    )
    proration = fields.Selection(
        [
            ("actual", "By actual days of the term"),
            ("fixed30", "By months of 30 days"),
            ("none", "None: every started term in full"),
        ],
        required=True,
        default="actual",
        help="How the fees of an incomplete term are computed. Units are never prorated.",
    )
    overage_policy = fields.Selection(
        [
            ("charge", "Charge: what exceeds is billed by the rates"),
            ("block", "Block: work that exceeds is refused"),
            ("carry", "Carry: what exceeds is taken from the next term"),
            ("allow", "Allow: the balance may go negative"),
        ],
        required=True,
        default="charge",
        help="What happens when the units of the term are used up.",
    )
    warning_thresholds = fields.Char(
        default="80, 100",
        help="Percentages of a grant at which staff and the customer are told, each once per "
        "crossing, e.g. 80, 100. Empty: nobody is told.",
    )
    ends_when_used = fields.Boolean(
        string="Ends When Used Up",
        help="The contract expires as soon as its last unit is used, even before its end date.",
    )
    bill_approval = fields.Selection(
        [("none", "Not needed"), ("manager", "By a manager"), ("customer", "By the customer")],
        required=True,
        default="none",
        help="Who must approve a bill before it becomes an invoice.",
    )
    pricelist_id = fields.Many2one(
        "product.pricelist",
        check_company=True,
        domain="[('currency_id', '=', currency_id)]",
        help="Prices of labour, parts and incidents; empty: the products' sales prices.",
    )
    incident_product_id = fields.Many2one(
        "product.product",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
        help="Bills a ticket for which no prepaid incident is left. With a product here each "
        "ticket under the contract takes one incident.",
    )
    incident_price = fields.Monetary(
        groups="support_contract.group_support_prices",
        help="Price of one incident that isn't prepaid; 0: the product's price in the price list.",
    )

    @api.constrains("warning_thresholds")
    def _check_warning_thresholds(self):
        for terms in self:
            terms._get_warning_thresholds()

    @api.constrains("pricelist_id", "currency_id")
    def _check_pricelist_currency(self):
        for terms in self.filtered("pricelist_id"):
            if terms.pricelist_id.currency_id != terms.currency_id:
                raise ValidationError(
                    self.env._(
                        "The price list %(pricelist)s of %(name)s is in %(other)s, the terms are "
                        "in %(currency)s. Choose a price list in %(currency)s.",
                        pricelist=terms.pricelist_id.name,
                        name=terms.display_name,
                        other=terms.pricelist_id.currency_id.name,
                        currency=terms.currency_id.name,
                    )
                )

    def _get_warning_thresholds(self):
        """Return the thresholds in percent, ascending.

        :rtype: list[int]
        :raise ValidationError: if one isn't a whole number of percent above 0
        """
        self.ensure_one()
        words = (self.warning_thresholds or "").replace(";", ",").replace("%", "").split(",")
        words = [word.strip() for word in words if word.strip()]
        if not all(word.isdigit() and int(word) for word in words):
            raise ValidationError(
                self.env._(
                    "The warning thresholds “%(thresholds)s” can't be read. Write whole numbers "
                    "of percent separated by commas, e.g. 80, 100.",
                    thresholds=self.warning_thresholds,
                )
            )
        return sorted({int(word) for word in words})
