# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class HelpdeskTicket(models.Model):
    """What a ticket is about to cost its customer, told before it is saved (B26, B56)."""

    _inherit = "helpdesk.ticket"

    incident_notice = fields.Char(compute="_compute_incident_notice")
    incidents_available = fields.Integer(
        compute="_compute_incident_notice",
        help="Incidents that this ticket could take from its customer today.",
    )

    incidents_lacking = fields.Boolean(compute="_compute_incident_notice")

    @api.depends("team_id", "partner_id", "contract_id", "incident_quantity", "incident_demand")
    @api.depends_context("lang")
    def _compute_incident_notice(self):
        for ticket in self:
            taken = ticket._origin.incident_demand
            wanted = ticket.incident_demand - taken
            customer = ticket.partner_id.commercial_partner_id
            ticket.incident_notice = False
            ticket.incidents_available = 0
            ticket.incidents_lacking = False
            if wanted <= 0 or not customer:
                continue
            ticket.incidents_available = ticket._get_incidents_available(customer)
            ticket.incidents_lacking = ticket.incidents_available < wanted
            ticket.incident_notice = ticket._prepare_incident_notice(customer, wanted, taken)

    def _prepare_incident_notice(self, customer, wanted, taken):
        self.ensure_one()
        values = {
            "team": self.team_id.display_name,
            "wanted": wanted,
            "customer": customer.display_name,
            "left": self.incidents_available,
        }
        if taken:
            return self.env._(
                "This ticket takes %(wanted)s more of the support incidents; %(customer)s has "
                "%(left)s left.",
                **values,
            )
        if wanted == 1 and self.team_id.requires_incident:
            return self.env._(
                "The team %(team)s takes one support incident; %(customer)s has %(left)s left.",
                **values,
            )
        return self.env._(
            "Support incidents that this ticket takes: %(wanted)s; %(customer)s has %(left)s left.",
            **values,
        )

    def _get_incidents_available(self, customer):
        """Return how many incidents of a customer this ticket could take today."""
        self.ensure_one()
        contract = self.contract_id or self._find_notice_contract()
        grants = (
            self.env["support.entitlement"]
            .sudo()  # a number, told to whoever may open the ticket
            .search(
                [
                    ("company_id", "=", (self.team_id.company_id or self.company_id).id),
                    ("partner_id", "=", customer.id),
                    ("unit", "=", "incident"),
                    ("contract_id", "in", [False, contract.id]),
                ]
            )
        )
        return sum(grant.remaining for grant in grants if grant._is_valid_on(grant._get_today()))

    def _find_notice_contract(self):
        """Return the contract under which the ticket would fall, as long as it isn't saved."""
        if self._origin:
            return self.contract_id
        values = {"partner_id": self.partner_id.id, "team_id": self.team_id.id}
        if self.equipment_id:
            values["equipment_id"] = self.equipment_id.id
        if self.opened_at:
            values["opened_at"] = self.opened_at
        if not self.team_id.company_id:
            values["company_id"] = self.company_id.id
        (found,) = self._prepare_coverage([values])
        return self.env["support.contract"].browse(found.get("contract_id") or False)
