# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from dataclasses import replace

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.periods import ONE_DAY
from ..tools.zones import local_day

# How what is left is carried: the most that is (None: all), and with which endings it shares that.
Carry = namedtuple("Carry", "cap purse")


class SupportEntitlement(models.Model):
    """The end of a grant: what is left lapses or is carried, what is owed is handed on."""

    _inherit = "support.entitlement"

    @api.model
    def _mark_ended(self, domain, limit=None):
        """Mark and return the grants of a domain whose last day is over and that aren't settled."""
        # UTC+14 is the first place where a day is over; who isn't there yet is filtered out.
        today = local_day(fields.Datetime.now(), "Pacific/Kiritimati")
        ended = self.search(
            Domain(domain) & Domain([("settled", "=", False), ("date_to", "<", today)]),
            order="date_to, id",
            limit=limit,
        ).filtered(lambda grant: grant._has_ended())
        ended.settled = True
        return ended

    @api.model
    def _cron_settle(self, batch_size=500):
        """Lapse what is left on ended grants that no term of a contract has settled."""
        cron = self.env["ir.cron"]
        while ended := self._mark_ended([], limit=batch_size):
            self.env["support.consumption"]._reallocate(ended._get_pool_starts())
            if not cron._commit_progress(len(ended)):
                break

    def _hands_on_debt(self):
        """Return whether units used beyond this grant are taken from the next term."""
        self.ensure_one()
        return self.contract_id.overage_policy == "carry" and self.origin == "allowance"

    def _get_carry(self, following):
        """Return how what is left is carried; None: it lapses.

        :param following: the grant of the next term; nothing is carried where there is none
        :rtype: Carry
        """
        self.ensure_one()
        allowance = self.allowance_id
        if self.origin != "allowance" or not allowance.carry_forward or not following:
            return None
        return Carry(allowance.carry_cap or None, None)

    def _get_following_key(self):
        """Return of which contract and allowance, and from which day on, the next grant is."""
        self.ensure_one()
        day = self._get_last_day()
        return self.contract_id.id, self.allowance_id.id, day and day + ONE_DAY

    def _get_rank(self):
        """Return which of the endings of one day comes first: the lowest."""
        self.ensure_one()
        return (0,)

    def _prepare_lot(self):
        """Return the values of the grant that holds what is carried out of this one."""
        self.ensure_one()
        return self._prepare_carried() | {
            "date_to": self.term_id._get_carry_end(self.allowance_id.carry_terms),
            "contract_id": self.contract_id.id,
            "term_id": self.term_id._get_next().id,
            "allowance_id": self.allowance_id.id,
        }

    def _prepare_carried(self):
        """Return what stays as it was of units that are carried."""
        self.ensure_one()
        again = self.origin == "carry"
        return {
            "name": self.name if again else self.env._("%s, carried forward", self.name),
            "origin": "carry",
            "unit": self.unit,
            "date_from": self._get_last_day() + ONE_DAY,
            "priority": self.priority,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "source_id": self.id,
            "made_at": self.made_at,
            "overdraft": self.overdraft,
            "activity_type_ids": [fields.Command.set(self.activity_type_ids.ids)],
        }

    def _to_lot_block(self, lot_id):
        """Return the lot that this grant would be carried into, under an id of its own."""
        values = self._prepare_lot()
        return replace(
            self._to_block(0),
            id=lot_id,
            date_from=values["date_from"],
            date_to=values["date_to"] or None,
            owner=values["contract_id"],
            overdraft=values["overdraft"],
        )
