# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Charging a ticket directly (B2–B8): the amount on the ticket, its charges, bills and refunds."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestTicketCharge(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.env["account.tax"].create(
            {
                "name": "21 %",
                "amount": 21,
                "type_tax_use": "sale",
                "price_include_override": "tax_excluded",
            }
        )
        cls.product = cls.env.ref("support_contract.product_support_ticket")
        cls.product.taxes_id = cls.tax
        cls.ticket = cls._make_ticket()

    def _get_live(self, ticket=None):
        """Ticket charges that count, as (state, tax included)."""
        charges = (ticket or self.ticket).ticket_charge_ids
        return [
            (charge.state, charge.amount_total)
            for charge in charges.sorted("id")
            if not charge.cancelled
        ]

    def _invoice_ticket(self, ticket=None, post=False):
        ticket = ticket or self.ticket
        ticket.action_bill_now()
        bill = ticket.ticket_charge_ids.bill_id.filtered(lambda bill: bill.state == "approved")
        move = self.env["support.invoicing"]._create_invoices(bill)
        if post:
            move.action_post()
        return move

    def _get_notices(self, ticket=None):
        """What customers were told: [(recipients, text)]."""
        messages = self.env["mail.message"].search(
            [
                ("model", "=", "helpdesk.ticket"),
                ("res_id", "=", (ticket or self.ticket).id),
                ("message_type", "=", "user_notification"),
            ],
            order="id",
        )
        return [(message.partner_ids, message.preview) for message in messages]

    # === CHARGING === #

    def test_saving_an_amount_charges_it_in_full(self):
        with Form(self.ticket) as form:
            form.charge_amount = 10.0
        charge = self.ticket.ticket_charge_ids
        self.assertEqual((charge.amount_total, charge.amount, charge.state), (10.0, 8.26, "open"))
        self.assertEqual((charge.product_id, charge.partner_id), (self.product, self.customer))

    def test_price_lists_give_no_discount(self):
        """B4: in full, whatever the contract's price list says."""
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half",
                "item_ids": [
                    (
                        0,
                        0,
                        {
                            "compute_price": "percentage",
                            "percent_price": 50,
                            "applied_on": "3_global",
                        },
                    )
                ],
            }
        )
        contract = self._make_contract(
            partner=self._make_customer("Half Ltd"), pricelist_id=pricelist.id
        )
        ticket = self._make_ticket(contract, charge_amount=10.0)
        self.assertEqual(self._invoice_ticket(ticket).amount_total, 10.0)

    def test_amount_given_with_a_new_ticket(self):
        ticket = self._make_ticket(charge_amount=25)
        self.assertEqual(self._get_live(ticket), [("open", 25.0)])

    def test_open_charge_is_changed_and_taken_back_with_history(self):
        self.ticket.charge_amount = 10
        charge = self.ticket.ticket_charge_ids
        self.ticket.charge_amount = 15
        self.assertEqual(self._get_live(), [("open", 15.0)])
        self.assertEqual((self.ticket.ticket_charge_ids, charge.amount), (charge, 12.4))
        self.ticket.charge_amount = 0
        self.assertEqual((self._get_live(), charge.state), ([], "cancelled"))
        lines = charge.history.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn(self.env.user.name, lines[1])
        for line, old, new in zip(lines, (0, 10, 15), (10, 15, 0), strict=True):
            self.assertIn(f"{old:.2f}", line.split(self.env.user.name)[1].split("→")[0])
            self.assertIn(f"{new:.2f}", line.split("→")[1])

    def test_change_is_in_the_history_of_the_ticket(self):
        ticket = self.ticket.with_context(tracking_disable=False, mail_notrack=False)
        self.flush_tracking()
        ticket.charge_amount = 10
        self.flush_tracking()
        values = ticket.message_ids.tracking_value_ids.filtered(
            lambda value: value.field_id.name == "charge_amount"
        )
        self.assertEqual((values.old_value_float, values.new_value_float), (0, 10))

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.precommit.run()

    def test_nothing_is_refused_because_of_the_balance(self):
        """B5: a customer without any balance is charged all the same."""
        self.ticket.charge_amount = 1_000_000
        self.assertEqual(self._get_live(), [("open", 1_000_000.0)])

    def test_customer_is_told(self):
        """B6: him, of each change, and nobody else."""
        other = self._make_customer("Follower Ltd")
        self.ticket.message_subscribe(other.ids)
        for amount in (10, 10, 15, 0):
            self.ticket.charge_amount = amount
        notices = self._get_notices()
        self.assertEqual([partners for partners, _text in notices], [self.customer] * 3)
        texts = [text for _partners, text in notices]
        self.assertIn("10.00", texts[0])
        self.assertIn("from", texts[1])
        self.assertIn("15.00", texts[1])
        self.assertIn("taken back", texts[2])

    def test_charging_with_the_reply(self):
        """B3: one step charges and answers."""
        wizard = Form(
            self.env["support.ticket.charge.wizard"].with_context(default_ticket_id=self.ticket.id)
        )
        wizard.amount = 12.5
        wizard.body = "<p>Done, as agreed on the phone.</p>"
        wizard.save().action_charge()
        self.assertEqual(self._get_live(), [("open", 12.5)])
        reply = self.ticket.message_ids[0]
        self.assertIn("as agreed", reply.body)
        self.assertEqual(reply.subtype_id, self.env.ref("mail.mt_comment"))
        self.assertIn(self.customer, reply.notified_partner_ids)
        self.assertEqual(len(self._get_notices()), 1)

    def test_wizard_with_nothing_to_do_says_so(self):
        wizard = self.env["support.ticket.charge.wizard"].create({"ticket_id": self.ticket.id})
        with self.assertRaisesRegex(UserError, "another amount, or a reply"):
            wizard.action_charge()

    # === UNDER A CONTRACT === #

    def test_charge_of_a_contract_comes_on_the_bill_of_its_term(self):
        contract = self._make_contract(self._make_plan(fee=100))
        with freeze_time("2026-01-20 12:00:00"):
            ticket = self._make_ticket(contract, charge_amount=12.1)
        bill = self._bill(contract, "2026-02-01")
        self.assertEqual((bill.kind, bill.amount_fees, bill.amount_other), ("term", 100, 10))
        self.assertEqual(ticket.ticket_charge_ids.bill_id, bill)
        self._invoice(bill)
        self.assertProved(contract)

    def test_charge_on_a_waiting_bill_has_it_approved_again(self):
        contract = self._make_contract(self._make_plan(fee=100), bill_approval="manager")
        with freeze_time("2026-01-20 12:00:00"):
            ticket = self._make_ticket(contract, charge_amount=12.1)
        bill = self._bill(contract, "2026-02-01")
        bill.action_submit()
        ticket.charge_amount = 24.2
        self.assertEqual((bill.state, bill.amount_other), ("draft", 20))

    def test_open_charge_follows_the_customer_and_contract(self):
        contract = self._make_contract(partner=self._make_customer("Other Ltd"))
        self.ticket.charge_amount = 10
        self.ticket.partner_id = contract.partner_id
        charge = self.ticket.ticket_charge_ids
        self.assertEqual(charge.partner_id, contract.partner_id)
        self.assertEqual((charge.contract_id, self.ticket.contract_id), (contract, contract))
        self.assertTrue(charge.billing_term_id)
        self.ticket.contract_id = False
        self.assertFalse(charge.contract_id or charge.billing_term_id)

    def test_customer_of_a_billed_charge_does_not_change(self):
        self.ticket.charge_amount = 10
        self._invoice_ticket()
        person = self.env["res.partner"].create({"name": "Eve", "parent_id": self.customer.id})
        self.ticket.partner_id = person  # the same customer
        with self.assertRaisesRegex(UserError, "customer can't change"):
            self.ticket.partner_id = self._make_customer("Other Ltd")

    def test_charge_in_another_currency_is_refused(self):
        other = self.setup_other_currency("HRK")
        contract = self._make_contract(self._make_plan(fee=1, currency_id=other.id))
        self.ticket.charge_amount = 10
        with self.assertRaisesRegex(UserError, "would now be billed in HRK"):
            self.ticket.contract_id = contract

    # === REFUNDS === #

    def test_lowering_an_invoiced_charge_makes_a_credit_note_at_once(self):
        self.ticket.charge_amount = 10
        move = self._invoice_ticket(post=True)
        self.ticket.charge_amount = 4
        note = move.reversal_move_ids
        self.assertEqual(
            (note.move_type, note.state, note.amount_total), ("out_refund", "draft", 6)
        )
        self.assertEqual(note.partner_id, move.partner_id)
        self.assertEqual(self._get_live(), [("invoiced", 10), ("invoiced", -6)])
        note.action_post()
        self.assertEqual((move.amount_residual, self._get_live()[0][0]), (4, "invoiced"))

    def test_deleting_an_invoiced_charge_and_charging_again(self):
        self.ticket.charge_amount = 10
        move = self._invoice_ticket(post=True)
        self.ticket.charge_amount = 0
        move.reversal_move_ids.action_post()
        self.assertEqual(move.payment_state, "reversed")
        self.ticket.charge_amount = 5
        self.assertEqual(self._get_live(), [("invoiced", 10), ("invoiced", -10), ("open", 5)])

    def test_raising_an_invoiced_charge_charges_the_difference(self):
        self.ticket.charge_amount = 10
        self._invoice_ticket()
        self.ticket.charge_amount = 25
        self.assertEqual(self._get_live(), [("invoiced", 10), ("open", 15)])
        self.ticket.charge_amount = 12
        self.assertEqual(self._get_live(), [("invoiced", 10), ("open", 2)])

    def test_refund_of_two_invoices_is_a_credit_note_for_each(self):
        self.ticket.charge_amount = 10
        first = self._invoice_ticket(post=True)
        self.ticket.charge_amount = 25
        second = self._invoice_ticket(post=True)
        self.ticket.charge_amount = 3
        self.assertEqual(first.reversal_move_ids.amount_total, 7)
        self.assertEqual(second.reversal_move_ids.amount_total, 15)

    def test_refund_on_an_approved_bill_comes_on_the_next_one(self):
        self.ticket.charge_amount = 10
        self.ticket.action_bill_now()
        self.ticket.charge_amount = 4
        self.assertEqual(self._get_live(), [("approved", 10), ("open", -6)])
        self.ticket.charge_amount = 7
        self.assertEqual(self._get_live(), [("approved", 10), ("open", -3)])
        self.ticket.charge_amount = 10
        self.assertEqual(self._get_live(), [("approved", 10)])

    def test_refund_when_the_invoice_came_after_it_was_lowered(self):
        """The refund that waited is credited as soon as the ticket changes again."""
        self.ticket.charge_amount = 10
        self.ticket.action_bill_now()
        self.ticket.charge_amount = 4
        bill = self.ticket.ticket_charge_ids.bill_id
        move = self.env["support.invoicing"]._create_invoices(bill)
        self.ticket.charge_amount = 3
        self.assertEqual(move.reversal_move_ids.amount_total, 7)

    def test_invoice_credited_by_the_accountant_is_not_refunded_again(self):
        self.ticket.charge_amount = 10
        move = self._invoice_ticket(post=True)
        move._reverse_moves(cancel=True)
        self.assertEqual(self._get_live(), [("credited", 10)])
        self.ticket.charge_amount = 0
        self.assertEqual(self._get_live(), [("credited", 10)])

    def test_credited_ticket_is_not_charged_again_by_other_changes(self):
        self.ticket.charge_amount = 10
        self._invoice_ticket(post=True)._reverse_moves(cancel=True)
        self.ticket.write({"team_id": self.team.copy().id, "charge_amount": 10})
        self.assertEqual(self._get_live(), [("credited", 10)])

    def test_credited_bill_that_is_invoiced_again_after_the_amount_was_lowered(self):
        self.ticket.charge_amount = 10
        self._invoice_ticket(post=True)._reverse_moves(cancel=True)
        self.ticket.charge_amount = 0
        self.ticket.ticket_charge_ids.bill_id.action_invoice_again()
        self.assertEqual(self._get_live(), [("approved", 10), ("open", -10)])

    def test_refund_of_an_archived_product_works(self):
        self.ticket.charge_amount = 10
        self._invoice_ticket()
        self.product.active = False
        self.ticket.charge_amount = 0
        self.assertEqual(self._get_live(), [("invoiced", 10), ("invoiced", -10)])

    def test_refund_under_a_contract_that_wants_approval(self):
        contract = self._make_contract(bill_approval="customer")
        ticket = self._make_ticket(contract, charge_amount=10)
        ticket.action_bill_now()
        bill = ticket.ticket_charge_ids.bill_id
        self.assertEqual(bill.state, "to_approve")
        move = self._invoice(bill, post=True)
        ticket.charge_amount = 0
        self.assertEqual(move.reversal_move_ids.amount_total, 10)
        self.assertProved(contract)

    def test_any_order_of_changes_and_invoices_adds_up(self):
        amounts = (10, 3, 8.5, 0, 20, 20.01, 5, 0.01, 40, 0)
        for index, amount in enumerate(amounts):
            self.ticket.charge_amount = amount
            live = sum(total for _state, total in self._get_live())
            self.assertAlmostEqual(live, amount, 9)
            if index % 3 == 1 and self.ticket.can_bill_now:
                self._invoice_ticket(post=True)
        moves = self.ticket.ticket_charge_ids.bill_id.move_id
        invoiced = sum(move._get_support_sign() * move.amount_total for move in moves)
        self.assertAlmostEqual(invoiced, 0, 9)

    # === BAD INPUT === #

    def test_negative_amount_is_refused(self):
        with self.assertRaisesRegex(UserError, "can't be negative.*credit"):
            self.ticket.charge_amount = -5

    def test_amount_is_rounded_to_the_currency(self):
        self.ticket.charge_amount = 10.005
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.ticket.charge_amount, self._get_live()[0][1])
        self.assertEqual(self.ticket.charge_amount, 10.01)

    def test_ticket_without_customer_cannot_be_charged(self):
        ticket = self._make_ticket(partner_id=False)
        with self.assertRaisesRegex(UserError, "no customer.*set one first"):
            ticket.charge_amount = 10
        with self.assertRaisesRegex(UserError, "no customer.*set one first"):
            self.ticket.charge_amount = 10
            self.ticket.partner_id = False

    def test_archived_product_is_named(self):
        self.product.active = False
        with self.assertRaisesRegex(UserError, "missing or archived.*settings"):
            self.ticket.charge_amount = 10

    def test_charged_ticket_is_not_deleted(self):
        self.ticket.charge_amount = 10
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            self.ticket.unlink()

    def test_copy_of_a_ticket_is_not_charged(self):
        self.ticket.charge_amount = 10
        copy = self.ticket.copy()
        self.assertFalse(copy.charge_amount or copy.ticket_charge_ids)

    def test_charge_cannot_be_changed_past_its_ticket(self):
        self.ticket.charge_amount = 10
        charge = self.ticket.ticket_charge_ids
        for call in (
            lambda: charge.write({"amount": 1}),
            lambda: charge.write({"amount_total": 1}),
            lambda: charge.write({"cancelled": True}),
            charge.unlink,
            lambda: charge.copy(),
        ):
            with self.assertRaisesRegex(UserError, "follows the amount on its ticket"):
                call()

    def test_nothing_to_bill_says_so(self):
        with self.assertRaisesRegex(UserError, "nothing to bill"):
            self.ticket.action_bill_now()

    # === ACCESS === #

    def _make_user(self, login, groups):
        return new_test_user(
            self.env, login, groups, company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip

    def test_technicians_neither_charge_nor_see_it(self):
        self.ticket.charge_amount = 10
        user = self._make_user("technician", "helpdesk_mgmt.group_helpdesk_user")
        ticket = self.ticket.with_user(user)
        for name in ("charge_amount", "ticket_charge_ids", "charge_state_label"):
            with self.assertRaises(AccessError):
                ticket.read([name])
        with self.assertRaises(AccessError):
            ticket.charge_amount = 5
        with self.assertRaises(AccessError):
            self._make_ticket().with_user(user).create(
                {"name": "X", "description": "X", "charge_amount": 5}
            )
        for message in ticket.message_ids:
            self.assertNotIn("10.00", message.body)
        ticket.name = "Renamed"
        ticket.partner_id = self._make_customer("Other Ltd")
        self.assertEqual(self.ticket.ticket_charge_ids.partner_id.name, "Other Ltd")

    def test_who_only_sees_prices_does_not_charge(self):
        user = self._make_user(
            "reader", "helpdesk_mgmt.group_helpdesk_user,account.group_account_readonly"
        )
        ticket = self.ticket.with_user(user)
        self.assertEqual((ticket.charge_amount, ticket.may_charge), (0, False))
        with self.assertRaisesRegex(AccessError, "managers of support and accountants"):
            ticket.charge_amount = 5

    def test_manager_without_accounting_charges_and_refunds(self):
        user = self._make_user("chief", "support_contract.group_support_manager")
        ticket = self.ticket.with_user(user)
        ticket.charge_amount = 10
        move = self._invoice_ticket(post=True)
        ticket.charge_amount = 0
        self.assertEqual(move.reversal_move_ids.amount_total, 10)

    def test_accountant_charges(self):
        user = self._make_user(
            "accountant", "helpdesk_mgmt.group_helpdesk_user,account.group_account_invoice"
        )
        ticket = self.ticket.with_user(user)
        ticket.charge_amount = 10
        ticket.action_bill_now()
        self.assertEqual(self._get_live(), [("approved", 10)])

    # === SPEED === #

    def test_queries_do_not_grow_with_the_tickets(self):
        def count(number):
            tickets = self.env["helpdesk.ticket"].concat(
                *(self._make_ticket() for _index in range(number))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            self.cr.execute(
                "UPDATE helpdesk_ticket SET charge_amount = 10 WHERE id = ANY(%s)", [tickets.ids]
            )
            start = self.cr.sql_log_count
            self.env["support.charge"].sudo()._sync_ticket_amounts(tickets.sudo())
            self.env.flush_all()
            self.assertEqual(len(tickets.ticket_charge_ids), number)
            return self.cr.sql_log_count - start

        count(1)  # what is read once
        self.assertLessEqual(count(30), count(3))
