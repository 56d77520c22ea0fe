# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Tickets that are open beyond the end of their contract: rollover and ignore (L6, L52, ex. F3)."""

from itertools import permutations

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import BillingCommon, SupportCommon


class RolloverMixin:
    @classmethod
    def _set_up_rollover(cls, policy="rollover"):
        cls._set_policy(policy)
        cls.kind = cls.env["support.plan.kind"].create({"name": "Desk"})
        cls.plan = cls._make_plan(hours=2, rates=[cls._rate("price", 70.0)], kind_id=cls.kind.id)

    @classmethod
    def _set_policy(cls, policy):
        cls.company.sudo().support_expired_work = policy

    @classmethod
    def _old(cls, **vals):
        """January; two hours."""
        return cls._make_contract(cls.plan, "2026-01-01", **{"date_end": "2026-01-31"} | vals)

    @classmethod
    def _next(cls, start="2026-02-01", plan=None, **vals):
        return cls._make_contract(plan or cls.plan, start, **vals)

    @classmethod
    def _work_on(cls, ticket, day, hours=1.0, **vals):
        return cls._log_work(ticket, f"{day} 09:00", hours, **vals)


@freeze_time("2026-02-10 12:00:00")
class TestRollover(RolloverMixin, SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_rollover()

    def assertState(self, work, state, contract=None):
        self.assertEqual(work.support_state, state)
        self.assertEqual(work.support_contract_id, contract or self.env["support.contract"])

    def test_ignored_work_is_kept_and_charged_by_nobody(self):  # L6b, ex. F3
        self._set_policy("ignore")
        old = self._old()
        ticket = self._make_ticket(old)
        inside = self._work_on(ticket, "2026-01-31")
        after = self._work_on(ticket, "2026-02-01")
        self.assertState(inside, "billable", old)
        self.assertState(after, "ignored")
        following = self._next()
        later = self._work_on(ticket, "2026-02-05")
        self._set_policy("rollover")
        self._roll(old + following)
        for work in (after, later):
            self.assertState(work, "ignored")
            self.assertFalse(work.charge_ids)
        self.assertEqual(following.time_used, 0)
        self.assertEqual(ticket.worked_hours, 3)
        self.assertProved(old + following)

    def test_work_waits_for_the_next_contract_and_is_applied_to_it(self):  # L6a, L52, ex. F3
        old = self._old()
        ticket = self._make_ticket(old)
        waiting = self._work_on(ticket, "2026-02-03", 3)
        self.assertState(waiting, "waiting")
        self.assertFalse(waiting.charge_ids)
        following = self._next()
        self.assertState(waiting, "billable", following)
        self.assertEqual(self._get_charges(waiting), [("covered", 2, 0), ("overage", 1, 70)])
        self.assertEqual(waiting.charge_ids.term_id, following.term_ids[:1])
        self.assertEqual(ticket.contract_id, old)
        self.assertEqual(ticket.continued_contract_id, following)
        self.assertProved(old + following)

    def test_work_logged_when_the_next_contract_runs_already(self):
        old, following = self._old(), self._next()
        ticket = self._make_ticket(old)
        work = self._work_on(ticket, "2026-02-03")
        self.assertState(work, "billable", following)
        self.assertEqual(following.time_left, 1)

    def test_pending_contract_takes_over_when_it_begins(self):
        old = self._old()
        following = self._next("2026-03-01")
        self.assertEqual(following.state, "pending")
        work = self._work_on(self._make_ticket(old), "2026-02-03", 3)
        self.assertState(work, "waiting")
        with freeze_time("2026-03-01 12:00:00"):
            self._roll(following)
            self.assertEqual(following.state, "active")
            self.assertState(work, "billable", following)
            self.assertEqual(self._get_charges(work), [("covered", 2, 0), ("overage", 1, 70)])
            self.assertProved(old + following)

    def test_pending_contract_that_is_activated_by_hand_takes_over_when_it_begins(self):  # L22
        old = self._old()
        following = self._next("2026-03-01")
        following.action_activate()
        ticket = self._make_ticket(old)
        self.assertState(self._work_on(ticket, "2026-02-03"), "waiting")

    def test_work_in_a_gap_counts_on_the_first_day_and_says_when_it_was_done(self):
        old = self._old()
        ticket = self._make_ticket(old)
        work = self._work_on(ticket, "2026-02-03", name="Patch")
        following = self._next("2026-02-08")
        self.assertState(work, "billable", following)
        charge = work.charge_ids
        self.assertEqual(str(charge.date), "2026-02-08")
        self.assertEqual(charge.term_id, following.term_ids.sorted("number")[0])
        self.assertIn("Patch (done on 02/03/2026)", charge.name)
        self.assertEqual(following.time_left, 1)

    def test_result_is_the_same_in_any_order_of_events(self):
        """Gap work, work in the next contract, on two tickets, and the contract itself."""
        results = []
        for order in permutations(range(4)):
            customer = self._make_customer("Order")
            old = self._old(partner=customer)
            tickets = [self._make_ticket(old), self._make_ticket(old)]
            work = {}
            for step in order:
                if step == 0:
                    work["late"] = self._work_on(tickets[0], "2026-02-05")
                elif step == 1:
                    work["early"] = self._work_on(tickets[1], "2026-02-03", 1.5)
                elif step == 2:
                    work["inside"] = self._work_on(tickets[0], "2026-02-08")
                else:
                    following = self._next("2026-02-07", partner=customer)
            results.append({name: self._get_charges(line) for name, line in work.items()})
            self.assertProved(old + following)
        for result in results:
            self.assertEqual(
                result,
                {
                    "early": [("covered", 1.5, 0)],
                    "late": [("covered", 0.5, 0), ("overage", 0.5, 35)],
                    "inside": [("overage", 1, 70)],
                },
            )

    def test_prolonged_contract_takes_its_work_back(self):
        old = self._old()
        ticket = self._make_ticket(old)
        work = self._work_on(ticket, "2026-02-03")
        following = self._next("2026-02-08")
        self.assertState(work, "billable", following)
        old.date_end = "2026-02-05"
        self.assertState(work, "billable", old)
        self.assertEqual(following.time_left, 2)
        self.assertEqual(work.charge_ids.contract_id, old)
        old.date_end = "2026-01-31"
        self.assertState(work, "billable", following)
        self.assertProved(old + following)

    def test_shortened_contract_gives_its_work_away(self):
        for policy, state in (("rollover", "waiting"), ("ignore", "ignored")):
            self._set_policy(policy)
            old = self._old(partner=self._make_customer(policy), date_end="2026-02-28")
            work = self._work_on(self._make_ticket(old), "2026-02-03", 3)
            self.assertEqual(self._get_charges(work), [("covered", 2, 0), ("overage", 1, 70)])
            old.date_end = "2026-01-31"
            self.assertState(work, state)
            self.assertFalse(work.charge_ids)
            self.assertFalse(self._get_drawn(work))
            self.assertProved(old)

    def test_only_the_same_holder_kind_and_scope_follows(self):
        old = self._old()
        ticket = self._make_ticket(old)
        work = self._work_on(ticket, "2026-02-03")
        other_kind = self._make_plan(hours=2)
        department = self.env["res.partner"].create(
            {"name": "Department", "parent_id": self.customer.id}
        )
        self._next(plan=other_kind)
        self._next(partner=department)
        self._next(partner=self._make_customer("Other"))
        self.assertState(work, "waiting")
        self.assertState(work, "billable", self._next())

    def test_item_contract_is_followed_by_one_for_the_item(self):
        printer, scanner = self.env["maintenance.equipment"].create(
            [
                {"name": name, "support_partner_id": self.customer.id}
                for name in ("Printer", "Scanner")
            ]
        )
        plan = self._make_plan(hours=2, kind_id=self.kind.id, coverage="item")

        def items(*equipment):
            return {"equipment_ids": [Command.set([item.id for item in equipment])]}

        old = self._make_contract(
            plan, "2026-01-01", date_end="2026-01-31", **items(printer, scanner)
        )
        ticket = self._make_ticket(old, equipment_id=printer.id)
        work = self._work_on(ticket, "2026-02-03")
        self._next(plan=plan, **items(scanner))
        self.assertState(work, "waiting")
        following = self._next(plan=plan, **items(printer))
        self.assertState(work, "billable", following)

    def test_non_billable_work_stays_so(self):
        ticket = self._make_ticket(self._old())
        work = self._work_on(ticket, "2026-02-03", support_billable=False)
        self.assertState(work, "non_billable")
        following = self._next()
        self.assertEqual(work.support_state, "non_billable")
        self.assertEqual(following.time_left, 2)

    def test_edited_and_deleted_work_follows(self):
        old, following = self._old(), self._next()
        ticket = self._make_ticket(old)
        work = self._work_on(ticket, "2026-01-30")
        self.assertState(work, "billable", old)
        work.work_start = "2026-02-02 09:00:00"
        work.date = "2026-02-02"
        self.assertState(work, "billable", following)
        self.assertEqual((old.entitlement_ids.used, following.time_left), (0, 1))
        work.unlink()
        self.assertEqual(following.time_left, 2)
        self.assertProved(old + following)

    def test_blocking_contract_refuses_nothing_that_was_recorded(self):
        old = self._old()
        work = self._work_on(self._make_ticket(old), "2026-02-03", 3)
        following = self._next(
            plan=self._make_plan(hours=2, kind_id=self.kind.id, overage_policy="block")
        )
        self.assertState(work, "billable", following)
        self.assertEqual([kind for kind, _h, _a in self._get_charges(work)][0], "covered")

    def test_incident_stays_where_it_was_taken(self):
        plan = self._make_plan(allowances=[self._allowance(incidents=5)], kind_id=self.kind.id)
        old = self._make_contract(plan, "2026-01-01", date_end="2026-01-31")
        ticket = self._make_ticket(old)
        following = self._next(plan=plan)
        self.assertEqual(ticket.consumed_incidents, 1)
        self.assertEqual(old.entitlement_ids.used, 1)
        self.assertEqual(following.incidents_left, 5)

    def test_rule_is_noted_with_the_work_and_written_by_nobody(self):
        ticket = self._make_ticket(self._old())
        work = self._work_on(ticket, "2026-02-03")
        self._set_policy("ignore")
        work.unit_amount = 2
        self.assertEqual(work.support_state, "waiting")
        with self.assertRaises(AccessError):
            work.after_end_policy = "ignore"
        forged = self.env["account.analytic.line"].with_context(default_after_end_policy="rollover")
        with self.assertRaises(AccessError):
            self._work_on(ticket, "2026-02-03", after_end_policy="rollover")
        line = forged.create({"ticket_id": ticket.id, "name": "Work", "unit_amount": 1})
        self.assertEqual(line.after_end_policy, "ignore")

    def test_ticket_says_what_happens_to_work(self):
        old = self._old()
        ticket = self._make_ticket(old)
        self.assertIn("waits for the customer's next contract", ticket.contract_end_label)
        following = self._next()
        ticket.invalidate_recordset()
        self.assertIn(f"applied to {following.display_name}", ticket.contract_end_label)
        self._set_policy("ignore")
        ticket.invalidate_recordset()
        self.assertIn("charged by nobody", ticket.contract_end_label)
        self.assertFalse(self._make_ticket(following).contract_end_label)


@tagged("post_install", "-at_install")
@freeze_time("2026-02-10 12:00:00")
class TestRolloverBills(RolloverMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_rollover()

    def test_invoices_of_both_contracts(self):  # ex. F3
        """Old: 3 h on 2 h: 70.00. Next: 3 h from the gap and 1 h of its own on 2 h: 140.00."""
        totals = {}
        for policy in ("rollover", "ignore"):
            self._set_policy(policy)
            customer = self._make_customer(policy)
            old = self._old(partner=customer)
            ticket = self._make_ticket(old)
            self._work_on(ticket, "2026-01-15", 3)
            self._work_on(ticket, "2026-02-03", 3)
            following = self._next("2026-02-05", partner=customer)
            self._work_on(self._make_ticket(following), "2026-02-06", 1)
            bills = self._bill(old + following, "2026-12-31")
            with freeze_time("2026-03-10 12:00:00"):
                bills |= self._bill(old + following, "2026-03-10")
            moves = self._invoice(bills.filtered("amount_untaxed"))
            totals[policy] = {
                contract: sum(
                    moves.filtered(
                        lambda m, c=contract: m.support_bill_ids.contract_id == c
                    ).mapped("amount_untaxed")
                )
                for contract in (old, following)
            }
            self.assertEqual(
                [line for line in moves.invoice_line_ids.mapped("name") if "done on" in line] != [],
                policy == "rollover",
            )
            self.assertProved(old + following)
        self.assertEqual(list(totals["rollover"].values()), [70.0, 140.0])
        self.assertEqual(list(totals["ignore"].values()), [70.0, 0.0])

    def test_billed_work_stays_when_the_old_contract_is_prolonged(self):
        old = self._old()
        work = self._work_on(self._make_ticket(old), "2026-02-03", 3)
        following = self._next("2026-02-05")
        bills = self._bill(following, "2026-03-10")
        bills.action_approve()
        old.date_end = "2026-02-04"
        self.assertEqual(work.support_contract_id, following)
        self.assertEqual(work.support_state, "billed")
        self.assertProved(old + following)

    def test_work_leaves_the_draft_bill_of_a_contract_that_is_not_its_own_any_more(self):
        old = self._old()
        work = self._work_on(self._make_ticket(old), "2026-02-03", 3)
        following = self._next("2026-02-05")
        bill = self._bill(following, "2026-03-10").filtered("charge_ids")
        self.assertEqual(bill.amount_untaxed, 70.0)
        old.date_end = "2026-02-04"
        self.assertEqual(work.support_contract_id, old)
        self.assertEqual(bill.amount_untaxed, 0.0)
        self.assertFalse(work.charge_ids.bill_id)
        self.assertProved(old + following)
