"""Measure the add-on against plain Odoo and OCA's `contract`, interleaved in one run.

    python scripts/bench [billing] [tickets] [sla] [sla_time] [time_entries] [ledger]

Prints a line per figure: name, value, unit, goal, ok or short. Figures with a goal are ratios
or numbers of queries; milliseconds are there for information. A figure that is short is no
error; a wrong result is. The variable N is the number of contracts (default 1000).

It works on the database in PGDATABASE, to which it adds OCA's `contract`, and on a second one
without the add-on, in which the floors of tickets and time entries are measured. For the SLA there
is a third one with OCA's `helpdesk_mgmt_sla`.
"""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import billing, ledger, sla, sla_time, tickets, time_entries  # noqa: E402
from bench.measure import Figures  # noqa: E402
from devenv import copy_database, drop_database, ensure_template, install  # noqa: E402

BENCHES = {
    "billing": billing.run,
    "tickets": tickets.run,
    "sla": sla.run,
    "sla_time": sla_time.run,
    "time_entries": time_entries.run,
    "ledger": ledger.run,
}


def main(names):
    unknown = set(names) - set(BENCHES)
    if unknown:
        raise SystemExit(f"No such benchmark: {', '.join(sorted(unknown))}")
    database = os.environ["PGDATABASE"]
    plain = f"{database}_plain"
    copy_database(ensure_template("bare"), plain)
    install(database, "contract", auto=False)
    figures = Figures()
    try:
        for name in names or BENCHES:
            BENCHES[name](figures, database, plain)
    finally:
        drop_database(plain)
    print(f"# {figures.short} short", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
