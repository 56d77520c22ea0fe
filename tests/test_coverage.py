# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which contract covers a ticket: levels, their order, items, departments, batches (L13, L14)."""

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user

from odoo.addons.support_contract.models.support_coverage import COVERAGE_ORDERS, Request

from .common import MANAGER_GROUPS, SupportCommon

FEW, MANY = 5, 50
LEVELS = ("item", "customer", "unit")


class CoverageCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.env["support.plan.kind"].create({"name": "Coverage"})
        cls.department = cls.env["res.partner"].create(
            {"name": "Accounts department", "parent_id": cls.customer.id, "tz": "UTC"}
        )
        cls.contact = cls.env["res.partner"].create(
            {"name": "Ida", "parent_id": cls.department.id, "tz": "UTC"}
        )
        cls.item = cls._make_item("Laser printer", cls.department)

    @classmethod
    def _make_item(cls, name, partner=None, **vals):
        return cls.env["maintenance.equipment"].create(
            {"name": name, "support_partner_id": partner and partner.id} | vals
        )

    @classmethod
    def _cover(cls, level, start="2026-01-01", end=False, plan=None, **vals):
        """A contract for the item, its contact or the company above; of a kind of its own."""
        coverage = "item" if level == "item" else "holder"
        plan = plan or cls._make_plan(rates=[cls._rate("price", 70.0)], coverage=coverage)
        partner = {"item": cls.customer, "customer": cls.contact, "unit": cls.customer}[level]
        if level == "item":
            vals.setdefault("equipment_ids", [Command.set(cls.item.ids)])
        return cls._make_contract(plan, start, partner, date_end=end, **vals)

    @classmethod
    def _open(cls, **vals):
        return cls._make_ticket(
            opened="2026-01-20 09:00:00",
            **{"partner_id": cls.contact.id, "equipment_id": cls.item.id} | vals,
        )


@freeze_time("2026-01-20 12:00:00")
class TestCoverage(CoverageCommon):
    def test_default_order_takes_item_customer_unit_valid_then_pending(self):  # L14, ex. F1
        steps = [
            (level, self._cover(level, start))
            for start in ("2026-01-01", "2026-03-01")
            for level in LEVELS
        ]
        self.assertEqual([c.state for _l, c in steps], ["active"] * 3 + ["pending"] * 3)
        for _level, contract in steps:
            self.assertEqual(self._open().contract_id, contract)
            contract.apply_to_new_tickets = False
        self.assertFalse(self._open().contract_id)

    def test_every_order_tries_its_holders_in_turn(self):  # ex. F2
        contracts = {
            (level, state): self._cover(level, start)
            for state, start in (("valid", "2026-01-01"), ("pending", "2026-03-01"))
            for level in LEVELS
        }
        every = self.env["support.contract"].concat(*contracts.values())
        for order, _label in COVERAGE_ORDERS:
            self.company.sudo().support_coverage_order = order
            every.apply_to_new_tickets = True
            found = []
            for _step in contracts:
                contract = self._open().contract_id
                found.append(contract)
                contract.apply_to_new_tickets = False
            levels = order.split("_")
            wanted = [contracts[lv, state] for state in ("valid", "pending") for lv in levels]
            self.assertEqual(found, wanted, order)

    def test_item_contract_covers_tickets_about_its_items_only(self):
        contract = self._cover("item")
        other = self._make_item("Scanner", self.department)
        self.assertEqual(self._open().contract_id, contract)
        self.assertFalse(self._open(equipment_id=other.id).contract_id)
        self.assertFalse(self._open(equipment_id=False).contract_id)
        self.assertFalse(self._open(equipment_id=False, partner_id=self.customer.id).contract_id)

    def test_nearest_department_goes_first_and_no_other_company(self):
        group = self._make_customer("Lumen Group")
        self.customer.parent_id = group
        far = self._make_contract(partner=group)
        top = self._make_contract(partner=self.customer, priority=1)
        self.assertNotEqual(far.commercial_partner_id, self.customer)
        near = self._make_contract(partner=self.department)
        self.assertEqual(self._open().contract_id, near)
        near.apply_to_new_tickets = False
        self.assertEqual(self._open().contract_id, top)
        top.apply_to_new_tickets = False
        self.assertFalse(self._open().contract_id, "units and bills are the commercial partner's")

    def test_ties_go_to_priority_then_earliest_end_then_lowest_id(self):
        oldest = self._cover("customer", end="2026-12-31")
        self._cover("customer", end="2026-12-31")
        self.assertEqual(self._open().contract_id, oldest)
        sooner = self._cover("customer", end="2026-06-30")
        self.assertEqual(self._open().contract_id, sooner)
        preferred = self._cover("customer", priority=5)
        self.assertEqual(self._open().contract_id, preferred)

    def test_used_up_contract_is_not_valid(self):  # L50
        plan = self._make_plan(hours=1, overage_policy="block", coverage="item")
        contract = self._cover("item", plan=plan)
        fallback = self._cover("unit")
        ticket = self._open()
        self.assertEqual(ticket.contract_id, contract)
        self._log_work(ticket, "2026-01-20 09:00", 1)
        self.assertEqual(self._open().contract_id, fallback)

    def test_suspended_contract_does_not_cover(self):
        contract = self._cover("item")
        contract.action_suspend()
        self.assertFalse(self._open().contract_id)
        contract.action_resume()
        self.assertEqual(self._open().contract_id, contract)

    def test_another_item_covers_the_ticket_again_but_not_against_a_choice(self):  # Y16
        contract = self._cover("item")
        other = self._cover("customer")
        scanner = self._make_item("Scanner", self.department)
        ticket = self._open()
        self.assertEqual(ticket.contract_id, contract)
        ticket.equipment_id = scanner
        self.assertEqual(ticket.contract_id, other)
        ticket.equipment_id = self.item
        self.assertEqual(ticket.contract_id, contract)
        ticket.contract_id = other
        ticket.equipment_id = False
        ticket.equipment_id = self.item
        self.assertEqual(ticket.contract_id, other)

    def test_another_item_moves_work_that_is_not_billed(self):
        contract = self._cover("item")
        ticket = self._open(equipment_id=False)
        work = self._log_work(ticket, "2026-01-20 09:00", 1)
        self.assertFalse(work.support_contract_id)
        ticket.equipment_id = self.item
        self.assertEqual(work.support_contract_id, contract)
        self.assertEqual(self._get_charges(work), [("labour", 1, 70)])

    def test_another_item_leaves_a_ticket_of_an_ended_contract_alone(self):
        contract = self._cover("item", end="2026-01-25")
        ticket = self._open()
        with freeze_time("2026-02-10 12:00:00"):
            self._roll(contract)
            self.assertEqual(contract.state, "expired")
            self._cover("unit", start="2026-02-01")
            ticket.equipment_id = self._make_item("Scanner", self.department)
            self.assertEqual(ticket.contract_id, contract)

    def test_item_of_somebody_else_is_refused(self):
        stranger = self._make_customer("Stranger")
        foreign = self._make_item("Their printer", stranger)
        with self.assertRaisesRegex(ValidationError, "Their printer belongs to Stranger"):
            self._open(equipment_id=foreign.id)
        ticket = self._open()
        with self.assertRaisesRegex(ValidationError, "Laser printer belongs to"):
            ticket.partner_id = stranger

    def test_item_of_nobody_is_no_item_and_refused_once_validation_is_on(self):
        orphan = self._make_item("Orphan")
        contract = self._cover("unit")
        self.assertEqual(self._open(equipment_id=orphan.id).contract_id, contract)
        self.company.sudo().support_validation = True
        with self.assertRaisesRegex(ValidationError, "Orphan belongs to no customer"):
            self._open(equipment_id=orphan.id)

    def test_item_fills_the_customer(self):
        contract = self._cover("item")
        form = Form(self.env["helpdesk.ticket"])
        form.name = "Printer"
        form.description = "It burns"
        form.equipment_id = self.item
        self.assertEqual(form.partner_id, self.department)
        self.assertEqual(form.save().contract_id, contract)
        ticket = self._open(partner_id=False)
        self.assertEqual(ticket.partner_id, self.department)
        self.assertEqual(ticket.contract_id, contract)

    def test_item_contract_needs_items_of_its_customer(self):
        plan = self._make_plan(fee=10, coverage="item")
        contract = self._make_contract(plan, confirm=False)
        with self.assertRaisesRegex(UserError, "lists none"):
            contract.action_confirm()
        foreign = self._make_item("Their printer", self._make_customer("Stranger"))
        contract.equipment_ids = foreign
        with self.assertRaisesRegex(UserError, "Their printer belongs to Stranger"):
            contract.action_confirm()
        contract.equipment_ids = self.item
        contract.action_confirm()
        with self.assertRaisesRegex(ValidationError, "lists none"):
            contract.equipment_ids = False

    def test_item_that_has_moved_to_another_customer_is_not_covered(self):
        contract = self._cover("item")
        stranger = self._make_customer("Stranger")
        self.item.support_partner_id = stranger
        self.assertFalse(self._open(partner_id=stranger.id).contract_id)
        self.item.support_partner_id = self.department
        self.assertEqual(self._open().contract_id, contract)

    def test_batch_takes_as_many_queries_for_many_as_for_few(self):
        partners, items = self.env["res.partner"], self.env["maintenance.equipment"]
        plans = {level: self._make_plan(fee=1, coverage=level) for level in ("item", "holder")}
        for index in range(MANY):
            top = self._make_customer(f"Customer{index}")
            middle = partners.create({"name": f"Department {index}", "parent_id": top.id})
            contact = partners.create({"name": f"Contact {index}", "parent_id": middle.id})
            item = self._make_item(f"Item {index}", middle)
            partners += contact
            items += item
            if index % 3 == 0:
                self._make_contract(
                    plans["item"], partner=top, equipment_ids=[Command.set(item.ids)]
                )
            if index % 3 == 1:
                self._make_contract(plans["holder"], partner=(top, middle, contact)[index % 2])

        def count(number):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            requests = []
            for partner, item in zip(partners[:number], items[:number], strict=True):
                requests.append(Request(partner, self.company, fields.Datetime.now(), item))
            found = self.env["support.coverage"]._find(requests)
            self.assertGreater(sum(bool(contract) for contract in found.values()), number // 3)
            return self.env.cr.sql_log_count - before

        count(FEW)  # fills Odoo's caches
        self.assertEqual(count(FEW), count(MANY))


@freeze_time("2026-01-20 12:00:00")
class TestItemAccess(CoverageCommon):
    def test_staff_see_items_of_customers_and_managers_give_them(self):
        technician = new_test_user(
            self.env(su=True), "item_technician", "helpdesk_mgmt.group_helpdesk_user"
        )
        manager = new_test_user(self.env(su=True), "item_manager", ",".join(MANAGER_GROUPS))
        orphan = self._make_item("Orphan")
        items = self.env["maintenance.equipment"].with_user(technician)
        found = items.search([("id", "in", (self.item + orphan).ids)])
        self.assertEqual(found, self.item)
        with self.assertRaises(UserError):
            found.support_partner_id = self.customer
        orphan.with_user(manager).support_partner_id = self.customer
        self.assertEqual(orphan.support_partner_id, self.customer)
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        foreign = self._make_item("Foreign", self.customer, company_id=other.id)
        self.assertNotIn(foreign, items.search([]))
