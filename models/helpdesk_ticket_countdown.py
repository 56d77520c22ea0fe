# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class HelpdeskTicket(models.Model):
    """What people see of the clocks of a ticket: the time that is left, and what is wrong."""

    _inherit = "helpdesk.ticket"

    sla_clock = fields.Json(
        string="Time Left",
        compute="_compute_sla_clock",
        help="Of its most pressing clock, in working time: it stands still outside the active "
        "hours and in pauses.",
    )
    sla_banner = fields.Text(compute="_compute_sla_banner")

    @api.depends("sla_timer_ids.status", "sla_timer_ids.deadline", "sla_timer_ids.target")
    def _compute_sla_clock(self):
        tickets = self.sudo()  # moments only; whoever sees the ticket sees them
        pressing = {ticket: ticket.sla_timer_ids._get_pressing() for ticket in tickets}
        timers = self.env["support.sla.timer"].sudo().union(*pressing.values())
        countdowns = timers._get_countdowns(fields.Datetime.now())
        for ticket in tickets:
            ticket.sla_clock = countdowns.get(pressing[ticket], False)

    @api.depends("sla_timer_ids.status", "sla_timer_ids.deadline", "sla_timer_ids.breached_at")
    @api.depends_context("lang", "tz")
    def _compute_sla_banner(self):
        """Say which promises are broken or about to be, and since when (Y47, Y48)."""
        now = fields.Datetime.now()
        for ticket in self.sudo():  # as above
            lines = [timer._get_alarm(now) for timer in ticket.sla_timer_ids]
            ticket.sla_banner = "\n".join(filter(None, lines))
