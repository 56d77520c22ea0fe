# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import SUPERUSER_ID, api, models


class HelpdeskTicket(models.Model):
    """Tickets under a contract go to its technician when nobody else has them (Y8)."""

    _inherit = "helpdesk.ticket"

    @api.model
    def _prepare_coverage(self, vals_list):
        """Complete the values with the technician too, where nobody is assigned."""
        vals_list = super()._prepare_coverage(vals_list)
        if self.env.context.get("default_user_id"):
            return vals_list
        # Whoever opens a ticket, a portal user too, needn't be able to read contracts and teams.
        contracts = self.env["support.contract"].sudo()
        contracts = contracts.browse(
            {vals.get("contract_id") for vals in vals_list} - {False, None}
        )
        technicians = {contract.id: contract.technician_id for contract in contracts}
        teams = self.env["helpdesk.ticket.team"].sudo()
        result = []
        for vals in vals_list:
            technician = technicians.get(vals.get("contract_id"))
            team = teams.browse(vals.get("team_id") or self.env.context.get("default_team_id"))
            if technician and not vals.get("user_id") and technician._takes_tickets_of(team):
                vals = vals | {"user_id": technician.id}
            result.append(vals)
        return result

    def _cover(self):
        """Assign the tickets that came by mail, too, once their contract is found."""
        result = super()._cover()
        self._assign_technicians()
        return result

    def write(self, vals):
        result = super().write(vals)
        if vals.get("contract_id") and "user_id" not in vals:
            self._assign_technicians()
        return result

    def _assign_technicians(self):
        """Assign what nobody has to the technician of its contract."""
        waiting = self.sudo().filtered(  # as above
            lambda ticket: (
                ticket.contract_id.technician_id
                # what comes by mail is given to the robot where makers are assigned by themselves
                and ticket.user_id.id in (False, SUPERUSER_ID)
            )
        )
        for technician, tickets in waiting.grouped(
            lambda ticket: ticket.contract_id.technician_id
        ).items():
            taken = tickets.filtered(lambda t, who=technician: who._takes_tickets_of(t.team_id))
            taken.write({"user_id": technician.id})


class ResUsers(models.Model):
    _inherit = "res.users"

    def _takes_tickets_of(self, team):
        """Return whether he works here, and is in the team; a ticket without team is anybody's."""
        self.ensure_one()
        return self.active and (not team or self in team.user_ids)
