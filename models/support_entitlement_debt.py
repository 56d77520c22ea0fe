# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.consumption import Debt, serves
from ..tools.events import newest_first
from ..tools.zones import local_day


class SupportEntitlement(models.Model):
    """Taking units back: a debt, that is a grant below zero (B61).

    Units that were given may be used already, so a take-back is no correction of the grant: it
    is a movement of its own, from its own moment on. Work recorded before keeps what it drew;
    work recorded later finds as many units less, until the balance is above zero again.
    """

    _inherit = "support.entitlement"

    takes_back_id = fields.Many2one(
        "support.entitlement",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
        help="The grant whose units this debt takes back.",
    )
    event_id = fields.Many2one(
        "support.event", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    payment_id = fields.Many2one(
        "account.payment", ondelete="set null", readonly=True, index="btree_not_null"
    )
    taken_back_ids = fields.One2many("support.entitlement", "takes_back_id", readonly=True)

    def _get_unused(self):
        """Return the units that can be taken off this grant: neither used nor taken back."""
        self.ensure_one()
        taken = sum(self.taken_back_ids.mapped("quantity"))
        return max(0, min(self.quantity, self.remaining) + taken)

    def _to_debt(self):
        """Return this debt as a value for the arithmetic."""
        self.ensure_one()
        return Debt(units=-self.remaining, made_at=self.made_at or None)

    @api.model
    def _take_back(self, requests):
        """Take units back, whether they were used or not.

        :param list[dict] requests: grant, units (above zero, at most what is left of the grant
            after earlier take-backs), name, and optionally reason, payment_id, event_id
        :return: the debts, made after all work that is recorded now
        """
        sources = self.browse([request["grant"].id for request in requests]).sudo()
        pools = {grant._get_pool() for grant in sources}
        # First: a debt points to the grant it takes back, which locks that one out of its turn.
        usable = sources._lock_pools().filtered(lambda grant: grant.remaining > 0)
        moments = self._get_take_back_moments(pools)
        debts = self._grant([self._prepare_take_back(request, moments) for request in requests])
        # Transactions that draw on the same pools write the grants on which they draw. So those
        # are written as they are, and the slower of the two begins again and sees the other.
        self.env["support.consumption"].sudo()._touch(usable)
        return debts

    @api.model
    def _prepare_take_back(self, request, moments):
        grant = request["grant"].sudo()  # of whoever may take back; to copy its facts
        return {
            "name": request["name"],
            "origin": grant.origin,
            "unit": grant.unit,
            "amount": -request["units"],
            "takes_back_id": grant.id,
            "partner_id": grant.partner_id.id,
            "company_id": grant.company_id.id,
            "date_from": self._get_first_day(grant.partner_id, grant.company_id),
            "made_at": moments[grant._get_pool()],
            "event_id": request.get("event_id"),
            "payment_id": request.get("payment_id"),
            "reason": request.get("reason"),
        }

    def _take_back_newest(self, units, event=None):
        """Return which of these grants give back so many units: [(grant, units)].

        The last made goes first; what was taken back from a grant before is gone. An event counts
        only what it took back itself: what people took back by hand is their own affair.

        :raise ValueError: if less was given
        """
        given = []
        grants = self.sudo()  # to look at all of the customer's grants, and only that
        for grant in grants.sorted(lambda grant: (grant.made_at or grant.create_date, grant.id)):
            debts = grant.taken_back_ids
            if event:
                debts = debts.filtered(lambda debt: debt.event_id == event)
            given.append((grant, grant.quantity + sum(debts.mapped("quantity"))))
        return newest_first(given, units)

    @api.model
    def _get_first_day(self, partner, company):
        """Return from which day on something given now can be used: today, wherever that is."""
        now = fields.Datetime.now()
        tz = partner.tz or company.partner_id.tz or "UTC"
        return min(now.date(), local_day(now, tz))

    @api.model
    def _get_take_back_moments(self, pools):
        """Return the moment of a take-back in each pool: after all work that is recorded there.

        Moments are whole seconds; work recorded in this very second must not lose what it drew.
        """
        now = fields.Datetime.now()
        self.env.flush_all()
        moments = {}
        for company, partner, unit in pools:
            rows = self.env.execute_query(
                self._get_last_recorded_query(company, partner, unit, now)
            )
            last = rows[0][0]
            moments[company, partner, unit] = last + timedelta(seconds=1) if last else now
        return moments

    @api.model
    def _get_last_recorded_query(self, company, partner, unit, now):
        if unit == "incident":
            return SQL(
                """
                SELECT MAX(COALESCE(retaken_at, recorded_at)) FROM helpdesk_ticket
                 WHERE company_id = %s AND commercial_partner_id = %s AND incident_demand > 0
                   AND COALESCE(retaken_at, recorded_at) >= %s
                """,
                company,
                partner,
                now,
            )
        return SQL(
            """
            SELECT MAX(line.recorded_at)
              FROM support_contract contract
              JOIN account_analytic_line line ON line.support_contract_id = contract.id
             WHERE contract.company_id = %s AND contract.commercial_partner_id = %s
               AND line.recorded_at >= %s
            """,
            company,
            partner,
            now,
        )

    def _lock_pools(self):
        """Lock these grants and, in one order with them, all that can be used in their pools (T27).

        What follows decides about the pools and would lock the others later, out of turn.

        :return: the grants that can be used
        """
        grants = self.sudo()  # whoever corrects one, of everything the customer may use
        pools = {grant._get_pool() for grant in grants}
        found = pools and grants._search_pools(pools, [("settled", "=", False)])
        usable = grants.browse().concat(*(found or {}).values())
        grants._lock(sorted((grants | usable).ids))
        return usable

    @api.model
    def _get_shortages(self, records, increases):
        """Return which work drew more now than its customer has, debts deducted.

        Work that was recorded before a take-back is rated without it. When such work asks for
        more today, it is today's balance that must suffice.

        :param records: the work that was recorded or edited now
        :param dict increases: {work id: units it draws more than before}
        :return: {work: units}
        """
        asking = records.filtered(lambda record: increases.get(record.id, 0) > 0)
        by_pool = asking.grouped(lambda record: record._get_pool())
        if not by_pool:
            return {}
        owing = self._search_pools(by_pool, [("takes_back_id", "!=", False)])
        usable_grants = owing and self._search_pools(
            owing, [("takes_back_id", "=", False), ("remaining", ">", 0)]
        )
        shortages = {}
        for pool, debts in owing.items():
            owed = -sum(debts.mapped("remaining"))
            for record in by_pool[pool]:
                demand = record._to_demand()
                usable = sum(
                    grant.remaining
                    for grant in usable_grants.get(pool, ())
                    if serves(grant._to_block(grant.remaining), demand)
                )
                if usable < owed:
                    shortages[record] = min(increases[record.id], owed - usable)
        return shortages

    @api.model
    def _search_pools(self, pools, domain):
        """Return the grants of pools that fit a domain: {pool: grants}, in one query."""
        companies, partners, units = (list(set(ids)) for ids in zip(*pools, strict=True))
        found = self.search(
            [
                ("company_id", "in", companies),
                ("partner_id", "in", partners),
                ("unit", "in", units),
                *domain,
            ]
        )
        by_pool = found.grouped(lambda grant: grant._get_pool())
        return {pool: grants for pool, grants in by_pool.items() if pool in pools}
