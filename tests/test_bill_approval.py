# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Bills that the customer approves: asked by mail, answered by him, for him, or in time."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import BillingCommon

CRON = "odoo.addons.support_contract.models.support_bill_approval"


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBillApproval(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(
            hours=5,
            fee=100,
            rates=[cls._rate("price", 70.0)],
            bill_approval="customer",
            bill_approval_days=5,
        )
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls._log_work(cls.ticket, "2026-01-10 10:00", 6)
        cls.boss = cls.env["res.partner"].create({"name": "Boss", "parent_id": cls.customer.id})
        cls.bills = cls.env["support.bill"]

    def _submit(self, ask=True):
        bill = self._bill(self.contract, "2026-02-01")
        bill.action_submit()
        if ask:
            self._cron("_cron_ask_customers")
        return bill

    def _cron(self, name):
        """Run a job in a transaction of its own, in which it commits."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            getattr(self.env(cr=cr, su=True)["support.bill"], name)()  # as the scheduler
        self.env.invalidate_all()

    def _get_mails(self, bill):
        return self.env["mail.mail"].search([("model", "=", bill._name), ("res_id", "=", bill.id)])

    def _get_texts(self, bill):
        return " ".join(bill.message_ids.mapped("body"))

    # === ASKING === #

    def test_the_contract_takes_the_days_from_its_plan(self):
        self.assertEqual(self.contract.bill_approval_days, 5)
        with self.assertRaisesRegex(ValidationError, "can't be negative"):
            self.contract.bill_approval_days = -1

    def test_customer_gets_the_bill_and_a_deadline(self):
        bill = self._submit()
        self.assertEqual((bill.state, bill.approval_deadline), ("to_approve", date(2026, 2, 7)))
        mail = self._get_mails(bill)
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertIn("02/07/2026", mail.body_html)
        self.assertIn("170.00", mail.body_html)
        self.assertTrue(mail.attachment_ids)

    def test_he_is_asked_once(self):
        bill = self._submit()
        self._cron("_cron_ask_customers")
        self.assertEqual(len(self._get_mails(bill)), 1)

    def test_submitting_sends_nothing_itself(self):  # T52
        triggers = [("cron_id", "=", self.env.ref("support_contract.cron_ask_customers").id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        bill = self._submit(ask=False)
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), before + 1)
        self.assertFalse(self._get_mails(bill))

    def test_no_address_is_said_and_stops_nobody(self):
        self.customer.email = False
        bill = self._submit()
        self.assertIn("no e-mail address", bill.approval_problem)
        self.assertEqual(bill.activity_ids.user_id, self.env.user)
        self.assertFalse(bill.approval_deadline)
        with self.assertRaisesRegex(UserError, "no e-mail address"), self.env.cr.savepoint():
            bill.action_ask_customer()
        self.customer.email = "lumen@example.com"
        bill.action_ask_customer()
        self.assertEqual(len(self._get_mails(bill)), 1)
        self.assertFalse(bill.approval_problem)

    @mute_logger(CRON)
    def test_a_broken_bill_does_not_stop_the_others(self):  # T6
        other = self._make_contract(self.plan.copy(), partner=self._make_customer("Other Ltd"))
        first = self._submit(ask=False)
        second = self._bill(other, "2026-02-01")
        second.action_submit()
        broken = type(first)._ask_customer

        def ask(bill):
            if bill == first:
                raise ValueError("broken")
            return broken(bill)

        self.patch(type(first), "_ask_customer", ask)
        self._cron("_cron_ask_customers")
        self.assertIn("broken", first.approval_problem)
        self.assertTrue(second.approval_asked_at)

    def test_others_than_the_customer_are_not_asked(self):
        self.contract.bill_approval = "manager"
        bill = self._submit()
        self.assertFalse(self._get_mails(bill))

    # === THE ANSWER === #

    def test_customer_approves(self):
        bill = self._submit()
        bill._customer_approves(self.boss)
        self.assertEqual((bill.state, bill.answered_by_id), ("approved", self.boss))
        self.assertIn("Approved by", self._get_texts(bill))
        self._invoice(bill.filtered(lambda b: b.state == "to_approve"))
        bill.action_invoice()
        bill.move_id.action_post()
        self.assertProved(self.contract)

    def test_nobody_else_answers(self):
        bill = self._submit()
        stranger = self._make_customer("Stranger Ltd")
        with self.assertRaises(AccessError):
            bill._customer_approves(stranger)
        with self.assertRaises(AccessError):
            bill._customer_disputes(stranger, "No")
        self.assertEqual(bill.state, "to_approve")

    def test_answered_once(self):
        bill = self._submit()
        bill._customer_approves(self.boss)
        with self.assertRaisesRegex(UserError, "doesn't wait"):
            bill._customer_approves(self.boss)
        with self.assertRaisesRegex(UserError, "doesn't wait"):
            bill._customer_disputes(self.boss, "No")

    def test_customer_disputes_the_bill_and_a_line(self):
        bill = self._submit()
        charge = bill.charge_ids.filtered(lambda charge: charge.kind == "overage")
        bill._customer_disputes(self.boss, "Too much", {charge: "Nobody was here"})
        self.assertTrue(bill.disputed)
        self.assertEqual(bill.state, "to_approve")
        self.assertIn("Too much", bill.dispute_text)
        self.assertEqual(charge.dispute, "Nobody was here")
        self.assertEqual(bill.activity_ids.user_id, self.contract.user_id)
        with self.assertRaisesRegex(UserError, "Say what is wrong"):
            bill._customer_disputes(self.boss, " ")

    def test_lines_of_other_bills_are_not_disputed(self):
        bill = self._submit()
        other = self._make_contract(self.plan.copy(), partner=self._make_customer("Other Ltd"))
        charge = self._bill(other, "2026-02-01").charge_ids
        with self.assertRaises(AccessError):
            bill._customer_disputes(self.boss, "No", {charge: "No"})

    def test_manager_records_the_answer(self):
        bill = self._submit()
        action = bill.action_record_answer()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        self.assertEqual(form.partner_id, self.customer)
        form.answer = "disputed"
        with form.line_ids.edit(1) as line:
            line.text = "Nobody was here"
        form.save().action_record()
        self.assertTrue(bill.disputed)
        self.assertEqual(bill.charge_ids.filtered("dispute").dispute, "Nobody was here")
        wizard = self.env[action["res_model"]].create({"bill_id": bill.id})
        wizard.action_record()
        self.assertEqual((bill.state, bill.disputed), ("approved", False))

    def test_who_may_record_the_answer(self):
        bill = self._submit()
        reader = new_test_user(
            self.env(su=True), "reader_a", "support_contract.group_support_prices"
        )
        with self.assertRaises(AccessError):
            self.env["support.bill.answer.wizard"].with_user(reader).create({"bill_id": bill.id})
        with self.assertRaises(AccessError):
            bill.with_user(reader).action_ask_customer()

    def test_corrected_bill_is_asked_about_anew(self):
        bill = self._submit()
        bill._customer_disputes(self.boss, "Too much")
        bill.action_draft()
        bill.action_submit()
        self.assertFalse(bill.disputed or bill.dispute_text or bill.approval_asked_at)
        self._cron("_cron_ask_customers")
        self.assertEqual(len(self._get_mails(bill)), 2)

    def test_date_of_an_approved_bill_stays(self):
        bill = self._submit()
        bill.date = "2026-02-03"
        bill._customer_approves(self.boss)
        with self.assertRaisesRegex(UserError, "its date can't change"):
            bill.date = "2026-02-04"

    # === IN TIME === #

    def test_no_answer_is_an_approval_where_agreed(self):
        bill = self._submit()
        with freeze_time("2026-02-07 12:00:00"):
            self._cron("_cron_approve_due")
            self.assertEqual(bill.state, "to_approve")
        with freeze_time("2026-02-08 12:00:00"):
            self._cron("_cron_approve_due")
            self.assertEqual(bill.state, "approved")
        self.assertIn("Approved automatically", self._get_texts(bill))

    def test_without_agreement_only_an_answer_counts(self):
        self.contract.bill_approval_days = 0
        bill = self._submit()
        self.assertFalse(bill.approval_deadline)
        with freeze_time("2027-02-08 12:00:00"):
            self._cron("_cron_approve_due")
        self.assertEqual(bill.state, "to_approve")

    def test_disputed_bill_is_not_approved_by_time(self):
        bill = self._submit()
        bill._customer_disputes(self.boss, "Too much")
        with freeze_time("2026-02-20 12:00:00"):
            self._cron("_cron_approve_due")
        self.assertEqual(bill.state, "to_approve")

    def test_deadline_is_a_day_of_the_customer(self):
        partner = self._make_customer("Far Ltd", tz="Pacific/Honolulu")
        contract = self._make_contract(self.plan.copy(), partner=partner)
        bill = self._bill(contract, "2026-02-01")
        bill.action_submit()
        self._cron("_cron_ask_customers")
        self.assertEqual(bill.approval_deadline, date(2026, 2, 7))
        with freeze_time("2026-02-08 06:00:00"):  # still the 7th there
            self._cron("_cron_approve_due")
        self.assertEqual(bill.state, "to_approve")

    def test_new_version_of_an_invoiced_bill_asks_the_customer_again(self):
        self.company.support_post_invoices = True
        bill = self._submit()
        bill._customer_approves(self.boss)
        bill.action_invoice()
        self.plan.rate_ids.price = 90
        version = self.bills.browse(bill.action_regenerate()["res_id"])
        version.action_make_main()
        self.assertEqual((bill.state, version.state), ("credited", "to_approve"))
        version._customer_approves(self.boss)
        version.action_invoice()
        self.assertEqual(version.move_id.amount_untaxed, 190)
        self.assertProved(self.contract)
