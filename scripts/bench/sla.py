"""Tickets with SLA clocks against plain tickets and against OCA's `helpdesk_mgmt_sla`.

Each of the three in a database of its own: ours has contracts with an incident for each ticket and
a policy of two promises, the peer has five policies. The minute job is measured among clocks that
all are due, and among 200,000 open ones of which as many are due.
"""

from contextlib import contextmanager
from datetime import timedelta

from odoo import fields

from devenv import copy_database, drop_database, ensure_template, environment, install

from .measure import Cost, alternate, expect, make_customers, try_out
from .support import check_proof, make_contracts

CUSTOMERS = 100
FEW, MANY = 100, 1000
PEER = 200  # the peer takes seconds for them
PEER_POLICIES = 5
ROUNDS = 3
DUE = 100
OPEN_TICKETS = 100_000  # with two clocks each
STAGES = {
    "stage change": "helpdesk_mgmt.helpdesk_ticket_stage_in_progress",
    "change to a pausing stage": "helpdesk_mgmt.helpdesk_ticket_stage_awaiting",
}


def run(figures, database, plain):
    with _peer_database(database) as peer, environment(database) as env:
        with environment(plain) as plain_env, environment(peer) as peer_env:
            ways = {"ours": _Ours(env), "floor": _Plain(plain_env), "peer": _Peer(peer_env)}
            _creation(figures, ways)
            _stages(figures, ways)
        _minute_job(figures, env)


@contextmanager
def _peer_database(database):
    name = f"{database}_peer"
    copy_database(ensure_template("bare"), name)
    try:
        install(name, "helpdesk_mgmt_sla", auto=False)
        yield name
    finally:
        drop_database(name)


class _Plain:
    """Tickets as helpdesk makes them."""

    count = MANY

    def __init__(self, env):
        self.env = env
        self.partners = make_customers(env, CUSTOMERS, "Caller")
        self.team = env["helpdesk.ticket.team"].create({"name": "Bench clocks"})
        self.prepare()
        env.cr.commit()

    def prepare(self):
        """Have what the tickets of the add-on need."""

    def create(self, count=0):
        return self.env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Printer {number}",
                    "description": "It does not print.",
                    "partner_id": self.partners[number % CUSTOMERS].id,
                    "team_id": self.team.id,
                }
                for number in range(count or self.count)
            ]
        )

    def check(self, tickets):
        expect(len(tickets.partner_id) == CUSTOMERS, "customers of the tickets")

    def check_moved(self, tickets, stage):
        expect(tickets.stage_id == stage, "stage of the tickets")

    def measure_creation(self, count=0):
        return try_out(self.env, lambda: self.create(count), self.check)

    def keep_tickets(self):
        self.tickets = self.create()
        self.env.cr.commit()

    def measure_move(self, xml_id):
        stage = self.env.ref(xml_id)

        def move():
            self.tickets.write({"stage_id": stage.id})
            return self.tickets

        return try_out(self.env, move, lambda tickets: self.check_moved(tickets, stage))


class _Ours(_Plain):
    def prepare(self):
        awaiting = self.env.ref(STAGES["change to a pausing stage"])
        self.team.requires_incident = True
        self.policy = self.env["support.sla.policy"].create(
            {"name": "Bench", "pause_stage_ids": [(6, 0, awaiting.ids)]}
        )
        expect(len(self.policy.target_ids) == len(self.policy.step_ids) == 2, "default policy")
        self.contracts = make_contracts(self.env, self.partners, incidents=2 * MANY)
        self.contracts.sla_policy_id = self.policy

    def check(self, tickets):
        super().check(tickets)
        expect(all(ticket.contract_id for ticket in tickets), "a ticket without contract")
        expect(set(tickets.mapped("consumed_incidents")) == {1}, "one incident per ticket")
        expect(all(len(ticket.sla_timer_ids) == 2 for ticket in tickets), "two clocks per ticket")
        expect(set(tickets.sla_timer_ids.mapped("state")) == {"running"}, "clocks that run")
        expect(all(ticket.sla_deadline for ticket in tickets), "deadlines")
        check_proof(self.env, self.contracts)

    def check_moved(self, tickets, stage):
        super().check_moved(tickets, stage)
        state = "paused" if stage in self.policy.pause_stage_ids else "running"
        expect(set(tickets.sla_timer_ids.mapped("state")) == {state}, f"clocks: {state}")


class _Peer(_Plain):
    count = PEER

    def prepare(self):
        self.team.use_sla = True
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        awaiting = self.env.ref(STAGES["change to a pausing stage"])
        self.env["helpdesk.sla"].create(
            [
                {
                    "name": f"Policy {number}",
                    "hours": 4 * number,
                    "stage_id": done.id,
                    "ignore_stage_ids": [(6, 0, awaiting.ids)],
                }
                for number in range(1, PEER_POLICIES + 1)
            ]
        )

    def check(self, tickets):
        super().check(tickets)
        promises = tickets.ticket_sla_ids
        expect(len(promises) == PEER_POLICIES * len(tickets), "promises of the peer")


def _creation(figures, ways):
    costs = alternate(ROUNDS, **{name: way.measure_creation for name, way in ways.items()})
    _compare(figures, "tickets with clocks", ways, costs)
    few = {name: ways[name].measure_creation(FEW) for name in ("ours", "floor")}
    extra = {
        count: each["ours"].queries - each["floor"].queries
        for count, each in ((FEW, few), (MANY, costs))
    }
    for count, queries in extra.items():
        figures.add(f"tickets with clocks: extra queries for {count}", queries, "queries")
    per_page = (extra[MANY] - extra[FEW]) / (MANY - FEW) * 100
    figures.add("tickets with clocks: extra queries per further 100", per_page, "queries", 4)


def _stages(figures, ways):
    for way in ways.values():
        way.keep_tickets()
    for title, xml_id in STAGES.items():
        costs = alternate(
            ROUNDS,
            **{name: lambda way=way, to=xml_id: way.measure_move(to) for name, way in ways.items()},
        )
        _compare(figures, title, ways, costs)


def _compare(figures, title, ways, costs):
    each = {
        name: Cost(*(figure / ways[name].count for figure in cost)) for name, cost in costs.items()
    }
    for name, cost in each.items():
        figures.add(f"{title}: {name}", 1000 * cost.seconds, "ms per ticket")
        figures.add(f"{title}: {name}, queries", cost.queries, "per ticket")
    figures.compare(f"{title} / plain", each["ours"], each["floor"], 1.3)
    figures.compare(f"{title} / OCA helpdesk_mgmt_sla", each["ours"], each["peer"], 1.0)


# -- The minute job ------------------------------------------------------------------------------


def _minute_job(figures, env):
    """Handle as many due clocks among themselves, and among a mass of open ones."""
    due = _make_due_tickets(env)
    expect(env["support.sla.timer"].search_count(_due(env)) == DUE, "clocks that are due")
    few = alternate(ROUNDS, job=lambda: _handle(env, due))["job"]
    _multiply(env, due[0])
    many = alternate(ROUNDS, job=lambda: _handle(env, due))["job"]
    open_clocks = env["support.sla.timer"].search_count([("state", "=", "running")])
    expect(open_clocks >= 2 * OPEN_TICKETS, f"only {open_clocks} open clocks")
    figures.add("minute job: 100 due", 1000 * few.seconds, "ms")
    figures.add("minute job: 100 due, queries", few.queries, "queries")
    figures.compare("minute job, 200,000 open / 100 open, 100 due each", many, few, 1.2)
    figures.add("minute job: more queries among 200,000", many.queries - few.queries, "queries", 0)


def _due(env):
    return env["support.sla.timer"]._get_due_domain(fields.Datetime.now())


def _make_due_tickets(env):
    """Have tickets whose warning of the response is due, and nothing else."""
    policy = env["support.sla.policy"].create({"name": "Round the clock", "calendar_id": False})
    tickets = env["helpdesk.ticket"].create(
        [
            {
                "name": f"Due {number}",
                "description": "?",
                "partner_id": env.company.partner_id.id,
                "user_id": env.ref("base.user_admin").id,
                "sla_policy_id": policy.id,
                "opened_at": fields.Datetime.now() - timedelta(hours=3, minutes=30),
            }
            for number in range(DUE)
        ]
    )
    env.cr.commit()
    return tickets


def _handle(env, tickets):
    """Do what a batch of the job does, without its commit."""
    timers = env["support.sla.timer"]

    def work():
        found = timers.search(_due(env), limit=2 * DUE).try_lock_for_update(limit=DUE)
        found._handle_due(fields.Datetime.now())
        return found

    def check(found):
        expect(found.ticket_id == tickets, "which clocks were handled")
        expect(set(found.event_ids.mapped("kind")) == {"warning"}, "warnings")
        expect(len(found.event_ids) == len(tickets.activity_ids) == DUE, "each once")
        expect(not timers.search_count(_due(env)), "clocks that are still due")

    return try_out(env, work, check)


def _multiply(env, ticket):
    """Copy a ticket and its clocks by SQL, with events that are not due for long."""
    env.cr.execute(
        """
        CREATE TEMPORARY TABLE bench_ticket AS
            SELECT * FROM helpdesk_ticket WHERE id = %(ticket)s;
        CREATE TEMPORARY TABLE bench_timer AS
            SELECT * FROM support_sla_timer WHERE ticket_id = %(ticket)s;
        UPDATE bench_timer SET next_event_at = next_event_at + interval '1 year',
                               deadline = deadline + interval '1 year';
        CREATE TEMPORARY TABLE bench_copy AS
            SELECT nextval('helpdesk_ticket_id_seq')::integer AS id
              FROM generate_series(1, %(count)s);
        """,
        {"ticket": ticket.id, "count": OPEN_TICKETS},
    )
    for source, table, values in (
        ("bench_ticket", "helpdesk_ticket", {"id": "c.id", "number": "'B' || c.id"}),
        (
            "bench_timer",
            "support_sla_timer",
            {"id": "nextval('support_sla_timer_id_seq')", "ticket_id": "c.id"},
        ),
    ):
        env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
        )
        columns = [name for (name,) in env.cr.fetchall()]
        names = ", ".join(f'"{name}"' for name in columns)
        sources = ", ".join(values.get(name, f's."{name}"') for name in columns)
        env.cr.execute(
            f"INSERT INTO {table} ({names}) SELECT {sources} FROM {source} s, bench_copy c"
        )
        env.cr.execute(f"ANALYZE {table}")
    env.cr.execute("DROP TABLE bench_ticket, bench_timer, bench_copy")
    env.cr.commit()
