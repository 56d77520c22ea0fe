"""What a replay came to, and the proofs that nothing was lost.

Sums are made by the database and read as text: they stay exact decimals, where Odoo's cursor would
make floats of them.
"""

from collections import Counter, defaultdict
from decimal import Decimal

from odoo.tools import SQL

from replay_log import get_work
from replay_sla import SlaProof

COLUMNS = ("tickets", "worked", "covered", "incidents", "fees", "work", "billed")
TITLES = ("tickets", "h worked", "h covered", "incidents", "fees", "work", "billed")
NO_CONTRACT = "No contract, or after its end"
# The totals: (columns, FROM … WHERE …, the month's date, what is summed for each column).
QUERIES = {
    ("tickets",): """
        SELECT plan.name->>'en_US', to_char(ticket.opened_at, 'YYYY-MM'), COUNT(*)::text
          FROM helpdesk_ticket ticket
          LEFT JOIN support_contract contract ON contract.id = ticket.contract_id
          LEFT JOIN support_plan plan ON plan.id = contract.plan_id
         WHERE ticket.id IN %(tickets)s GROUP BY 1, 2
    """,
    ("worked",): """
        SELECT plan.name->>'en_US', to_char(line.work_start, 'YYYY-MM'),
               SUM(line.worked_seconds)::text
          FROM account_analytic_line line
          LEFT JOIN support_contract contract ON contract.id = line.support_contract_id
          LEFT JOIN support_plan plan ON plan.id = contract.plan_id
         WHERE line.ticket_id IN %(tickets)s GROUP BY 1, 2
    """,
    ("incidents",): """
        SELECT plan.name->>'en_US', to_char(entry.date, 'YYYY-MM'), (-SUM(entry.quantity))::text
          FROM support_entitlement_entry entry
          JOIN support_contract contract ON contract.id = entry.contract_id
          JOIN support_plan plan ON plan.id = contract.plan_id
         WHERE contract.id IN %(contracts)s AND entry.unit = 'incident'
           AND entry.kind IN ('draw', 'return')
         GROUP BY 1, 2
    """,
    ("covered", "fees", "work"): """
        SELECT plan.name->>'en_US', to_char(charge.date, 'YYYY-MM'),
               COALESCE(SUM(charge.seconds) FILTER (WHERE charge.kind = 'covered'), 0)::text,
               COALESCE(SUM(charge.amount) FILTER (WHERE charge.kind = 'recurring'), 0)::text,
               COALESCE(SUM(charge.amount) FILTER (WHERE charge.kind <> 'recurring'), 0)::text
          FROM support_charge charge
          JOIN support_contract contract ON contract.id = charge.contract_id
          JOIN support_plan plan ON plan.id = contract.plan_id
         WHERE contract.id IN %(contracts)s AND charge.state <> 'cancelled'
         GROUP BY 1, 2
    """,
    ("billed",): """
        SELECT plan.name->>'en_US', to_char(bill.date, 'YYYY-MM'), SUM(bill.amount_untaxed)::text
          FROM support_bill bill
          JOIN support_contract contract ON contract.id = bill.contract_id
          JOIN support_plan plan ON plan.id = contract.plan_id
         WHERE contract.id IN %(contracts)s AND bill.state <> 'cancelled'
         GROUP BY 1, 2
    """,
}
MONEY = {
    "charges": """
        SELECT contract.plan_id, SUM(charge.amount)::text
          FROM support_charge charge
          JOIN support_contract contract ON contract.id = charge.contract_id
         WHERE contract.id IN %(contracts)s AND charge.state <> 'cancelled' GROUP BY 1
    """,
    "bills": """
        SELECT contract.plan_id, SUM(bill.amount_untaxed)::text
          FROM support_bill bill
          JOIN support_contract contract ON contract.id = bill.contract_id
         WHERE contract.id IN %(contracts)s AND bill.state <> 'cancelled' GROUP BY 1
    """,
    # Each invoice once, whole: also a line that belongs to no charge would show.
    "invoices": """
        SELECT contract.plan_id,
               SUM(CASE WHEN move.move_type = 'out_refund' THEN -move.amount_untaxed
                        ELSE move.amount_untaxed END)::text
          FROM account_move move
          JOIN LATERAL (SELECT bill.contract_id FROM support_bill bill
                         WHERE bill.move_id = move.id LIMIT 1) bill ON TRUE
          JOIN support_contract contract ON contract.id = bill.contract_id
         WHERE contract.id IN %(contracts)s AND move.state = 'posted' GROUP BY 1
    """,
    "invoice lines": """
        SELECT contract.plan_id,
               SUM(CASE WHEN move.move_type = 'out_refund' THEN -line.price_subtotal
                        ELSE line.price_subtotal END)::text
          FROM account_move_line line
          JOIN account_move move ON move.id = line.move_id
          JOIN support_charge charge ON charge.id = line.support_charge_id
          JOIN support_contract contract ON contract.id = charge.contract_id
         WHERE contract.id IN %(contracts)s AND move.state = 'posted' GROUP BY 1
    """,
}
COUNTERS = """
    SELECT COUNT(*)
      FROM support_entitlement grant_
      LEFT JOIN (SELECT entitlement_id, SUM(quantity) AS quantity
                   FROM support_entitlement_entry GROUP BY entitlement_id) entry
             ON entry.entitlement_id = grant_.id
     WHERE grant_.contract_id IN %(contracts)s
       AND (COALESCE(entry.quantity, 0) <> grant_.remaining
            OR grant_.remaining <> grant_.quantity - grant_.used - grant_.lapsed)
"""
SUMS = {
    "support_entitlement_entry": "quantity",
    "support_charge": "amount",
    "support_bill": "amount_untaxed",
    "account_move_line": "balance",
    "account_analytic_line": "worked_seconds",
}


def snapshot(env):
    """Return of every table how many rows it has and when the last was written; and some sums."""
    env.flush_all()
    rows = env.execute_query(
        SQL(
            """
            SELECT tables.table_name, columns.column_name
              FROM information_schema.tables
              LEFT JOIN information_schema.columns ON columns.table_schema = 'public'
                   AND columns.table_name = tables.table_name
                   AND columns.column_name = 'write_date'
             WHERE tables.table_schema = 'public' AND tables.table_type = 'BASE TABLE'
            """
        )
    )
    result = {}
    for table, dated in rows:
        parts = ["COUNT(*)", "MAX(write_date)" if dated else "NULL"]
        parts.append(f"SUM({SUMS[table]})::text" if table in SUMS else "NULL")
        result[table] = env.execute_query(SQL(f'SELECT {", ".join(parts)} FROM "{table}"'))[0]
    return result


class Proof:
    """Compares what the log says with what the product says, after a replay."""

    def __init__(self, replay):
        self.replay = replay
        self.env = replay.env
        self.contracts = replay.register.all("support.contract", "contract")
        self.tickets = replay.register.all("helpdesk.ticket", "ticket")
        self.plans = replay.register.all("support.plan", "plan").sorted("id")
        self.failed = 0
        self.sla = SlaProof(self)

    def _query(self, text):
        ids = {"contracts": tuple(self.contracts.ids), "tickets": tuple(self.tickets.ids)}
        return self.env.execute_query(SQL(text, **ids))

    # -- Totals --------------------------------------------------------------------------------

    def print_totals(self):
        totals = defaultdict(lambda: dict.fromkeys(COLUMNS, Decimal(0)))
        for columns, text in QUERIES.items():
            for plan, month, *values in self._query(text):
                row = totals[plan or NO_CONTRACT, month]
                for column, value in zip(columns, values, strict=True):
                    row[column] += Decimal(value)
        width = max(len(name) for name in (*self.plans.mapped("name"), NO_CONTRACT))
        head = "".join(f"{title:>13}" for title in TITLES)
        print(f"\n{'plan':<{width}}  {'month':<7}{head}")
        grand = Counter()
        for plan in (*self.plans.mapped("name"), NO_CONTRACT):
            total = Counter()
            for (owner, month), row in sorted(totals.items()):
                if owner == plan:
                    self._print_row(width, plan, month, row)
                    total.update(row)
            self._print_row(width, plan, "all", total)
            print()
            grand.update(total)
        self._print_row(width, "All plans", "all", grand)
        self.sla.print_totals()

    def _print_row(self, width, plan, month, row):
        cells = []
        for column in COLUMNS:
            value = row[column]
            if column in ("worked", "covered"):
                minutes = round(value / 60)
                text = f"{minutes // 60}:{minutes % 60:02}"
            else:
                text = f"{value:,.2f}" if column in ("fees", "work", "billed") else f"{value:.0f}"
            cells.append(f"{text if value else '-':>13}")
        print(f"{plan:<{width}}  {month:<7}{''.join(cells)}")

    # -- Proofs --------------------------------------------------------------------------------

    def _say(self, right, text, details=()):
        print(f"  {'ok  ' if right else 'FAIL'}  {text}")
        if not right:
            self.failed += 1
            for detail in list(details)[:20]:
                print(f"          {detail}")

    def prove(self):
        print("\nProofs")
        for name, number in self.replay.counts.items():
            print(f"  note  {name}: {number}")
        self.env.flush_all()
        failures = self.replay.failures
        self._say(not failures, f"billing runs: {len(failures)} contracts failed", failures)
        self._prove_log()
        self._prove_units()
        self._prove_money()
        self.sla.prove()

    def _prove_log(self):
        """Every incident is one ticket, as the log left it; every row and all work are in it."""
        incidents = self.replay.incidents
        numbers = (
            self.env["helpdesk.ticket"]
            .with_context(active_test=False)
            .search_fetch(
                [("number", "in", [incident.number for incident in incidents])], ["number"]
            )
        )
        found = Counter(numbers.mapped("number"))
        wrong = [incident.number for incident in incidents if found[incident.number] != 1]
        self._say(
            not wrong and len(numbers) == len(incidents),
            f"every incident is a ticket, once: {len(incidents)} incidents, {len(numbers)} tickets",
            wrong,
        )
        by_number = {ticket.number: ticket for ticket in numbers}
        rows, wrong, work = 0, [], 0
        seconds = Counter()
        for incident in incidents:
            ticket = by_number.get(incident.number, self.env["helpdesk.ticket"])
            state = next((e.state for e in reversed(incident.events) if e.state), "New")
            if (ticket.stage_id.name, ticket.opened_at) != (state, incident.opened_at):
                wrong.append(f"{incident.number}: {ticket.stage_id.name}, {ticket.opened_at}")
            rows += sum(
                self.replay.register.get(ticket._name, "event", incident.number, event.index)
                == ticket
                for event in incident.events
            )
            for piece in get_work(incident):
                work += 1
                seconds[incident.number] += piece.minutes * 60
        self._say(not wrong, "every ticket has its opening and its last state of the log", wrong)
        expected = sum(len(incident.events) for incident in incidents)
        self._say(rows == expected, f"every row is applied, once: {expected} rows, {rows} applied")
        logged = self.env["account.analytic.line"]._read_group(
            [("ticket_id", "in", self.tickets.ids)],
            ["ticket_id"],
            ["worked_seconds:sum", "__count"],
        )
        count = sum(number for _ticket, _seconds, number in logged)
        same = {ticket.number: total for ticket, total, _count in logged} == dict(seconds)
        self._say(
            same and count == work,
            f"all work by the rule is logged: {work} pieces, {count} time entries, "
            f"{sum(seconds.values()) / 3600:.2f} h, equal for every ticket",
        )

    def _prove_units(self):
        differing = self._query(COUNTERS)[0][0]
        grants = self.contracts.entitlement_ids
        entries = len(grants.entry_ids)
        self._say(
            not differing,
            f"units: counters = entries: {len(grants)} grants, {entries} entries, "
            f"{differing} differ",
        )
        found = self.env["support.discrepancy"]._prove(self.contracts)
        self.env.cr.commit()
        self._say(
            not found,
            f"units, work, bills: {len(found)} differences found by Prove on "
            f"{len(self.contracts)} contracts",
            (f"{row.contract_id.name}: {row.description}" for row in found),
        )

    def _prove_money(self):
        sums = {
            name: {plan: Decimal(total) for plan, total in self._query(text)}
            for name, text in MONEY.items()
        }
        waiting = self.env["support.charge"].search_count(
            [("contract_id", "in", self.contracts.ids), ("state", "!=", "invoiced")]
        )
        self._say(not waiting, f"money: {waiting} charges are not on a posted invoice")
        print(f"        {'':<36}" + "".join(f"{name:>15}" for name in MONEY))
        for plan in (*self.plans, None):
            row = [
                values.get(plan.id, Decimal(0)) if plan else sum(values.values(), Decimal(0))
                for values in sums.values()
            ]
            name = plan.name if plan else "All plans"
            self._say(
                len(set(row)) == 1,
                f"{name:<36}" + "".join(f"{amount:>15,.2f}" for amount in row),
            )

    def compare(self, before, after):
        """The second replay has written no row of any table, and made none."""
        changed = [
            f"{table}: {before.get(table)} → {after.get(table)}"
            for table in sorted(before.keys() | after.keys())
            if before.get(table) != after.get(table)
        ]
        rows = sum(count for count, *_others in after.values())
        print()
        self._say(
            not changed,
            f"the second replay changes nothing: {len(after)} tables, {rows} rows, "
            f"{len(changed)} tables changed",
            changed,
        )

    def conclude(self):
        print(f"\n{self.failed} proofs failed" if self.failed else "\nAll proofs hold.")
        return 1 if self.failed else 0
