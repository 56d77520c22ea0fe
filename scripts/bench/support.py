"""What tickets, time entries and the ledger have in common."""

from datetime import date

from .measure import ensure_chart, expect, make_product


def make_contracts(env, partners, hours=0, incidents=0, labour=None, rates=()):
    """Have a running contract for each customer, with units of this month."""
    allowances = [
        {"unit": "time", "quantity": hours * 3600, "activity_type_ids": [(6, 0, labour.ids)]}
        if hours
        else {"unit": "incident", "quantity": incidents}
    ]
    plan = env["support.plan"].create(
        {
            "name": "Bench",
            "duration_months": 0,
            "allowance_ids": [(0, 0, allowance) for allowance in allowances],
            "rate_ids": [(0, 0, rate) for rate in rates],
        }
    )
    start = date.today().replace(day=1)
    contracts = env["support.contract"].create(
        [
            {"partner_id": partner.id, "plan_id": plan.id, "date_start": start}
            for partner in partners
        ]
    )
    contracts.action_confirm()
    return contracts


def make_night(env):
    """Return a shift from eight in the evening to six in the morning."""
    hours = [
        (0, 0, {"name": "Night", "dayofweek": str(day), "hour_from": begin, "hour_to": end})
        for day in range(7)
        for begin, end in ((0, 6), (20, 24))
    ]
    return env["resource.calendar"].create(
        {"name": "Night", "tz": "Europe/Brussels", "attendance_ids": [(5, 0, 0), *hours]}
    )


def make_labour(env):
    ensure_chart(env)
    return make_product(env, "Hour", 70.0, uom_id=env.ref("uom.product_uom_hour").id)


def check_proof(env, contracts):
    """Entries = counters = what was worked."""
    differences = env["support.discrepancy"]._prove(contracts)
    expect(not differences, differences.mapped("description"))
