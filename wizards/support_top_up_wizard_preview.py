# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import escape

from odoo import models
from odoo.tools import format_date

from ..tools.rating import format_hours, seconds_of


class SupportTopUpWizard(models.TransientModel):
    """What a top-up does, in words: before it is confirmed, and in the contract's history."""

    _inherit = "support.top.up.wizard"

    def _format_amount(self, unit, amount):
        if unit == "time":
            return format_hours(amount)
        return self.env._("%s incidents", amount)

    def _format_units(self):
        return " + ".join(
            self._format_amount(unit, amount) for unit, amount in self._get_units().items()
        )

    def _summarise(self, savings):
        """Return the effect in units, without prices, in sentences."""
        _first, last = self._get_days()
        sentences = [
            self.env._(
                "%(units)s, to be used until %(day)s.",
                units=self._format_units(),
                day=format_date(self.env, last),
            )
            if last
            else self.env._("%(units)s for life.", units=self._format_units())
        ]
        absorbed = [
            self._format_amount(unit, saving.units)
            for unit, saving in savings.items()
            if saving.units
        ]
        if absorbed:
            sentences.append(
                self.env._("Of what exceeded in the term, %s is taken over.", " + ".join(absorbed))
            )
        return sentences

    def _describe(self):
        """Return the whole effect, units and money, as lines to read before it is confirmed."""
        contract, currency = self.contract_id, self.currency_id
        savings = self._get_savings()
        left = {"time": seconds_of(contract.time_left), "incident": contract.incidents_left}
        rows = self._summarise(savings)
        for unit, amount in self._get_units().items():
            rows.append(
                self.env._(
                    "Left on the contract: %(now)s now, %(then)s afterwards.",
                    now=self._format_amount(unit, left[unit]),
                    then=self._format_amount(unit, left[unit] + amount - savings[unit].units),
                )
            )
        saved = sum(saving.amount for saving in savings.values())
        if self.absorb and saved:
            rows.append(self.env._("Charges that disappear: %s, untaxed.", currency.format(saved)))
        elif self.absorb:
            rows.append(self.env._("Nothing was charged that it could take over."))
        rows.append(self._describe_price())
        return [escape(row) for row in rows]

    def _describe_price(self):
        amount, currency = self._get_amount(), self.currency_id
        if not amount:
            return self.env._("Free of charge.")
        contract = self.contract_id
        position = contract.fiscal_position_id or self.env["account.fiscal.position"].with_company(
            contract.company_id
        )._get_fiscal_position(contract.partner_invoice_id)
        # Taxes are read for whoever tops up, who needn't be an accountant.
        own = self.product_id.sudo().taxes_id._filter_taxes_by_company(contract.company_id)
        taxes = position.sudo().map_tax(own) if position else own
        total = taxes.compute_all(
            amount, currency=currency, partner=contract.partner_id, handle_price_include=False
        )["total_included"]
        values = {"amount": currency.format(amount), "total": currency.format(total)}
        if self.billing == "now":
            return self.env._(
                "To pay: %(amount)s untaxed, %(total)s with taxes, at once.", **values
            )
        term = contract._get_billing_term(contract._get_running_term())
        if not term:
            return self.env._("To pay: %(amount)s untaxed, %(total)s with taxes.", **values)
        return self.env._(
            "To pay: %(amount)s untaxed, %(total)s with taxes, on the bill of %(day)s.",
            day=format_date(self.env, term.billing_date),
            **values,
        )
