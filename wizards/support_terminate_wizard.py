# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..models.support_contract import RUNNING_STATES


class SupportTerminateWizard(models.TransientModel):
    """Ends a contract early (C43, ex. A22, A23, B39): fees, units, debts and the final bill."""

    _name = "support.terminate.wizard"
    _inherit = "support.decision.mixin"
    _description = "Terminate a Support Contract"

    last_day = fields.Date(required=True, help="The contract covers this day, too.")
    date_end = fields.Date(related="contract_id.date_end", string="Would End")
    billed_through = fields.Date(compute="_compute_billed_through")
    credit_fees = fields.Boolean(
        string="Credit what was paid in advance",
        help="What was billed for days after the last one is given back by days: what the term "
        "should have cost, less what was charged for it.",
    )
    fee_amount = fields.Monetary(
        string="Early-Termination Fee", help="Untaxed; the taxes are those of the product."
    )
    fee_product_id = fields.Many2one("product.product", domain="[('sale_ok', '=', True)]")
    after_end_policy = fields.Selection(
        [
            ("rollover", "Rollover: it waits for the customer's next contract"),
            ("ignore", "Ignore: it is kept for reports and charged by nobody"),
        ],
        string="Work on Open Tickets After the End",
        required=True,
        help="For work recorded from now on. Proposed is what the company does.",
    )
    settle_now = fields.Boolean(
        string="Bill now",
        help="Settle units and make the final bill at once, before the last day is over.",
    )
    unit_ids = fields.One2many("support.terminate.wizard.unit", "wizard_id")

    # === COMPUTE METHODS === #

    @api.depends("contract_id")
    def _compute_billed_through(self):
        for wizard in self:
            wizard.billed_through = wizard.contract_id._get_billed_through()

    @api.depends(
        "last_day",
        "credit_fees",
        "fee_amount",
        "fee_product_id",
        "settle_now",
        "unit_ids.action",
        "unit_ids.amount",
        "unit_ids.target_id",
        "unit_ids.date_to",
    )
    def _compute_preview(self):
        for wizard in self:
            problem = wizard._get_problem()
            if problem:
                wizard.preview = Markup('<div class="alert alert-danger mb-0">%s</div>') % problem
            else:
                wizard.preview = wizard._render_effects(wizard._get_effects())

    # === ACTIONS === #

    def action_terminate(self):
        """End the contract; what is over already is settled and billed at once."""
        change = self._run("terminate")
        termination = self.contract_id.termination_id.sudo()  # notes its own decision
        termination.change_id = termination.change_id or change
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    @api.model
    def default_get(self, fields):
        """Propose today, and all that is unused."""
        values = super().default_get(fields)
        contract = self.env["support.contract"].browse(values.get("contract_id"))
        if not contract:
            return values
        proposed = self._prepare_proposal(contract)
        return values | {name: proposed[name] for name in proposed.keys() & set(fields)}

    @api.model
    def _prepare_proposal(self, contract):
        today = contract._get_today()
        product = self.env.ref("support_contract.product_termination_fee")
        grants = contract.entitlement_ids.filtered(
            lambda grant: grant.remaining > 0 and grant._get_unused()
        )
        return {
            "last_day": min(today, contract.date_end or today),
            "after_end_policy": contract._get_after_end_policy(),
            "fee_product_id": product.id,
            "unit_ids": [
                Command.create(self.unit_ids._prepare_unit(grant, contract))
                for grant in grants.sorted(lambda grant: (grant.date_from, grant.id))
            ],
        }

    def _get_problem(self):
        """Return why this can't be done now, with what to do; False: it can."""
        self.ensure_one()
        try:
            self._check_contract()
            self._check_day()
            self._check_fee()
            self.unit_ids._check_units()
        except UserError as error:
            return str(error)
        return False

    def _check(self):
        self.unit_ids.entitlement_id._lock_pools()  # so that what is checked stays true
        problem = self._get_problem()
        if problem:
            raise UserError(problem)

    def _check_contract(self):
        contract = self.contract_id
        if contract.termination_id:
            raise UserError(contract.termination_label)
        if contract.renewal_id.state == "pending":
            raise UserError(
                self.env._(
                    "%(contract)s goes on with %(renewal)s, which is signed. Cancel that first.",
                    contract=contract.display_name,
                    renewal=contract.renewal_id.display_name,
                )
            )
        if contract._is_for_request():
            raise UserError(
                self.env._(
                    "%s is for a single ticket and ends when that is closed.",
                    contract.display_name,
                )
            )
        if contract.state in ("draft", "pending"):
            raise UserError(
                self.env._(
                    "%s has not begun: it can only be terminated while it runs. Cancel it instead.",
                    contract.display_name,
                )
            )
        if contract.state not in RUNNING_STATES:
            labels = dict(contract._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(contract)s is %(state)s: it can only be terminated while it runs.",
                    contract=contract.display_name,
                    state=labels[contract.state],
                )
            )

    def _check_day(self):
        contract, day = self.contract_id, self.last_day
        life = contract._get_life()
        if not day or not life.start <= day <= life.end:
            raise UserError(
                self.env._(
                    "%(contract)s runs %(life)s: choose a last day within.",
                    contract=contract.display_name,
                    life=self.env._(
                        "from %(start)s until %(end)s",
                        start=format_date(self.env, life.start),
                        end=format_date(self.env, contract.date_end)
                        if contract.date_end
                        else self.env._("no end"),
                    ),
                )
            )
        last = self.billed_through
        if last and day < last and not self.credit_fees:
            raise UserError(contract._explain_billed_through(last, day))
        today = contract._get_today()
        if self.settle_now and day > contract._get_term_on(today).whole_end:
            raise UserError(
                self.env._(
                    "It can be billed now only if it ends within the running term. Leave “Bill "
                    "now” out: the final bill is made when the last day is over."
                )
            )

    def _check_fee(self):
        if self.currency_id.compare_amounts(self.fee_amount, 0) < 0:
            raise UserError(self.env._("The fee can't be negative: give a credit instead."))
        if self.fee_amount and not self.fee_product_id:
            raise UserError(self.env._("Choose the product that bills the fee."))

    def _decide(self):
        contract = self.contract_id
        effects = self._get_effects()
        # Only through here: nobody has the right to write terminations.
        termination = self.env["support.contract.termination"].sudo()
        termination = termination.create(self._prepare_termination())
        contract.write({"date_end": self.last_day, "after_end_policy": self.after_end_policy})
        if self.settle_now:
            termination._settle()
            termination._bill()
        return {
            "summary": self._summarize(effects),
            "amount": sum(effect["amount"] for effect in effects if effect["new"]),
        }

    def _prepare_termination(self):
        contract = self.contract_id
        return {
            "contract_id": contract.id,
            "last_day": self.last_day,
            "reason": self.reason,
            "user_id": self.env.uid,
            "credit_fees": self.credit_fees,
            "fee_amount": self.fee_amount,
            "fee_product_id": self.fee_product_id.id,
            "prior_date_end": contract.date_end,
            "prior_state": contract.state,
            "prior_after_end_policy": contract.after_end_policy,
            "unit_ids": [Command.create(unit._prepare_decision()) for unit in self.unit_ids],
        }

    # === EFFECTS === #

    def _get_effects(self):
        """Return what the termination comes to, as far as it is known today.

        :return: dicts of `label`, `amount` (signed, untaxed) and `new`: it is decided here, and
            wasn't owed before
        """
        self.ensure_one()
        effects = [*self._get_fee_effects(), *self.unit_ids._get_effects()]
        if not self.currency_id.is_zero(self.fee_amount):
            name = self.fee_product_id.display_name
            effects.append({"label": name, "amount": self.fee_amount, "new": True})
        return effects

    def _get_fee_effects(self):
        """Return the credits of charged terms, the fees still to come, and the open debts."""
        contract, day = self.contract_id, self.last_day
        regular = contract.term_ids.filtered(lambda term: term.kind == "regular").sorted("number")
        effects = []
        for term in regular.filtered(lambda term: term.charged and term.date_end > day):
            used = max((min(day, term.date_end) - term.date_start).days + 1, 0)
            unused = (term.date_end - term.date_start).days + 1 - used
            for line in contract.line_ids:
                amount = line._get_difference(term, day)
                if not self.currency_id.is_zero(amount):
                    label = self.env._(
                        "%(product)s, %(term)s: %(days)s days after the end",
                        product=line.product_id.display_name,
                        term=term.display_name,
                        days=unused,
                    )
                    effects.append({"label": label, "amount": amount, "new": True})
        coming = regular.filtered(lambda term: not term.charged and term.date_start <= day)
        fees = sum(fee["amount"] for term in coming for fee in term._prepare_fees(until=day))
        if fees:
            label = self.env._("Recurring products until the last day, not billed yet")
            effects.append({"label": label, "amount": fees, "new": False})
        debts = self.env["support.charge"].search(
            [("billing_contract_id", "=", contract.id), ("state", "=", "open")]
        )
        owed = sum(debts.mapped("amount"))
        if not self.currency_id.is_zero(owed):
            label = self.env._("Open debts and credits, not billed yet")
            effects.append({"label": label, "amount": owed, "new": False})
        return effects

    def _render_effects(self, effects):
        """Return the effects as a table, with the total of what is still to be billed."""
        row = Markup('<tr><td>%s</td><td class="text-end">%s</td></tr>')
        rows = Markup().join(
            row
            % (
                effect["label"],
                "" if effect["amount"] is None else self.currency_id.format(effect["amount"]),
            )
            for effect in [
                {"label": self._get_end_label(), "amount": None},
                *effects,
            ]
        )
        total = sum(effect["amount"] for effect in effects)
        label = (
            self.env._("Still to be billed, untaxed")
            if self.currency_id.compare_amounts(total, 0) >= 0
            else self.env._("To be credited, untaxed")
        )
        table = Markup(
            '<table class="table table-sm mb-0"><tbody>%s</tbody><tfoot class="fw-bold">%s</tfoot>'
            "</table>"
        ) % (rows, row % (label, self.currency_id.format(total)))
        note = self._get_bills_label()
        return table + Markup('<p class="text-muted mt-2 mb-0">%s</p>') % note if note else table

    def _get_bills_label(self):
        """Return that it comes on several bills: every due term has its own, however late (T4)."""
        terms = self.contract_id.term_ids.filtered(
            lambda term: (
                term.kind == "regular" and not term.billed and term.date_start <= self.last_day
            )
        )
        # What is over in advance is billed on a final bill; in arrears on that of the last term.
        last = 0 if self.contract_id.billing_mode == "advance" else 1
        if len(terms) <= last:
            return ""
        return self.env._(
            "Terms that aren't billed yet keep a bill of their own: %s.",
            ", ".join(terms.sorted("number").mapped("display_name")),
        )

    def _get_end_label(self):
        day = format_date(self.env, self.last_day)
        if self.last_day < self.contract_id._get_today():
            return self.env._("It ended on %s and is settled at once.", day)
        if self.settle_now:
            return self.env._("It covers tickets through %s and is settled now.", day)
        return self.env._(
            "It covers tickets through %s. What is then left, used or owed is settled on the day "
            "after; below as of today.",
            day,
        )

    def _summarize(self, effects):
        """Return the effects as text for the history."""
        lines = [self._get_end_label()]
        for effect in effects:
            if effect["new"]:
                lines.append(effect["label"])
        return "\n".join(lines)
