# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.base.models.res_partner import _tz_get

from ..tools.periods import ONE_DAY

STATES = [
    ("draft", "Draft"),
    ("pending", "Pending"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("expired", "Expired"),
    ("terminated", "Terminated"),
    ("cancelled", "Cancelled"),
]
# Target state: the states from which it can be reached.
TRANSITIONS = {
    "draft": {"cancelled"},
    "pending": {"draft"},
    "active": {"draft", "pending", "suspended", "expired"},
    "suspended": {"active"},
    "expired": {"active", "suspended"},
    "terminated": {"pending", "active", "suspended"},
    "cancelled": {"draft", "pending", "active"},
}
RUNNING_STATES = ("active", "suspended")
# What can't change any more once terms, grants and bills hang on it.
SETTLED_FIELDS = {
    "plan_id", "partner_id", "company_id", "currency_id", "date_start", "billing_period",
    "billing_mode", "alignment", "tz", "opening_date", "opening_hours", "opening_hours_given",
    "opening_incidents", "opening_incidents_given", "opening_amount",
    "renews_id", "renewal_units", "renewal_cap_hours", "renewal_cap_incidents",
}  # fmt: skip
TERMS_FIELDS = (
    "currency_id",
    "billing_period",
    "billing_mode",
    "alignment",
    "proration",
    "overage_policy",
    "warning_thresholds",
    "ends_when_used",
    "bill_approval",
    "pricelist_id",
    "incident_product_id",
    "incident_price",
)


def _from_plan(field, **options):
    """Return a field that takes its value from the plan until it is changed by hand (C25)."""
    options = {"default": None} | options  # a default would win over the plan
    return field(compute="_compute_terms", store=True, readonly=False, precompute=True, **options)


class SupportContract(models.Model):
    """The agreement with one customer: its terms, grants, charges and bills."""

    _name = "support.contract"
    _description = "Support Contract"
    _inherit = ["mail.thread", "mail.activity.mixin", "support.terms.mixin"]
    _order = "date_start desc, id desc"
    _rec_names_search = ["name", "title", "partner_id", "client_order_ref"]
    _check_company_auto = True

    name = fields.Char(string="Number", default="/", readonly=True, copy=False, index="trigram")
    title = fields.Char(
        string="Contract Name",
        compute="_compute_title",
        store=True,
        readonly=False,
        precompute=True,
    )
    state = fields.Selection(
        STATES,
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
    )
    active = fields.Boolean(default=True)
    plan_id = fields.Many2one(
        "support.plan",
        required=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        index=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        ondelete="restrict",
        index=True,
        tracking=True,
        help="The company, department or person whose tickets it covers.",
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id", store=True, index=True
    )
    partner_invoice_id = fields.Many2one(
        "res.partner",
        string="Invoice Address",
        compute="_compute_partner_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        ondelete="restrict",
    )
    client_order_ref = fields.Char(
        string="Customer's Order Number", help="Printed on the bills and invoices."
    )
    payment_term_id = fields.Many2one("account.payment.term", check_company=True)
    fiscal_position_id = fields.Many2one(
        "account.fiscal.position", check_company=True, help="Empty: found by the customer."
    )
    analytic_account_id = fields.Many2one(
        "account.analytic.account",
        check_company=True,
        ondelete="restrict",
        help="Its invoices and time entries are booked on it.",
    )
    tz = fields.Selection(
        _tz_get,
        string="Time Zone",
        compute="_compute_partner_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="The customer's: terms begin and end at midnight there.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
        domain="[('share', '=', False)]",
        help="Is told when the units run out.",
    )
    date_start = fields.Date(
        string="Start", required=True, default=fields.Date.context_today, tracking=True
    )
    date_end = fields.Date(
        string="End",
        compute="_compute_date_end",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="The last day. Empty: without end.",
    )
    coverage = fields.Selection(related="plan_id.coverage", store=True, precompute=True)
    equipment_ids = fields.Many2many(
        "maintenance.equipment",
        "support_contract_equipment_rel",
        "contract_id",
        "equipment_id",
        string="Items",
        copy=False,
        help="The items that a contract for listed items covers.",
    )
    request_ticket_id = fields.Many2one(
        "helpdesk.ticket",
        string="For the Ticket",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        readonly=True,
        help="A contract for one ticket lives from its opening to its closing.",
    )
    apply_to_new_tickets = fields.Boolean(
        default=True,
        help="New tickets of the customer come under this contract by themselves.",
    )
    priority = fields.Integer(
        default=10, help="Of several contracts that cover a ticket, the lowest number wins."
    )

    # The terms, taken from the plan; each can be overridden here.
    currency_id = _from_plan(fields.Many2one)
    billing_period = _from_plan(fields.Selection)
    billing_mode = _from_plan(fields.Selection)
    alignment = _from_plan(fields.Selection)
    proration = _from_plan(fields.Selection)
    overage_policy = _from_plan(fields.Selection, tracking=True)
    warning_thresholds = _from_plan(fields.Char)
    ends_when_used = _from_plan(fields.Boolean)
    bill_approval = _from_plan(fields.Selection)
    pricelist_id = _from_plan(fields.Many2one)
    incident_product_id = _from_plan(fields.Many2one)
    incident_price = _from_plan(fields.Monetary)
    line_ids = _from_plan(
        fields.One2many,
        comodel_name="support.contract.line",
        inverse_name="contract_id",
        copy=True,
        groups="support_contract.group_support_prices",
    )
    allowance_ids = _from_plan(
        fields.One2many,
        comodel_name="support.plan.allowance",
        inverse_name="contract_id",
        copy=True,
    )
    rate_ids = fields.One2many(
        "support.rate",
        "contract_id",
        copy=True,
        groups="support_contract.group_support_prices",
        help="The contract's own rates; they go before those of the plan.",
    )

    term_ids = fields.One2many("support.contract.term", "contract_id")
    entitlement_ids = fields.One2many("support.entitlement", "contract_id")
    charge_ids = fields.One2many(
        "support.charge", "contract_id", groups="support_contract.group_support_prices"
    )
    billed_charge_ids = fields.One2many(
        "support.charge",
        "billing_contract_id",
        groups="support_contract.group_support_prices",
        help="The charges that come on bills of this contract, wherever they were incurred.",
    )
    bill_ids = fields.One2many(
        "support.bill", "contract_id", groups="support_contract.group_support_prices"
    )
    ticket_ids = fields.One2many("helpdesk.ticket", "contract_id")

    _dates = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "A contract can't end before it starts.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "title")
    def _compute_display_name(self):
        for contract in self:
            contract.display_name = " ".join(
                filter(None, (contract.name if contract.name != "/" else "", contract.title))
            )

    @api.depends("plan_id")
    def _compute_title(self):
        for contract in self:
            contract.title = contract.title or contract.plan_id.name

    @api.depends("plan_id")
    def _compute_terms(self):
        """Take over the plan's terms; running contracts keep theirs."""
        for contract in self:
            plan = contract.plan_id
            if contract.state not in ("draft", "pending"):
                continue
            for name in contract._get_terms_fields():
                contract[name] = plan[name]
            contract.currency_id = plan.currency_id or contract.company_id.currency_id
            for name in ("line_ids", "allowance_ids"):
                contract[name] = [fields.Command.clear()] + [
                    fields.Command.create(item._prepare_contract_copy()) for item in plan[name]
                ]

    @api.model
    def _get_terms_fields(self):
        """Return the terms that a contract takes over from its plan; to be extended."""
        return list(TERMS_FIELDS)

    @api.depends("partner_id", "company_id")
    def _compute_partner_values(self):
        for contract in self:
            partner = contract.partner_id.with_company(contract.company_id)
            addresses = partner.address_get(["invoice"]) if partner else {}
            contract.partner_invoice_id = addresses.get("invoice")
            contract.tz = (
                partner.tz or contract.company_id.partner_id.tz or self.env.user.tz or "UTC"
            )

    @api.depends("plan_id", "date_start")
    def _compute_date_end(self):
        for contract in self:
            months = contract.plan_id.duration_months
            contract.date_end = (
                contract.date_start + relativedelta(months=months) - ONE_DAY
                if months and contract.date_start
                else False
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("state", "draft") != "draft":
                raise UserError(self.env._("A contract is made as a draft and then confirmed."))
        unnamed = [vals for vals in vals_list if vals.get("name", "/") == "/"]
        names = self.env["ir.sequence"]._next_many_by_code("support.contract", len(unnamed))
        for vals, name in zip(unnamed, names, strict=True):
            vals["name"] = name or "/"
        # The state is given, so that no context can give another.
        return super().create([vals | {"state": "draft"} for vals in vals_list])

    def write(self, vals):
        if "state" in vals or "payment_pending" in vals:
            raise UserError(
                self.env._("The state of a contract can't be written: use its buttons.")
            )
        changed = SETTLED_FIELDS.intersection(vals)
        for contract in self:
            if changed and contract.state not in ("draft", "pending", "cancelled"):
                contract._check_settled(changed, vals)
        result = super().write(vals)
        if "date_end" in vals:
            self.env["support.contract.term"]._roll(self.filtered("term_ids"))
        return result

    @api.model
    def _get_sources(self, target):
        """Return the states from which a state can be reached."""
        return TRANSITIONS[target]

    def _set_state(self, target):
        """Make every transition; the one door to `state`.

        :param str target: one of STATES
        :raise UserError: if a contract is in a state from which the target can't be reached
        """
        sources = self._get_sources(target)
        wrong = self.filtered(lambda contract: contract.state not in sources)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                "\n".join(
                    self.env._(
                        "%(contract)s is %(state)s and can't become %(target)s.",
                        contract=contract.display_name,
                        state=labels[contract.state],
                        target=labels[target],
                    )
                    for contract in wrong
                )
            )
        # Past our own write(), which refuses the field to everybody else.
        return super().write({"state": target})  # pylint: disable=super-method-mismatch

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for contract, vals in zip(self, vals_list, strict=True):
            if "title" not in (default or {}):
                vals["title"] = self.env._("%s (copy)", contract.title)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_running(self):
        for contract in self:
            if contract.state not in ("draft", "cancelled") or contract.term_ids:
                raise UserError(
                    self.env._(
                        "%(contract)s has a history and can't be deleted. Cancel or terminate it; "
                        "archived contracts are out of the way.",
                        contract=contract.display_name,
                    )
                )

    def _check_settled(self, names, vals):
        self.ensure_one()
        for name in names:
            field = self._fields[name]
            if field.convert_to_cache(vals[name], self) != field.convert_to_cache(self[name], self):
                raise UserError(
                    self.env._(
                        "%(field)s of %(contract)s can't change any more: terms, units and bills "
                        "hang on it. End this contract and make a new one.",
                        field=field._description_string(self.env),
                        contract=self.display_name,
                    )
                )
