# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Whatever people do to work in whatever order, the ledgers end as if rated from scratch.

Each example plays random steps on the tickets of two customers while the months go by. Then a
twin of each customer gets the same contract and what has survived, recorded in the order of
(start, id), and both must have drawn, lapsed, carried and charged the same. More examples are
tried with SUPPORT_EXAMPLES=200.
"""

import os
from datetime import datetime, timedelta

from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from .common import HOUR, SupportCommon

FIRST_DAY = datetime(2026, 1, 1)
LAST_DAY = 45  # in February: much work meets in few terms
QUARTER = timedelta(minutes=15)

examples = settings(
    max_examples=int(os.environ.get("SUPPORT_EXAMPLES", "8")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
# Of an entry: which ticket, when (in quarters of an hour), how long, what, billable or not.
tickets = st.integers(0, 3)
moments = st.integers(0, LAST_DAY * 96 - 1)
days = st.integers(5, 40)
lengths = st.integers(1, 20).map(lambda quarters: quarters * 900) | st.integers(1, 40000)
activities = st.integers(0, 1)
creates = st.tuples(st.just("create"), tickets, moments, lengths, activities)
steps = st.one_of(
    creates,
    st.tuples(st.just("lengthen"), st.integers(0, 9), lengths),
    st.tuples(st.just("redate"), st.integers(0, 9), moments),
    st.tuples(st.just("move"), st.integers(0, 9), tickets),
    st.tuples(st.just("switch"), st.integers(0, 9)),
    st.tuples(st.just("retype"), st.integers(0, 9), activities),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("wait"), days),
)
scripts = st.tuples(
    st.lists(creates, min_size=5, max_size=7), st.lists(steps, min_size=4, max_size=8)
).map(lambda parts: parts[0] + parts[1])


@tagged("post_install", "-at_install")
class TestDeterminism(SupportCommon):
    def _make_terms(self, policy, carry):
        """A plan with a scoped and a general allowance, dearer nights that draw more."""
        night = self._make_shift("Night", [(0, 6), (22, 24)])
        vals = {"carry_forward": True, "carry_cap": 6 * HOUR, "carry_terms": 2} if carry else {}
        return self._make_plan(
            allowances=[
                self._allowance(3, activities=self.phone, priority=5, **vals),
                self._allowance(4),
            ],
            rates=[
                self._rate("price", 70.0),
                self._rate(
                    "multiplier", 1.5, shift_id=night.id, has_unit_factor=True, unit_factor=1.5
                ),
            ],
            overage_policy=policy,
            warning_thresholds=False,
        )

    def _make_customers(self, plan):
        """Two customers, each with his contract from the first day on and two tickets."""
        with freeze_time(FIRST_DAY):
            contracts = self.env["support.contract"].concat(
                *(
                    self._make_contract(plan, partner=self._make_customer(name))
                    for name in ("Ampere Ltd", "Bell Ltd")
                )
            )
            contract_of_ticket = [contract for contract in contracts for _index in range(2)]
            tickets = [
                self._make_ticket(contract, "2026-01-01 00:00:00")
                for contract in contract_of_ticket
            ]
        return contracts, tickets

    def _play(self, tickets, contracts, script):
        """Do what the script says; return the work that is left."""
        lines = self.env["account.analytic.line"]
        now = FIRST_DAY
        for name, *values in script:
            with freeze_time(now):
                if name == "wait":
                    now += timedelta(days=values[0])
                elif name == "create":
                    ticket, moment, length, activity = values
                    lines += self._record(
                        tickets[ticket], FIRST_DAY + moment * QUARTER, length, activity
                    )
                elif lines:
                    line = lines[values[0] % len(lines)]
                    lines -= line if name == "delete" else lines.browse()
                    self._do(name, line, tickets, *values[1:])
            with freeze_time(now):
                self._roll(contracts)
        return lines, now

    def _do(self, name, line, tickets, *values):
        if name == "lengthen":
            line.unit_amount = values[0] / HOUR
        elif name == "redate":
            line.work_start = FIRST_DAY + values[0] * QUARTER
        elif name == "move":
            line.ticket_id = tickets[values[0]]
        elif name == "switch":
            line.support_billable = not line.support_billable
        elif name == "retype":
            line.activity_type_id = (self.phone, self.onsite)[values[0]]
        else:
            line.unlink()

    def _record(self, ticket, start, seconds, activity, **vals):
        return self._log_work(
            ticket,
            start.strftime("%Y-%m-%d %H:%M"),
            seconds / HOUR,
            (self.phone, self.onsite)[activity],
            **vals,
        )

    def _repeat(self, lines, tickets, twins):
        """Record the same work on the tickets of the twins, in order, and return the pairs."""
        pairs = []
        for line in lines.sorted(lambda line: (line.work_start, line.id)):
            twin = self._log_work(
                twins[tickets.index(line.ticket_id)],
                line.work_start.strftime("%Y-%m-%d %H:%M"),
                line.unit_amount,
                line.activity_type_id,
                support_billable=line.support_billable,
            )
            pairs.append((line, twin))
        return pairs

    # === CANONICAL FORMS: free of ids and of the order of recording === #

    def _get_grant_key(self, grant):
        return (
            grant.contract_id.partner_id.name,
            grant.allowance_id.priority,
            grant.origin,
            str(grant.date_from),
            str(grant.date_to),
            str(grant.source_id.date_from),
        )

    def _describe_work(self, line):
        drawn = {
            self._get_grant_key(grant): units for grant, units in self._get_drawn(line).items()
        }
        charges = [
            (c.kind, c.seconds, c.units, c.amount, str(c.date), c.term_id.number, c.name)
            for c in line.charge_ids.sorted("sequence")
        ]
        return drawn, charges

    def _describe_grants(self, contracts):
        """Counters of every grant on which something happened, and the sums of its entries."""
        described = {}
        for grant in contracts.entitlement_ids:
            counters = grant.quantity, grant.used, grant.lapsed, grant.remaining
            sums = {}
            for entry in grant.entry_ids:
                kind = {"return": "draw"}.get(entry.kind, entry.kind)
                sums[kind, str(entry.date) if kind != "draw" else ""] = (
                    sums.get((kind, str(entry.date) if kind != "draw" else ""), 0) + entry.quantity
                )
            sums = {key: quantity for key, quantity in sums.items() if quantity}
            if sums:  # a lot that was filled and emptied again is as good as none
                described[self._get_grant_key(grant)] = counters, sums
        return described

    def assertCountersAreEntries(self, contracts):
        for grant in contracts.entitlement_ids:
            of = {"quantity": 0, "used": 0, "lapsed": 0}
            for entry in grant.entry_ids:
                if entry.kind in ("grant", "adjust", "carry_in"):
                    of["quantity"] += entry.quantity
                elif entry.kind in ("lapse", "carry_out"):
                    of["lapsed"] -= entry.quantity
                else:
                    of["used"] -= entry.quantity
            self.assertEqual({name: grant[name] for name in of}, of)

    def _check(self, policy, carry, script):
        savepoint = self.env.cr.savepoint()
        try:
            plan = self._make_terms(policy, carry)
            contracts, tickets = self._make_customers(plan)
            lines, now = self._play(tickets, contracts, script)
            twins, twin_tickets = self._make_customers(plan)
            with freeze_time(now):
                self._roll(twins)
                pairs = self._repeat(lines, tickets, twin_tickets)
            for line, twin in pairs:
                self.assertEqual(self._describe_work(line), self._describe_work(twin))
            self.assertEqual(self._describe_grants(contracts), self._describe_grants(twins))
            self.assertCountersAreEntries(contracts | twins)
            self.assertProved(contracts | twins)
        finally:
            savepoint.rollback()
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    @examples
    @given(scripts)
    def test_charging_ends_as_if_rated_from_scratch(self, script):
        self._check("charge", False, script)

    @examples
    @given(scripts)
    def test_carrying_forward_ends_as_if_rated_from_scratch(self, script):
        self._check("charge", True, script)

    @examples
    @given(scripts)
    def test_carrying_debt_ends_as_if_rated_from_scratch(self, script):
        self._check("carry", True, script)

    @examples
    @given(scripts)
    def test_going_negative_ends_as_if_rated_from_scratch(self, script):
        self._check("allow", False, script)
