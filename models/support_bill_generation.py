# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.fields import Domain
from odoo.tools import groupby


class SupportBill(models.Model):
    """Which bills there are to make: of contracts by their terms, of other customers at once."""

    _inherit = "support.bill"

    @api.model
    def _generate(self, contracts, until, run=None):
        """Bill what is due on contracts up to a day: fees, usage, and what was moved there.

        Charges of a term that has its bill already come on an immediate one. Run twice it finds
        nothing the second time.

        :return: the new bills, in draft
        """
        self.check_access("create")
        # Who may make bills may have the date bring what it brings: terms, grants and fees.
        self, contracts = self.sudo(), contracts.sudo()
        contracts = contracts.filtered(lambda contract: contract._is_billable())
        self.env["support.contract.term"]._roll(contracts)
        terms = self.env["support.contract.term"].search(
            [
                ("contract_id", "in", contracts.ids),
                ("charged", "=", False),
                ("billing_date", "<=", until),
            ]
        )
        charges = self.env["support.charge"]
        charges._place_instalments(contracts)
        charges.create(contracts.line_ids._settle_changes())
        fees = [vals for term in terms for vals in term._prepare_fees()]
        due = charges.search(
            Domain("billing_contract_id", "in", contracts.ids) & charges._get_due_domain(until)
        )
        keys = {(vals["contract_id"], vals["billing_term_id"]) for vals in fees}
        keys |= {(charge.billing_contract_id.id, charge.billing_term_id.id) for charge in due}
        billed = set(
            self.search([("term_id", "in", [term for _c, term in keys]), ("is_main", "=", True)])
            .filtered(lambda bill: bill.kind == "term")
            .term_id.ids
        )
        keys = sorted(keys, key=lambda key: (key[0], key[1] or 0))
        bills = self.create(
            [
                self._prepare_bill(contract, term, term in billed, until, run)
                for contract, term in keys
            ]
        )
        bill_of = dict(zip(keys, bills, strict=True))
        for (contract, term), group in groupby(
            due, lambda charge: (charge.billing_contract_id.id, charge.billing_term_id.id)
        ):
            charges.concat(*group).bill_id = bill_of[contract, term]
        charges.create(
            [
                vals | {"bill_id": bill_of[vals["contract_id"], vals["billing_term_id"]].id}
                for vals in fees
            ]
        )
        terms._keep_discount()
        terms.charged = True
        return bills.sudo(False)

    @api.model
    def _prepare_bill(self, contract_id, term_id, extra, until, run):
        kind = "immediate" if extra or not term_id else "term"
        term = self.env["support.contract.term"].browse(term_id)
        return {
            "kind": kind,
            "contract_id": contract_id,
            "term_id": term_id,
            "date": term.billing_date if kind == "term" else until,  # however late it is (T4)
            "run_id": run.id if run else False,
        }

    @api.model
    def _get_domain_without_contract(self, company, until):
        """Return which charges of a company belong to no contract and are due up to a day."""
        return Domain(
            [
                ("contract_id", "=", False),
                ("company_id", "=", company.id),
                ("state", "=", "open"),
                ("date", "<=", until),
            ]
        )

    @api.model
    def _generate_without_contract(self, charges, day, run=None):
        """Bill open charges that belong to no contract: one bill per company, customer, currency.

        What is on a bill already is left out: run twice it finds nothing the second time.

        :param date day: the date of the bills
        :return: the new bills, in draft
        """
        self.check_access("create")
        # Who may make bills may bill what is there, parts that technicians entered, too.
        self, charges = self.sudo(), charges.sudo()
        charges = charges.filtered(lambda c: not c.contract_id and c.state == "open")
        groups = charges.grouped(lambda c: (c.company_id, c.partner_id, c.currency_id))
        bills = self.create(
            [
                self._prepare_immediate_bill(group, day) | {"run_id": run.id if run else False}
                for group in groups.values()
            ]
        )
        for bill, group in zip(bills, groups.values(), strict=True):
            group.bill_id = bill
        return bills.sudo(False)

    @api.model
    def _bill_at_once(self, charges, day):
        """Bill open charges of one contract on an immediate bill, instead of with their terms.

        :param date day: the date of the bill
        """
        self.check_access("create")
        self, charges = self.sudo(), charges.sudo()  # as in _generate
        bill = self.create(self._prepare_immediate_bill(charges, day))
        charges.write({"bill_id": bill.id})
        return bill.sudo(False)

    @api.model
    def _prepare_immediate_bill(self, charges, day):
        """Return the values of a bill at once, of charges of one contract or of one customer."""
        return {
            "kind": "immediate",
            "contract_id": charges.billing_contract_id.id,
            "company_id": charges.company_id.id,
            "partner_id": charges.partner_id.id,
            "currency_id": charges.currency_id.id,
            "date": day,
        }
