# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Queries of clocks are as many for forty tickets as for ten: constant per batch.

What the same tickets take without an SLA is measured beside it and taken off.
"""

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_sla import SlaCommon, moment

FEW, MANY = 10, 40


@tagged("post_install", "-at_install")
class TestSlaPerformance(SlaCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.step_ids.by_activity = False  # Odoo mails each activity by itself
        cls.plain = cls._make_contract(partner=cls._make_customer("Plain"))

    def _count(self, function):
        """Queries of a function, in a transaction that is forgotten."""
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            function()
            self.env.flush_all()
            count = self.env.cr.sql_log_count - before
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return count

    def assertConstant(self, function, slack=0):
        """Assert that function(contract, count) costs our SLA as much for many as for few."""
        extra = {}
        for count in (FEW, FEW, MANY):  # the first time fills Odoo's caches
            ours, plain = (
                self._count(lambda contract=contract, count=count: function(contract, count))
                for contract in (self.contract, self.plain)
            )
            extra[count] = ours - plain
        self.assertGreater(extra[FEW], 0, "without clocks nothing is measured")
        self.assertLessEqual(extra[MANY], extra[FEW] + slack, extra)

    def _open_many(self, contract, count, **vals):
        with freeze_time(moment("01-05 09:00")):
            return self.env["helpdesk.ticket"].create(
                [
                    {
                        "name": f"Ticket {number}",
                        "description": "?",
                        "partner_id": contract.partner_id.id,
                        "contract_id": contract.id,
                        "team_id": self.team.id,
                        "opened_at": moment("01-05 09:00"),
                        "priority": str(number % 4),
                    }
                    | vals
                    for number in range(count)
                ]
            )

    def test_tickets_with_clocks(self):
        self.assertConstant(self._open_many)

    def test_tickets_made_in_a_pause(self):
        self.assertConstant(
            lambda contract, count: self._open_many(contract, count, stage_id=self.stage_wait.id)
        )

    def _test_move(self, *stages):
        tickets = {
            contract: self._open_many(contract, MANY) for contract in (self.contract, self.plain)
        }

        def move(contract, count):
            for hour, stage in enumerate(stages, start=10):
                self._at(
                    f"01-05 {hour}:00", tickets[contract][:count].write, {"stage_id": stage.id}
                )

        self.assertConstant(move)

    def test_change_to_a_stage_where_the_clocks_go_on(self):
        self._test_move(self.stage_work)

    def test_change_to_a_pausing_stage_and_back(self):
        self._test_move(self.stage_wait, self.stage_work)

    def test_resolved_closed_and_reopened(self):
        self._test_move(self.stage_solved, self.stage_done, self.stage_work)

    def test_another_priority(self):
        def change(contract, count):
            tickets = self._open_many(contract, count)
            self._at("01-05 10:00", tickets.write, {"priority": "2"})

        self.policy.target_ids = [self._target("resolution", 6, priority="2")]
        self.assertConstant(change)

    def test_pauses_by_hand(self):
        tickets = self._open_many(self.contract, MANY)

        def pause(contract, count):
            if contract == self.contract:
                self._at("01-05 10:00", tickets[:count]._pause_sla, "strike")
                self._at("01-05 11:00", tickets[:count].action_resume_sla)

        self.assertConstant(pause)

    def test_the_minute_job(self):
        tickets = self._open_many(self.contract, MANY)
        timers = self.env["support.sla.timer"].sudo()

        def handle(contract, count):
            if contract == self.contract:
                with freeze_time(moment("01-05 13:30")):  # a warning and a breach of each
                    due = timers._get_due_domain(fields.Datetime.now())
                    own = [("ticket_id", "in", tickets[:count].ids)]
                    found = timers.search(due & fields.Domain(own))
                    found._handle_due(fields.Datetime.now())
                    self.assertEqual(len(found.event_ids), 2 * count)

        self.assertConstant(handle)

    def test_a_page_of_tickets(self):
        names = [
            "name",
            "sla_policy_id",
            "sla_version_id",
            "sla_deadline",
            "sla_status",
            "sla_breached_at",
            "sla_paused_by_hand",
            "answered_at",
            "resolved_at",
        ]
        clocks = ["kind", "status", "deadline", "elapsed", "policy_id", "started_at"]
        tickets = {
            contract: self._open_many(contract, 80) for contract in (self.contract, self.plain)
        }
        self._at("01-05 10:00", tickets[self.contract][::2]._pause_sla, "strike")

        def read(contract, count):
            # The pages of a list: 20 tickets for few, 80 for many.
            tickets[contract][: 2 * count].web_read(
                {name: {} for name in names}
                | {
                    "sla_timer_ids": {"fields": {name: {} for name in clocks}},
                    "sla_pause_ids": {"fields": {"label": {}, "start": {}, "stop": {}}},
                    "sla_event_ids": {"fields": {"kind": {}, "moment": {}}},
                }
            )

        self.assertConstant(read)

    def test_a_search_by_status_is_one_query(self):
        self._open_many(self.contract, MANY)
        tickets = self.env["helpdesk.ticket"]
        domains = [("name", "=", "Ticket 1")], [("sla_status", "in", ["breached", "at_risk"])]
        # The first time fills Odoo's caches.
        plain, ours = [
            self._count(lambda domain=domain: tickets.search(domain)) for domain in domains * 2
        ][-2:]
        self.assertEqual(ours, plain)
