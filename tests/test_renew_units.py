# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What becomes of units left, and of units owed, when a contract is renewed.

However late something is recorded, decided or settled: the balances are the same.
"""

from itertools import permutations

from odoo.tests import freeze_time

from .common import HOUR, SupportCommon
from .test_renew import RenewMixin

LATER = "2026-02-10 12:00:00"  # the old contract was January's


@freeze_time("2026-01-20 12:00:00")
class TestRenewUnits(RenewMixin, SupportCommon):
    def _january(self, plan=None, **vals):
        return self._make_contract(plan or self._make_plan(hours=10), date_end="2026-01-31", **vals)

    def _begin(self, *contracts):
        contracts = self.env["support.contract"].concat(*contracts)
        self._roll(contracts)
        return contracts

    def _work(self, contract, day, hours):
        ticket = contract.ticket_ids[:1] or self._make_ticket(contract)
        return self._log_work(ticket, f"{day} 09:00", hours)

    def _get_left(self, contract):
        """Hours and incidents left, by origin, and until when."""
        grants = contract.entitlement_ids.filtered("remaining").sorted("id")
        return [
            (
                grant.origin,
                grant.remaining / (HOUR if grant.unit == "time" else 1),
                str(grant.date_to),
            )
            for grant in grants
        ]

    def test_rollover(self):  # ex. C31
        plan = self._make_plan(
            allowances=[self._allowance(incidents=1000, carry_forward=True)],
            incident_product_id=self.incident_product.id,
        )
        contract = self._january(plan)
        self._make_ticket(contract, incident_quantity=600)
        renewal = self._renew(contract)
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(renewal.incidents_left, 1400)
            self.assertEqual(contract.incidents_left, 0)
            self.assertProved(contract + renewal)

    def test_as_between_terms(self):
        """Only what an allowance carries forward, as long as it says, with its cap."""
        plan = self._make_plan(
            allowances=[
                self._allowance(10, carry_forward=True, carry_cap=4 * HOUR, carry_terms=2),
                self._allowance(5, activities=self.phone),
            ]
        )
        contract = self._january(plan)
        renewal = self._renew(contract, date_end="2026-06-30")
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(
                self._get_left(renewal),
                [
                    ("allowance", 10, "2026-02-28"),
                    ("allowance", 5, "2026-02-28"),
                    ("carry", 4, "2026-03-31"),
                ],
            )

    def test_what_a_term_before_has_carried_lives_as_long_as_it_would_have(self):
        plan = self._make_plan(
            allowances=[self._allowance(10, carry_forward=True, carry_terms=2, carry_cap=15 * HOUR)]
        )
        contract = self._make_contract(plan, "2025-12-01", date_end="2026-01-31")
        self._work(contract, "2025-12-05", 4)  # six are left for January and February
        renewal = self._renew(contract, date_end="2026-06-30")
        with freeze_time(LATER):
            self._begin(contract, renewal)
            # Ten of January, for two terms; of December's six what the cap leaves, for one.
            self.assertEqual(
                sorted(self._get_left(renewal)),
                [
                    ("allowance", 10, "2026-02-28"),
                    ("carry", 5, "2026-02-28"),
                    ("carry", 10, "2026-03-31"),
                ],
            )
            self.assertProved(contract + renewal)

    def test_lost(self):
        contract = self._january(
            self._make_plan(allowances=[self._allowance(10, carry_forward=True)])
        )
        renewal = self._renew(contract, renewal_units="lost")
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(renewal.time_left, 10)
            self.assertEqual(contract.entitlement_ids.lapsed, 10 * HOUR)

    def test_all_carried_up_to_a_cap_per_unit(self):
        plan = self._make_plan(
            allowances=[
                self._allowance(10, per="contract"),
                self._allowance(5),
                self._allowance(incidents=7),
            ],
            incident_product_id=self.incident_product.id,
        )
        contract = self._january(plan)
        self._make_grant(3, end="2026-01-31", contract_id=contract.id, origin="top_up")
        wizard = self._open_wizard(
            contract, renewal_units="carried", cap_hours=12, cap_incidents=4, date_end="2026-06-30"
        )
        for text in ("10:00", "2:00", "3:00", ">4<"):
            self.assertIn(text, wizard.preview)
        wizard.action_renew()
        renewal = contract.renewal_id
        with freeze_time(LATER):
            self._begin(contract, renewal)
            carried = [row for row in self._get_left(renewal) if row[0] == "carry"]
            self.assertEqual(
                carried,
                [
                    ("carry", 10, "2026-06-30"),
                    ("carry", 2, "2026-06-30"),
                    ("carry", 4, "2026-06-30"),
                ],
            )
            self.assertProved(contract + renewal)

    def test_what_was_bought_for_longer_goes_on(self):
        contract = self._january()
        self._make_grant(3, contract_id=contract.id, origin="top_up")
        self._make_grant(2, end="2026-12-31", contract_id=contract.id)
        mine = self._make_grant(1)  # of the customer, for any contract
        renewal = self._renew(contract, renewal_units="lost", date_end="2026-06-30")
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(
                self._get_left(renewal),
                [
                    ("allowance", 10, "2026-02-28"),
                    ("carry", 3, "False"),
                    ("carry", 2, "2026-12-31"),
                ],
            )
            self.assertEqual(mine.remaining, HOUR)
            work = self._work(renewal, "2026-02-05", 16)
            self.assertEqual(sum(self._get_drawn(work).values()), 16 * HOUR)
            self.assertProved(contract + renewal)
            following = self._renew_again(renewal)
        self.assertTrue(following)

    def _renew_again(self, renewal):
        """What goes on goes on again, when the renewal is renewed."""
        second = self._renew(renewal, renewal_units="lost")
        with freeze_time("2026-07-02 12:00:00"):
            self._begin(renewal, second)
            renewal.ticket_ids.time_entry_ids.unlink()
            self.assertEqual(
                self._get_left(second)[1:], [("carry", 3, "False"), ("carry", 2, "2026-12-31")]
            )
            self.assertProved(renewal + second)
        return second

    def test_another_plan_takes_what_it_includes(self):
        plan = self._make_plan(
            allowances=[self._allowance(2), self._allowance(3, activities=self.phone)]
        )
        contract = self._january(plan)
        other = self._make_plan(allowances=[self._allowance(20, activities=self.phone)])
        renewal = self._renew(contract, plan_id=other.id, renewal_units="carried")
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(
                [row[:2] for row in self._get_left(renewal)], [("allowance", 20), ("carry", 3)]
            )
            self.assertEqual(contract.time_left, 0)

    def test_debts_go_to_the_first_term(self):
        plan = self._make_plan(hours=5, overage_policy="carry")
        contract = self._january(plan)
        self._work(contract, "2026-01-15", 7)
        wizard = self._open_wizard(contract, renewal_units="lost")
        self.assertIn("-2:00", wizard.preview)
        wizard.action_renew()
        renewal = contract.renewal_id
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(renewal.time_left, 3)
            self.assertEqual(contract.entitlement_ids.remaining, 0)
            self._work(contract, "2026-01-16", 1)  # recorded late
            self.assertEqual(renewal.time_left, 2)
            self.assertProved(contract + renewal)

    def test_debts_beyond_what_a_term_has_stay_where_nothing_may_be_owed(self):
        contract = self._january(self._make_plan(hours=5, overage_policy="carry"))
        self._work(contract, "2026-01-15", 12)
        other = self._make_plan(hours=3, overage_policy="block")
        renewal = self._renew(contract, plan_id=other.id)
        with freeze_time(LATER):
            self._begin(contract, renewal)
            self.assertEqual(renewal.time_left, 0)
            self.assertEqual(contract.entitlement_ids.remaining, -4 * HOUR)

    def test_every_order_of_events_ends_the_same(self):
        """Signing late, late work, a late correction and the jobs of the night, in any order."""
        self.company.sudo().support_expired_work = "rollover"
        plan = self._make_plan(
            allowances=[
                self._allowance(10, carry_forward=True, carry_terms=2, carry_cap=15 * HOUR),
                self._allowance(4, per="contract", priority=20),
            ],
            overage_policy="carry",
        )
        results = set()
        orders = list(permutations(("confirm", "settle", "late", "shorten", "new")))
        for order in orders[::5]:
            with self.subTest(order), self.env.cr.savepoint() as savepoint:
                results.add(self._play(plan, order))
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
        self.assertEqual(len(results), 1)

    def _play(self, plan, order):
        contract = self._make_contract(plan, "2025-12-01", date_end="2026-01-31")
        self._make_grant(1, contract_id=contract.id)
        first = self._work(contract, "2025-12-10", 13)
        renewal = self._renew(
            contract,
            date_end="2026-07-31",
            renewal_units="carried",
            cap_hours=9,
            confirm=False,
        )
        steps = {
            "confirm": lambda: renewal.action_confirm(),
            "settle": lambda: self._roll(contract),
            "late": lambda: self._work(contract, "2026-01-31", 3),
            "shorten": lambda: first.write({"unit_amount": 2}),
            "new": lambda: self._work(contract, "2026-02-03", 6),  # then of the renewal
        }
        with freeze_time(LATER):
            for name in order:
                steps[name]()
            self._roll(contract | renewal)
            self.assertProved(contract + renewal)
            return tuple(
                sorted(
                    (
                        grant.contract_id == contract,
                        grant.origin,
                        str(grant.date_from),
                        str(grant.date_to),
                        grant.quantity,
                        grant.used,
                        grant.lapsed,
                    )
                    for grant in (contract + renewal).entitlement_ids
                    if grant.quantity
                )
            )
