# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import date

from odoo import models

from .support_entitlement_ending import Carry


class SupportEntitlement(models.Model):
    """What becomes of the units of a contract at its end, when another one renews it.

    The choice is a fact on the renewal; it counts once that has begun, and as if it had been
    known from the beginning: whatever is recorded late ends in the same balances.
    """

    _inherit = "support.entitlement"

    def _get_heir(self):
        """Return the renewal that takes over what is left after the contract's end; or none."""
        self.ensure_one()
        contract = self.contract_id
        end = contract.date_end
        if not end or self.date_to and self.date_to < end:
            return contract.browse()
        return contract._get_begun_renewal()

    def _outlives_contract(self):
        """Return whether its units were given for longer than the contract lasts."""
        self.ensure_one()
        end = self.contract_id.date_end
        return bool(end) and (not self.date_to or self.date_to > end)

    def _get_heir_allowance(self, heir):
        """Return the allowance of the renewal that stands for this grant's one."""
        self.ensure_one()
        allowance = self.allowance_id
        return heir.allowance_ids.filtered(
            lambda other: allowance and other.renews_allowance_id == allowance
        )[:1]

    # === ENDING === #

    def _get_last_day(self):
        """Units given for longer go on with the renewal."""
        if self._outlives_contract() and self._get_heir():
            return self.contract_id.date_end
        return super()._get_last_day()

    def _get_following_key(self):
        heir = self._get_heir()
        if not heir:
            return super()._get_following_key()
        return heir.id, self._get_heir_allowance(heir).id, heir.date_start

    def _get_rank(self):
        """What is youngest goes over first, whether it is made already or not."""
        return self._get_renewal_rank() if self._get_heir() else super()._get_rank()

    def _get_renewal_rank(self):
        root, depth = self, 0
        while root.source_id:
            root, depth = root.source_id, depth + 1
        return depth, -(root.date_to or date.max).toordinal(), root.id

    def _get_carry(self, following):
        heir = self._get_heir()
        return self._get_carry_into(heir) if heir else super()._get_carry(following)

    def _get_carry_into(self, heir):
        """Return how what is left is carried into a renewal; None: it lapses."""
        self.ensure_one()
        if self._outlives_contract():
            return Carry(None, None)
        promised = self._is_of_allowance()
        allowance = self._get_heir_allowance(heir)
        if heir.renewal_units == "lost" or promised and not allowance:
            return None
        if heir.renewal_units == "carried":
            return Carry(heir._get_renewal_cap(self.unit), (heir.id, self.unit))
        if not promised or not self.allowance_id.carry_forward or not self._has_terms_left(heir):
            return None
        return Carry(self.allowance_id.carry_cap or None, (heir.id, allowance.id))

    def _is_of_allowance(self):
        """Return whether it comes of what a term includes, now or carried."""
        self.ensure_one()
        return self.origin == "allowance" or bool(self.allowance_id)

    # === THE LOT IN THE RENEWAL === #

    def _prepare_lot(self):
        heir = self._get_heir()
        if not heir:
            return super()._prepare_lot()
        # A policy that lets the balance go below zero is that of the contract that runs.
        negative = heir.overage_policy in ("carry", "allow")
        return self._prepare_carried() | {
            "date_to": self._get_end_in(heir),
            "contract_id": heir.id,
            "term_id": heir._get_first_term().id,
            "allowance_id": self._get_heir_allowance(heir).id,
            "overdraft": self.overdraft and negative,
        }

    def _get_end_in(self, heir):
        """Return the last day on which units that are carried can be used in the renewal."""
        self.ensure_one()
        if self._outlives_contract():
            return self.date_to
        if heir.renewal_units == "carried" or not self.allowance_id.carry_terms:
            return heir.date_end
        span = heir._get_whole_term(self._get_last_number(heir))
        return min(span.end, heir.date_end or span.end)

    def _has_terms_left(self, heir):
        """Return whether the allowance lets these units live on in the renewal.

        Units that are carried for as long as the contract lasts end with it; those of its last
        term are carried into the renewal as into any next term.
        """
        self.ensure_one()
        if not self.allowance_id.carry_terms:
            return self.origin == "allowance"
        return self._get_last_number(heir) >= 0

    def _get_last_number(self, heir):
        """Return the number of the renewal's term through which the allowance lets them live."""
        return (
            self._get_number() - self.contract_id._get_term_count() + self.allowance_id.carry_terms
        )

    def _get_number(self):
        """Return the number of the term whose units these were first.

        Counted in the terms of the contract where they are now; below zero: in one that it renews.
        """
        self.ensure_one()
        contract, source = self.contract_id, self.source_id
        if self.origin != "carry":
            return contract._get_term_number(self._get_last_day())
        number = source._get_number()
        if source.contract_id != contract:
            number -= source.contract_id._get_term_count()
        return number
