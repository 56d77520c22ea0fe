# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions: nobody takes the last unit twice, nothing is billed twice.

What these tests commit they delete afterwards, past the guards of the ledger.
"""

import threading
from collections import Counter

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

WORKERS = 8
UNITS = 100
MAX_TRIES = 200


class ParallelCase(BaseCase):
    """A customer and a team that are committed, and threads with transactions of their own."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self._delete_all)
        with self._environment() as env:
            self.customer_id = env["res.partner"].create({"name": "Parallel Ltd"}).id
            self.team_id = (
                env["helpdesk.ticket.team"]
                .create({"name": "Parallel team", "requires_incident": True})
                .id
            )

    def _environment(self):
        """A transaction of its own, committed at the end."""
        return _Transaction(self.registry)

    def _delete_all(self):
        """Delete what was committed; the guards give way to the owner of the tables only."""
        with self.registry.cursor() as cr:
            cr.execute(
                """
                ALTER TABLE support_entitlement_entry DISABLE TRIGGER USER;
                DELETE FROM support_entitlement_entry WHERE partner_id = %(partner)s;
                ALTER TABLE support_entitlement_entry ENABLE TRIGGER USER;
                DELETE FROM support_charge WHERE partner_id = %(partner)s;
                DELETE FROM support_bill WHERE partner_id = %(partner)s;
                DELETE FROM support_entitlement WHERE partner_id = %(partner)s;
                DELETE FROM mail_message
                 WHERE model = 'helpdesk.ticket' AND res_id IN (
                       SELECT id FROM helpdesk_ticket WHERE partner_id = %(partner)s);
                DELETE FROM helpdesk_ticket WHERE partner_id = %(partner)s;
                DELETE FROM mail_message
                 WHERE model = 'support.contract' AND res_id IN (
                       SELECT id FROM support_contract
                        WHERE commercial_partner_id = %(partner)s);
                DELETE FROM support_contract_term WHERE contract_id IN (
                       SELECT id FROM support_contract
                        WHERE commercial_partner_id = %(partner)s);
                """,
                {"partner": self.customer_id},
            )
            runs = tuple(getattr(self, "run_ids", ())) or (0,)
            cr.execute("DELETE FROM support_billing_run WHERE id IN %s", (runs,))
            cr.execute(
                "DELETE FROM support_contract WHERE commercial_partner_id = %s",
                (self.customer_id,),
            )
            env = api.Environment(cr, SUPERUSER_ID, {})
            plans = env["support.plan"].browse(getattr(self, "plan_id", False))
            products = plans.line_ids.product_id
            plans.unlink()
            products.unlink()
            env["helpdesk.ticket.team"].browse(self.team_id).unlink()
            customer = env["res.partner"].browse(self.customer_id)
            (customer.child_ids | customer).unlink()

    def _run_parallel(self, work, count=WORKERS):
        """Run work(number) in threads that begin together; return what each has returned."""
        results, errors = [None] * count, []
        barrier = threading.Barrier(count)

        def run(number):
            threading.current_thread().dbname = get_db_name()
            barrier.wait()
            try:
                results[number] = work(number)
            except Exception as error:  # reported in the main thread
                errors.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=300)
        self.assertFalse(any(thread.is_alive() for thread in threads), "a worker hangs")
        self.assertEqual(errors, [])
        return results

    def _retry(self, function):
        """Run a whole transaction until it meets no other: what every caller of the door does."""
        for _attempt in range(MAX_TRIES):
            try:
                with self._environment() as env:
                    return function(env)
            except psycopg2.errors.SerializationFailure:
                continue
        raise AssertionError("never got through")


@tagged("post_install", "-at_install")
class TestParallel(ParallelCase):
    def _make_grants(self, **vals):
        """Units in four grants, so that every demand locks several."""
        with self._environment() as env:
            grants = env["support.entitlement"]._grant(
                [
                    {
                        "name": f"Block {priority}",
                        "unit": "incident",
                        "amount": UNITS // 4,
                        "date_from": "2020-01-01",
                        "priority": priority,
                        "partner_id": self.customer_id,
                    }
                    for priority in (3, 1, 4, 2)
                ]
            )
            return grants.ids

    @mute_logger("odoo.sql_db")
    def test_workers_take_every_incident_once_and_are_refused_the_others(self):  # T25-T27
        grant_ids = self._make_grants()
        each = UNITS // WORKERS + 2

        def open_ticket(env):
            env["helpdesk.ticket"].create(
                {
                    "name": "Ticket",
                    "description": "?",
                    "partner_id": self.customer_id,
                    "team_id": self.team_id,
                }
            )

        def work(number):
            outcomes = Counter()
            for _index in range(each):
                try:
                    self._retry(open_ticket)
                    outcomes["opened"] += 1
                except UserError as error:
                    self.assertIn("has none left", str(error))
                    outcomes["refused"] += 1
            return outcomes

        outcomes = sum(self._run_parallel(work), Counter())
        self.assertEqual(outcomes, {"opened": UNITS, "refused": WORKERS * each - UNITS})
        with self._environment() as env:
            grants = env["support.entitlement"].browse(grant_ids)
            self.assertEqual(grants.mapped("remaining"), [0] * 4)
            tickets = env["helpdesk.ticket"].search([("partner_id", "=", self.customer_id)])
            self.assertEqual(len(tickets), UNITS)
            draws = grants.entry_ids.filtered(lambda entry: entry.kind == "draw")
            self.assertEqual(-sum(draws.mapped("quantity")), UNITS)
            self.assertEqual(draws.ticket_id, tickets)

    @mute_logger("odoo.sql_db")
    def test_returned_once_while_others_open(self):  # T49
        """Workers cancel the same ticket, which holds the last unit, while others want it."""
        with self._environment() as env:
            (grant_id,) = (
                env["support.entitlement"]
                ._grant(
                    [
                        {
                            "name": "Last",
                            "unit": "incident",
                            "amount": 1,
                            "date_from": "2020-01-01",
                            "partner_id": self.customer_id,
                        }
                    ]
                )
                .ids
            )
            values = {
                "description": "?",
                "partner_id": self.customer_id,
                "team_id": self.team_id,
            }
            ticket_id = env["helpdesk.ticket"].create(values | {"name": "Holder"}).id
            stage_id = env["helpdesk.ticket.stage"].search([("returns_incident", "=", True)])[:1].id

        def work(number):
            def act(env):
                if number % 2:
                    env["helpdesk.ticket"].browse(ticket_id).stage_id = stage_id
                else:
                    env["helpdesk.ticket"].create(values | {"name": f"Ticket {number}"})

            try:
                self._retry(act)
            except UserError:
                return "refused"
            return "cancelled" if number % 2 else "opened"

        outcomes = Counter(self._run_parallel(work))
        self.assertEqual(outcomes["cancelled"], WORKERS // 2)
        self.assertLessEqual(outcomes["opened"], 1)
        with self._environment() as env:
            grant = env["support.entitlement"].browse(grant_id)
            self.assertEqual(grant.used, outcomes["opened"])
            returned = grant.entry_ids.filtered(lambda entry: entry.kind == "return")
            self.assertEqual(sum(returned.mapped("quantity")), 1)
            self.assertEqual(returned.ticket_id.id, ticket_id)

    @mute_logger("odoo.sql_db")
    def test_door_gives_every_unit_once(self):  # T25-T27
        grant_ids = self._make_grants()
        each = UNITS // WORKERS + 5

        def work(number):
            outcomes = Counter()
            for index in range(each):
                # Each worker goes through the grants from another one on.
                for offset in range(len(grant_ids)):
                    grant = grant_ids[(number + index + offset) % len(grant_ids)]
                    movement = {
                        "entitlement_id": grant,
                        "kind": "draw",
                        "quantity": -1,
                        "date": fields.Date.today(),
                    }
                    try:
                        self._retry(
                            lambda env, vals=movement: env["support.entitlement"]._post([vals])
                        )
                        outcomes["taken"] += 1
                        break
                    except psycopg2.errors.CheckViolation:
                        outcomes["empty"] += 1
            return outcomes

        outcomes = sum(self._run_parallel(work), Counter())
        self.assertEqual(outcomes["taken"], UNITS)
        with self._environment() as env:
            grants = env["support.entitlement"].browse(grant_ids)
            self.assertEqual(grants.mapped("remaining"), [0] * 4)
            self.assertEqual(sum(grants.entry_ids.mapped("quantity")), 0)

    @mute_logger("odoo.sql_db")
    def test_grants_asked_for_in_opposite_orders_do_not_deadlock(self):  # T27
        grant_ids = self._make_grants()

        def work(number):
            order = grant_ids if number % 2 else grant_ids[::-1]
            for _index in range(3):
                movements = [
                    {
                        "entitlement_id": grant,
                        "kind": "draw",
                        "quantity": -1,
                        "date": fields.Date.today(),
                    }
                    for grant in order
                ]
                self._retry(lambda env, vals=movements: env["support.entitlement"]._post(vals))

        self._run_parallel(work)
        with self._environment() as env:
            grants = env["support.entitlement"].browse(grant_ids)
            self.assertEqual(grants.mapped("used"), [3 * WORKERS] * 4)

    def _make_plan(self):
        with self._environment() as env:
            product = env["product.product"].create({"name": "Parallel fee", "type": "service"})
            plan = env["support.plan"].create(
                {
                    "name": "Parallel plan",
                    "duration_months": 0,
                    "line_ids": [(0, 0, {"product_id": product.id, "price_unit": 100.0})],
                }
            )
            self.plan_id = plan.id
            return plan.id

    def _make_drafts(self, count, plan_id, partner_ids=None):
        start = fields.Date.today().replace(day=1) - relativedelta(months=2)
        with self._environment() as env:
            contracts = env["support.contract"].create(
                [
                    {"plan_id": plan_id, "partner_id": partner_id, "date_start": start}
                    for partner_id in partner_ids or [self.customer_id] * count
                ]
            )
            return contracts.ids

    def _make_contracts(self, count):
        """Running contracts, each of a department of its own."""
        with self._environment() as env:
            departments = env["res.partner"].create(
                [{"name": f"Dep {n}", "parent_id": self.customer_id} for n in range(count)]
            )
            partner_ids = departments.ids
        contract_ids = self._make_drafts(count, self._make_plan(), partner_ids)
        with self._environment() as env:
            env["support.contract"].browse(contract_ids).action_confirm()
        return contract_ids

    def _make_runs(self, contract_ids, count):
        with self._environment() as env:
            runs = env["support.billing.run"].create(
                [
                    {"contract_ids": [(6, 0, contract_ids)], "make_invoices": False}
                    for _index in range(count)
                ]
            )
            runs.action_start()
            self.run_ids = runs.ids
        return runs.ids

    def _process(self, run_id):
        self._retry(lambda env: env["support.billing.run"].browse(run_id)._process(batch_size=3))

    def assertBilledOnce(self, contract_ids):
        with self._environment() as env:
            contracts = env["support.contract"].browse(contract_ids)
            for contract in contracts:
                terms = contract.term_ids.filtered("charged")
                self.assertEqual(len(terms), 2)
                self.assertEqual(contract.bill_ids.term_id, terms)
                self.assertEqual(len(contract.bill_ids), 2)
                self.assertEqual(contract.charge_ids.mapped("amount"), [100.0, 100.0])
            runs = env["support.billing.run"].browse(self.run_ids)
            self.assertEqual(set(runs.mapped("state")), {"done"})

    @mute_logger("odoo.sql_db", "odoo.addons.support_contract.models.support_billing_run_item")
    def test_two_runs_at_once_bill_nothing_twice(self):  # T5
        contract_ids = self._make_contracts(12)
        run_ids = self._make_runs(contract_ids, 2)
        self._run_parallel(lambda number: self._process(run_ids[number]), 2)
        self.assertBilledOnce(contract_ids)

    @mute_logger("odoo.sql_db", "odoo.addons.support_contract.models.support_billing_run_item")
    def test_two_workers_on_one_run_bill_nothing_twice(self):  # T5
        contract_ids = self._make_contracts(12)
        (run_id,) = self._make_runs(contract_ids, 1)
        self._run_parallel(lambda number: self._process(run_id), 2)
        self._process(run_id)  # whoever found the last batch locked has left it to the other
        self.assertBilledOnce(contract_ids)

    @mute_logger("odoo.sql_db")
    def test_of_contracts_confirmed_at_once_one_wins(self):  # L23, C26
        contract_ids = self._make_drafts(4, self._make_plan())

        def work(number):
            def confirm(env):
                env["support.contract"].browse(contract_ids[number]).action_confirm()

            try:
                self._retry(confirm)
            except ValidationError as error:
                self.assertIn("overlap", str(error))
                return "refused"
            return "confirmed"

        outcomes = Counter(self._run_parallel(work, 4))
        self.assertEqual(outcomes, {"confirmed": 1, "refused": 3})


class _Transaction:
    """An environment of the superuser in a transaction of its own."""

    def __init__(self, registry):
        self.cr = registry.cursor()

    def __enter__(self):
        return api.Environment(self.cr, SUPERUSER_ID, {})

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None:
                self.cr.commit()  # pylint: disable=invalid-commit
        finally:
            self.cr.close()
