# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Terms of real contracts: anchored dates, billing dates, proration, time zones, rolling."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import HOUR, SupportCommon


@tagged("post_install", "-at_install")
class TestTerms(SupportCommon):
    def _make_rolled(self, start, today, fee=100.0, **vals):
        """A contract made on its first day, whose terms are rolled on another day."""
        plan_vals = {
            name: vals.pop(name)
            for name in ("billing_period", "billing_mode", "alignment", "proration", "hours")
            if name in vals
        }
        plan = self._make_plan(fee=fee, **plan_vals)
        with freeze_time(f"{start} 12:00:00"):
            contract = self._make_contract(plan, start, **vals)
        with freeze_time(f"{today} 12:00:00"):
            self._roll(contract)
        return contract

    def _run_cron(self, now):
        with (
            freeze_time(now),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            self.env["support.contract"].with_env(self.env(cr=cr))._cron_roll()

    def _get_terms(self, contract):
        return contract.term_ids.filtered(lambda term: term.kind == "regular").sorted("number")

    def _get_begun(self, contract):
        """The days of the terms that have begun: [(first, last)] as text."""
        terms = self._get_terms(contract).filtered(lambda term: term.state != "upcoming")
        return [(str(term.date_start), str(term.date_end)) for term in terms]

    def _get_starts(self, contract):
        return [start for start, _end in self._get_begun(contract)]

    def _get_fees(self, contract, until):
        with freeze_time(f"{until} 12:00:00"):
            bills = self._bill(contract, until)
        return bills.charge_ids.sorted("date").mapped("amount")

    # === ANCHOR === #

    def test_month_ends_are_counted_from_the_anchor(self):  # ex. A5, T1-T3
        contract = self._make_rolled("2026-01-31", "2026-06-30")
        self.assertEqual(
            self._get_starts(contract),
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"],
        )

    def test_month_ends_know_leap_years(self):  # ex. A1
        contract = self._make_rolled("2024-01-31", "2024-04-30")
        self.assertEqual(
            self._get_starts(contract), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
        )

    def test_years_of_a_leap_day_come_back_to_it(self):  # ex. A6
        contract = self._make_rolled("2024-02-29", "2028-03-01", billing_period="12")
        self.assertEqual(
            self._get_starts(contract),
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        )

    def test_twelve_months_later_the_anchor_is_back(self):  # ex. A6
        contract = self._make_rolled("2026-01-31", "2027-02-01")
        self.assertEqual(self._get_starts(contract)[12], "2027-01-31")

    def test_last_term_ends_with_the_contract(self):  # ex. A18
        contract = self._make_rolled("2018-01-05", "2018-05-01", date_end="2018-03-15")
        self.assertEqual(
            self._get_begun(contract),
            [
                ("2018-01-05", "2018-02-04"),
                ("2018-02-05", "2018-03-04"),
                ("2018-03-05", "2018-03-15"),
            ],
        )

    def test_calendar_terms_are_whole_months_between_the_ends(self):  # ex. A19
        contract = self._make_rolled(
            "2018-01-05", "2018-05-01", date_end="2018-03-15", alignment="calendar"
        )
        self.assertEqual(
            self._get_begun(contract),
            [
                ("2018-01-05", "2018-01-31"),
                ("2018-02-01", "2018-02-28"),
                ("2018-03-01", "2018-03-15"),
            ],
        )

    def test_yearly_terms(self):  # ex. A20
        contract = self._make_rolled(
            "2018-01-05", "2020-06-01", date_end="2020-03-15", billing_period="12"
        )
        self.assertEqual(
            self._get_begun(contract),
            [
                ("2018-01-05", "2019-01-04"),
                ("2019-01-05", "2020-01-04"),
                ("2020-01-05", "2020-03-15"),
            ],
        )

    def test_calendar_quarters_and_half_years(self):
        for period, ends in (("3", ["2026-03-31", "2026-06-30"]), ("6", ["2026-06-30"])):
            contract = self._make_rolled(
                "2026-02-10", "2026-06-15", billing_period=period, alignment="calendar"
            )
            self.assertEqual([end for _start, end in self._get_begun(contract)], ends)

    # === BILLING DATES === #

    def test_in_advance_is_billed_on_the_first_day(self):  # ex. A14
        contract = self._make_rolled("2018-01-01", "2018-01-01", billing_mode="advance")
        self.assertEqual(self._get_terms(contract)[0].billing_date, date(2018, 1, 1))

    def test_in_arrears_is_billed_after_the_last_day(self):  # ex. A15
        contract = self._make_rolled("2018-01-01", "2018-01-01")
        self.assertEqual(self._get_terms(contract)[0].billing_date, date(2018, 2, 1))

    def test_in_arrears_is_billed_after_the_end_of_the_contract(self):  # ex. A15
        contract = self._make_rolled("2018-01-01", "2018-01-01", date_end="2018-01-15")
        self.assertEqual(self._get_terms(contract)[0].billing_date, date(2018, 1, 16))

    def test_year_in_arrears_is_billed_a_year_later(self):  # ex. A17
        contract = self._make_rolled("2018-01-05", "2018-01-05", billing_period="12")
        self.assertEqual(self._get_terms(contract)[0].billing_date, date(2019, 1, 5))

    # === ROLLING === #

    def test_late_cron_makes_each_due_term_once(self):  # T3, T4
        contract = self._make_rolled("2026-01-31", "2026-05-10", hours=5)
        self.assertEqual(len(self._get_begun(contract)), 4)
        with freeze_time("2026-05-10 13:00:00"):
            self._roll(contract)
            self.env["support.contract"].search([])
        self.assertEqual(len(self._get_begun(contract)), 4)
        self.assertEqual(len(contract.entitlement_ids), 4)

    def test_cron_rolls_what_is_due(self):
        contract = self._make_rolled("2026-01-31", "2026-01-31")
        self._run_cron("2026-04-02 12:00:00")
        self.assertEqual(self._get_starts(contract), ["2026-01-31", "2026-02-28", "2026-03-31"])

    def test_late_bills_have_their_own_dates_and_fees(self):  # T4
        contract = self._make_rolled("2026-01-01", "2026-01-01")
        with freeze_time("2026-04-20 12:00:00"):
            bills = self._bill(contract, "2026-04-20").sorted("date")
        self.assertEqual(
            bills.mapped("date"), [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]
        )
        self.assertEqual(bills.mapped("amount_fees"), [100.0] * 3)

    def test_late_rolling_ends_where_daily_rolling_does(self):  # T4
        vals = {"hours": 5, "date_end": "2026-03-15"}
        daily = self._make_rolled("2026-01-10", "2026-01-10", **vals)
        days = ("01-31", "02-09", "02-10", "02-28", "03-16", "03-17")
        for day in days:
            self._run_cron(f"2026-{day} 00:30:00")
        late = self._make_rolled("2026-01-10", "2026-03-20", **vals)

        def describe(contract):
            terms = contract.term_ids.sorted("number")
            grants = contract.entitlement_ids.sorted("date_from")
            return (
                contract.state,
                terms.mapped(lambda term: (term.state, term.date_start, term.date_end)),
                grants.mapped(lambda grant: (grant.date_from, grant.quantity, grant.lapsed)),
            )

        self.assertEqual(describe(late), describe(daily))
        self.assertEqual(late.state, "expired")

    def test_allowance_is_granted_with_each_term(self):  # ex. A25: not all at once
        contract = self._make_rolled("2026-04-11", "2026-06-11", hours=10)
        grants = contract.entitlement_ids.sorted("date_from")
        self.assertEqual(grants.mapped("quantity"), [10 * HOUR] * 3)
        self.assertEqual(
            grants.mapped(lambda grant: (str(grant.date_from), str(grant.date_to))),
            [
                ("2026-04-11", "2026-05-10"),
                ("2026-05-11", "2026-06-10"),
                ("2026-06-11", "2026-07-10"),
            ],
        )

    # === PRORATION === #

    def test_first_days_are_shares_of_the_whole_term(self):  # ex. B35
        contract = self._make_rolled("2018-01-05", "2018-01-05", alignment="calendar")
        self.assertEqual(self._get_fees(contract, "2018-02-01"), [87.1])  # 27/31

    def test_last_days_are_shares_of_the_whole_term(self):  # ex. B34
        contract = self._make_rolled(
            "2018-02-01",
            "2018-02-01",
            alignment="calendar",
            billing_mode="advance",
            date_end="2018-02-25",
        )
        self.assertEqual(self._get_fees(contract, "2018-02-01"), [89.29])  # 25/28

    def test_days_of_a_leap_february_count(self):  # ex. B4
        contract = self._make_rolled("2012-02-01", "2012-02-01", fee=29.0, date_end="2012-02-14")
        self.assertEqual(self._get_fees(contract, "2012-02-15"), [14.0])  # 14/29

    def test_months_of_thirty_days(self):  # ex. B14
        contract = self._make_rolled(
            "2023-05-15", "2023-05-15", date_end="2023-05-22", proration="fixed30"
        )
        self.assertEqual(self._get_fees(contract, "2023-05-23"), [26.67])  # 8/30

    def test_month_of_31_days_is_one_month_of_thirty(self):
        contract = self._make_rolled("2023-05-01", "2023-05-01", proration="fixed30")
        self.assertEqual(self._get_fees(contract, "2023-06-01"), [100.0])

    def test_without_proration_each_begun_term_counts_in_full(self):
        contract = self._make_rolled(
            "2023-05-15", "2023-05-15", date_end="2023-05-22", proration="none"
        )
        self.assertEqual(self._get_fees(contract, "2023-05-23"), [100.0])

    def test_units_are_never_prorated(self):
        contract = self._make_rolled("2018-01-05", "2018-01-05", alignment="calendar", hours=10)
        self.assertEqual(contract.entitlement_ids.quantity, 10 * HOUR)

    def test_price_that_changes_half_way_is_prorated(self):  # ex. B31
        contract = self._make_rolled("2026-04-01", "2026-04-01", fee=10.0)
        contract.line_ids.change_ids = [(0, 0, {"date": "2026-04-16", "price_unit": 20.0})]
        self.assertEqual(self._get_fees(contract, "2026-05-01"), [5.0, 10.0])

    def test_quantity_that_changes_is_prorated_by_its_days(self):
        contract = self._make_rolled("2026-01-01", "2026-01-01", fee=31.0)
        contract.line_ids.change_ids = [
            (0, 0, {"date": "2026-01-11", "quantity": 3}),
            (0, 0, {"date": "2026-01-21", "quantity": 0}),
        ]
        self.assertEqual(self._get_fees(contract, "2026-02-01"), [10.0, 30.0])

    def test_change_holds_for_the_terms_after_it(self):
        contract = self._make_rolled("2026-01-01", "2026-01-01")
        contract.line_ids.change_ids = [(0, 0, {"date": "2026-02-01", "quantity": 2})]
        self.assertEqual(self._get_fees(contract, "2026-04-01"), [100.0, 200.0, 200.0])

    def test_change_in_a_billed_term_is_settled_on_the_next_bill(self):  # ex. B31
        contract = self._make_rolled("2026-04-01", "2026-04-01", 10.0, billing_mode="advance")
        self.assertEqual(self._get_fees(contract, "2026-04-01"), [10.0])
        contract.line_ids.change_ids = [(0, 0, {"date": "2026-04-16", "price_unit": 20.0})]
        self.assertEqual(sorted(self._get_fees(contract, "2026-05-01")), [5.0, 20.0])
        self.assertEqual(self._get_fees(contract, "2026-05-01"), [])

    def test_product_with_dates_of_its_own_is_prorated(self):
        contract = self._make_rolled("2026-01-01", "2026-01-01", fee=31.0)
        contract.line_ids.write({"date_start": "2026-01-11", "date_end": "2026-01-15"})
        self.assertEqual(self._get_fees(contract, "2026-02-01"), [5.0])

    # === END === #

    def test_end_moves_the_last_term(self):
        contract = self._make_rolled("2026-01-01", "2026-01-10")
        with freeze_time("2026-01-10 12:00:00"):
            contract.date_end = "2026-01-20"
        self.assertEqual(self._get_begun(contract), [("2026-01-01", "2026-01-20")])
        final = contract.term_ids - self._get_terms(contract)
        self.assertEqual((final.kind, final.date_start), ("final", date(2026, 1, 21)))

    def test_end_that_is_taken_back_goes_on(self):
        contract = self._make_rolled("2026-01-01", "2026-01-10", date_end="2026-01-20")
        with freeze_time("2026-01-15 12:00:00"):
            contract.date_end = False
        with freeze_time("2026-02-15 12:00:00"):
            self._roll(contract)
        self.assertEqual(
            self._get_begun(contract), [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")]
        )

    def test_however_the_end_moves_the_terms_fit_it(self):
        """Terms that aren't read again are as they would be made from scratch."""
        contract = self._make_rolled("2025-01-15", "2026-01-20")
        terms = self.env["support.contract.term"]
        with freeze_time("2026-01-20 12:00:00"):
            for end in ("2025-06-20", False, "2025-08-14", "2026-01-31", "2026-02-20", False):
                contract.date_end = end
                if contract.state == "expired" and not contract._has_ended(date(2026, 1, 20)):
                    contract.action_resume()
                self._roll(contract)
                existing = {term.number: term for term in contract.term_ids}
                for vals in terms._prepare_terms(contract, date(2026, 1, 20), 0):
                    term = existing[vals["number"]]
                    for name in ("kind", "date_start", "date_end"):
                        self.assertEqual(term[name], vals[name], (end, vals["number"]))

    def test_closed_terms_are_not_read_again(self):
        contract = self._make_rolled("2016-01-01", "2026-01-20")
        terms = self.env["support.contract.term"]
        self.assertEqual(len(contract.term_ids), 122)
        self.assertEqual(terms._get_first_changeable(contract), {contract: 120})

    def test_contract_ended_before_a_bill_that_runs_longer_is_refused(self):  # ex. A23, T9
        contract = self._make_rolled("2018-01-15", "2018-01-15", billing_mode="advance")
        with freeze_time("2018-01-20 12:00:00"):
            self._bill(contract, "2018-01-20").action_approve()
            with self.assertRaisesRegex(ValidationError, "billed through 2018-02-14"):
                contract.date_end = "2018-02-13"

    def test_contract_may_end_with_its_last_bill(self):  # ex. A23
        contract = self._make_rolled("2018-01-15", "2018-01-15", billing_mode="advance")
        with freeze_time("2018-01-20 12:00:00"):
            self._bill(contract, "2018-01-20").action_approve()
            contract.date_end = "2018-02-14"
        self.assertEqual(contract.date_end, date(2018, 2, 14))

    # === TIME ZONES === #

    def test_term_begins_at_midnight_of_the_customer(self):
        plan = self._make_plan(fee=100, hours=5)
        contracts = {}
        with freeze_time("2026-01-05 12:00:00"):
            for zone in ("Pacific/Auckland", "America/Los_Angeles"):
                customer = self._make_customer(zone, tz=zone)
                contracts[zone] = self._make_contract(plan, partner=customer)
                self.assertEqual(contracts[zone].tz, zone)
        with freeze_time("2026-01-31 20:00:00"):  # Feb 1 in Auckland
            for contract in contracts.values():
                self._roll(contract)
        self.assertEqual(len(self._get_begun(contracts["Pacific/Auckland"])), 2)
        self.assertEqual(len(self._get_begun(contracts["America/Los_Angeles"])), 1)

    def test_work_counts_on_the_day_of_the_customer(self):
        plan = self._make_plan(rates=[self._rate("price", 70.0)])
        for zone, day, number in (
            ("Pacific/Auckland", date(2026, 2, 1), 1),
            ("America/Los_Angeles", date(2026, 1, 31), 0),
        ):
            with freeze_time("2026-02-05 12:00:00"):
                customer = self._make_customer(zone, tz=zone)
                contract = self._make_contract(plan, partner=customer)
                line = self._log_work(self._make_ticket(contract), "2026-01-31 20:00", 1)
            self.assertEqual((line.charge_ids.date, line.charge_ids.term_id.number), (day, number))

    def test_last_evening_of_the_customer_still_draws_from_the_old_term(self):
        with freeze_time("2026-02-05 12:00:00"):
            customer = self._make_customer("West", tz="America/Los_Angeles")
            contract = self._make_contract(self._make_plan(hours=5), partner=customer)
            line = self._log_work(self._make_ticket(contract), "2026-02-01 07:00", 1)
        (grant,) = self._get_drawn(line)
        self.assertEqual(grant.date_to, date(2026, 1, 31))
