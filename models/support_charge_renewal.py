# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.fields import Domain


class SupportContractTerm(models.Model):
    """Debts and credits that a contract would still bill at its end: the renewal bills them."""

    _inherit = "support.contract.term"

    def _settle(self, terms, grants):
        terms._get_begun_renewals()._take_over_charges()
        return super()._settle(terms, grants)


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _take_over_charges(self):
        """Bill in the first term what was carried to, or credited in, the renewed one's future.

        What was used in the last term stays on the last bill of the contract that was renewed.
        """
        charges = self.env["support.charge"]
        found = charges.search(
            Domain("billing_contract_id", "in", self.renews_id.ids)
            & Domain("state", "=", "open")
            & Domain("billing_term_id.kind", "=", "final")
            & charges._get_carried_domain()
        )
        for renewal in self:
            moved = found.filtered(
                lambda charge, old=renewal.renews_id: charge.billing_contract_id == old
            )
            moved.write({"billing_term_id": renewal._get_first_term().id})

    def _roll_renewals(self):
        """Have renewals begin on their day, whichever job of that night comes first."""
        renewals = self.renewal_ids.filtered(
            lambda renewal: (
                renewal.state == "pending" and renewal.date_start <= renewal._get_today()
            )
        )
        if renewals:
            self.env["support.contract.term"]._roll(renewals)

    def _prepare_for_bill_ahead(self):
        """Make the first term of contracts that are signed and begin later."""
        terms = self.env["support.contract.term"].sudo()  # terms follow from the contract's dates
        pending = self.filtered(lambda contract: contract.state == "pending")
        for contract in pending:
            terms._make_missing(contract, {contract: contract._get_today()})

    def _is_billable(self):
        """A renewal that begins later has terms if it is billed ahead."""
        return super()._is_billable() or bool(
            self.state == "pending" and self.renews_id and self.term_ids
        )


class SupportCharge(models.Model):
    _inherit = "support.charge"

    @api.model
    def _get_carried_domain(self):
        """Return which charges belong to the next term, and not to the end of a contract."""
        carried_in = Domain("kind", "=", "transfer") & Domain("amount", ">", 0)
        return Domain("kind", "=", "credit") | carried_in | Domain("moved_by_id", "!=", False)


class SupportBill(models.Model):
    _inherit = "support.bill"

    @api.model
    def _generate(self, contracts, until, run=None):
        self.check_access("create")
        contracts.sudo()._roll_renewals()  # as the terms of the contracts themselves
        return super()._generate(contracts, until, run)

    @api.model
    def _generate_ahead(self, renewal):
        """Bill the first fee of a renewal before it begins, in advance (L35).

        :return: the bill, ready to be invoiced where it needs no approval
        """
        renewal._prepare_for_bill_ahead()
        bills = self._generate(renewal, renewal.date_start)
        bills.action_submit()
        approved = bills.filtered(lambda bill: bill.state == "approved")
        if approved:
            self.env["support.invoicing"]._create_invoices(approved)
        return bills
