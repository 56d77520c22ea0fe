# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.periods import whole_term
from .support_contract import _from_plan


class SupportTermsMixin(models.AbstractModel):
    """How much may be carried to a next term before somebody else must approve it."""

    _inherit = "support.terms.mixin"

    transfer_limit_count = fields.Integer(
        string="Carry a Debt at Most",
        default=0,
        help="How often a charge may be carried to the next term; beyond that another manager "
        "must approve it. 0: as often as wanted.",
    )
    transfer_limit_amount = fields.Monetary(
        string="Carry out of a Term at Most",
        default=0.0,
        groups="support_contract.group_support_prices",
        help="How much may be carried out of one term; beyond that another manager must approve "
        "it. 0: as much as wanted.",
    )


class SupportContract(models.Model):
    """Debts and credits that go from one term of a contract to the next."""

    _inherit = "support.contract"

    transfer_limit_count = _from_plan(fields.Integer)
    transfer_limit_amount = _from_plan(fields.Monetary)
    transfer_ids = fields.One2many(
        "support.charge.transfer",
        "contract_id",
        readonly=True,
        groups="support_contract.group_support_prices",
    )
    transfer_count = fields.Integer(
        compute="_compute_transfers", groups="support_contract.group_support_prices"
    )
    transfers_to_approve = fields.Integer(
        compute="_compute_transfers", groups="support_contract.group_support_prices"
    )

    _transfer_limits = models.Constraint(
        "CHECK (transfer_limit_count >= 0 AND transfer_limit_amount >= 0)",
        "The limits of what is carried to a next term can't be negative.",
    )

    @api.depends("transfer_ids.state")
    def _compute_transfers(self):
        rows = self.env["support.charge.transfer"]._read_group(
            [("contract_id", "in", self.ids)], ["contract_id", "state"], ["__count"]
        )
        counts = {(contract, state): count for contract, state, count in rows}
        for contract in self:
            contract.transfer_count = sum(
                count for (owner, _state), count in counts.items() if owner == contract
            )
            contract.transfers_to_approve = counts.get((contract, "to_approve"), 0)

    @api.model
    def _get_terms_fields(self):
        return [*super()._get_terms_fields(), "transfer_limit_count", "transfer_limit_amount"]

    def _set_state(self, target):
        """Keep contracts to which debts were carried from being called off."""
        if target in ("draft", "cancelled"):
            live = self.sudo().billed_charge_ids.filtered(  # debts, whoever may see them
                lambda charge: not charge.cancelled and charge.contract_id not in self
            )
            if live:
                raise UserError(
                    self.env._(
                        "Debts of %(other)s were carried to %(contract)s. Take them back first.",
                        other=live[0].contract_id.display_name,
                        contract=live[0].billing_contract_id.display_name,
                    )
                )
        return super()._set_state(target)

    # === ACTIONS === #

    def action_view_transfers(self):
        return self._get_related_action("support_contract.action_support_charge_transfer")

    def action_carry(self):
        """Open the wizard that carries debts of this contract to its next term."""
        self.ensure_one()
        return self.env["support.transfer.wizard"]._open_contract(self)

    def action_give_credit(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_credit_wizard"
        )
        return action | {"context": {"default_contract_id": self.id}}

    # === THE NEXT TERM === #

    def _find_next_term(self, term):
        """Return the contract and the term after one, in which its debts can be billed.

        After the last term that is the first one of the renewal. The term is empty where it
        has yet to be made.

        :param term: the term left; empty: that of today
        :return: (contract, term)
        :raise UserError: after the last term of a contract that isn't renewed
        """
        self.ensure_one()
        term = term or self._get_term_on(self._get_today())
        following = self.term_ids.filtered(lambda t: t.number == term.number + 1)
        if following.kind == "regular":
            return self, following
        if term.kind == "regular" and not following and self._reaches(term.number + 1):
            return self, following
        renewal = self.renewal_id
        if not renewal or renewal.state == "draft":
            raise UserError(
                self.env._(
                    "%(contract)s has no term after %(term)s to which a debt could be carried. "
                    "Renew the contract and confirm the renewal, or leave the charge on this bill.",
                    contract=self.display_name,
                    term=term.display_name,
                )
            )
        return renewal, renewal.term_ids.sorted("number").filtered(lambda t: not t.charged)[:1]

    def _reaches(self, number):
        """Return whether the contract lives until the term of that number begins."""
        self.ensure_one()
        months = int(self.billing_period)
        span = whole_term(self.date_start, months, number, self.alignment)
        return not self.date_end or span.start <= self.date_end

    def _make_next_term(self, term):
        """Make the term in which the debts of a term are to be billed, ahead of its time.

        :param term: the term left, of this contract or of the one that it renews
        """
        self.ensure_one()
        day = term.date_end if term.contract_id == self else self._get_life().start
        # The date would bring it, whoever happens to look.
        terms = self.env["support.contract.term"].sudo()
        terms._make_missing(self.sudo(), {self.sudo(): day})
        number = term.number + 1 if term.contract_id == self else self._get_first_number()
        return self.term_ids.filtered(lambda t: t.number == number)

    def _ask_for_approval(self, transfer, excess):
        """Tell the responsible that somebody must approve a transfer; return the activity."""
        self.ensure_one()
        return self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("A debt is to be carried to the next term"),
            note=self.env._("“%(name)s”: %(why)s", name=transfer.name, why=excess),
            user_id=(self.user_id or self.env.user).id,
        )
