"""The promises of the replay, and the proof that their clocks are right.

**Which SLA.** Plans that are paid by the hour or the incident promise *office hours*, Monday to
Friday from 8 to 18 in the customer's time zone; the two with a fee for everything or with hours in
stock promise *around the clock*. The targets grow with the priority of the log:

                            1 Critical      2 High   3 Moderate      4 Low
    office hours   answer       30 min         1 h          4 h        8 h
                   solution        4 h         8 h       2 days     5 days (of 10 hours)
    round the clock answer      15 min      30 min          2 h        4 h
                   solution        4 h         8 h        1 day     3 days (of 24 hours)

Clocks stand still in the stages *Awaiting …*; *Resolved* resolves. At 80 % of the time a note is
written, on breach the assignee gets an activity as well, at 150 % once more a note.

**What is compared.** `made_sla` is the verdict of the source system under targets and hours that it
doesn't publish: the number of verdicts that agree says how near the promises here come to its own,
not which is right. What is proved is that the clocks say what the rows of the log say.
"""

from collections import Counter
from datetime import UTC

import pytz

from odoo import fields
from odoo.fields import Command
from odoo.tools.misc import split_every

from replay_log import get_answer

BATCH = 200
WAITING = ("Awaiting User Info", "Awaiting Problem", "Awaiting Vendor", "Awaiting Evidence")
MINUTES, HOURS, DAYS = "minutes", "hours", "days"
OFFICE, ALWAYS = "Office hours", "Around the clock"
# Priority of the ticket: (answer, solution).
SLAS = {
    OFFICE: {
        "3": ((30, MINUTES), (4, HOURS)),
        "2": ((1, HOURS), (8, HOURS)),
        "1": ((4, HOURS), (2, DAYS)),
        "0": ((8, HOURS), (5, DAYS)),
    },
    ALWAYS: {
        "3": ((15, MINUTES), (4, HOURS)),
        "2": ((30, MINUTES), (8, HOURS)),
        "1": ((2, HOURS), (1, DAYS)),
        "0": ((4, HOURS), (3, DAYS)),
    },
}
KINDS = ("response", "resolution")
OPEN = ("running", "paused")


def make_policies(register):
    """Make the SLA policies, as the text above has them."""
    office = {"name": "Office hours", "tz": "UTC", "company_id": register.env.company.id}
    office["attendance_ids"] = [
        Command.create({"name": "Day", "dayofweek": str(day), "hour_from": 8, "hour_to": 18})
        for day in range(5)
    ]
    calendar = register.make("resource.calendar", {("office",): office})
    stages = [register.get("helpdesk.ticket.stage", "stage", name).id for name in WAITING]
    return register.make(
        "support.sla.policy",
        {
            ("sla", name): {
                "name": name,
                "calendar_id": calendar.id if name == OFFICE else False,
                "customer_zone": name == OFFICE,
                "pause_stage_ids": [Command.set(stages)],
                "target_ids": [
                    Command.create(
                        {"kind": kind, "priority": priority, "number": number, "unit": unit}
                    )
                    for priority, times in targets.items()
                    for kind, (number, unit) in zip(KINDS, times, strict=True)
                ],
                "step_ids": [
                    Command.create({"number": percent, "by_activity": percent == 100})
                    for percent in (80, 100, 150)
                ],
            }
            for name, targets in SLAS.items()
        },
    )


class SlaProof:
    """Compares the clocks with the facts on record, and with the log."""

    def __init__(self, proof):
        self.replay, self.env, self._say = proof.replay, proof.env, proof._say
        self.now = fields.Datetime.now()
        self.tickets = proof.tickets
        self.timers = self.env["support.sla.timer"].search([("ticket_id", "in", proof.tickets.ids)])

    # -- Totals --------------------------------------------------------------------------------

    def print_totals(self):
        """Per priority: kept and broken, beside the verdict of the log."""
        verdicts = {incident.number: incident.made_sla for incident in self.replay.incidents}
        rows = {}
        for ticket in self.tickets:
            row = rows.setdefault(ticket.priority, Counter())
            verdict = verdicts[ticket.number]
            row["true" if verdict else "false"] += 1
            # Who closes a ticket that isn't resolved keeps nothing.
            kept = {
                timer.kind: timer.state == "met" and not timer.breached_at
                for timer in ticket.sla_timer_ids
            }
            for kind, met in kept.items():
                row[kind, met] += 1
            if kept:
                row["tickets"] += 1
                row["made"] += bool(verdict)
                row["answer"] += kept["response"] == verdict
                row["solution"] += kept["resolution"] == verdict
                row["both"] += all(kept.values()) == verdict
        print(
            f"\n{'SLA':<14}{'log: made_sla':>20}{'with SLA':>10}{'made':>7}"
            f"{'answer':>18}{'solution':>18}   agrees with the log\n"
            f"{'priority':<14}{'true':>10}{'false':>10}{'':>17}"
            f"{'met':>9}{'missed':>9}{'met':>9}{'missed':>9}{'answer':>9}{'solution':>10}{'both':>7}"
        )
        names = {"3": "1 Critical", "2": "2 High", "1": "3 Moderate", "0": "4 Low"}
        total = Counter()
        for priority, name in names.items():
            self._print_row(name, rows.get(priority, Counter()))
            total.update(rows.get(priority, Counter()))
        self._print_row("All", total)

    def _print_row(self, name, row):
        cells = [row["true"], row["false"], row["tickets"], row["made"]]
        cells += [row[kind, met] for kind in KINDS for met in (True, False)]
        cells += [row["answer"], row["solution"], row["both"]]
        widths = (10, 10, 10, 7, 9, 9, 9, 9, 9, 10, 7)
        print(
            f"{name:<14}"
            + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        )

    # -- Proofs --------------------------------------------------------------------------------

    def prove(self):
        self._prove_readings()
        self._prove_events()
        self._prove_moments()
        self._prove_times()

    def _prove_readings(self):
        """What is stored is what follows from the facts, read anew."""
        wrong, times = [], {}
        for batch in split_every(BATCH, self.timers.ids, self.timers.browse):
            pauses = batch._get_pauses(batch.ticket_id.ids)
            for timer in batch:
                own = pauses.get(timer.ticket_id.id, self.env["support.sla.pause"])
                version = timer.version_id
                time = timer._get_time(times, version, timer.company_id, timer.tz)
                reading = timer._prepare_reading(
                    time,
                    timer._get_clock(own, timer),
                    version,
                    self.now,
                    timer,
                    timer.event_ids.mapped("key"),
                )
                wrong += [
                    f"{timer.ticket_id.number} {timer.kind}: {name} {timer[name]} ≠ {value}"
                    for name, value in reading.items()
                    if timer[name] != value
                ]
        self._say(
            not wrong, f"{len(self.timers)} clocks, read anew from the facts: the same", wrong
        )

    def _prove_events(self):
        """Every breach was noted once, by its true moment; nothing waits that is due."""
        wrong, breaches = [], 0
        for timer in self.timers:
            moments = [event.moment for event in timer.event_ids if event.kind == "breach"]
            expected = [timer.breached_at] if timer.breached_at else []
            breaches += len(expected)
            if moments != expected:
                wrong.append(f"{timer.ticket_id.number} {timer.kind}: {moments} ≠ {expected}")
            elif expected and not timer.failed_at and timer.deadline != timer.breached_at:
                wrong.append(f"{timer.ticket_id.number} {timer.kind}: not at its deadline")
        self._say(not wrong, f"{breaches} breaches: one event each, at the deadline", wrong)
        due = self.timers.filtered(lambda timer: timer.next_event_at or timer.state in OPEN)
        self._say(
            not due,
            f"all tickets are closed: {len(due)} clocks run or have something to come",
            due.ticket_id.mapped("number"),
        )

    def _prove_moments(self):
        """Tickets were answered, resolved and closed when the log says so."""
        wrong = []
        by_number = {ticket.number: ticket for ticket in self.tickets}
        for incident in self.replay.incidents:
            ticket = by_number[incident.number]
            answer = get_answer(incident)
            stages = _get_stages(incident)
            expected = {
                "answered_at": max(answer.moment, incident.opened_at) if answer else False,
                "resolved_at": _get_resolved(stages),
                "closed_at": stages[-1][0] if stages[-1][1] == "Closed" else False,
            }
            wrong += [
                f"{incident.number}: {name} {ticket[name]} ≠ {value}"
                for name, value in expected.items()
                if ticket[name] != value
            ]
        self._say(not wrong, "answered, resolved and closed at the moments of the log", wrong)

    def _prove_times(self):
        """What clocks took, counted anew from the rows of the log by Odoo's own working hours.

        Left out are tickets that had no SLA from their opening on: their contact was changed to
        one with another contract.
        """
        by_number = {ticket.number: ticket for ticket in self.tickets}
        wrong, count, seconds = [], 0, 0
        for incident in self.replay.incidents:
            stages = _get_stages(incident)
            if len({event.location for event in incident.events}) > 1:
                continue
            for timer in by_number[incident.number].sla_timer_ids:
                expected = _get_taken(timer, incident, stages)
                count += 1
                seconds += timer.elapsed
                if timer.elapsed != expected or timer.started_at != incident.opened_at:
                    wrong.append(
                        f"{incident.number} {timer.kind}: {timer.elapsed} s ≠ {expected} s"
                    )
        self._say(
            not wrong,
            f"time taken = working hours of Odoo between the rows of the log: {count} clocks, "
            f"{seconds / 3600:,.2f} h",
            wrong,
        )


def _get_stages(incident):
    """Return the stages of an incident: [(since when, state)]."""
    stages = [(incident.opened_at, "New")]
    for event in incident.events:
        if event.state and event.state != stages[-1][1]:
            stages.append((event.moment, event.state))
    return stages


def _get_resolved(stages):
    """Return since when it has been resolved: closing doesn't resolve once more."""
    resolved = False
    for moment, state in stages:
        if state == "Resolved":
            resolved = resolved or moment
        elif state != "Closed":  # which solves nothing by itself
            resolved = False
    return resolved


def _get_taken(timer, incident, stages):
    """Return the working seconds until the answer or the solution, without those of pauses."""
    if timer.kind == "response":
        stop = max(get_answer(incident).moment, incident.opened_at)
        still = WAITING
    else:
        stop, still = _get_resolved(stages) or stages[-1][0], (*WAITING, "Resolved")
    ends = [*(moment for moment, _state in stages[1:]), stop]
    return sum(
        _get_hours(timer, max(begin, incident.opened_at), min(end, stop))
        for (begin, state), end in zip(stages, ends, strict=True)
        if state not in still
    )


def _get_hours(timer, start, stop):
    if stop <= start:
        return 0
    calendar = timer.version_id.calendar_id
    if not calendar:
        return round((stop - start).total_seconds())
    start, stop = start.replace(tzinfo=UTC), stop.replace(tzinfo=UTC)
    intervals = calendar._work_intervals_batch(start, stop, tz=pytz.timezone(timer.tz))[False]
    return round(sum((end - begin).total_seconds() for begin, end, _records in intervals))
