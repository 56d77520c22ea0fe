# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Debts that are carried to the next term (Q10, Q11, Q14), and what is refused."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MANAGER_GROUPS, BillingCommon
from .test_what_ifs import WizardMixin


class TransferCommon(WizardMixin, BillingCommon):
    """January: 2 h for 140.00 and 3 h for 210.00, on a bill in draft on the first of February."""

    terms = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time("2026-02-01 12:00:00"))
        cls.plan = cls._make_plan(rates=[cls._rate("price", 70.0)], **cls.terms)
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls.small = cls._log_work(cls.ticket, "2026-01-06 09:00", 2)
        cls.large = cls._log_work(cls.ticket, "2026-01-07 09:00", 3)
        cls.bill = cls._bill(cls.contract, "2026-02-01")
        cls.debt = cls.large.charge_ids
        cls.colleague = new_test_user(
            cls.env(su=True),
            "support_colleague",
            ",".join(MANAGER_GROUPS),
            company_id=cls.company.id,
            company_ids=[cls.company.id],
        )

    def _bill_on(self, day, contract=None):
        with freeze_time(f"{day} 12:00:00"):
            return self._bill(contract or self.contract, day)

    def _get_transfer(self, charge=None):
        return (charge or self.debt).transfer_ids.sorted("id")[-1:]


@tagged("post_install", "-at_install")
class TestTransfer(TransferCommon):
    # === A PART === #

    def test_part_is_taken_off_here_and_charged_there(self):
        self._carry(self.debt, amount=150.0)
        self.assertIn("A part of", self.preview)
        self.assertEqual(self._get_picture(self.bill), (0, 350, 150, 0, 200))
        self.assertEqual(self.debt.billing_term_id.number, 0)
        out, into = self._get_transfer().part_ids.sorted("amount")
        self.assertEqual((out.amount, into.amount), (-150, 150))
        self.assertEqual((out + into).product_id, self.debt.product_id)
        self.assertEqual(out.carried_label, "to be charged in next invoice")
        february = self._bill_on("2026-03-01")
        self.assertEqual(self._get_picture(february), (150, 0, 0, 0, 150))
        moves = [self._invoice(bill, post=True) for bill in (self.bill, february)]
        self.assertEqual([move.amount_untaxed for move in moves], [200, 150])
        self.assertEqual([move.amount_tax for move in moves], [30, 22.5])
        self.assertProved(self.contract)

    def test_work_is_rated_on_while_a_part_of_it_is_carried(self):
        self._carry(self.debt, amount=150.0)
        self.large.unit_amount = 4
        self.assertEqual(self._get_picture(self.bill), (0, 420, 150, 0, 270))
        self.large.unlink()
        transfer = self.contract.transfer_ids
        self.assertEqual((transfer.state, transfer.part_ids.ids), ("undone", []))
        self.assertEqual(self._get_picture(self.bill), (0, 140, 0, 0, 140))
        self.assertProved(self.contract)

    def test_work_that_shrinks_below_the_part_is_told(self):
        """Its bill takes off more than stands on it: sums stay right, and a manager is told."""
        self.contract.user_id = self.colleague
        self._carry(self.debt, amount=150.0)
        activities = self.contract.activity_ids
        self.large.unit_amount = 2.5
        self.assertEqual(self.contract.activity_ids, activities)
        self.large.unit_amount = 2
        self.assertEqual(self._get_picture(self.bill), (0, 280, 150, 0, 130))
        told = self.contract.activity_ids - activities
        self.assertEqual(told.user_id, self.colleague)
        self.assertIn("10.00", told.note)
        self.assertEqual(self.debt.carried_label, "more was carried on than is left")
        self.large.unit_amount = 1
        self.assertEqual(self.contract.activity_ids - activities, told)
        self.assertProved(self.contract)
        self.large.unit_amount = 3
        self.assertFalse(told.exists())
        self.large.unit_amount = 1
        told = self.contract.activity_ids - activities
        self.assertEqual(len(told), 1)
        self._take_back(self._get_transfer().action_undo())
        self.assertFalse(told.exists())
        self.assertFalse(self.debt.carried_label)
        self.assertProved(self.contract)

    def test_several_parts_stay_below_the_whole(self):
        self._carry(self.debt, amount=150.0)
        with self.assertRaisesRegex(UserError, "above 0 and below"):
            self._carry(self.debt, amount=60.0)
        with self.assertRaisesRegex(UserError, "A part of .* has been carried already"):
            self._carry(self.debt)
        self._carry(self.debt, amount=59.99)
        self.assertEqual(self.bill.amount_untaxed, 140.01)

    def test_parts_of_nothing_or_too_much_are_refused(self):
        for amount in (-10.0, 210.01, 500.0):
            with self.assertRaisesRegex(UserError, "above 0 and below"):
                self._carry(self.debt, amount=amount)
        self.assertFalse(self.contract.transfer_ids)

    def test_ticket_charge_is_carried_as_a_whole(self):
        self.ticket.charge_amount = 115.0
        charge = self.ticket.ticket_charge_ids
        self.assertEqual(charge.amount, 100.0)
        with self.assertRaisesRegex(UserError, "carry it as a whole"):
            self._carry(charge, amount=50.0)
        with freeze_time("2026-02-10"):
            self._carry(charge)
        self.assertEqual(charge.billing_term_id.number, 2)
        march = self._bill_on("2026-04-01").filtered(lambda b: b.term_id.number == 2)
        self.assertEqual(self._invoice(march, post=True).amount_total, 115.0)
        self.assertProved(self.contract)

    # === AGAIN, AND BACK === #

    def test_it_may_be_repeated_and_is_counted(self):
        self._carry(self.debt)
        february = self._bill_on("2026-03-01")
        with freeze_time("2026-03-01 12:00:00"):
            self._carry(self.debt, bill=february)
        self.assertIn("for the 2. time", self.preview)
        self.assertEqual(self.debt.transfer_count, 2)
        self.assertEqual(self._get_picture(february), (210, 0, 210, 0, 0))
        march = self._bill_on("2026-04-01")
        self.assertEqual(self._get_picture(march), (210, 0, 0, 0, 210))
        self.assertEqual(self.debt.carried_label, f"carried from {february.term_id.display_name}")
        (self.bill + february).action_approve()
        self.assertEqual(february.state, "settled")
        moves = self._invoice(march, post=True)
        self.assertEqual(moves.amount_untaxed, 210)
        self.assertEqual(self._get_picture(february), (210, 0, 210, 0, 0))
        self.assertProved(self.contract)

    def test_carried_part_may_be_carried_on(self):
        self._carry(self.debt, amount=150.0)
        february = self._bill_on("2026-03-01")
        into = february.charge_ids
        with freeze_time("2026-03-01 12:00:00"):
            self._carry(into, bill=february)
        self.assertEqual(into.transfer_count, 2)
        self.assertEqual(self._get_picture(february), (150, 0, 150, 0, 0))
        with self.assertRaisesRegex(UserError, "take the later transfer back first"):
            self._take_back(self._get_transfer().action_undo())

    def test_undo_brings_it_back_to_its_bill(self):
        self._carry(self.debt)
        transfer = self._get_transfer()
        self.assertTrue(transfer.can_undo)
        self._take_back(transfer.action_undo(), reason="He can pay")
        self.assertEqual((self.debt.bill_id, self.debt.transfer_count), (self.bill, 0))
        self.assertEqual(self._get_picture(self.bill), (0, 350, 0, 0, 350))
        self.assertEqual((transfer.state, self.contract.change_ids[0].kind), ("undone", "undo"))
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            self._take_back(transfer.action_undo())

    def test_undo_of_a_part(self):
        self._carry(self.debt, amount=150.0)
        self._bill_on("2026-03-01")
        self._take_back(self._get_transfer().action_undo())
        self.assertEqual(self._get_picture(self.bill), (0, 350, 0, 0, 350))
        self.assertFalse(self.contract.charge_ids.filtered(lambda c: c.kind == "transfer"))
        self.assertProved(self.contract)

    def test_the_later_one_is_undone_first(self):
        self._carry(self.debt)
        first = self._get_transfer()
        february = self._bill_on("2026-03-01")
        with freeze_time("2026-03-01 12:00:00"):
            self._carry(self.debt, bill=february)
        self.assertFalse(first.can_undo)
        with self.assertRaisesRegex(UserError, "take the later transfer back first"):
            self._take_back(first.action_undo())
        self._take_back(self._get_transfer().action_undo())
        self.assertEqual(self.debt.bill_id, february)
        self._take_back(first.action_undo())
        self.assertEqual(self.debt.bill_id, self.bill)

    def test_no_undo_after_either_bill_is_approved(self):
        self._carry(self.debt)
        transfer = self._get_transfer()
        february = self._bill_on("2026-03-01")
        february.action_approve()
        with self.assertRaisesRegex(UserError, f"{february.name}, which is approved"):
            self._take_back(transfer.action_undo())
        february.action_draft()
        self.bill.action_approve()
        with self.assertRaisesRegex(UserError, f"{self.bill.name} that it left is closed"):
            self._take_back(transfer.action_undo())
        self.assertEqual(self.debt.bill_id, february)

    # === WHAT IS REFUSED === #

    def test_from_an_invoiced_bill(self):
        self._invoice(self.bill, post=True)
        with self.assertRaisesRegex(UserError, "Cancel or credit the bill first"):
            self._carry(self.debt)

    def test_to_a_term_whose_bill_is_approved(self):
        self._log_work(self.ticket, "2026-02-01 09:00", 1)
        february = self._bill_on("2026-03-01")
        february.action_approve()
        with self.assertRaisesRegex(UserError, f"its bill {february.name} is approved"):
            self._carry(self.debt)
        february.action_draft()
        self._carry(self.debt)
        self.assertEqual(self.debt.bill_id, february)
        self.assertEqual(self._get_picture(february), (210, 70, 0, 0, 280))

    def test_after_the_last_term_only_to_a_renewal(self):
        self.contract.date_end = "2026-01-31"
        with self.assertRaisesRegex(UserError, "Renew the contract and confirm the renewal"):
            self._carry(self.debt)
        renewal = self.contract.copy(
            {"date_start": "2026-02-01", "renews_id": self.contract.id, "date_end": False}
        )
        with self.assertRaisesRegex(UserError, "Renew the contract and confirm the renewal"):
            self._carry(self.debt)
        renewal.action_confirm()
        self._carry(self.debt)
        self.assertEqual(self.debt.billing_contract_id, renewal)
        self.assertEqual(self._get_picture(self.bill), (0, 350, 210, 0, 140))
        self.large.unit_amount = 4  # it stays with the renewal when it is rated again
        bill = self._bill_on("2026-03-01", renewal)
        self.assertEqual(self._get_picture(bill), (280, 0, 0, 0, 280))
        self.assertEqual(self._invoice(bill, post=True).amount_untaxed, 280)
        self.assertProved(self.contract + renewal)

    def test_pending_renewal_with_debts_is_not_called_off(self):
        self.contract.date_end = "2026-02-28"
        renewal = self.contract.copy(
            {"date_start": "2026-03-01", "renews_id": self.contract.id, "date_end": False}
        )
        renewal.action_confirm()
        self.assertEqual(renewal.state, "pending")
        self._carry(self.debt)
        self._carry(self.debt)
        self.assertEqual((self.debt.billing_contract_id, self.debt.transfer_count), (renewal, 2))
        with self.assertRaisesRegex(UserError, "Take them back first"):
            renewal.action_cancel()
        self._take_back(self._get_transfer().action_undo())
        self.assertEqual(self.debt.billing_term_id, self.contract.term_ids[1])
        renewal.action_cancel()

    def test_to_a_renewal_in_another_currency(self):
        self.contract.date_end = "2026-01-31"
        euro = self.setup_other_currency("EUR")
        renewal = self.contract.copy(
            {"date_start": "2026-02-01", "renews_id": self.contract.id, "date_end": False}
        )
        renewal.currency_id = euro
        renewal.action_confirm()
        with self.assertRaisesRegex(UserError, "is billed in EUR"):
            self._carry(self.debt)

    def test_charges_of_two_contracts_at_once(self):
        other = self._make_contract(self.plan, partner=self._make_customer("Other Ltd"))
        line = self._log_work(self._make_ticket(other), "2026-01-07 09:00", 3)
        with self.assertRaisesRegex(UserError, "Choose charges of one contract"):
            (self.debt + line.charge_ids).action_carry()

    def test_nothing_ticked_and_nothing_twice(self):
        form = self._open_form(self.bill.action_carry())
        form.reason = "Nothing"
        with self.assertRaisesRegex(UserError, "Tick at least one"):
            form.save().action_carry()
        wizard = self._carry(self.debt)
        wizard.action_carry()  # the same request, sent twice (T28)
        self.assertEqual(len(self.contract.transfer_ids), 1)
        self.assertEqual(self.debt.billing_term_id.number, 1)

    # === WORK THAT CHANGES === #

    def test_carried_charge_follows_its_work(self):
        self._carry(self.debt)
        self.large.unit_amount = 4
        self.assertEqual((self.debt.amount, self.debt.billing_term_id.number), (280, 1))
        self.assertEqual(self._get_picture(self.bill), (0, 420, 280, 0, 140))
        self.bill.action_approve()
        self.large.unit_amount = 5  # what was approved stays as it was printed
        self.assertEqual(self._get_picture(self.bill), (0, 420, 280, 0, 140))
        self.assertEqual(self.debt.amount, 350)

    def test_record_outlives_its_work(self):
        self._carry(self.debt)
        transfer = self._get_transfer()
        self.large.unlink()
        self.assertTrue(transfer.exists())
        self.assertEqual(
            (transfer.state, transfer.amount, transfer.charge_id.id), ("undone", 210, False)
        )
        self.assertEqual(self._get_picture(self.bill), (0, 140, 0, 0, 140))
        with self.assertRaisesRegex(UserError, "is kept"):
            transfer.sudo().unlink()
        with self.assertRaisesRegex(UserError, "never edited"):
            transfer.sudo().reason = "Other"

    def test_bill_that_waits_is_looked_at_again(self):
        self.contract.bill_approval = "manager"
        self.bill.action_submit()
        self.assertEqual(self.bill.state, "to_approve")
        self._carry(self.debt)
        self.assertEqual(self.bill.state, "draft")

    def test_bill_cancelled_and_made_again(self):
        self._carry(self.debt)
        self._carry(self.small.charge_ids, amount=40.0)
        self.bill.action_cancel()
        bill = self._bill_on("2026-02-01")
        self.assertEqual(self._get_picture(bill), (0, 350, 250, 0, 100))
        self.assertProved(self.contract)

    # === WHO === #

    def test_staff_carries_nothing(self):
        staff = new_test_user(
            self.env(su=True),
            "support_staff",
            "support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[self.company.id],
        )
        self._carry(self.debt)
        with self.assertRaises(AccessError):
            self._get_transfer().with_user(staff).read(["amount"])
        for model in (
            "support.transfer.wizard",
            "support.activity.cancel.wizard",
            "support.credit.wizard",
        ):
            with self.assertRaises(AccessError):
                self.env[model].with_user(staff).create(
                    {"contract_id": self.contract.id, "reason": "Mine"}
                )
        with self.assertRaises(AccessError):
            self._get_transfer().with_user(staff).action_approve()
        self.assertNotIn("210", self.contract.change_ids[0].summary)

    def test_managers_write_no_transfers_by_hand(self):
        self._carry(self.debt)
        with self.assertRaises(AccessError):
            self._get_transfer().with_user(self.colleague).write({"state": "undone"})


@tagged("post_install", "-at_install")
class TestTransferInAdvance(TransferCommon):
    """Billed in advance: the usage of January comes on the bill of February."""

    terms = {"billing_mode": "advance"}

    def test_carried_to_a_term_that_is_not_there_yet(self):
        late = self._log_work(self.ticket, "2026-02-01 08:00", 1)
        charge = late.charge_ids
        self.assertEqual(charge.billing_term_id.number, 2)
        self._carry(charge)
        self.assertEqual(charge.billing_term_id.number, 3)
        self._roll(self.contract)  # what was made ahead stays
        late.unit_amount = 2
        self.assertEqual((charge.billing_term_id.number, charge.amount), (3, 140))
        march = self._bill_on("2026-03-01")
        self.assertFalse(march)
        april = self._bill_on("2026-04-01")
        self.assertEqual(self._get_picture(april), (140, 0, 0, 0, 140))
        self.assertProved(self.contract)

    def test_work_that_was_not_carried_follows_its_day(self):
        late = self._log_work(self.ticket, "2026-02-01 08:00", 1)
        with freeze_time("2026-03-02"):
            self._roll(self.contract)
            late.work_start = "2026-03-01 08:00:00"
        self.assertEqual(late.charge_ids.billing_term_id.number, 3)


@tagged("post_install", "-at_install")
class TestTransferLimits(TransferCommon):
    """One time, and 200.00 out of a term, are free; beyond that another manager must approve."""

    terms = {"transfer_limit_count": 1, "transfer_limit_amount": 200.0}

    def test_contract_takes_the_limits_of_its_plan(self):
        contract = self.contract
        self.assertEqual((contract.transfer_limit_count, contract.transfer_limit_amount), (1, 200))

    def test_within_the_limits_a_manager_just_does_it(self):
        self._carry(self.small.charge_ids)
        self.assertEqual(self.bill.amount_untaxed, 210)

    def test_beyond_the_amount_nothing_moves_before_it_is_approved(self):
        self._carry(self.debt)
        self.assertIn("Another manager must approve it", self.preview)
        transfer = self._get_transfer()
        self.assertEqual((transfer.state, self.debt.bill_id), ("to_approve", self.bill))
        self.assertEqual(self.contract.transfers_to_approve, 1)
        self.assertIn(transfer.activity_id, self.contract.activity_ids)
        with self.assertRaisesRegex(UserError, "waits already"):
            self._carry(self.debt)
        with self.assertRaisesRegex(AccessError, "another manager must approve"):
            transfer.action_approve()
        transfer.with_user(self.colleague).action_approve()
        self.assertEqual((transfer.state, transfer.approved_by_id), ("done", self.colleague))
        self.assertEqual(self.bill.amount_untaxed, 140)
        self.assertNotIn(transfer.activity_id, self.contract.activity_ids)
        with self.assertRaisesRegex(UserError, "doesn't wait"):
            transfer.with_user(self.colleague).action_approve()

    def test_limit_is_of_the_term_and_not_of_each_transfer(self):
        self._carry(self.small.charge_ids)
        self._carry(self.debt, amount=60.0)
        self.assertEqual(self._get_transfer().state, "done")
        self._carry(self.debt, amount=0.01)
        self.assertEqual(self._get_transfer().state, "to_approve")

    def test_beyond_the_number_of_times(self):
        self._carry(self.small.charge_ids)
        february = self._bill_on("2026-03-01")
        with freeze_time("2026-03-01 12:00:00"):
            self._carry(self.small.charge_ids, bill=february)
        self.assertIn("for the 2. time", self.preview)
        self.assertEqual(self._get_transfer(self.small.charge_ids).state, "to_approve")
        self.assertEqual(february.amount_untaxed, 140)

    def test_refused_with_the_reason(self):
        self._carry(self.debt)
        transfer = self._get_transfer().with_user(self.colleague)
        action = transfer.action_refuse()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.colleague)
            .with_context(**action["context"])
            .create({"reason": "He always pays late"})
        )
        wizard.action_take_back()
        self.assertEqual((transfer.state, self.debt.bill_id), ("refused", self.bill))
        change = self.contract.change_ids[0]
        self.assertEqual((change.reason, change.user_id), ("He always pays late", self.colleague))
        self._carry(self.debt, amount=100.0)  # it may be asked for again

    def test_not_approved_any_more_after_the_bill_is(self):
        self._carry(self.debt)
        self.bill.action_approve()
        with self.assertRaisesRegex(UserError, "Cancel or credit the bill first"):
            self._get_transfer().with_user(self.colleague).action_approve()
