# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.consumption import Demand, earliest
from .support_charge import FROZEN_STATES, WORK_KINDS


class HelpdeskTicket(models.Model):
    """A ticket as a demand for incidents: what `support.consumption` asks of it."""

    _inherit = "helpdesk.ticket"

    def _consume(self, before=None):
        """Have these tickets draw the incidents they need, in their order."""
        starts = earliest([*(before or {}).items(), *self._get_pool_starts().items()])
        if starts:
            self.env["support.consumption"]._reallocate(starts, work=self)

    def _get_moment(self):
        """Return when this ticket took its incidents: opened, or took them again."""
        return self.retaken_at or self.opened_at

    def _get_order(self):
        return self._get_moment(), self.id

    def _get_day(self):
        self.ensure_one()
        contract, moment = self.contract_id.sudo(), self._get_moment()  # the time zone only
        return contract._get_local_day(moment) if contract else moment.date()

    def _get_pool(self):
        return self.company_id.id, self.commercial_partner_id.id, "incident"

    def _get_pool_starts(self):
        return earliest(
            (ticket._get_pool(), ticket._get_moment())
            for ticket in self
            if ticket.incident_demand and ticket.commercial_partner_id
        )

    @api.model
    def _get_work_query(self, starts):
        return SQL(
            """
            SELECT ticket.id
              FROM %s
              JOIN helpdesk_ticket ticket ON ticket.company_id = pool.company
                   AND ticket.commercial_partner_id = pool.partner
                   AND COALESCE(ticket.retaken_at, ticket.opened_at) >= pool.start
             WHERE ticket.incident_demand > 0
               AND NOT EXISTS (SELECT 1 FROM support_charge charge
                                WHERE charge.ticket_id = ticket.id AND charge.active
                                  AND charge.time_entry_id IS NULL AND charge.kind IN %s
                                  AND charge.state IN %s)
            """,
            self.env["support.consumption"]._get_pool_table(starts),
            WORK_KINDS,
            FROZEN_STATES,
        )

    def _to_demand(self):
        self.ensure_one()
        return Demand(
            key=self.id,
            quantity=self.incident_demand,
            day=self._get_day(),
            owner=self.contract_id.id or None,
            activity=None,
            recorded_at=self.retaken_at or self.recorded_at or None,
        )

    def _get_work_contracts(self):
        return self.contract_id

    def _prepare_entry_links(self):
        return {"ticket_id": self.id, "reason": self._get_incident_reason()}

    def _after_consumption(self, allocations, recorded):
        """Charge the incidents that no grant covers, or refuse where nothing allows that."""
        for ticket in recorded & self:
            allocation = allocations.get(ticket.id)
            if allocation and allocation.rest:
                ticket._check_missing(allocation.rest)
        self.env["support.charge"].sudo()._sync_tickets(self.sudo(), allocations)

    def _is_incident_charged(self):
        """Return whether the contract charges a ticket for which no incident is left."""
        self.ensure_one()
        contract = self.contract_id
        return bool(
            contract and contract.overage_policy != "block" and contract.incident_product_id
        )

    def _check_missing(self, missing):
        """Refuse this ticket, recorded or edited now, for want of so many incidents."""
        self.sudo()._check_incident(missing)  # to read contract and balance

    def _check_incident(self, missing):
        """Refuse a ticket for which no incident is left, unless its contract charges it."""
        self.ensure_one()
        if self._is_incident_charged() or self._may_wait():
            return
        values = {
            "team": self.team_id.display_name or self.env._("This contract"),
            "customer": self.commercial_partner_id.display_name,
            "wanted": self.incident_demand,
            "left": self.incident_demand - missing,
        }
        if self.env.user.share:  # the customer himself, in the portal
            raise UserError(
                self.env._(
                    "%(team)s takes one support incident per ticket, and you have none left. Buy "
                    "incidents or ask us for some, or choose another team if there is one.",
                    team=self.team_id.display_name or self.env._("Your contract"),
                )
            )
        if self.incident_demand > 1:
            raise UserError(
                self.env._(
                    "This ticket takes %(wanted)s support incidents, and %(customer)s has "
                    "%(left)s for it. Grant or sell incidents to the customer first, or lower the "
                    "number.",
                    **values,
                )
            )
        raise UserError(
            self.env._(
                "%(team)s takes one support incident per ticket, and %(customer)s has none left. "
                "Grant or sell incidents to the customer first, or choose another team.",
                **values,
            )
        )
