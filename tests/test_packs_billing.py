# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Support packs and money: granted when invoiced or paid, taken back when cancelled or credited."""

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BillingCommon
from .test_packs import PackMixin


@tagged("post_install", "-at_install")
@freeze_time("2026-04-11 12:00:00")
class TestPacksBilling(PackMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_packs("paid")

    def _invoice_order(self, order, quantity=None, post=True):
        invoice = order._create_invoices()
        if quantity is not None:
            invoice.invoice_line_ids.quantity = quantity
        if post:
            invoice.action_post()
        self._commit()
        return invoice

    def _pay(self, invoice, **vals):
        payments = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(vals)
            ._create_payments()
        )
        self._commit()
        return payments

    def _credit(self, invoice, quantity=None, post=True):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "Returned"})
        )
        note = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        if quantity is not None:
            note.invoice_line_ids.quantity = quantity
        if post:
            note.action_post()
        self._commit()
        return note

    def _get_left(self, order):
        return [window[3] for window in self._get_windows(order)]

    # === WHEN === #

    def test_granted_when_paid(self):
        order = self._make_order(self.monthly)
        self.assertFalse(self._get_grants(order))
        invoice = self._invoice_order(order)
        self.assertFalse(self._get_grants(order))
        with freeze_time("2026-04-20 12:00:00"):
            self._pay(invoice)
        self.assertEqual(
            self._get_windows(order),
            [
                ("2026-04-20", "2026-05-19", 10, 10),
                ("2026-05-20", "2026-06-19", 10, 10),
                ("2026-06-20", "2026-07-19", 10, 10),
            ],
        )

    def test_part_of_a_payment_grants_nothing(self):
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order)
        self._pay(invoice, amount=40.0)
        self.assertEqual(invoice.payment_state, "partial")
        self.assertFalse(self._get_grants(order))
        self._pay(invoice)
        self.assertEqual(self._get_left(order), [10])

    def test_payment_taken_back_takes_units_back(self):
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order)
        payment = self._pay(invoice)
        self._take_incidents(2)
        payment.action_cancel()
        self._commit()
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 2, 0)])
        self._pay(invoice)
        self.assertEqual(sum(self._get_left(order)), 8)

    def test_payment_seen_twice_grants_once(self):
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order)
        self._pay(invoice)
        invoice._compute_payment_state()
        self.env.add_to_compute(order.order_line._fields["support_units_due"], order.order_line)
        self._commit()
        self.assertEqual(self._get_left(order), [10])

    def test_granted_when_invoiced(self):
        self.company.support_pack_grant_on = "invoiced"
        order = self._make_order(self.lifetime, quantity=2)
        invoice = self._invoice_order(order, post=False)
        self.assertFalse(self._get_grants(order))
        invoice.action_post()
        self._commit()
        self.assertEqual(self._get_left(order), [20])

    def test_invoice_reset_to_draft_takes_back_until_it_is_posted_again(self):
        self.company.support_pack_grant_on = "invoiced"
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order)
        self._take_incidents(4)
        invoice.button_draft()
        self._commit()
        self.assertEqual([window[2:] for window in self._get_windows(order)], [(4, 0)])
        invoice.action_post()
        self._commit()
        self.assertEqual([window[2:] for window in self._get_windows(order)], [(4, 0), (6, 6)])

    def test_invoices_in_parts_grant_in_parts(self):
        self.company.support_pack_grant_on = "invoiced"
        order = self._make_order(self.monthly, quantity=3)
        self._invoice_order(order, quantity=1)
        with freeze_time("2026-05-15 12:00:00"):
            self._invoice_order(order)
        self.assertEqual(
            [window[:3] for window in self._get_windows(order)],
            [
                ("2026-04-11", "2026-05-10", 10),
                ("2026-05-11", "2026-06-10", 10),
                ("2026-05-11", "2026-06-10", 20),
                ("2026-06-11", "2026-07-10", 10),
                ("2026-06-11", "2026-07-10", 20),
            ],
        )

    def test_setting_changed_later_leaves_what_was_sold(self):
        paid_later = self._make_order(self.lifetime)
        self.company.support_pack_grant_on = "confirmed"
        at_once = self._make_order(self.lifetime)
        self.company.support_pack_grant_on = "paid"
        (paid_later + at_once).order_line.product_uom_qty = 2
        self._commit()
        self.assertFalse(self._get_grants(paid_later))
        self.assertEqual(self._get_left(at_once), [10, 10])

    def test_free_pack_is_paid_when_posted(self):
        order = self._make_order(self.lifetime, price_unit=0.0)
        self._invoice_order(order)
        self.assertEqual(self._get_left(order), [10])

    def test_part_of_an_incident_is_not_invoiced(self):  # T16
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order, quantity=0.25, post=False)
        with self.assertRaisesRegex(UserError, "0.25 of “Ten incidents” are 2.5 incidents"):
            invoice.action_post()

    def test_paid_too_late_grants_nothing_and_says_so(self):
        order = self._make_order(self.monthly, support_date_start="2026-04-11")
        invoice = self._invoice_order(order)
        with freeze_time("2026-08-01 12:00:00"):
            self._pay(invoice)
        self.assertFalse(self._get_grants(order))
        self.assertIn("no units granted, its last day was 07/10/2026", self._get_notes(order))

    def test_pack_to_add_to_has_ended_before_payment(self):
        running = self._make_order(self.monthly)
        self._pay(self._invoice_order(running))
        order = self._make_order(self.monthly, support_extends_id=running.order_line.id)
        invoice = self._invoice_order(order)
        with freeze_time("2026-08-01 12:00:00"):
            self._pay(invoice)
        self.assertEqual(self._get_windows(order)[0][:2], ("2026-08-01", "2026-08-31"))
        self.assertIn("should have been added to runs no more", self._get_notes(order))

    # === TAKING BACK === #

    def test_cancelling_takes_back_what_is_unused_and_says_what_is_not(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.lifetime)
        tickets = self._take_incidents(3)
        order._action_cancel()
        self._commit()
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 3, 0)])
        self.assertIn(
            "7 incidents of 10 incidents taken back; 3 incidents were used and stay",
            self._get_notes(order),
        )
        with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
            self._take_incidents(1)
        # What a ticket gives back was paid: it can be used again, and isn't taken.
        tickets[0].incident_quantity = 0
        self._commit()
        self.env["support.pack"]._sync(order.order_line)
        self.assertEqual(self._get_left(order), [1])

    def test_cancelling_takes_later_months_back_wholly(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.monthly)
        self._take_incidents(10)
        with freeze_time("2026-05-20 12:00:00"):
            self._take_incidents(4)
            order._action_cancel()
            self._commit()
        self.assertEqual(
            self._get_windows(order),
            [
                ("2026-04-11", "2026-05-10", 10, 0),
                ("2026-05-11", "2026-06-10", 4, 0),
                ("2026-06-11", "2026-07-10", 0, 0),
            ],
        )
        self.assertIn("16 incidents of 20 incidents taken back", self._get_notes(order))

    def test_ended_months_are_never_taken_back(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.monthly)
        with freeze_time("2026-08-01 12:00:00"):
            order._action_cancel()
            self._commit()
        self.assertEqual([window[2] for window in self._get_windows(order)], [10, 10, 10])
        self.assertIn("nothing to take back, its months are over", self._get_notes(order))

    def test_credit_note_takes_back_and_is_told(self):
        order = self._make_order(self.lifetime)
        invoice = self._invoice_order(order)
        self._pay(invoice)
        self._take_incidents(3)
        note = self._credit(invoice, post=False)
        self.assertEqual(self._get_left(order), [7])
        note.action_post()
        self._commit()
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 3, 0)])
        for record in (order, note):
            self.assertIn("3 incidents were used and stay", self._get_notes(record))

    def test_credit_note_of_a_part(self):
        order = self._make_order(self.lifetime, quantity=3)
        invoice = self._invoice_order(order)
        self._pay(invoice)
        self._take_incidents(3)
        self._credit(invoice, quantity=1)
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 20, 17)])

    def test_credited_unpaid_invoice_takes_nothing_from_a_paid_one(self):
        order = self._make_order(self.lifetime, quantity=2)
        wrong = self._invoice_order(order, quantity=1)
        self._credit(wrong)
        right = self._invoice_order(order)
        self._pay(right)
        self.assertEqual(sum(self._get_left(order)), 20)

    def test_confirmed_again_fills_up_what_was_used(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.lifetime)
        self._take_incidents(3)
        order._action_cancel()
        self._commit()
        order.action_draft()
        self._confirm(order)
        self.assertEqual([window[2:] for window in self._get_windows(order)], [(3, 0), (7, 7)])

    def test_cancelled_unused_pack_begins_anew(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.monthly)
        order._action_cancel()
        self._commit()
        self.assertEqual(self._get_usable("2026-04-11"), 0)
        order.action_draft()
        with freeze_time("2026-06-01 12:00:00"):
            self._confirm(order)
        live = [window for window in self._get_windows(order) if window[2]]
        self.assertEqual(
            [window[:2] for window in live],
            [
                ("2026-06-01", "2026-06-30"),
                ("2026-07-01", "2026-07-31"),
                ("2026-08-01", "2026-08-31"),
            ],
        )

    def test_lowered_quantity_takes_back(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.monthly, quantity=2)
        self._take_incidents(12)
        order.order_line.product_uom_qty = 1
        self._commit()
        self.assertEqual(self._get_windows(order)[0], ("2026-04-11", "2026-05-10", 12, 0))
        self.assertEqual(self._get_left(order), [0, 10, 10])

    def test_adjustment_by_hand_is_not_part_of_the_sale(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.lifetime)
        grant = self._get_grants(order)
        grant._post(
            [
                {
                    "entitlement_id": grant.id,
                    "kind": "adjust",
                    "quantity": 2,
                    "date": grant.date_from,
                    "reason": "Goodwill",
                }
            ]
        )
        order.order_line.product_uom_qty = 2
        self._commit()
        self.assertEqual(self._get_left(order), [12, 10])
        order._action_cancel()
        self._commit()
        self.assertEqual(sum(self._get_left(order)), 2)

    def test_take_back_is_an_entry_with_its_reason(self):
        self.company.support_pack_grant_on = "confirmed"
        order = self._make_order(self.lifetime)
        order._action_cancel()
        self._commit()
        entries = self._get_grants(order).entry_ids.sorted("id")
        self.assertEqual(
            [(entry.kind, entry.quantity, entry.reason) for entry in entries],
            [("grant", 10, order.name), ("take_back", -10, order.name)],
        )
        self.assertProved(self._make_contract())

    # === MANY === #

    def _count(self, count, prepare, act):
        """Queries of synchronising so many orders of so many customers."""
        customers = [self._make_customer(f"Customer {index}") for index in range(count)]
        orders = self.env["sale.order"].union(
            *(self._make_order(self.monthly, partner=c, confirm=False) for c in customers)
        )
        prepare(orders)
        act(orders)
        self.env.flush_all()
        lines = orders.order_line.browse(orders.order_line.ids)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["support.pack"]._sync(lines)
        self.env.flush_all()
        found = self.env.cr.sql_log_count - before
        self._commit()
        return found

    def test_granting_takes_the_same_queries_for_many_lines(self):
        self.company.support_pack_grant_on = "confirmed"

        def count(number):
            return self._count(number, lambda orders: None, lambda orders: orders.action_confirm())

        count(3)
        self.assertLessEqual(count(30), count(3))

    def test_taking_back_takes_the_same_queries_for_many_lines(self):
        self.company.support_pack_grant_on = "confirmed"

        def count(number):
            return self._count(number, self._confirm, lambda orders: orders._action_cancel())

        count(3)
        self.assertLessEqual(count(30), count(3))
