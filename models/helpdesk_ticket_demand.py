# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.consumption import Demand
from .support_charge import FROZEN_STATES, WORK_KINDS


class HelpdeskTicket(models.Model):
    """A ticket as a demand for incidents: what `support.consumption` asks of it."""

    _inherit = "helpdesk.ticket"

    def _consume(self, before=None):
        """Have these tickets draw the incidents they need, in their order."""
        starts = dict(before or {})
        for pool, moment in self._get_pool_starts().items():
            starts[pool] = min(starts.get(pool, moment), moment)
        if starts:
            self.env["support.consumption"]._reallocate(starts, work=self)

    def _get_moment(self):
        return self.opened_at

    def _get_day(self):
        self.ensure_one()
        contract = self.contract_id.sudo()  # the time zone only
        return contract._get_local_day(self.opened_at) if contract else self.opened_at.date()

    def _get_pool(self):
        return self.company_id.id, self.commercial_partner_id.id, "incident"

    def _get_pool_starts(self):
        starts = {}
        for ticket in self:
            if ticket.incident_quantity and ticket.commercial_partner_id:
                pool = ticket._get_pool()
                starts[pool] = min(starts.get(pool, ticket.opened_at), ticket.opened_at)
        return starts

    @api.model
    def _get_work_query(self, starts):
        return SQL(
            """
            SELECT ticket.id
              FROM (VALUES %s) AS pool (company, partner, start)
              JOIN helpdesk_ticket ticket ON ticket.company_id = pool.company
                   AND ticket.commercial_partner_id = pool.partner
                   AND ticket.opened_at >= pool.start
             WHERE ticket.incident_quantity > 0
               AND NOT EXISTS (SELECT 1 FROM support_charge charge
                                WHERE charge.ticket_id = ticket.id
                                  AND charge.time_entry_id IS NULL AND charge.kind IN %s
                                  AND charge.state IN %s)
            """,
            SQL(", ").join(
                SQL("(%s, %s, %s::timestamp)", company, partner, start)
                for (company, partner, _unit), start in starts.items()
            ),
            WORK_KINDS,
            FROZEN_STATES,
        )

    def _to_demand(self):
        self.ensure_one()
        return Demand(
            key=self.id,
            quantity=self.incident_quantity,
            day=self._get_day(),
            owner=self.contract_id.id or None,
            activity=None,
            recorded_at=self.recorded_at or None,
        )

    def _get_work_contracts(self):
        return self.contract_id

    def _prepare_entry_links(self):
        return {"ticket_id": self.id}

    def _after_consumption(self, allocations, recorded):
        """Charge the incidents that no grant covers, or refuse where nothing allows that."""
        for ticket in recorded & self:
            allocation = allocations.get(ticket.id)
            if allocation and allocation.rest:
                ticket.sudo()._check_incident(allocation.rest)  # to read contract and balance
        self.env["support.charge"].sudo()._sync_tickets(self.sudo(), allocations)

    def _check_incident(self, missing):
        """Refuse a ticket for which no incident is left, unless its contract charges it."""
        self.ensure_one()
        contract = self.contract_id
        if contract and contract.overage_policy != "block" and contract.incident_product_id:
            return
        raise UserError(
            self.env._(
                "%(team)s takes one support incident per ticket, and %(customer)s has none left. "
                "Grant or sell incidents to the customer first, or choose another team.",
                team=self.team_id.display_name or self.env._("This contract"),
                customer=self.commercial_partner_id.display_name,
            )
        )
