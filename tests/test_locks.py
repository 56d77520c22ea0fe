# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Tickets that can't be worked on: no contract, a pending one, no incident (L12, L22, L27-L31)."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user

from .common import SupportCommon

TECHNICIAN = "helpdesk_mgmt.group_helpdesk_user,hr_timesheet.group_hr_timesheet_user"


class LocksCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stages = cls.env["helpdesk.ticket.stage"]
        cls.progress = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_in_progress")
        cls.done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.cancelled = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_cancelled")
        (cls.progress | cls.done | cls.cancelled | stages).sudo().write({"mail_template_id": False})
        cls.technician = new_test_user(cls.env(su=True), "technician", TECHNICIAN)
        cls.technician.write({"company_ids": cls.company.ids, "company_id": cls.company.id})

    def _set_policy(self, policy):
        self.company.sudo().support_no_contract_policy = policy

    def _open_ticket(self, **vals):
        """A ticket of now, of a customer without a contract unless told otherwise."""
        return self._make_ticket(opened=fields.Datetime.now(), **vals)

    def _get_mails(self, ticket):
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "helpdesk.ticket"), ("res_id", "in", ticket.ids)], order="id")
        )

    def _wait_for_units(self, ticket):
        """Run the job that covers waiting tickets, on the cursor of the test."""
        for waiting in ticket.sudo()._find_releasable() | ticket.filtered("awaiting_coverage"):
            waiting._cover_arrived()


@freeze_time("2026-01-05 12:00:00")
class TestPolicies(LocksCommon):
    def test_accept_lets_work_on(self):
        ticket = self._open_ticket()
        self.assertFalse(ticket.lock_reason)
        self.assertFalse(ticket.contract_missing)
        self._log_work(ticket, "2026-01-05 12:00", 1)
        self.assertFalse(self._get_mails(ticket))

    def test_warn_shows_a_banner_and_notes_it(self):
        self._set_policy("warn")
        ticket = self._open_ticket()
        self.assertFalse(ticket.lock_reason)
        self.assertTrue(ticket.contract_missing)
        self.assertIn("No contract covers this ticket", ticket.message_ids[0].body)
        self._log_work(ticket, "2026-01-05 12:00", 1)
        ticket.contract_id = self._make_contract()
        self.assertFalse(ticket.contract_missing)

    def test_lock_saves_locks_and_mails(self):  # L27, L29
        self._set_policy("lock")
        ticket = self._open_ticket()
        self.assertEqual(ticket.lock_reason, "no_contract")
        self.assertEqual(ticket.locked_at, fields.Datetime.now())
        mail = self._get_mails(ticket)
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertIn(ticket.number, mail.subject)
        self.assertIn("no\n", mail.body_html.replace("no ", "no\n"))

    def test_who_has_no_address_is_named_in_a_note(self):
        self._set_policy("lock")
        self.customer.email = False
        ticket = self._open_ticket()
        self.assertFalse(self._get_mails(ticket))
        self.assertIn("has no e-mail address", "".join(ticket.message_ids.mapped("body")))

    def test_refuse_saves_nothing(self):  # L12
        self._set_policy("refuse")
        count = self.env["helpdesk.ticket"].search_count([])
        with (
            self.assertRaisesRegex(UserError, "No support contract covers Lumen Ltd"),
            self.cr.savepoint(),
        ):
            self._open_ticket()
        self.assertEqual(self.env["helpdesk.ticket"].search_count([]), count)
        self._make_contract()
        self.assertTrue(self._open_ticket().contract_id)

    def test_refuse_holds_for_superusers_and_portal_users(self):
        self._set_policy("refuse")
        with self.assertRaises(UserError), self.cr.savepoint():
            self.env(su=True)["helpdesk.ticket"].create(
                {"name": "A", "description": "B", "partner_id": self.customer.id}
            )

    def test_the_rule_of_the_team_goes_before_the_company(self):
        self._set_policy("refuse")
        self.team.support_no_contract_policy = "accept"
        self.assertFalse(self._open_ticket().lock_reason)
        self.team.support_no_contract_policy = "lock"
        self.assertEqual(self._open_ticket().lock_reason, "no_contract")

    def test_a_ticket_without_customer_waits_for_triage_unlocked(self):
        self._set_policy("refuse")
        ticket = self._open_ticket(partner_id=False)
        self.assertFalse(ticket.lock_reason)
        ticket.partner_id = self.customer  # it exists: it isn't refused any more
        self.assertEqual(ticket.lock_reason, "no_contract")

    def test_closed_tickets_are_not_judged(self):
        self._set_policy("refuse")
        ticket = self._open_ticket(stage_id=self.done.id)
        self.assertFalse(ticket.lock_reason)

    def test_each_of_a_group_is_judged_on_its_own(self):  # L28
        self._set_policy("lock")
        other = self._make_customer("Borealis")
        self._make_contract(partner=other)
        tickets = self.env["helpdesk.ticket"].create(
            [
                {"name": "A", "description": "B", "team_id": self.team.id, "partner_id": id_}
                for id_ in (self.customer.id, other.id)
            ]
        )
        self.assertEqual(tickets.mapped("lock_reason"), ["no_contract", False])

    def test_a_milder_policy_opens_a_stricter_one_is_for_new_tickets(self):
        self._set_policy("lock")
        ticket = self._open_ticket()
        self._set_policy("accept")
        self.assertFalse(ticket.lock_reason)
        self._set_policy("lock")
        self.assertFalse(ticket.lock_reason)
        self.assertEqual(self._open_ticket().lock_reason, "no_contract")

    def test_queries_do_not_grow_with_the_batch(self):
        self._set_policy("lock")
        customers = self.env["res.partner"].create([{"name": f"C{n}"} for n in range(60)])

        def create(partners):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            tickets = self.env["helpdesk.ticket"].create(
                [
                    {
                        "name": "A",
                        "description": "B",
                        "number": f"T{partner.id}",
                        "team_id": self.team.id,
                        "partner_id": partner.id,
                    }
                    for partner in partners
                ]
            )
            self.env.flush_all()
            used = self.cr.sql_log_count - before
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            tickets._update_locks()
            self.env.flush_all()
            return used, self.cr.sql_log_count - before

        create(customers[:2])  # what is read once
        few, many = create(customers[5:10]), create(customers[10:])
        self.assertEqual(few[1], many[1])


@freeze_time("2026-01-05 12:00:00")
class TestLocked(LocksCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().support_no_contract_policy = "lock"
        cls.ticket = cls._make_ticket(opened=fields.Datetime.now())

    def _assert_locked(self, text="is locked and can't be worked on"):
        return self.assertRaisesRegex(UserError, text)

    def test_no_time_no_timer_no_parts(self):
        with self._assert_locked("No contract covers this ticket. Choose or create one"):
            self._log_work(self.ticket, "2026-01-05 12:00", 1)
        with self._assert_locked():
            self.ticket.action_start_timer()
        wizard = self.env["support.part.wizard"].create(
            {"ticket_id": self.ticket.id, "product_id": self.fee_product.id, "name": "Fan"}
        )
        with self._assert_locked():
            wizard.action_add()
        with self._assert_locked():  # superuser jobs, too
            self._log_work(self.ticket.sudo(), "2026-01-05 12:00", 1)

    def test_time_cannot_be_moved_to_it(self):
        self.team.support_no_contract_policy = "accept"
        other = self._open_ticket()
        self.team.support_no_contract_policy = False
        work = self._log_work(other, "2026-01-05 12:00", 1)
        self.ticket._update_locks()
        with self._assert_locked():
            work.ticket_id = self.ticket

    def test_it_can_only_be_closed(self):
        with self._assert_locked(), self.cr.savepoint():
            self.ticket.stage_id = self.progress
        self.ticket.stage_id = self.cancelled
        self.assertEqual(self.ticket.lock_reason, "no_contract")
        with self._assert_locked():
            self._log_work(self.ticket, "2026-01-05 12:00", 1)
        self.ticket.stage_id = self.progress  # opened again it is judged again
        self.assertEqual(self.ticket.lock_reason, "no_contract")

    def test_what_may_change(self):
        self.ticket.write({"priority": "3", "description": "Worse", "user_id": self.env.uid})
        self.ticket.message_post(body="We are looking for your contract.")
        self.assertEqual(self.ticket.lock_reason, "no_contract")

    def test_a_contract_chosen_by_hand_opens(self):
        contract = self._make_contract(apply_to_new_tickets=False)
        self.assertEqual(self.ticket.lock_reason, "no_contract")
        self.ticket.contract_id = contract
        self.assertFalse(self.ticket.lock_reason)
        self._log_work(self.ticket, "2026-01-05 12:00", 1)
        self.ticket.stage_id = self.progress

    def test_a_new_contract_opens_what_waits(self):  # L31, L38
        second = self._open_ticket()
        other = self._open_ticket(partner_id=self._make_customer("Borealis").id)
        contract = self._make_contract(confirm=False)
        self.cr.flush()
        self.assertEqual(self.ticket.lock_reason, "no_contract")
        contract.action_confirm()
        self.cr.flush()
        tickets = self.ticket | second
        self.assertEqual(tickets.mapped("lock_reason"), [False, False])
        self.assertEqual(tickets.contract_id, contract)
        self.assertEqual(other.lock_reason, "no_contract")

    def test_work_in_the_same_transaction_finds_it_open(self):
        self._make_contract()
        work = self._log_work(self.ticket, "2026-01-05 12:00", 1)
        self.assertTrue(work.support_contract_id)

    def test_switching_a_contract_to_new_tickets_opens(self):
        contract = self._make_contract(apply_to_new_tickets=False)
        self.cr.flush()
        self.assertTrue(self.ticket.lock_reason)
        contract.apply_to_new_tickets = True
        self.cr.flush()
        self.assertFalse(self.ticket.lock_reason)

    def test_reminder(self):  # L29
        self.ticket.with_user(self.technician).action_send_lock_reminder()
        self.assertEqual(len(self._get_mails(self.ticket)), 2)
        self.assertTrue(self.ticket.lock_reminded_at)
        self.assertIn("Lumen Ltd was reminded", "".join(self.ticket.message_ids.mapped("body")))
        self.customer.email = False
        with self.assertRaisesRegex(UserError, "has no e-mail address"):
            self.ticket.action_send_lock_reminder()
        self.ticket.contract_id = self._make_contract(apply_to_new_tickets=False)
        with self.assertRaisesRegex(UserError, "nothing to remind of"):
            self.ticket.action_send_lock_reminder()

    def test_nobody_unlocks_by_writing(self):
        for vals in (
            {"lock_reason": False},
            {"incident_waiting": False},
            {"retaken_at": "2025-01-01 00:00:00"},
            {"lock_reminded_at": "2025-01-01 00:00:00"},
        ):
            with self.assertRaises(AccessError):
                self.ticket.write(vals)
        with self.assertRaises(AccessError):
            self.env["helpdesk.ticket"].with_context(default_incident_waiting=True).create(
                {"name": "A", "description": "B"}
            )

    def test_the_form_shows_why_and_what_to_do(self):
        form = Form(self.ticket.with_user(self.technician))
        self.assertEqual(form.lock_reason, "no_contract")
        self.assertIn("Choose or create one", form.lock_message)
        found = self.env["helpdesk.ticket"].search(
            [("lock_reason", "!=", False), ("closed", "=", False)]
        )
        self.assertIn(self.ticket, found)


@freeze_time("2026-01-05 12:00:00")
class TestPending(LocksCommon):
    def _make_pending(self, **vals):
        return self._make_contract(start="2026-02-01", **vals)

    def test_waits_and_opens_by_hand(self):  # L22, L51
        contract = self._make_pending()
        ticket = self._open_ticket()
        self.assertEqual((ticket.contract_id, ticket.lock_reason), (contract, "pending"))
        self.assertFalse(self._get_mails(ticket))
        with self.assertRaisesRegex(UserError, "has not begun"):
            self._log_work(ticket, "2026-01-05 12:00", 1)
        contract.action_activate()
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)

    def test_opens_on_its_first_day(self):
        contract = self._make_pending()
        ticket = self._open_ticket()
        with freeze_time("2026-02-01 00:30:00"):
            self._roll(contract)
            self.cr.flush()
            self.assertFalse(ticket.lock_reason)
            work = self._log_work(ticket, "2026-02-01 00:30", 1)
        self.assertEqual(work.support_contract_id, contract)

    def test_its_incident_is_taken_when_it_begins(self):
        plan = self._make_plan(allowances=[self._allowance(incidents=2)], overage_policy="block")
        contract = self._make_pending(plan=plan)
        ticket = self._open_ticket()
        self.assertEqual((ticket.incident_quantity, ticket.lock_reason), (1, "pending"))
        self.assertFalse(self._get_drawn(ticket))
        with freeze_time("2026-02-01 08:00:00"):
            self._roll(contract)
            self.cr.flush()
            self.assertFalse(ticket.lock_reason)
            self.assertEqual(contract.entitlement_ids.remaining, 1)
            self.assertEqual(str(ticket.retaken_at), "2026-02-01 08:00:00")
            self.assertEqual(str(ticket.opened_at), "2026-01-05 12:00:00")
        self.assertProved(contract)

    def test_looks_for_another_where_it_is_cancelled(self):
        self._set_policy("lock")
        contract = self._make_pending()
        ticket = self._open_ticket()
        contract.action_cancel()
        self.cr.flush()
        self.assertEqual((ticket.contract_id.id, ticket.lock_reason), (False, "no_contract"))

    def test_a_running_contract_goes_before_it(self):
        self._make_pending()
        ticket = self._open_ticket()
        running = self._make_contract(self._make_plan(hours=1), date_end="2026-01-31")
        self.cr.flush()
        self.assertEqual((ticket.contract_id, ticket.lock_reason), (running, False))


@freeze_time("2026-01-05 12:00:00")
class TestNoIncident(LocksCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.requires_incident = True

    def test_refused_on_the_screen(self):
        with self.assertRaisesRegex(UserError, "Lumen Ltd has none left"), self.cr.savepoint():
            self._open_ticket()
        self._make_grant(incidents=1)
        self.assertEqual(self._open_ticket().consumed_incidents, 1)

    def test_no_context_from_outside_lets_it_wait(self):
        with self.assertRaises(UserError), self.cr.savepoint():
            self.env["helpdesk.ticket"].with_context(support_may_wait=True).create(
                {
                    "name": "A",
                    "description": "B",
                    "team_id": self.team.id,
                    "partner_id": self.customer.id,
                }
            )

    def test_triage_waits_and_draws_when_incidents_come(self):
        ticket = self._open_ticket(partner_id=False)
        ticket.partner_id = self.customer
        self.assertEqual(ticket.lock_reason, "no_incident")
        self.assertIn("none left", self._get_mails(ticket).body_html)
        with self.assertRaisesRegex(UserError, "No support incident is left"):
            self._log_work(ticket, "2026-01-05 12:00", 1)
        with freeze_time("2026-01-07 08:00:00"):
            grant = self._make_grant(incidents=1, start="2026-01-07", made_at=fields.Datetime.now())
            self._wait_for_units(ticket)
        self.assertFalse(ticket.lock_reason)
        self.assertEqual(self._get_drawn(ticket), {grant: 1})

    def test_a_part_of_what_is_needed_is_given_back(self):
        grant = self._make_grant(incidents=1)
        ticket = self._open_ticket(partner_id=False)
        ticket.incident_quantity = 2
        ticket.partner_id = self.customer
        self.assertEqual((ticket.lock_reason, grant.remaining), ("no_incident", 1))
        ticket.incident_quantity = 1
        self.assertEqual((ticket.lock_reason, grant.remaining), (False, 0))

    def test_another_team_opens_it(self):
        ticket = self._open_ticket(partner_id=False)
        ticket.partner_id = self.customer
        self.assertEqual(ticket.lock_reason, "no_incident")
        ticket.team_id = self.team.create({"name": "Free"})
        self.assertFalse(ticket.lock_reason)

    def test_closing_it_takes_nothing(self):
        ticket = self._open_ticket(partner_id=False)
        ticket.partner_id = self.customer
        ticket.stage_id = self.done
        grant = self._make_grant(incidents=1)
        self.assertEqual(grant.remaining, 1)

    def test_both_questions_are_asked(self):
        """An incident without a contract, a contract without an incident."""
        self._set_policy("lock")
        ticket = self._open_ticket(partner_id=False)
        ticket.partner_id = self.customer
        self.assertEqual(ticket.lock_reason, "no_contract")
        ticket.contract_id = self._make_contract(apply_to_new_tickets=False)
        self.assertEqual(ticket.lock_reason, "no_incident")

    def test_a_contract_with_incidents_opens_and_gives_one(self):
        self._set_policy("lock")
        ticket = self._open_ticket(partner_id=False)
        ticket.partner_id = self.customer
        with freeze_time("2026-01-08 08:00:00"):
            plan = self._make_plan(
                allowances=[self._allowance(incidents=3)],
                line_ids=[self._line(10.0)],
            )
            contract = self._make_contract(plan, start="2026-01-08")
            self.cr.flush()
            self.assertEqual((ticket.contract_id, ticket.lock_reason), (contract, False))
            self.assertEqual(contract.entitlement_ids.remaining, 2)
        self.assertProved(contract)

    def test_items_of_a_portal_user_are_refused_without_saving(self):
        user = new_test_user(self.env(su=True), "portal_lumen", "base.group_portal")
        user.sudo().partner_id.parent_id = self.customer
        with self.assertRaisesRegex(UserError, "none left"), self.cr.savepoint():
            self.env["helpdesk.ticket"].with_user(user).sudo().create(
                {
                    "name": "A",
                    "description": "B",
                    "team_id": self.team.id,
                    "partner_id": user.partner_id.id,
                    "tag_ids": [Command.clear()],
                }
            )
