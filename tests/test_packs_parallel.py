# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions on one order: every pack is granted once.

What these tests commit they delete afterwards, past the guards of the ledger.
"""

import threading

import psycopg2

from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from .test_parallel import MAX_TRIES, _Transaction

WORKERS = 4


@tagged("post_install", "-at_install")
class TestPacksParallel(BaseCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self._delete_all)
        with _Transaction(self.registry) as env:
            company = env.company
            self.grant_on, company.support_pack_grant_on = (
                company.support_pack_grant_on,
                "confirmed",
            )
            product = env["product.product"].create(
                {
                    "name": "Parallel pack",
                    "type": "service",
                    "support_pack": "recurring",
                    "support_incidents": 10,
                    "support_months": 2,
                }
            )
            customer = env["res.partner"].create({"name": "Parallel Ltd"})
            order = env["sale.order"].create(
                {
                    "partner_id": customer.id,
                    "order_line": [(0, 0, {"product_id": product.id})],
                }
            )
            self.ids = {
                "customer": customer.id,
                "product": product.id,
                "template": product.product_tmpl_id.id,
                "sale": order.id,
            }

    def _delete_all(self):
        with self.registry.cursor() as cr:
            cr.execute(
                """
                ALTER TABLE support_entitlement_entry DISABLE TRIGGER USER;
                DELETE FROM support_entitlement_entry WHERE partner_id = %(customer)s;
                ALTER TABLE support_entitlement_entry ENABLE TRIGGER USER;
                DELETE FROM support_entitlement WHERE partner_id = %(customer)s;
                DELETE FROM mail_message
                 WHERE model = 'sale.order' AND res_id = %(sale)s;
                DELETE FROM sale_order WHERE id = %(sale)s;
                """,
                self.ids,
            )
        with _Transaction(self.registry) as env:
            env["product.product"].browse(self.ids["product"]).product_tmpl_id.unlink()
            env["res.partner"].browse(self.ids["customer"]).unlink()
            env.company.support_pack_grant_on = self.grant_on

    def _run_parallel(self, work):
        """Run work(env, number) in threads that begin together, until each got through."""
        results, errors = [], []
        barrier = threading.Barrier(WORKERS)

        def run(number):
            threading.current_thread().dbname = get_db_name()
            barrier.wait()
            try:
                results.append(self._retry(lambda env: work(env, number)))
            except Exception as error:  # reported in the main thread
                errors.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        self.assertFalse(any(thread.is_alive() for thread in threads), "a worker hangs")
        self.assertEqual(errors, [])
        return results

    def _retry(self, function):
        for _attempt in range(MAX_TRIES):
            try:
                with _Transaction(self.registry) as env:
                    return function(env)
            except psycopg2.errors.SerializationFailure:
                continue
        raise AssertionError("never got through")

    def _get_units(self):
        """Units granted in each month."""
        with _Transaction(self.registry) as env:
            rows = env["support.entitlement"]._read_group(
                [("sale_line_id.order_id", "=", self.ids["sale"])],
                ["date_from:day"],
                ["quantity:sum"],
            )
            return [units for _day, units in rows]

    def _confirm(self, env, _number=0):
        try:
            env["sale.order"].browse(self.ids["sale"]).action_confirm()
        except UserError:  # somebody else was quicker
            return False
        return True

    @mute_logger("odoo.sql_db")
    def test_order_confirmed_by_all_at_once_grants_once(self):  # T28
        confirmed = self._run_parallel(self._confirm)
        self.assertEqual(sorted(confirmed), [False] * (WORKERS - 1) + [True])
        self.assertEqual(self._get_units(), [10, 10])

    @mute_logger("odoo.sql_db")
    def test_quantity_raised_by_all_at_once_grants_each_pack_once(self):
        self._retry(self._confirm)

        def buy_more(env, _number):
            env["sale.order"].browse(self.ids["sale"]).order_line.product_uom_qty += 1

        self._run_parallel(buy_more)
        self.assertEqual(self._get_units(), [10 * (1 + WORKERS)] * 2)

    @mute_logger("odoo.sql_db")
    def test_incident_taken_while_the_order_is_cancelled(self):
        """Whoever comes first: what is taken back and what is used make what was granted."""
        self._retry(self._confirm)
        with _Transaction(self.registry) as env:
            grants = env["support.entitlement"].search(
                [("sale_line_id.order_id", "=", self.ids["sale"])], order="date_from"
            )
            first = grants[0].id

        def act(env, number):
            grant = env["support.entitlement"].browse(first)
            if not number:
                env["sale.order"].browse(self.ids["sale"])._action_cancel()
            elif grant.remaining:
                movement = {"entitlement_id": first, "kind": "draw", "quantity": -1}
                grant._post([movement | {"date": grant.date_from}])

        self._run_parallel(act)
        with _Transaction(self.registry) as env:
            grants = env["support.entitlement"].search(
                [("sale_line_id.order_id", "=", self.ids["sale"])], order="date_from"
            )
            self.assertEqual(grants.mapped("remaining"), [0, 0])
            self.assertEqual(grants[0].quantity, grants[0].used)
