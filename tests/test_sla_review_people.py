# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Who is told what about clocks, and who may move them."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_sla import SlaCommon, moment


@tagged("post_install", "-at_install")
class TestSlaReviewPeople(SlaCommon):
    # === WHO IS TOLD === #

    def _make_loud(self, **vals):
        return self._make_policy(
            [self._target("resolution", 8)],
            [self._step(80), self._step(100, by_mail=True, **vals)],
            name="Loud",
        )

    def _make_outsider(self):
        other = self.env["res.company"].sudo().create({"name": "Daughter"})
        return new_test_user(
            self.env(su=True),
            "outsider",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )

    def test_nobody_of_another_company_gets_a_ticket(self):
        outsider = self._make_outsider()
        policy = self._make_loud(reassign_id=outsider.id, user_ids=outsider.ids)
        ticket = self._open(sla_policy_id=policy.id, user_id=self.env.uid)
        self._tick("01-05 17:01")
        breach = ticket.sla_event_ids.filtered(lambda e: e.kind == "breach")
        self.assertTrue(breach)
        self.assertEqual(ticket.user_id, self.env.user)
        self.assertEqual(breach.told_ids, self.env.user)

    def test_a_technician_who_has_left_the_company_gets_no_tickets(self):
        outsider = self._make_outsider()
        self.policy.sudo().technician_id = outsider
        self.assertNotEqual(self._open().user_id, outsider)
        outsider.company_ids += self.company
        self.assertEqual(self._open().user_id, outsider)

    def test_users_without_address_do_not_stop_the_others(self):
        mute = new_test_user(
            self.env(su=True),
            "mute",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        mute.email = False
        policy = self._make_loud(user_ids=mute.ids)
        ticket = self._open(sla_policy_id=policy.id, user_id=self.env.uid)
        self._tick("01-05 17:01")
        self.assertEqual(ticket.activity_ids.user_id, mute | self.env.user)

    def test_what_is_told_is_in_the_language_and_zone_of_who_is_told(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        user = new_test_user(
            self.env(su=True),
            "claire",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            email="claire@example.com",
            lang="fr_FR",
            tz="Asia/Tokyo",
        )
        policy = self._make_loud(user_ids=user.ids, to_assignee=False)
        ticket = self._open(sla_policy_id=policy.id)
        self._tick("01-05 17:01")
        activity = ticket.activity_ids.filtered(lambda a: a.user_id == user)
        self.assertIn("06/01/2026 02:00", activity.note)

    def test_archived_tickets_bother_nobody(self):
        ticket = self._open(sla_policy_id=self._make_loud().id, user_id=self.env.uid)
        ticket.action_archive()
        self._tick("01-05 17:01")
        self.assertEqual(self._clock(ticket).breached_at, moment("01-05 17:00"))
        self.assertFalse(ticket.activity_ids)

    def test_what_is_over_leaves_no_activities(self):
        ticket = self._open(sla_policy_id=self._make_loud().id, user_id=self.env.uid)
        self._tick("01-05 16:00")
        self.assertTrue(ticket.activity_ids)
        self._move("01-05 16:30", ticket, self.stage_done)
        self.assertFalse(ticket.activity_ids)

    def test_a_breach_that_is_noticed_late_bothers_nobody(self):
        ticket = self._open(sla_policy_id=self._make_loud().id, user_id=self.env.uid)
        self._move("01-05 17:30", ticket, self.stage_done)
        self._tick("01-05 17:31")
        self.assertIn("breach", ticket.sla_event_ids.mapped("kind"))
        self.assertFalse(ticket.activity_ids)

    # === WHO MAY === #

    def test_who_may_not_see_contracts_opens_and_moves_tickets(self):
        user = new_test_user(
            self.env(su=True),
            "own",
            "helpdesk_mgmt.group_helpdesk_user_own",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            email="own@example.com",
        )
        ticket = self._open(user_id=user.id)
        own = ticket.with_user(user)
        self._move("01-05 10:00", own, self.stage_wait)
        self._at("01-05 10:30", own.write, {"priority": "3"})
        self._move("01-05 11:00", own, self.stage_work)
        self._say("01-05 11:30", own, author=user.partner_id)
        self.assertEqual(self._clock(ticket, "response").elapsed, 90 * 60)
        self.assertEqual(own.sla_policy_id, self.policy)
        found = own.search([("id", "=", own.id), ("sla_status", "=", own.sla_status)])
        self.assertEqual(found, own)

    def test_archived_policies_go_on_for_their_contracts(self):
        self.policy.active = False
        ticket = self._open()
        self.assertEqual(ticket.sla_policy_id, self.policy)
        self.assertDue(ticket, "response", "01-05 13:00")

    def test_only_who_may_change_policies_has_stages_pause_them(self):
        user = new_test_user(
            self.env(su=True),
            "stages",
            "helpdesk_mgmt.group_helpdesk_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        stage = self.stage_work.with_user(user)
        with self.assertRaises(AccessError):
            stage.write({"sla_pause_policy_ids": [Command.link(self.policy.id)]})
        stage.write({"name": "Working"})
