# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple

from odoo import api, models

from .support_consumption import WORK

# What would change for the work of a contract: units beyond its grants, and charges in money.
Saving = namedtuple("Saving", "units amount")


class SupportConsumption(models.AbstractModel):
    """What would be if a customer had more units; nothing here is booked."""

    _inherit = "support.consumption"

    @api.model
    def _preview_more(self, contract, unit, start, block):
        """Return what of the work of a contract one more grant would take over.

        Work that is billed already stays as it was, and is not in it.

        :param start: the naive UTC moment from which the grant would serve
        :param block: the grant, as a `tools.consumption.Block`
        :return: a `Saving`: seconds or incidents, and untaxed money
        """
        self, contract = self.sudo(), contract.sudo()  # as in _reallocate
        pool = contract.company_id.id, contract.commercial_partner_id.id, unit
        starts = {pool: start}
        records = self._find_work(unit, starts)
        drawn = self._get_drawn(unit, records)
        grants = self._find_grants(starts, {grant for _key, grant in drawn})
        left = self._get_left(grants, drawn, self._get_settled_movements(grants, starts))
        before = self._simulate(grants, records, left, start).allocations
        after = self._simulate(grants, records, left, start, [block]).allocations
        own = records.filtered(lambda record: record._get_work_contracts() == contract)
        return Saving(
            units=sum(
                self._get_exceeding(before[record.id]) - self._get_exceeding(after[record.id])
                for record in own
            ),
            amount=contract.currency_id.round(
                self._get_worth(unit, own, before) - self._get_worth(unit, own, after)
            ),
        )

    @api.model
    def _get_exceeding(self, allocation):
        """Return the units that no grant holds: not found, or drawn below zero."""
        return allocation.rest + (allocation.overdrawn[1] if allocation.overdrawn else 0)

    @api.model
    def _get_worth(self, unit, records, allocations):
        """Return what work would be charged with."""
        charges = self.env["support.charge"]
        if WORK[unit].model == "account.analytic.line":
            prepared = [charges._prepare_time(line, allocations[line.id], {}) for line in records]
        else:
            prepared = [
                charges._prepare_incidents(ticket, allocations[ticket.id]) for ticket in records
            ]
        return sum(vals["amount"] for group in prepared for vals in group)
