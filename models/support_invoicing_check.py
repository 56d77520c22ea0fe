# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError


class SupportInvoicing(models.AbstractModel):
    """Says what an invoice would fail for before any is made, and what to do about it."""

    _inherit = "support.invoicing"

    @api.model
    def _create_invoices(self, bills):
        self._check_ready(bills)
        return super()._create_invoices(bills)

    @api.model
    def _check_ready(self, bills):
        """Refuse bills that can't become invoices: no journal, archived product, no account.

        :raise UserError: naming all of it at once
        """
        problems = []
        for company, group in bills.sudo().grouped("company_id").items():  # as the invoices below
            journals = self.env["account.journal"].sudo()
            journal = journals.search(
                [*journals._check_company_domain(company), ("type", "=", "sale")], limit=1
            )
            if not journal:
                problems.append(
                    self.env._(
                        "%s has no sales journal, or only archived ones. Unarchive or create one "
                        "in the accounting settings.",
                        company.display_name,
                    )
                )
            # What is given back goes on the product that was billed, archived or not.
            charges = group._get_charges().filtered(lambda c: c.amount and not c.refund_of_id)
            for product in charges.product_id:
                problem = self._get_product_problem(product, company, journal)
                if problem:
                    problems.append(problem)
        if problems:
            raise UserError("\n".join(problems))

    @api.model
    def _get_product_problem(self, product, company, journal):
        """Return what is wrong with a product that is to be invoiced; None: nothing."""
        if not product.active:
            return self.env._(
                "The product “%s” is archived but has been charged. Unarchive it until it is "
                "invoiced, or cancel what charges it.",
                product.display_name,
            )
        accounts = product.product_tmpl_id.with_company(company).get_product_accounts()
        if journal and not (accounts["income"] or journal.default_account_id):
            return self.env._(
                "The product “%(product)s” has no income account, nor have its category and the "
                "journal %(journal)s. Set one on any of them.",
                product=product.display_name,
                journal=journal.display_name,
            )
        return None
