# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from .support_charge import FEE_KINDS, MANUAL_KINDS, WORK_KINDS

CANCELLABLE_KINDS = (*WORK_KINDS, *MANUAL_KINDS, *FEE_KINDS, "ticket", "rule", "credit", "opening")


class Cancellation(NamedTuple):
    """What cancelling some charges, or restoring them, comes to."""

    charges: models.Model  # all that are cancelled, with those of the same activity
    entries: models.Model  # time entries whose units come back
    tickets: models.Model  # tickets whose incidents come back
    alone: models.Model  # charges with nothing behind them, or whose work is billed elsewhere


class SupportCharge(models.Model):
    """Activities that were to be debited and are cancelled instead (Q12).

    What is cancelled stays visible as cancelled, with who and why; the units it took come back.
    A time entry or the incidents of a ticket are cancelled as a whole, with all their charges.
    """

    _inherit = "support.charge"

    cancelled_at = fields.Datetime(string="Cancelled On", readonly=True)
    cancelled_by_id = fields.Many2one("res.users", readonly=True)
    cancel_reason = fields.Char(readonly=True)

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cancelled(self):
        cancelled = self.filtered("cancelled_at")
        if cancelled:
            raise UserError(
                self.env._(
                    "“%s” was cancelled and stays visible as such: it can't be deleted.",
                    cancelled[0].name,
                )
            )

    # === ACTIONS === #

    def action_cancel_activity(self):
        """Open the wizard that cancels these activities."""
        return self.env["support.activity.cancel.wizard"]._open(self)

    def action_restore_activity(self):
        """Open the wizard that charges cancelled activities again."""
        return self.env["support.take.back.wizard"]._open("restore", charges=self)

    # === CANCELLING === #

    def _plan_cancel(self):
        """Return what is cancelled with these charges; nothing is changed.

        :rtype: Cancellation
        :raise UserError: where one can't be cancelled, with what to do
        """
        for charge in self:
            charge._check_cancellable()
        # Whoever may cancel may have the whole activity cancelled, whose ever it is.
        work = self.sudo()
        entries = work.filtered(lambda c: c.kind in WORK_KINDS).time_entry_id
        entries -= entries._get_frozen()
        tickets = work.filtered(lambda c: c.kind in WORK_KINDS and not c.time_entry_id).ticket_id
        tickets -= tickets._get_frozen()
        charges = (
            work | entries.charge_ids | tickets.charge_ids.filtered(lambda c: c._is_of_incident())
        )
        charges = charges.filtered(lambda c: not c.cancelled)
        for charge in charges:
            charge._check_no_transfer()
        alone = charges.filtered(
            lambda c: (
                c.time_entry_id not in entries
                and not (c._is_of_incident() and c.ticket_id in tickets)
            )
        )
        return Cancellation(charges, entries, tickets, alone)

    def _check_cancellable(self):
        self.ensure_one()
        values = {"charge": self.name}
        self._check_not_frozen()
        if self.cancelled:
            raise UserError(self.env._("“%(charge)s” is cancelled already.", **values))
        if self.kind not in CANCELLABLE_KINDS:
            raise UserError(
                self.env._(
                    "“%(charge)s” can't be cancelled by itself: take back what it was made by.",
                    **values,
                )
            )
        if self.refund_of_id:
            raise UserError(
                self.env._(
                    "“%(charge)s” refunds a charge on a ticket: change the amount on the ticket.",
                    **values,
                )
            )

    def _check_no_transfer(self):
        self.ensure_one()
        waiting = self.transfer_ids.filtered(lambda t: t.state == "to_approve")
        if waiting or self._get_parts_carried():
            raise UserError(
                self.env._(
                    "“%s” is carried in part to the next term, or waits for it. Take that back "
                    "first, and cancel it then.",
                    self.name,
                )
            )

    def _is_of_incident(self):
        self.ensure_one()
        return bool(self.ticket_id) and self.kind in WORK_KINDS and not self.time_entry_id

    @api.model
    def _cancel(self, plan, reason):
        """Cancel what was planned.

        :param Cancellation plan:
        """
        marks = {
            "cancelled_at": fields.Datetime.now(),
            "cancelled_by_id": self.env.uid,
            "cancel_reason": reason,
        }
        bills = plan.charges.bill_id
        of_tickets = plan.alone.filtered(lambda c: c.kind == "ticket")
        for charge in of_tickets:  # the amount on the ticket is what people decide
            ticket = charge.ticket_id.sudo()  # for whoever may cancel
            ticket.charge_amount = max(ticket.charge_amount - charge.amount_total, 0.0)
        plan.charges.sudo().write(marks | {"cancelled": True})
        plan.entries.sudo()._set_cancelled(marks)
        for ticket in plan.tickets.sudo():  # the number of incidents, for whoever may cancel
            ticket.incident_quantity = 0
        bills._charges_changed()

    # === CHARGING AGAIN === #

    def _plan_restore(self):
        """Return what is charged again with these charges; nothing is changed.

        :rtype: Cancellation
        :raise UserError: where one wasn't cancelled, or its bill is approved by now
        """
        for charge in self:
            charge._check_restorable()
        work = self.sudo()  # as in _plan_cancel
        entries = work.time_entry_id.filtered("support_cancelled_at")
        tickets = work.filtered(lambda c: c._is_of_incident()).ticket_id
        charges = (
            work | entries.charge_ids | tickets.charge_ids.filtered(lambda c: c._is_of_incident())
        )
        charges = charges.filtered("cancelled_at")
        for charge in charges:
            charge._check_restorable()
        alone = charges.filtered(
            lambda c: c.time_entry_id not in entries and not c._is_of_incident()
        )
        return Cancellation(charges, entries, tickets, alone)

    def _check_restorable(self):
        self.ensure_one()
        if not self.cancelled_at:
            raise UserError(self.env._("“%s” isn't cancelled: reload the page.", self.name))
        if self.bill_id and not self.bill_id._is_open():
            raise UserError(
                self.env._(
                    "“%(charge)s” was cancelled on the bill %(bill)s, which is approved. Cancel "
                    "that bill first, or charge it anew.",
                    charge=self.name,
                    bill=self.bill_id.name,
                )
            )

    @api.model
    def _restore(self, plan):
        """Charge again what was cancelled.

        :param Cancellation plan:
        """
        marks = dict.fromkeys(("cancelled_at", "cancelled_by_id", "cancel_reason"), False)
        of_tickets = plan.alone.filtered(lambda c: c.kind == "ticket")
        for charge in of_tickets:  # it is charged anew; the old one stays as its history says
            ticket = charge.ticket_id.sudo()  # for whoever may cancel
            ticket.charge_amount += charge.amount_total
        of_tickets.write(marks)
        charges = plan.charges - of_tickets
        charges.write(marks | {"cancelled": False})
        for charge in charges:
            charge._return_to_bill()
        plan.entries.sudo()._set_cancelled(marks)
        for ticket in plan.tickets.sudo():  # the number of incidents, for whoever may cancel
            number = sum(charges.filtered(lambda c, t=ticket: c.ticket_id == t).mapped("quantity"))
            ticket.incident_quantity += round(number)
        charges.exists().bill_id._charges_changed()

    def _return_to_bill(self):
        """Put a charge on the bill of its term; where that is closed, to be billed later."""
        self.ensure_one()
        bill = self.billing_term_id._get_main_bill()
        if self.bill_id or not bill:
            return
        if bill._is_open():
            self.bill_id = bill
        elif self.contract_id:
            self.billing_term_id = self.contract_id._get_billing_term(self.term_id)
