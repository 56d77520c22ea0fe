# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions: every event of a clock once, and no change of a ticket lost."""

from collections import Counter
from datetime import timedelta
from unittest.mock import patch

import psycopg2
from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo import fields
from odoo.fields import Command, Domain
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import MAX_TRIES, ParallelCase

TICKETS = 24
BATCH = 4
MINUTE = timedelta(minutes=1)
# What is due on each ticket: its first response was promised within an hour.
DUE = {"warning": 30 * MINUTE, "breach": 60 * MINUTE, "escalation": 90 * MINUTE}


@tagged("post_install", "-at_install")
class TestSlaParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        now = fields.Datetime.now()
        self.opened_at = now - timedelta(hours=2)
        with self._environment() as env:
            team = env["helpdesk.ticket.team"].browse(self.team_id)
            team.requires_incident = False
            stages = env["helpdesk.ticket.stage"]
            self.waiting_id = stages.create({"name": "Parallel wait", "company_id": False}).id
            self.done_id = env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done").id
            policy = env["support.sla.policy"].create(
                {
                    "name": "Parallel",
                    "calendar_id": False,
                    "pause_stage_ids": [Command.set([self.waiting_id])],
                    "target_ids": [
                        Command.create({"kind": "response", "number": 60, "unit": "minutes"}),
                        Command.create({"kind": "resolution", "number": 8, "unit": "hours"}),
                    ],
                    "step_ids": [
                        Command.create(
                            {
                                "kind": "response",
                                "number": number,
                                "by_activity": False,
                                # Writes on the ticket, as do those who work on it.
                                "reassign_id": number == 100 and env.ref("base.user_admin").id,
                            }
                        )
                        for number in (50, 100, 150)
                    ],
                }
            )
            self.policy_id = policy.id
            tickets = env["helpdesk.ticket"].create(
                [
                    {
                        "name": f"Ticket {number}",
                        "description": "?",
                        "partner_id": self.customer_id,
                        "team_id": self.team_id,
                        "sla_policy_id": policy.id,
                        "opened_at": self.opened_at,
                    }
                    for number in range(TICKETS)
                ]
            )
            self.ticket_ids = tickets.ids
            self._leave_others_alone(env)

    def _leave_others_alone(self, env):
        """Have the jobs see the clocks of the test only, not those of demo data."""
        timers, own = type(env["support.sla.timer"]), Domain("ticket_id", "in", self.ticket_ids)
        find = timers._get_due_domain
        patcher = patch.object(timers, "_get_due_domain", lambda model, now: find(model, now) & own)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _delete_all(self):  # pylint: disable=missing-return
        super()._delete_all()
        with self.registry.cursor() as cr:
            cr.execute(
                """
                DELETE FROM mail_message
                 WHERE model = 'support.sla.policy' AND res_id = %(policy)s;
                DELETE FROM support_sla_policy WHERE id = %(policy)s;
                DELETE FROM helpdesk_ticket_stage WHERE id = %(stage)s;
                """,
                {"policy": self.policy_id, "stage": self.waiting_id},
            )

    # === WHO DOES WHAT === #

    def _run_job(self):
        with self._environment() as env:
            env["support.sla.timer"]._cron_handle_due(batch_size=BATCH)

    def _request(self, function):
        """A request of the web client: tried again as Odoo does it."""
        for _attempt in range(MAX_TRIES):
            try:
                with self._environment() as env:
                    return function(env)
            except (SerializationFailure, DeadlockDetected):
                continue
        raise AssertionError("never got through")

    def assertToldOnce(self, closed_ids=()):
        """Each thing that was due has happened once, at its moment, with one note.

        :param closed_ids: tickets that may have been closed before: nobody is warned of them any
            more, and nobody gets them
        """
        with self._environment() as env:
            tickets = env["helpdesk.ticket"].browse(self.ticket_ids)
            for ticket in tickets:
                events = ticket.sla_event_ids
                self.assertEqual(
                    sorted(events.mapped(lambda event: (event.kind, event.moment))),
                    sorted((kind, self.opened_at + after) for kind, after in DUE.items()),
                )
                notes = Counter(
                    word
                    for body in ticket.message_ids.mapped("body")
                    for word in ("at risk", "is overdue", "still overdue")
                    if word in body
                )
                told = {"at risk": 1, "is overdue": 1, "still overdue": 1}
                if ticket.id in closed_ids:
                    notes["at risk"] = max(notes["at risk"], 1)
                else:
                    self.assertEqual(events.reassigned_id, env.ref("base.user_admin"))
                self.assertEqual(notes, told)

    def assertClocksRight(self):
        """What the clocks say is what follows from the facts."""
        with self._environment() as env:
            timers = env["helpdesk.ticket"].browse(self.ticket_ids).sla_timer_ids
            self.assertEqual(len(timers), 2 * TICKETS)
            names = ["state", "deadline", "warn_at", "paused_at", "breached_at", "elapsed"]
            names += ["next_event_at", "ended_at"]
            before = timers.read(names)
            timers._read(fields.Datetime.now())
            self.assertEqual(timers.read(names), before)

    # === TESTS === #

    @mute_logger("odoo.sql_db")
    def test_minute_jobs_at_once_tell_everything_once(self):
        self._run_parallel(lambda _number: self._run_job(), 4)
        self._run_job()  # what a job found locked it has left to another one
        self.assertToldOnce()
        self.assertClocksRight()

    @mute_logger("odoo.sql_db")
    def test_tickets_are_moved_while_the_job_runs(self):
        """No request is lost, no event either: what was due before it has happened."""
        stages = [self.done_id, self.waiting_id, None]

        def move(number, ticket_id):
            def act(env):
                ticket = env["helpdesk.ticket"].browse(ticket_id)
                stage = stages[number % 3]
                if stage:
                    ticket.stage_id = stage
                else:
                    ticket._pause_sla("parts")

            self._request(act)

        def work(number):
            if number < 2:
                # A job that is disturbed again and again gives up; the next minute's goes on.
                self._request(lambda _env: self._run_job())
                return
            for index, ticket_id in enumerate(self.ticket_ids):
                if index % 2 == number % 2:
                    move(index, ticket_id)

        self._run_parallel(work, 4)
        self._run_job()
        self.assertToldOnce(closed_ids=self.ticket_ids[::3])
        self.assertClocksRight()
        with self._environment() as env:
            for index, ticket in enumerate(env["helpdesk.ticket"].browse(self.ticket_ids)):
                stage = stages[index % 3]
                states = {timer.kind: timer.state for timer in ticket.sla_timer_ids}
                if stage == self.done_id:
                    self.assertEqual(states, {"response": "stopped", "resolution": "met"})
                    self.assertTrue(ticket.closed_at and ticket.resolved_at)
                else:
                    self.assertEqual(set(states.values()), {"paused"})
                    (pause,) = ticket.sla_pause_ids
                    self.assertEqual(pause.reason, "stage" if stage else "hand")
                self.assertEqual(
                    set(ticket.sla_timer_ids.mapped("status")) - {"missed"},
                    {"met"} if stage == self.done_id else {"breached", "paused"},
                )

    @mute_logger("odoo.sql_db")
    def test_a_job_that_is_killed_is_taken_up_by_the_next(self):
        """The database's connection is gone in the middle of the third batch."""
        with self._environment() as env:
            timers = type(env["support.sla.timer"])
        handle, batches = timers._handle_events, []

        def handle_and_die(batch, now):
            handle(batch, now)
            batches.append(batch)
            if len(batches) == 3:
                pid = batch.env.cr._cnx.get_backend_pid()
                with self.registry.cursor() as cr:
                    cr.execute("SELECT pg_terminate_backend(%s)", (pid,))

        with (
            patch.object(timers, "_handle_events", handle_and_die),
            mute_logger("odoo.addons.support_contract.models.support_sla_timer_job"),
            self.assertRaises(psycopg2.Error),
        ):
            self._run_job()
        with self._environment() as env:
            done = env["helpdesk.ticket"].browse(self.ticket_ids).sla_event_ids
            self.assertEqual(len(done), 2 * BATCH * len(DUE), "two batches are done for good")
        self._run_job()
        self.assertToldOnce()
        self.assertClocksRight()
