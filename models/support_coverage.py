# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple

from odoo import api, models

# Who asks: the contact, the company and the day of the ticket.
Request = namedtuple("Request", "partner company day")
# In which order holders and states are tried. Each is (holder, states).
DEFAULT_ORDER = (
    ("customer", "valid"),
    ("org_unit", "valid"),
    ("customer", "pending"),
    ("org_unit", "pending"),
)


class SupportCoverage(models.AbstractModel):
    """Finds the contract under which a ticket falls (L14)."""

    _name = "support.coverage"
    _description = "Coverage of Tickets by Support Contracts"

    @api.model
    def _find(self, requests):
        """Return the contract that covers each request, in a constant number of queries.

        All valid levels are tried before any pending one; of several contracts on a level the
        lowest priority wins, then the earliest end, then the lowest id.

        :param list[Request] requests:
        :return: {request: contract}, an empty one where none covers
        """
        partners = self.env["res.partner"].union(*(request.partner for request in requests))
        partners.fetch(["parent_id"])
        chains = {request: self._get_holders(request.partner) for request in requests}
        holders = self.env["res.partner"].union(
            *(partner for chain in chains.values() for partner in chain)
        )
        candidates = self._get_candidates(holders, requests).grouped("partner_id")
        found = {}
        for request, chain in chains.items():
            found[request] = self.env["support.contract"]
            for holder, state in self._get_order(request.company):
                partners = chain[:1] if holder == "customer" else chain[1:]
                contract = self._pick(partners, candidates, request, state)
                if contract:
                    found[request] = contract
                    break
        return found

    @api.model
    def _get_order(self, company):
        """Return the order of validation for a company; override to change it."""
        return DEFAULT_ORDER

    @api.model
    def _get_holders(self, partner):
        """Return the contact and the org units above it, nearest first."""
        chain = []
        while partner:
            chain.append(partner)
            partner = partner.parent_id
        return chain

    @api.model
    def _get_candidates(self, holders, requests):
        if not holders:
            return self.env["support.contract"]
        return self.env["support.contract"].search(
            [
                ("partner_id", "in", holders.ids),
                ("company_id", "in", [request.company.id for request in requests]),
                ("state", "in", ("active", "pending")),
                ("apply_to_new_tickets", "=", True),
            ]
        )

    @api.model
    def _pick(self, partners, candidates, request, state):
        for partner in partners:
            fitting = [
                contract
                for contract in candidates.get(partner, ())
                if contract.company_id == request.company
                and contract._get_coverage_state(request.day) == state
            ]
            if fitting:
                return min(
                    fitting,
                    key=lambda contract: (
                        contract.priority,
                        contract._get_life().end,
                        contract.id,
                    ),
                )
        return None
