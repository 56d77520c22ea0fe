# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportTopUpUndo(models.TransientModel):
    """Takes a top-up back, units and charge together, as long as neither was used."""

    _name = "support.top.up.undo"
    _inherit = "support.decision.mixin"
    _description = "Take a Top-up Back"

    change_id = fields.Many2one(
        "support.contract.change", string="Top-up", required=True, readonly=True
    )
    summary = fields.Text(related="change_id.summary")

    @api.depends("change_id")
    def _compute_preview(self):
        for wizard in self:
            try:
                wizard._check()
                wizard.preview = escape(wizard._get_effect())
            except UserError as error:
                wizard.preview = escape(str(error))

    def action_take_back(self):
        self._run("undo")
        return {"type": "ir.actions.act_window_close"}

    def _check(self):  # pylint: disable=missing-return
        super()._check()
        change, charge = self.change_id, self._get_charge()
        if change.contract_id != self.contract_id or change.kind != "top_up":
            raise UserError(self.env._("Choose a top-up of this contract."))
        if change.undone_by_ids:
            raise UserError(self.env._("This top-up has been taken back already."))
        if charge.state != "credited":  # then the money went back already, and the units follow
            charge._check_not_frozen()
        ending = self.contract_id.termination_id
        if ending.unit_ids.filtered("taken").entitlement_id & charge.paid_grant_ids:
            raise UserError(
                self.env._(
                    "%s was terminated, and what was left of these units was settled then. Take "
                    "the termination back first.",
                    self.contract_id.display_name,
                )
            )
        for grant in charge.paid_grant_ids:
            if grant._get_unused() < grant.quantity or grant.lapsed:
                raise UserError(
                    self.env._(
                        "%(used)s of “%(grant)s” were used or have lapsed: it can't be taken back "
                        "any more. Give a credit for what is left, or move the work first.",
                        used=grant._format_units(grant.quantity - grant._get_unused()),
                        grant=grant.name,
                    )
                )

    def _decide(self):
        charge = self._get_charge()
        grants = charge.paid_grant_ids
        grants._lock_pools()
        self._check()  # of the grants as they are now that nobody can draw on them
        effect = self._get_effect()
        grants._post(
            [
                {
                    "entitlement_id": grant.id,
                    "kind": "take_back",
                    "quantity": -grant.quantity,
                    "date": max(grant.date_from, grant._get_today()),
                    "reason": self.reason,
                }
                for grant in grants
            ]
        )
        self.env["support.consumption"]._reallocate(grants._get_pool_starts())
        amount = 0.0  # of what was credited nothing changes any more
        if charge.state != "credited":
            amount = -self.change_id.amount
            bill = charge.bill_id
            charge.cancelled = True
            if bill.kind == "immediate" and not bill._get_charges():
                bill.action_cancel()
            bill._charges_changed()
        return {"summary": effect, "amount": amount, "undoes_id": self.change_id.id}

    def _get_charge(self):
        """Return the charge of the top-up, to be cancelled with its units."""
        self.ensure_one()
        return self.change_id.charge_ids.filtered(lambda charge: charge.kind == "top_up").sudo()

    def _get_effect(self):
        """Return the effect in units."""
        units = " + ".join(
            self.env._("%s incidents", grant.quantity)
            if grant.unit == "incident"
            else grant._format_units(grant.quantity)
            for grant in self._get_charge().paid_grant_ids
        )
        return self.env._("%s are taken back.", units)
