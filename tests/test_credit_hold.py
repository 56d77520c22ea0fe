# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Customers who don't pay: their tickets are locked until they have."""

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestCreditHold(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(fee=100, hours=5, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(cls.plan)
        cls.person = cls.env["res.partner"].create(
            {"name": "Pat", "parent_id": cls.customer.id, "email": "pat@example.com"}
        )
        cls.ticket = cls._make_ticket(cls.contract, "2026-03-01 10:00:00")

    @classmethod
    def _hold(cls, partner, reason="Two invoices unpaid"):
        action = partner.action_support_hold()
        wizard = partner.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"reason": reason}).action_hold()
        return partner.commercial_partner_id.support_hold_ids[:1]

    def _get_mails(self):
        return self.env["mail.mail"].search(
            [("subject", "=", "Your support requests wait for a payment")]
        )

    def _run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("support_contract.cron_credit_hold").method_direct_trigger()
        self.env.invalidate_all()

    def _make_overdue(self, days=30):
        """An invoice of January, due on the day it was made."""
        self.company.support_hold_days = days
        self.contract.payment_term_id = self.env.ref("account.account_payment_term_immediate")
        with freeze_time("2026-02-01 12:00:00"):
            (move,) = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        self.assertEqual(str(move.invoice_date_due), "2026-02-01")
        return move

    # === BY HAND === #

    def test_tickets_are_locked_until_it_is_released(self):
        hold = self._hold(self.person)  # a contact is as good as its company
        self.assertEqual(hold.partner_id, self.customer)
        self.assertEqual(self.ticket.lock_reason, "credit_hold")
        self.assertEqual(str(self.ticket.locked_at), "2026-03-10 12:00:00")
        with self.assertRaisesRegex(UserError, "credit hold. Have the overdue invoices paid"):
            self._log_work(self.ticket, "2026-03-10 10:00", 1)
        with self.assertRaisesRegex(UserError, "credit hold"):
            self.env["support.charge"].create(
                {
                    "kind": "part",
                    "ticket_id": self.ticket.id,
                    "product_id": self.fee_product.id,
                }
            )
        for record in (self.customer, self.person):
            self.assertTrue(record.support_hold)
            self.assertIn("Two invoices unpaid", record.support_hold_label)
        self.assertIn("Two invoices unpaid", self.contract.hold_label)
        self.customer.action_support_release()
        self.assertFalse(self.ticket.lock_reason)
        self.assertFalse(self.customer.support_hold)
        self.assertEqual(hold.released_by_id, self.env.user)
        self.assertEqual(
            self._get_charges(self._log_work(self.ticket, "2026-03-10 10:00", 1)),
            [("covered", 1, 0)],
        )

    def test_new_tickets_are_accepted_and_wait(self):
        self._hold(self.customer)
        new = self._make_ticket(opened="2026-03-10 11:00:00", partner_id=self.person.id)
        self.assertEqual((new.contract_id, new.lock_reason), (self.contract, "credit_hold"))
        other = self._make_ticket(
            opened="2026-03-10 11:00:00", partner_id=self._make_customer("Payer Ltd").id
        )
        self.assertFalse(other.lock_reason)

    def test_customer_is_told_once(self):
        before = self._get_mails()
        self._hold(self.customer)
        self._make_ticket(opened="2026-03-10 11:00:00", partner_id=self.customer.id)
        mail = self._get_mails() - before
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertIn("Put on credit hold: Two invoices unpaid", self.customer.message_ids[0].body)

    def test_it_can_be_searched(self):
        partners = self.env["res.partner"]
        self._hold(self.customer)
        found = partners.search([("support_hold", "=", True)])
        self.assertIn(self.customer, found)
        self.assertIn(self.person, found)
        self.assertNotIn(self.customer, partners.search([("support_hold", "=", False)]))
        contracts = self.env["support.contract"].search(
            [("commercial_partner_id.support_hold", "=", True)]
        )
        self.assertIn(self.contract, contracts)

    def test_only_in_its_company(self):
        self._hold(self.customer)
        other = self.company_data_2["company"] if hasattr(self, "company_data_2") else None
        other = other or self.env["res.company"].sudo().create({"name": "Branch"})
        self.assertFalse(self.customer.with_company(other).support_hold)

    def test_twice_is_refused(self):
        self._hold(self.customer)
        with self.assertRaisesRegex(UserError, "on hold already"):
            self._hold(self.customer)

    def test_hold_goes_before_other_reasons(self):
        self.contract.action_suspend()
        self.env["support.contract"]._tell_tickets()
        self.assertEqual(self.ticket.lock_reason, "suspended")
        self._hold(self.customer)
        self.assertEqual(self.ticket.lock_reason, "credit_hold")
        self.customer.action_support_release()
        self.assertEqual(self.ticket.lock_reason, "suspended")

    # === BY OVERDUE INVOICES === #

    def test_overdue_invoice_holds_and_its_payment_releases(self):
        move = self._make_overdue()
        with freeze_time("2026-03-03 12:00:00"):  # thirty days are not more than thirty
            self._run_cron()
        self.assertFalse(self.customer.support_hold)
        with freeze_time("2026-03-04 12:00:00"):
            self._run_cron()
            self._run_cron()
        hold = self.customer.support_hold_ids
        self.assertEqual((len(hold), hold.automatic), (1, True))
        self.assertIn(move.name, hold.reason)
        self.assertEqual(self.ticket.lock_reason, "credit_hold")
        with self.assertRaisesRegex(UserError, "Register the payments"):
            self.customer.action_support_release()
        triggers = self.env["ir.cron.trigger"].search_count([])
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({}).action_create_payments()
        self.assertGreater(self.env["ir.cron.trigger"].search_count([]), triggers)
        self._run_cron()
        self.assertFalse(self.customer.support_hold)
        self.assertFalse(self.ticket.lock_reason)
        self.assertProved(self.contract)

    def test_later_due_date_releases(self):
        move = self._make_overdue()
        self._run_cron()
        self.assertTrue(self.customer.support_hold)
        move.invoice_date_due = "2026-04-01"
        self._run_cron()
        self.assertFalse(self.customer.support_hold)

    def test_never_where_the_days_are_zero(self):
        self._make_overdue(days=0)
        self._run_cron()
        self.assertFalse(self.customer.support_hold)
        self.company.support_hold_days = 30
        self._run_cron()
        self.assertTrue(self.customer.support_hold)
        self.company.support_hold_days = 0
        self._run_cron()
        self.assertFalse(self.customer.support_hold)

    def test_invoices_of_other_things_hold_nobody(self):
        self.company.support_hold_days = 30
        self.init_invoice(
            "out_invoice",
            partner=self.customer,
            invoice_date="2026-01-01",
            post=True,
            products=self.fee_product,
        )
        self._run_cron()
        self.assertFalse(self.customer.support_hold)

    def test_hold_by_hand_stays_when_all_is_paid(self):
        move = self._make_overdue()
        self._run_cron()
        self._hold(self.customer, "Says he never pays")
        self.assertEqual(len(self.customer.support_hold_ids), 2)
        move._reverse_moves(cancel=True)
        self._run_cron()
        self.assertEqual(self.ticket.lock_reason, "credit_hold")
        self.assertNotIn(move.name, self.customer.support_hold_label)
        self.customer.action_support_release()
        self.assertFalse(self.ticket.lock_reason)

    # === WHO MAY === #

    def test_staff_sees_it_and_may_not_decide(self):
        hold = self._hold(self.customer)
        staff = new_test_user(
            self.env,
            "hold_staff",
            "support_contract.group_support_user,helpdesk_mgmt.group_helpdesk_user",
        )
        seen = self.customer.with_user(staff)
        self.assertTrue(seen.support_hold)
        self.assertIn("credit hold", self.ticket.with_user(staff).lock_message)
        for action in (seen.action_support_release, seen.action_support_hold):
            with self.assertRaisesRegex(AccessError, "Only managers"):
                action()
        with self.assertRaises(AccessError):
            hold.write({"reason": "?"})

    @mute_logger("odoo.sql_db")
    def test_negative_days_are_refused(self):
        with self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self.company.support_hold_days = -1
            self.env.flush_all()
