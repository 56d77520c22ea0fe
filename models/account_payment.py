# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools.sql import column_exists, create_column

from .support_event import PAYMENT_KINDS


class AccountPayment(models.Model):
    """Payments of customers, as far as they count for what events give.

    Odoo writes the state of a payment from many places, some of them past every button. So what
    counts is a stored field of the payment, computed from its state; whenever it is computed the
    customer is noted, and at the end of the transaction everybody noted is looked at once.
    """

    _inherit = "account.payment"

    support_counted_amount = fields.Monetary(
        string="Counts for Support Units",
        currency_field="company_currency_id",
        compute="_compute_support_counted_amount",
        store=True,
        copy=False,
        help="What this payment counts for the units that customers get for payments.",
    )

    _support_counted = models.Index(
        "(partner_id, company_id, date) WHERE support_counted_amount > 0"
    )

    def _auto_init(self):
        """Fill the column at once where there are payments already, past the slow way."""
        cr = self.env.cr
        if not column_exists(cr, self._table, "support_counted_amount"):
            create_column(cr, self._table, "support_counted_amount", "numeric")
            self._fill_support_counted_amount()
        return super()._auto_init()

    @api.model
    def _fill_support_counted_amount(self):
        """Fill the column of payments that were there before the add-on, in one statement."""
        self.env.cr.execute(
            """
            UPDATE account_payment AS payment
               SET support_counted_amount = payment.amount_company_currency_signed
              FROM account_payment AS known
              LEFT JOIN account_move move ON move.id = known.move_id
             WHERE known.id = payment.id AND payment.payment_type = 'inbound'
               AND payment.partner_type = 'customer' AND payment.partner_id IS NOT NULL
               AND payment.state IN ('in_process', 'paid')
               AND (move.id IS NULL OR move.state = 'posted')
               AND payment.amount_company_currency_signed > 0
               AND NOT EXISTS (SELECT 1 FROM account_move reversal
                                WHERE reversal.reversed_entry_id = move.id
                                  AND reversal.state = 'posted')
            """
        )

    @api.depends(
        "state",
        "payment_type",
        "partner_type",
        "partner_id",
        "company_id",
        "date",
        "amount_company_currency_signed",
        "move_id.state",
        "move_id.reversal_move_ids.state",
    )
    def _compute_support_counted_amount(self):
        for payment in self:
            amount = payment.amount_company_currency_signed
            payment.support_counted_amount = amount if payment._counts_for_support() else 0.0
        self._note_for_support()

    @api.model_create_multi
    def create(self, vals_list):
        self._check_support_counted(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_support_counted([vals])
        if "partner_id" in vals or "company_id" in vals:
            self._note_for_support()  # whom they counted for until now
        return super().write(vals)

    def unlink(self):
        # Noted first: afterwards nobody knows whose they were.
        self._note_for_support(deleted=True)
        return super().unlink()

    @api.model
    def _check_support_counted(self, vals_list):
        """Refuse to be told what counts: it follows from the payment, and gives units."""
        name = "support_counted_amount"
        told = f"default_{name}" in self.env.context or any(name in vals for vals in vals_list)
        if told and not self.env.su:
            raise AccessError(
                self.env._(
                    "What a payment counts for support units follows from its amount and state "
                    "and can't be written."
                )
            )

    def _counts_for_support(self):
        """Return whether it is money from a customer that has been received and not returned."""
        self.ensure_one()
        move = self.move_id
        return (
            self._is_from_customer()
            and self.state in ("in_process", "paid")
            and (not move or move.state == "posted")
            and not any(reversal.state == "posted" for reversal in move.reversal_move_ids)
        )

    def _is_from_customer(self):
        self.ensure_one()
        return (
            self.payment_type == "inbound"
            and self.partner_type == "customer"
            and bool(self.partner_id)
        )

    def _note_for_support(self, deleted=False):
        """Note whose units depend on these payments, where any event asks for payments."""
        events = self.env["support.event"]
        kinds = events._get_kinds()
        if not kinds:
            return
        for payment in self:
            asked = kinds.get(payment.company_id.id, set()).intersection(PAYMENT_KINDS)
            if asked and isinstance(payment.id, int) and payment._is_from_customer():
                key = payment.company_id.id, payment.partner_id.commercial_partner_id.id
                events._note("payments", key, {payment.id: payment.name if deleted else False})
