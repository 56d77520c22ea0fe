"""Creating tickets that find their contract and take an incident, against plain tickets.

The plain ones are made in a database without the add-on: where it is installed, no ticket is
plain any more.
"""

from devenv import environment

from .measure import alternate, expect, make_customers, try_out
from .support import check_proof, make_contracts

CUSTOMERS = 100
FEW, MANY = 100, 1000
ROUNDS = 3


def run(figures, database, plain):
    with environment(database) as env, environment(plain) as plain_env:
        partners = make_customers(env, CUSTOMERS, "Caller")
        contracts = make_contracts(env, partners, incidents=MANY)
        team = env["helpdesk.ticket.team"].create({"name": "Bench", "requires_incident": True})
        plain_partners = make_customers(plain_env, CUSTOMERS, "Caller")
        plain_team = plain_env["helpdesk.ticket.team"].create({"name": "Bench"})
        env.cr.commit()
        plain_env.cr.commit()

        def check(tickets):
            expect(tickets.contract_id == tickets.contract_id & contracts, "contracts")
            expect(all(ticket.contract_id for ticket in tickets), "a ticket without contract")
            expect(set(tickets.mapped("consumed_incidents")) == {1}, "one incident per ticket")
            used = sum(contracts.entitlement_ids.mapped("used"))
            expect(used == len(tickets), f"{used} incidents used by {len(tickets)} tickets")
            check_proof(env, contracts)

        def check_plain(tickets):
            expect(len(tickets.partner_id) == CUSTOMERS, "customers of the plain tickets")

        def ours(count):
            return _create(env, partners, team, count, check)

        def floor(count):
            return _create(plain_env, plain_partners, plain_team, count, check_plain)

        many = alternate(ROUNDS, ours=lambda: ours(MANY), floor=lambda: floor(MANY))
        few = alternate(2, ours=lambda: ours(FEW), floor=lambda: floor(FEW))
    for name, cost in many.items():
        figures.add(f"tickets: {name}", 1000 * cost.seconds / MANY, "ms per ticket")
        figures.add(f"tickets: {name}, queries", cost.queries / MANY, "per ticket")
    figures.compare("tickets with incident / plain tickets", many["ours"], many["floor"], 1.2)
    extra = {
        count: costs["ours"].queries - costs["floor"].queries
        for count, costs in ((FEW, few), (MANY, many))
    }
    for count, queries in extra.items():
        figures.add(f"tickets: extra queries for {count}", queries, "queries")
    # Odoo writes in pages of 100 rows: that much, and no more, comes with further records.
    per_page = (extra[MANY] - extra[FEW]) / (MANY - FEW) * 100
    figures.add("tickets: extra queries per further 100", per_page, "queries", 4)


def _create(env, partners, team, count, check):
    vals_list = [
        {
            "name": f"Printer {number}",
            "description": "It does not print.",
            "partner_id": partners[number % CUSTOMERS].id,
            "team_id": team.id,
        }
        for number in range(count)
    ]
    return try_out(env, lambda: env["helpdesk.ticket"].create(vals_list), check)
