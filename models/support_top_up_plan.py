# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools.rating import format_hours, hours_of, seconds_of

VALIDITIES = [
    ("term", "The running term"),
    ("contract", "Until the contract's end"),
    ("months", "Months from the day it is bought"),
    ("life", "For life"),
]


class SupportTopUpPlan(models.Model):
    """Units at a price that a prepaid contract can be topped up with (C40, C41)."""

    _name = "support.top.up.plan"
    _description = "Top-up Plan"
    _inherit = ["mail.thread", "support.whole.mixin"]
    _order = "sequence, name, id"
    _whole_fields = ("incidents", "validity_months")
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    description = fields.Text(translate=True, help="Printed on the bill, under the name.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    product_id = fields.Many2one(
        "product.product",
        string="Billed As",
        required=True,
        check_company=True,
        domain="[('sale_ok', '=', True)]",
        default=lambda self: self.env.ref(
            "support_contract.product_top_up", raise_if_not_found=False
        ),
        ondelete="restrict",
        help="The product on the invoice; its taxes and accounts apply.",
    )
    price = fields.Monetary(
        tracking=True,
        groups="support_contract.group_support_prices",
        help="Of one package, untaxed. It can be changed each time a contract is topped up.",
    )
    hours = fields.Float(
        compute="_compute_hours", inverse="_inverse_hours", help="Time in hours and minutes."
    )
    seconds = fields.Integer(default=0, required=True)
    incidents = fields.Integer(default=0, required=True)
    activity_type_ids = fields.Many2many(
        "support.activity.type",
        string="For Activities",
        check_company=True,
        help="Only work of these types draws on the hours; empty: all work does.",
    )
    validity = fields.Selection(
        VALIDITIES, string="Can Be Used", required=True, default="term", tracking=True
    )
    validity_months = fields.Integer(string="Months", default=1)
    plan_ids = fields.Many2many(
        "support.plan",
        string="For Plans",
        check_company=True,
        domain="[('billing_mode', '=', 'advance'), ('currency_id', '=', currency_id)]",
        help="Contracts of these plans can be topped up with it. Only plans that are billed in "
        "advance are prepaid.",
    )
    for_future_plans = fields.Boolean(
        string="For All Future Prepaid Plans",
        help="Plans made from now on that are billed in advance get it by themselves.",
    )
    units_label = fields.Char(string="Units", compute="_compute_units_label")

    _price_positive = models.Constraint(
        "CHECK (price IS NULL OR price >= 0)", "The price of a top-up can't be negative."
    )
    _units_positive = models.Constraint(
        "CHECK (seconds >= 0 AND incidents >= 0 AND seconds + incidents > 0)",
        "A top-up plan needs hours or incidents above zero.",
    )
    _months_positive = models.Constraint(
        "CHECK (validity <> 'months' OR validity_months > 0)",
        "Enter for how many months a top-up can be used: at least one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("seconds")
    def _compute_hours(self):
        for plan in self:
            plan.hours = hours_of(plan.seconds)

    def _inverse_hours(self):
        for plan in self:
            plan.seconds = seconds_of(plan.hours)

    @api.depends("seconds", "incidents")
    @api.depends_context("lang")
    def _compute_units_label(self):
        for plan in self:
            parts = [format_hours(plan.seconds)] if plan.seconds else []
            if plan.incidents:
                parts.append(self.env._("%s incidents", plan.incidents))
            plan.units_label = " + ".join(parts)

    # === CONSTRAINTS === #

    @api.constrains("plan_ids", "currency_id")
    def _check_plans(self):
        for top_up in self:
            for plan in top_up.plan_ids:
                plan._check_top_up(top_up)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # The database refuses an insertion without units, so hours become seconds before it.
        prepared = []
        for values in vals_list:
            vals = dict(values)
            if "hours" in vals:
                vals["seconds"] = seconds_of(vals.pop("hours") or 0.0)
            prepared.append(vals)
        return super().create(prepared)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # Those too that replaced versions of bills keep.
        charges = self.env["support.charge"].with_context(active_test=False)
        used = charges.search([("top_up_plan_id", "in", self.ids)], limit=1)
        if used:
            raise UserError(
                self.env._(
                    "Contracts have been topped up with “%s”: archive it instead.",
                    used.top_up_plan_id.name,
                )
            )


class SupportPlan(models.Model):
    _inherit = "support.plan"

    top_up_plan_ids = fields.Many2many(
        "support.top.up.plan",
        string="Top-up Plans",
        check_company=True,
        domain="[('currency_id', '=', currency_id)]",
        help="What a contract of this plan can be topped up with while its term runs.",
    )

    @api.constrains("billing_mode", "currency_id", "top_up_plan_ids")
    def _check_top_ups(self):
        for plan in self:
            for top_up in plan.top_up_plan_ids:
                plan._check_top_up(top_up)

    @api.model_create_multi
    def create(self, vals_list):
        plans = super().create(vals_list)
        # Whoever makes plans; top-ups are chosen by their flag.
        for_future = (
            self.env["support.top.up.plan"].sudo().search([("for_future_plans", "=", True)])
        )
        for plan in plans.filtered(lambda plan: for_future and plan._is_prepaid()):
            plan.top_up_plan_ids |= for_future.filtered(
                lambda top_up, plan=plan: (
                    top_up.company_id == plan.company_id and top_up.currency_id == plan.currency_id
                )
            ).sudo(False)
        return plans

    def _is_prepaid(self):
        """Return whether what it includes is paid before it is used (C31)."""
        self.ensure_one()
        return self.billing_mode == "advance"

    def _check_top_up(self, top_up):
        """Refuse a top-up plan that this plan can't have."""
        self.ensure_one()
        if not self._is_prepaid():
            raise ValidationError(
                self.env._(
                    "“%(plan)s” is billed in arrears, and only prepaid plans can be topped up: "
                    "take “%(top_up)s” off it, or bill it in advance.",
                    plan=self.name,
                    top_up=top_up.name,
                )
            )
        if self.currency_id != top_up.currency_id:
            raise ValidationError(
                self.env._(
                    "“%(top_up)s” costs %(other)s, and “%(plan)s” is in %(currency)s. Make a "
                    "top-up plan in %(currency)s.",
                    top_up=top_up.name,
                    other=top_up.currency_id.name,
                    plan=self.name,
                    currency=self.currency_id.name,
                )
            )
