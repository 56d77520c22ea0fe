# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import clean_context


class SupportTicketContractWizard(models.TransientModel):
    """Makes a contract for a ticket, or for its item, in one step (L15, L30).

    Whoever works on tickets may do it at the plan's price; another price is for managers.
    """

    _name = "support.ticket.contract.wizard"
    _description = "Create a Contract From a Ticket"

    ticket_id = fields.Many2one("helpdesk.ticket", required=True, readonly=True)
    # Read with the rights of whoever asks: the ticket may be any that he names.
    company_id = fields.Many2one(related="ticket_id.company_id", related_sudo=False)
    partner_id = fields.Many2one(
        related="ticket_id.commercial_partner_id", string="Customer", related_sudo=False
    )
    equipment_id = fields.Many2one(related="ticket_id.equipment_id", related_sudo=False)
    coverage = fields.Selection(
        [("request", "This ticket, until it is closed"), ("item", "Its item")],
        required=True,
        default="request",
        string="Covers",
    )
    plan_id = fields.Many2one(
        "support.plan",
        required=True,
        compute="_compute_plan_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('coverage', '=', coverage), ('company_id', '=', company_id)]",
    )
    allowance_summary = fields.Char(related="plan_id.allowance_summary", related_sudo=False)
    currency_id = fields.Many2one(related="plan_id.currency_id")
    price = fields.Monetary(
        compute="_compute_price",
        store=True,
        readonly=False,
        groups="support_contract.group_support_prices",
        help="Untaxed. For one ticket it is charged once; for an item each term.",
    )
    invoice_at_once = fields.Boolean(
        default=True,
        help="The price is billed and invoiced now. Otherwise it comes with the next billing.",
    )

    @api.depends("coverage", "ticket_id")
    def _compute_plan_id(self):
        for wizard in self:
            plan = wizard.plan_id
            if plan.coverage != wizard.coverage or plan.company_id != wizard.company_id:
                plan = plan.search(
                    [
                        ("coverage", "=", wizard.coverage),
                        ("company_id", "=", wizard.company_id.id),
                    ],
                    limit=1,
                )
            wizard.plan_id = plan

    @api.depends("plan_id")
    def _compute_price(self):
        for wizard in self:
            wizard.price = wizard._get_list_price()

    def _get_list_price(self):
        """Return the plan's price: per ticket, or per term of an item."""
        self.ensure_one()
        # sudo: whoever sees no prices makes contracts at the plan's
        return sum(self.plan_id.sudo().line_ids.mapped("subtotal"))

    # === ACTIONS === #

    def action_create(self):
        """Make the contract, confirm it, put the ticket under it and invoice its price."""
        self.ensure_one()
        # The contract and its invoice are made past his rights: no defaults of his for them.
        self = self.with_context(clean_context(self.env.context))
        self._check_possible()
        price = self._get_price()
        # The rights of whoever makes contracts stop at this one: for this ticket, by this plan.
        contract = self.env["support.contract"].sudo().create(self._prepare_contract())
        if contract.currency_id.compare_amounts(price, self._get_list_price()):
            contract.line_ids = [Command.clear(), Command.create(self._prepare_line(price))]
        contract.action_confirm()
        self.ticket_id.write({"contract_id": contract.id})
        if self.invoice_at_once and not contract.currency_id.is_zero(price):
            contract._invoice_at_once()
        self.env["support.contract"]._tell_tickets()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _check_possible(self):
        ticket = self.ticket_id
        ticket.check_access("write")
        if not ticket.partner_id:
            raise UserError(self.env._("%s has no customer: set one first.", ticket.display_name))
        if ticket.contract_id:
            raise UserError(
                self.env._(
                    "%(ticket)s is under %(contract)s already.",
                    ticket=ticket.display_name,
                    contract=ticket.contract_id.display_name,
                )
            )
        if ticket._is_done():
            raise UserError(
                self.env._(
                    "%s is closed: open it again before you make a contract for it.",
                    ticket.display_name,
                )
            )
        if self.coverage == "item" and not ticket.equipment_id:
            raise UserError(
                self.env._(
                    "%s names no item: choose what it is about, or cover this ticket only.",
                    ticket.display_name,
                )
            )
        if self.plan_id.coverage != self.coverage or self.plan_id.company_id != ticket.company_id:
            raise UserError(
                self.env._(
                    "The plan %s doesn't fit: choose one of the ticket's company that covers what "
                    "this contract is to cover.",
                    self.plan_id.name,
                )
            )

    def _get_price(self):
        """Return the price; one that isn't the plan's is for managers."""
        self.ensure_one()
        if not self.env.user.has_group("support_contract.group_support_prices"):
            return self._get_list_price()
        listed = self._get_list_price()
        price = self.price
        if self.currency_id.compare_amounts(price, listed):
            if not self.env.user.has_group("support_contract.group_support_manager"):
                raise AccessError(
                    self.env._("Only managers of support contracts can change the plan's price.")
                )
            if price < 0:
                raise UserError(self.env._("The price can't be negative."))
        return price

    def _prepare_contract(self):
        self.ensure_one()
        ticket = self.ticket_id
        vals = {
            "company_id": self.company_id.id,
            "plan_id": self.plan_id.id,
            "partner_id": self.partner_id.id,
            "user_id": self.env.uid,
            "date_start": self._get_start(),
        }
        if self.invoice_at_once or self.coverage == "request":
            vals["billing_mode"] = "advance"  # its price is due when it is made
        if self.coverage == "item":
            return vals | {"equipment_ids": [Command.set(ticket.equipment_id.ids)]}
        return vals | {
            "title": self.env._(
                "%(plan)s: %(ticket)s", plan=self.plan_id.name, ticket=ticket.number
            ),
            "request_ticket_id": ticket.id,
            "apply_to_new_tickets": False,
            "alignment": "anniversary",
            "date_end": False,
        }

    def _get_start(self):
        """Return the day on which the ticket was opened, where the customer is."""
        contract = self.env["support.contract"].new(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id}
        )
        return contract._get_local_day(self.ticket_id.opened_at)

    def _prepare_line(self, price):
        """Return the values of the one recurring product that stands for another price."""
        self.ensure_one()
        line = self.plan_id.line_ids[:1]
        product = (
            line.product_id
            or self.plan_id.incident_product_id
            or self.env.ref("support_contract.product_support_incident")
        )
        return {
            "product_id": product.id,
            "name": line.name or self.plan_id.name,
            "quantity": 1.0,
            "price_unit": price,
        }
