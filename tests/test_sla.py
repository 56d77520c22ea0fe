# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The clocks of tickets: started by contracts, met, paused, changed, broken."""

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_sla import SlaCommon, moment


@tagged("post_install", "-at_install")
class TestSla(SlaCommon):
    def test_tickets_of_a_contract_go_by_its_sla(self):
        ticket = self._open("01-05 10:00")
        self.assertEqual(ticket.sla_policy_id, self.policy)
        self.assertDue(ticket, "response", "01-05 14:00")
        self.assertDue(ticket, "resolution", "01-06 10:00")
        self.assertEqual(ticket.sla_deadline, moment("01-05 14:00"), "the earliest (ex. E48)")
        self.assertEqual(self._clock(ticket, "response").display_name, "First Response")

    def test_nothing_but_a_contract_or_a_hand_gives_an_sla(self):
        plain = self._make_contract(partner=self._make_customer("Other"))
        ticket = self._open(contract=plain)
        self.assertFalse(ticket.sla_policy_id)
        self.assertFalse(ticket.sla_timer_ids)
        self._at("01-05 11:00", ticket.write, {"sla_policy_id": self.policy.id})
        self.assertDue(ticket, "response", "01-05 13:00")

    def test_what_a_hand_has_chosen_stays_with_another_contract(self):
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        ticket = self._open(sla_policy_id=silver.id)
        self.assertEqual(ticket.sla_policy_id, silver)
        other = self._make_contract(sla_policy_id=self.policy.id)
        self._at("01-05 10:00", ticket.write, {"contract_id": other.id})
        self.assertEqual(ticket.sla_policy_id, silver)
        self.assertDue(ticket, "response", "01-05 15:00")

    def test_a_contract_that_changes_its_sla_does_so_for_new_tickets(self):
        old = self._open()
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        self.contract.sla_policy_id = silver
        new = self._open("01-05 10:00")
        self.assertEqual((old.sla_policy_id, new.sla_policy_id), (self.policy, silver))

    def test_priority_and_technician_come_from_the_policy(self):
        self.policy.write({"priority": "3", "technician_id": self.env.uid})
        ticket = self._open(priority="0")
        self.assertEqual((ticket.priority, ticket.user_id), ("3", self.env.user))

    # === RESPONSES === #

    def test_the_first_public_answer_meets_the_response(self):
        ticket = self._open()
        self._say("01-05 09:30", ticket, author=self.customer_user)
        self._say("01-05 10:00", ticket, subtype_xmlid="mail.mt_note")
        self._say("01-05 10:10", ticket, message_type="auto_comment")
        self._say("01-05 10:20", ticket, message_type="out_of_office")
        self._say("01-05 10:30", ticket, message_type="notification")
        self._say("01-05 10:40", ticket, author=self.env.ref("base.partner_root"))
        self.assertEqual(self._clock(ticket, "response").state, "running", "T47")
        self._say("01-05 11:00", ticket)
        clock = self._clock(ticket, "response")
        self.assertEqual((clock.state, clock.ended_at), ("met", moment("01-05 11:00")))
        self.assertEqual(clock.elapsed, 2 * 3600)
        self.assertEqual(ticket.answered_at, moment("01-05 11:00"))

    def test_an_answer_counts_when_it_was_sent_not_when_it_was_fetched(self):
        ticket = self._open()
        self._say("01-05 13:10", ticket, message_type="email", date=moment("01-05 12:59"))
        clock = self._clock(ticket, "response")
        self.assertEqual((clock.ended_at, clock.status), (moment("01-05 12:59"), "met"))
        early = self._open()
        self._say("01-05 10:00", early, message_type="email", date=moment("01-02 12:59"))
        self.assertEqual(early.answered_at, early.opened_at, "not before it was opened")

    def test_the_next_response_begins_with_the_customers_question(self):
        policy = self._make_policy(
            [self._target("response", 1), self._target("next_response", 2)], name="Talk"
        )
        ticket = self._open(sla_policy_id=policy.id)
        self._say("01-05 09:30", ticket, author=self.customer_user)
        self.assertFalse(self._clock(ticket, "next_response"), "the first response runs")
        self._say("01-05 09:40", ticket)
        self._say("01-05 10:00", ticket, author=self.customer_user)
        self._say("01-05 10:30", ticket, author=self.customer_user)
        self.assertDue(ticket, "next_response", "01-05 12:00")
        self._say("01-05 11:00", ticket)
        self._say("01-05 15:30", ticket, author=self.customer_user)
        first, second = self._clock(ticket, "next_response").sorted("started_at")
        self.assertEqual((first.status, first.elapsed), ("met", 3600))
        self.assertEqual(second.deadline, moment("01-06 09:30"))

    def test_a_question_on_a_closed_ticket_counts_from_its_reopening(self):
        policy = self._make_policy(
            [self._target("response", 1), self._target("next_response", 2)], name="Talk"
        )
        ticket = self._open(sla_policy_id=policy.id)
        self._say("01-05 09:30", ticket)
        self._move("01-05 10:00", ticket, self.stage_done)
        self._say("01-05 11:00", ticket, author=self.customer_user)
        self.assertFalse(self._clock(ticket, "next_response"))
        self._move("01-05 13:00", ticket, self.stage_work)
        self.assertDue(ticket, "next_response", "01-05 15:00")
        self._say("01-05 13:30", ticket)
        self.assertEqual(self._clock(ticket, "next_response").status, "met")
        self.assertEqual(self._clock(ticket, "next_response").elapsed, 1800)

    def test_e27_response_and_resolution_times(self):
        """E27: 04:00 opened, answered after 15 and 5 minutes, resolved after 65."""
        policy = self._make_policy(
            [
                self._target("response", 1),
                self._target("next_response", 1),
                self._target("resolution", 8),
            ],
            name="Always",
            calendar_id=False,
        )
        ticket = self._open("01-05 04:00", sla_policy_id=policy.id)
        self._say("01-05 04:15", ticket)
        self._say("01-05 05:00", ticket, author=self.customer_user)
        self._say("01-05 05:05", ticket)
        self._move("01-05 05:05", ticket, self.stage_done)
        responses = self._clock(ticket, "response") | self._clock(ticket, "next_response")
        self.assertEqual(sum(responses.mapped("elapsed")) / 2, 600)
        self.assertEqual(self._clock(ticket, "resolution").elapsed, 3900)

    # === RESOLUTION === #

    def test_the_first_stage_that_resolves_meets_the_resolution(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_work)
        self._move("01-05 12:00", ticket, self.stage_solved)
        clock = self._clock(ticket)
        self.assertEqual((clock.status, clock.elapsed), ("met", 3 * 3600))
        self.assertEqual(ticket.resolved_at, moment("01-05 12:00"))
        self._move("01-05 16:00", ticket, self.stage_done)
        self.assertEqual(ticket.resolved_at, moment("01-05 12:00"))
        self.assertEqual(ticket.closed_at, moment("01-05 16:00"))
        self.assertEqual(clock.elapsed, 3 * 3600)

    def test_reopening_undoes_the_resolution_and_the_time_between_does_not_count(self):
        ticket = self._open()
        self._move("01-05 12:00", ticket, self.stage_solved)
        self._move("01-06 12:00", ticket, self.stage_work)
        clock = self._clock(ticket)
        self.assertEqual((clock.state, ticket.resolved_at), ("running", False))
        self.assertDue(ticket, "resolution", "01-06 17:00")
        self._move("01-06 13:00", ticket, self.stage_done)
        self.assertEqual((clock.status, clock.elapsed), ("met", 4 * 3600))

    def test_a_missed_promise_stays_missed(self):
        """E48: a failed SLA stays failed after the stage is reached."""
        ticket = self._open()
        self._move("01-06 09:30", ticket, self.stage_done)
        clock = self._clock(ticket)
        self.assertEqual((clock.status, clock.breached_at), ("missed", moment("01-05 17:00")))
        self.assertEqual(self._get_status("02-01 12:00", ticket), "missed")

    def test_at_the_very_second_of_the_deadline_it_is_in_time(self):
        ticket = self._open()
        self._move("01-05 17:00", ticket, self.stage_done)
        self.assertEqual(self._clock(ticket).status, "met")

    def test_a_rejected_ticket_stops_the_clocks(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_rejected)
        self.assertEqual(set(ticket.sla_timer_ids.mapped("status")), {"stopped"})
        self._move("01-05 12:00", ticket, self.stage_work)
        self.assertEqual(set(ticket.sla_timer_ids.mapped("state")), {"running"})
        self.assertDue(ticket, "response", "01-05 15:00")

    # === PAUSES === #

    def test_a_pausing_stage_stops_time(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self.assertEqual(self._clock(ticket).state, "paused")
        self.assertFalse(ticket.sla_deadline)
        self._move("01-05 12:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 15:00")
        self.assertDue(ticket, "resolution", "01-06 11:00")

    def test_t38_paused_time_is_working_time(self):
        ticket = self._open("01-09 16:00")
        self._move("01-09 16:30", ticket, self.stage_wait)
        self._move("01-12 09:30", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-12 13:00")

    def test_t39_closing_from_a_pause_takes_it_off(self):
        ticket = self._open()
        self._move("01-05 11:00", ticket, self.stage_wait)
        self._move("01-09 16:00", ticket, self.stage_done)
        self.assertEqual((self._clock(ticket).status, self._clock(ticket).elapsed), ("met", 7200))
        self.assertFalse(ticket.sla_pause_ids.filtered(lambda pause: not pause.stop))

    def test_what_ends_in_a_pause_has_the_deadline_with_it(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._say("01-05 12:00", ticket)
        self.assertEqual(self._clock(ticket, "response").status, "met")
        self.assertDue(ticket, "response", "01-05 15:00")
        self._move("01-06 10:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 15:00")

    def test_t39_a_ticket_can_be_made_in_a_pause(self):
        ticket = self._open(stage_id=self.stage_wait.id)
        self.assertEqual(set(ticket.sla_timer_ids.mapped("state")), {"paused"})
        self._move("01-05 12:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 16:00")

    def test_an_sla_that_comes_in_a_pause_counts_what_was_before_the_pause(self):
        plain = self._make_contract(partner=self._make_customer("Other"))
        ticket = self._open(contract=plain)
        self._move("01-05 12:00", ticket, self.stage_wait)
        self._at("01-05 13:00", ticket.write, {"sla_policy_id": self.policy.id})
        self.assertEqual(ticket.sla_pause_ids.start, moment("01-05 12:00"))
        self._move("01-05 14:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 15:00")

    def test_a_ticket_that_is_entered_later_was_in_its_stage_from_the_opening_on(self):
        with freeze_time(moment("01-05 12:00")):
            ticket = self._make_ticket(
                self.contract, opened=moment("01-05 09:00"), stage_id=self.stage_wait.id
            )
        self.assertEqual(ticket.sla_pause_ids.start, moment("01-05 09:00"))

    def test_t41_overlapping_pauses_count_once(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._at("01-05 11:00", ticket._pause_sla, "parts")
        self._move("01-05 12:00", ticket, self.stage_work)
        self.assertEqual(self._clock(ticket).state, "paused", "still by hand")
        self._at("01-05 13:00", ticket.action_resume_sla)
        self.assertDue(ticket, "response", "01-05 16:00")

    def test_many_tickets_are_paused_by_hand_at_once(self):
        tickets = self._open() | self._open("01-05 10:00")
        self._at("01-05 11:00", tickets._pause_sla, "strike")
        self.assertEqual(set(tickets.sla_timer_ids.mapped("state")), {"paused"})
        self._at("01-05 12:00", tickets.action_resume_sla)
        self.assertEqual(
            tickets.mapped("sla_deadline"), [moment("01-05 14:00"), moment("01-05 15:00")]
        )
        with self.assertRaisesRegex(UserError, "nothing to do"):
            tickets.action_resume_sla()

    def test_a_locked_ticket_is_paused(self):
        ticket = self._open()
        self._at("01-05 10:00", self.contract._set_state, "suspended")
        self.env.cr.precommit.run()
        self.assertEqual(ticket.lock_reason, "suspended")
        self.assertEqual(self._clock(ticket).state, "paused")

    # === CHANGES === #

    def test_t40_another_priority_keeps_what_has_elapsed(self):
        policy = self._make_policy(
            [self._target("resolution", 8), self._target("resolution", 2, priority="3")],
            name="By priority",
        )
        ticket = self._open(sla_policy_id=policy.id, priority="1")
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._move("01-05 12:00", ticket, self.stage_work)
        self._at("01-05 12:30", ticket.write, {"priority": "3"})
        self.assertDue(ticket, "resolution", "01-05 13:00")
        self._at("01-05 12:40", ticket.write, {"priority": "1"})
        self.assertDue(ticket, "resolution", "01-06 11:00")

    def test_t40_another_policy_keeps_what_has_elapsed_and_the_pauses(self):
        silver = self._make_policy([self._target("resolution", 16)], name="Silver")
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._move("01-05 12:00", ticket, self.stage_work)
        self._at("01-05 13:00", ticket.write, {"sla_policy_id": silver.id})
        self.assertDue(ticket, "resolution", "01-07 11:00")
        self.assertEqual(self._clock(ticket, "response").state, "stopped")

    def test_a_breach_under_what_was_promised_stays_one(self):
        silver = self._make_policy([self._target("resolution", 80)], name="Silver")
        ticket = self._open()
        self._at("01-06 10:00", ticket.write, {"sla_policy_id": silver.id})
        clock = self._clock(ticket)
        self.assertEqual((clock.status, clock.breached_at), ("breached", moment("01-05 17:00")))

    def test_a_missed_promise_stays_so_when_it_is_reopened_with_more_time(self):
        policy = self._make_policy(
            [self._target("resolution", 8), self._target("resolution", 80, priority="0")],
            name="By priority",
        )
        ticket = self._open(sla_policy_id=policy.id, priority="1")
        self._move("01-06 10:00", ticket, self.stage_solved)
        self.assertEqual(self._clock(ticket).status, "missed")
        self._at("01-06 11:00", ticket.write, {"priority": "0"})
        self._move("01-06 12:00", ticket, self.stage_work)
        clock = self._clock(ticket)
        self.assertEqual((clock.status, clock.breached_at), ("breached", moment("01-05 17:00")))

    def test_pauses_behind_its_end_are_no_part_of_a_clock(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._say("01-05 11:00", ticket)
        self._move("01-05 12:00", ticket, self.stage_work)
        self._move("01-05 13:00", ticket, self.stage_wait)
        self._move("01-05 14:00", ticket, self.stage_work)
        clock = self._clock(ticket, "response")
        self.assertEqual((clock.deadline, clock.elapsed), (moment("01-05 14:00"), 3600))
        self._at("01-05 15:00", clock._read, moment("01-05 15:00"))
        self.assertEqual((clock.deadline, clock.elapsed), (moment("01-05 14:00"), 3600))

    def test_t42_closed_tickets_never_change(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_done)
        facts = self._clock(ticket).read(["deadline", "target", "elapsed", "status", "version_id"])
        self.policy.target_ids[-1].number = 100
        self.policy.action_apply_to_open_tickets()
        self._at("01-06 10:00", ticket.write, {"priority": "3"})
        self.office.sudo().attendance_ids.filtered(lambda a: a.dayofweek == "0").unlink()
        self.env.cr.precommit.run()
        self.assertEqual(
            self._clock(ticket).read(["deadline", "target", "elapsed", "status", "version_id"]),
            facts,
        )

    def test_a_policy_in_use_is_versioned(self):
        self.assertEqual(self.policy.version_number, 1)
        self.policy.target_ids[0].number = 3
        self.assertEqual(self.policy.version_number, 1, "nobody goes by it yet")
        ticket = self._open()
        self.policy.write(
            {"target_ids": [Command.update(self.policy.target_ids[0].id, {"number": 2})]}
        )
        self.assertEqual(self.policy.version_number, 2)
        self.assertEqual(self.policy.outdated_ticket_count, 1)
        self.assertDue(ticket, "response", "01-05 12:00")
        self.assertDue(self._open(), "response", "01-05 11:00")
        self._at("01-05 10:00", self.policy.action_apply_to_open_tickets)
        self.assertDue(ticket, "response", "01-05 11:00")
        self.policy.invalidate_recordset(["outdated_ticket_count"])
        self.assertEqual(self.policy.outdated_ticket_count, 0)

    def test_a_holiday_moves_the_deadlines_of_open_tickets(self):
        ticket = self._open("01-05 16:00")
        self.env["resource.calendar.leaves"].sudo().with_company(self.company).create(
            {
                "name": "Epiphany",
                "calendar_id": self.office.id,
                "date_from": "2026-01-06 00:00:00",
                "date_to": "2026-01-06 23:59:59",
            }
        )
        self.env.cr.precommit.run()
        self.assertDue(ticket, "response", "01-07 12:00")

    def test_a_holiday_of_the_company_moves_them_too(self):
        ticket = self._open("01-05 16:00")
        holiday = {"name": "Day off", "date_from": "2026-01-06 00:00:00"}
        leaves = self.env["resource.calendar.leaves"].sudo().with_company(self.company)
        leaves.create(holiday | {"date_to": "2026-01-06 23:59:59", "company_id": self.company.id})
        self.env.cr.precommit.run()
        self.assertDue(ticket, "response", "01-07 12:00")

    def test_the_moment_of_opening_can_be_corrected(self):
        ticket = self._open("01-06 10:00")
        self._at("01-06 10:30", ticket.write, {"opened_at": moment("01-05 16:00")})
        self.assertDue(ticket, "response", "01-06 12:00")

    def test_hours_of_the_customer(self):
        self.policy.customer_zone = True
        contract = self._make_contract(sla_policy_id=self.policy.id, tz="America/New_York")
        ticket = self._open("01-05 10:00", contract)
        self.assertDue(ticket, "response", "01-05 18:00")

    # === STATUS === #

    def test_it_is_right_without_the_minute_job(self):
        ticket = self._open()
        self.assertEqual(self._get_status("01-05 12:00", ticket), "running")
        self.assertEqual(self._get_status("01-05 12:12", ticket), "at_risk")
        self.assertEqual(self._get_status("01-05 13:00", ticket), "at_risk")
        self.assertEqual(self._get_status("01-05 13:01", ticket), "breached")
        self.assertEqual(ticket.sla_breached_at, moment("01-05 13:00"), "Y48")
        self._say("01-05 13:30", ticket)
        self.assertEqual(self._get_status("01-05 13:31", ticket), "missed")

    # === BAD INPUT === #

    def test_what_can_not_be_promised_is_refused(self):
        for vals, message in (
            ({"target_ids": [Command.clear()]}, "promises nothing"),
            ({"target_ids": [self._target("response", 9, priority="3")]}, "later than"),
            ({"target_ids": [self._target("next_response", 4000, "days")]}, "ten years"),
            ({"step_ids": [self._step(240, "before")]}, "only 4 h away"),
            ({"step_ids": [self._step(50, kind="next_response")]}, "doesn't make"),
            ({"pause_stage_ids": [Command.link(self.stage_done.id)]}, "neither close nor"),
            ({"pause_stage_ids": [Command.link(self.stage_solved.id)]}, "neither close nor"),
        ):
            with (
                self.subTest(message),
                self.assertRaisesRegex(ValidationError, message),
                self.env.cr.savepoint(),
            ):
                self.policy.write(vals)
        with self.assertRaisesRegex(ValidationError, "neither close nor"):
            self.stage_wait.sudo().closed = True
        empty = self._make_shift("Empty", [])
        with self.assertRaisesRegex(ValidationError, "no working hours"):
            self.policy.calendar_id = empty

    def test_nothing_is_promised_within_no_time(self):
        target = self.policy.target_ids[0]
        for number in (0, -1):
            with (
                self.subTest(number),
                self.assertRaisesRegex(ValidationError, "longer than zero"),
                self.env.cr.savepoint(),
            ):
                target.number = number
            with (
                self.subTest(number),
                # Odoo tells the user what the constraint says.
                self.assertRaisesRegex(IntegrityError, "number_positive"),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.policy.target_ids = [self._target("next_response", number)]

    def test_a_calendar_that_promises_go_by_keeps_hours(self):
        self._open()
        self.office.sudo().attendance_ids.unlink()
        with self.assertRaisesRegex(ValidationError, "working hours"):
            self.env.cr.precommit.run()

    def test_a_policy_that_was_promised_can_not_be_deleted(self):
        self._open()
        with self.assertRaisesRegex(UserError, "Archive it"):
            self.policy.unlink()
        self._make_policy(name="Unused").unlink()

    def test_rows_that_depend_on_each_other_are_changed_together(self):
        response, resolution = self.policy.target_ids
        self.policy.write(
            {
                "target_ids": [
                    Command.update(response.id, {"number": 20}),
                    Command.update(resolution.id, {"number": 40}),
                ]
            }
        )
        self.assertEqual(self.policy.target_ids.mapped("number"), [20, 40])
        with self.assertRaisesRegex(ValidationError, "later than"):
            response.number = 50
