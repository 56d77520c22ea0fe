# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions: a version of a bill is made main once."""

from collections import Counter

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import ParallelCase


@tagged("post_install", "-at_install")
class TestBillVersionsParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        contract_id = self._make_contract()
        with self._environment() as env:
            contract = env["support.contract"].browse(contract_id)
            bill = env["support.bill"]._generate(contract, fields.Date.today())[-1]
            contract.line_ids.price_unit = 120.0
            self.bill_id = bill.id

    def _make_contract(self):
        with self._environment() as env:
            product = env["product.product"].create({"name": "Parallel fee", "type": "service"})
            kind = env["support.plan.kind"].create({"name": "Parallel versions"})
            plan = env["support.plan"].create(
                {
                    "name": "Parallel plan",
                    "kind_id": kind.id,
                    "duration_months": 0,
                    "line_ids": [
                        fields.Command.create({"product_id": product.id, "price_unit": 100.0})
                    ],
                }
            )
            contract = env["support.contract"].create(
                {
                    "plan_id": plan.id,
                    "partner_id": self.customer_id,
                    "date_start": fields.Date.subtract(fields.Date.today(), months=2, days=1),
                }
            )
            contract.action_confirm()
            self.plan_id, self.kind_id, self.contract_id = plan.id, kind.id, contract.id
            return contract.id

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            cr.execute(
                """
                UPDATE support_bill SET replaces_id = NULL, replaced_by_id = NULL
                 WHERE partner_id = %(partner)s;
                DELETE FROM support_contract_change WHERE contract_id = %(contract)s;
                DELETE FROM mail_message WHERE model = 'support.bill' AND res_id IN (
                    SELECT id FROM support_bill WHERE partner_id = %(partner)s);
                """,
                {"partner": self.customer_id, "contract": self.contract_id},
            )
        super()._delete_all()
        with self._environment() as env:
            env["support.plan.kind"].browse(self.kind_id).unlink()

    def _race(self, method, record_id):
        def work(_number):
            try:
                self._retry(lambda env: getattr(env["support.bill"].browse(record_id), method)())
            except UserError as error:
                return str(error)
            return "done"

        return Counter(self._run_parallel(work, 2))

    @mute_logger("odoo.sql_db")
    def test_two_who_regenerate_share_one_proposal(self):
        self.assertEqual(self._race("action_regenerate", self.bill_id), {"done": 2})
        with self._environment() as env:
            bill = env["support.bill"].browse(self.bill_id)
            self.assertEqual(len(bill.next_version_ids), 1)
            self.assertEqual(bill.proposal_id.amount_difference, 20)

    @mute_logger("odoo.sql_db")
    def test_of_two_who_make_it_main_one_does(self):
        with self._environment() as env:
            version_id = env["support.bill"].browse(self.bill_id).action_regenerate()["res_id"]
        outcomes = self._race("action_make_main", version_id)
        self.assertEqual(outcomes.pop("done"), 1)
        [refusal] = outcomes
        self.assertIn("isn't a proposed version", refusal)
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(
                sorted(contract.bill_ids.filtered("is_main").mapped("amount_untaxed")), [100, 120]
            )
            self.assertEqual(sum(contract.charge_ids.mapped("amount")), 220)
            self.assertFalse(env["support.discrepancy"]._prove(contract))
