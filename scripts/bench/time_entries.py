"""Logging time on tickets, rated and drawn from allowances, against plain timesheets."""

from datetime import date, datetime, time

from devenv import environment

from .measure import alternate, expect, make_customers, try_out
from .support import check_proof, make_contracts, make_labour, make_night

CUSTOMERS = 100
FEW, MANY = 100, 1000
ROUNDS = 3


def run(figures, database, plain):
    with environment(database) as env, environment(plain) as plain_env:
        check = _prepare(env)
        project = plain_env["project.project"].create({"name": "Bench", "allow_timesheets": True})
        for each in (env, plain_env):
            _ensure_employee(each)
            each.cr.commit()

        def ours(count):
            vals_list = [
                _prepare_work(check["tickets"], check["types"], number) for number in range(count)
            ]
            return _create(env, vals_list, lambda lines: _check(env, lines, check["contracts"]))

        def floor(count):
            vals_list = [
                {
                    "project_id": project.id,
                    "name": f"Work {number}",
                    "date": date.today(),
                    "unit_amount": 2.0,
                }
                for number in range(count)
            ]
            return _create(
                plain_env,
                vals_list,
                lambda lines: expect(len(lines) == count, "plain timesheets"),
            )

        many = alternate(ROUNDS, ours=lambda: ours(MANY), floor=lambda: floor(MANY))
        few = alternate(2, ours=lambda: ours(FEW), floor=lambda: floor(FEW))
    for name, cost in many.items():
        figures.add(f"time entries: {name}", 1000 * cost.seconds / MANY, "ms per entry")
        figures.add(f"time entries: {name}, queries", cost.queries / MANY, "per entry")
    figures.compare("rated time entries / plain timesheets", many["ours"], many["floor"], 1.5)
    extra = {
        count: costs["ours"].queries - costs["floor"].queries
        for count, costs in ((FEW, few), (MANY, many))
    }
    for count, queries in extra.items():
        figures.add(f"time entries: extra queries for {count}", queries, "queries")
    # Odoo writes in pages of 100 rows: that much, and no more, comes with further records.
    per_page = (extra[MANY] - extra[FEW]) / (MANY - FEW) * 100
    figures.add("time entries: extra queries per further 100", per_page, "queries", 4)


def _prepare(env):
    """Have contracts with time for one of two activities, and a ticket under each."""
    labour = make_labour(env)
    types = env["support.activity.type"].create(
        [{"name": name, "product_id": labour.id} for name in ("Phone", "Preventive")]
    )
    rates = [
        {"kind": "price", "price": 70.0},
        {"kind": "multiplier", "multiplier": 1.5, "shift_id": make_night(env).id, "name": "Night"},
    ]
    partners = make_customers(env, CUSTOMERS, "Client")
    contracts = make_contracts(env, partners, hours=40, labour=types[0], rates=rates)
    team = env["helpdesk.ticket.team"].create({"name": "Bench time"})
    tickets = env["helpdesk.ticket"].create(
        [
            {
                "name": partner.name,
                "description": "Work",
                "partner_id": partner.id,
                "team_id": team.id,
            }
            for partner in partners
        ]
    )
    return {"tickets": tickets, "types": types, "contracts": contracts}


def _ensure_employee(env):
    if not env.user.employee_id:
        env["hr.employee"].create({"name": env.user.name, "user_id": env.user.id})


def _prepare_work(tickets, types, number):
    """Return two hours of work: by turns prepaid and not, every fourth into the night."""
    evening = number // 2 % 2
    start = datetime.combine(date.today().replace(day=1), time(18 if evening else 9))
    return {
        "ticket_id": tickets[number % CUSTOMERS].id,
        "activity_type_id": types[(number + number // CUSTOMERS) % 2].id,
        "name": f"Work {number}",
        "work_start": start,
        "unit_amount": 2.0,
    }


def _create(env, vals_list, check):
    return try_out(env, lambda: env["account.analytic.line"].create(vals_list), check)


def _check(env, lines, contracts):
    charges = lines.charge_ids
    prepaid = lines.filtered(lambda line: line.activity_type_id.name == "Phone")
    used = sum(contracts.entitlement_ids.mapped("used"))
    expect(used == 7200 * len(prepaid), f"{used} seconds used by {len(prepaid)} entries")
    seconds = sum(charges.mapped("seconds"))
    expect(seconds == 7200 * len(lines), f"{seconds} seconds charged of {len(lines)} entries")
    for line in lines - prepaid:
        # Eight in the evening is the border: in Brussels after one or two of the two hours.
        pieces = line.rated_pieces
        total = sum(float(piece["price"]) * piece["seconds"] / 3600 for piece in pieces)
        expect(abs(sum(line.charge_ids.mapped("amount")) - total) < 0.01, "amount of an entry")
    expect({len(line.rated_pieces) for line in lines} <= {1, 2}, "pieces")
    check_proof(env, contracts)
