# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class HelpdeskTicketStage(models.Model):
    _inherit = "helpdesk.ticket.stage"

    returns_incident = fields.Boolean(
        string="Returns the Incident",
        help="A ticket in this stage gives its incidents back to the customer: cancelled, "
        "rejected. It takes them again when it leaves the stage. Tickets that lie in the stage "
        "when this is changed keep what they have until they are moved.",
    )
