# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The minute job: warnings, breaches and escalations, each once, at their true moments."""

from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_sla import SlaCommon, moment


@tagged("post_install", "-at_install")
class TestSlaJob(SlaCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leader = cls._make_colleague("leader")
        cls.expert = cls._make_colleague("expert")
        cls.team.user_id = cls.leader
        cls.policy = cls._make_policy(
            [cls._target("resolution", 8)],
            [
                cls._step(75),
                cls._step(60, "before", to_assignee=False, to_team=True),
                cls._step(100, reassign_id=cls.expert.id, by_mail=True, to_team=True),
                cls._step(150, user_ids=cls.leader.ids),
            ],
            name="Steps",
        )
        cls.contract = cls._make_contract(sla_policy_id=cls.policy.id)

    @classmethod
    def _make_colleague(cls, login):
        groups = "helpdesk_mgmt.group_helpdesk_user"
        return new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
            email=f"{login}@example.com",
        )

    def _get_events(self, ticket):
        events = ticket.sla_timer_ids.event_ids.sorted("moment")
        return [(event.kind, event.moment) for event in events]

    def test_a_breach_of_what_was_promised_before_is_noted_once(self):
        """Whether the minute job came by before the promise was changed again, or not."""
        policy = self._make_policy(
            [self._target("resolution", 8), self._target("resolution", 2, priority="3")],
            [],
            name="By priority",
        )
        for noticed in (False, True):
            ticket = self._open(sla_policy_id=policy.id, priority="1")
            self._at("01-05 12:30", ticket.write, {"priority": "3"})
            if noticed:
                self._tick("01-05 12:35")
            self._at("01-05 12:40", ticket.write, {"priority": "1"})
            self.assertEqual(self._clock(ticket).breached_at, moment("01-05 11:00"))
            self._tick("01-05 12:45")
            self._tick("01-07 09:00")
            self.assertEqual(self._get_events(ticket), [("breach", moment("01-05 11:00"))])
            self.assertFalse(self._clock(ticket).next_event_at)

    def test_a_ticket_is_reopened_after_many_years(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_done)
        with freeze_time("2038-01-04 09:00:00"):  # a Monday
            ticket.write({"stage_id": self.stage_work.id})
        clock = self._clock(ticket)
        self.assertEqual(clock.state, "running")
        self.assertEqual(str(clock.deadline), "2038-01-04 16:00:00")

    def test_each_step_comes_once_at_its_moment(self):
        ticket = self._open(user_id=self.env.uid)
        clock = self._clock(ticket)
        self.assertEqual(clock.next_event_at, moment("01-05 15:00"))
        self._tick("01-05 15:00")
        self.assertFalse(clock.event_ids, "75 % are over, not more")
        for at in ("01-05 15:01", "01-05 15:02", "01-05 16:01", "01-05 17:01", "01-05 17:02"):
            self._tick(at)
        self._tick("01-06 13:30")
        self._tick("01-06 13:31")
        self.assertEqual(
            self._get_events(ticket),
            [
                ("warning", moment("01-05 15:00")),
                ("warning", moment("01-05 16:00")),
                ("breach", moment("01-05 17:00")),
                ("escalation", moment("01-06 13:00")),
            ],
        )
        self.assertEqual(clock.breached_at, moment("01-05 17:00"))
        self.assertFalse(clock.next_event_at)
        self.assertEqual(ticket.user_id, self.expert, "reassigned on breach (Y45)")

    def test_people_are_told_as_agreed(self):
        ticket = self._open(user_id=self.env.uid)
        self._tick("01-05 15:01")
        (warning,) = ticket.sla_timer_ids.event_ids
        self.assertEqual(warning.told_ids, self.env.user)
        self.assertEqual(ticket.activity_ids.user_id, self.env.user)
        self.assertIn("at risk", ticket.message_ids[0].body)
        self._tick("01-05 16:01")
        self.assertEqual(ticket.activity_ids.user_id, self.env.user | self.leader)
        self._tick("01-05 17:01")
        breach = ticket.sla_timer_ids.event_ids.filtered(lambda e: e.kind == "breach")
        self.assertEqual(breach.told_ids, self.expert | self.leader)
        mail = self.env["mail.mail"].sudo()
        mail = mail.search([("model", "=", breach._name), ("res_id", "=", breach.id)])
        self.assertEqual(
            mail.recipient_ids, (self.expert | self.leader).partner_id, mail.mapped("subject")
        )
        self.assertIn("overdue", mail.subject)

    def test_after_a_stop_it_catches_up_with_the_true_moments(self):
        ticket = self._open()
        self._tick("01-08 09:00")
        self.assertEqual(
            [at for _kind, at in self._get_events(ticket)],
            [
                moment("01-05 15:00"),
                moment("01-05 16:00"),
                moment("01-05 17:00"),
                moment("01-06 13:00"),
            ],
        )

    def test_a_breach_is_not_lost_when_the_ticket_was_resolved_since(self):
        ticket = self._open()
        self._move("01-05 17:10", ticket, self.stage_done)
        self._tick("01-08 09:00")
        self.assertEqual(self._get_events(ticket)[-1], ("breach", moment("01-05 17:00")))
        self.assertEqual(len(self._get_events(ticket)), 3, "no escalation behind its end")
        self.assertNotEqual(ticket.user_id, self.expert, "what is closed stays as it is")

    def test_a_paused_clock_waits(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._tick("01-09 10:00")
        self.assertFalse(ticket.sla_timer_ids.event_ids)
        self.assertFalse(self._clock(ticket).next_event_at)
        self._move("01-12 09:00", ticket, self.stage_work)
        self.assertEqual(self._clock(ticket).next_event_at, moment("01-12 14:00"))

    def test_a_holiday_entered_late_takes_back_what_is_still_to_come(self):
        ticket = self._open()
        self._tick("01-05 17:01")
        leaves = self.env["resource.calendar.leaves"].sudo().with_company(self.company)
        day = {"date_from": "2026-01-05 00:00:00", "date_to": "2026-01-05 23:59:59"}
        self._at("01-05 18:00", leaves.create, day | {"calendar_id": self.office.id})
        self._at("01-05 18:00", self.env.cr.precommit.run)
        self.assertFalse(self._clock(ticket).breached_at)
        self.assertFalse(self._get_events(ticket))
        self._tick("01-06 17:01")
        self.assertEqual(self._get_events(ticket)[-1], ("breach", moment("01-06 17:00")))

    def test_one_broken_clock_does_not_stop_the_others(self):
        broken, sound = self._open(), self._open()
        prepare = type(self.env["support.sla.timer"])._prepare_event

        def fail(timer, at, key):
            if timer.ticket_id == broken:
                raise ValueError("broken")
            return prepare(timer, at, key)

        with (
            patch.object(type(self.env["support.sla.timer"]), "_prepare_event", fail),
            mute_logger("odoo.addons.support_contract.models.support_sla_timer_job"),
        ):
            self._tick("01-05 15:01")
        self.assertFalse(broken.sla_timer_ids.event_ids)
        self.assertEqual(len(sound.sla_timer_ids.event_ids), 1)
        self.assertEqual(self._clock(broken).next_event_at, moment("01-05 15:11"))
        self._tick("01-05 15:12")
        self.assertEqual(len(broken.sla_timer_ids.event_ids), 1)

    def test_the_job_itself_commits_in_batches(self):
        tickets = [self._open() for _ticket in range(5)]
        cron = self.env.ref("support_contract.cron_sla").sudo()
        with self.enter_registry_test_mode():
            self._at("01-05 15:01", cron.method_direct_trigger)
        self.env.invalidate_all()
        self.assertEqual([len(t.sla_timer_ids.event_ids) for t in tickets], [1] * 5)

    def test_due_clocks_are_found_by_an_index(self):
        self._open()
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT id FROM support_sla_timer WHERE next_event_at < %s",
            [moment("01-05 15:01")],
        )
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("support_sla_timer_due", plan)
