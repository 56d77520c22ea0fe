# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.rating import seconds_of


class SupportGrantWizard(models.TransientModel):
    """Gives a customer hours or incidents by hand."""

    _name = "support.grant.wizard"
    _inherit = "support.whole.mixin"
    _description = "Grant Support Units"
    _whole_fields = ("incidents",)
    _check_company_auto = True

    partner_id = fields.Many2one("res.partner", string="Customer", required=True)
    commercial_partner_id = fields.Many2one(related="partner_id.commercial_partner_id")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    contract_id = fields.Many2one(
        "support.contract",
        compute="_compute_contract_id",
        store=True,
        readonly=False,
        check_company=True,
        help="Empty: any contract of the customer may use them.",
    )
    unit = fields.Selection(
        [("time", "Time"), ("incident", "Incidents")], required=True, default="incident"
    )
    hours = fields.Float(default=1.0, help="Time in hours and minutes.")
    incidents = fields.Integer(default=1)
    date_from = fields.Date(
        string="From",
        required=True,
        default=fields.Date.context_today,
        help="Work recorded before now stays as it was rated, even if it is later than this day.",
    )
    date_to = fields.Date(string="Until", help="The last day of use. Empty: for life.")
    activity_type_ids = fields.Many2many(
        "support.activity.type",
        string="For Activities",
        check_company=True,
        help="Only work of these types draws on it; empty: all work does.",
    )
    priority = fields.Integer(default=10, help="Lower numbers are used first.")
    origin = fields.Selection(
        [("manual", "By hand"), ("compensation", "Compensation")],
        required=True,
        default="manual",
    )
    reason = fields.Char(required=True, help="Kept in the ledger; the customer may ask for it.")

    @api.depends("partner_id", "company_id")
    def _compute_contract_id(self):
        for wizard in self:
            contract = wizard.contract_id
            if (
                contract.commercial_partner_id != wizard.commercial_partner_id
                or contract.company_id != wizard.company_id
            ):
                wizard.contract_id = False

    def action_grant(self):
        """Make the grant and show it."""
        self.ensure_one()
        grants = self.env["support.entitlement"]._grant([self._prepare_grant()])
        return grants._get_records_action(name=self.env._("Grant"))

    def _prepare_grant(self):
        self.ensure_one()
        amount = seconds_of(self.hours) if self.unit == "time" else self.incidents
        if amount <= 0:
            raise UserError(self.env._("Grant more than nothing: enter hours or incidents."))
        if self.date_to and self.date_to < self.date_from:
            raise UserError(self.env._("The last day of use must not be before the first one."))
        label = self.env._("Time") if self.unit == "time" else self.env._("Incidents")
        return {
            "name": self.env._("%(unit)s: %(reason)s", unit=label, reason=self.reason),
            "unit": self.unit,
            "amount": amount,
            "origin": self.origin,
            "reason": self.reason,
            "partner_id": self.commercial_partner_id.id,
            "company_id": self.company_id.id,
            "contract_id": self.contract_id.id,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "priority": self.priority,
            "made_at": fields.Datetime.now(),
            "activity_type_ids": [fields.Command.set(self._get_activity_types().ids)],
        }

    def _get_activity_types(self):
        """Return the activities it is limited to; incidents are counted per ticket."""
        self.ensure_one()
        return self.activity_type_ids if self.unit == "time" else self.activity_type_ids.browse()
