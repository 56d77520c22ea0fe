# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from .support_charge import FROZEN_STATES

# Says that an end is taken back. An object: nobody can send it from outside.
TAKEN_BACK = object()


class SupportContractTermination(models.Model):
    """That a contract ends early: what was decided, and what came of it (C43, ex. A22).

    The end itself is at once the contract's `date_end`; fees, units and the final bill are
    settled when the last day is over, or before, where that is wanted. Until the final bill is
    approved all of it can be taken back.
    """

    _name = "support.contract.termination"
    _description = "Termination of a Support Contract"
    _order = "id desc"
    _rec_name = "contract_id"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    state = fields.Selection(
        [("planned", "Planned"), ("settled", "Settled"), ("undone", "Taken back")],
        required=True,
        readonly=True,
        default="planned",
    )
    last_day = fields.Date(required=True, readonly=True)
    reason = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, default=lambda self: self.env.user
    )
    credit_fees = fields.Boolean(
        readonly=True, help="What was billed for days after the end is given back."
    )
    fee_amount = fields.Monetary(readonly=True, groups="support_contract.group_support_prices")
    fee_product_id = fields.Many2one("product.product", readonly=True, ondelete="restrict")
    unit_ids = fields.One2many("support.contract.termination.unit", "termination_id", readonly=True)
    prior_date_end = fields.Date(readonly=True)
    prior_state = fields.Char(readonly=True)
    prior_after_end_policy = fields.Char(readonly=True)
    change_id = fields.Many2one(
        "support.contract.change", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    charge_ids = fields.One2many(
        "support.charge",
        "termination_id",
        readonly=True,
        groups="support_contract.group_support_prices",
    )
    bill_ids = fields.One2many(
        "support.bill",
        "termination_id",
        readonly=True,
        groups="support_contract.group_support_prices",
    )

    _terminated_once = models.UniqueIndex(
        "(contract_id) WHERE state <> 'undone'", "This contract is terminated already."
    )

    # === SETTLING === #

    def _settle(self):
        """Credit, charge and bill what the end of these contracts comes to, once."""
        # The date brings this, whoever happens to look.
        for termination in self.sudo().filtered(lambda t: t.state == "planned"):
            termination.state = "settled"
            contract = termination.contract_id
            contract.line_ids.write({"changed": True})
            vals_list = contract.line_ids._settle_changes()
            vals_list += termination.unit_ids._settle(termination)
            vals_list += termination._prepare_fee()
            self.env["support.charge"].sudo().create(
                [vals | {"termination_id": termination.id} for vals in vals_list]
            )

    def _bill(self):
        """Bill what is still open on contracts that have ended: run twice it finds nothing."""
        for termination in self.sudo():
            contract = termination.contract_id
            final = contract.term_ids.filtered(lambda term: term.kind == "final")
            bills = self.env["support.bill"].sudo()._generate(contract, final.billing_date)
            for bill in bills:
                bill.date = min(bill.date, contract._get_today())

    def _prepare_fee(self):
        """Return the charge of the early-termination fee, if there is one."""
        self.ensure_one()
        if self.currency_id.is_zero(self.fee_amount):
            return []
        product = self.fee_product_id
        lang = self.contract_id.partner_id.lang
        name = product.with_context(lang=lang).get_product_multiline_description_sale()
        return [self._prepare_charge("termination", product, self.fee_amount, name)]

    def _prepare_charge(self, kind, product, amount, name):
        """Return the values of a charge on the final bill.

        :param amount: signed, untaxed, exact in the contract's currency
        """
        self.ensure_one()
        contract = self.contract_id
        term = contract._get_term_on(self.last_day)
        return {
            "kind": kind,
            "name": name,
            "date": self.last_day,
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "term_id": term.id,
            "billing_term_id": contract._get_billing_term(term).id,
            "product_id": product.id,
            "quantity": 1.0,
            "price_unit": amount,
            "amount": amount,
        }

    # === TAKING BACK === #

    def _get_final_bills(self):
        """Return the bills that came of the end, in the versions that count."""
        return (self.bill_ids | self.charge_ids.bill_id).filtered("is_main")

    def _check_reversible(self):
        """Refuse to take back what is approved, or what others have built upon.

        :raise UserError: with the reason and what to do
        """
        self.ensure_one()
        decided = self.sudo()  # amounts aren't told, only that there is an approved bill
        approved = decided._get_final_bills().filtered(
            lambda bill: any(charge.state in FROZEN_STATES for charge in bill.charge_ids)
        )
        if approved:
            raise UserError(
                self.env._(
                    "The final bill %(bill)s of %(contract)s is approved: the termination can't "
                    "be taken back any more. Reset that bill to draft first, or make a new "
                    "contract.",
                    bill=approved[0].name,
                    contract=self.contract_id.display_name,
                )
            )
        decided.unit_ids._check_reversible()

    def _take_back(self):
        """Have the contract go on as if it had never been terminated."""
        self.ensure_one()
        self._check_reversible()
        # A manager takes back all of it, whatever part of it he may write himself.
        termination = self.sudo()
        contract = termination.contract_id
        settled = termination.state == "settled"
        termination.state = "undone"
        if settled:
            termination._take_back_money()
        if contract.state == "terminated":
            # What has ended isn't opened again in any other way.
            contract.with_context(support_taken_back=TAKEN_BACK)._set_state(termination.prior_state)
        contract.write(
            {
                "date_end": termination.prior_date_end,
                "after_end_policy": termination.prior_after_end_policy,
            }
        )
        if settled:
            termination.unit_ids._take_back()

    def _take_back_money(self):
        """Cancel what the end was charged and credited; fees are charged anew in their terms."""
        contract = self.contract_id
        bills = self._get_final_bills()
        charges = bills.charge_ids
        bills.action_cancel()
        self.charge_ids.write({"cancelled": True})
        fees = charges.filtered(lambda c: c.kind == "recurring" and c.contract_id == contract)
        fees.write({"cancelled": True})
        fees.term_id.write({"charged": False})
        contract.line_ids.write({"changed": True})


class SupportContract(models.Model):
    """A contract ends early: what it says about it, and the date that brings it."""

    _inherit = "support.contract"

    termination_ids = fields.One2many(
        "support.contract.termination", "contract_id", string="Terminations", readonly=True
    )
    termination_id = fields.Many2one("support.contract.termination", compute="_compute_termination")
    termination_label = fields.Char(compute="_compute_termination")
    after_end_policy = fields.Selection(
        [("rollover", "Rollover"), ("ignore", "Ignore")],
        string="Work After the End",
        readonly=True,
        copy=False,
        help="Decided when it was terminated, for work recorded since. Empty: the company's rule.",
    )

    @api.depends("termination_ids.state", "state", "date_end")
    def _compute_termination(self):
        for contract in self:
            ending = contract.termination_ids.filtered(lambda t: t.state != "undone")[:1]
            contract.termination_id = ending
            facts = {
                "day": format_date(self.env, ending.last_day),
                "who": ending.user_id.name,
                "why": ending.reason,
            }
            if not ending:
                contract.termination_label = False
            elif contract.state == "terminated":
                contract.termination_label = self.env._(
                    "Ended on %(day)s, terminated by %(who)s: %(why)s", **facts
                )
            else:
                contract.termination_label = self.env._(
                    "Ends on %(day)s, terminated by %(who)s: %(why)s", **facts
                )

    # === CONSTRAINTS === #

    @api.constrains("date_end")
    def _check_end_after_bills(self):
        """A contract can't end before what is billed already (T9, ex. A23)."""
        for contract in self.filtered(lambda c: c.date_end and not c._is_for_request()):
            last = contract._get_billed_through()
            if last and contract.date_end < last and not contract.termination_id.credit_fees:
                raise ValidationError(contract._explain_billed_through(last, contract.date_end))

    def write(self, vals):
        if "date_end" in vals:
            self._check_end_is_free(fields.Date.to_date(vals["date_end"]))
        return super().write(vals)

    def _check_end_is_free(self, day):
        """The end of a terminated contract moves only with its termination."""
        for contract in self:
            ending = contract.termination_id
            if ending and ending.last_day != day:
                raise UserError(
                    self.env._(
                        "%(contract)s was terminated as of %(day)s. Take the termination back "
                        "before you give it another end.",
                        contract=contract.display_name,
                        day=format_date(self.env, ending.last_day),
                    )
                )

    # === ACTIONS === #

    def action_terminate(self):
        """Open the wizard that ends this contract early, with what is unused today."""
        return self._get_wizard_action(
            "support.terminate.wizard", self.env._("Terminate %s", self.display_name)
        )

    def action_undo_termination(self):
        """Open the wizard that takes the termination back."""
        return self._get_wizard_action(
            "support.undo.termination.wizard", self.env._("Take the Termination Back")
        )

    def _get_wizard_action(self, model, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_contract_id": self.id},
        }

    # === BUSINESS METHODS === #

    def _get_billed_through(self):
        """Return the last day that is billed; False: nothing is."""
        self.ensure_one()
        terms = self.sudo().term_ids  # days, no amounts
        billed = terms.filtered(lambda term: term.billed and term.kind == "regular")
        return max(billed.mapped("date_end"), default=False)

    def _explain_billed_through(self, last, day):
        self.ensure_one()
        return self.env._(
            "%(contract)s is billed through %(last)s and can't end on %(end)s without a credit. "
            "Terminate it and choose “Credit what was paid in advance”, or choose a later day.",
            contract=self.display_name,
            last=last,
            end=day,
        )

    @api.model
    def _get_sources(self, target):
        sources = super()._get_sources(target)
        if self.env.context.get("support_taken_back") is TAKEN_BACK:
            return sources | {"terminated"}
        return sources

    def _has_ended(self, day):
        """One that is terminated runs until its last day, used up or not."""
        ending = self.termination_id
        return ending.last_day < day if ending else super()._has_ended(day)

    def _finish(self):
        """What was terminated is, when its day is over, and is settled."""
        ending = self.filtered("termination_id")
        for contract in ending:  # it may rest, or run again, since the end was decided
            contract.termination_id.prior_state = contract.state
        ending._set_state("terminated")
        result = super(SupportContract, self - ending)._finish()
        ending.termination_id._settle()
        ending.termination_id._bill()
        return result

    def _get_after_end_policy(self):
        """Return what happens to work after the end: the contract's own rule, or the company's."""
        self.ensure_one()
        return self.after_end_policy or self.company_id.support_expired_work
