# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportPartWizard(models.TransientModel):
    """Puts a part or an expense on a ticket; for people who don't see prices, too."""

    _name = "support.part.wizard"
    _description = "Put a Part or Expense on a Ticket"

    ticket_id = fields.Many2one("helpdesk.ticket", required=True, readonly=True)
    company_id = fields.Many2one(related="ticket_id.company_id")
    kind = fields.Selection(
        [("part", "Part"), ("expense", "Expense")], required=True, default="part"
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
        help="It is charged at the price of the contract's price list, or at its sales price.",
    )
    name = fields.Char(
        string="Description",
        compute="_compute_name",
        store=True,
        readonly=False,
        required=True,
        help="Printed on the bill and the invoice.",
    )
    quantity = fields.Float(digits="Product Unit", default=1.0, required=True)
    date = fields.Date(required=True, default=fields.Date.context_today)

    @api.depends("product_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.product_id.get_product_multiline_description_sale()

    def action_add(self):
        """Charge it on the ticket."""
        self.ensure_one()
        self.ticket_id.check_access("write")
        if self.quantity <= 0:
            raise UserError(self.env._("The quantity must be above zero."))
        # sudo: whoever repairs says what was built in, and needn't see what it costs.
        self.env["support.charge"].sudo().create(self._prepare_charge())
        return {"type": "ir.actions.act_window_close"}

    def _prepare_charge(self):
        self.ensure_one()
        return {
            "kind": self.kind,
            "ticket_id": self.ticket_id.id,
            "product_id": self.product_id.id,
            "name": self.name,
            "quantity": self.quantity,
            "date": self.date,
        }
