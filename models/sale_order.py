# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SaleOrder(models.Model):
    """An order of support packs: what it may sell, and the grants it has led to."""

    _inherit = "sale.order"

    support_pack_line_ids = fields.One2many(
        "sale.order.line",
        "order_id",
        string="Support Packs",
        domain=[("support_pack", "!=", False)],
        copy=False,
    )
    support_grant_count = fields.Integer(
        string="Support Units", compute="_compute_support_grant_count"
    )

    def _compute_support_grant_count(self):
        counts = dict(
            self.env["support.entitlement"]
            .sudo()  # a number on a button
            ._read_group(
                [("sale_line_id.order_id", "in", self.ids)],
                ["sale_line_id"],
                ["__count"],
            )
        )
        for order in self:
            order.support_grant_count = sum(counts.get(line, 0) for line in order.order_line)

    def _confirmation_error_message(self):
        message = super()._confirmation_error_message()
        if message:
            return message
        for line in self.order_line:
            message = line._get_support_archived_problem() or line._get_support_problem()
            if message:
                return message
        return False

    @api.constrains("partner_id")
    def _check_support_customer(self):
        """Units belong to the customer they were granted to."""
        granted = (
            self.env["support.entitlement"]
            .sudo()
            ._read_group(  # whoever changes the order
                [("sale_line_id.order_id", "in", self.ids)], ["sale_line_id", "partner_id"]
            )
        )
        for line, customer in granted:
            if line.support_customer_id != customer:
                raise ValidationError(
                    self.env._(
                        "%(order)s has granted units to %(customer)s: its customer can't change. "
                        "Cancel it and make another order.",
                        order=line.order_id.name,
                        customer=customer.display_name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_support_granted(self):
        self._check_no_support_grants(self.order_line)

    def _check_no_support_grants(self, lines):
        """Refuse to delete lines for which units were granted."""
        grant = (
            self.env["support.entitlement"]
            .sudo()  # whoever deletes the order
            .search([("sale_line_id", "in", lines.ids)], limit=1)
        )
        if grant:
            raise UserError(
                self.env._(
                    "%(order)s can't be deleted: it has granted “%(grant)s”. A cancelled order "
                    "stays, so that one can see where units came from.",
                    order=grant.sale_line_id.order_id.name,
                    grant=grant.name,
                )
            )

    def action_view_support_grants(self):
        """Show what the packs of this order have granted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement"
        )
        return action | {
            "name": self.env._("Support Units"),
            "domain": [("sale_line_id.order_id", "=", self.id)],
            "context": {},
        }
