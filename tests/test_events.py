# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What customers get by themselves: as new ones, and for what they pay (B10-B15, B60, B61)."""

from datetime import timedelta

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import HOUR, BillingCommon

TODAY = "2026-06-15"


class EventCommon(BillingCommon):
    """A team that requires incidents, and short helpers for events and payments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        frozen = freeze_time(f"{TODAY} 12:00:00")
        cls.clock = frozen.start()
        cls.addClassCleanup(frozen.stop)
        cls.desk = cls.env["helpdesk.ticket.team"].create(
            {"name": "Paid Desk", "company_id": cls.company.id, "requires_incident": True}
        )
        cls.bank = cls.company_data["default_journal_bank"]

    def setUp(self):
        super().setUp()
        self.clock.move_to(f"{TODAY} 12:00:00")

    @classmethod
    def _make_event(cls, kind, quantity=1, **vals):
        values = {"kind": kind, "quantity": quantity, "company_id": cls.company.id}
        event = cls.env["support.event"].create(values | vals)
        cls._settle()
        return event

    @classmethod
    def _settle(cls):
        """What the end of a transaction does; a moment passes."""
        cls.env.cr.flush()
        cls.clock.tick(timedelta(seconds=10))

    def _pay(self, amount, partner=None, post=True, **vals):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (partner or self.customer).id,
                "amount": amount,
                "journal_id": self.bank.id,
                "date": fields.Date.today(),
            }
            | vals
        )
        if post:
            payment.action_post()
            self._settle()
        return payment

    def _open_ticket(self, partner=None, **vals):
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Help",
                "description": "?",
                "partner_id": (partner or self.customer).id,
                "team_id": self.desk.id,
            }
            | vals
        )
        self._settle()
        return ticket

    def _get_balance(self, partner=None, unit="incident", company=None):
        """(granted less taken back, used, left) of all the customer's units."""
        grants = self.env["support.entitlement"].search(
            [
                ("partner_id", "=", (partner or self.customer).id),
                ("company_id", "=", (company or self.company).id),
                ("unit", "=", unit),
            ]
        )
        return tuple(sum(grants.mapped(name)) for name in ("quantity", "used", "remaining"))

    def assertLeft(self, left, **kwargs):
        self.assertEqual(self._get_balance(**kwargs)[2], left)

    def _run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr, user=SUPERUSER_ID)
            env["support.event.tally"]._cron_check()
        self.env.invalidate_all()

    def _get_tally(self, event, partner=None):
        return self.env["support.event.tally"].search(
            [("event_id", "=", event.id), ("partner_id", "=", (partner or self.customer).id)]
        )


@tagged("post_install", "-at_install")
class TestFunds(EventCommon):
    def test_units_for_each_full_amount_and_the_rest_is_carried(self):  # B13, B60
        funds = self._make_event("funds", 1, amount=100)
        payment = self._pay(250)
        self.assertLeft(2)
        self.assertEqual(self._get_tally(funds).amount_carried, 50)
        self._pay(60)
        self.assertLeft(3)
        tally = self._get_tally(funds)
        self.assertEqual(
            (tally.amount_counted, tally.units_given, tally.amount_carried), (310, 3, 10)
        )
        grants = self.env["support.entitlement"].search([("event_id", "=", funds.id)], order="id")
        self.assertEqual(grants.mapped("quantity"), [2, 1])
        self.assertEqual(grants[0].payment_id, payment)
        self.assertEqual(set(grants.mapped("origin")), {"event"})
        self.assertFalse(any(grants.mapped("date_to")), "for life")  # B15
        self.assertFalse(any(grants.mapped("contract_id")))
        self.assertIn(payment.name, grants[0].name)

    def test_units_per_amount_of_time(self):
        self._make_event("funds", 5400, unit="time", amount=0.1)
        self._pay(0.3)  # 0.3 / 0.1 is below 3 in binary floats
        self.assertLeft(3 * 5400, unit="time")

    def test_ways_to_take_a_payment_back(self):  # B13, T29
        self._make_event("funds", 1, amount=100)
        ways = {
            "draft": lambda payment: payment.action_draft(),
            "cancel": lambda payment: payment.action_cancel(),
            "reject": lambda payment: payment.action_reject(),
            "delete": lambda payment: (payment.action_draft(), payment.unlink()),
            "draft entry": lambda payment: payment.move_id.button_draft(),
            "reverse": lambda payment: payment.move_id._reverse_moves(cancel=True),
        }
        for with_entry in (False, True):
            for name, take_back in ways.items():
                if not with_entry and name in ("draft entry", "reverse"):
                    continue
                with self.subTest(way=name, with_entry=with_entry):
                    before = self._get_balance()[2]
                    payment = self._pay(250, post=False)
                    if not with_entry:  # as where Odoo's bank reconciliation is installed
                        payment.outstanding_account_id = False
                    payment.action_post()
                    self._settle()
                    self.assertEqual(bool(payment.move_id), with_entry)
                    self.assertLeft(before + 2)
                    label = payment.name
                    take_back(payment)
                    self._settle()
                    self.assertLeft(before)
                    debt = self.env["support.entitlement"].search(
                        [("takes_back_id", "!=", False)], limit=1, order="id desc"
                    )
                    self.assertEqual((debt.quantity, debt.remaining), (-2, -2))
                    if name != "draft entry":
                        self.assertIn(label, debt.name)
                    self.assertEqual(debt.entry_ids.kind, "take_back")

    def test_a_payment_confirmed_again_gives_again(self):  # B12, T29
        self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        for _time in range(2):
            payment.action_draft()
            self._settle()
            self.assertLeft(0)
            payment.action_post()
            self._settle()
            self.assertLeft(1)

    def test_a_payment_seen_twice_gives_once(self):  # T28
        funds = self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        payment.action_post()
        self._settle()
        payment.action_validate()  # in process → paid
        self._settle()
        key = {(self.company.id, self.customer.id): {payment.id: False}}
        for _time in range(2):
            self.env["support.event.tally"]._sync(key)
        self._run_cron()
        self.assertLeft(1)
        self.assertEqual(
            self.env["support.entitlement"].search_count([("event_id", "=", funds.id)]), 1
        )

    def test_take_back_recomputes_from_the_total(self):  # B60
        funds = self._make_event("funds", 1, amount=100)
        first = self._pay(250)
        self._pay(60)
        first.action_cancel()
        self._settle()
        self.assertLeft(0)  # 60 are paid
        self.assertEqual(self._get_tally(funds).amount_carried, 60)
        self._pay(40)
        self.assertLeft(1)

    def test_units_used_meanwhile_are_owed(self):  # B61
        self._make_event("funds", 1, amount=100)
        payment = self._pay(200)
        tickets = [self._open_ticket(), self._open_ticket()]
        self.assertLeft(0)
        payment.action_cancel()
        self._settle()
        self.assertLeft(-2)
        for ticket in tickets:
            self.assertEqual(ticket.consumed_incidents, 1)
        for left in (-1, 0):
            with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
                self._open_ticket()
            self._pay(100)
            self.assertLeft(left)
        with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
            self._open_ticket()
        self._pay(100)
        self.assertLeft(1)
        self._open_ticket()
        self.assertLeft(0)
        for ticket in tickets:  # rated as they were
            self.assertEqual(ticket.consumed_incidents, 1)

    def test_units_owed_block_other_units_too(self):  # B61: one balance
        self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        self._open_ticket()
        payment.action_cancel()
        self._settle()
        self._make_grant(incidents=2, start=TODAY, end="2026-07-15", made_at=fields.Datetime.now())
        self._open_ticket()
        self.assertLeft(0)
        with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
            self._open_ticket()

    def test_an_older_ticket_cannot_take_what_is_owed(self):  # B61
        self._make_event("funds", 1, amount=100)
        payment = self._pay(200)
        ticket = self._open_ticket()
        payment.action_cancel()
        self._settle()
        self.assertLeft(-1)
        with self.assertRaisesRegex(UserError, "has 0 for it"), self.cr.savepoint():
            ticket.incident_quantity = 2
        ticket.invalidate_recordset()
        ticket.name = "Still writable"
        ticket.incident_quantity = 0
        self.assertLeft(0)

    def test_returning_what_is_owed_brings_the_balance_back(self):
        self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        ticket = self._open_ticket()
        payment.action_cancel()
        self._settle()
        ticket.unlink()
        self.assertLeft(0)

    def test_ticket_in_the_same_second_keeps_its_unit(self):
        self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        with freeze_time(f"{TODAY} 13:00:00"):
            ticket = self.env["helpdesk.ticket"].create(
                {
                    "name": "Help",
                    "description": "?",
                    "partner_id": self.customer.id,
                    "team_id": self.desk.id,
                }
            )
            payment.action_cancel()
            self.env.cr.flush()
            self.assertLeft(-1)
            with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
                self._open_ticket()
        self.env["support.consumption"]._reallocate(ticket._get_pool_starts())
        self.assertEqual(ticket.consumed_incidents, 1)

    def test_time_owed(self):  # B61, in time: the rest is charged
        contract = self._make_contract(start="2026-06-01")
        self._make_event("funds", HOUR, unit="time", amount=100)
        payment = self._pay(300)
        ticket = self._make_ticket(contract, f"{TODAY} 09:00:00")
        early = self._log_work(ticket, f"{TODAY} 09:00", 2)
        self._settle()
        payment.action_cancel()
        self._settle()
        self.assertLeft(-2 * HOUR, unit="time")
        self._pay(300)
        late = self._log_work(ticket, f"{TODAY} 09:00", 2)
        self.assertLeft(0, unit="time")
        self.assertEqual(sum(self._get_drawn(early).values()), 2 * HOUR)
        self.assertEqual(sum(self._get_drawn(late).values()), HOUR)
        self.assertEqual(sum(late.charge_ids.mapped("amount")), 70)
        self.assertProved(contract)

    def test_another_currency_is_converted_at_its_date(self):
        currency = self.setup_other_currency(
            "CAD", rates=[("2026-06-01", 2.0), ("2026-06-10", 4.0)]
        )
        funds = self._make_event("funds", 1, amount=100, date_from="2026-06-01")
        self._pay(400, currency_id=currency.id, date="2026-06-05")
        self.assertLeft(2)
        self._pay(400, currency_id=currency.id, date="2026-06-12")
        self.assertLeft(3)
        self.assertEqual(self._get_tally(funds).amount_counted, 300)

    def test_two_companies_count_their_own(self):
        other = self.setup_other_company()
        bank = other["default_journal_bank"]
        self.env.user.company_ids |= other["company"]
        self._make_event("funds", 1, amount=100)
        self._make_event("funds", 10, amount=50, company_id=other["company"].id)
        self._pay(90)
        payment = self.env["account.payment"].with_company(other["company"])
        payment = payment.create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 60,
                "journal_id": bank.id,
            }
        )
        payment.action_post()
        self._settle()
        self.assertEqual(payment.company_id, other["company"])
        self.assertLeft(0)
        self.assertLeft(10, company=other["company"])

    def test_payments_of_a_contact_are_the_customers(self):
        self._make_event("funds", 1, amount=100)
        contact = self.env["res.partner"].create({"name": "Sue", "parent_id": self.customer.id})
        self._pay(60, partner=contact)
        self._pay(40)
        self.assertLeft(1)

    def test_what_is_not_money_of_a_customer_does_not_count(self):
        self._make_event("funds", 1, amount=100)
        self._pay(500, payment_type="outbound")
        self._pay(500, partner_type="supplier")
        self._pay(500, post=False)
        self._settle()
        self.assertEqual(self._get_balance(), (0, 0, 0))

    def test_payments_that_were_there_before_the_add_on(self):
        kept = self._pay(500)
        draft, reversed_ = self._pay(70), self._pay(80)
        draft.action_draft()
        reversed_.move_id._reverse_moves(cancel=True)
        payments = kept + draft + reversed_ + self._pay(90, payment_type="outbound")
        computed = payments.mapped("support_counted_amount")
        self.assertEqual(computed, [500, 0, 0, 0])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_payment SET support_counted_amount = NULL WHERE id IN %s",
            [tuple(payments.ids)],
        )
        payments._fill_support_counted_amount()
        payments.invalidate_recordset()
        self.assertEqual(payments.mapped("support_counted_amount"), computed)

    def test_screens(self):
        for model in ("support.event", "support.event.tally", "support.entitlement"):
            self.env[model].get_views([(False, "list"), (False, "search")])
        funds = self._make_event("funds", 1, amount=100)
        self._pay(250)
        with Form(funds) as form:
            self.assertEqual(form.given_label, "2 incidents")
            self.assertTrue(form.has_given)
            with self.assertRaises(AssertionError):
                form.amount = 50
        action = funds.action_view_grants()
        self.assertEqual(self.env["support.entitlement"].search_count(action["domain"]), 1)

    def test_who_may_see_and_change_events(self):
        funds = self._make_event("funds", 1, amount=100)
        self._pay(250)
        tally = self._get_tally(funds)
        groups = {
            "support_contract.group_support_user": (True, False, False),
            "support_contract.group_support_prices": (True, False, True),
            "support_contract.group_support_manager": (True, True, True),
            "base.group_portal": (False, False, False),
        }
        for group, (sees, changes, sees_money) in groups.items():
            user = new_test_user(
                self.env(su=True),
                group.replace(".", "_"),
                group,
                company_id=self.company.id,
                company_ids=self.company.ids,
            )
            with self.subTest(group):
                self.assertEqual(funds.with_user(user).has_access("read"), sees)
                self.assertEqual(funds.with_user(user).has_access("write"), changes)
                self.assertEqual(tally.with_user(user).has_access("read"), sees_money)
                self.assertFalse(tally.with_user(user).has_access("write"))
        stranger = new_test_user(
            self.env(su=True), "stranger", "support_contract.group_support_manager"
        )
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger.sudo().write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertFalse(funds.with_user(stranger).has_access("read"))

    def test_payment_given_to_another_customer(self):
        self._make_event("funds", 1, amount=100)
        other = self._make_customer("Ohm Ltd")
        payment = self._pay(100)
        payment.partner_id = other
        self._settle()
        self.assertLeft(0)
        self.assertLeft(1, partner=other)

    def test_nothing_for_what_was_paid_before(self):
        self._pay(500)
        with freeze_time("2026-06-14"):
            old = self._pay(500, date="2026-06-14")
        funds = self._make_event("funds", 1, amount=100)
        self._run_cron()
        self.assertLeft(5)  # what was paid today, before the event was made
        old.action_draft()
        self._settle()
        old.action_post()
        self._settle()
        self.assertLeft(5)
        self.assertEqual(self._get_tally(funds).amount_counted, 500)

    def test_archived_event_gives_nothing_more_but_takes_back(self):
        funds = self._make_event("funds", 1, amount=100)
        payment = self._pay(100)
        funds.active = False
        self._settle()
        self.assertEqual(str(funds.date_to), TODAY)
        self.clock.move_to("2026-06-20 12:00:00")
        self._pay(100)
        self.assertLeft(1)
        payment.action_cancel()
        self._settle()
        self.assertLeft(0)

    def test_promise_does_not_change(self):
        funds = self._make_event("funds", 1, amount=100)
        funds.quantity = 2  # nobody got anything
        self._pay(100)
        for vals in (
            {"quantity": 3},
            {"amount": 5},
            {"kind": "first_payment"},
            {"date_from": "2020-01-01"},
        ):
            with self.assertRaisesRegex(UserError, "Archive"), self.cr.savepoint():
                funds.write(vals)
        with self.assertRaisesRegex(UserError, "Archive"), self.cr.savepoint():
            funds.unlink()
        funds.write({"quantity": 2, "active": False})
        with self.assertRaisesRegex(ValidationError, "2026-06-16"), self.cr.savepoint():
            self._make_event("funds", 3, amount=100)
        self._make_event("funds", 3, amount=100, date_from="2026-06-16")

    @mute_logger("odoo.sql_db")
    def test_bad_input(self):
        for vals in ({"quantity": 0}, {"quantity": -1}, {"amount": 0}, {"amount": -5}):
            with self.subTest(vals), self.assertRaises(IntegrityError), self.cr.savepoint():
                self._make_event("funds", **({"amount": 100} | vals))
        with self.assertRaisesRegex(ValidationError, "whole"), self.cr.savepoint():
            self._make_event("new_customer", 1.5)
        self._make_event("funds", 1, amount=100)
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self._make_event("funds", 1, amount=200)

    def test_many_payments_in_constant_queries(self):
        self._make_event("funds", 1, amount=100)
        self._make_event("first_payment", 2)
        counts = []
        for count in (2, 3, 30):  # the first one fills caches
            partners = [self._make_customer(f"Customer {count} {n}") for n in range(count)]
            keys = {}
            for partner in partners:
                keys[self.company.id, partner.id] = {
                    self._pay(150, partner=partner, post=False).id: False
                }
            payments = self.env["account.payment"].browse([p for k in keys.values() for p in k])
            payments.action_post()
            self.env.flush_all()
            self.env.cr.precommit.clear()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["support.event.tally"]._sync(keys)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - start)
            self.assertLeft(3, partner=partners[-1])
        self.assertEqual(counts[1], counts[2])


@tagged("post_install", "-at_install")
class TestFirstPayment(EventCommon):
    def test_first_payment_gives_once(self):  # B12
        self._make_event("first_payment", 3)
        first = self._pay(10)
        second = self._pay(10)
        self.assertLeft(3)
        first.action_cancel()
        self._settle()
        self.assertLeft(3)  # the second one is the first one now
        second.action_cancel()
        self._settle()
        self.assertLeft(0)
        self._pay(10)
        self.assertLeft(3)

    def test_who_paid_before_gets_nothing(self):
        self._pay(10, date="2026-06-14")
        self._make_event("first_payment", 3)
        self._pay(10)
        self.assertLeft(0)

    def test_events_are_combined(self):  # B10
        self._make_event("first_payment", 3)
        self._make_event("funds", 1, amount=100)
        self._make_event("funds", HOUR, amount=50, unit="time")
        payment = self._pay(250)
        self.assertLeft(5)
        self.assertLeft(5 * HOUR, unit="time")
        payment.action_cancel()
        self._settle()
        self.assertLeft(0)
        self.assertLeft(0, unit="time")


@tagged("post_install", "-at_install")
class TestNewCustomer(EventCommon):
    def _make_happen(self, what, partner):
        if what == "order":
            order = (
                self.env["sale.order"]
                .sudo()
                .create({"partner_id": partner.id, "company_id": self.company.id})
            )
            order.action_confirm()
        elif what == "contract":
            self._make_contract(start=TODAY, partner=partner)
        elif what == "invoice":
            self._create_invoice_one_line(
                product_id=self.fee_product, partner_id=partner, price_unit=10, post=True
            )
        else:
            new_test_user(
                self.env,
                f"portal_{partner.id}_{self.env.cr.sql_log_count}",
                "base.group_portal",
                partner_id=partner.id,
                company_id=self.company.id,
                company_ids=self.company.ids,
            )
        self._settle()

    def test_whatever_comes_first_gives_once(self):  # B11
        self._make_event("new_customer", 2)
        ways = ["order", "contract", "invoice", "portal"]
        for what in ways:
            with self.subTest(what):
                partner = self._make_customer(f"{what} Ltd")
                self._make_happen(what, partner)
                self.assertLeft(2, partner=partner)
                for other in ways:
                    self._make_happen(other, partner) if other != what else None
                self.assertLeft(2, partner=partner)

    def test_who_was_there_is_not_new(self):
        partner = self._make_customer("Old Ltd")
        self._make_happen("contract", partner)
        self._make_event("new_customer", 2)
        self._make_happen("order", partner)
        self._make_happen("invoice", partner)
        self.assertLeft(0, partner=partner)

    def test_contacts_are_not_customers_of_their_own(self):
        self._make_event("new_customer", 2)
        contacts = self.env["res.partner"].create(
            [{"name": name, "parent_id": self.customer.id} for name in ("Sue", "Tim")]
        )
        for contact in contacts:
            self._make_happen("portal", contact)
            self.assertLeft(2)
            self.assertLeft(0, partner=contact)

    def test_import_is_no_event(self):
        self._make_event("new_customer", 2)
        order = self.env["sale.order"].sudo().create({"partner_id": self.customer.id})
        order.with_context(import_file=True).action_confirm()
        self._settle()
        self.assertLeft(0)

    def test_contract_that_ran_elsewhere_is_no_event(self):
        self._make_event("new_customer", 2)
        self._make_contract(start="2026-01-01", opening_date="2026-03-15")
        self._settle()
        self.assertLeft(0)

    def test_before_its_first_day_it_gives_nothing(self):
        self._make_event("new_customer", 2, date_from="2026-07-01")
        self._make_happen("order", self.customer)
        self.assertLeft(0)

    def test_time_for_new_customers(self):
        form = Form(self.env["support.event"])
        form.kind = "new_customer"
        form.unit = "time"
        form.hours = 1.5
        event = form.save()
        self.assertEqual(event.quantity, 5400)
        self.assertEqual(event.name, "1:30 h for new customers")
        self._make_happen("order", self.customer)
        self.assertLeft(5400, unit="time")

    def test_constant_queries(self):
        self._make_event("new_customer", 2)
        counts = []
        for count in (2, 3, 30):  # the first one fills caches
            partners = [self._make_customer(f"Customer {count} {n}") for n in range(count)]
            noted = {
                (self.company.id, partner.id): {("sale.order", 1): True} for partner in partners
            }
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["support.event"]._welcome(noted)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - start)
            self.assertLeft(2, partner=partners[-1])
        self.assertEqual(counts[1], counts[2])
