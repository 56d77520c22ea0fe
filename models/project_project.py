# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class ProjectProject(models.Model):
    _inherit = "project.project"

    support_default = fields.Boolean(
        help="Holds the time entries of tickets that belong to no team.", copy=False
    )
