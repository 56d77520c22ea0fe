# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whole lives of contracts, in which everything meets: renewals, ends, rests, top-ups, transfers,
new versions of bills. Amounts are computed by hand, down to the posted invoices."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import HOUR, BillingCommon
from .test_contract_prices import PriceMixin
from .test_terminate import TerminateMixin
from .test_what_ifs import WizardMixin


class LifeCommon(TerminateMixin, WizardMixin, PriceMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_prices()
        cls.at = staticmethod(lambda day: freeze_time(f"{day} 12:00:00"))

    @classmethod
    def _make(cls, start="2026-06-01", hours=2, fee=90, end=False, **vals):
        """Ninety a month in advance, by thirtieths, with two hours; 70.00 for every hour more."""
        plan = cls._make_plan(
            hours=hours,
            fee=fee,
            rates=[cls._rate("price", 70.0)],
            **{"billing_mode": "advance", "proration": "fixed30"} | vals,
        )
        with freeze_time(f"{start} 12:00:00"):
            return cls._make_contract(
                plan, start, partner=cls._make_customer("Liver Ltd"), date_end=end
            )

    @classmethod
    def _open(cls, action, **vals):
        wizard = cls.env[action["res_model"]].with_context(**action["context"])
        return wizard.create({"reason": "Agreed by phone"} | vals)

    @classmethod
    def _suspend(cls, contract, **vals):
        cls._open(contract.action_open_suspend(), **vals).action_suspend()
        return contract.suspension_ids[:1]

    @classmethod
    def _renew(cls, contract, **vals):
        cls.env["support.renew.wizard"].create(
            {"contract_id": contract.id, "reason": "Agreed by phone"} | vals
        ).action_renew()
        return contract.renewal_id

    @classmethod
    def _top_up(cls, contract, **vals):
        values = {"source": "units", "contract_id": contract.id, "reason": "Asked for"}
        wizard = cls.env["support.top.up.wizard"].create(values | vals)
        wizard.action_top_up()
        return contract.change_ids[0].charge_ids

    @classmethod
    def _replace(cls, bill):
        """Regenerate a bill and make the new version main."""
        version = cls.env["support.bill"].browse(bill.action_regenerate()["res_id"])
        version.action_make_main()
        return version

    def _bill_all(self, contracts, day):
        """Invoice, posted, of all that is due."""
        with self.at(day):
            bills = self._bill(contracts, day)
            self._invoice(bills, post=True)
        return bills

    def _get_amounts(self, bills):
        return sorted(bills._get_charges().filtered("amount").mapped("amount"))

    def assertAddsUp(self, contracts, total):
        """Σ charges = Σ main bills = Σ invoices − credit notes, nothing is left, all is proved."""
        contracts.invalidate_recordset()
        charges = self.env["support.charge"].search(
            [("contract_id", "in", contracts.ids), ("cancelled", "=", False)]
        )
        self.assertFalse(charges.filtered(lambda charge: charge.state in ("open", "billed")))
        self.assertAlmostEqual(sum(charges.mapped("amount")), total, 2)
        bills = contracts.bill_ids
        main = bills.filtered(lambda bill: bill.is_main and bill.state != "cancelled")
        self.assertAlmostEqual(sum(main.mapped("amount_untaxed")), total, 2)
        moves = bills.move_ids.filtered(lambda move: move.state == "posted")
        invoiced = sum(move._get_support_sign() * move.amount_untaxed for move in moves)
        self.assertAlmostEqual(invoiced, total, 2)
        self.assertProved(contracts)


@tagged("post_install", "-at_install")
class TestLife(LifeCommon):
    def test_top_up_takes_over_and_the_bill_is_computed_anew(self):
        """C41, C53, C54: 5 of 7 h in the allowance, 2 h taken over by ten more for 600.00.

        What comes late takes the eight hours left; one hour more comes on the new version.
        """
        contract = self._make(hours=5)
        ticket = self._make_ticket(contract, "2026-06-08 09:00:00")
        self._bill_all(contract, "2026-06-01")
        with self.at("2026-06-15"):
            work = self._log_work(ticket, "2026-06-10 08:00", 7)
            self.assertEqual(sum(work.charge_ids.mapped("amount")), 140)
            paying = self._top_up(contract, hours=10, price_unit=600, absorb=True)
            self.assertEqual(sum(work.charge_ids.mapped("amount")), 0)
            paying.bill_id.action_invoice()
            paying.bill_id.move_id.action_post()
        july = self._bill_all(contract, "2026-07-01")
        self.assertEqual(july.amount_untaxed, 90)
        with self.at("2026-07-03"):
            late = self._log_work(ticket, "2026-06-20 08:00", 9)
            self.assertEqual(sum(late.charge_ids.mapped("amount")), 70)
            version = self._replace(july)
            version.move_ids.filtered(lambda move: move.state == "draft").action_post()
            july.move_ids.filtered(lambda move: move.state == "draft").action_post()
            self.assertEqual((july.state, version.state), ("credited", "invoiced"))
            self.assertEqual(self._get_amounts(version), [70, 90])
            self.assertEqual(self._replace(paying.bill_id).amount_untaxed, 600)
            drafts = contract.bill_ids.move_ids.filtered(lambda move: move.state == "draft")
            drafts.action_post()
        self.assertEqual(self._get_drawn(work + late)[paying.paid_grant_ids], 10 * HOUR)
        self.assertAddsUp(contract, 90 + 600 + 90 + 70)

    def test_rest_then_end_then_neither(self):
        """ex. A26, B39: nine days cost 27.00, 63.00 come back; undone, it rests on for 16 days."""
        contract = self._make()
        self._bill_all(contract, "2026-06-01")
        grant = contract.entitlement_ids
        with self.at("2026-06-10"):
            self._suspend(contract, fees="stop")
        with self.at("2026-06-20"):
            self._terminate(contract, "2026-06-20", credit_fees=True)
        with self.at("2026-06-21"):
            self._roll(contract)
            bill = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(bill), [-63])
            self.assertEqual((contract.state, grant.remaining), ("terminated", 0))
        with self.at("2026-06-22"):
            self._undo(contract)
            self.assertEqual((contract.state, grant.remaining), ("suspended", 2 * HOUR))
            self.assertEqual((bill.state, contract.date_end), ("cancelled", False))
        with self.at("2026-06-26"):
            contract.action_resume()
            work = self._log_work(
                self._make_ticket(contract, "2026-06-26 09:00:00"), "2026-06-26 10:00", 3
            )
            self.assertEqual(sum(work.charge_ids.mapped("amount")), 70)
        july = self._bill_all(contract, "2026-07-01")
        self.assertEqual(self._get_amounts(july), [-48, 70, 90])
        # The invoice was wrong for other reasons: credited in accounting, and made again.
        with self.at("2026-07-02"):
            move = july.move_id
            note = move._reverse_moves([{"invoice_date": date(2026, 7, 2)}], cancel=True)
            self.assertEqual((note.state, july.state), ("posted", "credited"))
            july.action_invoice_again()
            self.env["support.invoicing"]._create_invoices(july).action_post()
        self.assertAddsUp(contract, 90 - 48 + 70 + 90)

    def test_undone_end_leaves_the_state_of_the_day_before(self):
        """It rested when the end was decided, and ran again when the end came."""
        contract = self._make()
        with self.at("2026-06-10"):
            self._suspend(contract)
            self._terminate(contract, "2026-06-20")
        with self.at("2026-06-12"):
            contract.action_resume()
        with self.at("2026-06-21"):
            self._roll(contract)
            self.assertEqual(contract.state, "terminated")
            self._undo(contract)
        self.assertEqual(contract.state, "active")

    def test_rest_that_was_to_be_added_ends_under_a_termination(self):
        """The end was decided: no days are added to it, and the contract runs again."""
        contract = self._make(end="2026-12-31")
        with self.at("2026-06-02"):
            self._suspend(contract, date_from="2026-06-10", date_to="2026-06-19", extend_end=True)
            self._terminate(contract, "2026-08-15")
        for day, state in (("2026-06-10", "suspended"), ("2026-06-20", "active")):
            with self.at(day):
                self._roll(contract)
                self.assertEqual(contract.state, state)
        self.assertEqual(contract.date_end, date(2026, 8, 15))
        self.assertEqual(contract.suspension_ids.state, "done")

    def test_final_bill_computed_anew(self):
        """B39, C54: two terms billed ahead, ended on the twentieth; an hour comes in late."""
        contract = self._make(hours=0)
        for day in ("2026-06-01", "2026-07-01"):
            with self.at("2026-06-05"):
                self._invoice(self._bill(contract, day), post=True)
        ticket = self._make_ticket(contract, "2026-06-08 09:00:00")
        with self.at("2026-06-25"):
            self._log_work(ticket, "2026-06-10 10:00", 2)
            self._terminate(contract, "2026-06-20", credit_fees=True)
            bills = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(bills), [-90, -30, 140])
            self._invoice(bills, post=True)
            final = bills.filtered(lambda bill: bill.kind == "term")
        self.assertEqual(
            contract.term_ids.sorted("number").mapped("kind"), ["regular", "void", "final"]
        )
        with self.at("2026-06-26"):
            self._log_work(ticket, "2026-06-18 10:00", 1)
            version = self._replace(final)
            contract.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
            self.assertEqual(self._get_amounts(version), [-90, -30, 70])
            with self.assertRaisesRegex(UserError, f"final bill {version.name} .* is approved"):
                self._undo(contract)
        self.assertAddsUp(contract, 180 - 120 + 140 + 70)

    def test_new_version_of_the_final_bill_is_the_final_bill(self):
        """In arrears, all on it is the fee: undone while open, it is charged anew."""
        contract = self._make(billing_mode="arrears", hours=0)
        with self.at("2026-06-25"):
            self._terminate(contract, "2026-06-20")
            final = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(final), [60])
            contract.line_ids.price_unit = 120
            version = self._replace(final)
            self.assertEqual(self._get_amounts(version), [80])
            version.action_approve()
            with self.assertRaisesRegex(UserError, "is approved"):
                self._undo(contract)
            version.action_draft()
            self._undo(contract)
            self.assertEqual((version.state, contract.state), ("cancelled", "active"))
        july = self._bill_all(contract, "2026-07-01")
        self.assertEqual(self._get_amounts(july), [120])
        self.assertAddsUp(contract, 120)

    def test_bill_made_again_by_hand_is_the_final_bill(self):
        contract = self._make(billing_mode="arrears", hours=0)
        with self.at("2026-06-25"):
            self._terminate(contract, "2026-06-20")
            contract.termination_id.bill_ids.action_cancel()
            again = self._bill(contract, "2026-06-25")
            self.assertEqual(self._get_amounts(again), [60])
            again.action_approve()
            with self.assertRaisesRegex(UserError, "is approved"):
                self._undo(contract)

    def test_button_bills_on_the_day_after_the_end(self):
        """Nobody has rolled it: the button finds what the end has brought."""
        contract = self._make(billing_mode="arrears", hours=0)
        with self.at("2026-06-10"):
            self._terminate(contract, "2026-06-20")
        with self.at("2026-06-21"):
            contract.action_generate_bill()
        self.assertEqual(self._get_amounts(contract.bill_ids), [60])

    def test_fees_are_computed_anew_after_an_undone_end(self):
        """C53: what the end had credited and charged doesn't stand in the way."""
        contract = self._make(hours=0)
        june = self._bill_all(contract, "2026-06-01")
        with self.at("2026-06-15"):
            self._terminate(contract, "2026-06-10", credit_fees=True)
            self.assertEqual(self._get_amounts(contract.termination_id.bill_ids), [-60])
            self._undo(contract)
            contract.line_ids.price_unit = 120
            version = self._replace(june)
            contract.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
            self.assertEqual(version.amount_untaxed, 120)
        july = self._bill_all(contract, "2026-07-01")
        self.assertEqual(self._get_amounts(july), [120])
        self.assertAddsUp(contract, 240)

    def test_top_up_is_not_given_back_twice(self):
        """Its units were credited at the end: taking it back would give the money again."""
        contract = self._make()
        with self.at("2026-06-10"):
            self._bill(contract, "2026-06-10").action_approve()
            self._top_up(contract, hours=10, price_unit=600, billing="term", validity="life")
            change = contract.change_ids[0]
            self._terminate(contract, "2026-06-30", {"action": "credit"})
        with self.at("2026-07-01"):
            self._roll(contract)
            bill = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(bill), [-600, 600])
            with self.assertRaisesRegex(UserError, "was terminated"):
                self._open(change.action_take_back_top_up(), reason="Twice").action_take_back()
            self._undo(contract)
            self._open(change.action_take_back_top_up(), reason="Once").action_take_back()
        with self.at("2026-07-01"):
            self.assertEqual(self._get_amounts(self._bill(contract, "2026-07-01")), [90])
        self.assertProved(contract)

    def test_what_is_terminated_is_not_renewed(self):
        """L35: neither by itself, thirty days before the end that was decided, nor by hand."""
        contract = self._make(renewal_mode="automatic")
        with self.at("2026-06-05"):
            self._terminate(contract, "2026-06-30")
            self.assertEqual(contract.state, "active")
            with self.enter_registry_test_mode():
                self.env.ref("support_contract.cron_renew").method_direct_trigger()
            self.env.invalidate_all()
            self.assertFalse(contract.renewal_id)
            self.assertFalse(contract.activity_ids)
            with self.assertRaisesRegex(UserError, "terminated"):
                self._renew(contract)

    def test_what_rests_is_renewed_when_its_end_is_known(self):
        """The days of rest are added at an end that a renewal would have fixed."""
        contract = self._make(end="2026-08-31")
        with self.at("2026-06-10"):
            self._suspend(contract, extend_end=True)
            with self.assertRaisesRegex(UserError, "rests"):
                self._renew(contract)
        with self.at("2026-06-20"):
            contract.action_resume()
            renewal = self._renew(contract)
        self.assertEqual(contract.date_end, date(2026, 9, 10))
        self.assertEqual(renewal.date_start, date(2026, 9, 11))

    def test_renewed_while_it_rests(self):
        """C42, Q10, Y20: five percent more, hours and a debt go over, special prices hold on.

        June rests for ten days: 30.00 come back. The router of June is paid in July.
        """
        contract = self._make("2026-05-01", end="2026-06-30")
        self._price(self.router, contract=contract)
        self._bill_all(contract, "2026-05-01")
        self._bill_all(contract, "2026-06-01")
        parts = self.env["support.charge"]
        values = {"kind": "part", "product_id": self.router.id}
        with self.at("2026-06-05"):
            ticket = self._make_ticket(contract, "2026-06-05 09:00:00")
            part = parts.create(values | {"ticket_id": ticket.id, "date": "2026-06-05"})
            self.assertEqual(part.amount, 80)
        with self.at("2026-06-10"):
            self._suspend(contract, date_to="2026-06-19", fees="stop")
            renewal = self._renew(
                contract, price_change="percent", price_percent=5, renewal_units="carried"
            )
        self.assertEqual((contract.state, renewal.state), ("suspended", "pending"))
        self.assertEqual(renewal.line_ids.price_unit, 94.5)
        with self.at("2026-06-25"):
            self._roll(contract)
            self.assertEqual(contract.state, "active")
            self._carry(part)
            self.assertEqual(part.billing_contract_id, renewal)
        bills = self._bill_all(contract + renewal, "2026-07-01")
        old, new = (bills.filtered(lambda b, c=c: b.contract_id == c) for c in contract + renewal)
        self.assertEqual((self._get_amounts(old), old.move_id.move_type), ([-30], "out_refund"))
        self.assertEqual(self._get_amounts(new), [80, 94.5])
        with self.at("2026-07-01"):
            self.env.invalidate_all()
            self.assertEqual(renewal.time_left, 4)
        with self.at("2026-07-05"):
            ticket = self._make_ticket(renewal, "2026-07-05 09:00:00")
            self._log_work(ticket, "2026-07-05 10:00", 5)
            self.assertEqual(
                parts.create(values | {"ticket_id": ticket.id, "date": "2026-07-05"}).amount, 80
            )
            # The first bill of the renewal, with what came from before, is computed anew.
            version = self._replace(new)
            contract.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
            renewal.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
            self.assertEqual(self._get_amounts(version), [80, 94.5])
        august = self._bill_all(renewal, "2026-08-01")
        self.assertEqual(self._get_amounts(august), [70, 80, 94.5])
        self.assertAddsUp(contract + renewal, 180 - 30 + 80 + 94.5 + 70 + 80 + 94.5)

    def test_sold_at_a_special_price_and_not_paid(self):
        """L43, Y21: 108.00 by a contract, on the order and on each bill; held, and released."""
        framework = self._make(start="2026-01-01", fee=0)
        customer = framework.partner_id
        plan = self._make_plan(
            fee=100, hours=5, billing_mode="advance", rates=[self._rate("price", 70.0)]
        )
        gold = self._make_product("Gold", 120.0, taxes_id=False, support_plan_id=plan.id)
        self._price(gold, 108.0, contract=framework)
        self._price(self.fee_product, 1.0, contract=framework)  # no price of what is agreed
        with self.at("2026-03-01"):
            order = self._make_order(gold, partner=customer)
            order.action_confirm()
        contract = self.env["support.contract"].search([("sale_order_id", "=", order.id)])
        self.assertEqual((contract.state, contract.line_ids.price_unit), ("active", 108))
        contract.payment_term_id = self.env.ref("account.account_payment_term_immediate")
        march = self._bill_all(contract, "2026-03-01")
        self.assertEqual(march.move_id.amount_untaxed, 108)
        ticket = self._make_ticket(contract, "2026-03-05 09:00:00")
        with self.at("2026-04-15"):
            action = customer.action_support_hold()
            self._open(action).action_hold()
            with self.assertRaisesRegex(UserError, "credit hold"):
                self._log_work(ticket, "2026-04-15 09:00", 6)
            customer.action_support_release()
            self._roll(contract)
            work = self._log_work(ticket, "2026-04-15 09:00", 6)
            self.assertEqual(sum(work.charge_ids.mapped("amount")), 70)
        april = self._bill_all(contract, "2026-04-01")
        self.assertEqual(self._get_amounts(april), [108])
        with self.at("2026-04-20"):
            self._terminate(contract, "2026-04-20", credit_fees=True)
        with self.at("2026-04-21"):
            self._roll(contract)
            final = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(final), [-36, 70])
            self._invoice(final, post=True)
        self.assertAddsUp(contract, 216 - 36 + 70)

    def test_carried_debt_comes_with_the_end_and_goes_on_without(self):
        """Q10, B14: 70.00 of June are to come in July; ended before, with the last bill."""
        contract = self._make(billing_mode="arrears")
        with self.at("2026-06-18"):
            ticket = self._make_ticket(contract, "2026-06-08 09:00:00")
            work = self._log_work(ticket, "2026-06-10 10:00", 3)
            debt = work.charge_ids.filtered("amount")
            self._carry(debt)
            self.assertEqual(debt.billing_term_id.number, 1)
            self._terminate(contract, "2026-06-20")
        with self.at("2026-06-21"):
            self._roll(contract)
            bills = contract.termination_id.bill_ids
            self.assertEqual(self._get_amounts(bills), [60, 70])
            self._undo(contract)
            self.assertFalse(bills.filtered(lambda bill: bill.state != "cancelled"))
        june = self._bill_all(contract, "2026-07-01")
        july = self._bill_all(contract, "2026-08-01")
        self.assertEqual((self._get_amounts(june), self._get_amounts(july)), ([90], [70, 90]))
        self.assertAddsUp(contract, 250)

    def test_price_of_a_rule_is_carried_and_stays_carried(self):
        """C39, Q10, C53: 120.00 of June paid in July, though June and July are computed anew."""
        contract = self._make(billing_mode="arrears")
        category = self.env["helpdesk.ticket.category"].create({"name": "Network"})
        criterion = {"fact": "category", "category_ids": [Command.set(category.ids)]}
        self.env["support.bill.rule"].create(
            {
                "name": "Emergency",
                "contract_id": contract.id,
                "amount": 120.0,
                "criterion_ids": [Command.create(criterion)],
            }
        )
        self.cr.precommit.run()
        with self.at("2026-06-10"):
            ticket = self._make_ticket(contract, "2026-06-08 09:00:00", category_id=category.id)
            self._log_work(ticket, "2026-06-10 10:00", 3)
            rule = ticket.charge_ids.filtered(lambda charge: charge.kind == "rule")
            self.assertEqual(rule.amount, 120)
            self._carry(rule)
        june = self._bill_all(contract, "2026-07-01")
        self.assertEqual(self._get_amounts(june), [70, 90])
        with self.at("2026-07-02"):
            june = self._replace(june)
            contract.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
        self.assertEqual(self._get_amounts(june), [70, 90])
        july = self._bill_all(contract, "2026-08-01")
        self.assertEqual(self._get_amounts(july), [90, 120])
        with self.at("2026-08-02"):
            july = self._replace(july)
            contract.bill_ids.move_ids.filtered(lambda m: m.state == "draft").action_post()
        self.assertEqual(self._get_amounts(july), [90, 120])
        self.assertAddsUp(contract, 370)
