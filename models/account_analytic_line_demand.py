# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.tools import SQL

from ..tools.consumption import Demand, earliest
from .support_charge import FROZEN_STATES


class AccountAnalyticLine(models.Model):
    """A time entry as a demand for units: what `support.consumption` asks of it."""

    _inherit = "account.analytic.line"

    def _consume(self, before=None):
        """Have these time entries draw what they need, in their order, and charge the rest.

        :param dict before: {pool: moment} where they drew before they were changed
        """
        siblings = self._get_rounding_siblings() - self
        if siblings:
            self.env.add_to_compute(self._fields["rated_pieces"], siblings - siblings._get_frozen())
        after = (self | siblings)._get_pool_starts()
        starts = earliest([*(before or {}).items(), *after.items()])
        self.env["support.consumption"]._reallocate(starts, work=self | siblings)

    def _get_rounding_siblings(self):
        """Return the entries that are rounded together with these: same ticket, type and day."""
        lines = self.filtered(
            lambda line: line.ticket_id and line.activity_type_id.rounding_scope == "ticket_day"
        )
        if not lines:
            return lines
        groups = {(line.ticket_id, line.activity_type_id, line.date) for line in lines}
        return self.search(
            [
                ("ticket_id", "in", lines.ticket_id.ids),
                ("activity_type_id", "in", lines.activity_type_id.ids),
                ("date", "in", list(set(lines.mapped("date")))),
                ("support_billable", "=", True),
            ]
        ).filtered(lambda line: (line.ticket_id, line.activity_type_id, line.date) in groups)

    def _get_moment(self):
        return self.work_start

    def _get_order(self):
        """Return by what work is put in order: when it counts, then the id."""
        return self._get_moment(), self.id

    def _get_day(self):
        """Return the day on which this work counts: the customer's."""
        self.ensure_one()
        return (
            self.support_contract_id.sudo()._get_local_day(self.work_start)
            if self.support_contract_id
            else self.date
        )

    def _get_pool(self):
        contract = self.support_contract_id.sudo()  # to name its pool only
        return contract.company_id.id, contract.commercial_partner_id.id, "time"

    def _get_pool_starts(self):
        """Return from when on these entries touch which pool: {pool: naive UTC moment}."""
        return earliest(
            (line._get_pool(), line._get_moment()) for line in self.filtered("support_contract_id")
        )

    @api.model
    def _get_work_query(self, starts):
        """Return a query of the ids of all unfrozen work in the pools from their moments on."""
        return SQL(
            """
            SELECT line.id
              FROM %s
              JOIN support_contract contract ON contract.company_id = pool.company
                   AND contract.commercial_partner_id = pool.partner
              JOIN account_analytic_line line ON line.support_contract_id = contract.id
                   AND line.work_start >= pool.start
             WHERE line.support_billable AND line.billable_seconds > 0
               AND NOT EXISTS (SELECT 1 FROM support_charge charge
                                WHERE charge.time_entry_id = line.id AND charge.active
                                  AND charge.state IN %s)
            """,
            self.env["support.consumption"]._get_pool_table(starts),
            FROZEN_STATES,
        )

    def _to_demand(self):
        self.ensure_one()
        return Demand(
            key=self.id,
            quantity=sum(piece["units"] for piece in self.rated_pieces or []),
            day=self._get_day(),
            owner=self.support_contract_id.id,
            activity=self.activity_type_id.id or None,
            recorded_at=self.recorded_at or None,
        )

    def _get_work_contracts(self):
        return self.support_contract_id

    def _prepare_entry_links(self):
        return {"ticket_id": self.ticket_id.id, "time_entry_id": self.id}

    def _after_consumption(self, allocations, recorded):
        """Charge what wasn't covered; refuse work recorded now that the policy blocks."""
        for line in recorded & self:
            allocation = allocations.get(line.id)
            if allocation and allocation.limited and allocation.rest:
                line._check_missing(allocation.rest)
        self.env["support.charge"].sudo()._sync_time(self, allocations)  # the ledger is no one's

    def _check_missing(self, missing):
        """Refuse this entry, recorded or edited now, where so many units too few are blocked."""
        self.support_contract_id.sudo()._check_overage(self, missing)  # to read the contract
