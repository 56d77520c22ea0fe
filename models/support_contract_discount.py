# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The discount of a contract (C24): so many percent off what the contract itself prices.

These are its recurring products, work and incidents that aren't covered, the fixed prices of bill
rules, and parts. Not expenses, which are passed on as they are; nor ticket charges, which are due
in full (B4); nor what was agreed as an amount: top-ups, credits, fees for an early end.

It is kept on each charge, whose amount is worth it, rounded once. What is on an approved bill
stays; everything else follows the discount of now. Fees keep that with which their term was
charged, until their bill is computed anew.
"""

from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.consumption import earliest
from ..tools.money import less, round_to
from .support_charge import FROZEN_STATES

# What is priced in its charge; fees are priced by their term.
DISCOUNTED_KINDS = ("overage", "labour", "incident", "rule", "part")


class SupportContract(models.Model):
    _inherit = "support.contract"

    discount = fields.Float(
        string="Discount (%)",
        digits="Discount",
        tracking=True,
        groups="support_contract.group_support_prices",
        help="Off recurring products, work, incidents and parts. Ticket charges, expenses, top-ups "
        "and credits are due in full. What is on an approved bill stays as it is.",
    )

    @api.constrains("discount")
    def _check_discount(self):
        if not all(0 <= contract.discount <= 100 for contract in self.sudo()):  # a number's range
            raise ValidationError(self.env._("A discount is between 0 and 100 %: enter another."))

    @api.model
    def _get_version_fields(self):
        return [*super()._get_version_fields(), "discount"]

    def write(self, vals):
        if "discount" not in vals:
            return super().write(vals)
        before = {contract.id: contract.discount for contract in self}
        result = super().write(vals)
        self.filtered(lambda contract: contract.discount != before[contract.id])._discount_anew()
        return result

    def _get_discount(self):
        """Return the discount in percent.

        :rtype: Decimal
        """
        self.ensure_one()
        # Work and parts are priced whoever of the staff records them.
        discount = Decimal(str(self.sudo().discount or 0))
        return min(max(discount, Decimal(0)), Decimal(100))  # also while it is being entered

    def _discount_released(self):
        """Have work follow the discount of now that was on an approved bill and isn't any more."""
        charges = self.env["support.charge"].sudo()  # follow, whoever takes the bill back
        released = charges.search(
            [
                ("contract_id", "in", self.ids),
                ("kind", "in", DISCOUNTED_KINDS),
                ("state", "in", ("open", "billed")),
            ]
        )
        released.filtered(
            lambda c: c.discount != c.contract_id.discount
        ).contract_id._discount_anew()

    def _discount_anew(self):
        """Have everything that isn't on an approved bill cost what it does with this discount."""
        contracts = self.sudo().filtered("term_ids")  # work is anybody's; a manager has decided
        if not contracts:
            return
        charges = self.env["support.charge"].sudo()
        for contract in contracts:
            parts = charges.search(
                [
                    ("contract_id", "=", contract.id),
                    ("kind", "=", "part"),
                    ("state", "not in", FROZEN_STATES),
                    ("cancelled", "=", False),
                ]
            )
            parts.write({"discount": contract.discount})
            parts.bill_id._charges_changed()
        lines = self.env["account.analytic.line"].sudo()
        lines = lines.search([("support_contract_id", "in", contracts.ids)])
        tickets = self.env["helpdesk.ticket"].sudo().with_context(active_test=False)
        tickets = tickets.search([("contract_id", "in", contracts.ids)])
        starts = earliest(
            [
                *(lines - lines._get_frozen())._get_pool_starts().items(),
                *(tickets - tickets._get_frozen())._get_pool_starts().items(),
            ]
        )
        self.env["support.consumption"]._reallocate(starts)
        charges._sync_rules(tickets)
        bills = contracts.bill_ids.filtered(
            lambda bill: bill.is_main and bill.kind == "term" and bill._is_open()
        )
        for bill in bills:
            bill._compute_fees_anew()
        bills._charges_changed()


class SupportBill(models.Model):
    _inherit = "support.bill"

    has_discount = fields.Boolean(compute="_compute_has_discount")

    @api.depends("charge_ids.discount")
    def _compute_has_discount(self):
        for bill in self:
            bill.has_discount = any(bill.charge_ids.mapped("discount"))

    def action_draft(self):
        result = super().action_draft()
        self.contract_id._discount_released()
        return result

    def action_cancel(self):
        contracts = self.contract_id
        result = super().action_cancel()
        contracts._discount_released()
        return result


class SupportContractTerm(models.Model):
    _inherit = "support.contract.term"

    discount = fields.Float(
        string="Discount (%)",
        digits="Discount",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Off the fees of this term, as it was when they were charged.",
    )

    def _keep_discount(self):
        """Note with which discount the fees of these terms are charged."""
        for term in self:
            discount = float(term.contract_id._get_discount())
            if term.discount != discount:
                term.discount = discount

    def _get_discount(self):
        """Return the discount on the fees: that of the contract until they are charged.

        :rtype: Decimal
        """
        self.ensure_one()
        term = self.sudo()  # of whoever asks what a term costs
        if not term.charged:
            return term.contract_id._get_discount()
        return Decimal(str(term.discount or 0))


class SupportCharge(models.Model):
    _inherit = "support.charge"

    discount = fields.Float(
        string="Discount (%)",
        digits="Discount",
        help="Of the contract, as it was when this was priced; the amount is worth it.",
    )

    @api.depends("discount")
    def _compute_amount(self):
        return super()._compute_amount()

    def _complete_manual_values(self, vals):
        vals = super()._complete_manual_values(vals)
        contract = self.env["support.contract"].browse(vals.get("contract_id") or ())
        if vals.get("kind") != "part" or "discount" in vals or not contract:
            return vals
        return vals | {"discount": float(contract._get_discount())}

    @api.model
    def _discount(self, contract, vals, exact):
        """Return the values of a charge of work, priced with the discount of its contract.

        :param exact: what it costs without
        """
        discount = contract._get_discount()
        if not discount or vals["kind"] not in DISCOUNTED_KINDS:
            return vals | {"discount": 0.0}
        step = Decimal(str(contract.currency_id.rounding))
        amount = float(round_to(less(exact, discount), step))
        return vals | {"discount": float(discount), "amount": amount}
