# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.ticket_charge import split


class SupportCharge(models.Model):
    """The instalments of a ticket (Q34): each is a charge that is billed when its day has come.

    Under a contract on the bill of the term that holds its day; without one, or where there is no
    such term, at once. They share what the ticket still asks for: what is on an approved bill
    stays, and the other instalments are worth the rest.
    """

    _inherit = "support.charge"

    instalment = fields.Integer(readonly=True, help="Its number, of a ticket in instalments.")

    @api.model
    def _get_due_domain(self, until):
        """Return which open charges are to be billed up to a day."""
        arrived = Domain("kind", "!=", "ticket") | Domain("date", "<=", until)
        return Domain("state", "=", "open") & (
            (Domain("billing_term_id", "=", False) & arrived)
            | Domain("billing_term_id", "any", [("billing_date", "<=", until)])
        )

    @api.model
    def _place_instalments(self, contracts):
        """Have instalments come on the bills of the terms of their days, once there are such."""
        waiting = self.search(
            [
                ("contract_id", "in", contracts.ids),
                ("instalment", ">", 0),
                ("state", "=", "open"),
                ("billing_term_id", "=", False),
            ]
        )
        for charge in waiting:
            charge.write(self._prepare_instalment_terms(charge.contract_id, charge.date))

    @api.model
    def _prepare_instalment_terms(self, contract, day):
        """Return on whose bill an instalment comes, as far as that can be said today."""
        term = contract and contract._get_term_on(day)
        if not term or not term.date_start <= day <= term.date_end:
            return {"billing_term_id": False}
        return {"billing_term_id": contract._get_billing_term(term).id}

    @api.model
    def _split_wanted(self, ticket, wanted, frozen):
        """Return what the ticket asks for, by what is refunded and by instalment.

        :param dict wanted: {refunded charge id, or None: amount}, see `settle`
        :param frozen: its charges that can't change any more
        :return: {(refunded charge id or None, number of the instalment or 0): amount}
        """
        parts = {(original, 0): amount for original, amount in wanted.items()}
        days = ticket._get_instalment_days()
        rest = days is not None and parts.pop((None, 0), None)
        if not rest or not days:
            return parts  # counted from its closing, nothing is owed before that
        numbers = range(1, len(days) + 1)
        done = set(frozen.mapped("instalment"))
        free = [number for number in numbers if number not in done] or [len(days)]
        step = Decimal(str(ticket.charge_currency_id.rounding))
        amounts = zip(free, split(rest, len(free), step), strict=True)
        return parts | {(None, number): amount for number, amount in amounts if amount}

    @api.model
    def _prepare_ticket_charge(self, ticket, original, amount, instalment):
        vals = super()._prepare_ticket_charge(ticket, original, amount, instalment)
        return vals | self._prepare_instalment(ticket, instalment) if instalment else vals

    def _prepare_instalment(self, ticket, number):
        """Return the values that make a charge the instalment of this number."""
        days = ticket._get_instalment_days()
        day = days[number - 1]
        ticket = ticket.with_context(lang=ticket.partner_id.lang or self.env.lang)
        name = ticket.env._(
            "%(product)s – %(ticket)s, instalment %(number)s of %(count)s",
            product=ticket._get_charge_product().display_name,
            ticket=ticket.display_name,
            number=number,
            count=len(days),
        )
        terms = self._prepare_instalment_terms(ticket.contract_id, day)
        return {"name": name, "date": day} | terms

    def _follow_ticket(self, ticket, amount):
        changed = super()._follow_ticket(ticket, amount)
        if amount is None or not 0 < self.instalment <= len(ticket._get_instalment_days() or ()):
            return changed
        vals = self._prepare_instalment(ticket, self.instalment)
        moved = vals["date"] != self.date
        if not changed and not moved and vals["name"] == self.name:
            return False
        if not moved and (self.bill_id or self._is_moved()):
            vals.pop("billing_term_id")  # on a bill, or carried by hand: it stays there
        elif moved:
            vals["bill_id"] = False
        self.write(vals)
        return True
