# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Nothing is worked on a locked ticket: no time, no parts, whoever records them."""

from odoo import api, models

from .support_charge import MANUAL_KINDS


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    @api.model_create_multi
    def create(self, vals_list):
        ticket_id = self.env.context.get("default_ticket_id")
        if ticket_id:  # so that nothing that is asked of work on a ticket is passed by
            vals_list = [{"ticket_id": ticket_id} | vals for vals in vals_list]
        self._check_tickets_workable(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("ticket_id") and any(line.ticket_id.id != vals["ticket_id"] for line in self):
            self._check_tickets_workable([vals])
        return super().write(vals)

    @api.model
    def _check_tickets_workable(self, vals_list):
        tickets = {vals["ticket_id"] for vals in vals_list if vals.get("ticket_id")}
        if tickets:
            self.env["helpdesk.ticket"].browse(tickets)._check_workable()


class SupportCharge(models.Model):
    _inherit = "support.charge"

    @api.model_create_multi
    def create(self, vals_list):
        tickets = {
            vals["ticket_id"]
            for vals in vals_list
            if vals.get("kind") in MANUAL_KINDS and vals.get("ticket_id")
        }
        if tickets:
            self.env["helpdesk.ticket"].browse(tickets)._check_workable()
        return super().create(vals_list)
