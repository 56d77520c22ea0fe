# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.periods import Span, fraction, segments

# One stretch of a term on which quantity and price of a line stay the same.
Stretch = namedtuple("Stretch", "span quantity price_unit share")


# What decides how much a recurring product costs in a term.
BILLED_FIELDS = {"quantity", "price_unit", "date_start", "date_end", "change_ids"}


class SupportContractLine(models.Model):
    """A recurring product of a plan or contract: the fixed fee is one, a price per device another.

    Quantity and price change on dates (`support.contract.line.change`); a term is billed by the
    days on which each held.
    """

    _name = "support.contract.line"
    _description = "Recurring Product of a Support Contract"
    _inherit = ["support.terms.item.mixin"]
    _order = "sequence, id"

    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", domain="[('sale_ok', '=', True)]"
    )
    name = fields.Char(
        compute="_compute_product_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    quantity = fields.Float(digits="Product Unit", default=1.0, required=True)
    price_unit = fields.Float(
        digits="Product Price",
        compute="_compute_product_values",
        store=True,
        readonly=False,
        precompute=True,
        string="Price per Term",
    )
    subtotal = fields.Monetary(compute="_compute_subtotal")
    date_start = fields.Date(string="From", help="Empty: from the start of the contract.")
    date_end = fields.Date(string="Until", help="Inclusive. Empty: until the contract ends.")
    change_ids = fields.One2many("support.contract.line.change", "line_id", copy=False)

    changed = fields.Boolean(
        readonly=True,
        copy=False,
        help="Changed after it was charged: the next bill settles the difference.",
    )

    _dates = models.Constraint(
        "CHECK (date_end IS NULL OR date_start IS NULL OR date_end >= date_start)",
        "A recurring product can't end before it starts.",
    )

    @api.depends("product_id")
    def _compute_product_values(self):
        for line in self:
            line.name = line.product_id.get_product_multiline_description_sale()
            line.price_unit = line.product_id.lst_price

    @api.depends("quantity", "price_unit")
    def _compute_subtotal(self):
        for line in self:
            line.subtotal = line.quantity * line.price_unit

    def write(self, vals):
        if BILLED_FIELDS.intersection(vals):
            vals = vals | {"changed": True}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_charged(self):
        charged = (
            self.env["support.charge"]
            .sudo()
            .search_count(  # whoever may delete must hear it
                [("contract_line_id", "in", self.ids)], limit=1
            )
        )
        if charged:
            raise ValidationError(
                self.env._(
                    "This recurring product has been charged already. Give it an end date, "
                    "instead of deleting it, and the bills stay explained."
                )
            )

    def _settle_changes(self):
        """Charge, or credit, what charged terms should have cost since their products changed.

        Should-have-been minus what was charged (ex. B31, B39), per product and term, on the next
        bill.

        :return: the values of the charges
        """
        vals_list = []
        changed = self.filtered("changed")
        for line in changed:
            contract = line.contract_id
            for term in contract.term_ids.filtered(
                lambda term: term.charged and term.kind != "final"
            ):
                difference = line._get_difference(term)
                if not contract.currency_id.is_zero(difference):
                    vals_list.append(line._prepare_difference(term, difference))
        changed.changed = False
        return vals_list

    def _get_difference(self, term, until=None):
        """Return what a charged term costs more, or less, than was charged for this product.

        :param date until: as if the contract ended on this day, if that is earlier
        """
        self.ensure_one()
        charged = self.env["support.charge"].search(
            [
                ("contract_line_id", "=", self.id),
                ("term_id", "=", term.id),
            ]
        )
        if any(charged.mapped("cancelled_at")):
            return 0.0  # a manager has given it up: neither charged again nor given back
        charged = charged.filtered(lambda charge: not charge.cancelled)
        wanted = sum(vals["amount"] for vals in term._prepare_fees(self, until=until))
        elsewhere = self._get_charged_elsewhere(term)
        return wanted - sum(charged.mapped("amount")) - elsewhere

    def _get_charged_elsewhere(self, term):
        """Return what of a term was billed before the contract came here: by what held then."""
        contract = term.contract_id
        day = contract.opening_date
        elsewhere = contract._was_charged_elsewhere(term.date_start)
        if not elsewhere or (self.date_start and self.date_start >= day):
            return 0.0
        return sum(vals["amount"] for vals in term._prepare_fees(self, known=day))

    def _prepare_difference(self, term, amount):
        contract = self.contract_id
        amount = contract.currency_id.round(amount)
        return {
            "kind": "proration",
            "name": self.env._(
                "%(product)s: change in %(term)s", product=self.name, term=term.display_name
            ),
            "date": contract._get_today(),
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "term_id": term.id,
            "billing_term_id": contract._get_billing_term(term).id,
            "contract_line_id": self.id,
            "product_id": self.product_id.id,
            "quantity": 1.0,
            "price_unit": amount,
            "amount": amount,
        }

    def _get_stretches(self, used, whole, method, known=None):
        """Return what this line is worth in one term.

        :param Span used: the days of the contract within the term
        :param Span whole: the whole term, the denominator of the proration (T10)
        :param str method: actual | fixed30 | none
        :param date known: leave out what changed, or ended, from this day on
        :rtype: list[Stretch]: `share` is the exact Fraction of the term
        """
        self.ensure_one()
        end = self.date_end if not known or self.date_end and self.date_end < known else False
        span = used.clip(Span(self.date_start or used.start, end or used.end))
        if not span:
            return []
        changes = [
            (change.date, (Decimal(str(change.quantity)), Decimal(str(change.price_unit))))
            for change in self.change_ids
            if not known or change.date < known
        ]
        initial = (Decimal(str(self.quantity)), Decimal(str(self.price_unit)))
        return [
            Stretch(part, quantity, price, 1 if method == "none" else fraction(part, whole, method))
            for stretch, (quantity, price) in segments(span, changes, initial)
            if quantity
            for part in self._get_paid_parts(stretch, method)
        ]

    def _get_paid_parts(self, span, _method):
        """Return the parts of a span whose days cost something; to be extended.

        :param str _method: actual | fixed30 | none
        """
        return [span]
