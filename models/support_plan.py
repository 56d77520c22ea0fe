# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

BASES = [
    ("period", "Subscription: a period"),
    ("period_or_hours", "A period or a number of hours, whichever ends first"),
    ("hours", "A number of hours"),
    ("hours_by_month", "Hours by month"),
    ("incidents", "Incidents"),
    ("fixed_fee", "Fixed fee with an allowance"),
    ("time_material", "Time and material"),
]


COVERAGES = [
    ("holder", "A customer or department"),
    ("item", "Listed items"),
    ("request", "One ticket"),
]


class SupportPlan(models.Model):
    """What is sold: reusable terms from which contracts are made."""

    _name = "support.plan"
    _description = "Support Plan"
    _inherit = ["mail.thread", "support.terms.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    description = fields.Html(translate=True)
    currency_id = fields.Many2one(
        default=lambda self: self.env.company.currency_id,
    )
    duration_months = fields.Integer(
        string="Duration (months)",
        default=12,
        help="How long a contract of this plan runs unless said otherwise; 0: without end.",
    )
    kind_id = fields.Many2one(
        "support.plan.kind",
        default=lambda self: self.env.ref(
            "support_contract.plan_kind_support", raise_if_not_found=False
        ),
        ondelete="restrict",
        help="A holder has one running contract of a kind at a time; the next one begins after "
        "its end.",
    )
    coverage = fields.Selection(
        COVERAGES,
        required=True,
        default="holder",
        help="What a contract of this plan covers: all tickets of its customer, the tickets about "
        "listed items, or a single ticket from its opening to its closing.",
    )
    basis = fields.Selection(
        BASES, compute="_compute_basis", help="What this plan sells, read off its terms."
    )
    line_ids = fields.One2many(
        "support.contract.line",
        "plan_id",
        copy=True,
        groups="support_contract.group_support_prices",
    )
    allowance_ids = fields.One2many("support.plan.allowance", "plan_id", copy=True)
    rate_ids = fields.One2many(
        "support.rate", "plan_id", copy=True, groups="support_contract.group_support_prices"
    )
    contract_ids = fields.One2many("support.contract", "plan_id")
    allowance_summary = fields.Char(string="Includes", compute="_compute_allowance_summary")
    contract_count = fields.Integer(compute="_compute_contract_count")

    _duration_positive = models.Constraint(
        "CHECK (duration_months >= 0)", "The duration of a plan can't be negative."
    )

    @api.constrains("kind_id", "coverage")
    def _check_overlap(self):
        """Another kind of plan can't bring its running contracts in each other's way."""
        self.contract_ids._check_overlap()

    @api.depends("duration_months", "line_ids", "allowance_ids.per", "allowance_ids.unit")
    def _compute_basis(self):
        for plan in self:
            plan.basis = plan._get_basis()

    @api.depends("allowance_ids.quantity", "allowance_ids.unit", "allowance_ids.per")
    def _compute_allowance_summary(self):
        for plan in self:
            plan.allowance_summary = ", ".join(
                allowance._get_summary() for allowance in plan.allowance_ids
            )

    def _compute_contract_count(self):
        counts = dict(
            self.env["support.contract"]._read_group(
                [("plan_id", "in", self.ids)], ["plan_id"], ["__count"]
            )
        )
        for plan in self:
            plan.contract_count = counts.get(plan, 0)

    def _get_basis(self):
        """Return the billing basis in the words of the trade (L9-L11, L25, Q30, C30)."""
        self.ensure_one()
        hours = self.allowance_ids.filtered(lambda allowance: allowance.unit == "time")
        if not self.allowance_ids:
            return "period" if self.line_ids else "time_material"
        if not hours:
            return "incidents"
        if "contract" in hours.mapped("per"):
            return "period_or_hours" if self.duration_months else "hours"
        return "hours_by_month" if "month" in hours.mapped("per") else "fixed_fee"

    def action_view_contracts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_contract"
        )
        return action | {
            "domain": [("plan_id", "=", self.id)],
            "context": {"default_plan_id": self.id},
        }
