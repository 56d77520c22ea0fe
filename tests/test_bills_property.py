# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whatever managers do with debts and bills, the money stays the same.

Each example plays random steps on the charges and bills of a contract while the months go by:
debts are carried, whole or in part, and taken back; activities are cancelled and charged again;
credits are given; work is recorded, edited and deleted; bills are made, cancelled, approved,
invoiced, regenerated and replaced. What is refused changes nothing. In between and at the end, the
charges are what is billed plus what is open, every bill has the picture of a credit card, and once
all is invoiced the invoices are the charges. More examples are tried with SUPPORT_EXAMPLES=200.
"""

import os
from datetime import datetime, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..tools.money import less, round_to
from .common import BillingCommon
from .test_what_ifs import WizardMixin

FIRST_DAY = datetime(2026, 1, 5, 9)

examples = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "6")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
picks = st.integers(0, 9)
hours = st.integers(1, 6)
works = st.tuples(st.just("work"), st.integers(0, 27), hours)
steps = st.one_of(
    works,
    st.tuples(st.just("lengthen"), picks, hours),
    st.tuples(st.just("redate"), picks, st.integers(0, 60)),
    st.tuples(st.just("delete"), picks),
    st.tuples(st.just("carry"), picks),
    st.tuples(st.just("carry"), picks),
    st.tuples(st.just("part"), picks, st.integers(-10, 30000)),
    st.tuples(st.just("undo"), picks),
    st.tuples(st.just("cancel"), picks),
    st.tuples(st.just("restore"), picks),
    st.tuples(st.just("credit"), st.integers(0, 9000), st.sampled_from(["next", "current", "now"])),
    st.tuples(st.just("bill")),
    st.tuples(st.just("bill")),
    st.tuples(st.just("submit"), picks),
    st.tuples(st.just("call_off"), picks),
    st.tuples(st.just("draft"), picks),
    st.tuples(st.just("invoice"), picks),
    st.tuples(st.just("regenerate"), picks),
    st.tuples(st.just("make_main"), picks),
    st.tuples(st.just("fee"), st.integers(0, 4000)),
    st.tuples(st.just("discount"), st.integers(0, 10000)),
    st.tuples(st.just("month")),
)
scripts = st.tuples(
    st.lists(works, min_size=3, max_size=4),
    st.lists(steps, min_size=6, max_size=16),
).map(lambda parts: [*parts[0], ("month",), ("bill",), *parts[1]])


@tagged("post_install", "-at_install")
class TestBillsProperty(WizardMixin, BillingCommon):
    # === WHAT PEOPLE DO === #

    def _step_work(self, days, length):
        line = self._log_work(
            self.ticket, (self.month + timedelta(days=days)).strftime("%Y-%m-%d %H:%M"), length
        )
        self.lines += line

    def _step_lengthen(self, pick, length):
        self._pick(self.lines.exists(), pick).unit_amount = length

    def _step_redate(self, pick, days):
        self._pick(self.lines.exists(), pick).work_start = FIRST_DAY + timedelta(days=days)

    def _step_delete(self, pick):
        self._pick(self.lines.exists(), pick).unlink()

    def _step_carry(self, pick):
        self._carry(self._pick_charge(pick))

    def _step_part(self, pick, cents):
        self._carry(self._pick_charge(pick), amount=cents / 100)

    def _step_undo(self, pick):
        self._take_back(self._pick(self.contract.transfer_ids, pick).action_undo())

    def _step_cancel(self, pick):
        self._cancel(self._pick_charge(pick))

    def _step_restore(self, pick):
        cancelled = self.contract.billed_charge_ids.filtered("cancelled_at").sorted("id")
        self._take_back(self._pick(cancelled, pick).action_restore_activity())

    def _step_credit(self, cents, when):
        self._give_credit(self.contract, cents / 100, when=when)

    def _step_bill(self):
        self.contract.action_generate_bill()

    def _step_submit(self, pick):
        self._pick(self._get_bills(), pick).action_submit()

    def _step_call_off(self, pick):
        self._pick(self._get_bills(), pick).action_cancel()

    def _step_draft(self, pick):
        self._pick(self._get_bills(), pick).action_draft()

    def _step_invoice(self, pick):
        bill = self._pick(self._get_bills(), pick)
        if bill.state in ("draft", "to_approve"):
            bill.action_approve()
        if bill.state == "approved":
            self.env["support.invoicing"]._create_invoices(bill).action_post()

    def _step_regenerate(self, pick):
        self._pick(self._get_bills(), pick).action_regenerate()

    def _step_make_main(self, pick):
        proposals = self._get_bills().filtered("is_proposal")
        if proposals:
            self._pick(proposals, pick).action_make_main()
        else:
            self._pick(self._get_bills(), pick).action_regenerate()
            self._get_bills().filtered("is_proposal").action_make_main()

    def _step_fee(self, cents):
        self.contract.line_ids.price_unit = cents / 100

    def _step_discount(self, hundredths):
        self.contract.discount = hundredths / 100

    def _step_month(self):
        self.month += relativedelta(months=1)

    def _pick(self, records, number):
        return records[number % len(records)] if records else records

    def _pick_charge(self, number):
        charges = self.contract.billed_charge_ids.filtered("amount")
        return self._pick(charges.sorted("id"), number)

    def _get_bills(self):
        return self.contract.bill_ids.sorted("id")

    # === WHAT HOLDS === #

    def _sum(self, amounts):
        return sum((Decimal(str(amount)) for amount in amounts), Decimal(0)).quantize(
            Decimal("0.01")
        )

    def assertBalanced(self):
        """Charges = bills that count + open ones; every bill has its picture."""
        self.env.flush_all()
        self.env.invalidate_all()
        charges = self.contract.billed_charge_ids.filtered(lambda c: not c.cancelled)
        bills = self.contract.bill_ids.filtered(
            lambda b: (
                b.state != "cancelled"
                and not b.is_proposal
                and not b.replaced_by_id
                and (b.is_main or b.kind == "immediate")
            )
        )
        unbilled = charges.filtered(lambda c: not c.bill_id)
        self.assertEqual(charges - unbilled, bills.charge_ids.filtered(lambda c: not c.cancelled))
        self.assertEqual(set(unbilled.mapped("state")) - {"open"}, set())
        billed = self._sum(bills.mapped("amount_untaxed"))
        self.assertEqual(
            self._sum(charges.mapped("amount")), billed + self._sum(unbilled.mapped("amount"))
        )
        for bill in self.contract.bill_ids:
            self._get_picture(bill)
        # What is carried lies in two bills, and is worth nothing in both together.
        parts = charges.filtered(lambda c: c.kind == "transfer")
        self.assertEqual(self._sum(parts.mapped("amount")), 0)
        for transfer in self.contract.transfer_ids:
            wanted = 2 if transfer.partial and transfer.state == "done" else 0
            self.assertEqual(len(transfer.part_ids), wanted)
        # Work costs what its rating says, wherever it is billed: 70.00 an hour, less a discount.
        for line in self.lines.exists():
            live = line.charge_ids.filtered(lambda c: not c.cancelled)
            due = live.filtered(lambda c: c.kind != "covered")
            alone = line.charge_ids.filtered("cancelled_at") and not line.support_cancelled_at
            if not line.support_cancelled_at and not alone:
                self.assertEqual(self._sum(live.mapped("hours")), self._sum([line.unit_amount]))
                for charge in due:
                    price = less(Decimal(str(charge.hours)) * 70, Decimal(str(charge.discount)))
                    self.assertEqual(charge.amount, float(round_to(price, Decimal("0.01"))))
        # What isn't approved costs what it does by the discount of now.
        works = self.contract.charge_ids.filtered(lambda c: c.kind in ("overage", "labour"))
        for charge in works.filtered(lambda c: c.state in ("open", "billed")):
            if not charge.time_entry_id._get_frozen():  # a part of it is approved: all of it stays
                self.assertEqual(charge.discount, self.contract.discount)

    def _invoice_all(self):
        """Let the months go by until all is billed, and invoice it."""
        for _month in range(12):
            self.month += relativedelta(months=1)
            with freeze_time(self.month):
                self.env["support.bill"]._generate(self.contract, self.month.date())
                for version in self.contract.bill_ids.filtered("is_proposal"):
                    version.action_discard_version()
                waiting = self.contract.bill_ids.filtered(
                    lambda b: b.state in ("draft", "to_approve")
                )
                waiting.action_approve()
                due = self.contract.bill_ids.filtered(lambda b: b.state == "approved")
                if due:
                    self.env["support.invoicing"]._create_invoices(due).action_post()
            if not self.contract.billed_charge_ids.filtered(lambda c: c.state == "open"):
                break

    def assertAllInvoiced(self):
        charges = self.contract.billed_charge_ids.filtered(lambda c: not c.cancelled)
        self.assertLessEqual(set(charges.mapped("state")), {"invoiced"})
        moves = self.contract.bill_ids.move_ids.filtered(lambda move: move.state == "posted")
        invoiced = self._sum(moves.mapped("amount_untaxed_in_currency_signed"))
        self.assertEqual(invoiced, self._sum(charges.mapped("amount")))
        self.assertProved(self.contract)

    def _play(self, terms, script):
        savepoint = self.env.cr.savepoint()
        try:
            self.month = FIRST_DAY
            self.lines = self.env["account.analytic.line"]
            with freeze_time(self.month):
                plan = self._make_plan(fee=20, rates=[self._rate("price", 70.0)], **terms)
                self.contract = self._make_contract(plan, partner=self._make_customer("Ohm Ltd"))
                self.ticket = self._make_ticket(self.contract)
            for name, *values in script:
                with freeze_time(self.month):
                    self._roll(self.contract)
                    try:
                        with self.env.cr.savepoint():
                            getattr(self, f"_step_{name}")(*values)
                    except UserError:
                        self.env.invalidate_all()  # refused, and nothing half-done
                    self.assertBalanced()
            self._invoice_all()
            self.assertBalanced()
            self.assertAllInvoiced()
        finally:
            savepoint.rollback()
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    @examples
    @given(scripts)
    def test_money_stays_the_same_in_arrears(self, script):
        self._play({"hours": 2}, script)

    @examples
    @given(scripts)
    def test_money_stays_the_same_in_advance(self, script):
        self._play({"billing_mode": "advance"}, script)
