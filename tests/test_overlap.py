# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""One contract at a time per holder, plan kind and scope; the next one queues (L23, C26)."""

from contextlib import contextmanager

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time

from .common import SupportCommon

FEW, MANY = 5, 50


@freeze_time("2026-01-20 12:00:00")
class TestOverlap(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.env["support.plan.kind"].create({"name": "Desk"})
        cls.plan = cls._make_plan(fee=10, kind_id=cls.kind.id)
        cls.item_plan = cls._make_plan(fee=10, kind_id=cls.kind.id, coverage="item")
        cls.items = cls.env["maintenance.equipment"].create(
            [{"name": f"Item {n}", "support_partner_id": cls.customer.id} for n in range(3)]
        )

    @contextmanager
    def assertRefused(self, reason="overlap"):
        with self.assertRaises(ValidationError) as caught:  # undoes what was refused
            yield
        self.assertIn(reason, str(caught.exception))

    def _draft(self, start, end=False, plan=None, **vals):
        plan = plan or self.plan
        return self._make_contract(plan, start, confirm=False, date_end=end, **vals)

    def test_overlap_is_refused_and_both_are_named(self):
        first = self._draft("2026-01-01", "2026-06-30")
        first.action_confirm()
        second = self._draft("2026-06-30", "2026-12-31")
        with self.assertRaises(ValidationError) as caught:
            second.action_confirm()
        text = str(caught.exception)
        for part in (first.name, second.name, "01/01/2026", "06/30/2026", "07/01/2026", "Desk"):
            self.assertIn(part, text)

    def test_next_one_queues_behind_the_end(self):
        first = self._draft("2026-01-01", "2026-06-30")
        first.action_confirm()
        second = self._draft("2026-07-01")
        second.action_confirm()
        self.assertEqual(second.state, "pending")
        third = self._draft("2027-01-01")
        with self.assertRefused("End the first one"):
            third.action_confirm()

    def test_without_end_nothing_follows(self):
        self._draft("2026-01-01").action_confirm()
        with self.assertRefused("no end"):
            self._draft("2030-01-01").action_confirm()

    def test_another_kind_holder_company_or_scope_is_free(self):
        self._draft("2026-01-01").action_confirm()
        self._draft("2026-01-01", plan=self._make_plan(fee=10)).action_confirm()
        department = self.env["res.partner"].create(
            {"name": "Department", "parent_id": self.customer.id}
        )
        self._draft("2026-01-01", partner=department).action_confirm()
        self._draft(
            "2026-01-01", plan=self.item_plan, equipment_ids=[Command.set(self.items[:2].ids)]
        ).action_confirm()
        self._draft(
            "2026-01-01", plan=self.item_plan, equipment_ids=[Command.set(self.items[2].ids)]
        ).action_confirm()

    def test_plans_without_kind_are_of_one_kind(self):
        plans = [self._make_plan(fee=10, kind_id=False) for _index in range(2)]
        self._draft("2026-01-01", plan=plans[0]).action_confirm()
        with self.assertRefused("no kind"):
            self._draft("2026-01-01", plan=plans[1]).action_confirm()

    def test_one_item_has_one_contract(self):
        first = self._draft(
            "2026-01-01", plan=self.item_plan, equipment_ids=[Command.set(self.items[:2].ids)]
        )
        first.action_confirm()
        second = self._draft(
            "2026-01-01", plan=self.item_plan, equipment_ids=[Command.set(self.items[1:].ids)]
        )
        with self.assertRefused():
            second.action_confirm()
        second.equipment_ids = self.items[2]
        second.action_confirm()
        with self.assertRefused():
            second.equipment_ids += self.items[0]

    def test_two_confirmed_together_are_refused(self):
        both = self._draft("2026-01-01") + self._draft("2026-02-01")
        with self.assertRefused():
            both.action_confirm()

    def test_dates_partner_and_kind_of_an_agreed_contract_are_checked(self):
        first = self._draft("2026-01-01", "2026-06-30")
        second = self._draft("2026-07-01")
        (first + second).action_confirm()
        with self.assertRefused():
            first.date_end = "2026-07-01"
        with self.assertRefused():
            second.date_start = "2026-06-30"
        other = self._draft("2026-07-01", partner=self._make_customer("Other"))
        other.action_confirm()
        with self.assertRefused():
            other.partner_id = self.customer
        stranger = self._make_plan(fee=10)
        self._draft("2026-01-01", plan=stranger).action_confirm()
        with self.assertRefused():
            stranger.kind_id = self.kind

    def test_suspended_keeps_its_days_and_expired_gives_them_up(self):
        first = self._draft("2026-01-01", "2026-06-30")
        first.action_confirm()
        first.action_suspend()
        second = self._draft("2026-06-01")
        with self.assertRefused():
            second.action_confirm()
        first._set_state("expired")
        second.action_confirm()
        with self.assertRefused():
            first.action_resume()

    def test_archived_contract_counts(self):
        first = self._draft("2026-01-01")
        first.action_confirm()
        first.active = False
        with self.assertRefused():
            self._draft("2026-02-01").action_confirm()

    def test_form_proposes_the_day_after(self):
        self._draft("2026-01-01", "2026-06-30").action_confirm()
        with self.assertLogs("odoo.tests.form.onchange", "WARNING"):
            form = Form(self.env["support.contract"])
            form.plan_id = self.plan
            form.partner_id = self.customer
            self.assertEqual(str(form.date_start), "2026-07-01")
            contract = form.save()
        contract.action_confirm()
        self.assertEqual(contract.state, "pending")

    def test_batch_takes_as_many_queries_for_many_as_for_few(self):
        def count(number):
            customers = [self._make_customer(f"Customer{n}") for n in range(number)]
            drafts = self.env["support.contract"].concat(
                *(self._draft("2026-03-01", partner=customer) for customer in customers)
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            drafts._get_overlaps()
            return self.env.cr.sql_log_count - before

        count(FEW)
        self.assertEqual(count(FEW), count(MANY))

    def test_merge_of_partners_with_overlapping_contracts_is_refused(self):
        twin = self._make_customer("Lumen Ltd")
        first = self._draft("2026-01-01", "2026-06-30")
        second = self._draft("2026-06-01", partner=twin)
        (first + second).action_confirm()
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        with self.assertRaises(UserError) as caught:
            wizard._merge((self.customer + twin).ids, self.customer)
        self.assertIn(first.name, str(caught.exception))
        self.assertIn(second.name, str(caught.exception))
        self.assertTrue(twin.exists())
        second.action_cancel()
        third = self._draft("2026-07-01", partner=twin)
        third.action_confirm()
        wizard._merge((self.customer + twin).ids, self.customer)
        self.assertEqual(third.partner_id, self.customer)
        self.assertEqual(third.commercial_partner_id, self.customer)
