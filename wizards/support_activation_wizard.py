# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..models.res_company import NO_CONTRACT_POLICIES

MAX_SHOWN = 200
MAX_NAMED = 10


class SupportActivationWizard(models.TransientModel):
    """Switches contract validation on (L3-L6): first every item gets a customer, then two choices.

    What is to happen to work after a contract's end has to be chosen: there is no default (L6).
    """

    _name = "support.activation.wizard"
    _description = "Activate Contract Validation"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    active_already = fields.Boolean(related="company_id.support_validation")
    item_count = fields.Integer(compute="_compute_item_count", string="Items Without Customer")
    line_ids = fields.One2many("support.activation.item", "wizard_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer or Department",
        help="Whose the ticked items are. An item of nobody in particular belongs to a department.",
    )
    expired_work = fields.Selection(
        [
            ("rollover", "Rollover: it is applied to the customer's next contract"),
            ("ignore", "Ignore: it is kept for reports and charged by nobody"),
        ],
        string="Work After a Contract's End",
        help="What happens to time spent on a ticket when its contract ends meanwhile.",
    )
    no_contract_policy = fields.Selection(
        NO_CONTRACT_POLICIES,
        string="Tickets Without a Contract",
        required=True,
        default="lock",
        help="What happens to a new ticket that no contract covers. Teams can have their own rule.",
    )

    @api.depends("company_id", "line_ids")
    def _compute_item_count(self):
        for wizard in self:
            wizard.item_count = wizard._count_items()

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        company = self.env.company
        if company.support_validation:  # they have been chosen before
            values["expired_work"] = company.support_expired_work
            values["no_contract_policy"] = company.support_no_contract_policy
        if "line_ids" in fields_list:
            items = self._find_items(company, limit=MAX_SHOWN)
            values["line_ids"] = [Command.create({"equipment_id": item.id}) for item in items]
        return values

    # === ACTIONS === #

    def action_assign(self):
        """Give the ticked items to the chosen customer or department."""
        self.ensure_one()
        chosen = self.line_ids.filtered("chosen")
        if not chosen or not self.partner_id:
            raise UserError(
                self.env._("Tick the items first, and choose the customer or department.")
            )
        self._give(chosen.equipment_id, self.partner_id)
        return self._reopen()

    def action_assign_rest(self):
        """Give all items that are left to our own company."""
        self.ensure_one()
        self._give(self._find_items(self.company_id), self.company_id.partner_id)
        return self._reopen()

    def action_activate(self):
        """Switch validation on.

        :raise UserError: naming the items that belong to nobody (L4, L54), or the choice that is
            missing (L6)
        """
        self.ensure_one()
        self._check_manager()
        self._check_items()
        if not self.expired_work:
            raise UserError(
                self.env._(
                    "Choose what happens to work after a contract's end: rollover or ignore."
                )
            )
        self.company_id.sudo().write(self._prepare_settings())  # of the settings, these three only
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("Contract validation is on"),
                "message": self.env._("Each new ticket is checked for a contract."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_deactivate(self):
        """Switch validation off: tickets without contract are accepted again.

        Items keep their customers, and teams a rule of their own.
        """
        self.ensure_one()
        self._check_manager()
        self.company_id.sudo().write(  # of the settings, these two only
            {"support_validation": False, "support_no_contract_policy": "accept"}
        )
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _prepare_settings(self):
        self.ensure_one()
        return {
            "support_validation": True,
            "support_expired_work": self.expired_work,
            "support_no_contract_policy": self.no_contract_policy,
        }

    def _check_manager(self):
        """Settings are written past the rights on companies, so these are asked for here."""
        if not self.env.user.has_group("support_contract.group_support_manager"):
            raise UserError(self.env._("Only managers of support contracts can change this."))
        if self.company_id not in self.env.companies:
            raise UserError(self.env._("Switch to %s first.", self.company_id.name))

    def _check_items(self):
        left = self._count_items()
        if left:
            names = self._find_items(self.company_id, limit=MAX_NAMED).mapped("display_name")
            if left > MAX_NAMED:
                names.append(self.env._("and %s more", left - MAX_NAMED))
            raise UserError(
                self.env._(
                    "Every item must belong to a customer or department before validation can be "
                    "switched on. Without one are: %s.",
                    ", ".join(names),
                )
            )

    def _count_items(self):
        self.ensure_one()
        items = self.env["maintenance.equipment"].sudo()  # to count them, seen or not
        return items.search_count(self._get_item_domain(self.company_id))

    @api.model
    def _find_items(self, company, limit=None):
        return self.env["maintenance.equipment"].search(
            self._get_item_domain(company), limit=limit, order="name, id"
        )

    @api.model
    def _get_item_domain(self, company):
        return Domain("support_partner_id", "=", False) & Domain(
            "company_id", "in", [False, company.id]
        )

    def _give(self, items, partner):
        """Give items to a customer, and show what is left."""
        items.support_partner_id = partner
        rest = self._find_items(self.company_id, limit=MAX_SHOWN)
        self.partner_id = False
        self.line_ids = [
            Command.clear(),
            *(Command.create({"equipment_id": item.id}) for item in rest),
        ]

    def _reopen(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_activation"
        )
        return action | {"res_id": self.id}


class SupportActivationItem(models.TransientModel):
    _name = "support.activation.item"
    _description = "Item Without Customer"

    wizard_id = fields.Many2one("support.activation.wizard", required=True, ondelete="cascade")
    equipment_id = fields.Many2one(
        "maintenance.equipment", required=True, readonly=True, string="Item", ondelete="cascade"
    )
    serial_no = fields.Char(related="equipment_id.serial_no")
    category_id = fields.Many2one(related="equipment_id.category_id")
    owner_user_id = fields.Many2one(related="equipment_id.owner_user_id", string="Used By")
    chosen = fields.Boolean(string="✓")
