"""Deadlines and elapsed working time against Odoo's `plan_hours` and `get_work_hours_count`.

Ours answers all questions from an empty cache: reading and compiling the calendar is counted.
Odoo answers a sample of the same questions, and both have to say the same.
"""

import random
import time
from datetime import datetime, timedelta

from odoo.fields import Command

from devenv import environment

from .measure import expect

QUESTIONS, SAMPLE = 10_000, 500
ROUNDS = 3
GOAL = 1 / 500
HOUR, DAY = 3600, 8  # hours of work in a day
# As promises are: 8 hours to 90 days of work, the short ones more often.
TARGETS = [DAY, DAY, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 10 * DAY, 20 * DAY, 45 * DAY, 90 * DAY]
FIRST_DAY, SPAN = datetime(2025, 1, 1), 2 * 365 * 24 * HOUR


def run(figures, database, _plain):
    with environment(database) as env:
        calendar = _make_calendar(env)
        company = env.company
        domain = [("time_type", "=", "leave"), ("company_id", "in", [company.id, False])]
        env.cr.commit()
        draw = random.Random(1)
        questions = [
            (FIRST_DAY + timedelta(seconds=draw.randrange(SPAN)), draw.choice(TARGETS) * HOUR)
            for _number in range(QUESTIONS)
        ]

        def deadlines(schedule):
            return [schedule.deadline(start, target) for start, target in questions]

        spans = [
            (start, stop)
            for (start, _target), stop in zip(
                questions, deadlines(calendar._get_schedule(company)), strict=True
            )
        ]

        def elapsed(schedule):
            return [schedule.elapsed(start, stop) for start, stop in spans]

        def plan_hours(number):
            start, target = questions[number]
            return _whole(calendar.plan_hours(target / HOUR, start, True, domain))

        def work_hours(number):
            return round(calendar.get_work_hours_count(*spans[number], domain=domain) * HOUR)

        for title, ours, odoo in (
            ("deadline / plan_hours", deadlines, plan_hours),
            ("elapsed / get_work_hours_count", elapsed, work_hours),
        ):
            _compare(figures, title, lambda ours=ours: _cold(env, calendar, ours), odoo)


def _make_calendar(env):
    """Mornings and afternoons from Monday to Friday in a zone with summer time, some holidays."""
    lines = [
        {"name": "Work", "dayofweek": str(day), "hour_from": start, "hour_to": stop}
        for day in range(5)
        for start, stop in ((8, 12), (13, 17))
    ]
    calendar = env["resource.calendar"].create(
        {
            "name": "Bench",
            "tz": "Europe/Brussels",
            "attendance_ids": [Command.clear(), *map(Command.create, lines)],
        }
    )
    days = [FIRST_DAY + timedelta(days=37 * number) for number in range(30)]
    env["resource.calendar.leaves"].create(
        [
            {
                "name": "Holiday",
                "calendar_id": calendar.id if number % 2 else False,
                "date_from": day,
                "date_to": day + timedelta(hours=24),
            }
            for number, day in enumerate(days)
        ]
    )
    return calendar


def _cold(env, calendar, answer):
    env.registry.clear_cache()
    env.invalidate_all()
    return answer(calendar._get_schedule(env.company))


def _compare(figures, title, ours, odoo):
    """Print what a question takes, ours all of them and Odoo a sample."""
    numbers = random.Random(2).sample(range(QUESTIONS), SAMPLE)
    took, theirs = [], []
    # In turns, so that a machine that is busy for a while is so for both.
    for turn in range(ROUNDS):
        start = time.perf_counter()
        answers = ours()
        took.append((time.perf_counter() - start) / QUESTIONS)
        part = numbers[turn::ROUNDS]
        start = time.perf_counter()
        expected = [odoo(number) for number in part]
        theirs.append((time.perf_counter() - start) / len(part))
        wrong = [n for n, right in zip(part, expected, strict=True) if answers[n] != right]
        expect(not wrong, f"{title}: {len(wrong)} of {len(part)} differ from Odoo")
    mine, odoos = min(took), min(theirs)
    figures.add(f"sla: {title}, ours", 1e6 * mine, "µs per question")
    figures.add(f"sla: {title}, Odoo", 1e6 * odoos, "µs per question")
    # The ratio is far below what two digits show.
    figures.add(f"sla: {title}", odoos / mine, "times as fast", at_least=1 / GOAL)


def _whole(moment):
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
