# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Two managers carry the same debt at the same moment: it goes to the next term once."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_parallel import ParallelCase


@tagged("post_install", "-at_install")
class TestTransferParallel(ParallelCase):
    def setUp(self):
        super().setUp()
        with self._environment() as env:
            product = env["product.product"].create({"name": "Parallel", "type": "service"})
            plan = env["support.plan"].create(
                {
                    "name": "Parallel Plan",
                    "duration_months": 0,
                    "line_ids": [Command.create({"product_id": product.id})],
                }
            )
            self.plan_id = plan.id
            contract = env["support.contract"].create(
                {
                    "plan_id": plan.id,
                    "partner_id": self.customer_id,
                    "date_start": fields.Date.today(),
                }
            )
            contract.action_confirm()
            term = contract.current_term_id
            self.contract_id = contract.id
            self.charge_id = (
                env["support.charge"]
                .create(
                    {
                        "kind": "labour",
                        "name": "Work",
                        "contract_id": contract.id,
                        "partner_id": self.customer_id,
                        "company_id": contract.company_id.id,
                        "currency_id": contract.currency_id.id,
                        "product_id": product.id,
                        "term_id": term.id,
                        "billing_term_id": term.id,
                        "price_unit": 100.0,
                        "amount": 100.0,
                    }
                )
                .id
            )

    def _delete_all(self):  # pylint: disable=missing-return
        with self.registry.cursor() as cr:
            cr.execute(
                """
                UPDATE support_charge SET moved_by_id = NULL, transfer_id = NULL
                 WHERE partner_id = %(partner)s;
                DELETE FROM support_charge_transfer WHERE contract_id IN (
                       SELECT id FROM support_contract WHERE commercial_partner_id = %(partner)s);
                DELETE FROM support_contract_change WHERE contract_id IN (
                       SELECT id FROM support_contract WHERE commercial_partner_id = %(partner)s);
                DELETE FROM support_transfer_wizard WHERE contract_id IN (
                       SELECT id FROM support_contract WHERE commercial_partner_id = %(partner)s);
                """,
                {"partner": self.customer_id},
            )
        super()._delete_all()

    def test_one_part_is_carried_and_the_other_refused(self):
        """60.00 and 60.00 of 100.00: the second one finds that only 40.00 are left."""

        def carry(_number):
            def confirm(env):
                charge = env["support.charge"].browse(self.charge_id)
                wizard = env["support.transfer.wizard"].create(
                    {
                        "contract_id": self.contract_id,
                        "reason": "At once",
                        "line_ids": [
                            Command.create({"charge_id": charge.id, "chosen": True, "amount": 60.0})
                        ],
                    }
                )
                wizard.action_carry()
                return True

            try:
                return self._retry(confirm)
            except UserError:
                return False

        self.assertEqual(sorted(self._run_parallel(carry, 2)), [False, True])
        with self._environment() as env:
            transfers = env["support.contract"].browse(self.contract_id).transfer_ids
            self.assertEqual(transfers.mapped("amount"), [60.0])
            self.assertEqual(len(transfers.part_ids), 2)
