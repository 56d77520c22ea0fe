# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Versions of a bill: computed anew beside the old one, and made the one that counts (C53, C54)."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import BillingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-02 12:00:00")
class TestBillVersions(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(hours=5, fee=100, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)
        cls.line = cls._log_work(cls.ticket, "2026-01-10 10:00", 6)
        cls.rate = cls.plan.rate_ids

    def _bill_january(self, contract=None):
        return self._bill(contract or self.contract, "2026-02-01")

    def _regenerate(self, bill):
        return self.env["support.bill"].browse(bill.action_regenerate()["res_id"])

    def _get_lines(self, version, *outcomes):
        return [
            (line.outcome, line.amount_old, line.amount_new)
            for line in version.difference_ids
            if not outcomes or line.outcome in outcomes
        ]

    def assertAddsUp(self, contract):
        """Σ charges = Σ main bills = Σ invoices minus credit notes, and all is proved."""
        bills = contract.bill_ids
        charges = self.env["support.charge"].search(
            [("contract_id", "=", contract.id), ("state", "in", ("invoiced", "credited"))]
        )
        main = bills.filtered(lambda bill: bill.is_main and bill.state == "invoiced")
        total = sum(charges.mapped("amount"))
        self.assertAlmostEqual(total, sum(main.mapped("amount_untaxed")), 2)
        moves = bills.move_ids.filtered(lambda move: move.state != "cancel")
        invoiced = sum(move._get_support_sign() * move.amount_untaxed for move in moves)
        self.assertAlmostEqual(total, invoiced, 2)
        self.assertProved(contract)

    # === REGENERATE === #

    def test_nothing_changed_nothing_differs(self):  # C53
        bill = self._bill_january()
        version = self._regenerate(bill)
        self.assertEqual(
            self._get_lines(version), [("same", 100, 100), ("same", 0, 0), ("same", 70, 70)]
        )
        self.assertEqual((version.version, version.is_main, version.state), (2, False, "draft"))
        self.assertEqual((version.amount_proposed, version.amount_difference), (170, 0))

    def test_proposal_takes_nothing_from_the_bill(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        self.rate.price = 90
        before = bill.charge_ids
        version = self._regenerate(bill)
        self.assertEqual((bill.is_main, bill.state, bill.amount_untaxed), (True, "invoiced", 170))
        self.assertEqual((bill.charge_ids, bill.move_id), (before, move))
        self.assertFalse(version.charge_ids)
        self.assertEqual(version.amount_untaxed, 0)
        self.assertEqual(self._get_lines(version, "changed"), [("changed", 70, 90)])
        self.assertEqual(version.amount_difference, 20)
        self.assertAddsUp(self.contract)

    def test_regenerating_again_replaces_the_proposal(self):
        bill = self._bill_january()
        self._invoice(bill)
        self.rate.price = 80
        version = self._regenerate(bill)
        self.rate.price = 90
        self.assertEqual(self._regenerate(bill), version)
        self.assertEqual(version.amount_difference, 20)
        self.assertEqual(bill.proposal_id, version)

    def test_fees_are_those_of_now(self):
        bill = self._bill_january()
        self._invoice(bill)
        self.contract.line_ids.price_unit = 120
        version = self._regenerate(bill)
        self.assertEqual(self._get_lines(version, "changed"), [("changed", 100, 120)])

    def test_changed_fee_settled_on_a_later_bill_stays_there(self):
        bill = self._bill_january()
        self._invoice(bill)
        self.contract.line_ids.price_unit = 120
        with freeze_time("2026-03-01 12:00:00"):
            later = self._bill(self.contract, "2026-03-01")
            self.assertEqual(later.amount_fees, 140)
            version = self._regenerate(bill)
            self.assertEqual(version.amount_difference, 0)
            [line] = version.difference_ids.filtered(lambda line: line.outcome == "elsewhere")
            self.assertIn(later.name, line.remark)
            self.assertIn("20.00", line.remark)
            version.action_make_main()
            self.assertFalse(self._bill(self.contract, "2026-03-01"))
        self.assertProved(self.contract)

    def test_late_work_comes_on_the_new_version(self):
        bill = self._bill_january()
        self._invoice(bill)
        self._log_work(self.ticket, "2026-01-20 10:00", 1)
        version = self._regenerate(bill)
        self.assertEqual(self._get_lines(version, "added"), [("added", 0, 70)])

    def test_late_work_on_a_later_bill_stays_there(self):
        bill = self._bill_january()
        self._invoice(bill)
        self._log_work(self.ticket, "2026-01-20 10:00", 1)
        with freeze_time("2026-03-01 12:00:00"):
            later = self._bill(self.contract, "2026-03-01")
            self._invoice(later)
            version = self._regenerate(bill)
            self.assertEqual(version.amount_difference, 0)
            [line] = version.difference_ids.filtered(lambda line: line.outcome == "elsewhere")
            self.assertIn(later.name, line.remark)
            version.action_make_main()
            self.assertAddsUp(self.contract)

    def test_early_late_work_takes_the_allowance_from_what_was_billed(self):
        """Rated from scratch: what was done first is covered first."""
        bill = self._bill_january()
        self._invoice(bill)
        late = self._log_work(self.ticket, "2026-01-05 10:00", 2)
        self.assertEqual(self._get_charges(late), [("overage", 2, 140)])
        version = self._regenerate(bill)
        self.assertEqual(version.amount_difference, 140)
        version.action_make_main()
        self.assertEqual(self._get_charges(late), [("covered", 2, 0)])
        self.assertEqual(self._get_charges(self.line), [("covered", 3, 0), ("overage", 3, 210)])
        self.assertAddsUp(self.contract)

    def test_bill_in_advance_has_fee_and_usage_of_two_terms(self):
        plan = self.plan.copy({"billing_mode": "advance"})
        contract = self._make_contract(plan, partner=self._make_customer("Early Ltd"))
        ticket = self._make_ticket(contract)
        self._log_work(ticket, "2026-01-10 10:00", 6)
        january, february = self._bill_january(contract).sorted("date")
        self._invoice(january | february)
        self._log_work(ticket, "2026-01-20 10:00", 1)
        self.assertEqual(self._regenerate(january).amount_difference, 0)
        version = self._regenerate(february)
        self.assertEqual((version.amount_before, version.amount_proposed), (170, 240))
        version.action_make_main()
        self.assertAddsUp(contract)

    def test_bill_rules_are_those_of_now(self):
        rule = self.env["support.bill.rule"].create(
            {
                "name": "Desk",
                "contract_id": self.contract.id,
                "amount": 30.0,
                "criterion_ids": [
                    Command.create({"fact": "team", "team_ids": [Command.set(self.team.ids)]})
                ],
            }
        )
        self.cr.precommit.run()
        bill = self._bill_january()
        self.assertEqual(bill.amount_untaxed, 200)
        self._invoice(bill, post=True)
        rule.amount = 45
        self.cr.precommit.run()
        version = self._regenerate(bill)
        self.assertEqual(self._get_lines(version, "changed"), [("changed", 30, 45)])
        version.action_make_main()
        self.assertAddsUp(self.contract)

    # === MARK AS MAIN === #

    def test_version_of_an_open_bill_replaces_it(self):  # C54
        bill = self._bill_january()
        self.contract.line_ids.price_unit = 120
        version = self._regenerate(bill)
        version.action_make_main()
        self.assertEqual((bill.is_main, bill.state), (False, "cancelled"))
        self.assertEqual((version.is_main, version.state), (True, "draft"))
        self.assertEqual((version.amount_untaxed, bill.amount_untaxed), (190, 170))
        self.assertEqual((version.replaces_id, bill.replaced_by_id), (bill, version))
        self.assertEqual(set(version.charge_ids.mapped("state")), {"billed"})
        self.assertFalse(self._bill_january())
        self._invoice(version, post=True)
        self.assertAddsUp(self.contract)

    def test_version_of_a_posted_bill_credits_and_invoices(self):
        self.company.support_post_invoices = True
        bill = self._bill_january()
        move = self._invoice(bill)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.version_reason = "Wrong rate"
        version.action_make_main()
        note = move.reversal_move_ids
        self.assertEqual((note.state, note.amount_untaxed), ("posted", 170))
        self.assertEqual((move.state, move.amount_untaxed), ("posted", 170))
        self.assertEqual(move.payment_state, "reversed")
        self.assertEqual((version.state, version.move_id.amount_untaxed), ("invoiced", 190))
        self.assertEqual(version.move_id.state, "posted")
        self.assertEqual((bill.state, bill.amount_untaxed), ("credited", 170))
        self.assertEqual(set(bill.charge_ids.mapped("state")), {"credited"})
        self.assertEqual(bill.move_ids, move | note)
        self.assertEqual(version.move_ids, version.move_id)
        self.assertEqual(note.invoice_line_ids.support_charge_id, bill.charge_ids)
        change = self.contract.change_ids[0]
        self.assertEqual((change.kind, change.reason, change.amount), ("bill", "Wrong rate", 20))
        self.assertAddsUp(self.contract)

    def test_drafts_are_left_to_the_accountant(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.action_make_main()
        self.assertEqual(move.reversal_move_ids.state, "draft")
        self.assertEqual(version.move_id.state, "draft")
        self.assertEqual(bill.state, "credited")
        (move.reversal_move_ids | version.move_id).action_post()
        self.assertEqual((bill.state, version.state), ("credited", "invoiced"))
        self.assertAddsUp(self.contract)

    def test_draft_invoice_is_given_up(self):
        bill = self._bill_january()
        move = self._invoice(bill)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.action_make_main()
        self.assertFalse(move.exists())
        self.assertEqual((bill.state, version.state), ("cancelled", "draft"))
        self._invoice(version, post=True)
        self.assertAddsUp(self.contract)

    def test_units_are_not_touched(self):
        grant = self.contract.entitlement_ids
        bill = self._bill_january()
        self._invoice(bill, post=True)
        entries = self.env["support.entitlement.entry"].search([])
        self.contract.line_ids.price_unit = 120
        self._regenerate(bill).action_make_main()
        self.assertEqual(self.env["support.entitlement.entry"].search([]), entries)
        self.assertEqual(sum(grant.mapped("used")), 5 * 3600)

    def test_versions_of_versions(self):
        bill = self._bill_january()
        self._invoice(bill, post=True)
        versions = bill
        for price in (80, 90):
            self.rate.price = price
            version = self._regenerate(versions[-1])
            version.action_make_main()
            version.move_id.action_post()
            versions += version
        self.assertEqual(versions.mapped("version"), [1, 2, 3])
        self.assertEqual(versions.mapped("amount_untaxed"), [170, 180, 190])
        self.assertEqual(versions.mapped("name")[1:], [f"{bill.name}-2", f"{bill.name}-3"])
        self.assertEqual(versions[0]._get_versions(), versions)
        self.assertEqual(versions[2]._get_versions(), versions)
        self.assertEqual(set(self.contract.bill_ids), set(versions))  # C27
        self.assertAddsUp(self.contract)

    def test_work_of_a_replaced_bill_can_be_deleted_where_the_new_one_is_open(self):
        bill = self._bill_january()
        self._invoice(bill)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.action_make_main()
        self.line.unlink()
        self.assertEqual((version.amount_untaxed, bill.amount_untaxed), (100, 170))
        self.assertProved(self.contract)

    def test_bills_on_one_invoice_only_this_one_is_credited(self):
        self.customer.support_invoice_grouping = "customer"
        self.company.support_post_invoices = True
        other = self._make_contract(self._make_plan(fee=100))
        first, second = self._bill_january(self.contract | other)
        move = self._invoice(first | second)
        self.rate.price = 90
        self._regenerate(first).action_make_main()
        note = move.reversal_move_ids
        self.assertEqual((note.state, note.amount_untaxed), ("posted", 170))
        self.assertEqual((first.state, second.state), ("credited", "invoiced"))
        self.assertEqual(move.amount_residual, 100 * move.amount_total / 270)
        self.assertProved(self.contract | other)
        other.line_ids.price_unit = 130
        self._regenerate(second).action_make_main()
        self.assertEqual(move.amount_residual, 0)
        self.assertProved(self.contract | other)

    def test_bills_on_one_draft_invoice_only_this_one_leaves_it(self):
        self.customer.support_invoice_grouping = "customer"
        other = self._make_contract(self._make_plan(fee=100))
        first, second = self._bill_january(self.contract | other)
        move = self._invoice(first | second)
        self._regenerate(first).action_make_main()
        self.assertEqual((move.amount_untaxed, move.support_bill_ids), (100, second))
        sections = move.invoice_line_ids.filtered(lambda line: line.display_type == "line_section")
        self.assertEqual(len(sections), 1)
        self.assertProved(self.contract | other)

    def test_partly_paid_invoice_frees_its_payment(self):
        self.company.support_post_invoices = True
        bill = self._bill_january()
        move = self._invoice(bill)
        self._register_payment(move, amount=50)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.action_make_main()
        self.assertEqual(move.payment_state, "reversed")
        self.assertEqual(version.move_id.amount_residual, version.move_id.amount_total)
        self.assertIn("payment", move.message_ids[0].body)
        self.assertAddsUp(self.contract)

    def test_negative_bill_is_replaced(self):
        self.company.support_post_invoices = True
        self.env["support.charge"].create(
            {
                "kind": "credit",
                "name": "Sorry",
                "contract_id": self.contract.id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "currency_id": self.contract.currency_id.id,
                "product_id": self.fee_product.id,
                "date": "2026-01-15",
                "price_unit": -300.0,
                "amount": -300.0,
                "term_id": self.contract.term_ids[0].id,
                "billing_term_id": self.contract.term_ids[0].id,
            }
        )
        bill = self._bill_january()
        self._invoice(bill)
        self.assertEqual(bill.amount_untaxed, -130)
        self.rate.price = 90
        version = self._regenerate(bill)
        version.action_make_main()
        self.assertEqual((version.amount_untaxed, version.state), (-110, "invoiced"))
        self.assertAddsUp(self.contract)

    def test_dates_are_legal(self):
        self.company.support_post_invoices = True
        bill = self._bill_january()
        move = self._invoice(bill)
        self.rate.price = 90
        version = self._regenerate(bill)
        with freeze_time("2026-03-10 12:00:00"):
            self.company.fiscalyear_lock_date = "2026-03-15"
            version.action_make_main()
        note = move.reversal_move_ids
        self.assertEqual((note.date, note.invoice_date), (date(2026, 3, 16),) * 2)
        self.assertEqual(version.move_id.invoice_date, date(2026, 3, 16))
        self.assertEqual((note.state, version.move_id.state), ("posted", "posted"))
        self.assertEqual(move.date, date(2026, 2, 1))

    # === REFUSED === #

    def test_stale_version_is_refused(self):
        bill = self._bill_january()
        self._invoice(bill, post=True)
        self.rate.price = 90
        version = self._regenerate(bill)
        self.rate.price = 95
        with self.assertRaisesRegex(UserError, "has changed since"), self.env.cr.savepoint():
            version.action_make_main()
        self.assertTrue(bill.is_main)
        self.assertFalse(bill.move_id.reversal_move_ids)

    def test_made_main_once(self):
        version = self._regenerate(self._bill_january())
        version.action_make_main()
        with self.assertRaisesRegex(UserError, "isn't a proposed version"):
            version.action_make_main()

    def test_only_what_counts_is_regenerated(self):
        bill = self._bill_january()
        version = self._regenerate(bill)
        with self.assertRaisesRegex(UserError, "proposed version"):
            version.action_regenerate()
        for method in ("action_submit", "action_approve", "action_cancel", "action_invoice"):
            with self.assertRaisesRegex(UserError, "proposed version"):
                getattr(version, method)()
        version.action_make_main()
        with self.assertRaisesRegex(UserError, "was replaced by"):
            bill.action_regenerate()
        version.action_cancel()
        with self.assertRaisesRegex(UserError, "is Cancelled"):
            version.action_regenerate()

    def test_credited_bill_is_not_regenerated(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        move._reverse_moves(cancel=True)
        self.assertEqual(bill.state, "credited")
        with self.assertRaisesRegex(UserError, "is Credited"):
            bill.action_regenerate()

    def test_partly_credited_invoice_is_refused(self):  # T12
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        note = move._reverse_moves()
        note.invoice_line_ids.filtered(lambda line: line.price_subtotal == 100).unlink()
        note.action_post()
        version = self._regenerate(bill)
        with self.assertRaisesRegex(UserError, "takes back a part"):
            version.action_make_main()

    def test_archived_journal_is_refused(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        version = self._regenerate(bill)
        move.journal_id.active = False
        with self.assertRaisesRegex(UserError, "is archived"):
            version.action_make_main()
        self.assertEqual(bill.state, "invoiced")

    def test_replaced_version_stays_as_it_was(self):
        bill = self._bill_january()
        self._invoice(bill)
        self._regenerate(bill).action_make_main()
        manager = new_test_user(
            self.env(su=True), "manager_v", "support_contract.group_support_manager"
        )
        old = bill.with_user(manager)
        with self.assertRaisesRegex(UserError, "stays as it was"):
            old.charge_ids[0].name = "Another"
        with self.assertRaisesRegex(UserError, "kept"):
            old.charge_ids[0].unlink()
        with self.assertRaisesRegex(UserError, "is kept"):
            old.unlink()
        with self.assertRaises(AccessError):
            old.replaced_by_id = False

    def test_users_may_not_replace_bills(self):
        version = self._regenerate(self._bill_january())
        reader = new_test_user(
            self.env(su=True), "reader_v", "support_contract.group_support_prices"
        )
        for method in ("action_make_main", "action_discard_version", "action_regenerate"):
            with self.assertRaises(AccessError):
                getattr(version.with_user(reader), method)()

    def test_discarded_version_leaves_the_bill(self):
        bill = self._bill_january()
        version = self._regenerate(bill)
        version.action_discard_version()
        self.assertFalse(version.exists())
        self.assertFalse(bill.proposal_id)
        self.assertEqual(self._regenerate(bill).version, 2)

    def test_cancelled_bill_drops_its_proposal(self):
        bill = self._bill_january()
        version = self._regenerate(bill)
        bill.action_cancel()
        self.assertFalse(version.exists())

    def test_manager_without_accounting_rights_replaces_an_invoiced_bill(self):
        self.company.support_post_invoices = True
        bill = self._bill_january()
        self._invoice(bill)
        self.rate.price = 90
        manager = new_test_user(
            self.env(su=True),
            "manager_w",
            "support_contract.group_support_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        version = self._regenerate(bill.with_user(manager))
        version.with_user(manager).action_make_main()
        self.assertEqual(version.state, "invoiced")
        self.assertAddsUp(self.contract)

    def test_screen_shows_what_differs(self):
        bill = self._bill_january()
        self.rate.price = 90
        version = self._regenerate(bill)
        with Form(version) as form:
            form.version_reason = "Wrong rate"
        html = self.env["ir.actions.report"]._render_qweb_html(
            "support_contract.report_support_bill_versions", version.ids
        )[0]
        self.assertIn("190.00", html.decode())

    def test_proof_finds_a_lost_credit_note(self):
        bill = self._bill_january()
        move = self._invoice(bill, post=True)
        self._regenerate(bill).action_make_main()
        move.reversal_move_ids.unlink()
        found = self.env["support.discrepancy"]._prove(self.contract)
        self.assertEqual((found.check, found.found), ("invoices", 170))
        self.assertIn("isn't credited exactly", found.description)

    def test_proof_finds_charges_on_a_version_that_does_not_count(self):
        bill = self._bill_january()
        version = self._regenerate(bill)
        self.env.flush_all()
        self.cr.execute(
            "UPDATE support_charge SET bill_id = %s WHERE id = %s",
            [version.id, bill.charge_ids[-1].id],
        )
        self.env.invalidate_all()
        found = self.env["support.discrepancy"]._prove(self.contract)
        self.assertIn("isn't the version that counts", " ".join(found.mapped("description")))

    # === WITHOUT A CONTRACT === #

    def test_bill_without_contract_is_regenerated_as_it_is(self):
        self.company.support_post_invoices = True
        self.company.support_ticket_product_id = self.fee_product
        ticket = self._make_ticket()
        ticket.charge_amount = 20
        ticket.action_bill_now()
        bill = ticket.charge_ids.bill_id
        bill.filtered(lambda b: b.state == "approved").action_invoice()
        version = self._regenerate(bill)
        self.assertEqual(version.amount_difference, 0)
        version.action_make_main()
        self.assertEqual((bill.state, version.state), ("credited", "invoiced"))
        self.assertEqual(version.move_id.amount_total, 20)
        self.assertEqual(
            self.env["support.discrepancy"]._prove_without_contract(self.customer).ids, []
        )
