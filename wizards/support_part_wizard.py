# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class SupportPartWizard(models.TransientModel):
    """Puts a part or an expense on a ticket; for people who don't see prices, too."""

    _name = "support.part.wizard"
    _description = "Put a Part or Expense on a Ticket"

    ticket_id = fields.Many2one("helpdesk.ticket", required=True, readonly=True)
    company_id = fields.Many2one(related="ticket_id.company_id")
    kind = fields.Selection(
        [("part", "Part"), ("expense", "Expense"), ("distance", "Distance")],
        required=True,
        default="part",
        help="A distance is an expense that is charged by the kilometre.",
    )
    product_id = fields.Many2one(
        "product.product",
        compute="_compute_product_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
        help="It is charged at the price of the contract's price list, or at its sales price.",
    )
    name = fields.Char(
        string="Description",
        compute="_compute_name",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="Printed on the bill and the invoice.",
    )
    quantity = fields.Float(digits="Product Unit", default=1.0, required=True)
    uom_id = fields.Many2one(related="product_id.uom_id")
    date = fields.Date(required=True, default=fields.Date.context_today)

    @api.depends("kind")
    def _compute_product_id(self):
        """Propose the product of a distance, which is charged by the kilometre (Q35)."""
        distance = self.env.ref("support_contract.product_support_distance", False)
        for wizard in self:
            if wizard.kind == "distance":
                wizard.product_id = distance
            elif wizard.product_id == distance:
                wizard.product_id = False

    @api.depends("product_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.product_id.get_product_multiline_description_sale()

    def action_add(self):
        """Charge it on the ticket."""
        self.ensure_one()
        self.ticket_id.check_access("write")
        if not self.ticket_id.can_add_parts:
            raise AccessError(
                self.env._(
                    "Only managers and accountants add parts and expenses to tickets of this "
                    "contract. Ask one of them; the settings of the contract can allow it to all."
                )
            )
        if self.quantity <= 0:
            raise UserError(self.env._("The quantity must be above zero."))
        # sudo: whoever repairs says what was built in, and needn't see what it costs.
        self.env["support.charge"].sudo().create(self._prepare_charge())
        return {"type": "ir.actions.act_window_close"}

    def _prepare_charge(self):
        self.ensure_one()
        return {
            "kind": "expense" if self.kind == "distance" else self.kind,
            "ticket_id": self.ticket_id.id,
            "product_id": self.product_id.id,
            "name": self.name,
            "quantity": self.quantity,
            "date": self.date,
        }
