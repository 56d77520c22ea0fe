# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    requires_incident = fields.Boolean(
        string="Requires an Incident",
        help="Each new ticket to this team takes one support incident from its customer, "
        "whatever is said in it.",
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
