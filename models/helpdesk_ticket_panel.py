# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.rating import format_hours, seconds_of
from .support_charge import MANUAL_KINDS


class HelpdeskTicket(models.Model):
    """What the ticket's screen tells at a glance, to people who see no prices, too."""

    _inherit = "helpdesk.ticket"

    contract_units_granted = fields.Boolean(compute="_compute_contract_left")
    contract_left_label = fields.Char(string="Left", compute="_compute_contract_left")
    parts_label = fields.Text(string="Parts and Expenses Used", compute="_compute_parts_label")

    @api.depends("contract_id.entitlement_ids.remaining")
    def _compute_contract_left(self):
        for ticket in self:
            contract = ticket.contract_id
            parts = []
            if contract.time_granted or contract.time_used:
                parts.append(
                    self.env._(
                        "%(left)s of %(granted)s",
                        left=format_hours(seconds_of(contract.time_left)),
                        granted=format_hours(seconds_of(contract.time_granted)),
                    )
                )
            if contract.incidents_granted or contract.incidents_used:
                parts.append(
                    self.env._(
                        "%(left)s of %(granted)s incidents",
                        left=contract.incidents_left,
                        granted=contract.incidents_granted,
                    )
                )
            ticket.contract_units_granted = bool(parts)
            ticket.contract_left_label = ", ".join(parts)

    @api.depends("time_entry_ids")
    def _compute_parts_label(self):
        for ticket in self:
            # sudo: what was used, without its price
            charges = ticket.sudo().charge_ids.filtered(
                lambda charge: charge.kind in MANUAL_KINDS and not charge.cancelled
            )
            ticket.parts_label = "\n".join(
                f"{charge.quantity:g} × {charge.name}" for charge in charges
            )
