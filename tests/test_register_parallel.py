# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions: one decision, one notice, and a version for each change."""

import logging

from dateutil.relativedelta import relativedelta
from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import WORKERS, ParallelCase

_logger = logging.getLogger(__name__)


@tagged("post_install", "-at_install")
class TestRegisterParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        with self._environment() as env:
            kind = env["support.plan.kind"].create({"name": "Parallel register"})
            plan = env["support.plan"].create(
                {
                    "name": "Care",
                    "kind_id": kind.id,
                    "duration_months": 0,
                    "allowance_ids": [fields.Command.create({"unit": "time", "quantity": 3600})],
                }
            )
            contract = env["support.contract"].create(
                {"plan_id": plan.id, "partner_id": self.customer_id}
            )
            self.plan_id, self.kind_id, self.contract_id = plan.id, kind.id, contract.id

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            cr.execute(
                "DELETE FROM support_contract_change WHERE contract_id = %s", (self.contract_id,)
            )
            cr.execute(
                "DELETE FROM mail_activity WHERE res_model = 'support.contract' AND res_id = %s",
                (self.contract_id,),
            )
        super()._delete_all()
        with self._environment() as env:
            env["support.plan.kind"].browse(self.kind_id).unlink()

    @mute_logger("odoo.sql_db")
    def test_lost_by_all_at_once(self):
        def cancel(env):
            env["support.cancel.wizard"].create(
                {"contract_id": self.contract_id, "reason": "Too expensive"}
            ).action_cancel_contract()

        def work(_number):
            try:
                self._retry(cancel)
            except UserError as error:
                self.assertIn("terminate it", str(error))
                return "refused"
            return "done"

        self.assertEqual(self._run_parallel(work).count("done"), 1)
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual((contract.state, len(contract.change_ids)), ("cancelled", 1))

    @mute_logger("odoo.sql_db")
    def test_every_change_is_a_version(self):
        with self._environment() as env:
            env["support.contract"].browse(self.contract_id).action_confirm()

        def work(number):
            self._retry(
                lambda env: env["support.plan.allowance"].create(
                    {"contract_id": self.contract_id, "name": f"Nr. {number}", "quantity": 60}
                )
            )

        self._run_parallel(work)
        with self._environment() as env:
            versions = env["support.contract"].browse(self.contract_id).version_ids
            self.assertEqual(sorted(versions.mapped("number")), list(range(1, WORKERS + 2)))
            last = versions.sorted("number")[-1]
            for number in range(WORKERS):
                self.assertIn(f"Nr. {number}", last.terms)

    @mute_logger("odoo.sql_db")
    def test_a_notice_is_sent_once(self):
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            today = fields.Date.today()
            contract.write(
                {
                    "date_start": today - relativedelta(months=2),
                    "date_end": today + relativedelta(days=5),
                }
            )
            contract.action_confirm()

        def work(_number):
            try:
                self._retry(
                    lambda env: env["support.contract"].browse(self.contract_id)._send_notice()
                )
            except UniqueViolation:
                _logger.info("somebody else was faster")

        self._run_parallel(work, 4)
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(contract.notice_ids.mapped("days"), [7])
            self.assertEqual(len(contract.activity_ids), 1)
