# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.support_contract_copy import PriceChange
from ..models.support_contract_renewal import RENEWAL_UNITS
from ..models.support_contract_renewing import Renewal
from ..tools.periods import ONE_DAY


class SupportRenewWizard(models.TransientModel):
    """Renews a contract that runs: by another one that starts the day after its end (C42, C43)."""

    _name = "support.renew.wizard"
    _inherit = ["support.decision.mixin"]
    _description = "Renew a Support Contract"

    plan_id = fields.Many2one(
        "support.plan",
        required=True,
        compute="_compute_plan_id",
        store=True,
        readonly=False,
        precompute=True,
        help="The same plan: the renewal has the terms that the contract has now. Another one: it "
        "has the terms, products and allowances of that plan.",
    )
    other_plan = fields.Boolean(compute="_compute_other_plan")
    date_start = fields.Date(string="Starts", compute="_compute_date_start")
    duration_months = fields.Integer(
        string="Duration (months)",
        compute="_compute_duration_months",
        store=True,
        readonly=False,
        help="As the plan says, else as long as the contract ran. 0: as many days as before.",
    )
    date_end = fields.Date(
        string="Ends",
        compute="_compute_date_end",
        store=True,
        readonly=False,
        help="The last day. Empty: without end.",
    )
    price_change = fields.Selection(
        [("none", "Stay as they are"), ("percent", "By per cent"), ("amount", "By an amount")],
        string="Prices",
        required=True,
        default="none",
    )
    price_percent = fields.Float(
        string="Per Cent", digits=(16, 4), help="Below zero: the prices are reduced."
    )
    price_amount = fields.Monetary(
        string="Amount", help="Added to each price. Below zero: the prices are reduced."
    )
    price_products = fields.Boolean(string="Of recurring products", default=True)
    price_rates = fields.Boolean(string="Of the contract's own rates", default=True)
    price_incidents = fields.Boolean(string="Of incidents", default=True)
    renewal_units = fields.Selection(
        RENEWAL_UNITS, string="Units Left at the End", required=True, default="allowance"
    )
    cap_hours = fields.Float(string="Hours at Most", help="0: all of them.")
    cap_incidents = fields.Integer(string="Incidents at Most", help="0: all of them.")
    client_order_ref = fields.Char(
        string="Customer's Order Number", help="Of the renewal; printed on its bills and invoices."
    )
    copy_documents = fields.Boolean(help="The attachments of the contract, such as signed copies.")
    confirm = fields.Boolean(
        string="Confirm at Once",
        default=True,
        help="It is signed and waits for its start. Otherwise it is made as a draft, in which "
        "everything can still be changed.",
    )

    # === COMPUTE METHODS === #

    @api.depends("contract_id")
    def _compute_plan_id(self):
        for wizard in self:
            wizard.plan_id = wizard.contract_id.plan_id

    @api.depends("plan_id")
    def _compute_other_plan(self):
        for wizard in self:
            wizard.other_plan = wizard.plan_id != wizard.contract_id.plan_id

    @api.depends("contract_id.date_end")
    def _compute_date_start(self):
        for wizard in self:
            end = wizard.contract_id.date_end
            wizard.date_start = end and end + ONE_DAY

    @api.depends("plan_id")
    def _compute_duration_months(self):
        for wizard in self:
            wizard.duration_months = wizard.contract_id._get_renewal_months(wizard.plan_id)

    @api.depends("contract_id", "duration_months")
    def _compute_date_end(self):
        for wizard in self:
            contract, months = wizard.contract_id, max(wizard.duration_months, 0)
            wizard.date_end = contract.date_end and contract._get_renewal_end(months)

    @api.depends(
        "plan_id",
        "date_end",
        "price_change",
        "price_percent",
        "price_amount",
        "price_products",
        "price_rates",
        "price_incidents",
        "renewal_units",
        "cap_hours",
        "cap_incidents",
    )
    def _compute_preview(self):
        for wizard in self:
            try:
                wizard._check()
                wizard.preview = wizard._get_preview()
            except UserError as error:
                wizard.preview = (
                    Markup("<div class='alert alert-warning mb-0' role='alert'>%s</div>")
                    % error.args[0]
                )

    # === ACTIONS === #

    def action_renew(self):
        """Renew the contract and show the renewal."""
        self._run("renew")
        renewal = self.contract_id.renewal_id
        return renewal._get_records_action(name=self.env._("Renewal"))

    # === DECISION === #

    def _check(self):
        result = super()._check()
        self.contract_id._check_renewable(self.plan_id)
        if self.date_end and self.date_end < self.date_start:
            raise UserError(
                self.env._(
                    "The renewal starts on %(start)s and can't end before. Choose a later end.",
                    start=format_date(self.env, self.date_start),
                )
            )
        if self.cap_hours < 0 or self.cap_incidents < 0:
            raise UserError(
                self.env._("What is carried at most can't be negative. Enter 0 to carry all.")
            )
        return result

    def _decide(self):
        renewal = self.contract_id._renew(self._get_wish())
        if self.confirm:
            renewal.action_confirm()
        return {"summary": self._get_summary(renewal)}

    def _get_wish(self):
        """Return what is asked for.

        :rtype: Renewal
        """
        self.ensure_one()
        value = self.price_percent if self.price_change == "percent" else self.price_amount
        return Renewal(
            plan=self.plan_id,
            date_end=self.date_end,
            prices=PriceChange(
                self.price_change,
                Decimal(str(value)),
                self.price_products,
                self.price_rates,
                self.price_incidents,
            ),
            units=self.renewal_units,
            caps=(self.cap_hours, self.cap_incidents),
            client_order_ref=self.client_order_ref,
            documents=self.copy_documents,
        )

    def _get_summary(self, renewal):
        """Return in words what was decided, without prices: everybody of the staff may read it."""
        units = dict(renewal._fields["renewal_units"]._description_selection(self.env))
        return self.env._(
            "By %(renewal)s, plan %(plan)s, %(start)s – %(end)s. Units left: %(units)s.",
            renewal=renewal.display_name,
            plan=renewal.plan_id.name,
            start=format_date(self.env, renewal.date_start),
            end=format_date(self.env, renewal.date_end) if renewal.date_end else "…",
            units=units[renewal.renewal_units],
        )

    # === PREVIEW === #

    def _get_preview(self):
        """Return what the renewal would be like, from the values with which it will be made."""
        contract = self.contract_id
        values = contract._prepare_renewal(self._get_wish())
        renewal = contract.new(values)
        start, end = (
            format_date(self.env, day) if day else "…" for day in (self.date_start, self.date_end)
        )
        parts = [
            Markup("<p>%s</p>")
            % self.env._("A new contract, from %(start)s until %(end)s.", start=start, end=end),
            self._get_price_table(renewal),
            self._get_units_table(renewal),
        ]
        return Markup("").join(part for part in parts if part)

    def _get_price_table(self, renewal):
        """Return the recurring products, rates and the incident price, old and new."""
        old = self.contract_id
        same = not self.other_plan
        rows = [
            (line.name, line.quantity, before and before.price_unit, line.price_unit)
            for line, before in zip(
                renewal.line_ids,
                self._get_lines_before() if same else [None] * len(renewal.line_ids),
                strict=True,
            )
        ]
        rows += [
            (rate.name or rate.activity_type_id.name or "", None, before.price, rate.price)
            for rate, before in zip(renewal.rate_ids, old.rate_ids, strict=True)
            if rate.kind != "multiplier"
        ]
        if renewal.incident_price:
            name = self.env._("Incident")
            rows.append((name, None, old.incident_price, renewal.incident_price))
        if not rows:
            return ""
        currency = old.currency_id
        head = (
            self.env._("Price of"),
            self.env._("Quantity"),
            self.env._("Until Now"),
            self.env._("New"),
        )
        return self._get_table(
            head,
            [
                (
                    name,
                    "" if quantity is None else f"{quantity:g}",
                    "–" if before is None else currency.format(before),
                    currency.format(after),
                )
                for name, quantity, before, after in rows
            ],
        )

    def _get_lines_before(self):
        """Return what holds for each recurring product on the last day, as the renewal has them."""
        contract = self.contract_id
        lines = contract.line_ids.filtered(lambda line: line._prepare_continued(contract.date_end))
        return [line._get_change_on(contract.date_end) or line for line in lines]

    def _get_units_table(self, renewal):
        """Return what becomes of the units that are left today, if no more are used."""
        rows = []
        for fate in self.contract_id._preview_units(renewal):
            grant, until = fate.grant, fate.until
            lost = max(fate.left - fate.carried, 0) if fate.left > 0 else 0
            rows.append(
                (
                    grant.name,
                    grant._format_units(fate.left),
                    grant._format_units(fate.carried),
                    (format_date(self.env, until) if until else "…") if fate.carried else "",
                    grant._format_units(lost),
                )
            )
        note = self.env._(
            "What is left, or owed, on the contract's last day counts. Today that would be:"
        )
        if not rows:
            return Markup("<p class='text-muted'>%s</p>") % self.env._(
                "Nothing that is left today lasts until the contract's end. What is left, or owed, "
                "on that day counts."
            )
        head = (
            self.env._("Units"),
            self.env._("Left"),
            self.env._("Go Over"),
            self.env._("Usable Until"),
            self.env._("Lost"),
        )
        return Markup("<p class='text-muted'>%s</p>") % note + self._get_table(head, rows)

    @api.model
    def _get_table(self, head, rows):
        """Return a table; the first column is text, the others are figures."""

        def row(tag, cells):
            first, *others = cells
            figures = Markup("").join(
                Markup("<{0} class='text-end'>{1}</{0}>").format(Markup(tag), cell)
                for cell in others
            )
            return Markup("<tr><{0}>{1}</{0}>{2}</tr>").format(Markup(tag), first, figures)

        body = Markup("").join(row("td", cells) for cells in rows)
        return Markup(
            "<table class='table table-sm o_support_preview'><thead>{0}</thead>"
            "<tbody>{1}</tbody></table>"
        ).format(row("th", head), body)
