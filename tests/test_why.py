# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""“Why?”: every contract that was looked at, in which order, and why it did or didn't cover."""

from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user

from odoo.addons.support_contract.models.support_coverage import COVERAGE_ORDERS

from .test_coverage import CoverageCommon


@freeze_time("2026-01-20 12:00:00")
class TestWhy(CoverageCommon):
    def _explain(self, ticket, user=None):
        ticket = ticket.with_user(user) if user else ticket
        action = ticket.action_explain_coverage()
        return (
            self.env[action["res_model"]].with_user(user or self.env.user).browse(action["res_id"])
        )

    def _get_rows(self, ticket):
        """[(level, contract, verdict, reason)]"""
        return [
            (line.level.split(".")[0], line.contract_id, line.verdict, line.reason)
            for line in self._explain(ticket).line_ids
        ]

    def _get_reason(self, ticket, contract):
        return next(reason for _level, c, _v, reason in self._get_rows(ticket) if c == contract)

    def test_all_levels_in_their_order(self):
        unit = self._cover("unit")
        rows = self._get_rows(self._open())
        none = self.env["support.contract"]
        self.assertEqual(
            rows,
            [
                ("1", none, "none", "no contract here"),
                ("2", none, "none", "no contract here"),
                ("3", unit, "chosen", "the first one that covers"),
                ("4", none, "none", "no contract begins later here"),
                ("5", none, "none", "no contract begins later here"),
                ("6", none, "none", "no contract begins later here"),
            ],
        )
        self.company.sudo().support_coverage_order = "unit_customer_item"
        self.assertEqual(self._get_rows(self._open())[0], ("1", unit, *rows[2][2:]))

    def test_every_reason(self):
        covering = self._cover("unit", priority=5)
        slower = self._cover("unit", priority=7)
        later = self._cover("unit", start="2026-03-01")
        ended = self._cover("unit", start="2025-01-01", end="2025-12-31")
        suspended = self._cover("unit")
        suspended.action_suspend()
        switched_off = self._cover("unit", apply_to_new_tickets=False)
        draft = self._cover("unit", confirm=False)
        printer = self._make_item("Other printer", self.customer)
        other_item = self._cover("item", equipment_ids=[Command.set(printer.ids)])
        blocked = self._cover("unit", plan=self._make_plan(hours=1, overage_policy="block"))
        work = self._log_work(self._make_ticket(blocked), "2026-01-20 09:00", 1)
        self.assertEqual(work.support_contract_id, blocked)
        ticket = self._open()
        self.assertEqual(ticket.contract_id, covering)
        for contract, reason in (
            (covering, "the first one that covers"),
            (slower, f"lower priority than {covering.display_name}: 7 after 5"),
            (later, "begins on 03/01/2026"),
            (ended, "ended on 12/31/2025"),
            (suspended, "not active: suspended"),
            (switched_off, "not applied to new tickets by itself"),
            (draft, "not active: still a draft"),
            (other_item, "covers listed items only, not what the ticket is about"),
            (blocked, "no units left: 0:00 h of 1:00 h"),
        ):
            self.assertEqual(self._get_reason(ticket, contract), reason)
        self.assertEqual(len(self._get_rows(ticket)), 9 + 1 + 3, "pending is looked at again")

    def test_contract_that_has_expired_since(self):
        contract = self._cover("unit", end="2026-01-31")
        ticket = self._open()
        with freeze_time("2026-02-02 12:00:00"):
            self._roll(contract)
            reason = self._get_reason(ticket, contract)
        self.assertEqual(reason, "not active: used up, or ended since")

    def test_same_answer_as_coverage_in_every_order(self):
        for start in ("2026-01-01", "2026-03-01"):
            for level in ("item", "customer", "unit"):
                self._cover(level, start)
        for order, _label in COVERAGE_ORDERS:
            self.company.sudo().support_coverage_order = order
            ticket = self._open()
            rows = self._get_rows(ticket)
            chosen = [contract for _l, contract, verdict, _r in rows if verdict == "chosen"]
            self.assertEqual(chosen, [ticket.contract_id], order)
            self.assertEqual(len(rows), 9, "three of them twice: valid and pending")

    def test_contract_found_at_a_level_before(self):
        item, customer = self._cover("item"), self._cover("customer")
        self.assertEqual(
            self._get_reason(self._open(), customer),
            f"{item.display_name} was found at a level before",
        )

    def test_choice_by_hand(self):
        found, chosen = self._cover("item"), self._cover("unit")
        ticket = self._open(contract_id=chosen.id)
        result = self._explain(ticket).result
        self.assertIn(f"{chosen.display_name} was chosen by hand", result)
        self.assertIn((found, "chosen"), [row[1:3] for row in self._get_rows(ticket)])

    def test_contract_that_would_not_be_found_any_more(self):
        contract = self._cover("item")
        ticket = self._open()
        contract.action_suspend()
        self.assertIn("The ticket keeps it", self._explain(ticket).result)

    def test_none_says_what_the_rule_is(self):
        ticket = self._open()
        self.assertIn("Rule of Helpers", self._explain(ticket).result)
        self.team.support_no_contract_policy = "warn"
        self.assertIn("Rule of Service Desk", self._explain(ticket).result)
        self.assertIn("Warn:", self._explain(ticket).result)
        orphan = self._make_ticket(partner_id=False)
        self.assertIn("has no customer", self._explain(orphan).result)

    def test_moment_and_facts_are_told(self):
        note = self._explain(self._open()).moment_note
        self.assertIn("01/20/2026", note.replace("Jan 20, 2026", "01/20/2026"))
        self.assertIn("that of today", note)

    def test_technician_reads_it_without_prices(self):
        technician = new_test_user(
            self.env(su=True), "why_technician", "helpdesk_mgmt.group_helpdesk_user"
        )
        contract = self._cover("item")
        ticket = self._open()
        explanation = self._explain(ticket, technician)
        self.assertIn(contract.display_name, explanation.result)
        view = Form(explanation)
        self.assertEqual(len(view.line_ids), 6)
        names = set(explanation.line_ids.fields_get()) | set(explanation.fields_get())
        self.assertFalse({name for name in names if "price" in name or "amount" in name})

    def test_button_on_the_ticket(self):
        arch = self.env["helpdesk.ticket"].get_view(view_type="form")["arch"]
        self.assertIn("action_explain_coverage", arch)
