# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The same contract for other customers (Y19)."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user

from .common import SupportCommon


@freeze_time("2026-11-10 12:00:00")
class TestClone(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(
            name="Gold", fee=100, hours=2, duration_months=12, rates=[cls._rate("price", 70.0)]
        )
        cls.others = cls._make_customer("Ampere Ltd", tz="Asia/Tokyo") | cls._make_customer(
            "Bell Ltd"
        )

    def _open(self, source, partners=None, **vals):
        wizard = self.env["support.clone.wizard"].with_context(
            active_model=source._name, active_ids=source.ids
        )
        partners = self.others if partners is None else partners
        return wizard.create(
            {
                "partner_ids": [Command.set(partners.ids)],
                "date_start": "2027-02-01",
                "reason": "New branches",
            }
            | vals
        )

    def _clone(self, source, partners=None, **vals):
        wizard = self._open(source, partners, **vals)
        wizard.action_clone()
        return wizard.result_ids.sorted("id")

    def _make_template(self):
        """A template: with products that come, change and go during the year."""
        return self._make_contract(
            self.plan,
            "2026-01-01",
            confirm=False,
            title="Gold with extras",
            client_order_ref="PO-1",
            overage_policy="block",
            rate_ids=[self._rate("price", 60.0)],
            line_ids=[
                self._line(
                    100,
                    change_ids=[
                        Command.create({"date": "2026-07-01", "quantity": 2, "price_unit": 90})
                    ],
                ),
                self._line(10, date_start="2026-03-15", date_end="2026-08-31"),
            ],
        )

    def test_from_a_contract_to_many_customers_dates_moved(self):
        source = self._make_template()
        ampere, bell = self._clone(source)
        self.assertEqual((ampere | bell).partner_id, self.others)
        self.assertEqual(ampere.mapped("state"), ["draft"])
        self.assertEqual(
            (str(ampere.date_start), str(ampere.date_end)), ("2027-02-01", "2028-01-31")
        )
        self.assertEqual((ampere.tz, bell.tz), ("Asia/Tokyo", "UTC"))
        self.assertEqual(ampere.partner_invoice_id, ampere.partner_id)
        self.assertFalse(ampere.client_order_ref or ampere.renews_id)
        self.assertEqual((ampere.title, ampere.overage_policy), ("Gold with extras", "block"))
        self.assertEqual(ampere.rate_ids.price, 60)
        self.assertEqual(ampere.allowance_ids.quantity, 7200)
        fee, extra = ampere.line_ids
        self.assertEqual(
            [(str(c.date), c.quantity, c.price_unit) for c in fee.change_ids],
            [("2027-08-01", 2, 90)],
        )
        self.assertEqual((str(extra.date_start), str(extra.date_end)), ("2027-04-15", "2027-09-30"))
        self.assertEqual(len(source.line_ids.change_ids), 1)

    def test_history_tells_both_sides(self):
        source = self._make_template()
        ampere, bell = self._clone(source)
        self.assertEqual(source.change_ids.kind, "clone")
        for contract in ampere + bell:
            self.assertIn(contract.name, source.change_ids.summary)
            self.assertIn(source.name, contract.change_ids.summary)
            self.assertEqual(contract.change_ids.reason, "New branches")

    def test_from_a_plan_confirmed_at_once(self):
        contracts = self._clone(self.plan, date_start="2026-11-01", confirm=True, title="Gold 2026")
        self.assertEqual(set(contracts.mapped("state")), {"active"})
        self.assertEqual(set(contracts.mapped("title")), {"Gold 2026"})
        self.assertEqual([str(c.date_end) for c in contracts], ["2027-10-31"] * 2)
        self.assertEqual(contracts.line_ids.mapped("price_unit"), [100, 100])
        self.assertEqual(contracts.mapped("time_left"), [2, 2])
        self.assertProved(contracts)

    def test_preview(self):
        wizard = self._open(self._make_template())
        for text in ("Ampere Ltd", "Bell Ltd", "02/01/2027", "01/31/2028", "110.00"):
            self.assertIn(text, wizard.preview)
        self.assertFalse(self.others.support_contract_ids)

    def test_without_end(self):
        source = self._make_contract(self.plan, confirm=False, date_end=False)
        self.assertFalse(self._clone(source, self.others[0]).date_end)

    def test_documents_only_if_asked_for(self):
        source = self._make_template()
        attachments = self.env["ir.attachment"]
        attachments.create(
            {"name": "terms.pdf", "res_model": source._name, "res_id": source.id, "raw": b"%PDF"}
        )
        without = self._clone(source)
        with_it = self._clone(source, copy_documents=True)
        for contracts, count in ((without, 0), (with_it, 2)):
            domain = [("res_model", "=", source._name), ("res_id", "in", contracts.ids)]
            self.assertEqual(attachments.search_count(domain), count)

    def test_all_or_none(self):
        for name in ("Ampere", "Bell"):
            partner = self.others.filtered(lambda p, name=name: name in p.name)
            self._make_contract(self.plan, "2027-01-01", partner, date_end="2027-12-31")
        free = self._make_customer("Curie Ltd")
        before = self.env["support.contract"].search_count([])
        wizard = self._open(self.plan, free | self.others, confirm=True)
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            wizard.action_clone()
        message = caught.exception.args[0]
        self.assertIn("No contract was made", message)
        self.assertIn("Ampere Ltd:", message)
        self.assertIn("Bell Ltd:", message)
        self.assertNotIn("Curie Ltd:", message)
        self.assertEqual(self.env["support.contract"].search_count([]), before)

    def test_the_same_request_counts_once(self):  # T28
        for source in (self._make_template(), self.plan):
            wizard = self._open(source)
            first = wizard.action_clone()
            before = self.env["support.contract"].search_count([])
            self.assertEqual(wizard.action_clone(), first)
            self.assertEqual(self.env["support.contract"].search_count([]), before)

    def test_bad_input(self):
        with self.assertRaisesRegex(UserError, "at least one customer"):
            self._open(self.plan, self.others.browse()).action_clone()
        two = self._make_template() + self._make_template()
        with self.assertRaisesRegex(UserError, "Choose one contract"):
            self._open(two)
        with self.assertRaisesRegex(UserError, "Open a contract or a plan"):
            self._open(self.env["res.partner"]).action_clone()
        request = self._make_contract(self._make_plan(fee=10, coverage="request"), confirm=False)
        with self.assertRaisesRegex(UserError, "made from their tickets"):
            self._open(request).action_clone()

    def test_managers_only(self):
        user = new_test_user(self.env(su=True), "clone_user", "support_contract.group_support_user")
        with self.assertRaises(AccessError):
            self.env["support.clone.wizard"].with_user(user).create(
                {"plan_id": self.plan.id, "reason": "Mine"}
            )
