# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Validation is switched on when every item belongs to somebody and L6 is chosen (L3-L6, L54)."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, new_test_user

from .common import MANAGER_GROUPS, SupportCommon


@freeze_time("2026-01-20 12:00:00")
class TestActivation(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["maintenance.equipment"].sudo().search(
            [("support_partner_id", "=", False)]
        ).active = False
        cls.items = cls.env["maintenance.equipment"].create(
            [{"name": f"Item {number:02}", "company_id": cls.company.id} for number in range(13)]
        )
        cls.department = cls.env["res.partner"].create(
            {"name": "Department", "parent_id": cls.customer.id}
        )

    def _open(self, wizard=None):
        return Form(wizard or self.env["support.activation.wizard"])

    def _choose(self, form, *numbers):
        for number in numbers:
            with form.line_ids.edit(number) as line:
                line.chosen = True

    def test_refused_while_items_belong_to_nobody(self):  # L4, L54
        form = self._open()
        self.assertEqual(form.item_count, 13)
        form.expired_work = "rollover"
        with self.assertRaises(UserError) as caught:
            form.save().action_activate()
        text = str(caught.exception)
        self.assertIn("Item 00, Item 01", text)
        self.assertIn("Item 09, and 3 more", text)
        self.assertNotIn("Item 10", text)
        self.assertFalse(self.company.support_validation)

    def test_items_are_assigned_in_bulk_then_choices_made_then_active(self):  # L3, L5, L6
        form = self._open()
        self._choose(form, 0, 2, 4)
        form.partner_id = self.department
        wizard = form.save()
        action = wizard.action_assign()
        self.assertEqual((action["res_id"], action["target"]), (wizard.id, "new"))
        given = self.items.filtered("support_partner_id")
        self.assertEqual(given.mapped("name"), ["Item 00", "Item 02", "Item 04"])
        self.assertEqual(given.support_partner_id, self.department)
        form = self._open(wizard)
        self.assertEqual((form.item_count, len(form.line_ids)), (10, 10))
        self._choose(form, 0)
        form.partner_id = self.customer
        form.save().action_assign()
        self.assertEqual(self.items[1].support_partner_id, self.customer)
        wizard.action_assign_rest()
        own = self.items.filtered(lambda item: item.support_partner_id == self.company.partner_id)
        self.assertEqual(len(own), 9)
        with self.assertRaisesRegex(UserError, "rollover or ignore"):
            wizard.action_activate()
        self.assertFalse(self.company.support_validation)
        form = self._open(wizard)
        with self.assertRaisesRegex(AssertionError, "expired_work"):
            form.save()  # required, once no item is left
        form.expired_work = "rollover"
        self.assertEqual(form.no_contract_policy, "lock")
        form.save().action_activate()
        self.assertRecordValues(
            self.company,
            [
                {
                    "support_validation": True,
                    "support_expired_work": "rollover",
                    "support_no_contract_policy": "lock",
                }
            ],
        )

    def test_nothing_ticked_is_said(self):
        form = self._open()
        form.partner_id = self.customer
        with self.assertRaisesRegex(UserError, "Tick the items first"):
            form.save().action_assign()
        form = self._open()
        self._choose(form, 0)
        with self.assertRaisesRegex(UserError, "choose the customer"):
            form.save().action_assign()

    def test_items_of_others_and_archived_ones_do_not_count(self):
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.items[0].sudo().company_id = elsewhere
        self.items[1].active = False
        self.items[2].sudo().company_id = False
        self.assertEqual(self._open().item_count, 11)

    def test_item_made_after_the_step_was_opened_counts(self):
        wizard = self._open().save()
        wizard.action_assign_rest()
        wizard.expired_work = "ignore"
        self.env["maintenance.equipment"].create({"name": "Latecomer"})
        with self.assertRaisesRegex(UserError, "Latecomer"):
            wizard.action_activate()

    def test_switched_off_and_on_again(self):
        self.items.support_partner_id = self.customer
        form = self._open()
        form.expired_work = "rollover"
        form.save().action_activate()
        form = self._open()
        self.assertEqual(form.expired_work, "rollover")
        form.save().action_deactivate()
        self.assertFalse(self.company.support_validation)
        self.assertEqual(self.company.support_no_contract_policy, "accept")
        self.assertEqual(self.items.support_partner_id, self.customer)
        self.assertFalse(self._open().expired_work)

    def test_new_item_of_nobody_is_marked(self):
        orphan = self.items[0]
        self.assertFalse(orphan.support_lacks_customer)
        self.company.sudo().support_validation = True
        orphan.invalidate_recordset()
        self.assertTrue(orphan.support_lacks_customer)
        orphan.support_partner_id = self.customer
        self.assertFalse(orphan.support_lacks_customer)

    def test_managers_only_and_no_other_company(self):
        technician = new_test_user(
            self.env(su=True), "activation_technician", "helpdesk_mgmt.group_helpdesk_user"
        )
        with self.assertRaises(AccessError):
            self.env["support.activation.wizard"].with_user(technician).create({})
        manager = new_test_user(
            self.env(su=True),
            "activation_manager",
            ",".join(MANAGER_GROUPS),
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        wizards = self.env["support.activation.wizard"].with_user(manager)
        foreign = wizards.sudo().create({"company_id": elsewhere.id}).with_user(manager)
        with self.assertRaises(UserError):
            foreign.action_deactivate()
        mine = Form(wizards).save()
        mine.action_assign_rest()
        mine.expired_work = "ignore"
        mine.action_activate()
        self.assertTrue(self.company.support_validation)

    def test_screens(self):
        items = self.env["maintenance.equipment"]
        for view_type in ("list", "kanban", "form", "search"):
            self.assertIn("support_partner_id", items.get_view(view_type=view_type)["arch"])
        self.assertIn("without_customer", items.get_view(view_type="search")["arch"])
        admin = self.env.ref("base.user_admin")
        settings = self.env["res.config.settings"].with_user(admin)
        self.assertIn('id="support_validation"', settings.get_view(view_type="form")["arch"])
