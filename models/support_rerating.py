# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Rating again what isn't billed, after what it is rated by has changed.

Plans, contracts, rules and tickets change in many steps; so contracts are noted and their work is
rated again once, before the transaction ends. What is billed stays as it was.
"""

from odoo import api, models
from odoo.tools import clean_context

from .support_bill_rule_criterion import FACTS
from .support_charge import FROZEN_STATES

NOTED = "support_contract.to_rate_again"
# What a bill rule asks of a ticket, and what decides whether its fixed price is due.
RULE_FACTS = {field for field, _name in FACTS.values()} | {
    "contract_id",
    "partner_id",
    "company_id",
    "opened_at",
    "stage_id",
    "duplicate_id",
    "billing_type",
}


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _note_rating(self):
        """Have the unbilled work of these contracts rated again before the transaction ends."""
        if not self.ids:
            return
        precommit = self.env.cr.precommit
        if NOTED not in precommit.data:
            precommit.data[NOTED] = set()
            # The work of a contract is anybody's; who changes its terms needn't see it.
            model = self.browse().sudo()
            model = model.with_context(clean_context(self.env.context), active_test=True)
            precommit.add(model._rate_noted)
        precommit.data[NOTED].update(self.ids)

    @api.model
    def _rate_noted(self):
        noted = self.env.cr.precommit.data.pop(NOTED, ())
        contracts = self.sudo().browse(sorted(noted)).exists()  # as above
        contracts = contracts.filtered("term_ids")
        if not contracts:
            return
        lines = self.env["account.analytic.line"].sudo()
        lines.search([("support_contract_id", "in", contracts.ids)])._rate_again()
        tickets = self.env["helpdesk.ticket"].sudo().with_context(active_test=False)
        self.env["support.charge"]._sync_rules(
            tickets.search([("contract_id", "in", contracts.ids)])
        )

    def _set_state(self, target):
        """Tickets that waited for their contract cost what its rules say once it runs."""
        result = super()._set_state(target)
        if target == "active":
            self.filtered(lambda contract: contract.sudo()._get_bill_rules())._note_rating()
        return result


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    def _rate_again(self):
        """Rate these entries anew, unless they are billed; a policy refuses nothing afterwards."""
        lines = self - self._get_frozen()
        starts = lines._get_pool_starts()
        if starts:
            self.env.add_to_compute(self._fields["rated_pieces"], lines)
            self.env["support.consumption"]._reallocate(starts)


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    @api.model_create_multi
    def create(self, vals_list):
        tickets = super().create(vals_list)
        tickets._apply_bill_rules(late=True)
        return tickets

    def write(self, vals):
        result = super().write(vals)
        if RULE_FACTS.intersection(vals):
            self._apply_bill_rules(late="contract_id" in vals)
        return result

    def _cover(self):
        result = super()._cover()
        self._apply_bill_rules()
        return result

    def _apply_bill_rules(self, late=False):
        """Price these tickets and their unbilled work by the rules they meet now.

        :param bool late: see `_sync_rules`
        """
        charges = self.env["support.charge"].sudo().with_context(active_test=True)
        tickets = self.sudo()  # rules are prices, and they count whoever has changed the ticket
        ruled = tickets.filtered(
            lambda ticket: ticket.contract_id and ticket.contract_id._get_bill_rules()
        )
        charged = charges.search(
            [
                ("ticket_id", "in", tickets.ids),
                ("bill_rule_id", "!=", False),
                ("state", "not in", FROZEN_STATES),
            ]
        ).ticket_id
        if ruled or charged:
            (ruled | charged).time_entry_ids._rate_again()
            charges._sync_rules(ruled | charged, late)

    def _get_rule_day(self):
        """Return the day on which the fixed price of a rule is incurred; False: it isn't due.

        A ticket is its contract's from its opening on, or from the contract's first day. One that
        returns its incident, is a duplicate or waived, costs nothing.
        """
        self.ensure_one()
        contract = self.contract_id
        if (
            not contract.term_ids
            or contract.state in ("draft", "pending", "cancelled")
            or self.stage_id.returns_incident
            or self.duplicate_id
            or self._is_work_paid()
            or contract._was_counted_elsewhere(self.opened_at)
        ):
            return False
        life = contract._get_life()
        day = max(contract._get_local_day(self.opened_at), life.start)
        return day <= life.end and day

    def _is_rule_term_billed(self):
        """Return whether the term in which its fixed price would be billed has been settled.

        Also where there was nothing to bill in it.
        """
        self.ensure_one()
        contract, day = self.contract_id, self._get_rule_day()
        if not day:
            return False
        term = contract._get_term_on(day)
        number = term.number + (1 if contract.billing_mode == "advance" else 0)
        billing = contract.term_ids.filtered(lambda later: later.number == number)
        return billing.charged or billing.billed
