# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ..tools.money import less
from ..tools.statement import Movement, statement

LIVE_STATES = ("pending", "active", "suspended")


class SupportStatement(models.TransientModel):
    """The money of a statement: the receivable of the customer, and what is not invoiced yet.

    His balance is both together. Charges are untaxed, in the currency of their contract; invoices
    and payments are in the company's.
    """

    _inherit = "support.statement"

    def _get_money(self):
        """Return what is owed, what is coming and what moved, for those who see prices."""
        self.ensure_one()
        # Whoever sees the prices of support may hear what its customer owes, without being an
        # accountant; every search names the customer and the company.
        self = self.sudo()
        currency = self.company_id.currency_id
        receivable = self._state_receivable()
        waiting = self._state_charges()
        receivable_now = self._get_receivable()
        waiting_now = self._get_waiting()
        balance = receivable_now + sum(waiting_now.values(), Decimal(0))
        coming = self._get_coming_bills()
        return {
            "currency": currency,
            "receivable_now": receivable_now,
            "receivable_label": self._format_money(currency, receivable_now),
            "waiting": [
                {"label": label, "amount": self._format_money(currency, waiting_now[key])}
                for key, label in self._get_waiting_labels().items()
                if waiting_now.get(key)
            ],
            "waiting_now": sum(waiting_now.values(), Decimal(0)),
            "balance": balance,
            "balance_label": self._format_money(currency, balance),
            "invoices": self._get_open_invoices(),
            "bills": self._get_open_bills(),
            "payments": self._get_payments_on_their_way(),
            "contracts": coming,
            "next_bill": self._get_next_bill(coming),
            "receivable": self._present(currency, receivable),
            "charges": [
                {"currency": self.env["res.currency"].browse(key)}
                | self._present(self.env["res.currency"].browse(key), stated)
                for key, stated in waiting.items()
            ],
        }

    def _present(self, currency, stated):
        return {
            "opening": stated.opening,
            "opening_label": self._format_money(currency, stated.opening),
            "closing": stated.closing,
            "closing_label": self._format_money(currency, stated.closing),
            "lines": [
                {
                    **line.movement.subject,
                    "date": self._format_day(line.movement.day),
                    "amount": line.movement.amount,
                    "amount_label": self._format_money(currency, line.movement.amount),
                    "balance": line.balance,
                    "balance_label": self._format_money(currency, line.balance),
                }
                for line in stated.lines
            ],
        }

    def _format_money(self, currency, amount):
        return currency.format(float(amount))

    def _exact(self, amount):
        """Return an amount of the database, a float, as the decimal it stands for."""
        return Decimal(str(round(amount or 0.0, 6)))

    # === WHAT IS OWED === #

    def _get_receivable_domain(self):
        return [
            ("company_id", "=", self.company_id.id),
            ("partner_id.commercial_partner_id", "=", self._get_owner().id),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
        ]

    def _get_receivable(self):
        """Return what is owed by invoices, less what was paid, in the company's currency."""
        ((amount,),) = self.env["account.move.line"]._read_group(
            self._get_receivable_domain(), [], ["balance:sum"]
        )
        return self._exact(amount)

    def _get_waiting_labels(self):
        return {
            "open": self.env._("Charges not on a bill yet"),
            "billed": self.env._("On bills that wait for approval"),
            "approved": self.env._("On approved bills"),
            "invoiced": self.env._("On draft invoices"),
        }

    def _get_waiting(self):
        """Return what is charged and not invoiced, by state, in the company's currency."""
        totals = {}
        for charge in self._get_charges():
            if self._is_invoiced(charge):
                continue
            amount = charge.currency_id._convert(
                charge.amount, self.company_id.currency_id, self.company_id, self._get_today()
            )
            key = "invoiced" if charge.state == "credited" else charge.state
            totals[key] = totals.get(key, Decimal(0)) + self._exact(amount)
        return totals

    def _get_open_invoices(self):
        moves = self.env["account.move"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("commercial_partner_id", "=", self._get_owner().id),
                ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
                ("state", "=", "posted"),
                ("amount_residual", "!=", 0),
            ],
            order="invoice_date_due, id",
        )
        today = self._get_today()
        return [
            {
                "id": move.id,
                "name": move.name,
                "date": self._format_day(move.invoice_date),
                "due": self._format_day(move.invoice_date_due),
                "overdue": bool(move.invoice_date_due and move.invoice_date_due < today),
                "total": move.currency_id.format(move.amount_total * move._get_support_sign()),
                "open": move.currency_id.format(move.amount_residual * move._get_support_sign()),
            }
            for move in moves
        ]

    def _get_open_bills(self):
        bills = self.env["support.bill"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("partner_id", "=", self._get_owner().id),
                ("state", "in", ("draft", "to_approve", "approved")),
            ],
            order="date, id",
        )
        states = dict(bills._fields["state"]._description_selection(self.env))
        return [
            {
                "id": bill.id,
                "name": bill.name,
                "date": self._format_day(bill.date),
                "state": states[bill.state],
                "amount": bill.currency_id.format(bill.amount_untaxed),
            }
            for bill in bills
        ]

    # === WHAT IS COMING === #

    def _get_payments_on_their_way(self):
        """Return payments that were made and wait for the bank: they have no entry yet."""
        payments = self.env["account.payment"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("partner_id.commercial_partner_id", "=", self._get_owner().id),
                ("partner_type", "=", "customer"),
                ("payment_type", "=", "inbound"),
                ("state", "=", "in_process"),
                ("move_id", "=", False),
            ],
            order="date, id",
        )
        return [
            {
                "name": payment.name or payment.memo or self.env._("Payment"),
                "date": self._format_day(payment.date),
                "amount": payment.currency_id.format(payment.amount),
            }
            for payment in payments
        ]

    def _get_coming_bills(self):
        """Return when each contract is billed next and what its products will cost then."""
        contracts = self.env["support.contract"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("commercial_partner_id", "=", self._get_owner().id),
                ("state", "in", LIVE_STATES),
            ],
            order="date_start, id",
        )
        coming = []
        for contract in contracts:
            term = contract.term_ids.sorted("number").filtered(
                lambda term: term.billing_date and not term.charged
            )[:1]
            amount = sum(fee["amount"] for fee in term._prepare_fees()) if term else 0.0
            if not term and contract.state == "pending":
                amount = sum(contract.line_ids.mapped("subtotal"))
                amount = float(less(Decimal(str(amount)), contract._get_discount()))
            coming.append(
                {
                    "id": contract.id,
                    "name": contract.display_name,
                    "date": self._format_day(term.billing_date or contract.date_start),
                    "day": term.billing_date or contract.date_start,
                    "expected": amount,
                    "currency": contract.currency_id,
                    "amount": contract.currency_id.format(amount),
                    "end": self._format_day(contract.date_end) or "",
                }
            )
        return sorted(coming, key=lambda row: (row["day"], row["id"]))

    def _get_next_bill(self, coming):
        """Return what all contracts together are billed for on the next day of a bill."""
        day = coming[0]["day"] if coming else False
        sums = {}
        for row in coming:
            if row["day"] == day:
                sums[row["currency"]] = sums.get(row["currency"], 0.0) + row["expected"]
        return {
            "date": self._format_day(day),
            "amount": " + ".join(currency.format(amount) for currency, amount in sums.items()),
        }

    # === MOVEMENTS === #

    def _state_receivable(self):
        """Return the account of the customer: invoices, credit notes and payments."""
        rows = self.env["account.move.line"]._read_group(
            [*self._get_receivable_domain(), ("date", "<=", self.date_to)],
            ["move_id"],
            ["balance:sum", "date:max"],
            order="move_id",
        )
        movements = [
            Movement(day, self._exact(amount), self._prepare_receivable(move))
            for move, amount, day in rows
            if amount
        ]
        return statement(movements, self.date_from, self.date_to)

    def _prepare_receivable(self, move):
        if move.move_type == "out_refund":
            what = self.env._("Credit note")
        elif move.is_sale_document(include_receipts=True):
            what = self.env._("Invoice")
        elif move.origin_payment_id or move.statement_line_id:
            what = self.env._("Payment")
        else:
            what = self.env._("Entry")
        return {"what": what, "text": move.name or "", "move_id": move.id, "ticket": ""}

    def _state_charges(self):
        """Return what was charged and what of it was invoiced, by currency id."""
        movements, taken = {}, {}
        invoiced = self._get_invoice_days()
        for charge in self._get_charges():
            amount = self._exact(charge.amount)
            mine = movements.setdefault(charge.currency_id.id, [])
            subject = self._prepare_charge(charge)
            mine.append(Movement(charge.date, amount, subject))
            move, again = charge.bill_id.move_id, not self._is_invoiced(charge)
            if charge.id in invoiced:
                day, credited, name = invoiced[charge.id]
            elif again:
                continue
            else:
                day, credited, name = move.date, None, move.name
            key = charge.currency_id.id, day, name
            taken[key] = taken.get(key, Decimal(0)) - amount
            if again:  # credited, to be invoiced once more
                mine.append(Movement(credited or day, amount, subject, 2))
        for (currency, day, name), amount in taken.items():
            subject = {"what": self.env._("Invoiced"), "text": name or "", "ticket": ""}
            movements[currency].append(Movement(day, amount, subject, 1))
        return {
            currency: statement(listed, self.date_from, self.date_to)
            for currency, listed in movements.items()
        }

    def _get_charges(self):
        return self.env["support.charge"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("partner_id", "=", self._get_owner().id),
                ("state", "!=", "cancelled"),
                ("amount", "!=", 0),
            ],
            order="date, id",
        )

    def _is_invoiced(self, charge):
        """Return whether a charge is part of the receivable, or was until it was credited."""
        return charge.state == "credited" or charge.bill_id.move_id.state == "posted"

    def _get_invoice_days(self):
        """Return {charge id: (first day on an invoice, last day on a credit note, invoice)}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.support_charge_id, MIN(move.date),
                       MAX(move.date) FILTER (WHERE move.reversed_entry_id IS NOT NULL),
                       (ARRAY_AGG(move.name ORDER BY move.date, move.id))[1]
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
                  JOIN support_charge charge ON charge.id = line.support_charge_id
                 WHERE charge.partner_id = %s AND charge.company_id = %s
                 GROUP BY line.support_charge_id
                """,
                self._get_owner().id,
                self.company_id.id,
            )
        )
        return {charge: (day, credited, name) for charge, day, credited, name in rows}

    def _prepare_charge(self, charge):
        kinds = dict(charge._fields["kind"]._description_selection(self.env))
        return {
            "what": kinds[charge.kind],
            "text": charge.name,
            "ticket": charge.ticket_id.number or "",
            "ticket_id": charge.ticket_id.id,
        }
