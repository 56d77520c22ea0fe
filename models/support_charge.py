# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import rating
from ..tools.money import less, round_to

KINDS = [
    ("recurring", "Recurring product"),
    ("proration", "Proration"),
    ("covered", "Covered by the contract"),
    ("overage", "Beyond the allowance"),
    ("labour", "Labour"),
    ("incident", "Incident"),
    ("part", "Part"),
    ("expense", "Expense"),
    ("ticket", "Ticket charge"),
    ("top_up", "Top-up"),
    ("rule", "Bill rule"),
    ("credit", "Credit"),
    ("transfer", "Carried to another term"),
    ("termination", "Termination fee"),
    ("opening", "Opening balance"),
]
# Kinds that the contract itself brings, term by term.
FEE_KINDS = ("recurring", "proration")
# Kinds that people enter on a ticket; the others are made by rating and billing.
MANUAL_KINDS = ("part", "expense")
# Kinds that follow from work: rating writes and withdraws them as long as they aren't frozen.
WORK_KINDS = ("covered", "overage", "labour", "incident")
FROZEN_STATES = ("approved", "invoiced", "credited")
# What can't change any more on a charge of an approved bill.
FACT_FIELDS = {
    "kind", "date", "product_id", "name", "quantity", "price_unit", "discount", "amount",
    "seconds", "units", "cancelled",
    "contract_id", "term_id", "billing_term_id", "bill_id", "partner_id", "currency_id",
    "company_id", "ticket_id", "time_entry_id",
}  # fmt: skip


class SupportCharge(models.Model):
    """What a customer owes and why. Nothing is invoiced that is not a charge.

    `term_id` says in which term it was incurred, `billing_term_id` in which it is to be billed.
    Amounts are untaxed, in the contract's currency, rounded per charge.
    """

    _name = "support.charge"
    _description = "Support Charge"
    _order = "date, ticket_id, time_entry_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(
        string="Description",
        required=True,
        compute="_compute_product_values",
        store=True,
        readonly=False,
        precompute=True,
    )
    kind = fields.Selection(KINDS, required=True, index=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("billed", "On a bill"),
            ("approved", "Approved"),
            ("invoiced", "Invoiced"),
            ("credited", "Credited"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )
    cancelled = fields.Boolean(readonly=True)
    active = fields.Boolean(
        default=True,
        readonly=True,
        copy=False,
        help="Off: the copy that a replaced version of a bill keeps. It counts nowhere else.",
    )
    sequence = fields.Integer(help="Of the pieces of one time entry.")
    date = fields.Date(required=True, default=fields.Date.context_today)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="restrict"
    )
    contract_id = fields.Many2one(
        "support.contract", index="btree_not_null", ondelete="restrict", check_company=True
    )
    term_id = fields.Many2one(
        "support.contract.term",
        string="Incurred In",
        index="btree_not_null",
        ondelete="restrict",
    )
    billing_term_id = fields.Many2one(
        "support.contract.term",
        string="To Be Billed In",
        index="btree_not_null",
        ondelete="restrict",
    )
    billing_contract_id = fields.Many2one(
        "support.contract",
        compute="_compute_billing_contract_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The contract on whose bill it comes: its own, or the one that renews it.",
    )
    bill_id = fields.Many2one(
        "support.bill", index="btree_not_null", ondelete="restrict", readonly=True, copy=False
    )
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    quantity = fields.Float(digits="Product Unit", default=1.0)
    price_unit = fields.Float(
        digits="Product Price",
        compute="_compute_product_values",
        store=True,
        readonly=False,
        precompute=True,
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        help="Untaxed.",
    )
    seconds = fields.Integer(help="Billable time, of work.")
    units = fields.Integer(help="What it drew from allowances, in seconds.")
    hours = fields.Float(compute="_compute_hours")
    ticket_id = fields.Many2one(
        "helpdesk.ticket", index="btree_not_null", ondelete="restrict", check_company=True
    )
    time_entry_id = fields.Many2one(
        "account.analytic.line", index="btree_not_null", ondelete="restrict"
    )
    user_id = fields.Many2one(related="time_entry_id.user_id", string="Done By")
    activity_type_id = fields.Many2one(
        related="time_entry_id.activity_type_id", store=True, string="Activity"
    )
    contract_line_id = fields.Many2one(
        "support.contract.line", index="btree_not_null", ondelete="restrict", readonly=True
    )
    invoice_line_ids = fields.One2many("account.move.line", "support_charge_id", readonly=True)

    _fee_once = models.UniqueIndex(
        "(contract_line_id, term_id, date)"
        " WHERE kind = 'recurring' AND cancelled IS NOT TRUE AND active IS NOT FALSE",
        "A recurring product is charged only once for the same days.",
    )

    # === COMPUTE METHODS === #

    @api.depends("cancelled", "bill_id.state")
    def _compute_state(self):
        of_bill = {
            "draft": "billed",
            "to_approve": "billed",
            "approved": "approved",
            "invoiced": "invoiced",
            "settled": "invoiced",
            "credited": "credited",
        }
        for charge in self:
            charge.state = (
                "cancelled" if charge.cancelled else of_bill.get(charge.bill_id.state, "open")
            )

    @api.depends("contract_id", "billing_term_id")
    def _compute_billing_contract_id(self):
        for charge in self:
            charge.billing_contract_id = charge.billing_term_id.contract_id or charge.contract_id

    @api.depends("product_id", "contract_id")
    def _compute_product_values(self):
        for charge in self:
            product = charge.product_id
            if charge.kind in MANUAL_KINDS or not charge.name:
                charge.name = product.get_product_multiline_description_sale() or charge.name
            if charge.kind in MANUAL_KINDS and product:
                charge.price_unit = (
                    charge.contract_id._get_product_price(product, charge.date)
                    if charge.contract_id
                    else product.lst_price
                )
            else:
                charge.price_unit = charge.price_unit

    @api.depends("quantity", "price_unit", "currency_id")
    def _compute_amount(self):
        """Parts and expenses: quantity times price, less the discount. Others have their amount."""
        for charge in self:
            if charge.kind in MANUAL_KINDS:
                exact = Decimal(str(charge.quantity)) * Decimal(str(charge.price_unit))
                step = Decimal(str(charge.currency_id.rounding))
                discount = Decimal(str(charge.discount or 0))
                charge.amount = float(round_to(less(exact, discount), step))
            else:
                charge.amount = charge.amount

    @api.depends("seconds")
    def _compute_hours(self):
        for charge in self:
            charge.hours = rating.hours_of(charge.seconds)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        charges = super().create([self._complete_manual_values(vals) for vals in vals_list])
        charges._check_comes_on_open_bill()
        return charges

    def write(self, vals):
        if "state" in vals and not self.env.su:
            raise UserError(self.env._("The state of a charge follows from its bill."))
        if FACT_FIELDS.intersection(vals):
            self._check_not_frozen()
        result = super().write(vals)
        if vals.get("bill_id"):
            self._check_comes_on_open_bill()
        return result

    def _check_comes_on_open_bill(self):
        """Let nobody put a charge on a bill after it was approved; only what is computed may."""
        if not self.env.su:
            self._check_not_frozen()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_frozen(self):
        self._check_not_frozen()

    def _check_company(self, fnames=None):
        # Odoo asks record by record; where all plainly is of one company nothing needs asking.
        mixed = self.sudo().filtered(
            lambda charge: (
                (charge.contract_id.company_id | charge.ticket_id.company_id) - charge.company_id
            )
        )
        return super(SupportCharge, mixed.sudo(self.env.su))._check_company(fnames)

    def _complete_manual_values(self, vals):
        """Complete a part or expense put on a ticket: whose it is and when it is billed."""
        if vals.get("kind") not in MANUAL_KINDS or not vals.get("ticket_id"):
            return vals
        ticket = self.env["helpdesk.ticket"].browse(vals["ticket_id"])
        contract = ticket.contract_id
        day = fields.Date.to_date(vals.get("date")) or fields.Date.context_today(self)
        if not ticket.partner_id:
            raise UserError(
                self.env._(
                    "%s has no customer: set one before you put parts on it.", ticket.display_name
                )
            )
        values = {
            "company_id": ticket.company_id.id,
            "partner_id": ticket.commercial_partner_id.id,
            "currency_id": (contract or ticket.company_id).currency_id.id,
            "date": day,
        }
        if contract:
            term = contract._get_term_on(day)
            values |= {
                "contract_id": contract.id,
                "term_id": term.id,
                "billing_term_id": contract._get_billing_term(term).id,
            }
        free = {"price_unit": 0.0} if ticket.billing_type == "waived" else {}
        return values | vals | free

    def _check_not_frozen(self):
        frozen = self.filtered(lambda charge: charge.state in FROZEN_STATES)
        if frozen:
            raise UserError(
                self.env._(
                    "“%(charge)s” is on the bill %(bill)s, which is %(state)s, and can't change "
                    "any more. Cancel or credit the bill first.",
                    charge=frozen[0].name,
                    bill=frozen[0].bill_id.name,
                    state=dict(frozen[0].bill_id._fields["state"]._description_selection(self.env))[
                        frozen[0].bill_id.state
                    ],
                )
            )

    def _set_untaxed(self, amount):  # pylint: disable=missing-return
        """Note what a ticket charge is worth untaxed, on an approved bill, too.

        What was decided is its amount with tax; this part of it follows from the taxes.
        """
        # Past our own write(), which keeps what is approved from being changed.
        super().write(  # pylint: disable=super-method-mismatch
            {"amount": amount, "price_unit": amount}
        )

    def action_view_invoices(self):
        moves = self.invoice_line_ids.move_id
        return moves._get_records_action(name=self.env._("Invoices"))

    def _format_time(self):
        """Return the billable time and its price as people read them: 1:40 h x 70.00."""
        self.ensure_one()
        return f"{rating.format_hours(self.seconds)} × {self.currency_id.format(self.price_unit)}"

    def _get_bill_column(self):
        """Return the total of the bill in which this charge is counted."""
        self.ensure_one()
        if self.kind in FEE_KINDS:
            return "amount_fees"
        return "amount_work" if self.kind in WORK_KINDS else "amount_other"
