# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.rating import hours_of


class SupportContract(models.Model):
    """What is left on a contract, and where in its terms it stands."""

    _inherit = "support.contract"

    current_term_id = fields.Many2one("support.contract.term", compute="_compute_current_term")
    next_billing_date = fields.Date(compute="_compute_current_term")
    time_granted = fields.Float(compute="_compute_balance", string="Hours Granted")
    time_used = fields.Float(compute="_compute_balance", string="Hours Used")
    time_left = fields.Float(compute="_compute_balance", string="Hours Left")
    incidents_granted = fields.Integer(compute="_compute_balance")
    incidents_used = fields.Integer(compute="_compute_balance")
    incidents_left = fields.Integer(compute="_compute_balance")
    used_percent = fields.Float(
        compute="_compute_balance", help="Of the units that can be used today, the part used."
    )

    @api.depends("term_ids.date_start", "term_ids.date_end", "term_ids.charged", "term_ids.kind")
    def _compute_current_term(self):
        for contract in self:
            today = contract._get_today()
            terms = contract.term_ids.sorted("number")
            contract.current_term_id = terms.filtered(
                lambda term, day=today: term.date_start <= day <= term.date_end
            )[:1]
            coming = terms.filtered(lambda term: term.billing_date and not term.charged)[:1]
            contract.next_billing_date = coming.billing_date

    @api.depends("entitlement_ids.quantity", "entitlement_ids.remaining")
    def _compute_balance(self):
        for contract in self:
            today = contract._get_today()
            grants = contract.entitlement_ids.filtered(
                lambda grant, day=today: grant._is_valid_on(day)
            )
            time = grants.filtered(lambda grant: grant.unit == "time")
            incidents = grants - time
            contract.time_granted = hours_of(sum(time.mapped("quantity")))
            contract.time_left = hours_of(sum(time.mapped("remaining")))
            contract.time_used = contract.time_granted - contract.time_left
            contract.incidents_granted = sum(incidents.mapped("quantity"))
            contract.incidents_left = sum(incidents.mapped("remaining"))
            contract.incidents_used = contract.incidents_granted - contract.incidents_left
            main = time or incidents
            granted = sum(main.mapped("quantity"))
            used = granted - sum(main.mapped("remaining"))
            contract.used_percent = 100.0 * used / granted if granted else 0.0
