# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportImportWizardLine(models.TransientModel):
    """What is wrong with a row of the spreadsheet, or what has become of it."""

    _name = "support.import.wizard.line"
    _description = "Row of an Import of Running Contracts"
    _order = "row, id"

    wizard_id = fields.Many2one("support.import.wizard", required=True, ondelete="cascade")
    row = fields.Integer(aggregator=None)
    column = fields.Char()
    message = fields.Text(required=True)
    partner_id = fields.Many2one("res.partner", string="Customer")
    contract_id = fields.Many2one("support.contract")
    contract_state = fields.Selection(related="contract_id.state", string="Status")
    entitlement_id = fields.Many2one("support.entitlement", string="Lifetime Balance")
    units = fields.Integer(related="entitlement_id.quantity", string="Lifetime Incidents")
