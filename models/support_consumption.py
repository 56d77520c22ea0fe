# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from itertools import groupby

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.periods import ONE_DAY
from ..tools.settlement import lot_depth, lot_source, simulate

SETTLEMENT_KINDS = ("lapse", "carry_in", "carry_out", "debt_in", "debt_out")

# How the two units are demanded: by which records, and how an entry names its demand.
Work = namedtuple("Work", "model reference link")
WORK = {
    "time": Work("account.analytic.line", "time_entry_ref", "time_entry_id"),
    "incident": Work("helpdesk.ticket", "ticket_ref", "ticket_id"),
}


class SupportConsumption(models.AbstractModel):
    """Decides which work draws on which grant, and books what differs from what was booked.

    A pool is (company id, commercial partner id, unit). Work is served in the order of
    (moment, id). Whatever happens to a piece of work, everything from its moment on is decided
    anew and compared with the ledger: entries are made for the differences only, so that any
    sequence of edits ends where rating from scratch ends. What has been invoiced stays.
    """

    _name = "support.consumption"
    _description = "Consumption of Support Units"

    @api.model
    def _reallocate(self, starts, work=None, leaving=None):
        """Decide anew what every piece of work from a moment on consumes.

        :param dict starts: {pool: naive UTC moment from which to decide}
        :param work: records that were recorded or edited now (wherever they drew before, that is
            given back); one that a contract's policy blocks is refused
        :param leaving: records about to be deleted: they give back all they drew
        :raise UserError: if the overage policy of a contract blocks work recorded now
        """
        # One customer's units are shared by all his work, whoever of the staff may see which of it.
        self = self.sudo()
        for unit, (model, *_names) in WORK.items():
            pools = {pool: start for pool, start in starts.items() if pool[2] == unit}
            records = self.env[model]
            recorded = work.sudo() if work is not None and work._name == model else records
            gone = leaving.sudo() if leaving is not None and leaving._name == model else records
            if pools or recorded or gone:
                self._reallocate_unit(unit, pools, recorded, gone)

    @api.model
    def _reallocate_unit(self, unit, starts, recorded, leaving):
        records = self._find_work(unit, starts) - leaving
        recorded -= recorded._get_frozen()
        touched = records | recorded | leaving
        drawn = self._get_drawn(unit, touched)
        grants = self._lock_grants(starts, {grant for _key, grant in drawn})
        settled = self._get_settled_movements(grants, starts)

        left = self._get_left(grants, drawn, settled)
        wanted, wanted_settled, allocations = {}, {}, {}
        by_pool = grants.grouped(lambda grant: grant._get_pool())
        work_by_pool = records.grouped(lambda record: record._get_pool())
        for pool, start in starts.items():
            pool_grants = by_pool.get(pool, grants.browse())
            pool_grants = pool_grants.with_prefetch(grants.ids)  # read for all pools
            pool_work = work_by_pool.get(pool, records.browse())
            outcome = self._simulate(pool_grants, pool_work, left, start)
            allocations.update(outcome.allocations)
            lots = self._make_lots(outcome, pool_grants)
            for key, allocation in outcome.allocations.items():
                for grant, quantity in self._get_draws(allocation):
                    pair = key, lots.get(grant, grant)
                    wanted[pair] = wanted.get(pair, 0) + quantity
            for movement in outcome.movements:
                triple = lots.get(movement.block, movement.block), movement.kind, movement.day
                wanted_settled[triple] = wanted_settled.get(triple, 0) + movement.quantity

        self._book_differences(unit, touched, drawn, wanted, settled, wanted_settled)
        self._check_owed(recorded, drawn, wanted)
        self._mark_shortage(records, allocations, grants)
        (records | recorded)._after_consumption(allocations, recorded)
        self.env["support.warning"]._warn(grants)

    @api.model
    def _get_left(self, grants, drawn, settled):
        """Return what is left on grants before the work has drawn: {grant id: units}."""
        left = {grant.id: grant.remaining for grant in grants}
        for (_key, grant), quantity in drawn.items():
            left[grant] += quantity
        for (grant, _kind, _day), quantity in settled.items():
            left[grant] -= quantity
        return left

    @api.model
    def _simulate(self, grants, records, left, start, more=()):
        """Return what work draws on the grants of its pool, as an `Outcome` of the arithmetic.

        :param more: further blocks, of grants that aren't made yet
        """
        debts = grants.filtered("takes_back_id")
        grants = (grants - debts).with_prefetch(grants._prefetch_ids)
        return simulate(
            [*(grant._to_block(left[grant.id]) for grant in grants), *more],
            [record._to_demand() for record in records.sorted(lambda record: record._get_order())],
            self._get_endings(grants, start),
            [debt._to_debt() for debt in debts],
        )

    @api.model
    def _check_owed(self, recorded, drawn, wanted):
        """Refuse work that asks now for units that are owed since it was recorded first."""
        increases = {}
        for units, sign in ((wanted, 1), (drawn, -1)):
            for (key, _grant), quantity in units.items():
                increases[key] = increases.get(key, 0) + sign * quantity
        shortages = self.env["support.entitlement"]._get_shortages(recorded, increases)
        for record, missing in shortages.items():
            record._check_missing(missing)

    @api.model
    def _mark_shortage(self, records, allocations, grants):
        """Make work that found no units visible to parallel transactions.

        Drawing changes a grant, so that two transactions never decide about it without seeing
        each other. Finding nothing changes nothing: units that another transaction returns, or
        grants, at the same moment would miss this work. So its contract and the grants it looked
        at are written as they are, and the slower of the two begins again.
        """
        short = records.filtered(lambda r: r.id in allocations and allocations[r.id].rest)
        pools = {record._get_pool() for record in short}
        grants = grants.filtered(lambda grant: grant._get_pool() in pools)
        self._touch(grants)
        self._touch(short._get_work_contracts().filtered("allowance_ids"))

    @api.model
    def _touch(self, records):
        """Write records as they are: a parallel transaction that does the same begins again.

        They are locked in the order of their ids, as everywhere (T27).
        """
        if records:
            self.env.execute_query(
                SQL(
                    """
                    WITH turn AS MATERIALIZED (
                        SELECT id FROM %(table)s WHERE id IN %(ids)s ORDER BY id FOR NO KEY UPDATE
                    )
                    UPDATE %(table)s AS record SET company_id = company_id
                      FROM turn WHERE record.id = turn.id RETURNING record.id
                    """,
                    table=SQL.identifier(records._table),
                    ids=tuple(records.ids),
                )
            )

    # === WHAT IS THERE === #

    @api.model
    def _find_work(self, unit, starts):
        """Return all work of the pools from their moments on that isn't frozen."""
        model = self.env[WORK[unit].model]
        if not starts:
            return model
        self.env.flush_all()
        rows = self.env.execute_query(model._get_work_query(starts))
        return model.browse(row[0] for row in rows)

    @api.model
    def _get_pool_table(self, starts):
        """Return the pools and their moments as a table "pool" (company, partner, start)."""
        rows = SQL(", ").join(
            SQL("(%s, %s, %s::timestamp)", company, partner, start)
            for (company, partner, _unit), start in starts.items()
        )
        return SQL("(VALUES %s) AS pool (company, partner, start)", rows)

    @api.model
    def _get_drawn(self, unit, records):
        """Return what the work has drawn so far: {(work id, grant id): units}."""
        if not records:
            return {}
        reference = SQL.identifier(WORK[unit].reference)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(reference)s, entitlement_id, -SUM(quantity)
                  FROM support_entitlement_entry
                 WHERE %(reference)s IN %(ids)s AND unit = %(unit)s AND kind IN ('draw', 'return')
                 GROUP BY %(reference)s, entitlement_id
                HAVING SUM(quantity) <> 0
                """,
                reference=reference,
                ids=tuple(records.ids),
                unit=unit,
            )
        )
        return {(key, grant): quantity for key, grant, quantity in rows}

    @api.model
    def _lock_grants(self, starts, others):
        """Lock and return the grants that may serve work from the moments on, and the others."""
        found = self._find_grants(starts, others)
        found._lock(found.ids)
        return found

    @api.model
    def _find_grants(self, starts, others):
        """Return the grants that may serve work from the moments on, and the others."""
        # A day earlier: the moment is UTC, the end of a grant is a day where the customer is.
        first_days = {pool: start.date() - ONE_DAY for pool, start in starts.items()}
        domain = Domain("id", "in", list(others))
        if starts:
            companies, partners, units = (list(set(ids)) for ids in zip(*starts, strict=True))
            domain |= Domain(
                [
                    ("company_id", "in", companies),
                    ("partner_id", "in", partners),
                    ("unit", "in", units),
                    "|",
                    ("date_to", "=", False),
                    ("date_to", ">=", min(first_days.values())),
                ]
            )
        found = self.env["support.entitlement"].search(domain, order="id")
        return found.filtered(
            lambda grant: (
                grant.id in others
                or (pool := grant._get_pool()) in starts
                and (not grant.date_to or grant.date_to >= first_days[pool])
            )
        )

    @api.model
    def _get_settled_movements(self, grants, starts):
        """Return what endings after the moments have moved: {(grant id, kind, day): units}."""
        if not grants:
            return {}
        grant_of = {grant.id: grant for grant in grants if grant._get_pool() in starts}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entitlement_id, kind, date, SUM(quantity)
                  FROM support_entitlement_entry
                 WHERE entitlement_id IN %s AND kind IN %s
                 GROUP BY entitlement_id, kind, date
                HAVING SUM(quantity) <> 0
                """,
                tuple(grants.ids),
                SETTLEMENT_KINDS,
            )
        )
        return {
            (grant, kind, day): quantity
            for grant, kind, day, quantity in rows
            if grant in grant_of
            and grant_of[grant]._get_midnight(day) >= starts[grant_of[grant]._get_pool()]
        }

    # === WHAT SHOULD BE THERE === #

    @api.model
    def _get_draws(self, allocation):
        yield from allocation.draws
        if allocation.overdrawn:
            yield allocation.overdrawn

    @api.model
    def _make_lots(self, outcome, grants):
        """Make the grants into which something is carried for the first time.

        :return: {placeholder id: grant id}
        """
        new = {movement.block for movement in outcome.movements if movement.block < 0}
        made = {}
        # A lot can be carried on into another one: first the one, then the other.
        for _depth, group in groupby(sorted(new, key=lot_depth), lot_depth):
            placeholders = sorted(group, reverse=True)
            sources = grants.browse(
                made.get(source, source) for source in map(lot_source, placeholders)
            )
            lots = grants._grant([source._prepare_lot() for source in sources])
            lots.filtered(lambda lot: lot._has_ended()).settled = True
            made |= dict(zip(placeholders, lots.ids, strict=True))
        return made

    @api.model
    def _book_differences(self, unit, records, drawn, wanted, settled, wanted_settled):
        names = {record.id: record for record in records}
        movements = []
        for key, grant in sorted(drawn.keys() | wanted.keys()):
            change = wanted.get((key, grant), 0) - drawn.get((key, grant), 0)
            if change:
                movements.append(
                    {
                        "entitlement_id": grant,
                        "kind": "draw" if change > 0 else "return",
                        "quantity": -change,
                        "date": names[key]._get_day(),
                        **names[key]._prepare_entry_links(),
                    }
                )
        for grant, kind, day in sorted(settled.keys() | wanted_settled.keys()):
            movements.append(
                {
                    "entitlement_id": grant,
                    "kind": kind,
                    "quantity": wanted_settled.get((grant, kind, day), 0)
                    - settled.get((grant, kind, day), 0),
                    "date": day,
                }
            )
        self.env["support.entitlement"]._post(movements)
