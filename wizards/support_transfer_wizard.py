# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportTransferWizard(models.TransientModel):
    """Carries debts to the next term: whole charges, or a part of one (Q10, Q11)."""

    _name = "support.transfer.wizard"
    _inherit = "support.charge.wizard.mixin"
    _description = "Carry Debts to the Next Term"

    line_ids = fields.One2many("support.transfer.wizard.line", "wizard_id")

    @api.model
    def _get_title(self):
        return self.env._("Carry to Next Term")

    @api.model
    def _is_offered(self, charge):
        return (
            super()._is_offered(charge)
            and not charge.currency_id.is_zero(charge.amount)
            and not charge._is_carried_out_part()
        )

    @api.model
    def _prepare_line(self, charge):
        return super()._prepare_line(charge) | {"amount": charge.amount}

    @api.model
    def _open_contract(self, contract):
        """Return the action on all debts of a contract that can still be carried."""
        charges = contract.billed_charge_ids.filtered(lambda c: c.state in ("open", "billed"))
        if not charges.filtered(self._is_offered):
            raise UserError(
                self.env._("%s has no open debts that could be carried.", contract.display_name)
            )
        action = self._open(charges)
        for _command, _id, vals in action["context"]["default_line_ids"]:
            vals["chosen"] = False
        return action

    @api.depends("line_ids.chosen", "line_ids.amount", "line_ids.charge_id", "bill_id")
    def _compute_due(self):
        for wizard in self:
            wizard.due_before = wizard._get_due_before()
            carried = sum(wizard.line_ids.filtered("chosen").mapped("amount"))
            wizard.due_after = wizard.due_before - carried

    @api.depends("line_ids.chosen", "line_ids.amount", "line_ids.charge_id")
    def _compute_preview(self):
        for wizard in self:
            if not wizard.line_ids.filtered("chosen"):
                wizard.preview = Markup('<p class="text-muted mb-0">%s</p>') % (
                    self.env._("Tick what the customer shall pay with the next invoice.")
                )
                continue
            try:
                plans = wizard._plan()
            except UserError as error:  # said here already, before it is confirmed
                wizard.preview = wizard._render_error(error)
                continue
            rows = [(plan.charge.name, wizard._describe(plan), plan.amount) for plan in plans]
            rows.append((self.env._("Carried in all"), "", sum(plan.amount for plan in plans)))
            wizard.preview = wizard._render_rows(rows) + wizard._render_units()

    def _describe(self, plan):
        """Return where a charge comes, and who must agree."""
        term = plan.term.display_name or self.env._("the next term")
        if plan.contract != self.contract_id:
            term = self.env._(
                "%(contract)s, %(term)s", contract=plan.contract.display_name, term=term
            )
        texts = [self.env._("To be charged in %s.", term)]
        if plan.partial:
            texts.append(self.env._("A part of %s.", self.currency_id.format(plan.charge.amount)))
        if plan.number > 1:
            texts.append(self.env._("Carried for the %s. time.", plan.number))
        if plan.excess:
            texts.append(self.env._("Another manager must approve it: %s", plan.excess))
        return " ".join(texts)

    def _render_units(self):
        """Say what happens to units, which need no wizard to be carried."""
        if self.contract_id.overage_policy != "carry":
            return Markup()
        return Markup('<p class="text-muted mt-2 mb-0">%s</p>') % self.env._(
            "Units below zero go to the next term of this contract by themselves, at the end of "
            "the term."
        )

    def _plan(self):
        lines = self.line_ids.filtered("chosen")
        amounts = {line.charge_id.id: line.amount for line in lines}
        return self._get_chosen()._plan_carry(amounts)

    def _decide(self):
        plans = self._plan()
        transfers = self.env["support.charge"]._carry(plans, self.reason)
        texts = []
        for transfer in transfers:
            values = {"name": transfer.name, "term": transfer.to_term_id.display_name}
            texts.append(
                self.env._("“%(name)s” waits for an approval to be charged in %(term)s.", **values)
                if transfer.state == "to_approve"
                else self.env._("“%(name)s”: to be charged in %(term)s.", **values)
            )
        return {"summary": "\n".join(texts)}

    def action_carry(self):
        self._run("transfer")
        return {"type": "ir.actions.act_window_close"}


class SupportTransferWizardLine(models.TransientModel):
    _name = "support.transfer.wizard.line"
    _inherit = "support.charge.wizard.line.mixin"
    _description = "Debt to Carry to the Next Term"

    wizard_id = fields.Many2one("support.transfer.wizard", required=True, ondelete="cascade")
    amount = fields.Monetary(
        string="Carry", help="Untaxed. Less than the whole: only this part is carried."
    )
