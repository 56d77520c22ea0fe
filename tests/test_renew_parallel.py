# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Two people who renew the same contract at the same moment: one does, the other hears it."""

from collections import Counter
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import ParallelCase


@tagged("post_install", "-at_install")
class TestRenewParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        today = fields.Date.today()
        with self._environment() as env:
            product = env["product.product"].create({"name": "Parallel fee", "type": "service"})
            plan = env["support.plan"].create(
                {
                    "name": "Parallel plan",
                    "line_ids": [Command.create({"product_id": product.id, "price_unit": 10})],
                }
            )
            self.plan_id = plan.id
            contract = env["support.contract"].create(
                {
                    "plan_id": plan.id,
                    "partner_id": self.customer_id,
                    "date_start": today - timedelta(days=30),
                    "date_end": today + timedelta(days=30),
                }
            )
            contract.action_confirm()
            self.contract_id = contract.id

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            cr.execute(
                """
                DELETE FROM support_contract_change WHERE contract_id IN (
                       SELECT id FROM support_contract WHERE commercial_partner_id = %(partner)s);
                UPDATE support_contract SET renews_id = NULL
                 WHERE commercial_partner_id = %(partner)s;
                """,
                {"partner": self.customer_id},
            )
        super()._delete_all()

    @mute_logger("odoo.sql_db")
    def test_one_renews(self):
        def work(number):
            def renew(env):
                wizard = env["support.renew.wizard"].create(
                    {"contract_id": self.contract_id, "reason": f"Number {number}"}
                )
                wizard.action_renew()

            try:
                self._retry(renew)
            except UserError as error:
                self.assertIn("renewed already", str(error))
                return "refused"
            return "renewed"

        self.assertEqual(Counter(self._run_parallel(work, 4)), {"renewed": 1, "refused": 3})
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(len(contract.renewal_ids), 1)
            self.assertEqual(len(contract.change_ids), 1)
