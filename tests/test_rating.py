# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a time entry costs: shifts, rates, multipliers, minimum, rounding, frozen prices."""

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import HOUR, SupportCommon

MINUTE = 60


class RatingCommon(SupportCommon):
    def _rate_work(self, rates, start="2026-01-10 10:00", hours=1, activity=None, **vals):
        """Work under a new contract with these rates of its plan."""
        contract = self._make_contract(self._make_plan(rates=rates))
        return self._log_work(self._make_ticket(contract), start, hours, activity, **vals)

    def assertAmount(self, line, amount):
        self.assertEqual(sum(line.charge_ids.mapped("amount")), amount)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestRates(RatingCommon):
    def test_price_is_the_rate_of_the_activity(self):  # ex. D1, without rounding
        rates = [
            self._rate("price", 150.0, activity_type_id=self.phone.id),
            self._rate("price", 175.0, activity_type_id=self.onsite.id),
        ]
        self.assertAmount(self._rate_work(rates), 150.0)
        self.assertAmount(self._rate_work(rates, activity=self.onsite), 175.0)

    def test_price_of_the_product_where_no_rate_names_one(self):
        contract = self._make_contract(self._make_plan(fee=10))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 2)
        self.assertAmount(line, 140.0)

    def test_price_of_the_price_list_where_no_rate_names_one(self):
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Friends",
                "currency_id": self.company.currency_id.id,
                "item_ids": [
                    (
                        0,
                        0,
                        {"compute_price": "fixed", "fixed_price": 61.5, "applied_on": "3_global"},
                    )
                ],
            }
        )
        contract = self._make_contract(self._make_plan(fee=10, pricelist_id=pricelist.id))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 2)
        self.assertAmount(line, 123.0)

    def test_base_times_multiplier(self):  # ex. D5
        rates = [self._rate("price", 100.0), self._rate("multiplier", 1.5)]
        self.assertAmount(self._rate_work(rates), 150.0)

    def test_custom_price_replaces_the_standard(self):  # ex. D6
        rates = [
            self._rate("price", 100.0),
            self._rate("price", 200.0, activity_type_id=self.phone.id),
        ]
        self.assertAmount(self._rate_work(rates), 200.0)

    def test_addition_is_put_on_the_price(self):  # ex. D6
        rates = [self._rate("price", 100.0), self._rate("adjust", 25.0)]
        self.assertAmount(self._rate_work(rates), 125.0)

    def test_addition_may_be_negative(self):
        rates = [self._rate("price", 100.0), self._rate("adjust", -25.0)]
        self.assertAmount(self._rate_work(rates), 75.0)

    def test_only_the_largest_multiplier_applies(self):  # T33
        rates = [
            self._rate("price", 100.0),
            self._rate("multiplier", 1.5),
            self._rate("multiplier", 2.0, activity_type_id=self.phone.id),
            self._rate("multiplier", 1.8, activity_type_id=self.phone.id),
        ]
        self.assertAmount(self._rate_work(rates), 200.0)

    def test_activity_goes_before_site_and_site_before_shift(self):
        site = self.env["support.site"].create({"name": "Site A"})
        day = self._make_shift("Day", [(0, 24)])
        by_shift = self._rate("price", 30.0, shift_id=day.id)
        by_site = self._rate("price", 20.0, site_id=site.id)
        by_activity = self._rate("price", 10.0, activity_type_id=self.phone.id)
        vals = {"support_site_id": site.id}
        self.assertAmount(self._rate_work([by_shift, by_site, by_activity], **vals), 10.0)
        self.assertAmount(self._rate_work([by_shift, by_site], **vals), 20.0)
        self.assertAmount(self._rate_work([self._rate("price", 99.0), by_shift], **vals), 30.0)

    def test_rate_of_both_activity_and_site_is_the_most_specific(self):
        site = self.env["support.site"].create({"name": "Site A"})
        rates = [
            self._rate("price", 10.0, activity_type_id=self.phone.id),
            self._rate("price", 15.0, activity_type_id=self.phone.id, site_id=site.id),
        ]
        self.assertAmount(self._rate_work(rates, support_site_id=site.id), 15.0)

    def test_site_of_the_customer_is_the_default(self):
        site = self.env["support.site"].create({"name": "Abroad"})
        self.customer.support_site_id = site
        rates = [self._rate("price", 10.0), self._rate("price", 20.0, site_id=site.id)]
        self.assertAmount(self._rate_work(rates), 20.0)

    def test_own_rate_goes_before_a_more_specific_one_of_the_plan(self):
        plan = self._make_plan(
            rates=[self._rate("price", 70.0, activity_type_id=self.phone.id)],
        )
        contract = self._make_contract(plan, rate_ids=[self._rate("price", 60.0)])
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        self.assertAmount(line, 60.0)

    def test_own_rate_replaces_the_same_of_the_plan(self):
        plan = self._make_plan(rates=[self._rate("price", 70.0), self._rate("multiplier", 2.0)])
        contract = self._make_contract(plan, rate_ids=[self._rate("multiplier", 1.5)])
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        self.assertAmount(line, 105.0)

    def test_negative_price_is_refused(self):
        with self.assertRaises(ValidationError):
            self._make_plan(rates=[self._rate("price", -1.0)])

    def test_labour_product_must_be_sold_by_time(self):
        with self.assertRaisesRegex(ValidationError, "unit is a time"):
            self.env["support.activity.type"].create(
                {"name": "Wrong", "product_id": self.fee_product.id}
            )

    def test_labour_product_by_the_day_is_priced_by_the_hour(self):
        day = self.env.ref("uom.product_uom_day")
        product = self._make_product("Day labour", 640.0, uom_id=day.id)
        activity = self.env["support.activity.type"].create(
            {"name": "Project day", "product_id": product.id}
        )
        contract = self._make_contract(self._make_plan(fee=10))
        ticket = self._make_ticket(contract)
        line = self._log_work(ticket, "2026-01-10 10:00", 2, activity)
        self.assertAmount(line, 160.0)


@tagged("post_install", "-at_install")
@freeze_time("2026-04-20 12:00:00")
class TestShifts(RatingCommon):
    """Work is cut at the borders of shifts, in their time zone."""

    def _get_pieces(self, line):
        return [(piece["start"][11:16], piece["seconds"] / HOUR) for piece in line.rated_pieces]

    def _make_rates(self, tz="UTC"):
        night = self._make_shift("Night", [(0, 6), (22, 24)], tz=tz)
        return [self._rate("price", 100.0), self._rate("multiplier", 1.5, shift_id=night.id)]

    def test_entry_over_the_border_is_cut(self):
        line = self._rate_work(self._make_rates(), "2026-01-10 20:00", 4)
        self.assertEqual(self._get_pieces(line), [("20:00", 2), ("22:00", 2)])
        self.assertEqual(self._get_charges(line), [("labour", 2, 200.0), ("labour", 2, 300.0)])

    def test_shift_goes_on_over_midnight(self):
        line = self._rate_work(self._make_rates(), "2026-01-10 23:00", 3)
        self.assertEqual(self._get_pieces(line), [("23:00", 3)])

    def test_shift_is_in_its_own_time_zone(self):
        line = self._rate_work(self._make_rates("America/New_York"), "2026-01-10 02:00", 2)
        self.assertEqual(self._get_pieces(line), [("02:00", 1), ("03:00", 1)])  # 22:00 there

    def test_night_of_the_skipped_hour_is_seven_hours_long(self):
        # 21:00 to 07:00 in Berlin on Mar 28/29, when the clock skips from 02:00 to 03:00.
        line = self._rate_work(self._make_rates("Europe/Berlin"), "2026-03-28 20:00", 9)
        self.assertEqual(self._get_pieces(line), [("20:00", 1), ("21:00", 7), ("04:00", 1)])
        self.assertAmount(line, 1250.0)

    def test_night_of_the_repeated_hour_is_nine_hours_long(self):
        line = self._rate_work(
            self._make_rates("Europe/Berlin"), "2025-10-25 19:00", 11, activity=self.phone
        )
        self.assertFalse(line.rated_pieces)  # before the contract
        contract = self._make_contract(
            self._make_plan(rates=self._make_rates("Europe/Berlin")), "2025-10-01"
        )
        ticket = self._make_ticket(contract, "2025-10-25 10:00:00")
        line = self._log_work(ticket, "2025-10-25 19:00", 11)
        self.assertEqual(self._get_pieces(line), [("19:00", 1), ("20:00", 9), ("05:00", 1)])
        self.assertAmount(line, 1550.0)

    def test_outside_of_a_schedule_is_a_shift_too(self):
        office = self._make_shift("Office", [(9, 17)], days=range(5))
        rates = [
            self._rate("price", 100.0),
            self._rate("multiplier", 2.0, shift_id=office.id, shift_side="outside"),
        ]
        line = self._rate_work(rates, "2026-01-09 16:00", 2)  # a Friday
        self.assertEqual(self._get_charges(line), [("labour", 1, 100.0), ("labour", 1, 200.0)])
        saturday = self._rate_work(rates, "2026-01-10 10:00", 1)
        self.assertAmount(saturday, 200.0)

    def test_overlapping_shifts_do_not_compound(self):  # T33
        night = self._make_shift("Night", [(22, 24)])
        weekend = self._make_shift("Weekend", [(0, 24)], days=(5, 6))
        rates = [
            self._rate("price", 100.0),
            self._rate("multiplier", 1.5, shift_id=night.id),
            self._rate("multiplier", 2.0, shift_id=weekend.id),
        ]
        self.assertAmount(self._rate_work(rates, "2026-01-10 22:00", 1), 200.0)

    def test_pieces_at_one_price_are_one_charge(self):
        night = self._make_shift("Night", [(22, 24)])
        rates = [self._rate("price", 100.0), self._rate("multiplier", 1.5, shift_id=night.id)]
        line = self._rate_work(rates, "2026-01-10 21:00", 4)
        self.assertEqual(self._get_charges(line), [("labour", 2, 200.0), ("labour", 2, 300.0)])

    def test_allowance_covers_the_first_of_the_time(self):
        plan = self._make_plan(hours=3, rates=self._make_rates())
        contract = self._make_contract(plan)
        line = self._log_work(self._make_ticket(contract), "2026-01-10 20:00", 4)
        self.assertEqual(self._get_charges(line), [("covered", 3, 0.0), ("overage", 1, 150.0)])


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestRounding(RatingCommon):
    """Minimum and rounding once, on the billable time (T34)."""

    def _make_rounded(self, minimum=0, increment=15, scope="entry"):
        return self._make_activity(
            "Rounded",
            minimum_minutes=minimum,
            increment_minutes=increment,
            rounding_scope=scope,
        )

    def test_rounding_up_by_rate(self):  # ex. D1: 13:38–14:58
        for price, amount in ((150, 225.0), (175, 262.5), (125, 187.5), (225, 337.5)):
            activity = self._make_rounded()
            line = self._rate_work(
                [self._rate("price", price)],
                "2026-01-10 13:38",
                activity=activity,
                work_stop="2026-01-10 14:58:00",
            )
            self.assertEqual(line.billable_hours, 1.5)
            self.assertAmount(line, amount)

    def test_five_minutes_are_a_quarter_of_an_hour(self):  # ex. D3
        contract = self._make_contract()
        line = self._log_seconds(
            self._make_ticket(contract), "2026-01-10 10:00", 5 * MINUTE, self._make_rounded()
        )
        self.assertEqual(line.billable_seconds, 15 * MINUTE)

    def test_worked_time_stays_as_it_was(self):  # T34
        contract = self._make_contract()
        line = self._log_seconds(
            self._make_ticket(contract), "2026-01-10 10:00", 5 * MINUTE, self._make_rounded()
        )
        self.assertEqual((line.worked_seconds, line.unit_amount), (5 * MINUTE, 5 / 60))

    def test_minimum_applies_per_entry(self):
        activity = self._make_rounded(minimum=30)
        contract = self._make_contract()
        line = self._log_seconds(
            self._make_ticket(contract), "2026-01-10 10:00", 5 * MINUTE, activity
        )
        self.assertAmount(line, 35.0)

    def test_surplus_is_on_the_last_piece(self):
        night = self._make_shift("Night", [(22, 24)])
        rates = [self._rate("price", 100.0), self._rate("multiplier", 1.5, shift_id=night.id)]
        contract = self._make_contract(self._make_plan(rates=rates))
        line = self._log_seconds(
            self._make_ticket(contract), "2026-01-10 21:50", 20 * MINUTE, self._make_rounded(60)
        )
        self.assertEqual(
            [piece["seconds"] for piece in line.rated_pieces], [10 * MINUTE, 50 * MINUTE]
        )

    def test_rounding_takes_from_the_allowance(self):
        contract = self._make_contract(self._make_plan(hours=1))
        self._log_seconds(
            self._make_ticket(contract), "2026-01-10 10:00", 5 * MINUTE, self._make_rounded()
        )
        self.assertEqual(contract.entitlement_ids.used, 15 * MINUTE)

    def test_twenty_entries_of_one_day_are_rounded_together(self):
        contract = self._make_contract()
        ticket = self._make_ticket(contract)
        activity = self._make_rounded(scope="ticket_day")
        lines = self.env["account.analytic.line"]
        for minute in range(20):
            lines += self._log_seconds(ticket, f"2026-01-10 10:{minute:02}", 5 * MINUTE, activity)
        self.assertEqual(sum(lines.mapped("billable_seconds")), 105 * MINUTE)
        self.assertEqual(sum(lines.mapped("worked_seconds")), 100 * MINUTE)

    def test_rounding_of_a_day_follows_an_entry_that_leaves(self):
        contract = self._make_contract()
        ticket = self._make_ticket(contract)
        activity = self._make_rounded(scope="ticket_day")
        first, second = (
            self._log_seconds(ticket, start, 10 * MINUTE, activity)
            for start in ("2026-01-10 10:00", "2026-01-10 11:00")
        )
        self.assertEqual((first | second).mapped("billable_seconds"), [900, 900])
        first.unlink()
        self.assertEqual(second.billable_seconds, 900)
        second.unit_amount = 16 / 60
        self.assertEqual(second.billable_seconds, 1800)

    def test_rounding_of_a_day_does_not_join_two_days(self):
        contract = self._make_contract()
        ticket = self._make_ticket(contract)
        activity = self._make_rounded(scope="ticket_day")
        lines = self.env["account.analytic.line"]
        for start in ("2026-01-10 10:00", "2026-01-11 10:00"):
            lines += self._log_seconds(ticket, start, 5 * MINUTE, activity)
        self.assertEqual(lines.mapped("billable_seconds"), [900, 900])


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestUnits(RatingCommon):
    """What work draws from an allowance."""

    def _draw(self, factor, hours=1.0, block=10, **vals):
        plan = self._make_plan(
            hours=block,
            rates=[self._rate("price", 100.0, has_unit_factor=True, unit_factor=factor, **vals)],
        )
        contract = self._make_contract(plan)
        return self._log_work(self._make_ticket(contract), "2026-01-10 10:00", hours)

    def test_unit_factors_of_a_block(self):  # ex. D2
        for factor, drawn in ((1, 1.5), (1.2, 1.8), (0.85, 1.275), (1.5, 2.25)):
            line = self._draw(factor, 1.5)
            self.assertEqual(sum(self._get_drawn(line).values()), drawn * HOUR)

    def test_unit_factor_doubles_or_halves(self):  # ex. D4
        self.assertEqual(sum(self._get_drawn(self._draw(2)).values()), 2 * HOUR)
        self.assertEqual(sum(self._get_drawn(self._draw(0.5)).values()), HOUR / 2)

    def test_multiplier_without_unit_factor_draws_the_duration(self):
        plan = self._make_plan(hours=10, rates=[self._rate("multiplier", 2.0)])
        contract = self._make_contract(plan)
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        self.assertEqual(sum(self._get_drawn(line).values()), HOUR)

    def test_what_the_block_does_not_hold_is_charged_in_proportion(self):  # ex. D7
        line = self._draw(2, hours=3, block=4)
        self.assertEqual(self._get_charges(line), [("covered", 2, 0.0), ("overage", 1, 100.0)])

    def test_nothing_is_drawn_at_factor_zero(self):
        line = self._draw(0, hours=3)
        self.assertFalse(self._get_drawn(line))
        self.assertEqual(self._get_charges(line), [("covered", 3, 0.0)])

    def test_over_two_blocks_each_is_shown_and_the_entry_billed_once(self):  # ex. D19
        contract = self._make_contract()
        self._make_grant(4, priority=1)
        self._make_grant(5, priority=2)
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 9)
        self.assertEqual(self._get_charges(line), [("covered", 4, 0.0), ("covered", 5, 0.0)])

    def test_edit_to_a_double_rate_returns_and_draws_anew(self):  # ex. D17: 60 → 0 and 120
        rate = self._rate(
            "multiplier",
            1.0,
            activity_type_id=self.onsite.id,
            has_unit_factor=True,
            unit_factor=2.0,
        )
        contract = self._make_contract(self._make_plan(hours=10, rates=[rate]))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        self.assertEqual(contract.entitlement_ids.used, 60 * MINUTE)
        line.activity_type_id = self.onsite
        self.assertEqual(contract.entitlement_ids.used, 120 * MINUTE)
        self.assertProved(contract)

    def test_edit_to_the_night_draws_by_its_factor(self):  # ex. D17: 60 → 90
        night = self._make_shift("Night", [(22, 24)])
        rate = self._rate(
            "multiplier", 1.5, shift_id=night.id, has_unit_factor=True, unit_factor=1.5
        )
        contract = self._make_contract(self._make_plan(hours=10, rates=[rate]))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        line.work_start = "2026-01-10 22:30:00"
        self.assertEqual(contract.entitlement_ids.used, 90 * MINUTE)

    def test_move_to_another_customer_moves_the_draw(self):  # ex. D17: 60 → 0 and 60
        plan = self._make_plan(hours=10)
        contract = self._make_contract(plan)
        other = self._make_contract(plan, partner=self._make_customer("Other Ltd"))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        line.ticket_id = self._make_ticket(other)
        self.assertEqual(contract.entitlement_ids.used, 0)
        self.assertEqual(other.entitlement_ids.used, 60 * MINUTE)
        self.assertEqual(line.charge_ids.contract_id, other)
        self.assertProved(contract | other)

    def test_non_billable_work_takes_nothing(self):  # C61
        contract = self._make_contract(self._make_plan(hours=10))
        line = self._log_work(
            self._make_ticket(contract), "2026-01-10 10:00", 1, support_billable=False
        )
        self.assertEqual(contract.entitlement_ids.used, 0)
        self.assertFalse(line.charge_ids)
        self.assertEqual(line.support_state, "non_billable")

    def test_work_made_non_billable_gives_back(self):
        contract = self._make_contract(self._make_plan(hours=10))
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        line.support_billable = False
        self.assertEqual(contract.entitlement_ids.used, 0)
        self.assertFalse(line.charge_ids)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestPricesAreFrozen(RatingCommon):
    def _log_at_product_price(self):
        contract = self._make_contract(self._make_plan(fee=10))
        ticket = self._make_ticket(contract)
        return self._log_work(ticket, "2026-01-10 10:00", 2)

    def test_price_of_the_product_may_change(self):
        line = self._log_at_product_price()
        self.phone.product_id.lst_price = 99.0
        self.assertAmount(line, 140.0)

    def test_price_stays_when_other_work_is_recorded_before(self):
        line = self._log_at_product_price()
        self.phone.product_id.lst_price = 99.0
        earlier = self._log_work(line.ticket_id, "2026-01-09 10:00", 1)
        self.assertAmount(line, 140.0)
        self.assertAmount(earlier, 99.0)

    def test_price_stays_when_the_text_changes(self):
        line = self._log_at_product_price()
        self.phone.product_id.lst_price = 99.0
        line.name = "Another text"
        self.assertAmount(line, 140.0)

    def test_rates_of_the_plan_may_change(self):
        plan = self._make_plan(rates=[self._rate("price", 70.0)])
        contract = self._make_contract(plan)
        line = self._log_work(self._make_ticket(contract), "2026-01-10 10:00", 1)
        plan.rate_ids.price = 99.0
        self.assertAmount(line, 70.0)

    def test_price_stays_when_less_of_the_work_is_covered(self):
        plan = self._make_plan(hours=2, rates=[self._rate("price", 70.0)])
        contract = self._make_contract(plan)
        ticket = self._make_ticket(contract)
        line = self._log_work(ticket, "2026-01-10 10:00", 2)
        plan.rate_ids.price = 99.0
        self._log_work(ticket, "2026-01-09 10:00", 2)
        self.assertEqual(self._get_charges(line), [("overage", 2, 140.0)])


@tagged("post_install", "-at_install")
class TestTimerAndParts(RatingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-01-20 12:00:00"):
            cls.contract = cls._make_contract()
            cls.ticket = cls._make_ticket(cls.contract)

    def test_timer_records_from_start_to_stop(self):
        with freeze_time("2026-01-20 12:00:00"):
            self.ticket.action_start_timer()
        self.assertTrue(self.ticket.running_timer_id)
        with freeze_time("2026-01-20 13:40:00"):
            self.ticket.action_stop_timer()
        line = self.ticket.time_entry_ids
        self.assertEqual(line.worked_seconds, 100 * MINUTE)
        self.assertAmount(line, 116.67)
        self.env.invalidate_all()
        self.assertFalse(self.ticket.running_timer_id)

    def test_running_timer_costs_nothing(self):
        with freeze_time("2026-01-20 12:00:00"):
            self.ticket.action_start_timer()
        self.assertFalse(self.ticket.time_entry_ids.charge_ids)

    def test_one_timer_runs_at_a_time(self):
        other = self._make_ticket(self.contract)
        with freeze_time("2026-01-20 12:00:00"):
            self.ticket.action_start_timer()
        with freeze_time("2026-01-20 12:30:00"):
            other.action_start_timer()
        self.assertEqual(self.ticket.time_entry_ids.worked_seconds, 30 * MINUTE)
        self.assertFalse(self.ticket.time_entry_ids.timer_running)
        self.assertTrue(other.time_entry_ids.timer_running)

    def test_work_that_ends_before_it_starts_is_refused(self):
        with self.assertRaisesRegex(UserError, "can't end before it starts"):
            self._log_work(self.ticket, "2026-01-20 10:00", 0, work_stop="2026-01-20 09:00:00")

    def test_parts_become_charges(self):
        self.ticket.part_ids = [
            (0, 0, {"kind": "part", "product_id": self.fee_product.id, "quantity": 3}),
        ]
        charge = self.ticket.part_ids
        self.assertEqual((charge.kind, charge.amount, charge.state), ("part", 300.0, "open"))
        self.assertEqual(charge.contract_id, self.contract)
        self.assertEqual(charge.partner_id, self.customer)

    def test_expenses_become_charges_at_their_price(self):
        charge = self.env["support.charge"].create(
            {
                "kind": "expense",
                "ticket_id": self.ticket.id,
                "product_id": self.fee_product.id,
                "name": "Taxi",
                "price_unit": 23.4,
                "date": "2026-01-12",
            }
        )
        self.assertEqual((charge.name, charge.amount), ("Taxi", 23.4))
        self.assertEqual(charge.term_id, self.contract.term_ids.sorted("number")[0])

    def test_part_without_customer_is_refused(self):
        ticket = self.env["helpdesk.ticket"].create(
            {"name": "Nobody's", "description": "?", "team_id": self.team.id}
        )
        with self.assertRaisesRegex(UserError, "has no customer"):
            self.env["support.charge"].create(
                {
                    "kind": "part",
                    "ticket_id": ticket.id,
                    "product_id": self.fee_product.id,
                }
            )

    def test_time_on_a_ticket_without_contract_is_not_charged(self):
        stranger = self._make_customer("Stranger Ltd")
        ticket = self._make_ticket(partner_id=stranger.id)
        line = self._log_work(ticket, "2026-01-20 10:00", 1)
        self.assertFalse(line.charge_ids)
