# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.support_consumption_preview import Saving
from ..tools.consumption import Block
from ..tools.money import round_to
from ..tools.periods import ONE_DAY, add_months
from ..tools.rating import seconds_of

# Goes behind every grant there is: of two that expire on the same day the older one is used first.
NOT_MADE_YET = 2**31


class SupportTopUpWizard(models.TransientModel):
    """Adds units to the running term of a prepaid contract, at a price or free of charge (C40)."""

    _name = "support.top.up.wizard"
    _inherit = ["support.decision.mixin", "support.whole.mixin"]
    _description = "Top up a Support Contract"
    _whole_fields = ("quantity", "incidents")

    plan_id = fields.Many2one(related="contract_id.plan_id")
    source = fields.Selection(
        [("plan", "A top-up plan"), ("units", "Any units")],
        string="What",
        compute="_compute_source",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    top_up_plan_id = fields.Many2one(
        "support.top.up.plan",
        compute="_compute_top_up_plan_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('plan_ids', '=', plan_id), ('currency_id', '=', currency_id)]",
    )
    quantity = fields.Integer(string="Packages", default=1, required=True)
    hours = fields.Float(help="Time in hours and minutes.")
    incidents = fields.Integer()
    product_id = fields.Many2one(
        "product.product",
        string="Billed As",
        compute="_compute_plan_values",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
        help="The product on the invoice; its taxes and accounts apply.",
    )
    activity_type_ids = fields.Many2many(
        "support.activity.type",
        string="For Activities",
        compute="_compute_plan_values",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('company_id', 'in', (False, company_id))]",
        help="Only work of these types draws on the hours; empty: all work does.",
    )
    free_of_charge = fields.Boolean(help="It comes on the bill at nothing.")
    price_unit = fields.Float(
        string="Price",
        digits="Product Price",
        compute="_compute_plan_values",
        store=True,
        readonly=False,
        precompute=True,
        help="Of one package, untaxed.",
    )
    billing = fields.Selection(
        [("now", "At once, on a bill of its own"), ("term", "With the next bill of the contract")],
        string="Billed",
        required=True,
        default="now",
    )
    validity = fields.Selection(
        [
            ("term", "In the running term"),
            ("contract", "Until the contract's end"),
            ("date", "Until a date"),
            ("life", "For life"),
        ],
        string="Can Be Used",
        compute="_compute_plan_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    date_to = fields.Date(
        string="Until",
        compute="_compute_plan_values",
        store=True,
        readonly=False,
        precompute=True,
        help="The last day of use.",
    )
    absorb = fields.Boolean(
        string="Take over What Exceeded",
        help="Work of the running term that exceeded the allowance draws on it, and isn't charged "
        "any more. What is billed already stays as it was. Without it the units serve work that "
        "is recorded from now on.",
    )

    # === COMPUTE METHODS === #

    @api.depends("contract_id")
    def _compute_source(self):
        for wizard in self:
            wizard.source = "plan" if wizard._get_offered() else "units"

    @api.depends("contract_id", "source")
    def _compute_top_up_plan_id(self):
        for wizard in self:
            offered = wizard._get_offered() if wizard.source == "plan" else []
            wizard.top_up_plan_id = wizard.top_up_plan_id if offered else False
            if len(offered) == 1:
                wizard.top_up_plan_id = offered

    @api.depends("top_up_plan_id", "source")
    def _compute_plan_values(self):
        for wizard in self:
            plan = wizard.top_up_plan_id
            wizard.price_unit = plan.price
            wizard.product_id = plan.product_id or self.env.ref(
                "support_contract.product_top_up", raise_if_not_found=False
            )
            wizard.activity_type_ids = plan.activity_type_ids
            wizard.date_to = False
            if plan.validity == "months":
                today = wizard.contract_id._get_today()
                wizard.validity = "date"
                wizard.date_to = add_months(today, plan.validity_months) - ONE_DAY
            else:
                wizard.validity = plan.validity or "term"

    @api.depends(
        "contract_id", "source", "top_up_plan_id", "quantity", "hours", "incidents", "product_id",
        "activity_type_ids", "free_of_charge", "price_unit", "billing", "validity", "date_to",
        "absorb",
    )  # fmt: skip
    def _compute_preview(self):
        for wizard in self:
            try:
                wizard._check()
                rows = wizard._describe()
            except UserError as error:
                rows = [str(error)]
            wizard.preview = Markup("<ul>%s</ul>") % Markup("").join(
                Markup("<li>%s</li>") % row for row in rows
            )

    # === ACTIONS === #

    def action_top_up(self):
        """Top up, once however often it is sent, and show the bill if there is one at once."""
        change = self._run("top_up")
        bill = change.charge_ids.bill_id
        if bill:
            return bill._get_records_action(name=self.env._("Bill"))
        return {"type": "ir.actions.act_window_close"}

    # === DECISION === #

    def _check(self):  # pylint: disable=missing-return
        super()._check()
        contract = self.contract_id
        contract._check_top_up()
        if self.source == "plan" and contract.plan_id not in self.top_up_plan_id.plan_ids:
            raise UserError(
                self.env._(
                    "Choose a top-up plan that is for contracts of “%(plan)s”, add one in the "
                    "configuration, or enter any units.",
                    plan=contract.plan_id.name,
                )
            )
        if self.source == "plan" and self.quantity <= 0:
            raise UserError(self.env._("Enter how many packages: at least one."))
        units = self._get_units()
        if not units or min(units.values()) < 0:
            raise UserError(self.env._("Enter hours or incidents above zero."))
        if self.price_unit < 0:
            raise UserError(
                self.env._(
                    "The price of a top-up can't be negative. To give money back, give a credit."
                )
            )
        if not self.product_id:
            raise UserError(self.env._("Choose the product as which it is billed."))
        if self.validity == "date" and (not self.date_to or self.date_to < contract._get_today()):
            raise UserError(
                self.env._("Choose a last day of use that is not over yet, or another validity.")
            )

    def _decide(self):
        contract = self.contract_id
        savings = self._get_savings()
        # A bill is made by who may; what pays for units is guarded, also from who makes it.
        charge = self.env["support.charge"].create(self._prepare_charge())
        grants = self.env["support.entitlement"]._grant(
            [
                self._prepare_grant(unit, amount) | {"charge_id": charge.id}
                for unit, amount in self._get_units().items()
            ]
        )
        if self.absorb:
            self.env["support.consumption"]._reallocate(grants._get_pool_starts())
        if self.billing == "now" and charge.amount:
            bill = self.env["support.bill"]._bill_at_once(charge, contract._get_today())
            bill.action_submit()
        amount = charge.amount - sum(saving.amount for saving in savings.values())
        return {
            "summary": " ".join(self._summarise(savings)),
            "amount": contract.currency_id.round(amount),
            "charge_ids": [Command.link(charge.id)],
        }

    # === VALUES === #

    def _get_offered(self):
        """Return the top-up plans that the plan of the contract offers."""
        self.ensure_one()
        return self.contract_id.plan_id.top_up_plan_ids.filtered(
            lambda top_up: top_up.currency_id == self.currency_id
        )

    def _get_units(self):
        """Return what is added: {unit: seconds or incidents}, without those of which nothing is."""
        self.ensure_one()
        plan = self.top_up_plan_id
        if self.source == "plan":
            units = {
                "time": plan.seconds * self.quantity,
                "incident": plan.incidents * self.quantity,
            }
        else:
            units = {"time": seconds_of(self.hours), "incident": self.incidents}
        return {unit: amount for unit, amount in units.items() if amount}

    def _get_packages(self):
        self.ensure_one()
        return self.quantity if self.source == "plan" else 1

    def _get_amount(self):
        """Return what it costs, untaxed: exact until the one rounding (ex. C23)."""
        self.ensure_one()
        if self.free_of_charge:
            return 0.0
        exact = Decimal(str(self.price_unit)) * self._get_packages()
        return float(round_to(exact, Decimal(str(self.currency_id.rounding))))

    def _get_days(self):
        """Return the first and the last day of use; the last one is False for life."""
        self.ensure_one()
        contract = self.contract_id
        term = contract._get_running_term()
        last = {"term": term.date_end, "contract": contract.date_end, "date": self.date_to}
        first = max(term.date_start, contract._get_life().start)
        return first if self.absorb else contract._get_today(), last.get(self.validity) or False

    def _get_name(self):
        self.ensure_one()
        return self.top_up_plan_id.name if self.source == "plan" else self.env._("Top-up")

    def _get_activity_types(self, unit):
        """Return the activities it is limited to; incidents are counted per ticket."""
        self.ensure_one()
        return self.activity_type_ids if unit == "time" else self.activity_type_ids.browse()

    def _prepare_grant(self, unit, amount):
        contract = self.contract_id
        first, last = self._get_days()
        return {
            "name": self._get_name(),
            "origin": "top_up",
            "reason": self.reason,
            "unit": unit,
            "amount": amount,
            "date_from": first,
            "date_to": last,
            # Taking over what exceeded is a fact of the grant: it serves all work within its days.
            "made_at": False if self.absorb else fields.Datetime.now(),
            "partner_id": contract.commercial_partner_id.id,
            "company_id": contract.company_id.id,
            "contract_id": contract.id,
            "term_id": contract._get_running_term().id,
            "activity_type_ids": [Command.set(self._get_activity_types(unit).ids)],
        }

    def _prepare_charge(self):
        contract = self.contract_id
        plan = self.top_up_plan_id if self.source == "plan" else self.top_up_plan_id.browse()
        lang = contract.partner_id.lang
        term = contract._get_running_term()
        amount = self._get_amount()
        label = f"{plan.with_context(lang=lang).name or self._get_name()}: {self._format_units()}"
        return {
            "kind": "top_up",
            "name": "\n".join(filter(None, [label, plan.with_context(lang=lang).description])),
            "date": contract._get_today(),
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "term_id": term.id,
            "billing_term_id": contract._get_billing_term(term).id,
            "product_id": self.product_id.id,
            "quantity": self._get_packages(),
            "price_unit": 0.0 if self.free_of_charge else self.price_unit,
            "amount": amount,
            "top_up_plan_id": plan.id,
        }

    def _get_savings(self):
        """Return what it takes over of what exceeded: {unit: Saving}."""
        contract = self.contract_id
        first, last = self._get_days()
        if not self.absorb:
            return {unit: Saving(0, 0.0) for unit in self._get_units()}
        return {
            unit: self.env["support.consumption"]._preview_more(
                contract,
                unit,
                contract._get_midnight(first),
                Block(
                    id=NOT_MADE_YET,
                    remaining=amount,
                    priority=10,
                    date_from=first,
                    date_to=last or None,
                    scope=frozenset(self._get_activity_types(unit).ids) or None,
                    owner=contract.id,
                    overdraft=False,
                    made_at=None,
                ),
            )
            for unit, amount in self._get_units().items()
        }
