# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Who may do what with promises: technicians, managers, accountants, others, customers."""

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.http import Request
from odoo.tests import HttpCase, new_test_user, tagged

from .common_sla import SlaCommon, moment

# Written by the system only.
KEPT_MODELS = (
    "support.sla.version",
    "support.sla.timer",
    "support.sla.pause",
    "support.sla.event",
    "support.sla.report",
)
# Written by managers.
MADE_MODELS = ("support.sla.policy", "support.sla.target", "support.sla.step")
MODELS = KEPT_MODELS + MADE_MODELS


class SlaAccessCommon(SlaCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.write(
            {
                "target_ids": [cls._target("next_response", 2)],
                "step_ids": [Command.clear(), cls._step(50), cls._step(100)],
            }
        )
        cls.ticket = cls._open()
        cls._at("01-05 10:00", cls.ticket._pause_sla, "parts")
        cls._at("01-05 11:00", cls.ticket.action_resume_sla)
        cls._tick("01-05 12:30")
        cls.technician = cls._make_user("agent", "helpdesk_mgmt.group_helpdesk_user")

    @classmethod
    def _make_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env(su=True),
            login,
            groups,
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    @classmethod
    def _make_portal_user(cls):
        user = cls._make_user("lumen", "base.group_portal")
        user.partner_id.sudo().parent_id = cls.customer
        return user


@tagged("post_install", "-at_install")
class TestAccessSla(SlaAccessCommon):
    # === TECHNICIANS === #

    def test_technicians_read_everything_about_promises(self):
        self.env.flush_all()
        for model in MODELS:
            records = self.env[model].with_user(self.technician).search([])
            self.assertTrue(records, model)
            self.assertTrue(records.read(), model)

    def test_technicians_write_none_of_it(self):
        self.env.flush_all()
        for model in MODELS:
            record = self.env[model].with_user(self.technician).search([], limit=1)
            for operation in ("write", "create", "unlink"):
                self.assertFalse(record.has_access(operation), f"{operation} {model}")
        clock = self._clock(self.ticket).with_user(self.technician)
        with self.assertRaises(AccessError):
            clock.deadline = moment("02-01 09:00")
        with self.assertRaises(AccessError):
            self.policy.with_user(self.technician).target_ids[0].number = 99

    def test_technicians_write_no_clocks_through_the_ticket(self):
        ticket = self.ticket.with_user(self.technician)
        late = fields.Datetime.to_string(moment("02-01 09:00"))
        clock, pause = self._clock(self.ticket), self.ticket.sla_pause_ids
        for vals in (
            {"answered_at": late},
            {"resolved_at": late},
            {"closed_at": late},
            {"sla_by_hand": True},
            {"sla_version_id": False},
            {"sla_deadline": late},
            {"sla_timer_ids": [Command.update(clock.id, {"deadline": late})]},
            {"sla_timer_ids": [Command.delete(clock.id)]},
            {"sla_pause_ids": [Command.update(pause.id, {"stop": late})]},
            {"sla_event_ids": [Command.delete(self.ticket.sla_event_ids[0].id)]},
        ):
            with self.assertRaises(AccessError, msg=str(vals)):
                ticket.write(vals)
                self.env.flush_all()
        new = {"name": "New", "description": "?", "partner_id": self.customer.id}
        for vals in ({"answered_at": late}, {"sla_deadline": late}):
            with self.assertRaises(AccessError, msg=str(vals)):
                self.env["helpdesk.ticket"].with_user(self.technician).create(new | vals)

    def test_technicians_choose_another_promise_for_a_ticket(self):
        """Y32: the SLA can be changed on the ticket."""
        silver = self._make_policy([self._target("response", 6)], name="Silver")
        self._at("01-05 12:40", self.ticket.with_user(self.technician).write,
                 {"sla_policy_id": silver.id})  # fmt: skip
        self.assertDue(self.ticket, "response", "01-05 16:00")

    def test_technicians_pause_and_resume(self):
        def pause():
            wizard = self.env["support.sla.pause.wizard"].with_user(self.technician)
            action = self.ticket.with_user(self.technician).action_pause_sla()
            wizard = wizard.with_context(**action["context"]).create({"reason": "strike"})
            wizard.action_pause()

        self._at("01-05 12:40", pause)
        going = self.ticket.sla_pause_ids.filtered(lambda row: not row.stop)
        self.assertEqual((going.detail, going.user_id), ("strike", self.technician))
        self._at("01-05 13:00", self.ticket.with_user(self.technician).action_resume_sla)
        self.assertFalse(self.ticket.sla_paused_by_hand)

    def test_nobody_pauses_tickets_that_he_may_not_write(self):
        reader = self._make_user("clerk", "base.group_user")
        with self.assertRaises(AccessError):
            self.ticket.with_user(reader)._pause_sla("strike")
        with self.assertRaises(AccessError):
            self.ticket.with_user(reader).action_resume_sla()

    # === MANAGERS === #

    def test_managers_write_policies_and_nothing_else(self):
        manager = self._make_user("boss", "support_contract.group_support_manager")
        policy = self.policy.with_user(manager)
        number = policy.version_number
        policy.target_ids[0].number = 3
        self.assertEqual(policy.version_number, number + 1, "the old one is in use")
        policy.action_apply_to_open_tickets()
        self.assertEqual(self.ticket.sla_version_id.number, number + 1)
        for model in KEPT_MODELS:
            for operation in ("write", "create", "unlink"):
                access = self.env[model].with_user(manager).has_access(operation)
                self.assertFalse(access, f"{operation} {model}")
        copy = policy.copy()
        copy.unlink()
        self.assertFalse(copy.exists())

    # === ACCOUNTANTS AND OTHER STAFF === #

    def test_accountants_see_promises_and_change_none(self):
        accountant = self._make_user("accountant", "account.group_account_invoice")
        self.env.flush_all()
        for model in MODELS:
            self.assertTrue(self.env[model].with_user(accountant).search([]), model)
            self.assertFalse(self.env[model].with_user(accountant).has_access("write"), model)

    def test_other_staff_see_nothing(self):
        clerk = self._make_user("clerk", "base.group_user")
        for model in MODELS:
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(clerk).search([])

    # === OTHER COMPANIES === #

    def test_other_company_sees_nothing(self):
        other = self.env["res.company"].sudo().create({"name": "Other company"})
        stranger = self._make_user("stranger", "support_contract.group_support_manager", other)
        self.env.flush_all()
        for model in MODELS:
            records = self.env[model].search([])
            self.assertTrue(records, model)
            # What the demo data has for other companies than the test's aside.
            own = records.filtered(lambda record: record.company_id == self.company)
            self.assertFalse(
                self.env[model].with_user(stranger).search([("id", "in", own.ids)]), model
            )
            with self.assertRaises(AccessError, msg=model):
                own[0].with_user(stranger).read(["display_name"])


@tagged("post_install", "-at_install")
class TestAccessSlaPortal(SlaAccessCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = cls._make_portal_user()

    def test_customers_see_nothing_of_the_clocks(self):
        ticket = self.ticket.with_user(self.portal)
        self.assertEqual(ticket.name, self.ticket.name)
        for model in MODELS:
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(self.portal).search([])
        for name in ("sla_timer_ids", "sla_pause_ids", "sla_event_ids"):
            with self.assertRaises(AccessError, msg=name):
                ticket.read([name])

    def test_a_customers_reply_begins_the_next_response(self):
        self._say("01-05 12:40", self.ticket)
        self._at(
            "01-05 12:50",
            self.ticket.with_user(self.portal).message_post,
            body="And now?",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self.assertDue(self.ticket, "next_response", "01-05 14:50")

    def test_a_customer_opens_a_ticket_under_a_promise(self):
        self.company.sudo().helpdesk_mgmt_portal_select_team = True
        self.team.show_in_portal = True
        self.contract.write({"apply_to_new_tickets": True})
        self.authenticate("lumen", "lumen")
        response = self.url_open(
            "/submitted/ticket",
            data={
                "csrf_token": Request.csrf_token(self),
                "subject": "It does not work",
                "description": "At all",
                "team": str(self.team.id),
            },
        )
        self.assertIn("/my/ticket/", response.url)
        ticket = self.env["helpdesk.ticket"].search([("name", "=", "It does not work")])
        self.assertEqual((ticket.contract_id, ticket.sla_policy_id), (self.contract, self.policy))
        self.assertEqual(set(ticket.sla_timer_ids.mapped("kind")), {"response", "resolution"})
        self.assertTrue(self.url_open(response.url).ok)
