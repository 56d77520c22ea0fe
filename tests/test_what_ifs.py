# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The what-ifs of the worked example (Q10-Q15): 525.00 is adjusted before the invoice exists."""

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .test_worked_example import WorkedExampleCommon


class WizardMixin:
    """The wizards as a manager uses them: buttons and forms."""

    def _open_form(self, action):
        return Form(self.env[action["res_model"]].with_context(**action["context"]))

    def _carry(self, charges, amount=None, reason="Agreed with the customer", bill=None):
        """Tick charges in the wizard of a bill or of the charges, and confirm."""
        form = self._open_form((bill or charges).action_carry())
        if bill or amount:
            for index, line in enumerate(form.line_ids._records):
                if line["charge_id"] in charges.ids:
                    with form.line_ids.edit(index) as row:
                        row.chosen = True
                        row.amount = amount or row.amount
        form.reason, self.preview = reason, form.preview
        wizard = form.save()
        wizard.action_carry()
        return wizard

    def _cancel(self, charges, reason="Not satisfied", bill=None):
        action = bill.action_cancel_activities() if bill else charges.action_cancel_activity()
        form = self._open_form(action)
        if bill:
            for index, line in enumerate(form.line_ids._records):
                if line["charge_id"] in charges.ids:
                    with form.line_ids.edit(index) as row:
                        row.chosen = True
        form.reason, self.preview = reason, form.preview
        wizard = form.save()
        wizard.action_cancel_activities()
        return wizard

    def _take_back(self, action, reason="After all"):
        form = self._open_form(action)
        form.reason, self.preview = reason, form.preview
        wizard = form.save()
        wizard.action_take_back()
        return wizard

    def _give_credit(self, contract, amount, when="next", **vals):
        form = self._open_form(contract.action_give_credit())
        form.amount, form.when, form.reason = amount, when, "We came late"
        for name, value in vals.items():
            setattr(form, name, value)
        wizard = form.save()
        wizard.action_give_credit()
        return contract.charge_ids.filtered(lambda c: c.kind == "credit").sorted("id")[-1:]

    def _get_picture(self, bill):
        bill.invalidate_recordset()
        picture = (
            bill.amount_opening,
            bill.amount_new,
            bill.amount_carried_out,
            bill.amount_credits,
            bill.amount_untaxed,
        )
        opening, new, out, given, due = picture
        self.assertFalse(bill.currency_id.compare_amounts(opening + new - out + given, due))
        return picture


@tagged("post_install", "-at_install")
class TestWhatIfs(WizardMixin, WorkedExampleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-01-20 12:00:00"):
            plan = cls._make_plan(
                name="Gold",
                allowances=[cls._allowance(5, activities=cls.phone + cls.onsite)],
                rates=[
                    cls._rate("price", 70.0),
                    cls._rate("multiplier", 1.5, name="Night", shift_id=cls.night.id),
                ],
            )
            cls.contract = cls._make_contract(plan)
            cls.tickets = {}
            cls.call = cls._make_work(149, "2026-01-06 09:00", 3, cls.phone)
            cls.repair = cls._make_work(123, "2026-01-07 09:00", 3, cls.onsite, cls.site_a)
            cls.check = cls._make_work(123, "2026-01-08 09:00", 2, cls.preventive)
            cls.night_repair = cls._make_work(232, "2026-01-09 23:00", 3, cls.onsite, cls.site_b)
        cls.startClassPatcher(freeze_time("2026-02-01 12:00:00"))
        cls.bill = cls._bill(cls.contract, "2026-02-01")

    def _bill_february(self):
        with freeze_time("2026-03-01 12:00:00"):
            return self._bill(self.contract, "2026-03-01")

    def test_carrying_the_night_repair_leaves_210(self):  # Q10, Q11
        debt = self.night_repair.charge_ids
        form = self._open_form(self.bill.action_carry())
        self.assertEqual((form.due_before, form.due_after), (525.0, 525.0))
        index = [line["charge_id"] for line in form.line_ids._records].index(debt.id)
        with form.line_ids.edit(index) as row:
            row.chosen = True
        self.assertEqual((form.due_before, form.due_after), (525.0, 210.0))
        self.assertIn("315.00", form.preview)
        form.reason = "Unexpected incidents"
        form.save().action_carry()

        self.assertEqual(self._get_picture(self.bill), (0.0, 525.0, 315.0, 0.0, 210.0))
        self.assertEqual(self.bill.carried_out_ids.charge_id, debt)
        self.assertEqual(
            debt.carried_label, f"carried from {self.contract.term_ids[0].display_name}"
        )
        self.assertEqual(debt.transfer_count, 1)
        change = self.contract.change_ids[0]
        self.assertEqual((change.kind, change.reason), ("transfer", "Unexpected incidents"))

        february = self._bill_february()
        self.assertEqual(self._get_picture(february), (315.0, 0.0, 0.0, 0.0, 315.0))
        moves = [self._invoice(bill, post=True) for bill in (self.bill, february)]
        self.assertEqual([move.amount_untaxed for move in moves], [210.0, 315.0])
        self.assertEqual(self._get_picture(self.bill), (0.0, 525.0, 315.0, 0.0, 210.0))
        self.assertProved(self.contract)

    def test_printed_bill_shows_the_mark(self):  # Q11
        self._carry(self.night_repair.charge_ids, bill=self.bill)
        report = self.env["ir.actions.report"]
        html = report._render_qweb_html("support_contract.report_support_bill", self.bill.ids)[0]
        self.assertIn("To Be Charged in Next Invoice", html.decode())
        february = self._bill_february()
        html = report._render_qweb_html("support_contract.report_support_bill", february.ids)[0]
        self.assertIn("carried from", html.decode())
        self.assertIn("Opening balance", html.decode())

    def test_cancelling_the_preventive_maintenance_leaves_385(self):  # Q12
        charge = self.check.charge_ids
        form = self._open_form(self.bill.action_cancel_activities())
        index = [line["charge_id"] for line in form.line_ids._records].index(charge.id)
        with form.line_ids.edit(index) as row:
            row.chosen = True
        self.assertEqual((form.due_before, form.due_after), (525.0, 385.0))
        form.reason = "Unsatisfactory"
        form.save().action_cancel_activities()

        self.assertEqual(self.bill.amount_untaxed, 385.0)
        self.assertEqual(charge.state, "cancelled")
        self.assertEqual(self.bill.cancelled_charge_ids, charge)
        self.assertEqual(
            (charge.cancel_reason, charge.cancelled_by_id), ("Unsatisfactory", self.env.user)
        )
        self.assertEqual(self.check.support_state, "cancelled")
        self.assertEqual(self.check.support_cancel_reason, "Unsatisfactory")
        self.assertEqual(self.contract.change_ids[0].amount, -140.0)
        report = self.env["ir.actions.report"]
        html = report._render_qweb_html("support_contract.report_support_bill", self.bill.ids)[0]
        self.assertIn("Unsatisfactory", html.decode())
        move = self._invoice(self.bill, post=True)
        self.assertEqual(move.amount_untaxed, 385.0)
        self.assertNotIn(140.0, move.invoice_line_ids.mapped("price_subtotal"))
        self.assertProved(self.contract)

    def test_credit_of_100_comes_in_the_next_term(self):  # Q13
        charge = self._give_credit(self.contract, 100.0)
        self.assertEqual(charge.amount, -100.0)
        self.assertEqual(self.bill.amount_untaxed, 525.0)
        self.assertEqual(charge.billing_term_id.number, 1)
        february = self._bill_february()
        self.assertEqual(self._get_picture(february), (0.0, 0.0, 0.0, -100.0, -100.0))
        move = self._invoice(february, post=True)
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 100.0))
        self.assertProved(self.contract)

    def test_all_together_down_to_the_invoices(self):  # Q10-Q15
        self._carry(self.night_repair.charge_ids, bill=self.bill)
        self._cancel(self.check.charge_ids, bill=self.bill)
        self._give_credit(self.contract, 100.0)
        self.assertEqual(self._get_picture(self.bill), (0.0, 385.0, 315.0, 0.0, 70.0))
        february = self._bill_february()
        self.assertEqual(self._get_picture(february), (315.0, 0.0, 0.0, -100.0, 215.0))
        moves = [self._invoice(bill, post=True) for bill in (self.bill, february)]
        self.assertEqual([move.amount_untaxed for move in moves], [70.0, 215.0])
        self.assertProved(self.contract)

    def test_nothing_of_it_after_the_approval(self):  # Q14
        self.bill.action_approve()
        for action in (self.bill.action_carry, self.bill.action_cancel_activities):
            form = self._open_form(action())
            with form.line_ids.edit(len(form.line_ids) - 1) as row:
                row.chosen = True
            self.assertIn(self.bill.name, form.preview)
            form.reason = "Too late"
            wizard = form.save()
            confirm = "action_carry" if "transfer" in wizard._name else "action_cancel_activities"
            with self.assertRaisesRegex(UserError, "Cancel or credit the bill first"):
                getattr(wizard, confirm)()
        self.assertEqual(self.bill.amount_untaxed, 525.0)
