# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models

from ..tools.rating import format_hours, seconds_of


class ResPartner(models.Model):
    """What a customer has left, told on the customer."""

    _inherit = "res.partner"

    support_incidents_left = fields.Integer(
        compute="_compute_support_balance", help="Incidents that can be used today."
    )
    support_hours_left = fields.Float(
        compute="_compute_support_balance", help="Prepaid hours that can be used today."
    )
    support_units_known = fields.Boolean(compute="_compute_support_balance")
    support_incidents_label = fields.Char(compute="_compute_support_balance")
    support_hours_label = fields.Char(compute="_compute_support_balance")

    def _compute_support_balance(self):
        report = self.env["support.balance.report"]
        left = {}
        if report.has_access("read"):
            rows = report._read_group(
                [("partner_id", "in", self.commercial_partner_id.ids)],
                ["partner_id", "unit"],
                ["available:sum"],
            )
            left = {(partner, unit): available for partner, unit, available in rows}
        for partner in self:
            owner = partner.commercial_partner_id
            incidents, hours = left.get((owner, "incident")), left.get((owner, "time"))
            partner.support_incidents_left = round(incidents or 0)
            partner.support_hours_left = hours or 0.0
            partner.support_units_known = incidents is not None or hours is not None
            partner.support_incidents_label = incidents is not None and self.env._(
                "Incidents left: %s", round(incidents)
            )
            partner.support_hours_label = hours is not None and self.env._(
                "Hours left: %s", format_hours(seconds_of(hours)).removesuffix(" h")
            )

    def action_view_support_incidents(self):
        """Show the grants of this customer that aren't over."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement"
        )
        return action | {
            "name": self.env._("Grants of %s", self.commercial_partner_id.display_name),
            "domain": [("partner_id", "=", self.commercial_partner_id.id)],
            "context": {},
        }

    def action_view_support_statement(self):
        """Show what this customer has left, owes and will be billed."""
        self.ensure_one()
        statement = self.env["support.statement"].create(
            {"partner_id": self.commercial_partner_id.id}
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_statement"
        )
        return action | {"res_id": statement.id, "name": statement.display_name}
