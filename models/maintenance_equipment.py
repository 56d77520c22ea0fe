# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class MaintenanceEquipment(models.Model):
    """An item that a contract can cover."""

    _inherit = "maintenance.equipment"

    support_partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="Whose item it is: a customer or a department. The vendor is another field.",
    )
    support_contract_ids = fields.Many2many(
        "support.contract",
        "support_contract_equipment_rel",
        "equipment_id",
        "contract_id",
        string="Support Contracts",
        readonly=True,
    )
    support_lacks_customer = fields.Boolean(
        compute="_compute_support_lacks_customer",
        help="Validation is on, and this item belongs to nobody.",
    )

    @api.depends("support_partner_id", "company_id.support_validation", "active")
    @api.depends_context("company")
    def _compute_support_lacks_customer(self):
        for item in self:
            company = item.company_id or self.env.company
            item.support_lacks_customer = (
                company.sudo().support_validation  # a setting, no secret
                and item.active
                and not item.support_partner_id
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_under_contract(self):
        # sudo: contracts and tickets count, whoever may see them
        contracts = (
            self.env["support.contract"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [("equipment_ids", "in", self.ids), ("state", "not in", ("draft", "cancelled"))]
            )
        )
        tickets = (
            self.env["helpdesk.ticket"]
            .sudo()
            .with_context(active_test=False)
            .search([("equipment_id", "in", self.ids)], limit=1)
        )
        for item in self:
            where = contracts.filtered(lambda contract, item=item: item in contract.equipment_ids)
            where = where[:1] or tickets.filtered(
                lambda ticket, item=item: ticket.equipment_id == item
            )
            if where:
                raise UserError(
                    self.env._(
                        "%(item)s can't be deleted: %(record)s is about it. Archive it.",
                        item=item.display_name,
                        record=where.display_name,
                    )
                )
