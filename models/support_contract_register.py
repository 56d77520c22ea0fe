# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import is_html_empty

from ..tools.money import less
from ..tools.periods import ONE_DAY

MONTHS_OF_A_YEAR = 12


class SupportContract(models.Model):
    """What sales people keep about a contract, above all while it is in preparation (Y4, Y14)."""

    _inherit = "support.contract"

    # What is agreed beside the commercial terms; its changes are told in the chatter (Y18).
    title = fields.Char(tracking=True)
    partner_invoice_id = fields.Many2one(tracking=True)
    client_order_ref = fields.Char(tracking=True)
    payment_term_id = fields.Many2one(tracking=True)
    apply_to_new_tickets = fields.Boolean(tracking=True)

    stage_id = fields.Many2one(
        "support.contract.stage",
        compute="_compute_stage_id",
        store=True,
        readonly=False,
        precompute=True,
        group_expand="_read_group_stage_ids",
        ondelete="restrict",
        tracking=True,
        copy=False,
        index=True,
        help="How far its preparation has come. Once it is confirmed, its status counts.",
    )
    likelihood = fields.Integer(
        string="Likelihood (%)",
        compute="_compute_likelihood",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
        aggregator="avg",
        help="How likely it will close, 0 to 100; taken from the stage until changed here.",
    )
    monthly_amount = fields.Monetary(
        string="Per Month",
        compute="_compute_monthly_amount",
        store=True,
        groups="support_contract.group_support_prices",
        help="Its recurring products, by the month, as they begin: without changes on later dates.",
    )
    estimated_amount = fields.Monetary(
        compute="_compute_estimated_amount",
        store=True,
        readonly=False,
        tracking=True,
        groups="support_contract.group_support_prices",
        help="What the contract will bring in all, untaxed. Proposed: its recurring products over "
        "its duration; over a year where it has no end.",
    )
    weighted_amount = fields.Monetary(
        compute="_compute_weighted_amount",
        store=True,
        groups="support_contract.group_support_prices",
        help="The estimated amount times the likelihood; nothing of what is lost.",
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Primary Contact",
        compute="_compute_contact_id",
        store=True,
        readonly=False,
        tracking=True,
        ondelete="restrict",
        domain="[('commercial_partner_id', '=', commercial_partner_id)]",
        help="The person on the customer's side: gets the e-mails and notices of the contract.",
    )
    description = fields.Html(
        compute="_compute_description",
        store=True,
        readonly=False,
        help="What was agreed, in words. Printed on the contract; proposed by the plan.",
    )
    technician_id = fields.Many2one(
        "res.users",
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="New tickets under the contract that nobody is assigned to are assigned to him, if "
        "he is in the team of the ticket.",
    )

    _likelihood_percent = models.Constraint(
        "CHECK (likelihood BETWEEN 0 AND 100)", "A likelihood is between 0 and 100 percent."
    )
    _estimated_amount_positive = models.Constraint(
        "CHECK (estimated_amount >= 0)", "An estimated amount can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages | stages.search([])

    def _compute_stage_id(self):
        first = self.env["support.contract.stage"].search([], limit=1)
        for contract in self:
            contract.stage_id = contract.stage_id or first

    @api.depends("stage_id", "state")
    def _compute_likelihood(self):
        """What is confirmed is certain, what is lost isn't; before that the stage says it."""
        for contract in self:
            contract.likelihood = {"draft": contract.stage_id.likelihood, "cancelled": 0}.get(
                contract.state, 100
            )

    @api.depends(
        "line_ids.quantity", "line_ids.price_unit", "billing_period", "currency_id", "discount"
    )
    def _compute_monthly_amount(self):
        for contract in self:
            per_term = sum(
                Decimal(str(line.quantity)) * Decimal(str(line.price_unit))
                for line in contract.line_ids
            )
            per_term = less(per_term, contract._get_discount())
            monthly = float(per_term / int(contract.billing_period or 1))
            contract.monthly_amount = contract.currency_id.round(monthly)

    @api.depends("plan_id")
    def _compute_estimated_amount(self):
        for contract in self:
            contract.estimated_amount = contract.estimated_amount or max(
                contract.monthly_amount * contract._get_duration_months(), 0.0
            )

    @api.depends("estimated_amount", "likelihood", "state")
    def _compute_weighted_amount(self):
        for contract in self:
            share = {"draft": contract.likelihood, "cancelled": 0}.get(contract.state, 100)
            contract.weighted_amount = contract.currency_id.round(
                contract.estimated_amount * share / 100
            )

    @api.depends("partner_id")
    def _compute_contact_id(self):
        for contract in self:
            partner = contract.partner_id
            known = contract.contact_id
            if known and known.commercial_partner_id == partner.commercial_partner_id:
                continue
            contacts = partner.child_ids.filtered(lambda child: child.type == "contact")
            contract.contact_id = contacts[:1] or partner

    @api.depends("plan_id")
    def _compute_description(self):
        for contract in self:
            if is_html_empty(contract.description):
                plan = contract.plan_id.with_context(lang=contract.partner_id.lang)
                contract.description = plan.description

    # === BUSINESS METHODS === #

    def _get_duration_months(self):
        """Return how many months the contract will run, begun ones in full; open: a year."""
        self.ensure_one()
        if not self.date_start or not self.date_end:
            return MONTHS_OF_A_YEAR
        length = relativedelta(self.date_end + ONE_DAY, self.date_start)
        return length.years * MONTHS_OF_A_YEAR + length.months + bool(length.days)

    def _get_contact(self):
        """Return whom to write to on the customer's side."""
        self.ensure_one()
        return self.contact_id if self.contact_id.email else self.partner_id
