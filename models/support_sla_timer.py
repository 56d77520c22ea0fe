# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.sla import BREACH, Clock, get_due, get_elapsed, read
from ..tools.working_time import Pause
from .support_sla_target import KINDS

OPEN = ("running", "paused")
STATUSES = [
    ("running", "On Track"),
    ("at_risk", "At Risk"),
    ("breached", "Breached"),
    ("paused", "Paused"),
    ("met", "Met"),
    ("missed", "Missed"),
    ("stopped", "Stopped"),
]


class End(NamedTuple):
    """How a clock ended: met, stopped, or not at all."""

    state: str = "running"
    at: datetime | None = None


class SupportSlaTimer(models.Model):
    """One clock of one ticket: a promise, when it is due, and whether it was kept.

    What it says follows from facts: the ticket's moments and pauses, and the version of the policy
    that was promised. It is read anew whenever one of them changes, and never by what day it is:
    whether a deadline has passed is asked when somebody looks (`status`), and noted once by the
    minute job.
    """

    _name = "support.sla.timer"
    _description = "SLA Clock of a Ticket"
    _order = "deadline, id"
    _rec_name = "kind"  # what is searched for

    ticket_id = fields.Many2one(
        "helpdesk.ticket", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    kind = fields.Selection(KINDS, string="Promise", required=True, readonly=True)
    version_id = fields.Many2one(
        "support.sla.version", required=True, readonly=True, index=True, ondelete="restrict"
    )
    policy_id = fields.Many2one(related="version_id.policy_id", string="SLA")
    priority = fields.Char(readonly=True, help="The ticket's, as far as it decided the time.")
    target = fields.Integer(
        string="Promised", required=True, readonly=True, help="Seconds of working time."
    )
    tz = fields.Char(readonly=True, help="The zone of the active hours; empty: the calendar's.")
    state = fields.Selection(
        [("running", "Running"), ("paused", "Paused"), ("met", "Met"), ("stopped", "Stopped")],
        required=True,
        readonly=True,
    )
    started_at = fields.Datetime(string="Started", required=True, readonly=True)
    ended_at = fields.Datetime(
        string="Ended", readonly=True, help="When the promise was kept, or nobody waited any more."
    )
    paused_at = fields.Datetime(string="Paused Since", readonly=True)
    deadline = fields.Datetime(
        required=True, readonly=True, help="While it is paused: as if it went on at once."
    )
    warn_at = fields.Datetime(string="At Risk From", readonly=True)
    breached_at = fields.Datetime(
        string="Breached", readonly=True, help="When the promise was broken; kept for good (Y48)."
    )
    failed_at = fields.Datetime(
        readonly=True, help="When it was broken as it had been promised before it was changed."
    )
    next_event_at = fields.Datetime(
        readonly=True, help="When the minute job has something to do with it."
    )
    elapsed = fields.Integer(
        string="Taken", readonly=True, help="Seconds of working time it has taken in all."
    )
    event_ids = fields.One2many("support.sla.event", "timer_id", readonly=True)
    status = fields.Selection(STATUSES, compute="_compute_status", search="_search_status")

    _due = models.Index("(next_event_at) WHERE next_event_at IS NOT NULL")
    _target_positive = models.Constraint("CHECK (target > 0)", "A promise is longer than zero.")
    _one_of_a_kind = models.UniqueIndex(
        "(ticket_id, kind) WHERE kind <> 'next_response'",
        "The ticket has this clock already.",
    )
    _one_question = models.UniqueIndex(
        "(ticket_id) WHERE kind = 'next_response' AND state IN ('running', 'paused')",
        "The customer waits for an answer already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        promises = dict(self._fields["kind"]._description_selection(self.env))
        for timer in self:
            timer.display_name = promises.get(timer.kind)

    @api.depends("state", "deadline", "warn_at", "breached_at")
    def _compute_status(self):
        now = fields.Datetime.now()
        for timer in self:
            timer.status = timer._get_status(now)

    def _get_status(self, now):
        """Return how it stands at a moment, noticed or not."""
        self.ensure_one()
        if self.state in OPEN:
            if self.breached_at or (self.state == "running" and self.deadline < now):
                return "breached"
            if self.state == "running" and self.warn_at and self.warn_at <= now:
                return "at_risk"
            return self.state
        return "missed" if self.breached_at else self.state

    @api.model
    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(self._get_status_domain(status) for status in value)

    @api.model
    def _get_status_domain(self, status):
        """Return the clocks that stand so right now, whether or not the minute job has run."""
        now = fields.Datetime.now()
        breached = Domain("breached_at", "!=", False)
        running = Domain("state", "=", "running")
        late = breached | (running & Domain("deadline", "<", now))
        warned = running & Domain("warn_at", "<=", now)
        return {
            "breached": Domain("state", "in", OPEN) & late,
            "at_risk": warned & ~late,
            "running": running & ~late & ~warned,
            "paused": Domain("state", "=", "paused") & ~breached,
            "met": Domain("state", "=", "met") & ~breached,
            "stopped": Domain("state", "=", "stopped") & ~breached,
            "missed": Domain("state", "in", ("met", "stopped")) & breached,
        }.get(status, Domain.FALSE)

    # === FOLLOWING THE TICKETS === #

    @api.model
    def _follow(self, tickets, moment, paused, restarted=()):
        """Bring the clocks of tickets in line with what the tickets say, in one batch.

        :param moment: when that has changed
        :param paused: the tickets whose pauses have changed
        :param restarted: the tickets whose opening was corrected: their clocks begin anew
        """
        new, changed, changes = [], [], defaultdict(list)
        paused, restarted = set(paused), set(restarted)
        for ticket in tickets:
            wanted = ticket._get_promises()
            timers = ticket.sla_timer_ids
            for timer in timers:
                facts = timer._get_new_facts(ticket, wanted, moment, ticket in restarted)
                if facts:
                    changes[tuple(facts.items())].append(timer)
                moved = facts or ticket in paused
                if facts.keys() - {"company_id"} or (moved and timer.state in OPEN):
                    changed.append(timer)
            new += ticket._prepare_missing_timers(wanted, timers, moment)
        self._write_alike(changes)
        changed = self.browse().union(*changed)
        changed.filtered(lambda timer: timer.ticket_id in restarted)._forget_early_events(moment)
        changed._read(moment)
        changed._drop_activities()
        if new:
            self._start(new, moment)

    @api.model
    def _write_alike(self, changes):
        """Write in few steps: tickets that are moved together mostly change alike.

        :param changes: {items of values: list of timers}
        """
        for values, timers in changes.items():
            self.browse().union(*timers).write(dict(values))

    def _get_new_facts(self, ticket, wanted, moment, restarted):
        """Return what has changed about the facts of the clock.

        What is over and stays over isn't touched (T42); a breach under what was promised so far
        stays one (ex. E48).
        """
        self.ensure_one()
        facts = {}
        if self.company_id != ticket.company_id:
            facts["company_id"] = ticket.company_id.id
        if restarted and self.kind != "next_response":
            facts |= {"started_at": ticket.opened_at, "failed_at": False}
        known = {name: self[name] for name in ("kind", "state", "ended_at", "started_at")}
        end = ticket._get_clock_end(known | facts, wanted, moment)
        if end.at and (self.state, self.ended_at) == end and not restarted:
            return facts
        if not end.at and self.kind in wanted:
            promise = (wanted[self.kind], ticket.sla_version_id, ticket._get_sla_zone())
            if promise != (self.target, self.version_id, self.tz):
                target, version, tz = promise
                facts |= {
                    "target": target,
                    "version_id": version.id,
                    "tz": tz,
                    "priority": ticket.priority,
                }
                broken = self._get_status(moment) in ("breached", "missed")
                if broken and not restarted and not self.failed_at:
                    facts["failed_at"] = self.breached_at or self.deadline
        if end.at or self.state not in OPEN:
            facts |= {"state": end.state, "ended_at": end.at or False}
        return facts

    def _forget_early_events(self, moment):
        """Forget what has happened by a wrong opening or hours, and is still to come."""
        for timer, time, clock in self._get_clocks():
            steps = timer.version_id._get_steps(timer.kind)
            due = get_due(time, clock, steps, moment)
            early = {BREACH, *(step.key for step in steps)} - {key for _at, key in due}
            timer.event_ids.filtered(lambda event, keys=early: event.key in keys).unlink()

    def _drop_activities(self):
        """Take back what people were to do about clocks that are over."""
        over = self.filtered(lambda timer: timer.state not in OPEN)
        over.event_ids.activity_ids.unlink()

    def _meet_question(self, moment):
        """End the clock of the customer's last question, which has been answered."""
        waiting = self.filtered(lambda t: t.kind == "next_response" and t.state in OPEN)
        for timer in waiting:
            timer.update({"state": "met", "ended_at": max(moment, timer.started_at)})
        waiting._read(moment)
        waiting._drop_activities()

    @api.model
    def _start(self, vals_list, moment):
        """Make clocks from their facts, read at once so that they are written once."""
        pauses = self._get_pauses({vals["ticket_id"] for vals in vals_list})
        times = {}
        for vals in vals_list:
            version = self.env["support.sla.version"].browse(vals["version_id"])
            company = self.env["res.company"].browse(vals["company_id"])
            own = pauses.get(vals["ticket_id"], self.env["support.sla.pause"])
            clock = self._get_clock(own, vals)
            time = self._get_time(times, version, company, vals["tz"])
            vals.update(self._prepare_reading(time, clock, version, moment, vals))
        return self.create(vals_list)

    def _read(self, moment):
        """Read these clocks anew: what they say follows from the facts."""
        changes = defaultdict(list)
        for timer, time, clock in self._get_clocks():
            done = timer.event_ids.mapped("key")
            reading = self._prepare_reading(time, clock, timer.version_id, moment, timer, done)
            changed = tuple(item for item in reading.items() if timer[item[0]] != item[1])
            if changed:
                changes[changed].append(timer)
        self._write_alike(changes)

    # === READING === #

    def _get_clocks(self):
        """Return these records with the time that counts and the clock of their facts, as a batch.

        :rtype: list[tuple[timer, tools.working_time.WorkingTime, tools.sla.Clock]]
        """
        pauses, times = self._get_pauses(self.ticket_id.ids), {}
        nothing = self.env["support.sla.pause"]
        return [
            (
                timer,
                self._get_time(times, timer.version_id, timer.company_id, timer.tz),
                self._get_clock(pauses.get(timer.ticket_id.id, nothing), timer),
            )
            for timer in self
        ]

    @api.model
    def _get_pauses(self, ticket_ids):
        """Return the pauses of tickets: {ticket id: pauses}."""
        pauses = self.env["support.sla.pause"].search([("ticket_id", "in", list(ticket_ids))])
        return pauses.grouped(lambda pause: pause.ticket_id.id)

    @api.model
    def _get_time(self, times, version, company, tz):
        """Return the working time that counts.

        :param times: what has been asked for in this batch already
        :rtype: tools.working_time.WorkingTime
        """
        key = (version.calendar_id, company, tz or None)
        if key not in times:
            times[key] = version.calendar_id._get_schedule(company, tz or None)
        return times[key]

    @api.model
    def _get_clock(self, pauses, facts):
        """Return the clock of some facts, a record or values.

        :rtype: tools.sla.Clock
        """
        start, ended_at = facts["started_at"], facts["ended_at"] or None
        over, going = [], []
        for pause in pauses:
            # What comes behind its end is no part of a clock: read again, it says the same.
            if not pause._holds(facts["kind"]) or (ended_at and pause.start >= ended_at):
                continue
            if ended_at:
                over.append(Pause(pause.start, min(pause.stop or ended_at, ended_at)))
            elif pause.stop:
                over.append(Pause(pause.start, pause.stop))
            else:
                going.append(max(pause.start, start))
        return Clock(
            start=start,
            target=facts["target"],
            pauses=over,
            paused_at=min(going, default=None),
            ended_at=ended_at,
            failed_at=facts["failed_at"] or None,
        )

    @api.model
    def _prepare_reading(self, time, clock, version, moment, facts, done=()):
        """Return the values that follow from a clock."""
        reading = read(time, clock, version._get_steps(facts["kind"]), moment, done)
        state = facts["state"]
        if not clock.ended_at:
            state = "paused" if clock.paused_at else "running"
        return {
            "state": state,
            "deadline": reading.deadline,
            "warn_at": reading.warn_at or False,
            "paused_at": (not clock.ended_at and clock.paused_at) or False,
            "breached_at": reading.breached_at or False,
            "next_event_at": reading.next_event_at or False,
            "elapsed": get_elapsed(time, clock, clock.ended_at) if clock.ended_at else 0,
        }
