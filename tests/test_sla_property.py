# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whatever people do with tickets: the clocks say what counting minute by minute says.

Each example plays random steps on two tickets at once, moves, pauses, answers, other priorities and
policies; on one of them the minute job runs in between. After each step the stored clocks are
compared with an oracle that knows no arithmetic: it counts minutes. More examples are tried with
SUPPORT_EXAMPLES=200.
"""

import os
from datetime import timedelta
from itertools import count

from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.tests import tagged

from .common_sla import SlaCommon, moment

examples = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "12")),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)
START = moment("01-08 14:00")  # a Thursday: a weekend comes soon
STAGES = ("new", "work", "wait", "solved", "done", "rejected")
gaps = st.sampled_from([0, 1, 30, 59, 60, 61, 120, 240, 480, 900, 1440, 2880])
steps = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(STAGES)),
    st.tuples(st.just("move"), st.sampled_from(STAGES)),
    st.tuples(st.sampled_from(["pause", "resume", "answer", "question", "tick", "tick"])),
    st.tuples(st.just("priority"), st.sampled_from("13")),
    st.tuples(st.just("policy"), st.sampled_from(["gold", "silver"])),
)
scripts = st.lists(st.tuples(gaps, steps), min_size=4, max_size=14)
# Minutes that are promised: {policy: {(kind, priority): minutes}}; "" for other priorities.
PROMISES = {
    "gold": {("response", ""): 240, ("resolution", ""): 480, ("resolution", "3"): 300},
    "silver": {("resolution", ""): 960},
}
# When steps come, in minutes of the promise.
STEPS = {
    "warning": lambda target: target * 3 // 4,
    "before": lambda target: target - 60,
    "breach": lambda target: target,
    "late": lambda target: target * 3 // 2,
}


def works(minute):
    """Whether a minute since the start is one of Monday to Friday from 9 to 17."""
    at = START + timedelta(minutes=minute)
    return at.weekday() < 5 and 9 <= at.hour < 17


class Oracle:
    """A ticket and its clocks, by the rules alone; moments are minutes since the start."""

    def __init__(self):
        self.stage, self.priority, self.policy, self.chosen = "new", "1", "gold", "gold"
        self.answered = self.resolved = self.closed = None
        self.pauses, self.going, self.clocks = [], {}, {}  # pauses: start, stop, reason
        self.follow(0)

    def act(self, now, name, *args):
        """Do a step; return whether it is possible."""
        if name == "move":
            self.stage = args[0]
        elif name == "priority":
            self.priority = args[0]
        elif name == "policy":
            self.chosen = args[0]
        elif name == "answer":
            if self.answered is None and self.closed is None:
                self.answered = now
        elif name == "pause":
            if self.closed is not None:
                return False
            self.going.setdefault("hand", now)
        elif name == "resume":
            if "hand" not in self.going:
                return False
            self.pauses.append((self.going.pop("hand"), now, "hand"))
        self.follow(now)
        return True

    def follow(self, now):
        ends = self.stage in ("done", "rejected")
        self.resolved = self.since(
            "resolved",
            self.resolved,
            self.stage in ("solved", "done") or (ends and self.resolved is not None),
            now,
        )
        self.closed = self.since("closed", self.closed, ends, now)
        if self.closed is None:
            self.policy = self.chosen
        if self.stage == "wait" and self.policy == "gold":
            self.going.setdefault("stage", now)
        elif "stage" in self.going:
            self.pauses.append((self.going.pop("stage"), now, "stage"))
        if self.closed is not None:
            self.pauses += [(start, now, reason) for reason, start in self.going.items()]
            self.going = {}
        self.follow_clocks(now)

    def since(self, reason, before, holds, now):
        """Since when a ticket has been resolved or closed; the time until it isn't is a pause."""
        if before is not None and not holds:
            self.pauses.append((before, now, reason))
        if not holds:
            return None
        return now if before is None else before

    def follow_clocks(self, now):
        promised = PROMISES[self.policy]
        for kind, met in (("response", self.answered), ("resolution", self.resolved)):
            target = promised.get((kind, self.priority)) or promised.get((kind, ""))
            clock = self.clocks.get(kind)
            if not clock:
                if not target:
                    continue
                clock = {"state": "running", "end": None, "target": target, "events": {}}
                self.clocks[kind] = clock | {"policy": self.policy, "failed": None}
                clock = self.clocks[kind]
            before = clock["state"], clock["end"]
            if met is not None:
                end = ("met", met)
            elif self.closed is not None:
                end = ("stopped", self.closed)
            elif not target:
                end = before if before[0] == "stopped" else ("stopped", now)
            else:
                end = ("running", None)
                if (target, self.policy) != (clock["target"], clock["policy"]):
                    clock["failed"] = self.breached(kind, now)
                    clock.update(target=target, policy=self.policy)
            clock["state"], clock["end"] = end

    # -- Counting --

    def counted(self, kind):
        """Yield the minutes that count for a clock, from the start on for ever."""
        end = self.clocks[kind]["end"]
        held = [
            (start, stop)
            for start, stop, reason in self.pauses
            if reason != "resolved" or kind == "resolution"
        ]
        if end is not None:
            held += [(start, end) for start in self.going.values()]
            held = [(start, min(stop, end)) for start, stop in held]
        for minute in count():
            if works(minute) and not any(start <= minute < stop for start, stop in held):
                yield minute

    def moment(self, kind, minutes):
        """When so many minutes have counted."""
        for number, minute in enumerate(self.counted(kind), start=1):
            if number == minutes:
                return minute + 1

    def limit(self, kind, now):
        """The moment behind which nothing happens any more, as far as is known."""
        end = self.clocks[kind]["end"]
        return min(self.going.values(), default=now) if end is None else end

    def breached(self, kind, now):
        clock = self.clocks[kind]
        deadline = self.moment(kind, clock["target"])
        if clock["failed"] is not None:
            return clock["failed"]
        return deadline if deadline < self.limit(kind, now) else None

    def tick(self, now):
        """The minute job: what is due and hasn't happened."""
        for kind, clock in self.clocks.items():
            for name, after in STEPS.items():
                # Each policy warns by itself, a breach is one.
                key = name if name == "breach" else f"{clock['policy']} {name}"
                at = self.moment(kind, after(clock["target"]))
                if name == "breach" and clock["failed"] is not None:
                    at = clock["failed"]  # as it had been promised
                if key not in clock["events"] and at < self.limit(kind, now):
                    clock["events"][key] = at

    def tell(self, kind, now):
        """What a clock says."""
        clock = self.clocks[kind]
        end, breached = clock["end"], self.breached(kind, now)
        paused = end is None and bool(self.going)
        taken = 0
        for minute in self.counted(kind):
            if end is None or minute >= end:
                break
            taken += 1
        return {
            "state": "paused" if paused else clock["state"],
            "target": clock["target"],
            "deadline": self.moment(kind, clock["target"]),
            "paused_at": self.limit(kind, now) if paused else None,
            "ended_at": end,
            "elapsed": taken,
            "breached_at": breached,
        }


@tagged("post_install", "-at_install")
class TestSlaProperty(SlaCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [
            cls._step(75, by_activity=False),
            cls._step(60, "before", by_activity=False),
            cls._step(150, by_activity=False),
        ]
        cls.policies = {
            name: cls._make_policy(
                [
                    cls._target(kind, minutes, "minutes", priority or False)
                    for (kind, priority), minutes in PROMISES[name].items()
                ],
                rows,
                name=name,
                pause_stage_ids=[(6, 0, cls.stage_wait.ids if name == "gold" else [])],
            )
            for name in PROMISES
        }
        cls.keys = {
            str(row.id): f"{name} {key}"
            for name, policy in cls.policies.items()
            for row, key in zip(
                policy.step_ids.sorted("id"), ("warning", "before", "late"), strict=True
            )
        }

    # === WHAT PEOPLE DO === #

    def _act(self, ticket, name, *args):
        if name == "move":
            ticket.stage_id = getattr(self, f"stage_{args[0]}")
        elif name == "priority":
            ticket.priority = args[0]
        elif name == "policy":
            ticket.sla_policy_id = self.policies[args[0]]
        elif name == "pause":
            ticket._pause_sla("parts")
        elif name == "resume":
            ticket.action_resume_sla()
        else:
            author = self.colleague if name == "answer" else self.customer_user
            ticket.message_post(
                body="Hello",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                author_id=author.id,
            )
        self.env.flush_all()

    def _run_job(self, ticket):
        timers = self.env["support.sla.timer"].sudo()
        now = fields.Datetime.now()
        due = timers._get_due_domain(now) & fields.Domain("ticket_id", "=", ticket.id)
        timers.search(due)._handle_due(now)

    # === WHAT CAME OUT === #

    def _minutes(self, value):
        return (value - START).total_seconds() / 60 if value else None

    def _get_clock(self, timer, now):
        """What is stored, in minutes; a breach may not have been noticed yet."""
        noticed = timer.breached_at or (timer._get_status(now) == "breached" and timer.deadline)
        return {
            "state": timer.state,
            "target": timer.target / 60,
            "deadline": self._minutes(timer.deadline),
            "paused_at": self._minutes(timer.paused_at),
            "ended_at": self._minutes(timer.ended_at),
            "elapsed": timer.elapsed / 60,
            "breached_at": self._minutes(noticed),
        }

    def _get_events(self, timer):
        return {
            self.keys.get(event.key, event.key): self._minutes(event.moment)
            for event in timer.event_ids
        }

    def _get_stored(self, ticket):
        self.env.flush_all()
        names = ["state", "deadline", "warn_at", "paused_at", "ended_at", "elapsed", "target"]
        names += ["next_event_at", "failed_at", "started_at", "breached_at", "version_id"]
        return (
            ticket.sla_timer_ids.read(names),
            ticket.sla_pause_ids.read(["start", "stop", "reason"]),
            ticket.read(["resolved_at", "closed_at", "sla_deadline", "sla_version_id"]),
        )

    def assertClocks(self, ticket, oracle, minute):
        now = START + timedelta(minutes=minute)
        ticket.invalidate_recordset()
        self.assertEqual(set(ticket.sla_timer_ids.mapped("kind")), set(oracle.clocks))
        for timer in ticket.sla_timer_ids:
            expected = oracle.tell(timer.kind, minute)
            self.assertEqual(self._get_clock(timer, now), expected, f"{timer.kind} at {minute}")
        running = [timer.deadline for timer in ticket.sla_timer_ids if timer.state == "running"]
        self.assertEqual(ticket.sla_deadline, min(running, default=False))

    def assertSettled(self, ticket):
        """Following the ticket and reading the clocks again changes nothing."""
        before = self._get_stored(ticket)
        ticket._sync_clocks()
        ticket.sudo().sla_timer_ids._read(fields.Datetime.now())
        self.assertEqual(self._get_stored(ticket), before)

    @examples
    @given(scripts)
    def test_clocks_say_what_counting_minutes_says(self, script):
        with self.env.cr.savepoint() as savepoint:
            self._play(script)
            savepoint.rollback()
        self.env.invalidate_all(flush=False)

    def _play(self, script):
        with freeze_time(START):
            watched, left_alone = (
                self._make_ticket(
                    self.contract,
                    opened=START,
                    sla_policy_id=self.policies["gold"].id,
                    priority="1",
                )
                for _ticket in range(2)
            )
        oracle, minute = Oracle(), 0
        for gap, step in script:
            minute += gap
            with freeze_time(START + timedelta(minutes=minute)):
                if step == ("tick",):
                    oracle.tick(minute)
                    self._run_job(watched)
                elif oracle.act(minute, *step):
                    self._act(watched, *step)
                    self._act(left_alone, *step)
                for ticket in (watched, left_alone):
                    self.assertClocks(ticket, oracle, minute)
        minute += 1
        with freeze_time(START + timedelta(minutes=minute)):
            oracle.tick(minute)
            for ticket in (watched, left_alone):
                self._run_job(ticket)
                ticket.sudo().sla_timer_ids._read(fields.Datetime.now())
                self.assertClocks(ticket, oracle, minute)
                self.assertSettled(ticket)
        promised = {step for _gap, step in script if step[0] in ("priority", "policy")}
        for timer in watched.sla_timer_ids:
            events = self._get_events(timer)
            self.assertEqual(events, oracle.clocks[timer.kind]["events"])
            if not promised:  # else the job has told what was promised then
                other = self._clock(left_alone, timer.kind)
                self.assertEqual(self._get_events(other), events)
