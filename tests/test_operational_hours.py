# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Only operational hours are deducted from the allowance; others are charged by the rates (C38)."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError, ValidationError
from odoo.tests import freeze_time

from .common import HOUR, BillingCommon

quick = settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@freeze_time("2026-01-20 12:00:00")
class TestOperationalHours(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office = cls._make_shift("Office", [(8, 17)], days=range(5))
        cls.plan = cls._make_operational_plan()
        cls.contract = cls._make_contract(cls.plan)
        cls.ticket = cls._make_ticket(cls.contract)

    @classmethod
    def _make_operational_plan(cls, **vals):
        rates = [
            cls._rate("price", 70.0),
            cls._rate("multiplier", 1.5, shift_id=cls.office.id, shift_side="outside", name="Off"),
        ]
        values = {"hours": 5, "rates": rates, "operational_calendar_id": cls.office.id}
        return cls._make_plan(**values | {"warning_thresholds": False} | vals)

    def test_split_at_the_border(self):
        """Two hours in the office, two after five: the first draw, the others cost 105.00."""
        line = self._log_work(self.ticket, "2026-01-05 15:00", 4)
        self.assertEqual(self._get_charges(line), [("covered", 2.0, 0.0), ("labour", 2.0, 210.0)])
        self.assertEqual(self.contract.time_left, 3.0)
        self.assertEqual(line.billable_hours, 4.0)
        self.assertEqual(line.covered_hours, 2.0)
        self.assertProved(self.contract)

    def test_wholly_outside_draws_nothing(self):
        line = self._log_work(self.ticket, "2026-01-10 10:00", 3)  # a Saturday
        self.assertEqual(self._get_charges(line), [("labour", 3.0, 315.0)])
        self.assertFalse(self._get_drawn(line))
        self.assertEqual(self.contract.time_left, 5.0)
        self.assertProved(self.contract)

    def test_beyond_the_allowance_both(self):
        line = self._log_work(self.ticket, "2026-01-05 11:00", 8)
        self.assertEqual(
            self._get_charges(line),
            [("covered", 5.0, 0.0), ("overage", 1.0, 70.0), ("labour", 2.0, 210.0)],
        )
        bills = self._bill(self.contract, "2026-02-01")
        move = self._invoice(bills, post=True)
        self.assertEqual(move.amount_untaxed, 280.0)
        self.assertProved(self.contract)

    def test_without_it_all_hours_draw(self):
        contract = self._make_contract(
            self._make_operational_plan(operational_calendar_id=False),
            partner=self._make_customer("B"),
        )
        line = self._log_work(self._make_ticket(contract), "2026-01-05 15:00", 4)
        self.assertEqual(self._get_charges(line), [("covered", 4.0, 0.0)])

    def test_daylight_saving(self):
        """The office opens at eight in Brussels: 07:00 UTC in winter, 06:00 UTC in summer."""
        office = self._make_shift("Brussels", [(8, 17)], tz="Europe/Brussels")
        plan = self._make_operational_plan(
            operational_calendar_id=office.id, rates=[self._rate("price", 70.0)]
        )
        contract = self._make_contract(plan, partner=self._make_customer("B"))
        ticket = self._make_ticket(contract)
        for day in ("2026-03-27 06:00", "2026-03-30 05:00"):
            with freeze_time("2026-03-31 12:00:00"):
                self._roll(contract)
                line = self._log_work(ticket, day, 2)
            self.assertEqual(
                self._get_charges(line), [("covered", 1.0, 0.0), ("labour", 1.0, 70.0)]
            )

    def test_surplus_of_rounding_stays_on_the_last_piece(self):
        activity = self._make_activity("Rounded", increment_minutes=60)
        line = self._log_work(self.ticket, "2026-01-05 16:00", 1.5, activity)
        self.assertEqual(self._get_charges(line), [("covered", 1.0, 0.0), ("labour", 1.0, 105.0)])

    def test_changed_on_the_contract(self):
        line = self._log_work(self.ticket, "2026-01-05 15:00", 4)
        self.contract.operational_calendar_id = False
        self.cr.precommit.run()
        self.assertEqual(self._get_charges(line), [("covered", 4.0, 0.0)])
        self.contract.operational_calendar_id = self.office
        self.cr.precommit.run()
        self.assertEqual(self._get_charges(line), [("covered", 2.0, 0.0), ("labour", 2.0, 210.0)])
        self.assertProved(self.contract)

    def test_billed_work_stays(self):
        line = self._log_work(self.ticket, "2026-01-05 15:00", 4)
        bill = self.env["support.bill"]._bill_at_once(line.charge_ids, self.contract._get_today())
        self._invoice(bill, post=True)
        self.contract.operational_calendar_id = False
        self.cr.precommit.run()
        self.assertEqual(self._get_charges(line), [("covered", 2.0, 0.0), ("labour", 2.0, 210.0)])
        self.assertProved(self.contract)

    def test_only_where_the_others_are_charged(self):
        for policy in ("block", "carry", "allow"):
            with self.subTest(policy), self.assertRaisesRegex(ValidationError, "must be charged"):
                self._make_operational_plan(overage_policy=policy)
        with self.assertRaisesRegex(ValidationError, "must be charged"):
            self.contract.overage_policy = "block"

    def test_only_with_rates(self):
        with self.assertRaisesRegex(UserError, "no rates for the others"):
            self._make_contract(
                self._make_operational_plan(rates=[]), partner=self._make_customer("B")
            )

    @quick
    @given(
        st.lists(st.tuples(st.integers(0, 14 * 96), st.integers(1, 30000)), min_size=2, max_size=5),
        st.randoms(use_true_random=False),
    )
    def test_order_of_recording_is_irrelevant(self, work, random):
        """Every second is covered or charged, and whatever comes first the result is the same."""
        savepoint = self.env.cr.savepoint()
        try:
            shuffled = list(work)
            random.shuffle(shuffled)
            results = []
            for name, order in (("One", sorted(work)), ("Two", shuffled)):
                contract = self._make_contract(self.plan, partner=self._make_customer(name))
                ticket = self._make_ticket(contract)
                lines = {}
                for quarter, seconds in order:
                    start = datetime(2026, 1, 2) + timedelta(minutes=15 * quarter)
                    line = self._log_seconds(ticket, start.strftime("%Y-%m-%d %H:%M"), seconds)
                    lines.setdefault((quarter, seconds), line)
                    self.assertEqual(sum(line.charge_ids.mapped("seconds")), seconds)
                results.append(
                    (
                        contract.time_left,
                        round(sum(contract.charge_ids.mapped("amount")), 2),
                        sum(contract.charge_ids.mapped("units")),
                    )
                )
                charges = contract.charge_ids
                self.assertEqual(sum(charges.mapped("seconds")), sum(s for _q, s in work))
                self.assertEqual(
                    sum(charges.mapped("units")), round((5 - contract.time_left) * HOUR)
                )
                self.assertProved(contract)
            self.assertEqual(results[0][0], results[1][0])
            self.assertEqual(results[0][2], results[1][2])
            self.assertAlmostEqual(results[0][1], results[1][1], delta=0.02 * len(work))
        finally:
            savepoint.rollback()
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
