"""What the benchmarks share: costs, figures, the clock and the floor's way of doing things."""

import gc
import time
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple
from unittest.mock import patch


class Cost(NamedTuple):
    """What a piece of work took: wall-clock seconds, queries, seconds of CPU without the server."""

    seconds: float
    queries: int
    cpu: float

    def __add__(self, other):
        return Cost(*map(sum, zip(self, other, strict=True)))


NOTHING = Cost(0.0, 0, 0.0)


class Figures:
    """Prints one line per figure as soon as it is known: name, value, unit, goal, verdict."""

    def __init__(self):
        self.short = 0

    def add(self, name, value, unit, at_most=None, at_least=None):
        """Print a figure; its goal is an upper or a lower bound, or there is none."""
        goal, verdict = "-", "-"
        if at_most is not None:
            goal, verdict = f"<= {at_most:g}", "ok" if value <= at_most else "short"
        elif at_least is not None:
            goal, verdict = f">= {at_least:g}", "ok" if value >= at_least else "short"
        self.short += verdict == "short"
        number = f"{value:.2f}" if isinstance(value, float) else str(value)
        print("\t".join((name, number, unit, goal, verdict)), flush=True)

    def compare(self, name, cost, other, at_most):
        """Print a ratio of two costs; that of their CPU says what a busy machine has hidden."""
        self.add(name, cost.seconds / other.seconds, "ratio", at_most)
        self.add(f"{name}, CPU alone", cost.cpu / other.cpu, "ratio")


def measure(env, work, commit=False):
    """Return what some work costs from a cold cache, with all that it leaves for the commit.

    :return: its result and its Cost
    """
    env.cr.flush()
    env.invalidate_all()
    gc.collect()
    queries, start, cpu = env.cr.sql_log_count, time.perf_counter(), time.process_time()
    result = work()
    env.cr.flush()  # not only the ORM's updates: mail writes its tracking before the commit
    if commit:
        env.cr.commit()
    return result, Cost(
        time.perf_counter() - start,
        env.cr.sql_log_count - queries,
        time.process_time() - cpu,
    )


def try_out(env, work, check):
    """Return what some work costs; its result is checked and then rolled back."""
    result, cost = measure(env, work)
    check(result)
    env.cr.rollback()
    return cost


def alternate(rounds, **works):
    """Do the works in turns, A B A B; return the least of each that a round has cost."""
    costs = {name: [] for name in works}
    for _round in range(rounds):
        for name, work in works.items():
            costs[name].append(work())
    return {name: Cost(*map(min, zip(*values, strict=True))) for name, values in costs.items()}


def chunks(records, size):
    return [records[start : start + size] for start in range(0, len(records), size)]


@contextmanager
def clock(day):
    """Let it be noon of a day for everything that asks Odoo's fields for the time."""
    noon = datetime(day.year, day.month, day.day, 12)
    with (
        patch("odoo.fields.Datetime.now", staticmethod(lambda *args: noon)),
        patch("odoo.fields.Date.today", staticmethod(lambda *args: day)),
    ):
        yield


def ensure_chart(env):
    """Have accounts, journals and taxes."""
    if not env.company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=env.company)


def make_customers(env, count, label):
    return env["res.partner"].create(
        [
            {"name": f"{label} {number:05}", "is_company": True, "tz": "Europe/Brussels"}
            for number in range(count)
        ]
    )


def make_product(env, name, price, **vals):
    return env["product.product"].create(
        {"name": name, "type": "service", "list_price": price, **vals}
    )


def expect(condition, message):
    """Stop the run: what was measured didn't do what it should have done."""
    if not condition:
        raise SystemExit(f"wrong result: {message}")
