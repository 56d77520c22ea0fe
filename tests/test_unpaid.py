# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts that must be paid before work begins (L37-L41)."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import freeze_time

from .common import BillingCommon


class UnpaidCommon(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "support_payment_required": True,
                "support_unpaid_reminder_hours": 24,
                "support_unpaid_cancel_hours": 72,
            }
        )
        cls.done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.cancelled = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_cancelled")
        cls.rejected = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_rejected")
        (cls.done | cls.cancelled | cls.rejected).write({"mail_template_id": False})

    def _make_prepaid(self, **vals):
        plan = self._make_plan(hours=2, fee=100.0, billing_mode="advance")
        return self._make_contract(plan, **vals)

    def _open_ticket(self, contract):
        return self._make_ticket(contract, opened=fields.Datetime.now())

    def _get_mails(self, record):
        return self.env["mail.mail"].search(
            [("model", "=", record._name), ("res_id", "in", record.ids)]
        )

    def _run_cron(self, model, name):
        self.cr.flush()
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            getattr(self.env[model].with_env(self.env(cr=cr, user=1)), name)()
        self.env.invalidate_all()


@freeze_time("2026-01-05 12:00:00")
class TestUnpaid(UnpaidCommon):
    def test_locked_from_the_fee_to_the_payment(self):  # L37
        contract = self._make_prepaid()
        self.assertTrue(contract.payment_pending)  # due, and not billed yet
        ticket = self._open_ticket(contract)
        self.assertEqual(ticket.lock_reason, "unpaid")
        with self.assertRaisesRegex(UserError, "is not paid. Register the payment"):
            self._log_work(ticket, "2026-01-05 12:00", 1)
        move = self._invoice(self._bill(contract, "2026-01-05"), post=True)
        self.cr.flush()
        self.assertEqual(ticket.lock_reason, "unpaid")
        self._register_payment(move)
        self.cr.flush()
        self.assertFalse(contract.payment_pending)
        self.assertFalse(ticket.lock_reason)
        self._log_work(ticket, "2026-01-05 12:00", 1)
        self.assertProved(contract)

    def test_a_payment_taken_back_locks_again(self):
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        move = self._invoice(self._bill(contract, "2026-01-05"), post=True)
        self._register_payment(move)
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)
        move.line_ids.remove_move_reconcile()
        self.cr.flush()
        self.assertEqual(ticket.lock_reason, "unpaid")

    def test_half_a_payment_is_none(self):
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        move = self._invoice(self._bill(contract, "2026-01-05"), post=True)
        self._register_payment(move, amount=10.0)
        self.cr.flush()
        self.assertEqual(ticket.lock_reason, "unpaid")

    def test_a_credited_bill_is_not_owed(self):
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        move = self._invoice(self._bill(contract, "2026-01-05"), post=True)
        move._reverse_moves(cancel=True)
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)

    def test_arrears_and_usage_lock_nothing(self):
        plan = self._make_plan(hours=1, fee=100.0, billing_mode="arrears")
        contract = self._make_contract(plan, start="2025-12-01")
        self._log_work(self._open_ticket(contract), "2026-01-05 12:00", 3)
        self._invoice(self._bill(contract, "2026-01-31"), post=True)
        self.assertFalse(self._open_ticket(contract).lock_reason)

    def test_nothing_of_this_where_no_payment_is_required(self):  # L38
        self.company.support_payment_required = False
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        self._invoice(self._bill(contract, "2026-01-05"), post=True)
        self.cr.flush()
        self.assertFalse(contract.payment_pending)
        self.assertFalse(ticket.lock_reason)
        with freeze_time("2026-03-05 12:00:00"):
            self._run_cron("helpdesk.ticket", "_cron_unpaid")
        self.assertFalse(ticket.closed)
        self.assertFalse(self._get_mails(ticket))

    def test_the_setting_switched_off_opens(self):
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        self.assertEqual(ticket.lock_reason, "unpaid")
        self.company.support_payment_required = False
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)

    def test_the_next_term_must_be_paid_when_it_has_begun(self):
        contract = self._make_prepaid()
        ticket = self._open_ticket(contract)
        self._register_payment(self._invoice(self._bill(contract, "2026-01-05"), post=True))
        self._bill(contract, "2026-02-01")  # early
        self.cr.flush()
        self.assertFalse(ticket.lock_reason)
        with freeze_time("2026-02-01 12:00:00"):
            self._roll(contract)
            self.cr.flush()
            self.assertEqual(ticket.lock_reason, "unpaid")

    def test_another_contract_chosen_by_hand_opens(self):
        ticket = self._open_ticket(self._make_prepaid())
        self.assertEqual(ticket.lock_reason, "unpaid")
        ticket.contract_id = self._make_contract()
        self.assertFalse(ticket.lock_reason)

    def test_queries_do_not_grow_with_the_contracts(self):
        plan = self._make_plan(fee=100.0, billing_mode="advance")
        contracts = self.env["support.contract"]
        for number in range(24):
            contracts |= self._make_contract(plan, partner=self._make_customer(f"C{number}"))
        self._bill(contracts, "2026-01-05")

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(some._get_unpaid(), some)
            return self.cr.sql_log_count - before

        count(contracts[:2])  # what is read once
        self.assertEqual(count(contracts[:4]), count(contracts[4:]))


class TestFollowUp(UnpaidCommon):
    @freeze_time("2026-01-05 12:00:00")
    def setUp(self):
        super().setUp()
        self.contract = self._make_prepaid()
        self.ticket = self._open_ticket(self.contract)
        self.assertEqual(self.ticket.lock_reason, "unpaid")

    def _follow_up(self, now):
        with freeze_time(now):
            self._run_cron("helpdesk.ticket", "_cron_unpaid")

    def test_reminded_once_then_cancelled(self):  # L39, L40
        self._follow_up("2026-01-06 11:00:00")
        self.assertFalse(self._get_mails(self.ticket))
        for now in ("2026-01-06 12:30:00", "2026-01-06 13:30:00"):
            self._follow_up(now)
            self.assertEqual(len(self._get_mails(self.ticket)), 1)
        self.assertIn("have not received your payment", self._get_mails(self.ticket).body_html)
        self._follow_up("2026-01-08 11:00:00")
        self.assertFalse(self.ticket.closed)
        self._follow_up("2026-01-08 12:31:00")
        self.assertEqual(self.ticket.stage_id, self.cancelled)
        self.assertIn(
            "it has waited 72 hours for a payment", "".join(self.ticket.message_ids.mapped("body"))
        )

    def test_a_late_job_reminds_before_it_cancels(self):
        self._follow_up("2026-02-05 12:00:00")
        self.assertFalse(self.ticket.closed)
        self.assertTrue(self.ticket.lock_reminded_at)
        self._follow_up("2026-02-06 12:00:00")
        self.assertFalse(self.ticket.closed)
        self._follow_up("2026-02-07 12:00:00")
        self.assertTrue(self.ticket.closed)

    def test_zero_means_never(self):
        self.company.write({"support_unpaid_reminder_hours": 0, "support_unpaid_cancel_hours": 0})
        self._follow_up("2026-06-05 12:00:00")
        self.assertFalse(self._get_mails(self.ticket))
        self.assertFalse(self.ticket.closed)

    def test_paid_meanwhile(self):
        with freeze_time("2026-01-06 10:00:00"):
            self._register_payment(
                self._invoice(self._bill(self.contract, "2026-01-05"), post=True)
            )
            self.cr.flush()
        self._follow_up("2026-02-05 12:00:00")
        self.assertFalse(self._get_mails(self.ticket))
        self.assertFalse(self.ticket.closed)

    def test_without_a_stage_somebody_is_asked(self):
        self.env["helpdesk.ticket.stage"].search([]).write({"returns_incident": False})
        for now in ("2026-01-06 13:00:00", "2026-01-09 12:30:00", "2026-01-09 13:30:00"):
            self._follow_up(now)
        self.assertFalse(self.ticket.closed)
        self.assertEqual(self.ticket.activity_ids.mapped("summary"), ["Cancel this unpaid ticket"])

    def test_cancelling_gives_the_incident_back(self):
        with freeze_time("2026-01-05 12:00:00"):
            self.team.requires_incident = True
            grant = self._make_grant(incidents=1)
            ticket = self._open_ticket(self.contract)
            self.assertEqual((ticket.lock_reason, grant.remaining), ("unpaid", 0))
        self._follow_up("2026-01-06 12:30:00")
        self._follow_up("2026-01-08 12:31:00")
        self.assertTrue(ticket.closed)
        self.assertEqual(grant.remaining, 1)


@freeze_time("2026-01-05 12:00:00")
class TestInvoiceReminder(UnpaidCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.support_invoice_reminder_days = 5

    def _make_invoice(self):
        term = self.env.ref("account.account_payment_term_30days")
        contract = self._make_prepaid(payment_term_id=term.id)
        return self._invoice(self._bill(contract, "2026-01-05"), post=True)

    def _remind(self, now):
        with freeze_time(now):
            self._run_cron("account.move", "_cron_remind_support_invoices")

    def test_reminded_once(self):  # L41
        move = self._make_invoice()
        self.assertEqual(str(move.invoice_date_due), "2026-01-31")
        self._remind("2026-01-25 12:00:00")
        self.assertFalse(self._get_mails(move))
        for now in ("2026-01-27 12:00:00", "2026-01-28 12:00:00"):
            self._remind(now)
            self.assertEqual(len(self._get_mails(move)), 1)
        self.assertIn(move.name, self._get_mails(move).subject)

    def test_paid_overdue_and_other_invoices_are_left_alone(self):
        paid, overdue = self._make_invoice(), self._make_invoice()
        self._register_payment(paid)
        other = self._create_invoice_one_line(price_unit=100.0, post=True)
        other.invoice_date_due = "2026-01-30"
        self._remind("2026-01-28 12:00:00")
        self.assertFalse(self._get_mails(paid | other))
        self.assertTrue(self._get_mails(overdue))
        overdue.support_reminded_at = False
        self._get_mails(overdue).unlink()
        self._remind("2026-02-05 12:00:00")
        self.assertFalse(self._get_mails(overdue))

    def test_switched_off(self):
        self.company.support_invoice_reminder_days = 0
        move = self._make_invoice()
        self._remind("2026-01-30 12:00:00")
        self.assertFalse(self._get_mails(move))
