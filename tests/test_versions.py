# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Versions of the commercial terms: each change after the signature is kept (Y18)."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user
from odoo.tools import mute_logger

from .common import SupportCommon


@freeze_time("2026-01-20 12:00:00")
class TestVersions(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(hours=5, fee=100, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(cls.plan)
        cls._commit()

    @classmethod
    def _commit(cls):
        """What happens before a transaction is committed."""
        cls.env.flush_all()
        cls.cr.precommit.run()
        cls.env.flush_all()

    def _get_last(self, contract=None):
        self._commit()
        return (contract or self.contract).version_ids.sorted("number")[-1:]

    def test_the_first_version_is_what_was_signed(self):
        version = self._get_last()
        self.assertEqual((version.number, version.user_id), (1, self.env.user))
        self.assertIn("1 × $\N{NO-BREAK SPACE}100.00", version.terms)
        self.assertIn("5:00 h each term", version.terms)
        self.assertIn("70.00", version.terms)  # of the plan
        self.assertFalse(version.comparison)

    def test_a_draft_has_none(self):
        draft = self._make_contract(self.plan, partner=self._make_customer("B"), confirm=False)
        draft.date_end = "2026-12-31"
        self.assertFalse(self._get_last(draft))
        draft.action_confirm()
        self.assertEqual(self._get_last(draft).number, 1)

    def test_many_changes_of_a_transaction_are_one_version(self):
        self.contract.overage_policy = "block"
        self.contract.line_ids.price_unit = 120
        self.contract.allowance_ids.hours = 8
        self.contract.date_end = "2026-12-31"
        version = self._get_last()
        self.assertEqual(version.number, 2)
        self.assertEqual(
            version.summary.split("\n"),
            [
                "End: – → 12/31/2026",
                "Overage Policy: Charge: what exceeds is billed by the rates → "
                "Block: work that exceeds is refused",
                "Support fee: changed",
                "Prepaid time: 5:00 h each term → 8:00 h each term",
            ],
        )
        self.assertIn("<del>1 × $\N{NO-BREAK SPACE}100.00</del>", version.comparison)
        self.assertIn("<strong>1 × $\N{NO-BREAK SPACE}120.00</strong>", version.comparison)

    def test_nothing_changed_no_version(self):
        self.contract.overage_policy = "block"
        self.contract.overage_policy = "charge"
        self.contract.write({"title": self.contract.title, "user_id": False})
        self.contract.line_ids.quantity = 1
        self.contract.action_suspend()
        self.contract.action_resume()
        self.assertEqual(self._get_last().number, 1)

    def test_rows_added_dated_and_removed(self):
        self.contract.rate_ids = [self._rate("multiplier", 1.5, name="Night")]
        self.assertEqual(self._get_last().summary, "Night: changed")
        change = self.env["support.contract.line.change"].create(
            {"line_id": self.contract.line_ids.id, "date": "2026-03-01", "quantity": 4}
        )
        self.assertIn("from 03/01/2026 on 4 ×", self._get_last().comparison)
        change.unlink()
        self.assertEqual(self._get_last().number, 4)
        self.contract.allowance_ids.unlink()
        version = self._get_last()
        self.assertEqual(version.summary, "Prepaid time: 5:00 h each term → –")
        self.assertEqual(version.number, 5)

    def test_the_rates_of_the_plan_are_terms_of_its_contracts(self):
        other = self._make_contract(self.plan, partner=self._make_customer("Other Ltd"))
        self._commit()
        self.plan.rate_ids.price = 75
        self.assertEqual(self._get_last().number, 2)
        self.assertIn("75.00", self._get_last(other).comparison)
        self.plan.line_ids.price_unit = 999  # of new contracts only
        self.assertEqual(self._get_last().number, 2)

    def test_own_rate_instead_of_the_plans_is_told_once(self):
        self.contract.rate_ids = [self._rate("price", 65.0)]
        version = self._get_last()
        self.assertEqual((version.number, version.summary), (2, "All work: changed"))
        self.assertEqual(len(version.changes), 2)

    def test_bill_rules_are_terms(self):
        rule = self.env["support.bill.rule"].create(
            {
                "plan_id": self.plan.id,
                "name": "Emergency",
                "amount": 55,
                "criterion_ids": [Command.create({"fact": "team", "team_ids": self.team.ids})],
            }
        )
        version = self._get_last()
        self.assertEqual((version.number, version.summary), (2, "Emergency: changed"))
        rule.criterion_ids.operator = "is_not"
        self.assertIn("is none of Service Desk", self._get_last().comparison)
        rule.write({"cost": "differential", "rate_ids": [self._rate("price", 88.0)]})
        self.assertIn("88.00", self._get_last().comparison)
        rule.active = False
        self.assertEqual(self._get_last().number, 5)

    def test_the_chatter_tells_no_prices(self):
        self.contract.line_ids.price_unit = 123.45
        self.contract.proration = "none"
        version = self._get_last()
        message = self.contract.message_ids.filtered(lambda m: "Terms changed" in (m.body or ""))
        self.assertIn("Support fee: changed", message.body)
        self.assertIn("None: every started term in full", message.body)
        self.assertNotIn("123.45", message.body + version.summary)

    def test_tracked_fields_are_told_once(self):
        self.contract.overage_policy = "block"
        self.assertEqual(self._get_last().number, 2)
        self.assertFalse(
            self.contract.message_ids.filtered(lambda m: "Terms changed" in (m.body or ""))
        )

    @mute_logger("odoo.sql_db")
    def test_versions_are_never_edited(self):
        version = self._get_last()
        with self.assertRaisesRegex(UserError, "never edited"):
            version.sudo().summary = "Nothing"
        with self.assertRaisesRegex(UserError, "are kept"):
            version.sudo().unlink()
        vals = {"contract_id": self.contract.id, "number": 1}
        with self.assertRaises(AccessError):
            version.create(vals)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            version.sudo().create(vals)

    def test_staff_see_that_prices_changed_but_not_which(self):
        self.contract.line_ids.price_unit = 120
        version = self._get_last()
        staff = new_test_user(
            self.env(su=True),
            "support_staff",
            "support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        seen = version.with_user(staff)
        self.assertEqual(seen.summary, "Support fee: changed")
        for name in ("snapshot", "changes", "comparison", "terms"):
            with self.assertRaises(AccessError, msg=name):
                seen.read([name])
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        foreign = new_test_user(
            self.env(su=True),
            "foreign",
            "support_contract.group_support_user",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        with self.assertRaises(AccessError):
            version.with_user(foreign).read(["summary"])

    def test_a_term_that_names_code_is_escaped(self):
        self.contract.title = "<script>alert(1)</script>"
        self.assertNotIn("<script>", self._get_last().comparison)

    def test_many_contracts_cost_no_query_each(self):
        counts = []
        for count in (2, 3, 20):  # the first one fills caches
            contracts = self.env["support.contract"].union(
                *(
                    self._make_contract(self.plan, partner=self._make_customer(f"C {count} {n}"))
                    for n in range(count)
                )
            )
            self._commit()
            contracts.proration = "none"
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            contracts._make_versions()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - start)
            self.assertEqual(contracts.version_ids.mapped("number").count(2), count)
        self.assertEqual(counts[1], counts[2])
