# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportCreditWizard(models.TransientModel):
    """Gives the customer a credit in money, by default on the bill of the next term (Q13)."""

    _name = "support.credit.wizard"
    _inherit = "support.decision.mixin"
    _description = "Give a Credit"

    amount = fields.Monetary(required=True, help="Untaxed; what the customer pays less.")
    product_id = fields.Many2one(
        "product.product",
        required=True,
        domain="[('sale_ok', '=', True)]",
        default=lambda self: self.env.ref(
            "support_contract.product_support_credit", raise_if_not_found=False
        ),
        help="Decides the taxes and the account of the credit.",
    )
    when = fields.Selection(
        [
            ("next", "With the next term"),
            ("current", "With the term that is to be billed now"),
            ("now", "At once, on a bill of its own"),
        ],
        string="Applied",
        required=True,
        default="next",
    )

    @api.depends("amount", "when", "contract_id", "product_id")
    def _compute_preview(self):
        for wizard in self:
            try:
                vals, contract, term = wizard._plan()
            except UserError as error:  # said here already, before it is confirmed
                wizard.preview = Markup(
                    '<div class="alert alert-warning mb-0" role="alert">%s</div>'
                ) % str(error)
                continue
            if wizard.when == "now":
                place = self.env._("a bill of its own, at once")
            else:
                place = self.env._(
                    "%(contract)s, %(term)s",
                    contract=contract.display_name,
                    term=term.display_name or self.env._("the next term"),
                )
            wizard.preview = Markup("<p class='mb-0'><b>%s</b> – %s</p>") % (
                wizard.currency_id.format(vals["amount"]),
                place,
            )

    def _plan(self):
        """Return (values of the charge, contract and term on whose bill it comes).

        The term is empty where it has yet to be made, or none is wanted.
        """
        self.ensure_one()
        contract = self.contract_id
        if self.currency_id.compare_amounts(self.amount, 0) <= 0:
            raise UserError(
                self.env._("A credit must be above 0. To ask for more, charge a ticket or a part.")
            )
        if contract.state in ("draft", "cancelled"):
            raise UserError(
                self.env._(
                    "%s doesn't run: a credit is given to customers with a contract that has "
                    "begun.",
                    contract.display_name,
                )
            )
        current = contract._get_term_on(contract._get_today())
        holder, term = contract, current.browse()
        if self.when == "current":
            term = self._get_base(current)
            if not term:
                raise UserError(
                    self.env._(
                        "%s has no open term any more. Apply the credit at once, on a bill of its "
                        "own.",
                        contract.display_name,
                    )
                )
        elif self.when == "next":
            holder, term = self._find_next(current)
        amount = self.currency_id.round(self.amount)
        vals = {
            "kind": "credit",
            "name": self._get_text(),
            "date": contract._get_today(),
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "term_id": current.id,
            "product_id": self.product_id.id,
            "price_unit": -amount,
            "amount": -amount,
        }
        return vals, holder, term

    def _get_text(self):
        product = self.product_id.with_context(lang=self.contract_id.partner_id.lang)
        return " – ".join(filter(None, (product.display_name, self.reason)))

    def _get_base(self, current):
        """Return the term that is to be billed now: that of an open bill, else the coming one."""
        open_bills = self.contract_id.bill_ids.filtered(
            lambda bill: bill.kind == "term" and bill.is_main and bill._is_open()
        )
        latest = open_bills.term_id.sorted("number")[-1:]
        return latest or self.contract_id._get_billing_term(current)

    def _find_next(self, current):
        contract = self.contract_id
        try:
            holder, term = contract._find_next_term(self._get_base(current) or current)
        except UserError as error:
            raise UserError(
                self.env._(
                    "%(contract)s has no next term, nor a renewal. Apply the credit at once, on a "
                    "bill of its own.",
                    contract=contract.display_name,
                )
            ) from error
        if holder.currency_id != contract.currency_id:
            raise UserError(
                self.env._(
                    "%(contract)s is billed in %(currency)s. Apply the credit at once, on a bill "
                    "of its own.",
                    contract=holder.display_name,
                    currency=holder.currency_id.name,
                )
            )
        return holder, term

    def _decide(self):
        vals, holder, term = self._plan()
        charges = self.env["support.charge"]
        if self.when == "next" and not term:
            current = charges.term_id.browse(vals["term_id"])
            term = holder._make_next_term(self._get_base(current) or current)
        charge = charges.create(vals | {"billing_term_id": term.id})
        bill = term._get_open_bill()
        if self.when == "now":
            bills = self.env["support.bill"]
            bills._bill_at_once(charge, self.contract_id._get_today()).action_submit()
            place = self.env._("on a bill of its own")
        else:
            charge.bill_id = bill
            bill._charges_changed()
            place = term.display_name
        return {
            "summary": self.env._("Credit, applied in: %s", place),
            "amount": vals["amount"],
        }

    def action_give_credit(self):
        self._run("credit")
        return {"type": "ir.actions.act_window_close"}
