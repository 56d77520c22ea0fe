# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.rating import seconds_of


class SupportAdjustWizard(models.TransientModel):
    """Corrects the balance of a grant with an entry that says why."""

    _name = "support.adjust.wizard"
    _inherit = "support.whole.mixin"
    _description = "Adjust a Grant of Support Units"
    _whole_fields = ("incidents",)

    entitlement_id = fields.Many2one(
        "support.entitlement", string="Grant", required=True, readonly=True
    )
    unit = fields.Selection(related="entitlement_id.unit")
    remaining_label = fields.Char(related="entitlement_id.remaining_label")
    direction = fields.Selection(
        [("add", "Add"), ("remove", "Take away")], required=True, default="add"
    )
    hours = fields.Float(help="Time in hours and minutes.")
    incidents = fields.Integer()
    result_label = fields.Char(string="Left Afterwards", compute="_compute_result_label")
    reason = fields.Char(required=True, help="Kept in the ledger; the customer may ask for it.")

    @api.depends("entitlement_id", "direction", "hours", "incidents")
    def _compute_result_label(self):
        for wizard in self:
            grant = wizard.entitlement_id
            wizard.result_label = grant and grant._format_units(
                grant.remaining + wizard._get_quantity()
            )

    def action_adjust(self):
        self.ensure_one()
        grant, quantity = self.entitlement_id, self._get_quantity()
        if not quantity:
            raise UserError(self.env._("Enter how much to add or to take away."))
        grant._lock_pools()  # so that what is checked stays true
        self._check_adjustable(grant, quantity)
        if quantity < 0:
            self._check_enough(grant, -quantity)
        grant._post(
            [
                {
                    "entitlement_id": grant.id,
                    "kind": "adjust",
                    "quantity": quantity,
                    "date": max(grant.date_from, grant._get_today()),
                    "reason": self.reason,
                }
            ]
        )
        # Work that isn't invoiced is rated again: the same as if it had been so from the start.
        start = grant._get_midnight(grant.date_from)
        self.env["support.consumption"]._reallocate({grant._get_pool(): start})
        return {"type": "ir.actions.act_window_close"}

    def _check_adjustable(self, grant, quantity):
        """Refuse what has a way of its own: debts, and incidents that are limited in time."""
        if grant.takes_back_id:
            raise UserError(
                self.env._(
                    "“%s” was taken back. To give units again, grant some, or change the maximum "
                    "on the customer.",
                    grant.name,
                )
            )
        if quantity > 0 and grant.unit == "incident" and grant.date_to:
            raise UserError(
                self.env._(
                    "Incidents of “%s” are limited in time: they come back only through the "
                    "ticket that took them. Lower its number of incidents, or grant others as a "
                    "compensation.",
                    grant.name,
                )
            )

    def _check_enough(self, grant, quantity):
        """Refuse to take away what was used already, or more than was granted."""
        left = grant.quantity if grant.overdraft else grant._get_unused()
        if quantity > left:
            raise UserError(
                self.env._(
                    "“%(grant)s” has %(left)s left; %(quantity)s can't be taken away. What was "
                    "used comes back only by changing the work that used it.",
                    grant=grant.name,
                    left=grant._format_units(max(left, 0)),
                    quantity=grant._format_units(quantity),
                )
            )

    def _get_quantity(self):
        """Return the signed seconds or incidents."""
        self.ensure_one()
        amount = seconds_of(self.hours) if self.unit == "time" else self.incidents
        return -amount if self.direction == "remove" else amount
