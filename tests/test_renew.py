# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Renewing a contract: another one that goes on the day after (C42, C43, L23)."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user

from .common import BillingCommon, SupportCommon


class RenewMixin:
    @classmethod
    def _renew(cls, contract, **vals):
        """Go through the wizard; return the renewal."""
        wizard = cls._open_wizard(contract, **vals)
        wizard.action_renew()
        return contract.renewal_id

    @classmethod
    def _open_wizard(cls, contract, **vals):
        return cls.env["support.renew.wizard"].create(
            {"contract_id": contract.id, "reason": "Agreed by phone"} | vals
        )

    @classmethod
    def _year(cls, plan=None, **vals):
        """From January to December 2026."""
        plan = plan or cls._make_plan(fee=100, rates=[cls._rate("price", 70.0)])
        return cls._make_contract(plan, **{"date_end": "2026-12-31"} | vals)


@freeze_time("2026-11-10 12:00:00")
class TestRenew(RenewMixin, SupportCommon):
    def test_it_starts_the_day_after_and_lasts_as_long(self):  # C42, ex. A24
        contract = self._year(self._make_plan(fee=100, duration_months=12), title="Gold for Lumen")
        contract.message_subscribe(self.customer.ids)
        renewal = self._renew(contract)
        self.assertEqual(renewal.renews_id, contract)
        self.assertEqual(
            (str(renewal.date_start), str(renewal.date_end)), ("2027-01-01", "2027-12-31")
        )
        self.assertEqual((contract.state, renewal.state), ("active", "pending"))
        self.assertEqual((renewal.title, renewal.plan_id), ("Gold for Lumen", contract.plan_id))
        self.assertIn(self.customer, renewal.message_partner_ids)
        self.assertEqual(renewal.line_ids.price_unit, 100)
        self.assertNotEqual(renewal.line_ids, contract.line_ids)
        change = contract.change_ids
        self.assertEqual((change.kind, change.reason), ("renew", "Agreed by phone"))
        self.assertIn(renewal.name, change.summary)
        with freeze_time("2027-01-01 00:30:00"):
            self._roll(contract + renewal)
            self.assertEqual((contract.state, renewal.state), ("expired", "active"))
            self.assertProved(contract + renewal)

    def test_duration(self):  # L36
        for plan_months, start, end, expected in (
            (12, "2026-01-01", "2026-12-31", "2027-12-31"),
            (12, "2026-09-01", "2026-11-30", "2027-11-30"),  # the plan's, whatever it ran
            (0, "2026-09-01", "2026-11-30", "2027-02-28"),  # three whole months again
            (0, "2026-11-01", "2026-11-20", "2026-12-10"),  # twenty days again
        ):
            plan = self._make_plan(fee=100, duration_months=plan_months)
            contract = self._make_contract(plan, start, date_end=end)
            with self.subTest(start=start, end=end, months=plan_months):
                self.assertEqual(str(self._open_wizard(contract).date_end), expected)
        form = Form(self.env["support.renew.wizard"].with_context(default_contract_id=contract.id))
        form.duration_months = 24
        self.assertEqual(str(form.date_end), "2028-11-20")
        form.date_end = False
        form.reason = "Without end"
        form.save().action_renew()
        self.assertFalse(contract.renewal_id.date_end)

    def test_terms_settings_items_and_rates_are_those_of_the_contract(self):
        item = self.env["maintenance.equipment"].create(
            {"name": "Server", "support_partner_id": self.customer.id}
        )
        plan = self._make_plan(hours=2, coverage="item", rates=[self._rate("price", 70.0)])
        contract = self._year(plan, equipment_ids=[Command.set(item.ids)], confirm=False)
        contract.write(
            {
                "overage_policy": "carry",
                "warning_thresholds": "90",
                "priority": 3,
                "client_order_ref": "PO-1",
                "rate_ids": [self._rate("price", 60.0, activity_type_id=self.phone.id)],
            }
        )
        contract.action_confirm()
        plan.overage_policy = "block"
        renewal = self._renew(contract, client_order_ref="PO-2")
        self.assertEqual(renewal.equipment_ids, item)
        self.assertEqual((renewal.overage_policy, renewal.warning_thresholds), ("carry", "90"))
        self.assertEqual((renewal.priority, renewal.client_order_ref), (3, "PO-2"))
        self.assertEqual(renewal.rate_ids.price, 60)
        self.assertEqual(renewal.allowance_ids.quantity, 7200)
        self.assertEqual(renewal.allowance_ids.renews_allowance_id, contract.allowance_ids)

    def test_products_as_they_hold_on_the_last_day(self):
        line, ended, future, stopped = (
            self._line(100, name=name, **vals)
            for name, vals in (
                ("Fee", {}),
                ("Ended", {"date_end": "2026-06-30"}),
                ("Future", {"date_end": "2027-03-31"}),
                ("Stopped", {}),
            )
        )
        contract = self._year(line_ids=[line, ended, future, stopped])
        fee, _ended, _future, off = contract.line_ids
        fee.change_ids = [
            Command.create({"date": day, "quantity": quantity, "price_unit": price})
            for day, quantity, price in (
                ("2026-03-01", 2, 90),
                ("2026-12-31", 3, 95.55),
                ("2027-02-01", 4, 99),
            )
        ]
        off.change_ids = [Command.create({"date": "2026-05-01", "price_unit": 10})]
        off.change_ids.quantity = 0
        renewal = self._renew(contract, price_change="percent", price_percent=3.5)
        self.assertEqual(renewal.line_ids.mapped("name"), ["Fee", "Future"])
        new, coming = renewal.line_ids
        self.assertEqual((new.quantity, new.price_unit), (3, 98.89))  # 95.55 x 1.035 = 98.89425
        self.assertEqual(new.change_ids.mapped("price_unit"), [102.47])  # 99 x 1.035 = 102.465
        self.assertEqual(str(new.change_ids.date), "2027-02-01")
        self.assertEqual(str(coming.date_end), "2027-03-31")

    def test_its_estimated_amount_is_that_of_its_own_prices(self):
        contract = self._year()
        renewal = self._renew(contract, price_change="percent", price_percent=5)
        self.assertEqual((contract.estimated_amount, renewal.estimated_amount), (1200, 1260))

    def test_prices_by_an_amount_and_by_choice(self):
        contract = self._year(
            incident_product_id=self.incident_product.id,
            incident_price=40,
            rate_ids=[
                self._rate("price", 60.0, activity_type_id=self.phone.id),
                self._rate("adjust", 10.0, activity_type_id=self.onsite.id),
                self._rate("multiplier", 1.5),
            ],
        )
        wizard = self._open_wizard(contract, price_change="amount", price_amount=2.5)
        for text in ("100.00", "102.50", "62.50", "42.50"):
            self.assertIn(text, wizard.preview)
        self.assertFalse(contract.renewal_id, "a preview makes nothing")
        renewal = self._renew(
            contract, price_change="amount", price_amount=2.5, price_incidents=False
        )
        self.assertEqual(renewal.line_ids.price_unit, 102.5)
        self.assertEqual(renewal.incident_price, 40)
        self.assertEqual(renewal.rate_ids.mapped("price")[:2], [62.5, 10])
        self.assertEqual(renewal.rate_ids[2].multiplier, 1.5)

    def test_another_plan(self):
        contract = self._year(
            self._make_plan(
                fee=100,
                allowances=[self._allowance(2), self._allowance(3, activities=self.phone)],
            ),
            pricelist_id=False,
        )
        plan = self._make_plan(
            name="Platinum",
            fee=200,
            duration_months=6,
            billing_mode="advance",
            kind_id=contract.kind_id.id,
            allowances=[
                self._allowance(10, activities=self.phone),
                self._allowance(incidents=4),
                self._allowance(5, activities=self.onsite),
            ],
        )
        renewal = self._renew(contract, plan_id=plan.id, price_change="percent", price_percent=-10)
        self.assertEqual(renewal.plan_id, plan)
        self.assertEqual((renewal.billing_mode, str(renewal.date_end)), ("advance", "2027-06-30"))
        self.assertEqual(renewal.line_ids.price_unit, 180)
        phone, incidents, onsite = renewal.allowance_ids
        self.assertEqual(phone.renews_allowance_id, contract.allowance_ids[1])
        self.assertFalse(incidents.renews_allowance_id or onsite.renews_allowance_id)

    def test_documents_only_if_asked_for(self):
        contract = self._year()
        self.env["ir.attachment"].create(
            {
                "name": "signed.pdf",
                "res_model": contract._name,
                "res_id": contract.id,
                "raw": b"%PDF",
            }
        )
        domain = [("res_model", "=", contract._name), ("res_id", "!=", contract.id)]
        renewal = self._renew(contract)
        copies = [*domain, ("res_id", "=", renewal.id)]
        self.assertFalse(self.env["ir.attachment"].search(copies))
        renewal.action_cancel()
        renewal = self._renew(contract, copy_documents=True, confirm=False)
        copies = [*domain, ("res_id", "=", renewal.id)]
        self.assertEqual(self.env["ir.attachment"].search(copies).name, "signed.pdf")
        self.assertEqual(renewal.state, "draft")

    # === BAD INPUT === #

    def assertRefused(self, contract, text, **vals):
        """Refused, and the preview says the same."""
        wizard = self._open_wizard(contract, **vals)
        self.assertIn("alert-warning", wizard.preview)
        with self.assertRaisesRegex(UserError, text):
            wizard.action_renew()
        self.assertFalse(contract.renewal_id)

    def test_only_a_contract_that_runs_can_be_renewed(self):  # C43
        plan = self._make_plan(fee=100)
        future = self._make_contract(plan, "2026-12-01", date_end="2027-11-30")
        self.assertRefused(future, "is Pending")
        early = self._make_contract(self._make_plan(fee=1), "2026-12-01", date_end="2027-11-30")
        early.action_activate()
        self.assertRefused(early, "begins on 12/01/2026 only. Renew it once it has begun")
        draft = self._year(confirm=False)
        self.assertRefused(draft, "is Draft")
        draft.action_cancel()
        self.assertRefused(draft, "is Cancelled")
        endless = self._year(date_end=False)
        self.assertRefused(endless, "Give it an end date first")
        over = self._year(date_end="2026-10-31")
        self.assertEqual(over.state, "expired")
        self.assertRefused(over, "is Expired")
        terminated = self._year()
        terminated._set_state("terminated")
        self.assertRefused(terminated, "is Terminated")
        suspended = self._year()
        suspended.action_suspend()
        self.assertTrue(self._renew(suspended))

    def test_a_contract_for_one_ticket_is_not_renewed(self):
        plan = self._make_plan(fee=100, coverage="request")
        contract = self._make_contract(plan, confirm=False, date_end="2026-12-31")
        contract.request_ticket_id = self._make_ticket()
        contract.action_confirm()
        self.assertRefused(contract, "single ticket")

    def test_plans_that_do_not_fit(self):
        contract = self._year()
        usd = self.env.ref("base.USD")
        other = usd if self.company.currency_id != usd else self.env.ref("base.EUR")
        other.sudo().active = True
        plan = self._make_plan(fee=100, currency_id=other.id)
        self.assertRefused(contract, "in the same currency", plan_id=plan.id)
        company = self.env["res.company"].sudo().create({"name": "Other Ltd"})
        plan = self._make_plan(name="Foreign", currency_id=contract.currency_id.id)
        plan.sudo().company_id = company
        self.assertRefused(contract, "choose one of the same company", plan_id=plan.id)
        plan = self._make_plan(fee=100, coverage="request")
        self.assertRefused(contract, "for single tickets", plan_id=plan.id)

    def test_wrong_numbers(self):
        contract = self._year()
        self.assertRefused(
            contract, "would become negative", price_change="percent", price_percent=-100.5
        )
        self.assertRefused(
            contract, "would become negative", price_change="amount", price_amount=-100.01
        )
        self.assertRefused(contract, "can't end before", date_end="2026-12-31")
        self.assertRefused(contract, "can't be negative", renewal_units="carried", cap_incidents=-1)
        free = self._renew(contract, price_change="percent", price_percent=-100)
        self.assertEqual(free.line_ids.price_unit, 0)

    def test_never_twice(self):
        contract = self._year()
        renewal = self._renew(contract, confirm=False)
        wizard = self._open_wizard(contract)
        self.assertIn(renewal.name, wizard.preview)
        with self.assertRaisesRegex(UserError, f"renewed already, by {renewal.name}"):
            wizard.action_renew()
        renewal.action_cancel()
        second = self._renew(contract)
        self.assertNotEqual(second, renewal)
        with self.assertRaisesRegex(UserError, f"renewed already, by {second.name}"):
            renewal.action_draft()

    def test_the_same_request_counts_once(self):  # T28
        contract = self._year()
        wizard = self._open_wizard(contract)
        first = wizard.action_renew()
        self.assertEqual(wizard.action_renew(), first)
        self.assertEqual(len(contract.renewal_ids), 1)
        self.assertEqual(len(contract.change_ids), 1)

    def test_cancelling_takes_it_back(self):
        contract = self._year()
        renewal = self._renew(contract)
        renewal.action_cancel()
        self.assertFalse(contract.renewal_id)
        renew, undo = contract.change_ids.sorted("id")
        self.assertEqual((undo.kind, undo.undoes_id), ("undo", renew))

    def test_the_end_of_a_renewed_contract_stays(self):
        contract = self._year()
        renewal = self._renew(contract)
        for day in ("2026-12-30", "2027-01-01"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                contract.date_end = day
        with self.assertRaisesRegex(ValidationError, "the day after it ends"):
            renewal.date_start = "2027-01-02"

    def test_a_draft_follows_only_if_it_starts_the_day_after(self):
        contract = self._year()
        renewal = self._renew(contract, confirm=False)
        contract.date_end = "2026-11-30"
        with self.assertRaisesRegex(ValidationError, "on 12/01/2026, not on 01/01/2027"):
            renewal.action_confirm()
        renewal.date_start = "2026-12-01"
        renewal.action_confirm()
        self.assertEqual(renewal.state, "pending")

    def test_another_contract_in_the_queue_is_named(self):  # L23
        contract = self._year()
        queued = self._make_contract(contract.plan_id, "2027-01-01", date_end="2027-12-31")
        with (
            self.assertRaisesRegex(ValidationError, queued.name),
            self.env.cr.savepoint(),
        ):
            self._renew(contract)
        self.assertFalse(contract.renewal_ids)

    # === WHO MAY === #

    def test_managers_only(self):
        contract = self._year()
        user = new_test_user(self.env(su=True), "renew_user", "support_contract.group_support_user")
        with self.assertRaises(AccessError):
            self.env["support.renew.wizard"].with_user(user).create(
                {"contract_id": contract.id, "reason": "Mine"}
            )
        manager = new_test_user(
            self.env(su=True), "renew_boss", "support_contract.group_support_manager"
        )
        wizard = self._open_wizard(contract).with_user(manager)
        wizard = wizard.create({"contract_id": contract.id, "reason": "Mine"})
        wizard.action_renew()
        self.assertEqual(contract.change_ids.user_id, manager)
        summary = contract.change_ids.with_user(user).read(["summary"])[0]["summary"]
        self.assertNotIn("100", summary)


@freeze_time("2026-12-10 12:00:00")
class TestRenewMoney(RenewMixin, BillingCommon):
    """Debts and credits go to the renewal's first term; what was used stays where it was."""

    def _charge(self, contract, kind, amount, day="2026-12-05"):
        term = contract._get_term_on(day and contract._get_today())
        final = contract.term_ids.filtered(lambda term: term.kind == "final")
        return self.env["support.charge"].create(
            {
                "kind": kind,
                "name": kind,
                "date": day,
                "partner_id": self.customer.id,
                "contract_id": contract.id,
                "term_id": term.id,
                "billing_term_id": final.id,
                "product_id": self.fee_product.id,
                "currency_id": contract.currency_id.id,
                "price_unit": amount,
                "amount": amount,
            }
        )

    def test_debts_and_credits_come_on_the_first_bill_of_the_renewal(self):
        for mode, first in (("arrears", "2027-02-01"), ("advance", "2027-01-01")):
            with self.subTest(mode), self.env.cr.savepoint() as savepoint:
                plan = self._make_plan(
                    fee=100, rates=[self._rate("price", 70.0)], billing_mode=mode
                )
                contract = self._year(plan)
                self._log_work(self._make_ticket(contract), "2026-12-09 09:00", 2)
                carried = self._charge(contract, "transfer", 315.0)
                given = self._charge(contract, "credit", -40.0)
                handed = self._charge(contract, "transfer", -15.0)  # off the final bill
                self._bill(contract, "2026-12-31")
                renewal = self._renew(contract, price_change="percent", price_percent=10)
                with freeze_time("2027-02-01 09:00:00"):
                    bills = self._bill(contract, "2027-02-01")
                    own = bills.charge_ids
                    self.assertFalse(own & (carried | given))
                    self.assertIn(handed, own)
                    self.assertEqual((carried + given).billing_contract_id, renewal)
                    self.assertEqual((carried + given).contract_id, contract)
                    new = self._bill(renewal, first)
                    main = new.filtered(lambda bill: bill.term_id.number == 0)
                    self.assertEqual(main.amount_untaxed, 110 + 315 - 40)
                    moves = self._invoice(bills | new, post=True)
                    self.assertEqual(
                        sum(move._get_support_sign() * move.amount_untaxed for move in moves),
                        sum((bills | new).mapped("amount_untaxed")),
                    )
                    self.assertProved(contract + renewal)
                savepoint.rollback()

    def test_the_billing_job_may_come_before_the_one_that_opens_terms(self):
        contract = self._year(self._make_plan(fee=100, billing_mode="advance"))
        self._bill(contract, "2026-12-31")
        given = self._charge(contract, "credit", -40.0)
        renewal = self._renew(contract)
        with freeze_time("2027-01-01 00:10:00"):
            self._bill(contract | renewal, "2027-01-01")
            self.assertEqual(renewal.state, "active")
            self.assertEqual(given.bill_id.contract_id, renewal)
            self.assertEqual(given.bill_id.amount_untaxed, 60)
