# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Real parallel transactions about one customer's incidents: payments, take-backs, tickets."""

from collections import Counter

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_parallel import ParallelCase

ROUNDS = 8


@tagged("post_install", "-at_install")
class TestParallelEvents(ParallelCase):
    def setUp(self):
        super().setUp()
        with self._environment() as env:
            event = env["support.event"].search(
                [("kind", "=", "funds"), ("unit", "=", "incident")], limit=1
            )
            if event:  # that of the demo data promises the same
                self.assertEqual((event.amount, event.quantity), (100, 1))
            else:
                self.event_id = env["support.event"].create({"kind": "funds", "amount": 100}).id
            journal = env["account.journal"].search([("type", "=", "bank")], limit=1)
            self.journal_id = journal.id
        if not self.journal_id:
            self.skipTest("The database has no bank journal.")

    def _delete_all(self):
        with self.registry.cursor() as cr:
            cr.execute(
                """
                ALTER TABLE support_entitlement_entry DISABLE TRIGGER USER;
                DELETE FROM support_entitlement_entry WHERE partner_id = %(partner)s;
                ALTER TABLE support_entitlement_entry ENABLE TRIGGER USER;
                DELETE FROM support_entitlement
                 WHERE partner_id = %(partner)s AND takes_back_id IS NOT NULL;
                DELETE FROM support_entitlement WHERE partner_id = %(partner)s;
                DELETE FROM account_payment WHERE partner_id = %(partner)s;
                DELETE FROM support_event WHERE id = %(event)s;
                """,
                {"partner": self.customer_id, "event": getattr(self, "event_id", 0)},
            )
        return super()._delete_all()

    def _make_payment(self, amount):
        """A payment without a journal entry, so that it can be deleted afterwards."""
        with self._environment() as env:
            payment = env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.customer_id,
                    "amount": amount,
                    "journal_id": self.journal_id,
                }
            )
            payment.outstanding_account_id = False
            return payment.id

    def _post_payment(self, payment_id):
        self._retry(lambda env: env["account.payment"].browse(payment_id).action_post())

    def _open_ticket(self):
        """Open a ticket and return its id, or None where it is refused."""

        def open_ticket(env):
            values = {
                "name": "Ticket",
                "description": "?",
                "partner_id": self.customer_id,
                "team_id": self.team_id,
            }
            return env["helpdesk.ticket"].create(values).id

        try:
            return self._retry(open_ticket)
        except UserError as error:
            self.assertIn("has none left", str(error))
            return None

    def _get_left(self):
        with self._environment() as env:
            grants = env["support.entitlement"].search([("partner_id", "=", self.customer_id)])
            self.assertEqual(
                sum(grants.entry_ids.mapped("quantity")), sum(grants.mapped("remaining"))
            )
            return sum(grants.mapped("remaining"))

    @mute_logger("odoo.sql_db")
    def test_two_tickets_on_the_last_incident(self):
        self._post_payment(self._make_payment(100 * ROUNDS))
        for left in range(ROUNDS, 1, -1):
            self.assertTrue(self._open_ticket())
            self.assertEqual(self._get_left(), left - 1)
        outcomes = self._run_parallel(lambda number: bool(self._open_ticket()), 2)
        self.assertEqual(Counter(outcomes), {True: 1, False: 1})
        self.assertEqual(self._get_left(), 0)

    @mute_logger("odoo.sql_db")
    def test_payment_is_taken_back_while_a_ticket_is_opened(self):  # B61
        expected = 0
        for _round in range(ROUNDS):
            payment_id = self._make_payment(100 * (1 - expected))
            self._post_payment(payment_id)
            self.assertEqual(self._get_left(), 1)

            def work(number, payment_id=payment_id):
                if number:
                    return self._open_ticket()
                return self._retry(
                    lambda env: env["account.payment"].browse(payment_id).action_cancel()
                )

            _nothing, ticket_id = self._run_parallel(work, 2)
            # Either the ticket was first, and what it took is owed, or it found nothing.
            expected -= 1 if ticket_id else 0
            self.assertEqual(self._get_left(), expected)
            self.assertIsNone(self._open_ticket(), "nobody opens a ticket while units are owed")
            with self._environment() as env:
                tickets = env["helpdesk.ticket"].search([("partner_id", "=", self.customer_id)])
                env["support.consumption"]._reallocate(tickets._get_pool_starts())
                self.assertEqual(set(tickets.mapped("consumed_incidents")) - {1}, set())
            self.assertEqual(self._get_left(), expected, "rated again it is the same")

    @mute_logger("odoo.sql_db")
    def test_two_payments_at_once_are_added_up(self):  # B60: 150 and 150 are three hundreds
        payment_ids = [self._make_payment(150) for _number in range(4)]
        self._run_parallel(lambda number: self._post_payment(payment_ids[number]), 2)
        self.assertEqual(self._get_left(), 3)
        self._run_parallel(lambda number: self._post_payment(payment_ids[2 + number]), 2)
        self.assertEqual(self._get_left(), 6)
        with self._environment() as env:
            tally = env["support.event.tally"].search([("partner_id", "=", self.customer_id)])
            self.assertEqual((tally.amount_counted, tally.units_given), (600, 6))
