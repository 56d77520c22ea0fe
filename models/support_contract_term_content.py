# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal
from fractions import Fraction

from odoo import fields, models
from odoo.tools import format_date

from ..tools.money import less, round_to
from ..tools.periods import Span, term_index, whole_term


class SupportContractTerm(models.Model):
    """What a term brings: its fees and its grants."""

    _inherit = "support.contract.term"

    def _prepare_fees(self, lines=None, known=None, until=None):
        """Return the charges of the recurring products in this term.

        One charge for each stretch of days in which quantity and price stay the same, each
        rounded on its own. A contract for one ticket costs them once, however long that takes.

        :param date known: leave out what changed from this day on
        :param date until: as if the contract ended on this day, if that is earlier
        """
        self.ensure_one()
        contract = self.contract_id
        if self.kind != "regular" or contract._is_for_request() and self.number:
            return []
        proration = "none" if contract._is_for_request() else contract.proration
        used, whole = Span(self.date_start, self.date_end), Span(self.whole_start, self.whole_end)
        if until:
            used = used.clip(Span(min(until, self.date_start), until))
            if not used:
                return []
        return [
            self._prepare_fee(line, stretch)
            for line in (contract.line_ids if lines is None else lines)
            for stretch in line._get_stretches(used, whole, proration, known)
        ]

    def _prepare_fee(self, line, stretch):
        contract = self.contract_id
        currency = contract.currency_id
        lang = contract.partner_id.lang
        days = " – ".join(format_date(self.env, day, lang) for day in stretch.span)
        exact = Fraction(stretch.quantity) * Fraction(stretch.price_unit) * stretch.share
        discount = self._get_discount()
        return {
            "kind": "recurring",
            "name": f"{line.name} ({days})",
            "date": stretch.span.start,
            "company_id": contract.company_id.id,
            "currency_id": currency.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "term_id": self.id,
            "billing_term_id": self.id,
            "contract_line_id": line.id,
            "product_id": line.product_id.id,
            "quantity": float(stretch.quantity),
            "price_unit": float(Fraction(stretch.price_unit) * stretch.share),
            "discount": float(discount),
            "amount": float(round_to(less(exact, discount), Decimal(str(currency.rounding)))),
        }

    def _prepare_grants(self):
        """Return the values of the grants that open with this term."""
        self.ensure_one()
        contract = self.contract_id
        if self.kind != "regular":
            return []
        return [
            values
            for allowance in contract.allowance_ids
            if self.number == contract._get_first_number() or not self._is_granted_once(allowance)
            for values in self._prepare_allowance_grants(allowance)
        ]

    def _is_granted_once(self, allowance):
        return allowance.per == "contract" or self.contract_id._is_for_request()

    def _prepare_allowance_grants(self, allowance):
        self.ensure_one()
        contract = self.contract_id
        used = Span(self.date_start, self.date_end)
        if self._is_granted_once(allowance):
            spans = [Span(contract.date_start, contract.date_end or False)]
        elif allowance.per == "month":
            anchor, alignment = contract.date_start, contract.alignment
            first, last = (term_index(anchor, 1, day, alignment) for day in used)
            windows = (whole_term(anchor, 1, month, alignment) for month in range(first, last + 1))
            spans = [span for window in windows if (span := window.clip(used))]
        else:
            spans = [used]
        return [
            {
                "name": allowance.name,
                "origin": "allowance",
                "unit": allowance.unit,
                "amount": allowance.quantity,
                "date_from": span.start,
                "date_to": span.end,
                "priority": allowance.priority,
                "partner_id": contract.commercial_partner_id.id,
                "company_id": contract.company_id.id,
                "contract_id": contract.id,
                "term_id": self.id,
                "allowance_id": allowance.id,
                "overdraft": contract.overage_policy in ("carry", "allow"),
                "activity_type_ids": [fields.Command.set(allowance.activity_type_ids.ids)],
            }
            for span in spans
        ]
