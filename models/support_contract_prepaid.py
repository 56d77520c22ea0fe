# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Contracts that begin with their first payment (L37).

One that was sold on an order is pending until its first fee is paid, where the company wants that.
A pending contract grants nothing, so that nobody uses what isn't paid; but its first term is there
already, because there must be a bill that can be paid. It begins in the transaction in which it is
paid, on its first day however long ago that was, so that the customer gets what he has paid for.
A manager may begin it earlier by hand; its tickets then wait for the payment.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .support_charge import FEE_KINDS
from .support_contract import SETTLED_FIELDS
from .support_contract_sold import UNSENT_BILLS


class SupportContract(models.Model):
    _inherit = "support.contract"

    starts_paid = fields.Boolean(
        string="Begins When Paid",
        readonly=True,
        copy=False,
        help="Pending until the fee of its first term is paid.",
    )

    # === THE LIFE === #

    def action_confirm(self):
        prepaid = self.filtered(lambda contract: contract._must_be_paid_first())
        if prepaid:
            prepaid._check_confirmable()
            prepaid.sudo().starts_paid = True  # follows from what was sold
            prepaid._set_state("pending")
            prepaid._make_first_terms()
        return super(SupportContract, self - prepaid).action_confirm()

    def action_cancel(self):
        self._take_back_first_fee()
        return super().action_cancel()

    def _cancel_sold(self):
        self._take_back_first_fee()
        return super()._cancel_sold()

    def _take_back_first_fee(self):
        """Take back what was to be paid first.

        :raise UserError: where the customer has got the bill
        """
        # Who may cancel the contract, or the order that has made it, takes all of it back.
        for contract in self.sudo().filtered(lambda c: c._waits_to_be_paid()):
            sent = contract.bill_ids.filtered(
                lambda bill: bill.state not in (*UNSENT_BILLS, "credited", "cancelled")
            )
            if sent:
                raise UserError(
                    self.env._(
                        "%(contract)s can't be cancelled: its bill %(bill)s was approved. Cancel "
                        "or credit that bill first.",
                        contract=contract.display_name,
                        bill=sent[0].name,
                    )
                )
            contract.bill_ids.filtered(lambda bill: bill.state in UNSENT_BILLS).action_cancel()
            contract.charge_ids.filtered(lambda charge: charge.state == "open").write(
                {"cancelled": True}
            )

    def write(self, vals):
        if "starts_paid" in vals and not self.env.su:
            raise UserError(
                self.env._("Whether a contract must be paid first follows from its order.")
            )
        changed = SETTLED_FIELDS.intersection(vals)
        for contract in self if changed else ():
            if contract._waits_to_be_paid():  # its first bill hangs on it
                contract._check_settled(changed, vals)
        return super().write(vals)

    def _begin_paid(self):
        """Have those begin that have been paid."""
        paid = self.filtered(
            lambda c: c.state == "pending" and c.starts_paid and not c.payment_pending
        )
        if paid:
            self.env["support.contract.term"]._roll(paid)

    # === QUESTIONS === #

    def _must_be_paid_first(self):
        """Return whether it is to begin when it is paid: sold, with a fee due in advance."""
        self.ensure_one()
        return bool(
            self.sale_line_id
            and self.company_id.support_payment_required
            and self.billing_mode == "advance"
            # Whoever sells it needn't see prices.
            and any(line.quantity * line.price_unit > 0 for line in self.sudo().line_ids)
        )

    def _waits_to_be_paid(self):
        self.ensure_one()
        return self.state == "pending" and self.starts_paid

    def _is_billable(self):
        return super()._is_billable() or bool(self._waits_to_be_paid() and self.term_ids)

    def _get_unpaid(self):
        """Of those that begin when paid, the first fee is due before its term has begun.

        Nothing but money counts: a bill that was cancelled or credited has paid nothing.
        """
        waiting = self.filtered(lambda contract: contract._waits_to_be_paid())
        unpaid = super(SupportContract, self - waiting)._get_unpaid()
        uncharged = waiting.term_ids.filtered(lambda term: not term.charged).contract_id
        fees = self.env["support.charge"].search(
            [
                ("contract_id", "in", (waiting - uncharged).ids),
                ("kind", "in", FEE_KINDS),
                ("cancelled", "=", False),
                ("amount", ">", 0),
            ]
        )
        due = fees.filtered(
            lambda fee: (
                fee.bill_id.state != "invoiced"
                or fee.bill_id.move_id.payment_state not in ("paid", "in_payment")
            )
        )
        return unpaid | uncharged | due.contract_id

    def _make_first_terms(self):
        """Make the term that is paid first, and no other: the rest come when they run."""
        terms = self.env["support.contract.term"].sudo()  # terms follow from the contract's dates
        made = terms._make_missing(self, {contract: contract._get_today() for contract in self})
        firsts = {contract: contract._get_first_number() for contract in self}
        made.filtered(lambda term: term.number != firsts[term.contract_id]).unlink()

    # === TELLING === #

    @api.model
    def _tell_tickets(self):
        """Have those begin first whose payment is among the changes."""
        changed = self.env.cr.precommit.data.get("support_contract.changed", ())
        # Contracts begin whoever has registered the payment.
        self.sudo().browse(sorted(changed)).exists()._begin_paid()
        return super()._tell_tickets()


class SupportContractTerm(models.Model):
    _inherit = "support.contract.term"

    @api.model
    def _roll(self, contracts, today=None):
        """Leave those alone that wait to be paid."""
        waiting = contracts.sudo().filtered(  # a fact about them
            lambda contract: contract._waits_to_be_paid() and contract.payment_pending
        )
        return super()._roll(contracts - waiting, today)

    @api.model
    def _get_due_domain(self, today):
        waiting = Domain("state", "=", "pending") & Domain("starts_paid", "=", True)
        return super()._get_due_domain(today) & ~(waiting & Domain("payment_pending", "=", True))
