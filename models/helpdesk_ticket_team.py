# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from .res_company import NO_CONTRACT_POLICIES


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    requires_incident = fields.Boolean(
        string="Requires an Incident",
        help="Each new ticket to this team takes one support incident from its customer, "
        "whatever is said in it.",
    )
    support_no_contract_policy = fields.Selection(
        NO_CONTRACT_POLICIES,
        string="Tickets Without a Contract",
        help="Empty: the rule of the company.",
    )
    support_project_id = fields.Many2one(
        "project.project",
        string="Project of Time Entries",
        domain="[('allow_timesheets', '=', True)]",
        check_company=True,
        help="Time logged on the tickets of this team are timesheets of this project. Empty: one "
        "is made when the first time is logged.",
    )

    def _get_support_project(self, company):
        """Return the project on which time of this team (or of no team) is logged."""
        project = self.support_project_id
        if project:
            return project
        # Whoever logs the first hour needn't be allowed to make projects.
        projects = self.env["project.project"].sudo().with_company(company)
        if not self:
            project = projects.search(
                [("support_default", "=", True), ("company_id", "=", company.id)], limit=1
            )
        if not project:
            name = self.env._("Support: %s", self.name) if self else self.env._("Support")
            vals = {
                "name": name,
                "company_id": company.id,
                "allow_timesheets": True,
                "support_default": not self,
            }
            if "allow_billable" in projects._fields:
                vals["allow_billable"] = False  # sale_timesheet leaves our entries alone
            project = projects.create(vals)
            if self:
                self.sudo().support_project_id = project
        return project.sudo(False)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_taken(self):
        """Refuse where tickets took incidents: without their team nothing would say why."""
        ticket = (
            self.env["helpdesk.ticket"]
            .sudo()  # tickets count, whoever may see them
            .with_context(active_test=False)
            .search([("team_id", "in", self.ids), ("incident_quantity", "!=", 0)], limit=1)
        )
        if ticket:
            raise UserError(
                self.env._(
                    "%(team)s can't be deleted: its ticket %(ticket)s took an incident. Archive "
                    "the team.",
                    team=ticket.team_id.display_name,
                    ticket=ticket.number,
                )
            )
