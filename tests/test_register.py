# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The register of agreements: what is in preparation, who is who, signed copies, technicians."""

from ast import literal_eval
from base64 import b64encode

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user
from odoo.tools import mute_logger

from .common import SupportCommon


class RegisterCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(
            hours=5, fee=100, duration_months=12, rates=[cls._rate("price", 70.0)]
        )
        cls.ida = cls.env["res.partner"].create(
            {"name": "Ida", "parent_id": cls.customer.id, "email": "ida@lumen.example.com"}
        )
        cls.stages = cls.env["support.contract.stage"].search([])
        cls.staff = new_test_user(
            cls.env(su=True), "support_staff", "helpdesk_mgmt.group_helpdesk_user"
        )


@freeze_time("2026-01-20 12:00:00")
class TestPipeline(RegisterCommon):
    """Contracts in preparation, with what they will bring in (Y14)."""

    def _quick_create(self, stage):
        form = Form(
            self.env["support.contract"].with_context(default_stage_id=stage.id),
            view="support_contract.view_support_contract_quick_create",
        )
        form.partner_id = self.customer
        form.plan_id = self.plan
        return form.save()

    def _cancel(self, contract, reason="Too expensive"):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_cancel_wizard"
        )
        wizard = Form(self.env[action["res_model"]].with_context(default_contract_id=contract.id))
        self.assertIn("covers nothing", wizard.preview)
        wizard.reason = reason
        wizard = wizard.save()
        wizard.action_cancel_contract()
        return wizard

    def test_quick_create_fills_the_register(self):
        contract = self._quick_create(self.stages[1])
        self.assertRecordValues(
            contract,
            [
                {
                    "stage_id": self.stages[1].id,
                    "likelihood": 40,
                    "monthly_amount": 100,
                    "estimated_amount": 1200,
                    "weighted_amount": 480,
                    "contact_id": self.ida.id,
                    "state": "draft",
                }
            ],
        )

    def test_estimate_of_quarters_and_without_end(self):
        quarterly = self._make_plan(fee=100, billing_period="3", duration_months=7)
        contract = self._make_contract(quarterly, confirm=False)
        self.assertEqual((contract.monthly_amount, contract.estimated_amount), (33.33, 233.31))
        endless = self._make_contract(self._make_plan(fee=10), confirm=False)
        self.assertEqual(endless.estimated_amount, 120)

    def test_an_estimate_by_hand_stays(self):
        contract = self._make_contract(self.plan, confirm=False, estimated_amount=5000)
        contract.plan_id = self._make_plan(fee=1)
        self.assertEqual(contract.estimated_amount, 5000)

    def test_drag_and_drop_moves_the_likelihood(self):
        contract = self._make_contract(self.plan, confirm=False)
        self.assertEqual((contract.stage_id, contract.likelihood), (self.stages[0], 10))
        contract.stage_id = self.stages[2]
        self.assertEqual((contract.likelihood, contract.weighted_amount), (70, 840))
        contract.likelihood = 75
        self.assertEqual(contract.weighted_amount, 900)

    def test_columns_stay_when_empty_and_are_summed(self):
        self._make_contract(self.plan, confirm=False)
        contracts = self.env["support.contract"].with_context(read_group_expand=True)
        groups = contracts.web_read_group(
            [("state", "=", "draft"), ("company_id", "=", self.company.id)],
            ["stage_id"],
            ["weighted_amount:sum"],
        )["groups"]
        sums = {group["stage_id"][0]: group["weighted_amount:sum"] for group in groups}
        self.assertEqual(sums[self.stages[0].id], 120)
        self.assertLessEqual(set(self.stages.ids), set(sums))

    def test_confirmed_from_the_pipeline_it_leaves_it(self):
        contract = self._make_contract(self.plan, confirm=False)
        contract.action_confirm()
        self.assertEqual(contract.state, "active")
        self.assertEqual(contract.weighted_amount, contract.estimated_amount)
        action = self.env.ref("support_contract.action_support_pipeline").sudo()
        self.assertFalse(contract.filtered_domain(literal_eval(action.domain)))

    def test_lost_with_its_reason(self):
        contract = self._make_contract(self.plan, confirm=False)
        wizard = self._cancel(contract)
        self.assertEqual((contract.state, contract.weighted_amount), ("cancelled", 0))
        change = contract.change_ids
        self.assertEqual((change.kind, change.reason), ("lost", "Too expensive"))
        wizard.action_cancel_contract()  # sent twice
        self.assertEqual(len(contract.change_ids), 1)
        contract.action_draft()
        self.assertEqual(contract.state, "draft")

    def test_what_runs_is_not_lost(self):
        contract = self._make_contract(self.plan)
        with self.assertRaisesRegex(UserError, "terminate it"):
            self._cancel(contract)
        self.assertEqual(contract.state, "active")
        self.assertFalse(contract.change_ids)

    @mute_logger("odoo.sql_db")
    def test_only_what_is_in_preparation_has_a_likelihood_of_its_own(self):
        contract = self._make_contract(self.plan, confirm=False)
        contract.write({"stage_id": self.stages[1].id, "likelihood": 55})
        contract.action_confirm()
        self.assertEqual((contract.likelihood, contract.weighted_amount), (100, 1200))
        lost = self._make_contract(self.plan, confirm=False)
        lost.stage_id = self.stages[2]
        self._cancel(lost)
        self.assertEqual((lost.likelihood, lost.weighted_amount), (0, 0))
        lost.action_draft()
        self.assertEqual((lost.likelihood, lost.weighted_amount), (70, 840))
        arch = Form(contract)._view["tree"]
        for name in ("stage_id", "likelihood"):
            (node,) = arch.xpath(f"//field[@name='{name}']")
            hidden = [node.get("invisible"), *(up.get("invisible") for up in node.iterancestors())]
            self.assertIn("state != 'draft'", hidden)

    def test_likelihood_is_a_percentage(self):
        contract = self._make_contract(self.plan, confirm=False)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            contract.likelihood = 101
            contract.flush_recordset()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            contract.estimated_amount = -1
            contract.flush_recordset()

    def test_staff_see_no_money_and_change_nothing(self):
        contract = self._make_contract(self.plan, confirm=False).with_user(self.staff)
        self.assertEqual(contract.contact_id, self.ida)
        for name in ("estimated_amount", "weighted_amount", "monthly_amount"):
            with self.assertRaises(AccessError, msg=name):
                contract.read([name])
        with self.assertRaises(AccessError):
            contract.stage_id = self.stages[1]
        with self.assertRaises(AccessError):
            self.stages[0].with_user(self.staff).name = "Mine"
        with self.assertRaises(AccessError):
            self.env["support.cancel.wizard"].with_user(self.staff).create(
                {"contract_id": contract.id, "reason": "Mine"}
            )
        menus = self.env["ir.ui.menu"].with_user(self.staff)
        pipeline = self.env.ref("support_contract.menu_support_pipeline")
        self.assertNotIn(pipeline.id, menus._visible_menu_ids())

    def test_all_screens_open_for_managers_and_staff(self):
        self._make_contract(self.plan)
        for user in (self.env.user, self.staff):
            contracts = self.env["support.contract"].with_user(user)
            for view_type in ("form", "list", "kanban", "calendar", "search"):
                contracts.get_view(view_type=view_type)
        Form(self.env["support.contract"])


@freeze_time("2026-01-20 12:00:00")
class TestRegister(RegisterCommon):
    def test_contact_follows_the_customer(self):
        contract = self._make_contract(self.plan, confirm=False)
        contract.partner_id = self._make_customer("Other Ltd")
        self.assertEqual(contract.contact_id, contract.partner_id)
        contract.partner_id = self.customer
        self.assertEqual(contract.contact_id, self.ida)
        second = self.env["res.partner"].create({"name": "Bo", "parent_id": self.customer.id})
        contract.contact_id = second
        contract.partner_id = self.ida
        self.assertEqual(contract.contact_id, second)  # still one of theirs

    def test_description_comes_from_the_plan(self):
        self.plan.description = "<p>Round the clock</p>"
        contract = self._make_contract(self.plan, confirm=False)
        self.assertIn("Round the clock", contract.description)
        own = self._make_contract(self.plan, confirm=False, description="<p>Mondays</p>")
        self.assertNotIn("Round the clock", own.description)

    def test_everything_is_editable_while_it_runs(self):  # Y18
        contract = self._make_contract(self.plan)
        form = Form(contract)
        form.title = "Gold for Lumen"
        form.date_end = "2027-06-30"
        form.technician_id = self.env.user
        form.description = "<p>New</p>"
        form.overage_policy = "block"
        form.save()
        self.assertEqual((contract.title, contract.overage_policy), ("Gold for Lumen", "block"))

    def test_reminders(self):  # Y7
        contract = self._make_contract(self.plan)
        contract.activity_schedule(
            "mail.mail_activity_data_call",
            date_deadline="2026-01-20",
            summary="Ask for a renewal",
            user_id=self.env.uid,
        )
        self.assertEqual(contract.activity_state, "today")
        due = self.env["support.contract"].search(
            [("my_activity_date_deadline", "<=", "today"), ("id", "=", contract.id)]
        )
        self.assertEqual(due, contract)
        contract.activity_ids.action_feedback("He will")
        self.assertFalse(contract.activity_ids)
        self.assertIn("He will", contract.message_ids[0].body)

    # === SIGNED COPIES (Y3) === #

    def _upload(self, name="contract.pdf"):
        """A file as the form uploads it: it belongs to nothing yet."""
        return self.env["ir.attachment"].create(
            {"name": name, "datas": b64encode(b"%PDF"), "res_model": "support.contract"}
        )

    def _get_unsigned(self):
        arch = self.env["support.contract"].get_view(
            self.env.ref("support_contract.view_support_contract_search").id, "search"
        )["arch"]
        self.assertIn('name="unsigned"', arch)
        return self.env["support.contract"].search(
            [("state", "in", ("active", "suspended")), ("signed_on", "=", False)]
        )

    def test_signed_copy(self):
        contract = self._make_contract(self.plan)
        self.assertIn(contract, self._get_unsigned())
        form = Form(contract)
        form.signed_copy_ids.add(self._upload())
        form.signed_by = "Ida Lumen"
        form.save()
        self.assertEqual(str(contract.signed_on), "2026-01-20")
        self.assertNotIn(contract, self._get_unsigned())
        copy = contract.signed_copy_ids
        self.assertEqual((copy.res_model, copy.res_id), ("support.contract", contract.id))
        self.assertEqual(contract.message_attachment_count, 1)
        action = contract.action_view_documents()
        self.assertEqual(self.env["ir.attachment"].search(action["domain"]), copy)
        contract.copy()
        self.assertEqual(copy.res_id, contract.id)

    def test_a_date_by_hand_stays(self):
        contract = self._make_contract(self.plan, signed_on="2026-01-02")
        contract.signed_copy_ids = self._upload()
        self.assertEqual(str(contract.signed_on), "2026-01-02")

    def test_signed_copies_are_seen_by_those_who_see_prices(self):
        contract = self._make_contract(self.plan, signed_copy_ids=[Command.set(self._upload().ids)])
        copy = contract.signed_copy_ids
        clerk = new_test_user(self.env(su=True), "clerk", "base.group_user")
        accountant = new_test_user(
            self.env(su=True), "accountant", "account.group_account_readonly"
        )
        self.assertEqual(copy.with_user(accountant).read(["name"])[0]["name"], "contract.pdf")
        for user in (self.staff, clerk):
            with self.assertRaises(AccessError):
                copy.with_user(user).read(["name", "datas"])
        with self.assertRaises(AccessError):
            contract.with_user(self.staff).read(["signed_copy_ids"])
        with self.assertRaises(AccessError):
            contract.with_user(self.staff).shared_file_ids = copy

    def test_files_for_technicians(self):
        contract = self._make_contract(self.plan)
        form = Form(contract)
        form.shared_file_ids.add(self._upload("Floor plan.pdf"))
        form.save()
        plan = contract.shared_file_ids
        self.assertEqual((plan.res_model, plan.res_id), ("support.contract", contract.id))
        other = self._upload()
        other.res_id = contract.id
        seen = self.env["ir.attachment"].with_user(self.staff)
        self.assertEqual(seen.search(contract.action_view_documents()["domain"]), plan)
        self.assertEqual(contract.with_user(self.staff).message_attachment_count, 1)
        self.assertEqual(Form(contract.with_user(self.staff)).shared_file_ids[:], plan)
        target = self._make_contract(self.plan, confirm=False)
        contract._copy_documents(target)
        copies = self.env["ir.attachment"].search(target.action_view_documents()["domain"])
        self.assertEqual(len(copies), 2)
        self.assertEqual(target.shared_file_ids.mapped("name"), ["Floor plan.pdf"])
        contract.shared_file_ids = False
        self.assertFalse(seen.search(contract.action_view_documents()["domain"]))

    # === TECHNICIAN (Y8) === #

    def _make_technician(self):
        technician = new_test_user(
            self.env(su=True),
            "tina",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.team.user_ids = technician | self.staff
        self.company.sudo().helpdesk_mgmt_ticket_auto_assign = False
        return technician

    def test_tickets_go_to_the_technician(self):
        technician = self._make_technician()
        self._make_contract(self.plan, technician_id=technician.id)
        tickets = self.env["helpdesk.ticket"].create(
            [
                {"name": "A", "description": "?", "partner_id": self.ida.id, "user_id": user_id}
                | ({"team_id": self.team.id} if team else {})
                for user_id, team in ((False, True), (self.staff.id, True), (False, False))
            ]
        )
        self.assertEqual(
            [ticket.user_id for ticket in tickets], [technician, self.staff, technician]
        )

    def test_not_when_he_is_not_in_the_team_or_has_left(self):
        technician = self._make_technician()
        self._make_contract(self.plan, technician_id=technician.id)
        self.team.user_ids = self.staff
        self.assertFalse(self._make_ticket().user_id)
        self.team.user_ids |= technician
        technician.sudo().active = False
        self.assertFalse(self._make_ticket().user_id)

    def test_chosen_or_found_later(self):
        technician = self._make_technician()
        ticket = self._make_ticket()
        mailed = (
            self.env["helpdesk.ticket"]
            .with_context(support_cover_later=True)
            .create(
                {
                    "name": "By mail",
                    "description": "?",
                    "partner_id": self.customer.id,
                    "team_id": self.team.id,
                    "opened_at": "2026-01-06 09:00:00",
                }
            )
        )
        contract = self._make_contract(self.plan, technician_id=technician.id)
        self.assertFalse(ticket.user_id | mailed.user_id)
        ticket.contract_id = contract
        self.assertEqual(ticket.user_id, technician)
        mailed.sudo()._cover_arrived()
        self.assertEqual((mailed.contract_id, mailed.user_id), (contract, technician))

    def test_a_batch_costs_no_query_per_ticket(self):
        technician = self._make_technician()
        self._make_contract(self.plan, technician_id=technician.id)
        vals = {"partner_id": self.customer.id, "team_id": self.team.id}
        counts = []
        for count in (2, 3, 20):  # the first one fills caches
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["helpdesk.ticket"]._prepare_coverage([dict(vals) for _ in range(count)])
            counts.append(self.env.cr.sql_log_count - start)
        self.assertEqual(counts[1], counts[2])
