# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from datetime import date
from heapq import heapify, heappop, heappush

from odoo import api, models

from ..tools.periods import ONE_DAY
from ..tools.settlement import Ending, lot_id

# A grant that holds what was carried: for which contract and allowance, and out of which block.
Lot = namedtuple("Lot", "block contract allowance source")


class SupportConsumption(models.AbstractModel):
    """Which grants have ended, and what becomes of what is left on them."""

    _inherit = "support.consumption"

    @api.model
    def _get_endings(self, grants, start):
        """Return the endings of the grants of a pool since a moment.

        Lots that aren't made yet end, too: what is rated from scratch and what is rated anew must
        find the same.

        :rtype: list[Ending]
        """
        terms = {}
        for grant in grants:
            if grant.origin == "allowance":
                key = grant.contract_id.id, grant.allowance_id.id, grant.date_from
                terms.setdefault(key, grant)
        lots = [
            Lot(lot._to_block(0), lot.contract_id, lot.allowance_id, lot.source_id.id)
            for lot in grants
            if lot.origin == "carry"
        ]
        made = {lot.source: lot for lot in lots}
        queue = [
            (day, grant._get_rank(), grant.id, grant)
            for grant in grants.filtered("settled")
            if (day := grant._get_last_day()) and grant._get_midnight(day + ONE_DAY) >= start
        ]
        heapify(queue)
        endings = []
        while queue:
            day, rank, block, grant = heappop(queue)
            following = terms.get(grant._get_following_key(), grants.browse())
            carry = grant._get_carry(following)
            lot = carry and made.get(block)
            if carry and not lot:
                values = grant._prepare_lot()
                lot = Lot(
                    grant._to_lot_block(lot_id(block)),
                    self.env["support.contract"].browse(values["contract_id"]),
                    self.env["support.plan.allowance"].browse(values["allowance_id"]),
                    block,
                )
                lots.append(lot)
                virtual = grant.new(values)
                if virtual._has_ended():
                    ended = virtual._get_last_day(), virtual._get_rank(), lot.block.id, virtual
                    heappush(queue, ended)
            endings.append(
                Ending(
                    block=block,
                    day=day,
                    lot=lot.block if lot else None,
                    older=self._get_older_lots(lots, lot) if lot and carry.purse is None else (),
                    cap=carry.cap if carry else None,
                    debtor=following.id or None if grant._hands_on_debt() else None,
                    rank=rank,
                    purse=carry.purse if carry else None,
                )
            )
        return endings

    @api.model
    def _get_older_lots(self, lots, new):
        """Return the lots of the same allowance that can still be used beside a new one."""
        day = new.block.date_from
        older = [
            lot
            for lot in lots
            if (lot.contract, lot.allowance) == (new.contract, new.allowance)
            and lot.block.date_from < day <= (lot.block.date_to or date.max)
        ]
        older.sort(key=lambda lot: (lot.block.date_from, lot.source))
        return tuple(lot.block.id for lot in older)
