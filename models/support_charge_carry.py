# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError


class Carry(NamedTuple):
    """What carrying one charge comes to; amounts untaxed, in its currency."""

    charge: models.Model
    contract: models.Model  # on whose bill it comes then
    term: models.Model  # where it comes; empty: it has yet to be made
    amount: float
    partial: bool
    number: int  # how often it has been carried by then
    excess: str  # why somebody else must approve it; empty: nobody must


class SupportCharge(models.Model):
    """Charges that are carried to the next term, whole or in part (Q10, Q11)."""

    _inherit = "support.charge"

    transfer_ids = fields.One2many(
        "support.charge.transfer", "charge_id", string="Carried", readonly=True
    )
    transfer_id = fields.Many2one(
        "support.charge.transfer",
        string="Part Of",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The transfer of a part that this is one side of.",
    )
    moved_by_id = fields.Many2one(
        "support.charge.transfer",
        string="Carried By",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What brought the whole charge to the term in which it is to be billed.",
    )
    transfer_count = fields.Integer(
        string="Times Carried",
        compute="_compute_transfer_count",
        store=True,
        help="How often this money has been carried to a next term.",
    )
    carried_label = fields.Char(string="Carried Mark", compute="_compute_carried_label")

    # === COMPUTE METHODS === #

    @api.depends("transfer_ids.state", "transfer_ids.partial", "transfer_id.number")
    def _compute_transfer_count(self):
        for charge in self:
            whole = charge.transfer_ids.filtered(lambda t: t.state == "done" and not t.partial)
            inherited = charge.transfer_id.number if charge._is_carried_in_part() else 0
            charge.transfer_count = inherited + len(whole)

    @api.depends(
        "amount", "moved_by_id", "transfer_id", "transfer_ids.state", "transfer_ids.partial"
    )
    @api.depends_context("lang")
    def _compute_carried_label(self):
        for charge in self:
            charge.carried_label = charge._get_carried_label()

    def _get_carried_label(self):
        self.ensure_one()
        if self.moved_by_id:
            term = self.moved_by_id.from_term_id
            return (
                self.env._("carried from %s", term.display_name)
                if term
                else self.env._("carried from an earlier bill")
            )
        if self._is_carried_out_part():
            return self.env._("to be charged in next invoice")
        if self._is_carried_in_part():
            return self.env._("carried in part")
        if self.transfer_ids.filtered(lambda t: t.state == "to_approve"):
            return self.env._("waits for approval to be carried")
        if self._get_parts_carried():
            return self.env._("in part to be charged in next invoice")
        return False

    # === CRUD METHODS === #

    def write(self, vals):
        if "contract_id" in vals and "moved_by_id" not in vals:
            # What was carried was a debt of the other contract.
            self.transfer_ids.sudo()._withdraw()  # it follows, whoever changed the contract
            vals = vals | {"moved_by_id": False}
        return super().write(vals)

    def unlink(self):
        self.transfer_ids.sudo()._withdraw()  # it follows, whoever deletes the work
        return super().unlink()

    # === ACTIONS === #

    def action_carry(self):
        """Open the wizard that carries these charges to the next term."""
        return self.env["support.transfer.wizard"]._open(self)

    def action_view_transfers(self):
        self.ensure_one()
        return (self.transfer_ids | self.transfer_id)._get_records_action(
            name=self.env._("Carried")
        )

    # === QUESTIONS === #

    def _is_moved(self):
        """Return whether somebody has decided in which term this charge is to be billed."""
        self.ensure_one()
        return bool(self.moved_by_id) or self.billing_contract_id != self.contract_id

    def _was_moved(self):
        return self._is_moved() or bool(self.transfer_id) or super()._was_moved()

    def _is_carried_out_part(self):
        return bool(self.transfer_id) and self.amount < 0

    def _is_carried_in_part(self):
        return bool(self.transfer_id) and self.amount > 0

    def _is_carried_in(self):
        """Return whether it belongs to the opening balance of its bill."""
        self.ensure_one()
        return bool(self.moved_by_id) or self._is_carried_in_part()

    def _get_parts_carried(self):
        """Return how much of this charge has been carried on in parts."""
        self.ensure_one()
        parts = self.transfer_ids.filtered(lambda t: t.partial and t.state == "done")
        return self.currency_id.round(sum(parts.mapped("amount")))

    # === CARRYING === #

    def _plan_carry(self, amounts=None, waiting=None):
        """Return what carrying these charges to the next term comes to; nothing is changed.

        :param dict amounts: {charge id: amount} of those of which only a part is carried
        :param waiting: the request that is about to be approved: it is asked for no limits again
        :rtype: list[Carry]
        :raise UserError: where something can't be carried, with what to do
        """
        plans, sums = [], {}
        for charge in self:
            amount = (amounts or {}).get(charge.id, charge.amount)
            partial = charge.currency_id.compare_amounts(amount, charge.amount) != 0
            charge._check_carriable(waiting)
            charge._check_part(amount, partial)
            contract, term = charge.billing_contract_id._find_next_term(charge.billing_term_id)
            charge._check_target(contract, term)
            number = charge.transfer_count + 1
            source = charge.billing_term_id
            sums[source] = sums.get(source, 0.0) + amount
            excess = "" if waiting else charge._get_excess(number, sums[source])
            plans.append(Carry(charge, contract, term, amount, partial, number, excess))
        return plans

    def _check_carriable(self, waiting=None):
        self.ensure_one()
        values = {"charge": self.name}
        if self.cancelled:
            raise UserError(
                self.env._("“%(charge)s” is cancelled: there is nothing to carry.", **values)
            )
        if not self.billing_contract_id:
            raise UserError(
                self.env._(
                    "“%(charge)s” belongs to no contract, and without terms there is no next one.",
                    **values,
                )
            )
        self._check_not_frozen()
        if self._is_carried_out_part():
            raise UserError(
                self.env._(
                    "“%(charge)s” is itself what was carried to the next term. Take that transfer "
                    "back instead.",
                    **values,
                )
            )
        if self.currency_id.is_zero(self.amount):
            raise UserError(
                self.env._("“%(charge)s” costs nothing: there is nothing to carry.", **values)
            )
        requests = self.transfer_ids.filtered(lambda t: t.state == "to_approve")
        if requests - (waiting or requests.browse()):
            raise UserError(
                self.env._(
                    "“%(charge)s” waits already for an approval to be carried. Decide about that "
                    "first.",
                    **values,
                )
            )

    def _check_part(self, amount, partial):
        """Refuse parts of nothing, of too much, and where a part can't be."""
        self.ensure_one()
        values = {"charge": self.name, "amount": self.currency_id.format(self.amount)}
        carried = self._get_parts_carried()
        if not partial:
            if carried:
                raise UserError(
                    self.env._(
                        "A part of “%(charge)s” has been carried already. Take that back first, "
                        "or carry another part.",
                        **values,
                    )
                )
            return
        if self.kind == "ticket":
            raise UserError(
                self.env._(
                    "“%(charge)s” is a ticket charge with its taxes in it: carry it as a whole.",
                    **values,
                )
            )
        rest = self.currency_id.round(self.amount - carried)
        compare = self.currency_id.compare_amounts
        if compare(amount, 0) <= 0 or compare(amount, rest) >= 0:
            raise UserError(
                self.env._(
                    "A part of “%(charge)s” must be above 0 and below %(rest)s. For all of it "
                    "carry the whole charge: %(amount)s.",
                    rest=self.currency_id.format(rest),
                    **values,
                )
            )

    def _check_target(self, contract, term):
        self.ensure_one()
        values = {"charge": self.name, "contract": contract.display_name}
        if contract.currency_id != self.currency_id:
            raise UserError(
                self.env._(
                    "“%(charge)s” is in %(currency)s, %(contract)s is billed in %(other)s: bill it "
                    "where it is.",
                    currency=self.currency_id.name,
                    other=contract.currency_id.name,
                    **values,
                )
            )
        bill = term._get_main_bill()
        if bill and not bill._is_open():
            raise UserError(
                self.env._(
                    "“%(charge)s” can't be carried to %(term)s: its bill %(bill)s is approved. "
                    "Cancel that bill first, or leave the charge where it is.",
                    term=term.display_name,
                    bill=bill.name,
                    **values,
                )
            )

    def _get_excess(self, number, planned):
        """Return which limit of the contract is exceeded; empty: none.

        :param float planned: what is about to be carried out of the term of this charge
        """
        contract, term = self.billing_contract_id, self.billing_term_id
        limit = contract.transfer_limit_count
        if limit and number > limit:
            return self.env._(
                "It would be carried for the %(number)s. time; %(limit)s are free.",
                number=number,
                limit=limit,
            )
        limit = contract.transfer_limit_amount
        if limit and self.currency_id.compare_amounts(term._get_carried_out() + planned, limit) > 0:
            return self.env._(
                "More than %s would be carried out of the term.", self.currency_id.format(limit)
            )
        return ""

    @api.model
    def _carry(self, plans, reason):
        """Carry what was planned; what exceeds a limit waits for somebody else's approval.

        :return: the transfers
        """
        transfers = self.env["support.charge.transfer"]
        for plan in plans:
            charge = plan.charge
            term = plan.term or plan.contract._make_next_term(charge.billing_term_id)
            # Nobody writes these records but through what he may decide.
            transfer = transfers.sudo().create(
                {
                    "name": charge.name,
                    "charge_id": charge.id,
                    "contract_id": charge.billing_contract_id.id,
                    "currency_id": charge.currency_id.id,
                    "from_term_id": charge.billing_term_id.id,
                    "from_bill_id": charge.bill_id.id,
                    "to_term_id": term.id,
                    "amount": plan.amount,
                    "partial": plan.partial,
                    "number": plan.number,
                    "previous_id": charge.moved_by_id.id,
                    "reason": reason,
                    "state": "to_approve" if plan.excess else "done",
                }
            )
            if plan.excess:
                transfer.activity_id = transfer.contract_id._ask_for_approval(transfer, plan.excess)
            else:
                transfer._apply()
            transfers += transfer
        return transfers.sudo(False)
