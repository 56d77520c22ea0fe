# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models

from .support_coverage import COVERAGE_ORDERS

NO_CONTRACT_POLICIES = [
    ("accept", "Accept: the ticket is worked on"),
    ("warn", "Warn: the ticket is worked on and shows a warning"),
    ("lock", "Lock: the ticket is saved and waits for a contract"),
    ("refuse", "Refuse: the ticket is not made"),
]


PACK_GRANT_ON = [
    ("confirmed", "The order is confirmed"),
    ("invoiced", "The invoice is posted"),
    ("paid", "The invoice is paid"),
]


class ResCompany(models.Model):
    _inherit = "res.company"

    support_post_invoices = fields.Boolean(
        string="Post Support Invoices",
        help="Invoices of support bills are posted at once. Otherwise they stay drafts for the "
        "accountant.",
    )
    support_pack_grant_on = fields.Selection(
        PACK_GRANT_ON,
        string="Grant Support Packs When",
        required=True,
        default="paid",
        help="When the units of a sold support pack can be used.",
    )
    support_validation = fields.Boolean(
        string="Contract Validation",
        readonly=True,
        help="Each new ticket is checked for a contract. Switched on by the activation step.",
    )
    support_expired_work = fields.Selection(
        [
            ("rollover", "Rollover: it is applied to the customer's next contract"),
            ("ignore", "Ignore: it is kept for reports and charged by nobody"),
        ],
        string="Work After a Contract's End",
        required=True,
        default="ignore",
        help="What happens to work on a ticket whose contract has ended meanwhile.",
    )
    support_no_contract_policy = fields.Selection(
        NO_CONTRACT_POLICIES,
        string="Tickets Without a Contract",
        required=True,
        default="accept",
        help="What happens to a new ticket that no contract covers. Teams can have their own rule.",
    )
    support_coverage_order = fields.Selection(
        COVERAGE_ORDERS,
        required=True,
        default="item_customer_unit",
        help="In which order contracts are looked for. All valid ones are tried before any that "
        "is still pending.",
    )
    support_payment_required = fields.Boolean(
        help="Tickets of a contract can't be worked on before its invoice is paid.",
    )
    support_unpaid_reminder_hours = fields.Integer(
        default=24,
        help="Hours after which the customer of a ticket that waits for payment is reminded. "
        "0: never.",
    )
    support_unpaid_cancel_hours = fields.Integer(
        help="Hours after which a ticket that waits for payment is cancelled. 0: never.",
    )
    support_invoice_reminder_days = fields.Integer(
        help="Days before an invoice is due on which the customer is reminded. 0: never.",
    )

    support_ticket_product_id = fields.Many2one(
        "product.product",
        string="Product for Ticket Charges",
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, id))]",
        help="Bills the amounts that are charged on tickets directly. Its taxes are part of the "
        "amount. Empty: the product “Ticket Charge”.",
    )

    _support_waiting_times = models.Constraint(
        "CHECK (support_unpaid_reminder_hours >= 0 AND support_unpaid_cancel_hours >= 0 "
        "AND support_invoice_reminder_days >= 0)",
        "Waiting times for payments can't be negative.",
    )
