# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .support_charge import FROZEN_STATES

STATES = [
    ("to_approve", "To Approve"),
    ("done", "Carried"),
    ("undone", "Taken Back"),
    ("refused", "Refused"),
]
# What happens to a transfer later; everything else is how it was decided, and stays.
LATER_FIELDS = {"state", "approved_by_id", "amount", "to_term_id", "activity_id"}


class SupportChargeTransfer(models.Model):
    """One move of a debt to the next term: what, from where to where, how much, who and why (Q10).

    A whole charge moves itself: it gets another billing term. Of a part, a pair of charges is
    made: less in the term it leaves, as much more in the next one; the charge stays where it was
    incurred. Amounts are untaxed, in the currency of the charge. The record outlives its charge.
    """

    _name = "support.charge.transfer"
    _description = "Debt Carried to the Next Term"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="What", required=True, readonly=True)
    charge_id = fields.Many2one(
        "support.charge", readonly=True, index="btree_not_null", ondelete="set null"
    )
    part_ids = fields.One2many(
        "support.charge",
        "transfer_id",
        readonly=True,
        help="Of a part: what is less in the term it left, and more in the next one.",
    )
    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    from_term_id = fields.Many2one(
        "support.contract.term",
        string="From",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    from_bill_id = fields.Many2one(
        "support.bill",
        string="Left the Bill",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    to_term_id = fields.Many2one(
        "support.contract.term",
        string="To",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        help="Untaxed. It follows the work until the bill that it left is approved.",
    )
    partial = fields.Boolean(string="A Part", readonly=True, default=False)
    number = fields.Integer(
        string="Time", readonly=True, default=1, help="How often this money has been carried."
    )
    previous_id = fields.Many2one(
        "support.charge.transfer",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="What had brought it to the term that it left.",
    )
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, default=lambda self: self.env.user
    )
    moment = fields.Datetime(
        string="When", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    reason = fields.Char(string="Why", required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, default="done", index=True)
    approved_by_id = fields.Many2one("res.users", string="Decided By", readonly=True)
    activity_id = fields.Many2one("mail.activity", readonly=True, ondelete="set null")
    can_undo = fields.Boolean(compute="_compute_can_undo")

    # === COMPUTE METHODS === #

    @api.depends("charge_id.amount")
    def _compute_amount(self):
        for transfer in self:
            charge = transfer.charge_id
            follows = charge and not transfer.partial and transfer.state in ("to_approve", "done")
            if follows and not transfer._is_source_frozen():
                transfer.amount = charge.amount
            else:
                transfer.amount = transfer.amount

    @api.depends("state", "charge_id.state", "part_ids.state", "from_bill_id.state")
    def _compute_can_undo(self):
        for transfer in self:
            transfer.can_undo = transfer.state == "done" and not transfer._get_obstacle()

    # === CRUD METHODS === #

    def write(self, vals):
        if set(vals) - LATER_FIELDS:
            raise UserError(
                self.env._("How a debt was carried is never edited: take it back and carry anew.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("How debts were carried is kept."))

    # === ACTIONS === #

    def action_approve(self):
        """Carry what was beyond the limits, as somebody else has asked for.

        :raise AccessError: for whoever asked for it himself, or isn't a manager
        """
        for transfer in self:
            transfer._check_decidable()
            transfer.contract_id._lock_for_decision()
            transfer._check_decidable()
            if transfer.user_id == self.env.user:
                raise AccessError(
                    self.env._(
                        "You asked for “%s” to be carried yourself: another manager must approve "
                        "it.",
                        transfer.name,
                    )
                )
            charge = transfer.charge_id.sudo()  # its transfers, for whoever may approve
            amounts = {charge.id: transfer.amount} if transfer.partial else {}
            charge._plan_carry(amounts, waiting=transfer)
            transfer._apply()
            transfer._decided("done")
            self.env["support.contract.change"]._note(
                transfer.contract_id,
                "transfer",
                transfer.reason,
                self.env._(
                    "“%(name)s”, asked for by %(who)s: to be charged in %(term)s.",
                    name=transfer.name,
                    who=transfer.user_id.name,
                    term=transfer.to_term_id.display_name,
                ),
            )

    def action_refuse(self):
        """Ask why it is refused."""
        return self._open_take_back("refuse")

    def action_undo(self):
        """Ask why it is taken back."""
        return self._open_take_back("undo")

    def _open_take_back(self, operation):
        return self.env["support.take.back.wizard"]._open(operation, transfers=self)

    # === BUSINESS METHODS === #

    def _check_decidable(self):
        self.ensure_one()
        if not self.env.user.has_group("support_contract.group_support_manager"):
            raise AccessError(self.env._("Debts that are carried are decided about by managers."))
        if self.state != "to_approve":
            raise UserError(
                self.env._("“%s” doesn't wait for an approval any more: reload.", self.name)
            )

    def _decided(self, state):
        """Note who decided about a request, and close its activity."""
        # Nobody writes these records but through what he may decide.
        transfer = self.sudo()
        transfer.activity_id.action_feedback()
        transfer.write({"state": state, "approved_by_id": self.env.uid})

    def _apply(self):
        """Move the charge, or make the pair of charges for a part of it."""
        self.ensure_one()
        transfer = self.sudo()  # charges follow what a manager has decided
        charge, term = transfer.charge_id, transfer.to_term_id
        bill = term._get_open_bill()
        left = charge.bill_id
        if transfer.partial:
            self.env["support.charge"].sudo().create(transfer._prepare_parts(bill))
        else:
            charge.write(
                {
                    "billing_term_id": term.id,
                    "bill_id": bill.id,
                    "moved_by_id": transfer.id,
                }
            )
        (left | bill)._charges_changed()

    def _prepare_parts(self, bill):
        charge = self.charge_id
        texts = self.with_context(lang=charge.partner_id.lang or self.env.lang)
        common = {
            "kind": "transfer",
            "date": charge.contract_id._get_today(),
            "company_id": charge.company_id.id,
            "currency_id": charge.currency_id.id,
            "partner_id": charge.partner_id.id,
            "contract_id": charge.contract_id.id,
            "term_id": charge.term_id.id,
            "product_id": charge.product_id.id,  # so that it has the same taxes
            "transfer_id": self.id,
        }
        source = texts.from_term_id.display_name or texts.env._("an earlier bill")
        return [
            common
            | {
                "name": texts.env._("To be charged in next invoice: %s", self.name),
                "billing_term_id": charge.billing_term_id.id,
                "bill_id": charge.bill_id.id,
                "price_unit": -self.amount,
                "amount": -self.amount,
            },
            common
            | {
                "name": texts.env._("Carried from %(term)s: %(name)s", term=source, name=self.name),
                "billing_term_id": self.to_term_id.id,
                "bill_id": bill.id,
                "price_unit": self.amount,
                "amount": self.amount,
            },
        ]

    def _undo(self):
        """Bring what was carried back to the term, and the bill, it came from.

        :raise UserError: where the bill it would leave, or come back to, is approved
        """
        for transfer in self.sudo():  # charges follow what a manager has decided
            obstacle = transfer._get_obstacle()
            if obstacle:
                raise UserError(obstacle)
            if transfer.partial:
                bills = transfer.part_ids.bill_id
                transfer.part_ids.unlink()
            else:
                charge = transfer.charge_id
                term = transfer.from_term_id
                bill = transfer._get_source_bill()
                bills = charge.bill_id | bill
                charge.write(
                    {
                        "billing_term_id": term.id,
                        "bill_id": bill.id,
                        "moved_by_id": transfer.previous_id.id,
                    }
                )
            transfer.write({"state": "undone"})
            bills._charges_changed()

    def _withdraw(self):
        """Forget transfers of charges that are about to go, or to come under another contract.

        What is on an approved bill already stays as it is; the customer has seen it.
        """
        for transfer in self.filtered(lambda t: t.state in ("to_approve", "done")):
            if transfer.state == "done" and (
                transfer._is_source_frozen()
                or any(part.state in FROZEN_STATES for part in transfer.part_ids)
            ):
                continue
            bills = transfer.part_ids.bill_id
            transfer.part_ids.unlink()
            transfer.activity_id.unlink()
            transfer.write({"state": "undone"})
            bills._charges_changed()

    # === QUESTIONS === #

    def _get_obstacle(self):
        """Return why this can't be taken back, and what to do; nothing if it can."""
        self.ensure_one()
        carried = self._get_carried()
        values = {"name": self.name}
        if self.state != "done":
            return self.env._(
                "“%(name)s” isn't carried (any more): there is nothing to undo.", **values
            )
        if not carried:
            return self.env._(
                "The work behind “%(name)s” is gone: there is nothing to take back.", **values
            )
        frozen = (carried | self.part_ids).filtered(lambda c: c.state in FROZEN_STATES)
        if frozen:
            return self.env._(
                "“%(name)s” is on the bill %(bill)s, which is approved. Cancel that bill first, "
                "or give the customer a credit.",
                bill=frozen[0].bill_id.name,
                **values,
            )
        moved_on = carried.moved_by_id if self.partial else carried.moved_by_id - self
        later = carried.transfer_ids.filtered(lambda t: t.state in ("to_approve", "done")) - self
        if moved_on or later.filtered(lambda t: t.id > self.id):
            return self.env._(
                "“%(name)s” has been carried again since: take the later transfer back first.",
                **values,
            )
        bill = self._get_source_bill()
        if bill and not bill._is_open():
            return self.env._(
                "“%(name)s” can't go back: the bill %(bill)s that it left is closed. Cancel that "
                "bill first, or leave it in the next term.",
                bill=bill.name,
                **values,
            )
        return False

    def _get_carried(self):
        """Return the charge that lies in the next term: the whole one, or the part's."""
        self.ensure_one()
        return (
            self.part_ids.filtered(lambda c: c._is_carried_in())
            if self.partial
            else (self.charge_id)
        )

    def _get_source_bill(self):
        """Return the bill on which it would be without this transfer; empty as long as none is."""
        self.ensure_one()
        bill = self.from_bill_id
        while bill.replaced_by_id:
            bill = bill.replaced_by_id
        if bill.kind == "immediate" and bill.state != "cancelled":
            return bill
        return self.from_term_id._get_main_bill()

    def _is_source_frozen(self):
        self.ensure_one()
        bill = self.sudo()._get_source_bill()  # a state, no price
        return bool(bill) and not bill._is_open()
