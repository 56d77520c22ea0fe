"""Run a real incident log through the product, and prove that nothing was lost on the way.

    PGDATABASE=sc_replay .work/venv/bin/python scripts/replay.py LOG.csv.gz     (make replay CSV=…)

The log is lived through day by day, with the clock set to its moments. Incidents become tickets on
the day on which they are heard of, with their own `opened_at`; every row of the log is applied in
its order at its own minute: stage, team, assignee, priority, and the contact where it has changed
(unless the ticket is on an approved bill: then it stays where it is, and that is counted). The
first answer to the customer is posted by the rule in `replay_log.py`. At the end of the day the
work of the day is logged, by the rule there, and the minute job of the SLA clocks runs once.
Customers have contracts of five plans, with promises, see `replay_setup.py`. On the first of each
month terms are rolled as by the nightly job, a billing run bills what is due, bills that wait for
approval are approved, invoices posted.

Each day is one transaction, the minute job has its own behind it. Everything that is made has an
external id of the module `support_replay`, every row of the log too: a replay that was killed goes
on where it was when it is called again, and one that was finished finds nothing to do, which is
proved by a second one.

Exit code: 0 when all proofs hold, 1 when one fails, 2 when the log can't be read.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import datetime
from datetime import time as day_time

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tools import SQL

from devenv import environment
from replay_log import LogError, get_answer, get_work, read
from replay_proof import Proof, snapshot
from replay_setup import Register, get_contact, get_life, make_contracts, make_people

LOCK = 7_301_601  # advisory: one replay at a time on a database
# While people and teams are made, nobody wants to read about it.
QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}
PRIORITIES = {1: "3", 2: "2", 3: "1", 4: "0"}


class Stopwatch:
    """Real time by stage, whatever the clock is set to."""

    def __init__(self):
        self.seconds = defaultdict(float)

    @staticmethod
    def now():
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    @contextmanager
    def __call__(self, stage):
        start = self.now()
        yield
        self.seconds[stage] += self.now() - start

    def report(self):
        for stage, seconds in self.seconds.items():
            print(f"  {stage:<36}{seconds:8.1f} s")
        print(f"  {'together':<36}{sum(self.seconds.values()):8.1f} s", flush=True)


class Replay:
    """One pass over the log. What is there already is left as it is."""

    def __init__(self, env, incidents, clock):
        # Nobody is written to: neither the people of the log nor anybody else.
        self.env = env(
            context={
                **env.context,
                "mail_notify_force_send": False,
                "mail_auto_subscribe_no_notify": True,
                "no_reset_password": True,
            }
        )
        self.incidents = incidents
        self.clock = clock
        self.register = Register(self.env)
        self.watch = Stopwatch()
        self.counts = Counter()
        self.failures = []

    def run(self):
        start, end = get_life(self.incidents)
        with self.watch("people, teams, staff"):
            make_people(self.register.with_context(**QUIET), self.incidents)
            self.env.cr.commit()
        with self.watch("plans and contracts"):
            self.clock.move_to(datetime.combine(start, day_time(12)))
            make_contracts(self.register, self.incidents)
            self.env.cr.commit()
        self._plan_days()
        # Late charges, of time zones where the last day ends later, come with a last run.
        closings = {
            start + relativedelta(months=months)
            for months in range((end.year - start.year) * 12 + end.month - start.month + 3)
        }
        for day in sorted(closings | self.openings.keys() | self.events.keys() | self.work.keys()):
            if day in closings:
                self.close_month(day)
            self.live(day)

    def _plan_days(self):
        """Sort what is still to be done into days."""
        self.openings, self.events, self.work = (defaultdict(list) for _ in range(3))
        for incident in self.incidents:
            if not self.register.has("ticket", incident.number):
                self.openings[incident.first_moment.date()].append(incident)
            previous = None
            for event in incident.events:
                if not self.register.has("event", incident.number, event.index):
                    self.events[event.moment.date()].append((incident, previous, event))
                previous = event
            for work in get_work(incident):
                if not self.register.has("work", work.number, work.index):
                    self.work[work.start.date()].append(work)

    def live(self, day):
        """One day of the log; its end is the end of a transaction."""
        if day in self.openings:
            with self.watch("tickets"):
                self.clock.move_to(datetime.combine(day, day_time()))
                self.open_tickets(self.openings[day])
        if day in self.events:
            with self.watch("state changes"):
                self.apply_events(self.events[day])
        if day in self.work:
            with self.watch("time entries"):
                self.clock.move_to(datetime.combine(day, day_time(23, 59)))
                self.log_work(self.work[day])
        with self.watch("commits"):
            self.env.cr.commit()
            self.env.invalidate_all()
        with self.watch("minute job of the SLA"):
            self.clock.move_to(datetime.combine(day, day_time(23, 59)))
            self.env["support.sla.timer"]._cron_handle_due()

    # -- Tickets -------------------------------------------------------------------------------

    def open_tickets(self, incidents):
        self.register.make(
            "helpdesk.ticket",
            {("ticket", incident.number): self._prepare_ticket(incident) for incident in incidents},
        )

    def _prepare_ticket(self, incident):
        first = incident.events[0]
        get = self.register.get
        return {
            "number": incident.number,
            "name": incident.title,
            "description": incident.symptom or incident.title,
            "partner_id": get_contact(self.register, first).id,
            "partner_name": first.caller,
            "team_id": get("helpdesk.ticket.team", "team", first.group).id,
            "user_id": get("res.users", "user", first.assignee).id,
            "stage_id": get("helpdesk.ticket.stage", "stage", "New").id,
            "category_id": get("helpdesk.ticket.category", "category", first.category).id,
            "channel_id": self.env.ref(
                "helpdesk_mgmt.helpdesk_ticket_channel_"
                + ("phone" if first.contact_type == "Phone" else "other")
            ).id,
            "priority": PRIORITIES.get(first.priority, "0"),
            "opened_at": incident.opened_at,
            "last_stage_update": incident.opened_at,
            "assigned_date": incident.opened_at,
        }

    def apply_events(self, rows):
        """Apply rows of the log at their minutes; equal changes of a minute are one write."""
        rows.sort(key=lambda row: (row[2].moment, row[0].number, row[2].index))
        rounds = defaultdict(list)  # the n-th row of each ticket in a minute
        turn = Counter()
        for incident, previous, event in rows:
            turn[incident.number, event.moment] += 1
            rounds[event.moment, turn[incident.number, event.moment]].append(
                (incident, previous, event)
            )
        tickets, keys = [], []
        for (moment, _turn), together in rounds.items():
            changes, answers = defaultdict(list), []
            for incident, previous, event in together:
                ticket = self.register.get("helpdesk.ticket", "ticket", incident.number)
                tickets.append(ticket)
                keys.append(("event", incident.number, event.index))
                if event == get_answer(incident):
                    answers.append((ticket, event))
                vals = self._get_changes(previous, event)
                if vals:
                    changes[tuple(vals.items())].append(ticket)
            if changes:
                self.clock.move_to(moment)
                for ticket, event in answers:
                    self._answer(ticket, event)
                for vals, changed in changes.items():
                    self._write(self.env["helpdesk.ticket"].concat(*changed), dict(vals))
                self.env.cr.flush()  # the chatter notes each change by itself
        self.register.mark(tickets, keys)

    def _answer(self, ticket, event):
        """Post the first answer to the customer; the one who gives it has seen the description."""
        user = self.register.get("res.users", "user", event.assignee or event.resolver)
        ticket.message_post(
            body=f"{event.state}: {ticket.name}",
            author_id=(user or self.env.ref("base.user_admin")).partner_id.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    def _get_changes(self, previous, event):
        """Return what a row changes on the ticket; the first one has made it as new."""
        get = self.register.get
        vals = {}
        if event.state and event.state != (previous.state if previous else "New"):
            vals["stage_id"] = get("helpdesk.ticket.stage", "stage", event.state).id
        if previous:
            if event.group != previous.group:
                vals["team_id"] = get("helpdesk.ticket.team", "team", event.group).id
            if event.assignee and event.assignee != previous.assignee:
                vals["user_id"] = get("res.users", "user", event.assignee).id
            if event.priority != previous.priority:
                vals["priority"] = PRIORITIES.get(event.priority, "0")
            if event.contact != previous.contact:
                vals["partner_id"] = get_contact(self.register, event).id
        return vals

    def _write(self, tickets, vals):
        if "partner_id" not in vals:
            tickets.write(vals)
            return
        contact = {"partner_id": vals.pop("partner_id")}
        for ticket in tickets:
            try:
                with self.env.cr.savepoint():
                    ticket.write(contact)
                self.counts["contact changed"] += 1
            except UserError as error:
                self.counts["contact kept, because it is billed"] += 1
                print(f"  kept: {error}")
        if vals:
            tickets.write(vals)

    # -- Work ----------------------------------------------------------------------------------

    def log_work(self, pieces):
        get = self.register.get
        self.register.make(
            "account.analytic.line",
            {
                ("work", work.number, work.index): {
                    "ticket_id": get("helpdesk.ticket", "ticket", work.number).id,
                    "employee_id": get("hr.employee", "employee", work.staff).id,
                    "activity_type_id": get("support.activity.type", "activity", work.activity).id,
                    "name": work.name,
                    "work_start": work.start,
                    "work_stop": work.stop,
                }
                for work in sorted(pieces, key=lambda work: (work.start, work.number, work.index))
            },
        )

    # -- Months --------------------------------------------------------------------------------

    def close_month(self, day):
        """Roll the terms, bill what is due, approve, invoice and post."""
        self.clock.move_to(datetime.combine(day, day_time(12)))
        with self.watch("closing terms"):
            self.env["support.contract"]._cron_roll()
        with self.watch("billing runs"):
            run = self._get_run(day)
            if run.state == "draft":
                run.action_start()
            if run.state == "running":
                run._process()
            for item in run.item_ids.filtered(lambda item: item.state == "failed"):
                self.failures.append(f"{day}: {item.contract_id.display_name}: {item.message}")
            self.env.cr.commit()
        bills = run.bill_ids
        with self.watch("approving and invoicing the rest"):
            bills.filtered(lambda bill: bill.state == "to_approve").action_approve()
            approved = bills.filtered(lambda bill: bill.state == "approved")
            if approved:
                self.env["support.invoicing"]._create_invoices(approved)
            self.env.cr.commit()
        with self.watch("posting invoices"):
            drafts = bills.move_id.filtered(lambda move: move.state == "draft")
            if drafts:
                drafts.action_post()
            self.env.cr.commit()

    def _get_run(self, day):
        """Return the run of a day; an empty one where nothing is due."""
        runs = self.env["support.billing.run"]
        if self.register.has("run", day):
            return self.register.get(runs._name, "run", day)
        vals = {"date_until": day, "contract_ids": self._get_contracts().ids}
        due = self.env["support.contract"].search_count(runs.new(vals)._get_domain(), limit=1)
        return self.register.make(runs._name, {("run", day): vals}) if due else runs

    def _get_contracts(self):
        return self.register.all("support.contract", "contract")


def replay(env, incidents):
    """One pass, with the clock set back afterwards. Return it."""
    with freeze_time(datetime(2016, 1, 1)) as clock:
        one = Replay(env, incidents, clock)
        one.run()
        return one


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("csv", help="the incident log, .csv or .csv.gz")
    parser.add_argument("--database", help="with the add-on installed; default: PGDATABASE")
    parser.add_argument(
        "--twice",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="replay a second time and prove that it changes nothing",
    )
    options = parser.parse_args()
    try:
        incidents = read(options.csv)
    except LogError as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    rows = sum(len(incident.events) for incident in incidents)
    print(f"{options.csv}: {rows} rows of {len(incidents)} incidents", flush=True)
    with environment(options.database) as env:
        if "support.contract" not in env:
            print("replay: the database has no support_contract installed", file=sys.stderr)
            return 2
        if not env.execute_query(SQL("SELECT pg_try_advisory_lock(%s)", LOCK))[0][0]:
            print("replay: another replay runs on this database", file=sys.stderr)
            return 2
        return run_and_prove(env, incidents, options.twice)


def run_and_prove(env, incidents, twice):
    first = replay(env, incidents)
    proof = Proof(first)
    proof.print_totals()
    proof.prove()
    print("\nTime of each stage")
    first.watch.report()
    if twice:
        env.invalidate_all()
        before = snapshot(env)
        second = replay(env, incidents)
        env.cr.commit()
        proof.compare(before, snapshot(env))
        print("\nTime of the second replay")
        second.watch.report()
    return proof.conclude()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("replay: interrupted; called again it goes on where it was", file=sys.stderr)
        sys.exit(130)
