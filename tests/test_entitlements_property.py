# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whatever happens in whatever order: granted - used = available, below zero only as owed.

Each example plays random payments, take-backs, purchases, changes by hand, tickets and returns of
one customer, and counts along with plain numbers. More examples are tried with
SUPPORT_EXAMPLES=100.
"""

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_events import EventCommon

examples = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "6")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # an example takes seconds: a failing one is shown as it is
)
which = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 30).map(lambda tens: tens * 10)),
    st.tuples(st.just("take_back"), which),
    st.tuples(st.just("pay_again"), which),
    st.tuples(st.just("delete_payment"), which),
    st.tuples(st.just("buy"), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("by_hand"), st.integers(0, 6)),
    st.tuples(st.just("open")),
    st.tuples(st.just("open")),
    st.tuples(st.just("change"), which, st.integers(0, 3)),
    st.tuples(st.just("delete_ticket"), which),
)
scripts = st.lists(steps, min_size=6, max_size=18)


@tagged("post_install", "-at_install")
class TestEntitlementsProperty(EventCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_event("funds", 1, amount=100)

    # === WHAT PEOPLE DO, AND WHAT IT SHOULD DO TO THE NUMBERS === #

    def _play(self, name, *values):
        if name in ("take_back", "pay_again", "delete_payment"):
            if self.payments:
                self._change_payment(name, self.payments[values[0] % len(self.payments)])
        elif name in ("change", "delete_ticket"):
            if self.tickets:
                self._change_ticket(name, self.tickets[values[0] % len(self.tickets)], *values[1:])
        else:
            getattr(self, f"_play_{name}")(*values)
        self._settle()

    def _play_pay(self, amount):
        self.payments += self._pay(amount)
        self._count_payments()

    def _change_payment(self, name, payment):
        if payment.state != "draft":
            payment.action_draft()
        if name == "pay_again":
            payment.action_post()
        elif name == "delete_payment":
            self.payments -= payment
            payment.unlink()
        self._count_payments()

    def _count_payments(self):
        paid = sum(self.payments.filtered(lambda p: p.state != "draft").mapped("amount"))
        self.lifetime += int(paid // 100) - self.earned
        self.earned = int(paid // 100)

    def _play_buy(self, units, lifetime):
        end = False if lifetime else "2026-07-31"
        vals = {"end": end, "made_at": fields.Datetime.now(), "origin": "sale"}
        self._make_grant(incidents=units, start="2026-06-01", **vals)
        if lifetime:
            self.lifetime += units
        else:
            self.limited += units

    def _play_by_hand(self, maximum):
        self.customer.invalidate_recordset()
        self.customer.support_incidents_max = maximum
        self.lifetime = maximum

    def _play_open(self):
        left = self._get_left()
        try:
            with self.env.cr.savepoint():
                ticket = self._open_ticket()
        except UserError:
            self.assertLess(left, 1, "refused although there is one")
        else:
            self.assertGreaterEqual(left, 1, "opened although there is none")
            self.tickets += ticket
            self.numbers[ticket.id] = 1

    def _change_ticket(self, name, ticket, number=0):
        left = self._get_left()
        if name == "delete_ticket":
            self.tickets -= ticket
            del self.numbers[ticket.id]
            ticket.unlink()
            return
        more = number - self.numbers[ticket.id]
        try:
            with self.env.cr.savepoint():
                ticket.incident_quantity = number
                self.env.flush_all()
        except UserError:
            # It may be there and yet not be for this ticket: granted after it was recorded.
            self.assertGreater(more, 0, "a return was refused")
            ticket.invalidate_recordset()
        else:
            self.assertTrue(more <= 0 or more <= left, "took more than there is")
            self.numbers[ticket.id] = number

    def _get_left(self):
        return self.lifetime + self.limited - sum(self.numbers.values())

    # === WHAT MUST BE TRUE AFTER EACH STEP === #

    def assertTrueLedger(self):
        grants = self.env["support.entitlement"].search([("partner_id", "=", self.customer.id)])
        used = sum(self.numbers.values())
        self.assertEqual(
            self._get_balance(), (self.lifetime + self.limited, used, self._get_left())
        )
        self.tickets.invalidate_recordset(["consumed_incidents"])
        for ticket in self.tickets:
            self.assertEqual(ticket.consumed_incidents, self.numbers[ticket.id])
        for grant in grants:
            entries = grant.entry_ids
            self.assertEqual(sum(entries.mapped("quantity")), grant.remaining)
            self.assertEqual(grant.quantity - grant.used, grant.remaining)
            self.assertEqual(grant.remaining < 0, bool(grant.takes_back_id))
        if not grants.takes_back_id:
            self.assertGreaterEqual(self._get_left(), 0)
        self.customer.invalidate_recordset()
        self.assertEqual(self.customer.support_incidents_max, self.lifetime)

    @examples
    @given(scripts)
    def test_any_order_leaves_granted_less_used(self, script):
        savepoint = self.env.cr.savepoint()
        try:
            self.payments = self.env["account.payment"]
            self.tickets = self.env["helpdesk.ticket"]
            self.numbers = {}
            self.lifetime = self.limited = self.earned = 0
            for step in script:
                self._play(*step)
                self.assertTrueLedger()
            self._run_cron()
            self.assertTrueLedger()
        finally:
            savepoint.rollback()
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
