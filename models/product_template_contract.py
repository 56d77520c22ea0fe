# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductTemplate(models.Model):
    """A product that is a contract: selling it makes one from a plan."""

    _inherit = "product.template"

    support_plan_id = fields.Many2one(
        "support.plan",
        ondelete="restrict",
        index="btree_not_null",
        groups="support_contract.group_support_user",
        help="Confirming an order with this product makes a contract of this plan, which is then "
        "billed term by term. The order itself isn't invoiced for it.",
    )

    @api.onchange("support_plan_id")
    def _onchange_support_plan_id(self):
        """Begin with what a sold contract needs: a service that nothing else is made of."""
        if self.support_plan_id:
            self.type = "service"
            self.service_tracking = "no"
            self.support_pack = False

    @api.constrains("support_plan_id", "support_pack", "type")
    def _check_support_plan(self):
        for product in self.sudo().filtered("support_plan_id"):  # whoever changes the product
            if product.support_pack:
                problem = self.env._("it is a support pack. Choose the one or the other.")
            elif product.type != "service":
                problem = self.env._("it isn't a service. Set the product type to “Service”.")
            elif product.support_plan_id.coverage == "request":
                problem = self.env._(
                    "its plan is for single tickets, from which such contracts are made. Choose a "
                    "plan for a customer or for listed items."
                )
            else:
                continue
            raise ValidationError(
                self.env._(
                    "“%(product)s” can't be sold as a contract: %(problem)s",
                    product=product.name,
                    problem=problem,
                )
            )
