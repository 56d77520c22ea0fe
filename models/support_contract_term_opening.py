# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import format_date

from ..tools.periods import whole_term


class SupportContractTerm(models.Model):
    """The term in which a contract came here: it opens with what was left and was owed."""

    _inherit = "support.contract.term"

    def _prepare_terms(self, contract, until, first):
        """Take the fee of the term as charged that was billed before the contract came here."""
        return [
            vals | {"charged": True, "discount": float(contract._get_discount())}
            if contract._was_charged_elsewhere(vals["date_start"])
            else vals
            for vals in super()._prepare_terms(contract, until, first)
        ]

    def _prepare_grants(self):
        """Fill the allowances of the opening day with what was left; later ones are granted whole.

        Each is filled up to its quantity, in the order of the allowances.
        """
        vals_list = super()._prepare_grants()
        day = self.contract_id.opening_date
        if not day or self.date_start > day:
            return vals_list
        vals_list = [
            vals | {"date_from": max(vals["date_from"], day)}
            for vals in vals_list
            if not vals["date_to"] or vals["date_to"] >= day
        ]
        reason = self.env._("Opening balance")
        for unit, left in self.contract_id._get_opening_units().items():
            for vals in vals_list:
                if vals["unit"] == unit and vals["date_from"] == day:
                    vals |= {"amount": min(vals["amount"], left), "reason": reason}
                    left -= vals["amount"]
            if left:
                vals_list.append(self._prepare_opening_grant(unit, left))
        return vals_list

    def _prepare_opening_grant(self, unit, amount):
        """Return the grant of the units that were left beyond the allowances."""
        contract = self.contract_id
        carried = contract.allowance_ids.filtered(
            lambda allowance: allowance.unit == unit and allowance.carry_forward
        )[:1]
        return {
            "name": self.env._("Opening balance"),
            "origin": "opening",
            "reason": self.env._("Opening balance"),
            "unit": unit,
            "amount": amount,
            "date_from": contract.opening_date,
            "date_to": self._get_opening_end(carried),
            "priority": carried.priority or 10,
            "partner_id": contract.commercial_partner_id.id,
            "company_id": contract.company_id.id,
            "contract_id": contract.id,
            "term_id": self.id,
            "activity_type_ids": [fields.Command.set(carried.activity_type_ids.ids)],
        }

    def _get_opening_end(self, allowance):
        """Return the last day of what was left beyond the allowances; False: no end.

        It counts as carried out of the term before, by the terms of the allowance that is
        carried forward; where none is, it was bought extra and lasts as long as the contract.
        """
        contract = self.contract_id
        if not allowance.carry_terms:
            return contract.date_end
        span = whole_term(
            contract.date_start,
            int(contract.billing_period),
            self.number - 1 + allowance.carry_terms,
            contract.alignment,
        )
        return min(span.end, contract.date_end or span.end)

    def _prepare_opening_charges(self):
        """Return the charge of what was still to be billed: on the first bill made here."""
        self.ensure_one()
        contract = self.contract_id
        day = contract.opening_date
        amount = contract.opening_amount
        if not day or not amount or not self.date_start <= day <= self.date_end:
            return []
        label = format_date(self.env, day, contract.partner_id.lang)
        coming = contract.term_ids.sorted("number").filtered(lambda term: not term.charged)
        return [
            {
                "kind": "opening",
                "name": self.env._("Opening balance: work before %s", label),
                "date": day,
                "company_id": contract.company_id.id,
                "currency_id": contract.currency_id.id,
                "partner_id": contract.commercial_partner_id.id,
                "contract_id": contract.id,
                "term_id": self.id,
                "billing_term_id": coming[:1].id,
                "product_id": contract._get_opening_product().id,
                "quantity": 1.0,
                "price_unit": amount,
                "amount": amount,
            }
        ]
