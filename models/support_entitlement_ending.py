# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dataclasses import replace
from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.periods import ONE_DAY
from ..tools.zones import local_day


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

    def _prepare_carry(self, heirs, following):
        """Return what becomes of the units left, as arguments of an 'Ending'.

        :param heirs: the grants of the same allowance
        :param following: that of the next term; nothing is carried where there is none
        """
        self.ensure_one()
        allowance = self.allowance_id
        if self.origin != "allowance" or not allowance.carry_forward or not following:
            return {}
        # A lot that was never filled is as good as an empty one: what is rated from scratch and
        # what is rated anew must find the same.
        lots = {lot.source_id: lot._to_block(0) for lot in heirs if lot.origin == "carry"}
        for source in heirs.filtered(lambda heir: heir.origin == "allowance" and heir.settled):
            if source not in lots and source.date_to <= self.date_to:
                lots[source] = source._to_lot_block()
        day = following.date_from
        return {
            "lot": lots[self],
            "older": tuple(
                lots[source].id
                for source in self.concat(*lots).sorted(lambda source: (source.date_to, source.id))
                if source.date_to < self.date_to
                and lots[source].date_from <= day <= (lots[source].date_to or date.max)
            ),
            "cap": allowance.carry_cap or None,
        }

    def _prepare_lot(self):
        """Return the values of the grant that holds what is carried out of this one."""
        self.ensure_one()
        return {
            "name": self.env._("%s, carried forward", self.name),
            "origin": "carry",
            "unit": self.unit,
            "date_from": self.date_to + ONE_DAY,
            "date_to": self.term_id._get_carry_end(self.allowance_id.carry_terms),
            "priority": self.priority,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "contract_id": self.contract_id.id,
            "term_id": self.term_id._get_next().id,
            "allowance_id": self.allowance_id.id,
            "source_id": self.id,
            "overdraft": self.overdraft,
            "activity_type_ids": [fields.Command.set(self.activity_type_ids.ids)],
        }

    def _to_lot_block(self):
        """Return the lot that this grant would be carried into; its id is minus this one's."""
        values = self._prepare_lot()
        return replace(
            self._to_block(0),
            id=-self.id,
            date_from=values["date_from"],
            date_to=values["date_to"] or None,
        )
