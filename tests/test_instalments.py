# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""How tickets are billed at first, and amounts in instalments (Q34)."""

from datetime import date
from decimal import Decimal

from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, Form, new_test_user, tagged

from ..tools.ticket_charge import parse_instalments, split
from .common import BillingCommon

AGENT_GROUPS = "support_contract.group_support_user,helpdesk_mgmt.group_helpdesk_user"


class TestSplit(BaseCase):
    @given(
        st.integers(-(10**9), 10**9),
        st.integers(1, 60),
        st.sampled_from(["0.01", "0.001", "0.05", "1"]),
    )
    def test_parts_are_the_whole_and_nearly_equal(self, steps, parts, step):
        step = Decimal(step)
        found = split(steps * step, parts, step)
        self.assertEqual(len(found), parts)
        self.assertEqual(sum(found), steps * step)
        self.assertTrue(all(not part % step for part in found))
        self.assertLessEqual(max(found) - min(found), step)

    def test_the_first_ones_are_larger(self):
        found = split(Decimal("100.00"), 3, Decimal("0.01"))
        self.assertEqual([str(part) for part in found], ["33.34", "33.33", "33.33"])

    def test_what_cannot_be_split(self):
        for amount, parts in (("1.00", 0), ("1.005", 2)):
            with self.assertRaises(ValueError):
                split(Decimal(amount), parts, Decimal("0.01"))

    def test_days(self):
        self.assertEqual(parse_instalments(" 0, 30;60 "), [0, 30, 60])
        self.assertEqual(parse_instalments(False), [])
        for text in ("30, 30", "60, 30", "-1", "soon", "1.5"):
            with self.assertRaises(ValueError):
                parse_instalments(text)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-05 12:00:00")
class TestInstalments(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env.ref("support_contract.product_support_ticket")
        cls.product.taxes_id = False
        cls.done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.done.mail_template_id = False

    def _make(self, contract=None, amount=100.0, days="0, 30, 60", start="opening", **vals):
        return self._make_ticket(
            contract,
            opened="2026-01-05 09:00:00",
            billing_type="instalments",
            instalment_days=days,
            instalment_from=start,
            charge_amount=amount,
            **vals,
        )

    def _get_instalments(self, ticket):
        live = ticket.ticket_charge_ids.filtered(lambda charge: not charge.cancelled)
        return [
            (charge.instalment, str(charge.date), charge.amount_total)
            for charge in live.sorted(lambda charge: (charge.instalment, charge.id))
        ]

    # === WHAT THERE IS === #

    def test_each_is_a_charge_of_its_day(self):
        ticket = self._make()
        self.assertEqual(
            self._get_instalments(ticket),
            [(1, "2026-01-05", 33.34), (2, "2026-02-04", 33.33), (3, "2026-03-06", 33.33)],
        )
        self.assertIn("instalment 2 of 3", ticket.ticket_charge_ids.sorted("instalment")[1].name)

    def test_the_customer_is_told_when(self):
        ticket = self._make()
        notice = self.env["mail.message"].search(
            [
                ("model", "=", "helpdesk.ticket"),
                ("res_id", "=", ticket.id),
                ("message_type", "=", "user_notification"),
            ]
        )
        self.assertIn("In instalments on: 01/05/2026, 02/04/2026, 03/06/2026.", notice.body)

    def test_other_days_and_amounts_follow(self):
        ticket = self._make()
        ticket.charge_amount = 90
        self.assertEqual([row[2] for row in self._get_instalments(ticket)], [30, 30, 30])
        ticket.instalment_days = "10, 20"
        self.assertEqual(
            self._get_instalments(ticket), [(1, "2026-01-15", 45.0), (2, "2026-01-25", 45.0)]
        )
        ticket.billing_type = "contract"
        self.assertEqual([row[0::2] for row in self._get_instalments(ticket)], [(0, 90.0)])

    def test_counted_from_the_closing(self):
        ticket = self._make(start="closing", days="10, 40")
        self.assertEqual(self._get_instalments(ticket), [])
        with freeze_time("2026-01-20 12:00:00"):
            ticket.stage_id = self.done
        wanted = [(1, "2026-01-30", 50.0), (2, "2026-03-01", 50.0)]
        self.assertEqual(self._get_instalments(ticket), wanted)
        ticket.stage_id = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_in_progress")
        self.assertEqual(self._get_instalments(ticket), [])

    def test_work_is_paid_by_the_amount(self):
        contract = self._make_contract(self._make_plan(hours=5, rates=[self._rate("price", 70.0)]))
        ticket = self._make(contract)
        line = self._log_work(ticket, "2026-01-05 10:00", 9)
        self.assertFalse(line.charge_ids)
        self.assertEqual(self._get_hours_left(contract.entitlement_ids), [5.0])
        self.assertProved(contract)

    # === BILLS === #

    def test_without_a_contract_each_is_billed_on_its_day(self):
        ticket = self._make()
        bills = self.env["support.bill"]
        ticket.action_bill_now()
        first = ticket.ticket_charge_ids.bill_id
        self.assertEqual(first.amount_untaxed, 33.34)
        self.assertFalse(ticket.can_bill_now)
        charges = ticket.ticket_charge_ids
        for until, amounts in (
            ("2026-02-03", []),
            ("2026-02-04", [33.33]),
            ("2026-12-31", [33.33]),
        ):
            domain = bills._get_domain_without_contract(self.company, date.fromisoformat(until))
            due = charges.search(domain)
            made = bills._generate_without_contract(due, date.fromisoformat(until))
            self.assertEqual(made.mapped("amount_untaxed"), amounts)
        self.assertEqual(sum(charges.bill_id.mapped("amount_untaxed")), 100.0)

    def test_under_a_contract_each_comes_with_the_term_of_its_day(self):
        contract = self._make_contract(self._make_plan(fee=10))
        ticket = self._make(contract, days="0, 60, 120")
        found = {}
        for day in ("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"):
            with freeze_time(day):
                bill = self._bill(contract, day)
                self.assertEqual(bill.kind, "term")
                found[day] = bill.amount_untaxed
                self._invoice(bill, post=True)
        # January 5th, March 6th and May 5th, each billed after the end of its month.
        self.assertEqual(list(found.values()), [43.34, 10.0, 43.33, 10.0, 43.33])
        self.assertProved(contract)
        self.assertEqual(set(ticket.ticket_charge_ids.mapped("state")), {"invoiced"})

    def test_after_the_end_they_are_billed_at_once_on_their_days(self):
        contract = self._make_contract(self._make_plan(fee=10), date_end="2026-01-31")
        self._make(contract, days="0, 90")
        with freeze_time("2026-03-15"):
            bills = self._bill(contract, "2026-03-15")
            self.assertEqual(sum(bills.mapped("amount_untaxed")), 60.0)
            self.assertFalse(self._bill(contract, "2026-04-04"))
        with freeze_time("2026-04-05"):
            self.assertEqual(self._bill(contract, "2026-04-05").amount_untaxed, 50.0)

    def test_what_is_billed_stays_and_the_others_are_the_rest(self):
        ticket = self._make()
        ticket.action_bill_now()
        self.assertEqual(ticket.ticket_charge_ids.bill_id.state, "approved")
        ticket.charge_amount = 60
        self.assertEqual([row[2] for row in self._get_instalments(ticket)], [33.34, 13.33, 13.33])
        ticket.charge_amount = 20  # less than is billed: the difference is refunded
        live = ticket.ticket_charge_ids.filtered(lambda charge: not charge.cancelled)
        self.assertEqual(sorted(live.mapped("amount_total")), [-13.34, 33.34])
        self.assertEqual(round(sum(live.mapped("amount_total")), 2), 20.0)

    def test_what_cannot_be_read_is_refused(self):
        for days in ("", "60, 30", "soon"):
            with self.assertRaisesRegex(ValidationError, "can't be read"):
                self._make(days=days)

    # === PRESETS === #

    def _make_category(self, name, **vals):
        return self.env["helpdesk.ticket.category"].create({"name": name} | vals)

    def test_category_then_team_then_contract(self):
        parent = self._make_category("Courses", support_billing_type="ad_hoc")
        child = self._make_category("Beginners", parent_id=parent.id)
        self.team.support_billing_type = "waived"
        self.assertEqual(self._make_ticket().billing_type, "waived")
        self.assertEqual(self._make_ticket(category_id=child.id).billing_type, "ad_hoc")
        self.team.support_billing_type = False
        self.assertEqual(self._make_ticket().billing_type, "contract")

    def test_anybody_opens_tickets_as_preset_and_managers_choose(self):
        self.team.support_billing_type = "waived"
        agent = new_test_user(self.env, "agent", AGENT_GROUPS)
        values = {
            "name": "Help", "description": "?", "partner_id": self.customer.id,
            "team_id": self.team.id,
        }  # fmt: skip
        tickets = self.env["helpdesk.ticket"].with_user(agent)
        self.assertEqual(tickets.create(values).billing_type, "waived")
        with self.assertRaisesRegex(AccessError, "how a ticket is billed"):
            tickets.create(values | {"billing_type": "contract"})
        with Form(self.env["helpdesk.ticket"]) as form:
            form.name = form.description = "Help"
            form.partner_id = self.customer
            form.team_id = self.team
            self.assertEqual(form.billing_type, "waived")
            form.billing_type = "ad_hoc"
        self.assertEqual(form.record.billing_type, "ad_hoc")

    def test_sorted_anew_it_follows_unless_somebody_has_chosen(self):
        category = self._make_category(
            "Courses",
            support_billing_type="instalments",
            support_instalment_days="0, 30",
            support_instalment_from="closing",
        )
        chosen, ticket = self._make_ticket(), self._make_ticket()
        chosen.billing_type = "ad_hoc"
        agent = new_test_user(self.env, "agent", AGENT_GROUPS)
        (chosen | ticket).with_user(agent).write({"category_id": category.id})
        self.assertEqual(chosen.billing_type, "ad_hoc")
        self.assertEqual(ticket.billing_type, "instalments")
        self.assertEqual((ticket.instalment_days, ticket.instalment_from), ("0, 30", "closing"))
        with self.assertRaisesRegex(AccessError, "how a ticket is billed"):
            ticket.with_user(agent).instalment_days = "90"

    def test_a_preset_that_cannot_be_read_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "can't be read"):
            self.team.write({"support_billing_type": "instalments"})
