# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import groupby

from ..tools.money import less, round_to


class SupportInvoicing(models.AbstractModel):
    """Makes invoices of approved bills: one line per charge, worth exactly the charge.

    Amounts are filled in beforehand (`amount_currency`, `balance`), which spares Odoo the
    synchronisation of every line one by one; totals, taxes and journal items are the same.
    The system parameter `support_contract.plain_invoices` switches back to the plain way.
    """

    _name = "support.invoicing"
    _description = "Invoicing of Support Bills"

    @api.model
    def _create_invoices(self, bills):
        """Make draft invoices of approved bills and link them.

        :raise UserError: if a bill isn't approved
        """
        bills._check_state(("approved",))
        groups = [
            bills.browse(bill.id for bill in group).with_prefetch(bills.ids)
            for _key, group in groupby(bills, self._get_grouping_key)
        ]
        prefill = (
            not self.env["ir.config_parameter"]
            .sudo()
            .get_param(  # a technical switch
                "support_contract.plain_invoices"
            )
        )
        taxes = {}
        bills.sudo().charge_ids._refresh_untaxed()  # taxes, for whoever may make the invoice
        vals_list = [self._prepare_invoice(group, taxes, prefill) for group in groups]
        # One note per invoice is written below, for the whole batch, instead of one by one.
        # Who may approve a bill may have its invoice made, without being an accountant.
        invoices = self.env["account.move"].sudo().with_context(mail_create_nolog=True)
        moves = invoices.create(vals_list)
        for group, move in zip(groups, moves, strict=True):
            group._set({"move_id": move.id})
        moves._message_log_batch(
            bodies={
                move.id: self.env._("Made from %s.", ", ".join(group.mapped("name")))
                for group, move in zip(groups, moves, strict=True)
            }
        )
        if any(company.support_post_invoices for company in moves.company_id):
            moves.filtered(lambda move: move.company_id.support_post_invoices)._post()
        return moves.sudo(False)

    @api.model
    def _get_grouping_key(self, bill):
        """Return what bills on one invoice have in common."""
        per_customer = bill.partner_id.support_invoice_grouping == "customer"
        return (
            bill.company_id.id,
            bill.partner_invoice_id.id,
            bill.currency_id.id,
            bill._get_payment_term().id,
            bill.contract_id.fiscal_position_id.id,
            bill._get_credited_move().id,
            bill.date,
            0 if per_customer else bill.id,
        )

    @api.model
    def _get_fiscal_position(self, owner):
        """Return the fiscal position of a bill or charge: its contract's or the customer's."""
        partner = owner.contract_id.partner_invoice_id or owner.partner_id.browse(
            owner.partner_id.address_get(["invoice"])["invoice"]
        )
        return owner.contract_id.fiscal_position_id or self.env[
            "account.fiscal.position"
        ].with_company(owner.company_id)._get_fiscal_position(partner)

    @api.model
    def _prepare_invoice(self, bills, taxes, prefill):
        """Return the values of the invoice of bills with the same grouping key."""
        first = next(iter(bills))  # read for all bills at once, unlike bills[0]
        credited = first._get_credited_move().sudo()  # as in _get_taxes
        total = sum(bills.mapped("amount_untaxed"))
        sign = -1 if total < 0 else 1
        day = max(bills.mapped("date"))
        partner = credited.partner_id or first.partner_invoice_id
        position = credited.fiscal_position_id or self._get_fiscal_position(first)
        lines = []
        for bill in bills:
            if len(bills) > 1:
                lines.append(
                    Command.create(
                        {
                            "display_type": "line_section",
                            "name": bill.contract_id.display_name or bill.name,
                        }
                    )
                )
            for charge in bill._get_charges():
                product_taxes = self._get_taxes(charge, position, taxes)
                lines.append(
                    Command.create(self._prepare_line(charge, product_taxes, sign, prefill and day))
                )
        return {
            "move_type": "out_invoice" if sign > 0 else "out_refund",
            "company_id": bills.company_id.id,
            "partner_id": partner.id,
            "currency_id": bills.currency_id.id,
            "invoice_date": day,
            "invoice_origin": ", ".join(bills.mapped("name")),
            "ref": ", ".join(sorted(set(filter(None, bills.mapped("client_order_ref"))))) or False,
            "invoice_user_id": (first.contract_id or first.partner_id).user_id.id,
            "invoice_payment_term_id": first._get_payment_term().id,
            "fiscal_position_id": position.id,
            "reversed_entry_id": credited.id,
            "invoice_line_ids": lines,
        }

    @api.model
    def _get_taxes(self, charge, position, taxes):
        """Return the taxes of a charge's product after the fiscal position."""
        # sudo: who may make the invoice may read the one that it takes back.
        credited = charge.refund_of_id and charge.sudo()._get_credited_line()
        if credited:  # what is given back are the taxes that were paid
            return credited.tax_ids
        key = charge.product_id, charge.company_id, position
        if key not in taxes:
            own = charge.product_id.taxes_id._filter_taxes_by_company(charge.company_id)
            taxes[key] = position.map_tax(own) if position else own
        return taxes[key]

    @api.model
    def _prepare_line(self, charge, taxes, sign, day):
        """Return the values of the invoice line of one charge.

        :param date day: the invoice date, for the conversion; None: leave the amounts to Odoo
        """
        quantity, price, discount, name = self._get_quantity_and_price(charge, taxes)
        currency = charge.currency_id
        vals = {
            "product_id": charge.product_id.id,
            "name": name,
            "quantity": quantity,
            "price_unit": sign * self._get_tax_included(price, charge, taxes),
            "discount": discount,
            "tax_ids": [Command.set(taxes.ids)],
            "support_charge_id": charge.id,
        }
        if charge.kind == "ticket":
            split = charge._split_tax(taxes)
            vals |= {
                "quantity": 1.0,
                "price_unit": sign * split.price_unit,
                "extra_tax_data": charge._prepare_extra_tax_data(split, sign),
            }
        account = charge.contract_id.analytic_account_id
        if account:
            vals["analytic_distribution"] = {str(account.id): 100.0}
        if day and not any(tax.price_include for tax in taxes):
            company = charge.company_id
            # On an invoice income is a credit; on a credit note, made when credits are more
            # than charges, the line amounts are positive and the booking the other way round.
            vals |= {
                "partner_id": charge.bill_id.partner_invoice_id.commercial_partner_id.id,
                "currency_id": currency.id,
                "amount_currency": -charge.amount,
                "balance": -currency._convert(
                    charge.amount,
                    company.currency_id,
                    company,
                    day,
                ),
            }
        return vals

    @api.model
    def _get_quantity_and_price(self, charge, taxes):
        """Return quantity, price, discount and text so that Odoo's subtotal is exactly the charge.

        An invoice line rounds its quantity and its price; where their product isn't the amount of
        the charge any more, the line is one unit at that amount and the text keeps the rest. So
        is a discount on prices that include taxes, of which Odoo takes it before the taxes.
        """
        precision = self.env["decimal.precision"]
        steps = {
            name: Decimal(1).scaleb(-precision.precision_get(name))
            for name in ("Product Unit", "Product Price")
        }
        quantity = round_to(Decimal(str(charge.quantity)), steps["Product Unit"])
        price = round_to(Decimal(str(charge.price_unit)), steps["Product Price"])
        step = Decimal(str(charge.currency_id.rounding))
        amount = round_to(Decimal(str(charge.amount)), step)
        # Where taxes are rounded globally, Odoo sums what lines are before they are rounded.
        globally = charge.company_id.tax_calculation_rounding_method == "round_globally"
        discount = Decimal(str(charge.discount or 0))
        worth = less(quantity * price, discount)
        worth = worth if globally else round_to(worth, step)
        included = discount and any(tax.price_include for tax in taxes)
        if quantity and worth == amount and not included:
            return float(quantity), float(price), float(discount), charge.name
        text = charge.name
        if charge.seconds:
            text = self.env._("%(name)s: %(time)s", name=text, time=charge._format_time())
        if discount:
            text = self.env._(
                "%(name)s, less %(discount)s %%", name=text, discount=f"{charge.discount:g}"
            )
        return 1.0, float(amount), 0.0, text

    @api.model
    def _get_tax_included(self, price, charge, taxes):
        """Return a net price as Odoo expects it: with the tax in it, where taxes are included."""
        if not any(tax.price_include for tax in taxes):
            return price
        result = taxes.compute_all(
            price,
            currency=charge.currency_id,
            product=charge.product_id,
            partner=charge.partner_id,
            handle_price_include=False,
        )
        included = [tax["amount"] for tax in result["taxes"] if tax["price_include"]]
        return charge.currency_id.round(price + sum(included))

    @api.model
    def _check_consistent(self, moves):
        """Refuse to post an invoice whose charges have been invoiced on another one."""
        for move in moves.filtered(lambda move: move.move_type == "out_invoice"):
            for bill in move.invoice_line_ids.support_charge_id.bill_id:
                if bill.move_id and bill.move_id != move and bill.state == "invoiced":
                    raise UserError(
                        self.env._(
                            "The bill %(bill)s has been invoiced on %(other)s. Cancel or credit "
                            "that invoice before you use %(move)s again.",
                            bill=bill.name,
                            other=bill.move_id.display_name,
                            move=move.display_name,
                        )
                    )
