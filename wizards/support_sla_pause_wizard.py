# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportSlaPauseWizard(models.TransientModel):
    """Asks why clocks are paused by hand (Y34)."""

    _name = "support.sla.pause.wizard"
    _description = "Pause SLA Clocks"

    ticket_ids = fields.Many2many("helpdesk.ticket", string="Tickets", readonly=True)
    reason = fields.Char(required=True)

    def action_pause(self):
        self.ensure_one()
        self.ticket_ids._pause_sla(self.reason)
