# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models

from .support_charge import FROZEN_STATES


class SupportCharge(models.Model):
    """Charges by bill rules: the fixed price of a ticket, and work at a rule's own rates."""

    _inherit = "support.charge"

    bill_rule_id = fields.Many2one(
        "support.bill.rule",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The rule that has priced it.",
    )

    @api.model
    def _sync_rules(self, tickets, late=False):
        """Make the fixed prices of tickets what the bill rules say; what is billed stays.

        :param bool late: also those of terms that are billed already, of tickets recorded late;
            otherwise a rule, or a ticket that is sorted anew, reaches back to no billed term
        """
        # sudo: as the other charges of work. What replaced versions of bills keep doesn't count.
        self, tickets = self.sudo().with_context(active_test=True), tickets.sudo()
        billed = self.search(
            [
                ("ticket_id", "in", tickets.ids),
                ("kind", "=", "rule"),
                ("state", "in", FROZEN_STATES),
            ]
        ).ticket_id
        tickets -= billed
        if not late:
            tickets -= self._get_settled_tickets(tickets)
        pairs = [(ticket, ticket.contract_id) for ticket in tickets if ticket.contract_id]
        found = self.env["support.bill.rule"]._find(pairs)
        wanted = {}
        for (ticket, _contract), rule in found.items():
            day = rule.cost == "fixed" and rule.amount and ticket._get_rule_day()
            if day:
                wanted[ticket.id, 0] = self._prepare_rule(ticket, rule, day)
        self._sync(wanted, [("ticket_id", "in", tickets.ids)], "ticket_id", kinds=("rule",))

    @api.model
    def _get_settled_tickets(self, tickets):
        """Return the tickets whose term is billed, and that had no fixed price then."""
        known = self.search([("ticket_id", "in", tickets.ids), ("kind", "=", "rule")]).ticket_id
        return (tickets - known).filtered(lambda ticket: ticket._is_rule_term_billed())

    @api.model
    def _prepare_rule(self, ticket, rule, day):
        amount = ticket.contract_id.currency_id.round(rule.amount)
        vals = {
            **self._prepare_work_charge(ticket, ticket.contract_id, day),
            "kind": "rule",
            "name": f"{rule.name} – {ticket.display_name}",
            "product_id": rule.product_id.id,
            "bill_rule_id": rule.id,
            "quantity": 1.0,
            "price_unit": amount,
            "amount": amount,
        }
        return self._discount(ticket.contract_id, vals, Decimal(str(amount)))

    @api.model
    def _prepare_time_charge(self, line, kind, seconds, price, names):
        """Name the rule that has priced the work, where it isn't covered."""
        rule_id = line.rated_pieces[0].get("rule")
        rule = self.env["support.bill.rule"].browse(rule_id or ())  # it can't be deleted any more
        if rule and kind != "covered":
            names = [rule.name, *names]
        vals = super()._prepare_time_charge(line, kind, seconds, price, names)
        return vals | {"bill_rule_id": rule.id if kind != "covered" else False}
