# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    support_validation = fields.Boolean(related="company_id.support_validation")
    support_post_invoices = fields.Boolean(
        related="company_id.support_post_invoices", readonly=False
    )
    support_pack_grant_on = fields.Selection(
        related="company_id.support_pack_grant_on", readonly=False
    )
    support_expired_work = fields.Selection(
        related="company_id.support_expired_work", readonly=False
    )
    support_no_contract_policy = fields.Selection(
        related="company_id.support_no_contract_policy", readonly=False
    )
    support_coverage_order = fields.Selection(
        related="company_id.support_coverage_order", readonly=False
    )
    support_payment_required = fields.Boolean(
        related="company_id.support_payment_required", readonly=False
    )
    support_unpaid_reminder_hours = fields.Integer(
        related="company_id.support_unpaid_reminder_hours", readonly=False
    )
    support_unpaid_cancel_hours = fields.Integer(
        related="company_id.support_unpaid_cancel_hours", readonly=False
    )
    support_invoice_reminder_days = fields.Integer(
        related="company_id.support_invoice_reminder_days", readonly=False
    )
    support_ticket_product_id = fields.Many2one(
        related="company_id.support_ticket_product_id", readonly=False
    )
