# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..tools.periods import ONE_DAY, whole_term
from ..tools.rating import seconds_of
from .support_contract import RUNNING_STATES

RENEWAL_UNITS = [
    ("allowance", "As between terms: what the allowances carry forward"),
    ("carried", "All of them are carried"),
    ("lost", "They are lost"),
]


class SupportContract(models.Model):
    """A renewal is a contract of its own that starts the day after the one it renews (C42)."""

    _inherit = "support.contract"

    renews_id = fields.Many2one(
        "support.contract",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    renewal_ids = fields.One2many("support.contract", "renews_id", readonly=True)
    renewal_id = fields.Many2one(
        "support.contract", string="Renewed By", compute="_compute_renewal_id"
    )
    renewal_units = fields.Selection(
        RENEWAL_UNITS,
        string="Units Left Before",
        required=True,
        default="allowance",
        copy=False,
        help="What becomes of the units that are left at the end of the contract which this one "
        "renews. What was given for longer than that contract goes on in any case.",
    )
    renewal_cap_hours = fields.Float(
        string="Hours Carried at Most",
        copy=False,
        default=0.0,
        aggregator=None,
        help="Where all units are carried: at most so much time. 0: all of it.",
    )
    renewal_cap_incidents = fields.Integer(
        string="Incidents Carried at Most",
        copy=False,
        default=0,
        aggregator=None,
        help="Where all units are carried: at most so many incidents. 0: all of them.",
    )

    _renewed_once = models.UniqueIndex(
        "(renews_id) WHERE renews_id IS NOT NULL AND state <> 'cancelled'",
        "This contract has been renewed already.",
    )
    _renewal_caps = models.Constraint(
        "CHECK (renewal_cap_hours >= 0 AND renewal_cap_incidents >= 0)",
        "What is carried at most can't be negative.",
    )

    @api.depends("renewal_ids.state")
    def _compute_renewal_id(self):
        for contract in self:
            contract.renewal_id = contract.renewal_ids.filtered(
                lambda renewal: renewal.state != "cancelled"
            )[:1]

    # === CONSTRAINTS === #

    @api.constrains("date_start", "date_end", "state")
    def _check_renewal_follows(self):
        """What is agreed goes on without a gap: units and debts are handed on from day to day."""
        for renewal in (self | self.renewal_ids).filtered("renews_id"):
            if renewal.state not in ("draft", "cancelled", "terminated"):
                renewal._check_follows()

    def _check_follows(self):
        self.ensure_one()
        old = self.renews_id
        if old.date_end and self.date_start == old.date_end + ONE_DAY:
            return
        raise ValidationError(
            self.env._(
                "%(renewal)s renews %(contract)s and must start the day after it ends: on "
                "%(day)s, not on %(start)s. Correct its start, or cancel it to change the end of "
                "%(contract)s.",
                renewal=self.display_name,
                contract=old.display_name,
                day=format_date(self.env, old.date_end + ONE_DAY) if old.date_end else "…",
                start=format_date(self.env, self.date_start),
            )
        )

    # === LIFE === #

    def _check_confirmable(self):
        result = super()._check_confirmable()
        for renewal in self.filtered("renews_id"):
            renewal._check_follows()
            if renewal.renews_id.state not in (*RUNNING_STATES, "expired"):
                raise UserError(
                    self.env._(
                        "%(renewal)s renews %(contract)s, which doesn't run any more. Cancel it "
                        "and make a new contract instead.",
                        renewal=renewal.display_name,
                        contract=renewal.renews_id.display_name,
                    )
                )
        return result

    def action_draft(self):
        """A cancelled renewal comes back only if there is no other one by now."""
        for renewal in self.filtered("renews_id"):
            other = renewal.renews_id.renewal_id
            if other:
                raise UserError(renewal.renews_id._explain_renewed(other))
        return super().action_draft()

    def action_cancel(self):
        """Cancelling a renewal that hasn't begun takes the renewing back."""
        self._cancel_bills_ahead()
        result = super().action_cancel()
        for renewal in self.filtered("renews_id"):
            renewal._note_not_renewed()
        return result

    def _cancel_bills_ahead(self):
        """Cancel the bills that were made before the contract began."""
        bills = self.sudo().bill_ids.filtered(  # whoever may cancel the contract
            lambda bill: bill.state != "cancelled"
        )
        invoiced = bills.filtered(lambda bill: bill.state in ("invoiced", "credited"))
        if invoiced:
            raise UserError(
                self.env._(
                    "%(contract)s has the invoice %(invoice)s already. Cancel or credit that "
                    "first, then its bill, then the contract.",
                    contract=invoiced[0].contract_id.display_name,
                    invoice=invoiced[0].move_id.display_name,
                )
            )
        bills.action_cancel()

    def _note_not_renewed(self):
        """Note in the history of the contract that it isn't renewed after all."""
        self.ensure_one()
        old = self.renews_id
        decision = old.change_ids.filtered(
            lambda change: change.kind == "renew" and not change.undone_by_ids
        ).sorted("id")[-1:]
        self.env["support.contract.change"]._note(
            old,
            "undo",
            self.env._("%s was cancelled.", self.display_name),
            self.env._("It is not renewed."),
            undoes_id=decision.id,
        )

    # === QUESTIONS === #

    def _explain_renewed(self, renewal):
        self.ensure_one()
        return self.env._(
            "%(contract)s has been renewed already, by %(renewal)s. To renew it in another way, "
            "cancel that one first.",
            contract=self.display_name,
            renewal=renewal.display_name,
        )

    def _get_begun_renewal(self):
        """Return the renewal that follows this contract, once its first term has opened.

        That is a fact, and stays one.
        """
        self.ensure_one()
        renewal = self.renewal_id
        begun = (
            self.date_end
            and renewal.date_start == self.date_end + ONE_DAY
            and renewal._get_first_term().state not in (False, "upcoming")
        )
        return renewal if begun else renewal.browse()

    def _get_first_term(self):
        self.ensure_one()
        return self.term_ids.filtered(lambda term: not term.number)

    def _get_whole_term(self, number):
        self.ensure_one()
        return whole_term(self.date_start, int(self.billing_period), number, self.alignment)

    def _get_term_count(self):
        """Return how many terms a contract with an end has."""
        self.ensure_one()
        return self._get_term_number(self.date_end) + 1

    def _get_renewal_cap(self, unit):
        """Return how many units are carried at most, seconds or incidents; None: all."""
        self.ensure_one()
        if unit == "time":
            return seconds_of(self.renewal_cap_hours) or None
        return self.renewal_cap_incidents or None


class SupportPlanAllowance(models.Model):
    _inherit = "support.plan.allowance"

    renews_allowance_id = fields.Many2one(
        "support.plan.allowance",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The allowance of the contract that was renewed, whose units and debts come here.",
    )


class SupportContractTerm(models.Model):
    _inherit = "support.contract.term"

    def _get_begun_renewals(self):
        """Return the renewals among the contracts whose first term is one of these."""
        first = self.filtered(lambda term: not term.number and term.state != "upcoming")
        return first.contract_id.filtered("renews_id")

    def _mark_ended_grants(self):
        """What was left on a contract is settled again when its renewal begins."""
        ended = super()._mark_ended_grants()
        renewed = self._get_begun_renewals().renews_id
        if not renewed:
            return ended
        over = self.env["support.entitlement"].search([("contract_id", "in", renewed.ids)])
        over = over.filtered(
            lambda grant: grant._has_ended() and grant._get_last_day() == grant.contract_id.date_end
        )
        over.filtered(lambda grant: not grant.settled).settled = True
        return ended | over
