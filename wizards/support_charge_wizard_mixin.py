# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SupportChargeWizardMixin(models.AbstractModel):
    """A decision about some charges of one contract, ticked in a list."""

    _name = "support.charge.wizard.mixin"
    _inherit = "support.decision.mixin"
    _description = "Decision about Support Charges"

    bill_id = fields.Many2one("support.bill", readonly=True)
    due_before = fields.Monetary(
        compute="_compute_due",
        string="Due Now",
        help="Untaxed: of the bill, or of the charges in the list.",
    )
    due_after = fields.Monetary(
        compute="_compute_due", string="Due Afterwards", help="Untaxed, as soon as you confirm."
    )

    @api.model
    def _open(self, charges, bill=None):
        """Return the action that opens this wizard on charges; those of a bill aren't ticked.

        :raise UserError: for charges of several contracts or of none
        """
        charges = charges.filtered(lambda charge: self._is_offered(charge))
        contract = charges.billing_contract_id if not bill else bill.contract_id
        if not charges:
            raise UserError(self.env._("There is no charge here that this could be done with."))
        if len(contract) != 1 or any(not charge.billing_contract_id for charge in charges):
            raise UserError(
                self.env._(
                    "Choose charges of one contract: what is decided is kept in the history of "
                    "the contract. What belongs to no contract is changed on its ticket."
                )
            )
        lines = [
            Command.create(self._prepare_line(charge) | {"chosen": not bill}) for charge in charges
        ]
        return {
            "type": "ir.actions.act_window",
            "name": self._get_title(),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_contract_id": contract.id,
                "default_bill_id": bill.id if bill else False,
                "default_line_ids": lines,
            },
        }

    @api.model
    def _get_title(self):
        """Return the title of the window; to be overridden."""
        raise NotImplementedError

    @api.model
    def _is_offered(self, charge):
        """Return whether a charge is worth being listed."""
        return not charge.cancelled

    @api.model
    def _prepare_line(self, charge):
        """Return the values of the line of a charge."""
        return {"charge_id": charge.id}

    def _compute_due(self):
        """To be overridden, with its dependencies."""
        raise NotImplementedError

    def _get_due_before(self):
        self.ensure_one()
        listed = self.line_ids.charge_id
        return self.bill_id.amount_untaxed if self.bill_id else sum(listed.mapped("amount"))

    def _get_chosen(self):
        """Return the charges that are ticked.

        :raise UserError: if none is
        """
        chosen = self.line_ids.filtered("chosen").charge_id
        if not chosen:
            raise UserError(self.env._("Tick at least one charge in the list."))
        return chosen

    def _check(self):  # pylint: disable=missing-return
        super()._check()
        if self._get_chosen().billing_contract_id != self.contract_id:
            raise UserError(
                self.env._("These charges aren't those of one contract any more: begin again.")
            )

    def _render_error(self, error):
        """Return a refusal as a part of the preview."""
        return Markup('<div class="alert alert-warning mb-0" role="alert">%s</div>') % str(error)

    def _render_rows(self, rows):
        """Return rows of (text, note, amount) as a table; an amount of None is left out."""
        body = Markup("").join(
            Markup(
                '<tr><td>%s<div class="text-muted small">%s</div></td>'
                '<td class="text-end text-nowrap">%s</td></tr>'
            )
            % (text, note, "" if amount is None else self.currency_id.format(amount))
            for text, note, amount in rows
        )
        return Markup('<table class="table table-sm mb-0"><tbody>%s</tbody></table>') % body


class SupportChargeWizardLineMixin(models.AbstractModel):
    """A charge in the list of such a wizard."""

    _name = "support.charge.wizard.line.mixin"
    _description = "Charge in a Decision"

    charge_id = fields.Many2one("support.charge", required=True, ondelete="cascade")
    chosen = fields.Boolean(string=" ")
    # Read with the rights of whoever asks: the charge may be any that he names.
    date = fields.Date(related="charge_id.date", related_sudo=False)
    ticket_id = fields.Many2one(related="charge_id.ticket_id", related_sudo=False)
    kind = fields.Selection(related="charge_id.kind", related_sudo=False)
    carried_label = fields.Char(related="charge_id.carried_label", related_sudo=False)
    currency_id = fields.Many2one(related="charge_id.currency_id", related_sudo=False)
    charge_amount = fields.Monetary(related="charge_id.amount", string="Amount", related_sudo=False)
