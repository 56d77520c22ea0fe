"""Drawing units from grants with one and with eight workers, against the same in bare SQL.

Each worker is a process with a connection of its own, each draw a transaction of its own. Ours
go through the ledger's door, `support.entitlement._post`. The floor does what the door has to do:
lock the grant, update its counters, insert the entry; on the same tables, with the isolation that
Odoo's cursors have (REPEATABLE READ) and, for information, with READ COMMITTED. Draws that fail
to serialize are retried by the worker and counted.
"""

import logging
import multiprocessing
import random
import time
from datetime import date

import psycopg2
from psycopg2.errors import SerializationFailure
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry

from devenv import environment

from .measure import expect, make_customers

MANY = 1000
WORKERS = (1, 8)
SECONDS = 2
ROUNDS = 2
UNITS = 1_000_000

LOCK = "SELECT id FROM support_entitlement WHERE id = %s FOR UPDATE"
UPDATE = """
    UPDATE support_entitlement SET used = used + 1, remaining = remaining - 1 WHERE id = %s
"""
INSERT = """
    INSERT INTO support_entitlement_entry (
        create_uid, create_date, write_uid, write_date, entitlement_id, kind, quantity, date, unit,
        company_id, partner_id, hours, incidents)
    SELECT 1, now(), 1, now(), id, 'draw', -1, %s, unit, company_id, partner_id, 0, -1
      FROM support_entitlement WHERE id = %s
"""


def run(figures, database, _plain):
    with environment(database) as env:
        grants = _make_grants(env)
        env.cr.commit()
    sql_db.close_all()  # a connection must not be shared with the workers that are forked
    done = 0
    for label, ids in (("hot grant", grants[:1]), (f"{MANY} grants", grants)):
        for workers in WORKERS:
            rates, retries = {}, {}
            for _round in range(ROUNDS):
                for name, worker in WAYS.items():
                    draws, retried = _race(worker, workers, database, ids)
                    done += draws
                    rates[name] = max(rates.get(name, 0.0), draws / SECONDS)
                    retries[name] = retried / draws
            title = f"draws, {label}, {workers} workers"
            for name, rate in rates.items():
                figures.add(f"{title}: {name}", rate, "draws/s")
                figures.add(f"{title}: {name}, retries", retries[name], "per draw")
            figures.add(f"{title} / bare SQL", rates["ours"] / rates["bare"], "ratio", None, 0.25)
            figures.add(
                f"{title} / bare SQL, READ COMMITTED", rates["ours"] / rates["committed"], "ratio"
            )
    with environment(database) as env:
        _check(env, grants, done)


def _make_grants(env):
    partner = make_customers(env, 1, "Ledger")
    vals = {
        "name": "Bench",
        "unit": "incident",
        "amount": UNITS,
        "date_from": date.today(),
        "partner_id": partner.id,
        "company_id": env.company.id,
    }
    return env["support.entitlement"]._grant([dict(vals) for _number in range(MANY)]).ids


def _race(worker, workers, database, ids):
    """Let the workers draw for some seconds.

    :return: how many draws they made and how often they had to try again
    """
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(workers), context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(worker, seed, database, ids, barrier, results))
        for seed in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    expect(not any(process.exitcode for process in processes), "a worker failed")
    counts = [results.get() for _process in processes]
    return sum(draws for draws, _retries in counts), sum(retries for _draws, retries in counts)


def _work(worker, seed, database, ids, barrier, results):
    """Draw one unit after the other until the time is over."""
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)  # it reports every retry
    choose = random.Random(seed).choice
    draws = retries = 0
    with worker(database) as (draw, commit, rollback):
        draw(choose(ids))  # what is only made ready once
        rollback()
        barrier.wait()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            grant = choose(ids)
            while True:
                try:
                    draw(grant)
                    commit()
                    break
                except SerializationFailure:
                    rollback()
                    retries += 1
            draws += 1
    results.put((draws, retries))


class _Ours:
    def __init__(self, database):
        self.cr = Registry(database).cursor()

    def __enter__(self):
        grants = api.Environment(self.cr, SUPERUSER_ID, {})["support.entitlement"]
        today = date.today()

        def draw(grant):
            grants._post([{"entitlement_id": grant, "kind": "draw", "quantity": -1, "date": today}])

        return draw, self.cr.commit, self.cr.rollback

    def __exit__(self, *_error):
        self.cr.close()


class _Bare:
    isolation = ISOLATION_LEVEL_REPEATABLE_READ

    def __init__(self, database):
        self.connection = psycopg2.connect(dbname=database)
        self.connection.set_isolation_level(self.isolation)

    def __enter__(self):
        cursor, today = self.connection.cursor(), date.today()

        def draw(grant):
            cursor.execute(LOCK, (grant,))
            cursor.execute(UPDATE, (grant,))
            cursor.execute(INSERT, (today, grant))

        return draw, self.connection.commit, self.connection.rollback

    def __exit__(self, *_error):
        self.connection.close()


class _Committed(_Bare):
    isolation = ISOLATION_LEVEL_READ_COMMITTED


WAYS = {"ours": _Ours, "bare": _Bare, "committed": _Committed}


def _check(env, grants, done):
    """Every draw is one entry, and every counter the sum of its entries."""
    env.cr.execute(
        """
        SELECT SUM(grant_.used), SUM(entries.used),
               COUNT(*) FILTER (WHERE grant_.used <> entries.used
                   OR grant_.remaining <> grant_.quantity - grant_.used)
          FROM support_entitlement grant_
          JOIN (SELECT entitlement_id, -SUM(quantity) FILTER (WHERE kind = 'draw') AS used
                  FROM support_entitlement_entry GROUP BY entitlement_id
               ) entries ON entries.entitlement_id = grant_.id
         WHERE grant_.id = ANY(%s) AND entries.used IS NOT NULL
        """,
        [grants],
    )
    used, booked, wrong = env.cr.fetchone()
    expect(used == booked == done, f"{done} draws, {booked} booked, {used} counted")
    expect(not wrong, f"{wrong} grants whose counters are not their entries")
