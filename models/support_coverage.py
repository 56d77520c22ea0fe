# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import defaultdict, namedtuple

from odoo import api, models
from odoo.fields import Domain

HOLDERS = ("item", "customer", "unit")

# Who asks: the contact, the company and the day of the ticket, and the item it is about.
Request = namedtuple("Request", "partner company day equipment", defaults=[None])
# What is looked at for a request: the contact and the org units above it, and the contracts of
# each kind of holder, the nearest holder first.
View = namedtuple("View", "chain contracts")
# Whether a contract covers a request: valid, pending or False; and why, as a word of REASONS.
Verdict = namedtuple("Verdict", "state reason")
# In which order holders can be tried, the first being the default (L14).
COVERAGE_ORDERS = [
    ("item_customer_unit", "Item, customer, department"),
    ("item_unit_customer", "Item, department, customer"),
    ("customer_unit_item", "Customer, department, item"),
    ("customer_item_unit", "Customer, item, department"),
    ("unit_customer_item", "Department, customer, item"),
    ("unit_item_customer", "Department, item, customer"),
]


class SupportCoverage(models.AbstractModel):
    """Finds the contract under which a ticket falls (L14), and says why (`_examine`)."""

    _name = "support.coverage"
    _description = "Coverage of Tickets by Support Contracts"

    @api.model
    def _find(self, requests):
        """Return the contract that covers each request, in a constant number of queries.

        All valid levels are tried before any pending one. On a level the nearest holder goes
        first; of several contracts the lowest priority wins, then the earliest end, then the
        lowest id.

        :param list[Request] requests:
        :return: {request: contract}, an empty one where none covers
        """
        domain = Domain("state", "in", ("active", "pending"))
        domain &= Domain("apply_to_new_tickets", "=", True)
        views = self._look(requests, domain)
        return {request: self._examine(request, view)[1] for request, view in views.items()}

    @api.model
    def _look(self, requests, domain):
        """Return what is to be judged for each request: {request: View}.

        :param Domain domain: limits the contracts; those outside would not cover anyway
        """
        chains = self._get_chains(requests)
        holders = self.env["res.partner"].union(*chains.values())
        items = self.env["maintenance.equipment"].union(
            *(request.equipment for request in requests if request.equipment)
        )
        contracts = self._get_candidates(holders, items, requests, domain)
        by_holder = contracts.grouped("partner_id")
        by_item = defaultdict(contracts.browse)
        for contract in contracts:
            for item in contract.equipment_ids & items:
                by_item[item] += contract
        views = {}
        for request, chain in chains.items():
            of_items = by_item[request.equipment] if request.equipment else contracts.browse()
            of_customer, of_units = contracts.browse(), contracts.browse()
            for partner in chain:
                own = by_holder.get(partner, contracts.browse())
                of_items |= own.filtered(lambda contract: contract.coverage == "item")
                others = own.filtered(lambda contract: contract.coverage != "item")
                if partner == request.partner:
                    of_customer += others
                else:
                    of_units += others
            found = {"item": of_items, "customer": of_customer, "unit": of_units}
            views[request] = View(
                chain,
                {
                    holder: found[holder].filtered(
                        lambda contract, company=request.company: contract.company_id == company
                    )
                    for holder in HOLDERS
                },
            )
        return views

    @api.model
    def _examine(self, request, view):
        """Judge every contract of a view and choose the one that covers.

        :return: ([(holder, state, [(contract, Verdict)])], contract): all levels in their order,
            the contracts of each with the best one first, and the chosen one or an empty one
        """
        chosen = self.env["support.contract"]
        judged = {
            holder: [
                (contract, contract._judge(request))
                for contract in contracts.sorted(
                    lambda contract: self._get_rank(contract, view.chain)
                )
            ]
            for holder, contracts in view.contracts.items()
        }
        levels = []
        for holder, state in self._get_order(request.company):
            levels.append((holder, state, judged[holder]))
            fitting = [contract for contract, verdict in judged[holder] if verdict.state == state]
            chosen = chosen or next(iter(fitting), chosen)
        return levels, chosen

    @api.model
    def _get_rank(self, contract, chain):
        """Return by what the contracts of a level are put in order, the one to be tried first."""
        distance = chain.ids.index(contract.partner_id.id) if contract.partner_id in chain else 0
        return distance, contract.priority, contract._get_life().end, contract.id

    @api.model
    def _get_order(self, company):
        """Return the order of validation for a company: [(holder, state)].

        All holders are tried for a valid contract before any is for a pending one (L14).
        """
        holders = company.support_coverage_order.split("_")
        return [(holder, state) for state in ("valid", "pending") for holder in holders]

    @api.model
    def _get_chains(self, requests):
        """Return the contact of each request and the org units above it, nearest first.

        Up to the commercial partner, to whom all their units and invoices belong. Read level by
        level: as many queries as the hierarchy is deep.
        """
        level = self.env["res.partner"].union(*(request.partner for request in requests))
        while level:
            level.fetch(["parent_id", "commercial_partner_id"])
            level = (level - level.commercial_partner_id).parent_id
        chains = {}
        for request in requests:
            chain = partner = request.partner
            while partner and partner != request.partner.commercial_partner_id:
                partner = partner.parent_id
                chain += partner
            chains[request] = chain
        return chains

    @api.model
    def _get_candidates(self, holders, items, requests, domain):
        if not holders:
            return self.env["support.contract"]
        companies = [request.company.id for request in requests]
        return self.env["support.contract"].search(
            Domain("company_id", "in", companies)
            & domain
            & (Domain("partner_id", "in", holders.ids) | Domain("equipment_ids", "in", items.ids))
        )
