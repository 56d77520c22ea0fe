# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from dataclasses import replace

from odoo import models

from ..tools.settlement import Ending, lot_id, simulate

# What becomes of what is left on a grant today: units carried until a day (False: for life).
Fate = namedtuple("Fate", "grant left carried until")


class SupportContract(models.Model):
    """What a renewal would do with the units, reckoned by what will do it at the contract's end."""

    _inherit = "support.contract"

    def _preview_units(self, renewal):
        """Return what becomes of the units if nothing more is used until the contract's end.

        :param renewal: the renewal as a new record, not made yet
        :rtype: list[Fate]
        """
        self.ensure_one()
        grants = self.entitlement_ids.filtered(
            lambda grant: (
                not grant.settled
                and grant.remaining
                and (grant._outlives_contract() or grant.date_to == self.date_end)
            )
        ).sorted("id")
        outcome = simulate(
            (grant._to_block(grant.remaining) for grant in grants),
            (),
            (grant._prepare_ending_preview(renewal) for grant in grants),
        )
        carried = {
            movement.block: -movement.quantity
            for movement in outcome.movements
            if movement.kind == "carry_out"
        }
        return [
            Fate(
                grant,
                grant.remaining,
                grant._get_units_handed_on(renewal, carried.get(grant.id, 0)),
                grant._get_end_in(renewal) if grant.id in carried else renewal.date_end,
            )
            for grant in grants
        ]


class SupportEntitlement(models.Model):
    _inherit = "support.entitlement"

    def _prepare_ending_preview(self, renewal):
        self.ensure_one()
        carry = self._get_carry_into(renewal)
        return Ending(
            block=self.id,
            day=self.contract_id.date_end,
            lot=replace(self._to_block(0), id=lot_id(self.id)) if carry else None,
            cap=carry.cap if carry else None,
            rank=self._get_renewal_rank(),
            purse=carry.purse if carry else None,
        )

    def _get_units_handed_on(self, renewal, carried):
        """Return the units that go to the renewal; below zero for a debt."""
        self.ensure_one()
        owes = self.remaining < 0 and self._hands_on_debt()
        return self.remaining if owes and self._get_heir_allowance(renewal) else carried
