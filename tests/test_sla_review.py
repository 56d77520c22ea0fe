# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Clocks under what people do by mistake, out of order, or from outside."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common_sla import SlaCommon, moment

HOUR = 3600


@tagged("post_install", "-at_install")
class TestSlaReview(SlaCommon):
    @classmethod
    def _make_talk(cls, name="Talk", **vals):
        return cls._make_policy(
            [
                cls._target("response", 1),
                cls._target("next_response", 2),
                cls._target("resolution", 40),
            ],
            name=name,
            **vals,
        )

    # === WHO CHOOSES === #

    def test_a_form_that_leaves_the_sla_empty_takes_the_contracts(self):
        ticket = self._open(sla_policy_id=False)
        self.assertEqual(ticket.sla_policy_id, self.policy)
        self.assertFalse(ticket.sla_by_hand)
        self.assertEqual(len(ticket.sla_timer_ids), 2)

    def test_what_the_form_fills_in_is_no_choice_by_hand(self):
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        other = self._make_contract(sla_policy_id=silver.id)
        with Form(self.env["helpdesk.ticket"]) as form:
            form.name = "Printer"
            form.description = "It burns."
            form.partner_id = self.customer
            form.team_id = self.team
            form.contract_id = self.contract
        ticket = form.record
        self.assertEqual(ticket.sla_policy_id, self.policy)
        self.assertFalse(ticket.sla_by_hand)
        with Form(ticket) as form:
            form.contract_id = other
        self.assertEqual(ticket.sla_policy_id, silver)
        self.assertFalse(ticket.sla_by_hand)
        with Form(ticket) as form:
            form.sla_policy_id = self.policy
        self.assertTrue(ticket.sla_by_hand)
        with Form(ticket) as form:
            form.sla_policy_id = self.env["support.sla.policy"]
        self.assertTrue(ticket.sla_by_hand, "none is a choice, too")

    def test_a_default_of_a_screen_is_a_choice_by_hand(self):
        silver = self._make_policy([self._target("response", 6)], name="Silver", priority="3")
        tickets = self.env["helpdesk.ticket"].with_context(default_sla_policy_id=silver.id)
        ticket = tickets.create(
            {
                "name": "Printer",
                "description": "It burns.",
                "partner_id": self.customer.id,
                "team_id": self.team.id,
                "contract_id": self.contract.id,
            }
        )
        self.assertEqual((ticket.sla_policy_id, ticket.priority), (silver, "3"))
        self.assertTrue(ticket.sla_by_hand)

    # === FORGERY === #

    def test_what_the_clocks_say_can_not_be_written(self):
        ticket = self._open().with_user(self.env.user)
        clock = self._clock(ticket)
        for vals in (
            {"sla_timer_ids": [Command.update(clock.id, {"target": 99})]},
            {"sla_timer_ids": [Command.delete(clock.id)]},
            {"sla_pause_ids": [Command.create({"reason": "hand", "start": "2026-01-05"})]},
            {"sla_event_ids": [Command.create({"timer_id": clock.id, "key": "breach"})]},
            {"answered_at": moment("01-05 09:00")},
            {"sla_deadline": moment("02-05 09:00")},
        ):
            with self.subTest(vals), self.assertRaises(AccessError), self.env.cr.savepoint():
                ticket.write(vals)

    def test_context_does_not_forge_pauses(self):
        ticket = self._open()
        self._move(
            "01-05 10:00",
            ticket.with_context(default_stop="2030-01-01 00:00:00"),
            self.stage_wait,
        )
        self._move("01-05 11:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 14:00")
        self._at(
            "01-05 11:00",
            ticket.with_context(default_stop="2030-01-01 00:00:00")._pause_sla,
            "parts",
        )
        self._at("01-05 12:00", ticket.action_resume_sla)
        self.assertDue(ticket, "response", "01-05 15:00")

    def test_only_mails_are_dated_before_they_arrive(self):
        ticket = self._open()
        self._say("01-05 16:00", ticket, date=moment("01-05 09:10"))
        self.assertEqual(ticket.answered_at, moment("01-05 16:00"))

    # === QUESTIONS === #

    def test_the_robot_asks_nothing(self):
        ticket = self._open(sla_policy_id=self._make_talk().id)
        self._say("01-05 09:30", ticket)
        self._say("01-05 10:00", ticket, author=self.env.ref("base.partner_root"))
        self.assertFalse(ticket.asked_at)

    def test_a_question_that_was_answered_without_sla_is_over_when_it_comes_back(self):
        talk = self._make_talk()
        ticket = self._open(sla_policy_id=talk.id)
        self._say("01-05 09:30", ticket)
        self._say("01-05 10:00", ticket, author=self.customer_user)
        self._at("01-05 10:10", ticket.write, {"sla_policy_id": False})
        self.assertEqual(set(ticket.sla_timer_ids.mapped("state")), {"met", "stopped"})
        self._say("01-05 10:30", ticket)
        self._at("01-05 11:00", ticket.write, {"sla_policy_id": talk.id})
        self.assertEqual(self._clock(ticket, "next_response").state, "stopped")
        self.assertEqual(self._clock(ticket).state, "running")
        self._say("01-05 12:00", ticket, author=self.customer_user)
        running = self._clock(ticket, "next_response").filtered(lambda t: t.state == "running")
        self.assertEqual(running.deadline, moment("01-05 14:00"))
        self._say("01-05 13:00", ticket)
        self.assertEqual(
            self._clock(ticket, "next_response").sorted("started_at").mapped("state"),
            ["stopped", "met"],
        )

    def test_a_question_that_waits_goes_on_when_the_ticket_is_opened_again(self):
        ticket = self._open(sla_policy_id=self._make_talk().id)
        self._say("01-05 09:30", ticket)
        self._say("01-05 10:00", ticket, author=self.customer_user)
        self._move("01-05 11:00", ticket, self.stage_done)
        self.assertEqual(self._clock(ticket, "next_response").state, "stopped")
        self._move("01-05 13:00", ticket, self.stage_work)
        self.assertDue(ticket, "next_response", "01-05 14:00")
        self._say("01-05 13:30", ticket)
        self.assertEqual(self._clock(ticket, "next_response").status, "met")

    def test_an_answer_by_the_mail_composer_counts(self):
        ticket = self._open()
        composer = (
            self.env["mail.compose.message"]
            .with_context(tracking_disable=False)
            .create(
                {
                    "model": "helpdesk.ticket",
                    "res_ids": repr(ticket.ids),
                    "composition_mode": "comment",
                    "body": "Hello",
                    "subject": "Re: Printer",
                    "partner_ids": [Command.set(self.customer.ids)],
                }
            )
        )
        self._at("01-05 10:00", composer.action_send_mail)
        self.assertEqual(ticket.answered_at, moment("01-05 10:00"))

    def test_an_answer_that_is_deleted_or_hidden_later_was_given(self):
        ticket = self._open()
        message = self._say("01-05 10:00", ticket)
        message.sudo().is_internal = True
        self._at("01-05 11:00", ticket.write, {"priority": "3"})
        message.sudo().unlink()
        self._at("01-05 12:00", ticket.write, {"priority": "0"})
        self.assertEqual(self._clock(ticket, "response").ended_at, moment("01-05 10:00"))

    # === OPENING === #

    def test_the_opening_can_be_corrected_behind_the_answer(self):
        ticket = self._open()
        self._say("01-05 10:00", ticket)
        self._at("01-05 12:00", ticket.write, {"opened_at": moment("01-05 11:00")})
        clock = self._clock(ticket, "response")
        facts = (clock.started_at, clock.ended_at, clock.elapsed)
        self.assertEqual(facts, (moment("01-05 11:00"), moment("01-05 11:00"), 0))
        self._at("01-05 13:00", ticket._sync_clocks)
        self.assertEqual((clock.started_at, clock.ended_at, clock.elapsed), facts)

    def test_the_opening_can_not_be_emptied_while_clocks_hang_on_it(self):
        ticket = self._open()
        with self.assertRaisesRegex(ValidationError, "instead of emptying"):
            self._at("01-05 10:00", ticket.write, {"opened_at": False})

    def test_a_breach_by_a_wrong_opening_comes_again_when_it_is_true(self):
        ticket = self._open("01-05 09:00")
        self._at("01-05 09:10", ticket.write, {"opened_at": moment("01-02 09:00")})
        self._tick("01-05 09:11")
        self.assertIn("breach", self._clock(ticket).event_ids.mapped("kind"))
        self._at("01-05 09:20", ticket.write, {"opened_at": moment("01-05 09:00")})
        self.assertFalse(self._clock(ticket).breached_at)
        self._tick("01-05 17:01")
        moments = self._clock(ticket).event_ids.filtered(lambda e: e.kind == "breach")
        self.assertEqual(moments.mapped("moment"), [moment("01-05 17:00")])

    def test_a_ticket_that_is_entered_when_it_is_closed_was_resolved_then(self):
        ticket = self._at(
            "02-02 09:00",
            self._make_ticket,
            self.contract,
            opened=moment("01-05 09:00"),
            stage_id=self.stage_done.id,
            closed_date=moment("01-05 11:00"),
        )
        self.assertEqual(ticket.closed_at, moment("01-05 11:00"))
        self.assertEqual(ticket.resolved_at, moment("01-05 11:00"))
        self.assertEqual(self._clock(ticket).status, "met")

    # === ZONES, COMPANIES === #

    def test_another_policy_brings_its_own_zone(self):
        local = self._make_policy(name="Local", customer_zone=True)
        contract = self._make_contract(sla_policy_id=self.policy.id, tz="America/New_York")
        ticket = self._open("01-05 10:00", contract)
        self._at("01-05 10:10", ticket.write, {"sla_policy_id": local.id})
        self.assertDue(ticket, "response", "01-05 18:00")
        self._at("01-05 10:20", ticket.write, {"sla_policy_id": self.policy.id})
        self.assertDue(ticket, "response", "01-05 14:00")

    def test_clocks_move_to_another_company_with_their_ticket(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        other = self.env["res.company"].sudo().create({"name": "Daughter"})
        self._at(
            "01-05 11:00",
            ticket.sudo().write,
            {"company_id": other.id, "team_id": False, "contract_id": False},
        )
        self.assertEqual(ticket.sudo().sla_timer_ids.company_id, other)
        self.assertEqual(ticket.sudo().sla_pause_ids.company_id, other)
        self.assertEqual(set(ticket.sudo().sla_timer_ids.mapped("state")), {"stopped"})

    def test_a_policy_of_another_company_is_refused(self):
        other = self.env["res.company"].sudo().create({"name": "Daughter"})
        foreign = (
            self.env["support.sla.policy"]
            .sudo()
            .create({"name": "Foreign", "company_id": other.id, "calendar_id": False})
        )
        ticket = self._open()
        with self.assertRaisesRegex(UserError, "same company"):
            ticket.write({"sla_policy_id": foreign.id})

    # === PAUSES === #

    def test_priority_that_changes_in_a_pause(self):
        policy = self._make_policy(
            [self._target("resolution", 8), self._target("resolution", 2, priority="3")],
            name="By priority",
        )
        ticket = self._open(sla_policy_id=policy.id, priority="1")
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._at("01-05 12:00", ticket.write, {"priority": "3"})
        self.assertEqual(self._clock(ticket).state, "paused")
        self._move("01-05 13:00", ticket, self.stage_work)
        self.assertDue(ticket, "resolution", "01-05 14:00")

    def test_reopened_again_and_again(self):
        ticket = self._open()
        for hour in (10, 12, 14):
            self._move(f"01-05 {hour}:00", ticket, self.stage_done)
            self._move(f"01-05 {hour + 1}:00", ticket, self.stage_work)
        self.assertDue(ticket, "resolution", "01-06 12:00")
        self._move("01-05 17:00", ticket, self.stage_done)
        self.assertEqual(self._clock(ticket).elapsed, 5 * HOUR)

    def test_a_pause_by_hand_ends_when_the_ticket_is_closed(self):
        ticket = self._open()
        self._at("01-05 10:00", ticket._pause_sla, "parts")
        self._move("01-05 12:00", ticket, self.stage_done)
        self.assertEqual(self._clock(ticket).elapsed, HOUR)
        self._move("01-05 13:00", ticket, self.stage_work)
        self.assertEqual(self._clock(ticket).state, "running")

    def test_a_stage_that_begins_to_pause_makes_a_new_version(self):
        ticket = self._open()
        self.stage_work.sudo().sla_pause_policy_ids = [Command.link(self.policy.id)]
        self.assertEqual(self.policy.version_number, 2)
        self._move("01-05 10:00", ticket, self.stage_work)
        self.assertEqual(self._clock(ticket).state, "running", "it was promised without")
        new = self._open(stage_id=self.stage_work.id)
        self.assertEqual(self._clock(new).state, "paused")

    def test_an_sla_that_comes_late_knows_since_when_the_stage_pauses(self):
        plain = self._make_contract(partner=self._make_customer("Other"))
        ticket = self._open(contract=plain)
        self._move("01-05 11:00", ticket, self.stage_wait)
        self._at("01-05 12:00", ticket.write, {"sla_policy_id": self.policy.id})
        self._move("01-05 13:00", ticket, self.stage_work)
        self.assertDue(ticket, "response", "01-05 15:00")

    def test_a_stage_that_begins_to_resolve_does_not_break_what_is_closed(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_rejected)
        self.stage_rejected.sudo().resolves = True
        self._at("02-05 10:00", ticket.write, {"priority": "3"})
        self.assertEqual(ticket.resolved_at, moment("01-05 10:00"))
        self.assertEqual(self._clock(ticket).status, "met")

    def test_a_ticket_is_deleted_with_its_clocks(self):
        ticket = self._open(user_id=self.env.uid)
        self._move("01-05 10:00", ticket, self.stage_wait)
        self._move("01-05 11:00", ticket, self.stage_work)
        self._tick("01-05 16:00")
        clocks = ticket.sla_timer_ids
        self.assertTrue(clocks.event_ids.activity_ids)
        ticket.with_user(self.env.user).unlink()
        self.assertFalse(clocks.exists())

    # === COPIES === #

    def test_a_copy_begins_its_own_clocks(self):
        ticket = self._open()
        self._say("01-05 10:00", ticket)
        copy = self._at("01-06 09:00", ticket.copy)
        self.assertFalse(copy.answered_at)
        self.assertEqual(copy.sla_policy_id, self.policy)
        self.assertEqual(self._clock(copy).started_at, moment("01-06 09:00"))
        self.assertFalse(copy.sla_pause_ids)

    def test_a_copied_policy_has_versions_of_its_own(self):
        self._open()
        copy = self.policy.copy()
        self.assertEqual(copy.target_ids.mapped("number"), [4, 8])
        self.assertEqual(copy.version_number, 1)
        self.assertEqual(len(copy.step_ids), 1)
        self.assertEqual(copy.pause_stage_ids, self.stage_wait)

    def test_renewals_and_clones_take_the_sla_along(self):
        plan = self._make_plan(hours=1, sla_policy_id=self.policy.id)
        contract = self._make_contract(plan, date_end="2026-12-31")
        self.assertEqual(contract.sla_policy_id, self.policy)
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        contract.sla_policy_id = silver
        clone = self.env["support.contract"].create(
            contract._prepare_clone(self._make_customer("Other"), contract.date_start)
        )
        self.assertEqual(clone.sla_policy_id, silver)
        renewal = self._at("06-01 09:00", contract._renew, contract._get_default_renewal())
        self.assertEqual(renewal.sla_policy_id, silver)

    def test_duplicates_are_closed_with_their_clocks(self):
        first, second = self._open(), self._open()
        wizard = self.env["helpdesk.ticket.duplicate.wizard"].create(
            {
                "ticket_id": second.id,
                "duplicate_of_id": first.id,
                "target_stage_id": self.stage_rejected.id,
            }
        )
        self._at("01-05 10:00", wizard.action_confirm)
        self.assertEqual(set(second.sla_timer_ids.mapped("state")), {"stopped"})
        self._tick("01-08 09:00")
        self.assertFalse(second.sla_event_ids)
