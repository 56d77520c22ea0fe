# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..tools.ticket_charge import FrozenCharge, settle
from .support_charge import FROZEN_STATES

# What follows from the amount on the ticket, of a charge of the kind "ticket".
TICKET_FACTS = {
    "kind", "amount", "amount_total", "quantity", "price_unit", "cancelled", "ticket_id",
    "refund_of_id", "product_id",
}  # fmt: skip


class TaxSplit(NamedTuple):
    """An amount with its tax in it, taken apart; in the currency of the charge."""

    untaxed: float
    price_unit: float  # as an invoice line wants it: with the taxes that prices include
    tax_of: dict[int, tuple[float, float]]  # {tax id: (base, tax)}


class SupportCharge(models.Model):
    """The amount that is charged on a ticket directly, tax included (B2–B8, B57).

    The amount on the ticket is what people decide; the charges follow it. One that isn't on an
    approved bill yet is changed, else the difference is a charge, or a refund, of its own.
    """

    _inherit = "support.charge"

    amount_total = fields.Monetary(
        string="Tax Included",
        readonly=True,
        help="Of a ticket charge: exactly what the invoice comes to, with its taxes.",
    )
    refund_of_id = fields.Many2one(
        "support.charge", index="btree_not_null", ondelete="restrict", readonly=True, copy=False
    )
    history = fields.Text(readonly=True, copy=False, help="Who changed the amount, and when.")

    _ticket_charge = models.Index("(ticket_id) WHERE kind = 'ticket'")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        charges = super().create(vals_list)
        charges._check_made_by_ticket()
        return charges

    def write(self, vals):
        if TICKET_FACTS.intersection(vals):
            self._check_made_by_ticket()
        result = super().write(vals)
        if "kind" in vals:
            self._check_made_by_ticket()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_ticket_charge(self):
        self._check_made_by_ticket()

    def _check_made_by_ticket(self):
        """Refuse to change a ticket charge past the amount on its ticket."""
        if not self.env.su and any(charge.kind == "ticket" for charge in self):
            raise UserError(
                self.env._("A ticket charge follows the amount on its ticket: change it there.")
            )

    # === TAXES === #

    def _split_tax(self, taxes):
        """Take the amount of a ticket charge apart into what is untaxed and its taxes (B57).

        The untaxed part is what is left when each tax has been rounded, so the parts are worth
        exactly the whole, whatever the rates: 10.00 with 21 % is 8.26 + 1.74.

        :param taxes: the taxes of the product, after the fiscal position
        :rtype: TaxSplit
        """
        self.ensure_one()
        account_tax = self.env["account.tax"]
        line = account_tax._prepare_base_line_for_taxes_computation(
            None,
            price_unit=self.amount_total,
            quantity=1.0,
            tax_ids=taxes,
            currency_id=self.currency_id,
            product_id=self.product_id,
            partner_id=self.partner_id,
            special_mode="total_included",
        )
        account_tax._add_tax_details_in_base_line(
            line, self.company_id, rounding_method="round_per_line"
        )
        account_tax._round_base_lines_tax_details([line], self.company_id)
        details = line["tax_details"]
        untaxed = price_unit = details["total_excluded_currency"]
        tax_of = {}
        for data in details["taxes_data"]:
            tax, amount = data["tax"], data["tax_amount_currency"]
            if tax.price_include:
                price_unit += amount
            if not data["is_reverse_charge"]:
                tax_of[tax.id] = (data["base_amount_currency"], amount)
        rounded = self.currency_id.round
        return TaxSplit(rounded(untaxed), rounded(price_unit), tax_of)

    def _prepare_extra_tax_data(self, split, sign):
        """Return Odoo's own note on an invoice line that fixes its taxes to those of a split.

        Odoo heeds it as long as price, quantity and taxes of the line stay as they are.
        """
        self.ensure_one()
        return split.tax_of and {
            "currency_id": self.currency_id.id,
            "price_unit": sign * split.price_unit,
            "quantity": 1.0,
            "discount": 0.0,
            "manual_total_excluded_currency": sign * split.untaxed,
            "manual_tax_amounts": {
                str(tax): {
                    "base_amount_currency": sign * base,
                    "tax_amount_currency": sign * amount,
                }
                for tax, (base, amount) in split.tax_of.items()
            },
        }

    def _refresh_untaxed(self):
        """Have ticket charges follow the taxes of today; what the customer pays stays."""
        taxes, positions = {}, {}
        invoicing = self.env["support.invoicing"]
        for charge in self.filtered(lambda charge: charge.kind == "ticket"):
            key = charge.contract_id, charge.partner_id, charge.company_id
            if key not in positions:
                positions[key] = invoicing._get_fiscal_position(charge)
            position = positions[key]
            split = charge._split_tax(invoicing._get_taxes(charge, position, taxes))
            if charge.currency_id.compare_amounts(charge.amount, split.untaxed):
                charge._set_untaxed(split.untaxed)

    # === WHAT THE TICKET SAYS === #

    @api.model
    def _sync_ticket_amounts(self, tickets):
        """Make the charges of tickets worth the amounts on them.

        :raise UserError: where the product for ticket charges can't be used, or the currency of
            the ticket has changed
        """
        live = self.search(
            [("ticket_id", "in", tickets.ids), ("kind", "=", "ticket"), ("cancelled", "=", False)],
            order="id",
        ).grouped("ticket_id")
        changed, bills, vals_list = self.browse(), self.env["support.bill"], []
        for ticket in tickets:
            charges = live.get(ticket, self.browse()).filtered(
                lambda c: "credited" not in (c.state, c.refund_of_id.state)
            )
            charges._check_currency(ticket)
            frozen = charges.filtered(lambda c: c.state in FROZEN_STATES)
            wanted = self._split_wanted(
                ticket, settle(Decimal(str(ticket.charge_amount)), frozen._get_left()), frozen
            )
            for charge in charges - frozen:
                amount = wanted.pop((charge.refund_of_id.id or None, charge.instalment), None)
                bills |= charge.bill_id
                if charge._follow_ticket(ticket, amount):
                    changed += charge
            vals_list += [
                self._prepare_ticket_charge(ticket, self.browse(original), amount, instalment)
                for (original, instalment), amount in wanted.items()
            ]
        changed += self.create(vals_list)
        changed._refresh_untaxed()
        bills._charges_changed()
        changed.filtered(lambda c: not c.cancelled and c.refund_of_id)._credit_at_once()

    @api.model
    def _move_ticket_charges(self, tickets):
        """Have the charges of tickets that aren't frozen follow customer and contract.

        What they are worth isn't decided anew: an invoice that was credited stays so.
        """
        charges = self.search(
            [
                ("ticket_id", "in", tickets.ids),
                ("kind", "=", "ticket"),
                ("cancelled", "=", False),
                ("state", "!=", "credited"),
            ]
        )
        bills = charges.bill_id
        for ticket, group in charges.grouped("ticket_id").items():
            group._check_currency(ticket)
            for charge in group.filtered(lambda c: c.state not in FROZEN_STATES):
                if charge._follow_ticket(ticket, Decimal(str(charge.amount_total))):
                    charge._refresh_untaxed()
        bills._charges_changed()

    def _get_left(self):
        """Return what is left of these frozen charges after their refunds, the oldest first."""
        left = {}
        for charge in self.sorted("id"):
            key = charge.refund_of_id.id or charge.id
            left[key] = left.get(key, Decimal(0)) + Decimal(str(charge.amount_total))
        return [FrozenCharge(key, amount) for key, amount in left.items()]

    def _check_currency(self, ticket):
        """Refuse to add amounts of two currencies on one ticket."""
        other = self.currency_id - ticket.charge_currency_id
        if other:
            raise UserError(
                self.env._(
                    "%(ticket)s has a charge in %(old)s, but would now be billed in %(new)s. Take "
                    "the charge back first, and charge the ticket again afterwards.",
                    ticket=ticket.display_name,
                    old=other[0].name,
                    new=ticket.charge_currency_id.name,
                )
            )

    def _follow_ticket(self, ticket, amount):
        """Change a charge that isn't frozen so that it is what its ticket wants.

        :param Decimal amount: tax included; None: it isn't wanted any more, and is cancelled
        :return: whether anything has changed
        """
        self.ensure_one()
        vals = {}
        if amount is None:
            vals = {"cancelled": True}
        elif not self.refund_of_id:
            owner = self._prepare_ticket_owner(ticket)
            vals = {name: value for name, value in owner.items() if self[name].id != value}
            if vals:
                vals |= self._prepare_ticket_terms(ticket.contract_id) | {"bill_id": False}
        new = float(amount or 0)
        if amount is None or self.currency_id.compare_amounts(self.amount_total, new):
            vals["history"] = "\n".join(
                filter(None, [self.history, self._note(self.currency_id, self.amount_total, new)])
            )
            if amount is not None:
                vals["amount_total"] = new
        if vals:
            self.write(vals)
        return bool(vals)

    @api.model
    def _note(self, currency, old, new):
        return self.env._(
            "%(when)s, %(who)s: %(old)s → %(new)s",
            when=format_datetime(self.env, fields.Datetime.now()),
            who=self.env.user.name,
            old=currency.format(old),
            new=currency.format(new),
        )

    @api.model
    def _prepare_ticket_owner(self, ticket):
        return {
            "company_id": ticket.company_id.id,
            "currency_id": ticket.charge_currency_id.id,
            "partner_id": ticket.commercial_partner_id.id,
            "contract_id": ticket.contract_id.id,
        }

    @api.model
    def _prepare_ticket_terms(self, contract):
        """Return in which term a ticket is charged today, and on whose bill that comes."""
        if not contract:
            return {"term_id": False, "billing_term_id": False}
        term = contract._get_term_on(contract._get_today())
        return {"term_id": term.id, "billing_term_id": contract._get_billing_term(term).id}

    @api.model
    def _prepare_ticket_charge(self, ticket, original, amount, instalment):
        """Return the values of a charge on a ticket, or of the refund of an original one.

        :param int instalment: its number; 0: it isn't one
        """
        day = fields.Date.context_today(self)
        lang = ticket.partner_id.lang or self.env.lang
        ticket, original = ticket.with_context(lang=lang), original.with_context(lang=lang)
        if original:
            owner = {
                name: original[name].id
                for name in ("company_id", "currency_id", "partner_id", "contract_id")
            }
            product, contract = original.product_id, original.contract_id
            name = self.with_context(lang=lang).env._("Refund: %s", original.name)
        else:
            owner, contract = self._prepare_ticket_owner(ticket), ticket.contract_id
            product = ticket._get_charge_product()
            name = f"{product.display_name} – {ticket.display_name}"
            day = contract._get_today() if contract else day
        currency = self.env["res.currency"].browse(owner["currency_id"])
        return {
            **owner,
            **self._prepare_ticket_terms(contract),
            "kind": "ticket",
            "ticket_id": ticket.id,
            "instalment": instalment,
            "refund_of_id": original.id,
            "date": day,
            "name": name,
            "product_id": product.id,
            "quantity": 1.0,
            "amount_total": float(amount),
            "history": self._note(currency, 0.0, float(amount)),
        }

    # === REFUNDS === #

    def _credit_at_once(self):
        """Make the credit notes of refunds whose originals have been invoiced."""
        refunds = self.filtered(
            lambda c: c.refund_of_id.state == "invoiced" and c.refund_of_id.bill_id.move_id
        )
        bills = self.env["support.bill"]
        groups = refunds.grouped(lambda c: (c.refund_of_id.bill_id.move_id, c.contract_id))
        for group in groups.values():
            bill = bills.create(
                bills._prepare_immediate_bill(group, fields.Date.context_today(self))
            )
            group.write({"bill_id": bill.id, "billing_term_id": False})
            bills += bill
        if bills:
            bills.action_approve()  # whoever may take the charge back has decided
            self.env["support.invoicing"]._create_invoices(bills)

    def _get_credited_line(self):
        """Return the invoice line that this charge refunds, if it has been invoiced."""
        self.ensure_one()
        original = self.refund_of_id
        return original.invoice_line_ids.filtered(
            lambda line: line.move_id == original.bill_id.move_id
        )[:1]
