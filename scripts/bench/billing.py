"""Billing from the close of a term to the draft invoice, and posting.

Every round is another month: the same contracts are billed by us, by OCA's `contract`, and the
same invoices are created in batches with plain Odoo. All of them commit as they would at work.
"""

import os
from datetime import date

from dateutil.relativedelta import relativedelta

from devenv import environment

from .measure import (
    NOTHING,
    alternate,
    chunks,
    clock,
    ensure_chart,
    expect,
    make_customers,
    make_product,
    measure,
)

BATCH = 200  # what a billing run does in one transaction
ROUNDS = 2
FEW = 100
OLD_TERMS = 60
OLD_CONTRACTS = 40
PRICES = (100.0, 25.5, 9.99)
QUANTITIES = (1.0, 4.0, 12.0)
UNTAXED = sum(price * quantity for price, quantity in zip(PRICES, QUANTITIES, strict=True))


def run(figures, database, _plain):
    count = int(os.environ.get("N") or 1000)
    with environment(database) as env:
        ensure_chart(env)
        _end_to_end(figures, env, count)
        _history(figures, env)


def _first_month():
    """Return a month long enough ago that all rounds are in the past."""
    return date.today().replace(day=1) - relativedelta(months=12)


def _end_to_end(figures, env, count):
    start = _first_month()
    products = [make_product(env, f"Fee {price}", price) for price in PRICES]
    contracts = _make_contracts(env, _make_plan(env, products), count, start)
    few = _make_contracts(env, _make_plan(env, products), FEW, start)
    _make_peer_contracts(env, products, contracts.partner_id, start)
    env.cr.commit()
    month = iter(start + relativedelta(months=number) for number in range(1, ROUNDS + 1))
    state = {}

    def ours():
        state["day"] = next(month)
        bills, cost = _bill(env, contracts.plan_id, state["day"])
        _check_bills(env, bills, contracts)
        state["ours"] = bills.move_id
        few_bills, state["few"] = _bill(env, few.plan_id, state["day"])
        _check_bills(env, few_bills, few)
        return cost

    def floor():
        vals_list = [_prepare_plain_invoice(move) for move in state["ours"]]
        state["floor"], cost = _create_plain(env, vals_list)
        _check_moves(state["floor"], count)
        return cost

    def peer():
        since = env["account.move"].search([], order="id desc", limit=1).id
        day = state["day"]
        cron = env["contract.contract"]
        _result, cost = measure(env, lambda: cron.cron_recurring_create_invoice(day), commit=True)
        _check_moves(env["account.move"].search([("id", ">", since)]), count)
        return cost

    costs = alternate(ROUNDS, ours=ours, floor=floor, peer=peer)
    for name, cost in costs.items():
        figures.add(f"billing: {name}", 1000 * cost.seconds / count, "ms per invoice")
        figures.add(f"billing: {name}, queries", cost.queries / count, "per invoice")
    mine = costs["ours"]
    figures.compare("billing / plain create", mine, costs["floor"], 1.0)
    figures.compare("billing / OCA contract", mine, costs["peer"], 0.55)
    figures.add("billing: queries", mine.queries / count, "per contract", 12)
    figures.add(
        f"billing: queries per contract, {count} / {FEW} contracts",
        (mine.queries / count) / (state["few"].queries / FEW),
        "ratio",
        1.1,
    )
    _posting(figures, env, state["ours"], state["floor"], count)


def _posting(figures, env, ours, floor, count):
    """Post both sets of invoices, batch by batch in turns."""
    costs = {"ours": NOTHING, "floor": NOTHING}
    pairs = zip(chunks(ours, BATCH), chunks(floor, BATCH), strict=True)
    for number, (mine, plain) in enumerate(pairs):
        turns = [("ours", mine), ("floor", plain)]
        for name, moves in turns if number % 2 else reversed(turns):
            _result, cost = measure(env, moves.action_post, commit=True)
            costs[name] += cost
    expect(set((ours | floor).mapped("state")) == {"posted"}, "not all invoices were posted")
    expect(set(ours.support_bill_ids.mapped("state")) == {"invoiced"}, "bills of posted invoices")
    for name, cost in costs.items():
        figures.add(f"posting: {name}", 1000 * cost.seconds / count, "ms per invoice")
        figures.add(f"posting: {name}, queries", cost.queries / count, "per invoice")
    figures.compare("posting / plain action_post", costs["ours"], costs["floor"], 1.05)


def _history(figures, env):
    """Bill contracts with a long history and young ones, in turns."""
    products = [make_product(env, f"History {price}", price) for price in PRICES]
    now = _first_month()
    young = _make_contracts(env, _make_plan(env, products), OLD_CONTRACTS, now)
    start = now - relativedelta(months=OLD_TERMS)
    old = _make_contracts(env, _make_plan(env, products), OLD_CONTRACTS, start)
    with clock(now):
        past = env["support.bill"]._generate(old, now)
        expect(len(past) == OLD_TERMS * OLD_CONTRACTS, "bills of the past")
        past.action_submit()
    env.cr.commit()
    months = {
        contracts: iter(now + relativedelta(months=number) for number in range(1, 4))
        for contracts in (young, old)
    }

    def bill(contracts):
        bills, cost = _bill(env, contracts.plan_id, next(months[contracts]))
        _check_bills(env, bills, contracts)
        return cost

    costs = alternate(3, young=lambda: bill(young), old=lambda: bill(old))
    title = f"billing with {OLD_TERMS} old terms / with 1"
    figures.compare(title, costs["old"], costs["young"], 1.2)
    ratio = costs["old"].queries / costs["young"].queries
    figures.add(f"{title}: queries", ratio, "ratio", 1.05)


# -- What is billed ----------------------------------------------------------------------------


def _make_plan(env, products):
    lines = [
        (0, 0, {"product_id": product.id, "quantity": quantity})
        for product, quantity in zip(products, QUANTITIES, strict=True)
    ]
    return env["support.plan"].create(
        {
            "name": "Bench",
            "duration_months": 0,
            "line_ids": lines,
            "allowance_ids": [(0, 0, {"unit": "time", "quantity": 5 * 3600})],
        }
    )


def _make_contracts(env, plan, count, start):
    contracts = env["support.contract"].create(
        [
            {"partner_id": partner.id, "plan_id": plan.id, "date_start": start}
            for partner in make_customers(env, count, "Customer")
        ]
    )
    with clock(start):
        contracts.action_confirm()
    env.cr.commit()
    return contracts


def _make_peer_contracts(env, products, partners, start):
    recurrence = {
        "recurring_rule_type": "monthly",
        "recurring_interval": 1,
        "recurring_invoicing_type": "post-paid",
        "date_start": start,
        "recurring_next_date": start + relativedelta(months=1),
    }
    lines = [
        (
            0,
            0,
            {
                "product_id": product.id,
                "name": f"{product.name} (#START# - #END#)",
                "quantity": quantity,
                "price_unit": product.list_price,
                "uom_id": product.uom_id.id,
                **recurrence,
            },
        )
        for product, quantity in zip(products, QUANTITIES, strict=True)
    ]
    env["contract.contract"].create(
        [
            {
                "name": f"Peer {partner.name}",
                "partner_id": partner.id,
                "contract_type": "sale",
                "line_recurrence": True,
                "contract_line_ids": lines,
            }
            for partner in partners
        ]
    )


# -- The three ways ----------------------------------------------------------------------------


def _bill(env, plan, day):
    """Bill what is due on the contracts of a plan by a billing run, as its cron does."""

    def work():
        billing_run = env["support.billing.run"].create(
            {"date_until": day, "plan_ids": [(6, 0, plan.ids)]}
        )
        billing_run.action_start()
        billing_run._process(BATCH)
        return billing_run

    with clock(day):
        billing_run, cost = measure(env, work, commit=True)
        expect(billing_run.state == "done", f"the run: {billing_run.item_ids.mapped('message')}")
        return billing_run.bill_ids, cost


def _prepare_plain_invoice(move):
    """Return the values with which anybody would make the same invoice."""
    lines = [
        {
            "product_id": line.product_id.id,
            "name": line.name,
            "quantity": line.quantity,
            "price_unit": line.price_unit,
            "tax_ids": [(6, 0, line.tax_ids.ids)],
        }
        for line in move.invoice_line_ids
    ]
    return {
        "move_type": "out_invoice",
        "partner_id": move.partner_id.id,
        "invoice_date": move.invoice_date,
        "invoice_origin": move.invoice_origin,
        "currency_id": move.currency_id.id,
        "invoice_user_id": move.invoice_user_id.id,
        "invoice_line_ids": [(0, 0, line) for line in lines],
    }


def _create_plain(env, vals_list):
    model = env["account.move"]
    moves, cost = model, NOTHING
    for batch in chunks(vals_list, BATCH):
        made, spent = measure(env, lambda batch=batch: model.create(batch), commit=True)
        moves, cost = moves | made, cost + spent
    return moves, cost


# -- Is it right? ------------------------------------------------------------------------------


def _check_bills(env, bills, contracts):
    expect(bills.contract_id == contracts.browse(bills.contract_id.ids), "contracts of the bills")
    expect(len(bills) == len(contracts) == len(bills.contract_id), "one bill per contract")
    expect(set(bills.mapped("state")) == {"invoiced"}, "state of the bills")
    _check_moves(bills.move_id, len(contracts))
    open_terms = contracts.term_ids.filtered(lambda term: term.state == "open")
    expect(len(open_terms) == len(contracts), "one open term per contract")
    differences = env["support.discrepancy"]._prove(contracts)
    expect(not differences, differences.mapped("description"))
    env.cr.commit()


def _check_moves(moves, count):
    expect(len(moves) == count, f"{len(moves)} invoices instead of {count}")
    expect(set(moves.mapped("state")) == {"draft"}, "state of the invoices")
    wrong = moves.filtered(
        lambda move: move.currency_id.compare_amounts(move.amount_untaxed, UNTAXED)
    )
    expect(not wrong, f"untaxed total of {len(wrong)} invoices")
    expect(len(set(moves.mapped("amount_total"))) == 1, "totals differ")
    expect(moves[0].amount_tax > 0, "no tax")
