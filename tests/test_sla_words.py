# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Policies in words: what happens when, what a version changed, what a contract promises."""

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common_sla import SlaCommon, moment


@tagged("post_install", "-at_install")
class TestSlaWords(SlaCommon):
    def test_steps_are_sentences(self):
        expert = new_test_user(self.env(su=True), "expert", "helpdesk_mgmt.group_helpdesk_user")
        policy = self._make_policy(
            steps=[
                self._step(80),
                self._step(30, "before", kind="response", by_activity=False),
                self._step(100, by_mail=True, to_team=True),
                self._step(150, kind="resolution", by_chatter=False, reassign_id=expert.id),
                self._step(200, by_activity=False, by_chatter=False),
            ],
            name="Steps",
        )
        self.assertEqual(
            set(policy.step_ids.mapped("sentence")),
            {
                "At 80 % of the time: note on the ticket; activity to the assigned user",
                "30 minutes before the deadline of First Response: note on the ticket",
                "On each breach: note on the ticket; activity and e-mail to the assigned user "
                "and the team leader",
                f"At 150 % of the time for Resolution: the ticket goes to {expert.name}; activity "
                "to the new assigned user",
                "At 200 % of the time: nothing",
            },
        )

    def test_versions_say_what_changed(self):
        self._open()
        target = self.policy.target_ids.filtered(lambda row: row.kind == "resolution")
        self.policy.write(
            {
                "customer_zone": True,
                "pause_stage_ids": [Command.clear()],
                "target_ids": [
                    Command.update(target.id, {"number": 1, "unit": "hours"}),
                    Command.update((self.policy.target_ids - target).id, {"number": 1}),
                    self._target("next_response", 30, "minutes", priority="3"),
                ],
                "step_ids": [self._step(100), Command.delete(self.policy.step_ids.id)],
            }
        )
        second, first = self.policy.version_ids
        self.assertEqual(first.changes, "As it was first promised")
        self.assertEqual(
            set(second.changes.splitlines()),
            {
                "Active hours: Office (UTC) → Office (the customer's time zone)",
                "First Response: 4 hours → 1 hour",
                "Resolution: 8 hours → 1 hour",
                "New: Next Response (Very High): 30 minutes",
                "No longer: Pausing stage: Awaiting",
                "New: On each breach: note on the ticket; activity to the assigned user",
                "No longer: At 80 % of the time: note on the ticket; activity to the assigned user",
            },
        )

    def test_a_target_says_when_a_ticket_opened_now_is_due(self):
        with freeze_time(moment("01-09 16:00")):
            targets = self.policy.target_ids.sorted("seconds")
            self.assertEqual(
                targets.mapped("due_now"), [moment("01-12 12:00"), moment("01-12 16:00")]
            )
            with Form(self.policy) as form:
                with form.target_ids.edit(0) as line:
                    line.number = 1
                    self.assertEqual(line.due_now, moment("01-09 17:00"))
                form.calendar_id = self.env["resource.calendar"]
                with form.target_ids.edit(1) as line:
                    self.assertEqual(line.due_now, moment("01-10 00:00"))

    def test_how_a_policy_and_a_contract_are_kept(self):
        kept, missed, going = self._open(), self._open(), self._open()
        self._move("01-05 12:00", kept, self.stage_done)
        self._move("01-06 12:00", missed, self.stage_done)
        with freeze_time(moment("01-05 12:30")):
            for record in (self.policy, self.contract):
                record.invalidate_recordset()
            # Of the one that was resolved too late the response was missed as well.
            self.assertEqual((self.policy.promise_count, self.contract.sla_promise_count), (3, 3))
            self.assertAlmostEqual(self.policy.kept_percent, 100 / 3)
            self.assertAlmostEqual(self.contract.sla_kept_percent, 100 / 3)
        self.assertEqual(self._clock(going).state, "running")
        for action in (
            self.policy.action_view_compliance(),
            self.contract.action_view_sla_compliance(),
        ):
            rows = self.env[action["res_model"]].search(action["domain"])
            self.assertLessEqual(kept | missed | going, rows.ticket_id)

    def test_a_contract_prints_what_it_promises(self):
        self.policy.write(
            {"description": "Weekends are free.", "target_ids": [self._target("response", 1,
             priority="3")]}
        )  # fmt: skip
        report = self.env["ir.actions.report"].sudo()
        html, _kind = report._render_qweb_html(
            "support_contract.report_support_contract", self.contract.ids
        )
        text = " ".join(html.decode().split())
        for part in (
            "First Response (Very High)", "1 hour<", "4 hours<", "Weekends are free.",
            "in the working hours Office (UTC)",
        ):  # fmt: skip
            self.assertIn(part, text)
        self.contract.sla_policy_id = False
        html, _kind = report._render_qweb_html(
            "support_contract.report_support_contract", self.contract.ids
        )
        self.assertNotIn("Service Levels", html.decode())

    def test_the_sla_is_one_of_the_terms_whose_versions_are_kept(self):
        self.env.cr.precommit.run()
        before = self.contract.version_ids
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        self.contract.sla_policy_id = silver
        self.env.cr.precommit.run()
        version = self.contract.version_ids - before
        self.assertEqual(len(version), 1)
        self.assertIn("SLA", version.summary)
        self.assertIn("Silver", version.summary)

    def test_words_need_no_right_to_read_what_they_name(self):
        clerk = new_test_user(
            self.env(su=True), "agent", "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        self._open()
        self.policy.pause_stage_ids = False
        policy = self.policy.with_user(clerk)
        self.assertIn("Awaiting", policy.version_ids[0].changes)
        self.assertTrue(policy.step_ids[0].sentence)
        self.assertTrue(policy.target_ids[0].due_now)
        with self.assertRaises(AccessError):
            policy.step_ids[0].number = 3
