# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .support_charge import FEE_KINDS, WORK_KINDS

BILL_STATES = [
    ("draft", "Draft"),
    ("to_approve", "To Approve"),
    ("approved", "Approved"),
    ("invoiced", "Invoiced"),
    ("settled", "Nothing to Invoice"),
    ("credited", "Credited"),
    ("cancelled", "Cancelled"),
]
# What follows from the buttons, the charges and the invoice. Nobody writes it, by whatever call.
GUARDED_FIELDS = {
    "kind",
    "version",
    "is_main",
    "approval_state",
    "state",
    "contract_id",
    "term_id",
    "company_id",
    "currency_id",
    "partner_id",
    "amount_untaxed",
    "move_id",
}
# Of a bill with a contract they are the contract's, whatever else is given.
CONTRACT_FIELDS = ("company_id", "currency_id", "partner_id")


class SupportBill(models.Model):
    """The statement before the invoice: the charges of a term, or some at once.

    What people decide is `approval_state`; `state` follows from it and from the invoice, so that
    resetting, cancelling or crediting the invoice brings the bill to the matching state.
    """

    _name = "support.bill"
    _description = "Support Bill"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", default="/", readonly=True, copy=False)
    kind = fields.Selection(
        [("term", "Term"), ("immediate", "Immediate")],
        required=True,
        default="term",
        readonly=True,
    )
    version = fields.Integer(default=1, readonly=True)
    is_main = fields.Boolean(default=True, readonly=True, help="The version that counts.")
    approval_state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "To Approve"),
            ("approved", "Approved"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        BILL_STATES,
        compute="_compute_state",
        store=True,
        tracking=True,
        index=True,
    )
    contract_id = fields.Many2one(
        "support.contract",
        readonly=True,
        index=True,
        ondelete="restrict",
        help="Empty: what a customer without a contract owes.",
    )
    term_id = fields.Many2one(
        "support.contract.term", readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_contract_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_contract_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_contract_values",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        ondelete="restrict",
    )
    partner_invoice_id = fields.Many2one(
        "res.partner", string="Invoice Address", compute="_compute_partner_invoice_id"
    )
    client_order_ref = fields.Char(related="contract_id.client_order_ref")
    date = fields.Date(required=True, default=fields.Date.context_today)
    # A replaced version keeps copies of its charges, which count nowhere else: archived ones.
    charge_ids = fields.One2many("support.charge", "bill_id", context={"active_test": False})
    fee_charge_ids = fields.One2many(
        "support.charge",
        "bill_id",
        domain=[("kind", "in", FEE_KINDS)],
        context={"active_test": False},
        readonly=True,
    )
    work_charge_ids = fields.One2many(
        "support.charge",
        "bill_id",
        domain=[("kind", "in", WORK_KINDS)],
        context={"active_test": False},
        readonly=True,
    )
    other_charge_ids = fields.One2many(
        "support.charge",
        "bill_id",
        domain=[("kind", "not in", FEE_KINDS + WORK_KINDS)],
        context={"active_test": False},
        readonly=True,
    )
    charge_count = fields.Integer(compute="_compute_amounts")
    amount_untaxed = fields.Monetary(compute="_compute_amount_untaxed", store=True)
    amount_fees = fields.Monetary(compute="_compute_amounts", string="Recurring")
    amount_work = fields.Monetary(compute="_compute_amounts", string="Work and Incidents")
    amount_other = fields.Monetary(compute="_compute_amounts", string="Other")
    covered_hours = fields.Float(compute="_compute_amounts", string="Covered Time")
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    move_ids = fields.Many2many("account.move", compute="_compute_move_ids", string="Invoices")
    run_id = fields.Many2one(
        "support.billing.run", readonly=True, index="btree_not_null", ondelete="set null"
    )
    note = fields.Html(help="Printed on the bill.")

    _one_main_bill = models.UniqueIndex(
        "(contract_id, term_id) WHERE kind = 'term' AND is_main",
        "This term of the contract has a bill already.",
    )
    _term_of_contract = models.Constraint(
        "CHECK (kind = 'immediate' OR contract_id IS NOT NULL)",
        "Only a contract has terms: a bill without a contract is immediate.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "contract_id.company_id", "contract_id.currency_id", "contract_id.commercial_partner_id"
    )
    def _compute_contract_values(self):
        for bill in self:
            contract = bill.contract_id
            bill.company_id = contract.company_id or bill.company_id
            bill.currency_id = contract.currency_id or bill.currency_id
            bill.partner_id = contract.commercial_partner_id or bill.partner_id

    @api.depends("contract_id.partner_invoice_id", "partner_id")
    def _compute_partner_invoice_id(self):
        for bill in self:
            address = bill.contract_id.partner_invoice_id.id
            if not address and bill.partner_id:
                address = bill.partner_id.address_get(["invoice"])["invoice"]
            bill.partner_invoice_id = address

    @api.depends(
        "approval_state",
        "amount_untaxed",
        "move_id.state",
        "move_id.reversal_move_ids.state",
        "move_id.reversal_move_ids.amount_untaxed",
        "move_id.reversal_move_ids.support_bill_ids",
    )
    def _compute_state(self):
        for bill in self:
            move = bill.move_id
            if bill.approval_state != "approved" or not move or move.state == "cancel":
                bill.state = bill.approval_state
            elif move._is_fully_credited():
                bill.state = "credited"
            else:
                bill.state = "invoiced"
            if bill.state == "approved" and not bill._has_something_to_invoice():
                bill.state = "settled"

    @api.depends("charge_ids.amount", "charge_ids.cancelled")
    def _compute_amount_untaxed(self):
        for bill in self:
            bill.amount_untaxed = sum(bill._get_charges().mapped("amount"))

    @api.depends("charge_ids.amount", "charge_ids.cancelled", "charge_ids.seconds")
    def _compute_amounts(self):
        for bill in self:
            charges = bill._get_charges()
            totals = {"amount_fees": 0.0, "amount_work": 0.0, "amount_other": 0.0}
            for charge in charges:
                totals[charge._get_bill_column()] += charge.amount
            for name, total in totals.items():
                bill[name] = total
            bill.charge_count = len(charges)
            bill.covered_hours = sum(
                charges.filtered(lambda charge: charge.kind == "covered").mapped("hours")
            )

    @api.depends("charge_ids.invoice_line_ids.move_id")
    def _compute_move_ids(self):
        for bill in self:
            bill.move_ids = bill.charge_ids.invoice_line_ids.move_id | bill.move_id

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        unnamed = [vals for vals in vals_list if vals.get("name", "/") == "/"]
        names = self.env["ir.sequence"]._next_many_by_code("support.bill", len(unnamed))
        for vals, name in zip(unnamed, names, strict=True):
            vals["name"] = name or "/"
        for vals in vals_list:
            for name in CONTRACT_FIELDS if vals.get("contract_id") else ():
                vals.pop(name, None)
        # The state is given, so that neither values nor context give another.
        return super().create([vals | {"approval_state": "draft"} for vals in vals_list])

    def write(self, vals):
        if self._get_guarded_fields().intersection(vals) and not self.env.su:
            raise AccessError(self.env._("The state of a bill can't be written: use its buttons."))
        return super().write(vals)

    @api.model
    def _get_guarded_fields(self):
        """Return the names of what nobody writes, as a set; to be extended."""
        return GUARDED_FIELDS

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for bill in self:
            if bill.state not in ("draft", "cancelled"):
                raise UserError(
                    self.env._(
                        "The bill %s is approved or was sent and can't be deleted. Cancel it: its "
                        "charges can then be billed again.",
                        bill.name,
                    )
                )

    # === ACTIONS === #

    def action_submit(self):
        """Ask for the approval that the contract wants; approve where it wants none."""
        self._check_state(("draft",))
        free = self.filtered(lambda bill: not bill._needs_approval())
        (self - free)._set({"approval_state": "to_approve"})
        free._set({"approval_state": "approved"})

    def action_approve(self):
        self._check_state(("draft", "to_approve"))
        self._check_may_approve()
        self._set({"approval_state": "approved"})

    def action_draft(self):
        self._check_state(("to_approve", "approved", "settled"))
        self._set({"approval_state": "draft"})

    def action_cancel(self):
        """Cancel bills; their charges are open again and come on the next bill."""
        self._check_state(("draft", "to_approve", "approved", "settled"))
        self._set({"approval_state": "cancelled", "is_main": False})
        self.charge_ids.bill_id = False

    def action_invoice(self):
        """Make the invoices and show them."""
        moves = self.env["support.invoicing"]._create_invoices(self)
        return moves._get_records_action(name=self.env._("Invoices"))

    def action_invoice_again(self):
        """Make credited bills ready for another invoice; the credited one stays linked."""
        self._check_state(("credited",))
        self._set({"move_id": False})
        # Where a ticket was charged anew meanwhile, both together are what it says.
        charges = self.sudo().charge_ids.filtered(lambda charge: charge.kind == "ticket")
        charges._sync_ticket_amounts(charges.ticket_id)

    def action_view_invoices(self):
        self.ensure_one()
        return self.move_ids._get_records_action(name=self.env._("Invoices"))

    def action_view_contract(self):
        return self.contract_id._get_records_action()

    def action_view_charges(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_charge"
        )
        return action | {"domain": [("bill_id", "=", self.id)], "context": {}}

    # === BUSINESS METHODS === #

    def _charges_changed(self):
        """Have bills that wait for approval looked at again, after their work has changed."""
        waiting = self.filtered(lambda bill: bill.state == "to_approve")
        for bill in waiting:
            bill.sudo().approval_state = "draft"  # whoever has changed the work
            bill.message_post(
                body=self.env._("The work behind this bill has changed: it must be approved again.")
            )

    def _set(self, vals):
        """Write what the buttons change, for those who may change bills."""
        self.check_access("write")
        self.sudo().write(vals)

    def _check_may_approve(self):
        """Leave bills that need an approval to the managers."""
        wanted = self.filtered(lambda bill: bill._needs_approval())
        manager = self.env.su or self.env.user.has_group("support_contract.group_support_manager")
        if wanted and not manager:
            raise AccessError(
                self.env._("The bill %s must be approved by a manager.", wanted[0].name)
            )

    def _needs_approval(self):
        """Return whether somebody must approve the bill; without a contract nobody must."""
        self.ensure_one()
        return bool(self.contract_id) and self.contract_id.bill_approval != "none"

    def _get_payment_term(self):
        """Return the payment terms of the invoice: the contract's, or the customer's own."""
        self.ensure_one()
        if self.contract_id:
            return self.contract_id.payment_term_id
        return self.partner_id.with_company(self.company_id).property_payment_term_id

    def _get_credited_move(self):
        """Return the invoice that this bill takes back, if that is all it does."""
        self.ensure_one()
        charges = self._get_charges()
        if not charges or not all(charge.refund_of_id for charge in charges):
            return self.env["account.move"]
        moves = charges.refund_of_id.bill_id.move_id
        return moves if len(moves) == 1 else moves.browse()

    def _check_state(self, allowed):
        wrong = self.filtered(lambda bill: bill.state not in allowed)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The bill %(bill)s is %(state)s; this can be done only while a bill is "
                    "%(allowed)s.",
                    bill=wrong[0].name,
                    state=labels[wrong[0].state],
                    allowed=", ".join(labels[state] for state in allowed),
                )
            )

    def _get_charges(self):
        """Return the charges that count."""
        return self.charge_ids.filtered(lambda charge: not charge.cancelled)

    def _has_something_to_invoice(self):
        self.ensure_one()
        return any(self._get_charges().mapped("amount"))
