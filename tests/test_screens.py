# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What people do on the screens: enter hours, grant and adjust units, put parts on tickets."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, freeze_time, new_test_user

from .common import SupportCommon


@freeze_time("2026-01-20 12:00:00")
class TestScreens(SupportCommon):
    def _adjust(self, grant, direction, hours):
        wizard = Form(
            self.env["support.adjust.wizard"].with_context(default_entitlement_id=grant.id)
        )
        wizard.direction = direction
        wizard.hours = hours
        wizard.reason = "Counted twice"
        wizard.save().action_adjust()

    def test_allowances_are_entered_in_hours(self):
        plan = Form(self.env["support.plan"])
        plan.name = "Gold"
        with plan.allowance_ids.new() as allowance:
            allowance.hours = 5.5
        with plan.allowance_ids.new() as allowance:
            allowance.unit = "incident"
            self.assertEqual(allowance.quantity, 1)
            allowance.quantity = 3
        plan = plan.save()
        self.assertEqual(plan.allowance_ids.mapped("quantity"), [19800, 3])
        self.assertEqual(plan.allowance_summary, "5:30 h each term, 3 incidents each term")

    def test_grant_wizard(self):
        contact = self.env["res.partner"].create({"name": "Ida", "parent_id": self.customer.id})
        wizard = Form(self.env["support.grant.wizard"])
        wizard.partner_id = contact
        wizard.unit = "time"
        wizard.hours = 2.5
        wizard.reason = "Goodwill"
        action = wizard.save().action_grant()
        grant = self.env["support.entitlement"].browse(action["res_id"])
        self.assertRecordValues(
            grant,
            [{"partner_id": self.customer.id, "remaining": 9000, "made_at": fields.Datetime.now()}],
        )
        self.assertEqual(grant.entry_ids.mapped("reason"), ["Goodwill"])

    def test_adjustment_rates_unbilled_work_again(self):
        contract = self._make_contract(self._make_plan(hours=1))
        work = self._log_work(self._make_ticket(contract), "2026-01-05 09:00", 3)
        self.assertEqual(self._get_charges(work), [("covered", 1, 0), ("overage", 2, 140)])
        self._adjust(contract.entitlement_ids, "add", 1.5)
        self.assertEqual(self._get_charges(work), [("covered", 2.5, 0), ("overage", 0.5, 35)])
        self.assertProved(contract)

    def test_adjustment_takes_no_used_units_away(self):
        contract = self._make_contract(self._make_plan(hours=4))
        self._log_work(self._make_ticket(contract), "2026-01-05 09:00", 3)
        with self.assertRaisesRegex(UserError, "has 1:00 h left; 2:00 h can't be taken away"):
            self._adjust(contract.entitlement_ids, "remove", 2)
        self._adjust(contract.entitlement_ids, "remove", 1)
        self.assertEqual(contract.entitlement_ids.remaining, 0)
        self.assertProved(contract)

    def test_technician_puts_parts_on_a_ticket_without_seeing_prices(self):
        technician = new_test_user(
            self.env(su=True), "technician", "helpdesk_mgmt.group_helpdesk_user"
        )
        ticket = self._make_ticket(self._make_contract())
        wizard = Form(
            self.env["support.part.wizard"]
            .with_user(technician)
            .with_context(default_ticket_id=ticket.id)
        )
        wizard.product_id = self.fee_product
        wizard.quantity = 2
        wizard.save().action_add()
        self.assertEqual(ticket.charge_ids.amount, 200.0)
        seen = ticket.with_user(technician)
        self.assertEqual(seen.parts_label, "2 × Support fee")
        self.assertNotIn("charge_ids", seen.fields_get())

    def test_consumption_by_term(self):
        contract = self._make_contract(self._make_plan(hours=5), start="2025-12-01")
        ticket = self._make_ticket(contract, opened="2025-12-03 09:00:00")
        self._log_work(ticket, "2025-12-03 09:00", 2)
        self._log_work(ticket, "2026-01-05 09:00", 6)
        self.env.flush_all()
        rows = self.env["support.term.report"].search([("contract_id", "=", contract.id)])
        self.assertEqual(
            [(str(row.date_start), row.what, row.hours) for row in rows],
            [
                ("2025-12-01", "1_used", 2),
                ("2025-12-01", "3_lapsed", 3),
                ("2026-01-01", "1_used", 5),
                ("2026-01-01", "2_beyond", 1),
            ],
        )
