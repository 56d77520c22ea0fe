# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

OPERATIONS = [
    ("undo", "Take a transfer back"),
    ("refuse", "Refuse a transfer"),
    ("restore", "Charge again what was cancelled"),
]


class SupportTakeBackWizard(models.TransientModel):
    """Takes back, with a reason, what was decided about debts: transfers and cancellations."""

    _name = "support.take.back.wizard"
    _inherit = "support.decision.mixin"
    _description = "Take a Decision about Debts Back"

    operation = fields.Selection(OPERATIONS, required=True, readonly=True)
    transfer_ids = fields.Many2many("support.charge.transfer", readonly=True)
    charge_ids = fields.Many2many("support.charge", readonly=True)

    @api.model
    def _open(self, operation, transfers=None, charges=None):
        """Return the action that asks for the reason.

        :raise UserError: for what isn't of one contract
        """
        transfers = self.env["support.charge.transfer"] if transfers is None else transfers
        charges = self.env["support.charge"] if charges is None else charges
        contract = transfers.contract_id | charges.billing_contract_id
        if len(contract) != 1:
            raise UserError(self.env._("Choose what belongs to one contract."))
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["operation"]._description_selection(self.env))[operation],
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_contract_id": contract.id,
                "default_operation": operation,
                "default_transfer_ids": [fields.Command.set(transfers.ids)],
                "default_charge_ids": [fields.Command.set(charges.ids)],
            },
        }

    @api.depends("operation", "transfer_ids", "charge_ids")
    def _compute_preview(self):
        charge_wizard = self.env["support.charge.wizard.mixin"]
        for wizard in self:
            mixin = charge_wizard.new({"contract_id": wizard.contract_id.id})
            try:
                rows = wizard._get_rows()
            except UserError as error:  # said here already, before it is confirmed
                wizard.preview = mixin._render_error(error)
                continue
            wizard.preview = mixin._render_rows(rows)

    def _get_rows(self):
        """Return what is taken back as rows of (text, note, amount)."""
        self.ensure_one()
        if self.operation == "restore":
            plan = self.charge_ids._plan_restore()
            return [
                (charge.name, self.env._("Is charged again."), charge.amount)
                for charge in plan.charges
            ]
        rows = []
        for transfer in self.transfer_ids:
            if self.operation == "undo":
                obstacle = transfer._get_obstacle()
                if obstacle:
                    raise UserError(obstacle)
                bill = transfer._get_source_bill()
                place = bill.name or transfer.from_term_id.display_name or ""
                note = self.env._("Comes back to %s.", place)
            else:
                transfer._check_decidable()
                note = self.env._("Stays where it is: %s.", transfer.from_term_id.display_name)
            rows.append((transfer.name, note, transfer.amount))
        return rows

    def _check(self):  # pylint: disable=missing-return
        super()._check()
        self._get_rows()

    def _decide(self):
        names = ", ".join(f"“{row[0]}”" for row in self._get_rows())
        if self.operation == "restore":
            plan = self.charge_ids._plan_restore()
            amount = sum(plan.charges.mapped("amount"))
            self.env["support.charge"]._restore(plan)
            return {"summary": self.env._("Charged again: %s.", names), "amount": amount}
        if self.operation == "undo":
            self.transfer_ids._undo()
            return {"summary": self.env._("Not carried to the next term any more: %s.", names)}
        self.transfer_ids._decided("refused")
        return {"summary": self.env._("Refused to carry to the next term: %s.", names)}

    def action_take_back(self):
        self._run("undo")
        return {"type": "ir.actions.act_window_close"}
