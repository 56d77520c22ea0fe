# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A milder policy opens the tickets that waited under the stricter one."""

from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if "support_no_contract_policy" in vals:
            self.env["helpdesk.ticket"]._policies_changed([("company_id", "in", self.ids)])
        return result


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    def write(self, vals):
        result = super().write(vals)
        if "support_no_contract_policy" in vals:
            self.env["helpdesk.ticket"]._policies_changed([("team_id", "in", self.ids)])
        return result


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    def _policies_changed(self, domain):
        """Look again at what waits without a contract; a stricter policy is for new tickets."""
        locked = self.sudo().search(  # all of them, whoever changes the setting
            [("lock_reason", "=", "no_contract"), *domain]
        )
        locked._update_locks()
