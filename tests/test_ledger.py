# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The units ledger: order, splitting, overage, endings, and what nobody may do to it."""

import re
from datetime import date

import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import HOUR, SupportCommon


class LedgerCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.labour = cls._make_contract()  # no allowance of its own: time at 70.00

    def _use(self, hours, start="2026-01-10 10:00", activity=None, contract=None, **vals):
        contract = contract or self.labour
        return self._log_work(
            self._make_ticket(contract, "2026-01-05 09:00:00"), start, hours, activity, **vals
        )

    def _make_hours_contract(self, hours=5, policy="charge", partner=None, **vals):
        allowances = vals.pop("allowances", ())
        plan = self._make_plan(
            hours=hours,
            allowances=allowances,
            rates=[self._rate("price", 70.0)],
            overage_policy=policy,
        )
        return self._make_contract(plan, partner=partner, **vals)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestOrder(LedgerCommon):
    """Which grant serves work (B35, T20, T21)."""

    def test_lower_priority_number_is_used_first(self):  # ex. C1
        second = self._make_grant(100, priority=2)
        first = self._make_grant(100, priority=1)
        self._use(120)
        self.assertEqual(self._get_hours_left(first | second), [0, 80])

    def test_insertion_order_is_irrelevant(self):  # ex. C1
        first = self._make_grant(100, priority=1)
        second = self._make_grant(100, priority=2)
        self._use(120)
        self.assertEqual(self._get_hours_left(first | second), [0, 80])

    def test_earlier_expiry_is_used_first(self):  # ex. C2
        late = self._make_grant(100, end="2125-01-01")
        early = self._make_grant(100, end="2026-01-31")
        self._use(120)
        self.assertEqual(self._get_hours_left(early | late), [0, 80])

    def test_lifetime_grant_is_used_last(self):  # ex. C45
        for_life = self._make_grant(100)
        limited = self._make_grant(100, end="2125-01-01")
        self._use(120)
        self.assertEqual(self._get_hours_left(limited | for_life), [0, 80])

    def test_oldest_then_lowest_id_is_used_first(self):  # T20, T21
        third = self._make_grant(100, start="2026-01-03")
        first = self._make_grant(100, start="2026-01-01")
        second = self._make_grant(100, start="2026-01-01")
        self._use(150)
        self.assertEqual(self._get_hours_left(first | second | third), [0, 50, 100])

    def test_priority_beats_expiry(self):  # ex. C30
        paid = self._make_grant(50, priority=1, end="2026-09-01")
        promo = self._make_grant(20, priority=1, end="2026-08-20")
        cheap = self._make_grant(100, priority=2, end="2026-08-15")
        self._use(120)
        self.assertEqual(self._get_hours_left(promo | paid | cheap), [0, 0, 50])

    def test_without_grant_everything_is_charged(self):  # ex. C3
        line = self._use(50)
        self.assertEqual(self._get_charges(line), [("labour", 50, 3500.0)])
        self.assertFalse(self._get_drawn(line))

    def test_grant_of_later_days_serves_nothing_yet(self):  # ex. C5
        later = self._make_grant(100, start="2026-01-11")
        line = self._use(5, "2026-01-10 10:00")
        self.assertFalse(self._get_drawn(line))
        self.assertEqual(later.remaining, 100 * HOUR)

    def test_grant_of_earlier_days_serves_nothing_more(self):  # ex. C5
        self._make_grant(100, end="2026-01-09")
        self.assertFalse(self._get_drawn(self._use(5, "2026-01-10 10:00")))

    def test_one_of_many_grants_that_expires_earlier_serves_alone(self):  # ex. C6, scaled down
        grants = self.env["support.entitlement"]._grant(
            [
                {
                    "name": "Block",
                    "unit": "time",
                    "amount": 100 * HOUR,
                    "date_from": "2026-01-01",
                    "date_to": "2026-01-30" if index == 77 else "2026-01-31",
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                }
                for index in range(200)
            ]
        )
        self._use(99)
        early = grants[77]
        self.assertEqual(early.remaining, HOUR)
        self.assertEqual(set((grants - early).mapped("remaining")), {100 * HOUR})

    def test_two_uses_of_a_top_up_are_two_entries(self):  # ex. C20
        top_up = self._make_grant(100, origin="top_up")
        self._use(25)
        self._use(35, "2026-01-11 10:00")
        draws = top_up.entry_ids.filtered(lambda entry: entry.kind == "draw").sorted("id")
        self.assertEqual(draws.mapped("hours"), [-25, -35])
        self.assertEqual(top_up.remaining, 40 * HOUR)

    def test_granted_units_are_used_before_purchased_ones(self):  # ex. C21
        granted = self._make_grant(30, priority=1)
        purchased = self._make_grant(70, priority=2, origin="top_up")
        line = self._use(80)
        self.assertEqual(self._get_drawn(line), {granted: 30 * HOUR, purchased: 50 * HOUR})
        self.assertEqual(self._get_hours_left(granted | purchased), [0, 20])

    def test_first_hours_in_date_order_are_covered_over_all_tickets(self):  # ex. C36
        contract = self._make_hours_contract(50)
        late = self._use(20, "2026-01-15 10:00", contract=contract)
        early = self._use(40, "2026-01-08 10:00", contract=contract)
        self.assertEqual(self._get_charges(early), [("covered", 40, 0.0)])
        self.assertEqual(self._get_charges(late), [("covered", 10, 0.0), ("overage", 10, 700.0)])

    def test_demand_is_split_over_grants_and_the_rest(self):
        first, second = self._make_grant(1, priority=1), self._make_grant(2, priority=2)
        line = self._use(4)
        self.assertEqual(self._get_drawn(line), {first: HOUR, second: 2 * HOUR})
        self.assertEqual(
            self._get_charges(line),
            [("covered", 1, 0.0), ("covered", 2, 0.0), ("overage", 1, 70.0)],
        )

    def test_grant_for_an_activity_serves_no_other(self):
        phone = self._make_grant(5, activity_type_ids=[(6, 0, self.phone.ids)])
        line = self._use(2, activity=self.onsite)
        self.assertEqual(self._get_charges(line), [("labour", 2, 140.0)])
        self.assertEqual(phone.remaining, 5 * HOUR)

    def test_grant_of_a_contract_serves_no_other_contract(self):
        other = self._make_hours_contract(5)
        self.assertFalse(self._get_drawn(self._use(2)))
        self.assertEqual(other.entitlement_ids.remaining, 5 * HOUR)

    def test_odd_seconds_are_exact(self):
        grant = self._make_grant(1)
        for index in range(3):
            ticket = self._make_ticket(self.labour)
            self._log_seconds(ticket, f"2026-01-1{index} 10:00", 1111)
        self.assertEqual(grant.remaining, 3600 - 3333)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestOverage(LedgerCommon):
    """The four policies."""

    def test_charge_bills_what_exceeds(self):  # ex. C34
        contract = self._make_hours_contract(3)
        line = self._use(4, contract=contract, activity=self.onsite)
        self.assertEqual(self._get_charges(line), [("covered", 3, 0.0), ("overage", 1, 70.0)])

    def test_second_call_exceeds_by_one_hour(self):  # ex. C35
        contract = self._make_hours_contract(5)
        self._use(3, "2026-01-10 10:00", contract=contract)
        second = self._use(3, "2026-01-10 14:00", contract=contract)
        self.assertEqual(self._get_charges(second), [("covered", 2, 0.0), ("overage", 1, 70.0)])

    def test_small_overage_is_exact(self):  # ex. D15
        contract = self._make_hours_contract(100)
        self._use(99.5, "2026-01-10 10:00", contract=contract)
        line = self._use(2.5, "2026-01-15 10:00", contract=contract)
        self.assertEqual(self._get_charges(line), [("covered", 0.5, 0.0), ("overage", 2, 140.0)])

    def test_block_refuses_and_tells_what_is_left(self):
        contract = self._make_hours_contract(5, "block")
        self._use(3, contract=contract)
        with self.assertRaisesRegex(UserError, r"needs 3:00 h, 2:00 h are left"):
            self._use(3, "2026-01-11 10:00", contract=contract)

    def test_block_records_nothing_of_what_it_refuses(self):
        contract = self._make_hours_contract(5, "block")
        ticket = self._make_ticket(contract)
        entries = self.env["support.entitlement.entry"].search_count([])
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._log_work(ticket, "2026-01-10 10:00", 6)
        self.assertFalse(ticket.time_entry_ids)
        self.assertFalse(ticket.charge_ids)
        self.assertEqual(self.env["support.entitlement.entry"].search_count([]), entries)
        self.assertEqual(contract.entitlement_ids.remaining, 5 * HOUR)

    def test_block_lets_through_what_fits(self):
        contract = self._make_hours_contract(5, "block")
        line = self._use(5, contract=contract)
        self.assertEqual(self._get_charges(line), [("covered", 5, 0.0)])

    def test_block_never_refuses_again_what_was_recorded(self):
        contract = self._make_hours_contract(5, "block")
        recorded = self._use(3, "2026-01-15 10:00", contract=contract)
        earlier = self._use(2, "2026-01-10 10:00", contract=contract)
        recorded.name = "Another text"
        with self.assertRaises(UserError), self.env.cr.savepoint():
            earlier.unit_amount = 6
        self.assertEqual(self._get_charges(recorded), [("covered", 3, 0.0)])

    def test_block_counts_work_outside_the_allowance_as_labour(self):
        contract = self._make_hours_contract(
            0, "block", allowances=[self._allowance(5, activities=self.phone)]
        )
        line = self._use(6, contract=contract, activity=self.onsite)
        self.assertEqual(self._get_charges(line), [("labour", 6, 420.0)])

    def test_allow_shows_a_negative_balance(self):
        contract = self._make_hours_contract(5, "allow")
        line = self._use(7, contract=contract)
        self.assertEqual(self._get_charges(line), [("covered", 7, 0.0)])
        self.assertEqual(contract.entitlement_ids.remaining, -2 * HOUR)
        self.assertEqual(contract.time_left, -2)

    def test_allow_leaves_the_debt_in_its_term(self):
        contract = self._make_hours_contract(5, "allow")
        self._use(7, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        old, new = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(self._get_hours_left(old | new), [-2, 5])

    def test_carry_takes_the_debt_from_the_next_term(self):
        contract = self._make_hours_contract(5, "carry")
        line = self._use(7, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        old, new = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(self._get_hours_left(old | new), [0, 3])
        self.assertEqual(self._get_charges(line), [("covered", 7, 0.0)])

    def test_of_a_hundred_and_twenty_used_twenty_are_missing_in_the_next_term(self):  # ex. C14
        contract = self._make_hours_contract(100, "carry")
        for day in range(5, 15):
            self._use(12, f"2026-01-{day:02} 08:00", contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        old, new = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(self._get_hours_left(old | new), [0, 80])
        self.assertProved(contract)

    def test_carried_debt_shrinks_when_work_is_shortened_later(self):
        contract = self._make_hours_contract(5, "carry")
        line = self._use(7, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
            line.unit_amount = 6
        old, new = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(self._get_hours_left(old | new), [0, 4])
        self.assertProved(contract)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestEndings(LedgerCommon):
    """What becomes of units at the end of a grant."""

    def test_work_of_the_last_day_still_consumes(self):
        contract = self._make_hours_contract(5)
        with freeze_time("2026-02-03"):
            self._roll(contract)
            line = self._use(2, "2026-01-31 23:00", contract=contract)
        old, new = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(self._get_drawn(line), {old: 2 * HOUR})
        self.assertEqual(new.remaining, 5 * HOUR)

    def test_what_is_left_lapses(self):
        contract = self._make_hours_contract(5)
        self._use(2, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        old = contract.entitlement_ids.sorted("date_from")[0]
        self.assertEqual((old.remaining, old.lapsed), (0, 3 * HOUR))
        lapse = old.entry_ids.filtered(lambda entry: entry.kind == "lapse")
        self.assertEqual((lapse.hours, lapse.date), (-3, date(2026, 2, 1)))

    def test_nothing_lapses_on_the_last_day_itself(self):
        contract = self._make_hours_contract(5)
        with freeze_time("2026-01-31 23:59:59"):
            self._roll(contract)
        self.assertEqual(contract.entitlement_ids.mapped("lapsed"), [0])

    def test_work_recorded_late_takes_from_what_had_lapsed(self):
        contract = self._make_hours_contract(5)
        with freeze_time("2026-02-03"):
            self._roll(contract)
            self._use(4, "2026-01-30 10:00", contract=contract)
        old = contract.entitlement_ids.sorted("date_from")[0]
        self.assertEqual((old.used, old.lapsed, old.remaining), (4 * HOUR, HOUR, 0))
        self.assertProved(contract)

    def _make_carrying(self, hours=5, **vals):
        allowance = self._allowance(hours, carry_forward=True, **vals)
        return self._make_hours_contract(0, allowances=[allowance])

    def _get_pool_left(self, contract, day):
        day = date.fromisoformat(day)
        grants = contract.entitlement_ids.filtered(lambda grant: grant._is_valid_on(day))
        return sum(grants.mapped("remaining")) / HOUR

    def test_what_is_left_is_carried_forward(self):  # ex. C31: 1000 a month, 600 used → 1400
        contract = self._make_carrying(10)
        self._use(6, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        self.assertEqual(self._get_pool_left(contract, "2026-02-03"), 14)

    def test_carried_units_are_a_grant_with_its_source(self):  # ex. D16
        contract = self._make_carrying(2)
        self._use(1, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        lot = contract.entitlement_ids.filtered(lambda grant: grant.origin == "carry")
        self.assertEqual((lot.remaining, lot.source_id.remaining), (HOUR, 0))
        self.assertEqual((lot.date_from, lot.date_to), (date(2026, 2, 1), date(2026, 2, 28)))

    def test_carried_units_are_used_first_when_they_end_first(self):
        contract = self._make_carrying(5, carry_terms=1)
        with freeze_time("2026-02-03"):
            self._roll(contract)
            self._use(6, "2026-02-02 10:00", contract=contract)
        lot = contract.entitlement_ids.filtered(lambda grant: grant.origin == "carry")
        new = contract.entitlement_ids - lot - lot.source_id
        # Both end on Feb 28 and begin on Feb 1: the one made first goes first.
        self.assertEqual(sum((lot | new).mapped("remaining")), 4 * HOUR)

    def test_carried_units_lapse_when_too_old(self):  # ex. C46
        contract = self._make_carrying(5, carry_terms=2)
        with freeze_time("2026-04-03"):
            self._roll(contract)
        # Of January nothing, of February and March 5 h each, and April's own 5 h.
        self.assertEqual(self._get_pool_left(contract, "2026-04-03"), 15)
        january = contract.entitlement_ids.filtered(
            lambda grant: grant.source_id.date_from == date(2026, 1, 1)
        )
        self.assertEqual((january.date_to, january.lapsed), (date(2026, 3, 31), 5 * HOUR))

    def test_cap_limits_what_is_carried(self):
        contract = self._make_carrying(5, carry_cap=2 * HOUR)
        self._use(1, contract=contract)
        with freeze_time("2026-02-03"):
            self._roll(contract)
        self.assertEqual(self._get_pool_left(contract, "2026-02-03"), 7)
        source = contract.entitlement_ids.sorted("date_from")[0]
        self.assertEqual(source.lapsed, 4 * HOUR)  # 2 h carried out, 2 h lapsed

    def test_cap_holds_over_several_terms(self):
        contract = self._make_carrying(5, carry_cap=8 * HOUR, carry_terms=0)
        with freeze_time("2026-04-03"):
            self._roll(contract)
        self.assertEqual(self._get_pool_left(contract, "2026-04-03"), 13)
        self.assertProved(contract)

    def test_entry_moved_to_next_month_gives_back_before_the_rollover(self):  # ex. D18
        contract = self._make_carrying(100)
        line = self._use(60, "2026-01-10 10:00", contract=contract)
        with freeze_time("2026-02-20"):
            self._roll(contract)
            lot = contract.entitlement_ids.filtered(lambda grant: grant.origin == "carry")
            self.assertEqual(lot.quantity, 40 * HOUR)
            line.work_start = "2026-02-10 10:00:00"
        january = lot.source_id
        self.assertEqual(january.used, 0)
        self.assertEqual(lot.quantity, 100 * HOUR)  # rolled over: all of it
        self.assertEqual(sum(self._get_drawn(line).values()), 60 * HOUR)
        self.assertNotIn(january, self._get_drawn(line))
        self.assertEqual(self._get_pool_left(contract, "2026-02-20"), 140)
        self.assertProved(contract)

    def test_late_work_corrects_what_was_carried(self):
        contract = self._make_carrying(5)
        with freeze_time("2026-02-03"):
            self._roll(contract)
            self._use(2, "2026-01-30 10:00", contract=contract)
        self.assertEqual(self._get_pool_left(contract, "2026-02-03"), 8)
        self.assertProved(contract)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestReturns(LedgerCommon):
    """What was drawn goes back to the very grant it came from."""

    def test_deleted_work_returns_to_its_grants(self):
        first, second = self._make_grant(1, priority=1), self._make_grant(2, priority=2)
        line = self._use(2)
        line.unlink()
        self.assertEqual(self._get_hours_left(first | second), [1, 2])
        self.assertEqual(first.entry_ids.sorted("id").mapped("kind"), ["grant", "draw", "return"])

    def test_entries_of_deleted_work_keep_its_number(self):
        grant = self._make_grant(1)
        line = self._use(1)
        line_id = line.id
        line.unlink()
        entries = grant.entry_ids.filtered(lambda entry: entry.kind != "grant")
        self.assertEqual(entries.mapped("time_entry_ref"), [line_id, line_id])
        self.assertFalse(entries.time_entry_id)

    def test_shortened_work_returns_the_difference_only(self):
        grant = self._make_grant(5)
        line = self._use(3)
        line.unit_amount = 2
        returned = grant.entry_ids.filtered(lambda entry: entry.kind == "return")
        self.assertEqual(returned.mapped("hours"), [1])
        self.assertEqual(grant.used, 2 * HOUR)

    def test_time_limited_incident_returns_to_the_time_limited_grant(self):  # ex. C45
        for_life = self._make_grant(incidents=3)
        limited = self._make_grant(incidents=3, end="2026-12-31")
        ticket = self._make_ticket(team_id=self.team.id, incident_quantity=1)
        ticket.incident_quantity = 2
        self.assertEqual((limited.remaining, for_life.remaining), (1, 3))
        ticket.incident_quantity = 0
        self.assertEqual((limited.remaining, for_life.remaining), (3, 3))

    def test_each_ticket_of_a_team_that_requires_it_takes_one_incident(self):  # B33, B52
        self.team.requires_incident = True
        grant = self._make_grant(incidents=2)
        ticket = self._make_ticket()
        self.assertEqual((ticket.incident_quantity, grant.remaining), (1, 1))

    def test_ticket_without_an_incident_left_is_refused(self):
        self.team.requires_incident = True
        self._make_grant(incidents=1)
        self._make_ticket()
        with self.assertRaisesRegex(UserError, "has none left"):
            self._make_ticket()

    def test_incident_moves_to_the_new_customer(self):
        self.team.requires_incident = True
        other = self._make_customer("Other Ltd")
        grant = self._make_grant(incidents=2)
        other_grant = self._make_grant(incidents=2, partner_id=other.id)
        ticket = self._make_ticket()
        ticket.partner_id = other
        self.assertEqual((grant.remaining, other_grant.remaining), (2, 1))

    def test_deleted_ticket_returns_its_incident(self):
        self.team.requires_incident = True
        grant = self._make_grant(incidents=2)
        self._make_ticket().unlink()
        self.assertEqual(grant.remaining, 2)

    def test_excess_incident_is_charged_where_the_contract_has_a_price(self):
        plan = self._make_plan(
            allowances=[self._allowance(incidents=1)],
            incident_product_id=self.incident_product.id,
            incident_price=45.0,
        )
        contract = self._make_contract(plan)
        covered, charged = (self._make_ticket(contract) for _index in range(2))
        self.assertEqual(self._get_charges(covered), [("covered", 0, 0.0)])
        self.assertEqual(
            charged.charge_ids.mapped(lambda c: (c.kind, c.amount)), [("incident", 45.0)]
        )
        self.assertProved(contract)

    def test_later_grant_does_not_take_over_earlier_work(self):  # T17
        line = self._use(3)
        with freeze_time("2026-01-21"):
            grant = self._make_grant(5, made_at="2026-01-21 00:00:00")
            line.name = "Looked at again"
            line.unit_amount = 4
        self.assertEqual(self._get_charges(line), [("labour", 4, 280.0)])
        self.assertEqual(grant.remaining, 5 * HOUR)

    def test_later_grant_serves_later_work(self):  # T17
        with freeze_time("2026-01-21"):
            grant = self._make_grant(5, made_at="2026-01-21 00:00:00")
        with freeze_time("2026-01-22"):
            line = self._use(3, "2026-01-15 10:00")  # done before, recorded after
        self.assertEqual(self._get_drawn(line), {grant: 3 * HOUR})

    def test_what_a_grant_served_stays_when_more_is_bought(self):  # T17
        old = self._make_grant(5)
        line = self._use(3)
        with freeze_time("2026-01-21"):
            self._make_grant(5, priority=1, made_at="2026-01-21 00:00:00")
            line.unit_amount = 2
        self.assertEqual(self._get_drawn(line), {old: 2 * HOUR})


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestWarnings(LedgerCommon):
    """People are told once per crossing of a threshold (T48)."""

    def _get_warnings(self, contract):
        bodies = contract.message_ids.sorted("id").mapped("body")
        return [re.search(r"(\d+)\s*%", body)[1] for body in bodies if "is used" in body]

    def test_threshold_tells_once(self):  # ex. C33
        contract = self._make_hours_contract(20, warning_thresholds="90")
        self._use(17, "2026-01-05 10:00", contract=contract)
        self.assertEqual(self._get_warnings(contract), [])
        self._use(1, "2026-01-07 10:00", contract=contract)
        self.assertEqual(self._get_warnings(contract), ["90"])  # equality counts, ex. C26
        self._use(1, "2026-01-08 10:00", contract=contract)
        self.assertEqual(self._get_warnings(contract), ["90"])

    def test_two_thresholds_at_once_are_one_warning(self):  # ex. C26
        contract = self._make_hours_contract(10, warning_thresholds="60, 70")
        self._use(8, contract=contract)
        self.assertEqual(self._get_warnings(contract), ["70"])

    def test_threshold_tells_again_after_it_was_undone(self):
        contract = self._make_hours_contract(10, warning_thresholds="80")
        line = self._use(8, contract=contract)
        line.unit_amount = 1
        line.unit_amount = 9
        self.assertEqual(self._get_warnings(contract), ["80", "80"])

    def test_no_threshold_no_warning(self):
        contract = self._make_hours_contract(10, warning_thresholds=False)
        self._use(12, contract=contract)
        self.assertEqual(self._get_warnings(contract), [])
        self.assertFalse(contract.activity_ids)

    def test_warning_reaches_staff_and_customer(self):
        contract = self._make_hours_contract(10, warning_thresholds="80")
        self._use(8, contract=contract)
        message = contract.message_ids.filtered(lambda m: "is used" in (m.preview or ""))
        self.assertIn(contract.partner_id, message.notified_partner_ids | message.partner_ids)
        self.assertEqual(contract.activity_ids.user_id, contract.user_id)

    def test_thresholds_that_cannot_be_read_are_refused(self):
        with self.assertRaisesRegex(UserError, "can't be read"):
            self._make_plan(hours=1, warning_thresholds="eighty")


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestGuards(LedgerCommon):
    """Entries and counters: nobody changes them past the door."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grant = cls._make_grant(5)
        cls.line = cls._log_work(cls._make_ticket(cls.labour), "2026-01-10 10:00", 2)
        cls.entry = cls.grant.entry_ids.filtered(lambda entry: entry.kind == "draw")
        cls.env.flush_all()

    def assertRefusedBySql(self, sql, *parameters, error=psycopg2.IntegrityError):
        with (
            self.assertRaises(error),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(flush=False),
        ):
            self.env.cr.execute(sql, parameters)

    def test_entry_is_not_edited_by_the_orm(self):
        for records in (self.entry, self.entry.sudo()):
            with self.assertRaisesRegex(UserError, "never change"):
                records.write({"quantity": -1})

    def test_entry_is_not_deleted_by_the_orm(self):
        with self.assertRaises(AccessError):
            self.entry.unlink()
        with self.assertRaisesRegex(UserError, "never deleted"):
            self.entry.sudo().unlink()

    def test_entry_is_not_made_by_the_orm(self):
        vals = {
            "entitlement_id": self.grant.id,
            "unit": "time",
            "kind": "grant",
            "quantity": 3600,
            "date": "2026-01-10",
        }
        for entries in (self.env["support.entitlement.entry"], self.entry.sudo()):
            with self.assertRaisesRegex(UserError, "never by hand"):
                entries.create(vals)

    def test_entry_is_not_edited_by_sql(self):
        for assignment in (
            "quantity = -1",
            "kind = 'return'",
            "date = '2026-01-01'",
            "entitlement_id = entitlement_id + 1",
            "time_entry_ref = NULL",
        ):
            self.assertRefusedBySql(
                f"UPDATE support_entitlement_entry SET {assignment} WHERE id = %s", self.entry.id
            )

    def test_entry_is_not_deleted_by_sql(self):
        self.assertRefusedBySql(
            "DELETE FROM support_entitlement_entry WHERE id = %s", self.entry.id
        )

    def test_ledger_is_not_truncated(self):
        self.assertRefusedBySql("TRUNCATE support_entitlement_entry")

    def test_ledger_is_not_truncated_with_its_grants(self):
        self.assertRefusedBySql("TRUNCATE support_entitlement CASCADE")

    def test_customer_of_an_entry_can_be_merged_by_sql(self):
        other = self._make_customer("Merged Ltd")
        self.env.cr.execute(
            "UPDATE support_entitlement_entry SET partner_id = %s WHERE id = %s",
            (other.id, self.entry.id),
        )
        self.assertEqual(self.env.cr.rowcount, 1)

    def test_partners_are_merged_by_odoo(self):
        other = self._make_customer("Merged Ltd")
        other_grant = self._make_grant(3, partner_id=other.id)
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other | self.customer).ids, self.customer)
        self.env.invalidate_all()
        self.assertEqual(other_grant.partner_id, self.customer)
        self.assertEqual(other_grant.entry_ids.partner_id, self.customer)
        self.assertEqual(other_grant.remaining, 3 * HOUR)

    def test_counters_are_not_written_by_the_orm(self):
        for name in ("quantity", "used", "lapsed", "remaining"):
            with self.assertRaisesRegex(UserError, "can't change after it was made"):
                self.grant.sudo().write({name: 0})

    def test_counters_are_not_given_at_creation(self):
        with self.assertRaisesRegex(UserError, "so that the ledger knows"):
            self.env["support.entitlement"].create(
                {
                    "name": "Forged",
                    "unit": "time",
                    "date_from": "2026-01-01",
                    "partner_id": self.customer.id,
                    "remaining": 100,
                }
            )

    def test_counters_that_disagree_are_refused_by_the_database(self):
        check = psycopg2.errors.CheckViolation
        sql = "UPDATE support_entitlement SET used = used + 1 WHERE id = %s"
        self.assertRefusedBySql(sql, self.grant.id, error=check)

    def test_balance_below_zero_is_refused_by_the_database(self):
        check = psycopg2.errors.CheckViolation
        sql = "UPDATE support_entitlement SET used = %s, remaining = %s WHERE id = %s"
        self.assertRefusedBySql(sql, 6 * HOUR, -HOUR, self.grant.id, error=check)

    def test_door_refuses_more_than_there_is(self):
        movement = {"entitlement_id": self.grant.id, "kind": "draw", "date": "2026-01-10"}
        with (
            self.assertRaises(psycopg2.errors.CheckViolation),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.grant._post([movement | {"quantity": -4 * HOUR}])

    def test_negative_grant_is_refused(self):
        with self.assertRaisesRegex(UserError, "can't be negative"):
            self._make_grant(-1)

    def test_grant_with_entries_is_not_deleted(self):
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            self.grant.sudo().unlink()

    def test_proof_lists_a_counter_that_lies(self):
        self.assertProved(self.labour)
        self.env.cr.execute(
            "UPDATE support_entitlement SET used = used + 60, remaining = remaining - 60 "
            "WHERE id = %s",
            (self.grant.id,),
        )
        self.env.invalidate_all()
        found = self.env["support.discrepancy"]._prove(self.labour)
        self.assertEqual(found.entitlement_id, self.grant)
        self.assertEqual((found.check, found.expected, found.found), ("counters", 7200, 7260))

    def test_proof_lists_work_that_its_charges_do_not_explain(self):
        self.env.cr.execute(
            "UPDATE support_charge SET units = units - 60 WHERE time_entry_id = %s AND units > 0",
            (self.line.id,),
        )
        self.env.invalidate_all()
        found = self.env["support.discrepancy"]._prove(self.labour)
        self.assertEqual((found.check, found.expected, found.found), ("work", 7200, 7140))

    def test_proof_of_customers_without_contract(self):
        stranger = self._make_customer("Stranger Ltd")
        grant = self._make_grant(incidents=3, partner_id=stranger.id)
        self.team.requires_incident = True
        ticket = self._make_ticket(partner_id=stranger.id)
        discrepancies = self.env["support.discrepancy"].sudo()
        discrepancies._prove_without_contract(stranger)
        mine = [("partner_id", "=", stranger.id)]
        self.assertFalse(discrepancies.search(mine))
        self.env.cr.execute(
            "UPDATE support_entitlement SET used = used + 1, remaining = remaining - 1 "
            "WHERE id = %s",
            (grant.id,),
        )
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET incident_demand = 2 WHERE id = %s", (ticket.id,)
        )
        self.env.invalidate_all()
        for _night in range(2):  # found each night, listed once
            discrepancies._prove_without_contract(stranger)
            found = discrepancies.search(mine).sorted("check")
            self.assertEqual(found.mapped("check"), ["counters", "work"])
            self.assertEqual(found.mapped("found"), [2, 1])

    def test_proof_repairs_nothing(self):
        self.env.cr.execute(
            "UPDATE support_entitlement SET used = used + 60, remaining = remaining - 60 "
            "WHERE id = %s",
            (self.grant.id,),
        )
        self.env.invalidate_all()
        self.env["support.discrepancy"]._prove(self.labour)
        self.env.invalidate_all()
        self.assertEqual(self.grant.used, 2 * HOUR + 60)
