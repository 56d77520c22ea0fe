# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Two people who decide about the same contract at the same moment."""

from collections import Counter

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import ParallelCase


@tagged("post_install", "-at_install")
class TestTerminateParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        with self._environment() as env:
            product = env["product.product"].create({"name": "Fee", "type": "service"})
            kind = env["support.plan.kind"].create({"name": "Parallel"})
            plan = env["support.plan"].create(
                {
                    "name": "Parallel",
                    "kind_id": kind.id,
                    "duration_months": 0,
                    "line_ids": [Command.create({"product_id": product.id, "price_unit": 30})],
                }
            )
            self.plan_id, self.kind_id = plan.id, kind.id
            contract = env["support.contract"].create(
                {"plan_id": plan.id, "partner_id": self.customer_id, "date_start": "2026-01-01"}
            )
            contract.action_confirm()
            self.contract_id = contract.id

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            contract = {"contract": self.contract_id}
            cr.execute(
                "UPDATE support_charge SET termination_id = NULL WHERE contract_id = %(contract)s",
                contract,
            )
            cr.execute(
                "UPDATE support_bill SET termination_id = NULL WHERE contract_id = %(contract)s",
                contract,
            )
            for table in (
                "support_contract_termination",
                "support_contract_change",
            ):
                cr.execute(f"DELETE FROM {table} WHERE contract_id = %(contract)s", contract)
        super()._delete_all()
        with self._environment() as env:
            env["support.plan.kind"].browse(self.kind_id).unlink()

    def _run_wizards(self, model, action, values):
        """Two people, each with a wizard of his own, who confirm at once."""

        def work(number):
            def act(env):
                wizard = env[model].with_context(default_contract_id=self.contract_id)
                getattr(wizard.create({"reason": f"Person {number}"} | values), action)()

            try:
                self._retry(act)
            except UserError as error:
                return str(error)
            return "done"

        return self._run_parallel(work, 2)

    @mute_logger("odoo.sql_db")
    def test_two_terminate_at_once(self):
        outcomes = self._run_wizards(
            "support.terminate.wizard",
            "action_terminate",
            {"last_day": "2026-01-20", "fee_amount": 5},
        )
        with self._environment() as env:
            contract = env["support.contract"].browse(self.contract_id)
            self.assertEqual(contract.state, "terminated")
            self.assertEqual(len(contract.termination_ids), 1)
            self.assertEqual(len(contract.change_ids), 1)
            fees = contract.charge_ids.filtered(lambda charge: charge.kind == "termination")
            self.assertEqual(fees.mapped("amount"), [5])
        self.assertEqual(Counter(text == "done" for text in outcomes), {True: 1, False: 1})
        self.assertIn("terminated by", "".join(outcomes))
