# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions: a top-up that is sent by all at once counts once (T28)."""

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import HOUR
from .test_parallel import ParallelCase


@tagged("post_install", "-at_install")
class TestTopUpParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        with self._environment() as env:
            today = fields.Date.today()
            kind = env["support.plan.kind"].create({"name": "Parallel top-ups"})
            plan = env["support.plan"].create(
                {
                    "name": "Prepaid",
                    "kind_id": kind.id,
                    "billing_mode": "advance",
                    "duration_months": 0,
                    "allowance_ids": [
                        fields.Command.create({"unit": "time", "quantity": 10 * HOUR})
                    ],
                }
            )
            contract = env["support.contract"].create(
                {
                    "plan_id": plan.id,
                    "partner_id": self.customer_id,
                    "date_start": today - relativedelta(day=1),
                }
            )
            contract.action_confirm()
            self.plan_id, self.kind_id, self.contract_id = plan.id, kind.id, contract.id

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            cr.execute(
                """
                UPDATE support_entitlement SET charge_id = NULL WHERE partner_id = %(partner)s;
                UPDATE support_charge SET change_id = NULL WHERE partner_id = %(partner)s;
                DELETE FROM support_contract_change WHERE contract_id = %(contract)s;
                DELETE FROM mail_message WHERE model = 'support.bill' AND res_id IN (
                    SELECT id FROM support_bill WHERE partner_id = %(partner)s);
                """,
                {"partner": self.customer_id, "contract": self.contract_id},
            )
        super()._delete_all()
        with self._environment() as env:
            env["support.plan.kind"].browse(self.kind_id).unlink()

    def _make_wizard(self, env, **vals):
        return env["support.top.up.wizard"].create(
            {
                "contract_id": self.contract_id,
                "source": "units",
                "hours": 100,
                "price_unit": 1000.0,
                "reason": "Asked for on the phone",
            }
            | vals
        )

    def _assert_topped_up_once(self):
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(contract.time_left, 110.0)  # ex. C28
            self.assertEqual(len(contract.change_ids), 1)
            self.assertEqual(contract.bill_ids.mapped("amount_untaxed"), [1000.0])
            self.assertFalse(env["support.discrepancy"]._prove(contract))

    @mute_logger("odoo.sql_db")
    def test_same_request_sent_by_all(self):  # T28, ex. C28
        with self._environment() as env:
            wizard_id = self._make_wizard(env).id

        def work(_number):
            self._retry(lambda env: env["support.top.up.wizard"].browse(wizard_id).action_top_up())

        self._run_parallel(work)
        self._assert_topped_up_once()

    @mute_logger("odoo.sql_db")
    def test_taken_back_by_all(self):
        with self._environment() as env:
            self._make_wizard(env, billing="term").action_top_up()
            change_id = env["support.contract"].browse(self.contract_id).change_ids.id

        def take_back(env):
            env["support.top.up.undo"].create(
                {
                    "contract_id": self.contract_id,
                    "change_id": change_id,
                    "reason": "The wrong contract",
                }
            ).action_take_back()

        def work(_number):
            try:
                self._retry(take_back)
            except UserError as error:
                self.assertIn("already", str(error))
                return "refused"
            except psycopg2.errors.UniqueViolation:
                return "refused"
            return "done"

        outcomes = self._run_parallel(work)
        self.assertEqual(outcomes.count("done"), 1)
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(contract.time_left, 10.0)
            self.assertEqual(contract.charge_ids.mapped("state"), ["cancelled"])
