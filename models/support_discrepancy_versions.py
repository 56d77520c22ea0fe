# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models


class SupportDiscrepancy(models.Model):
    """Versions of bills: what was replaced is credited, and only main versions have charges."""

    _inherit = "support.discrepancy"

    @api.model
    def _check_bills(self, domain):
        yield from super()._check_bills(domain)
        bills = self.env["support.bill"].search([*domain, ("is_main", "=", False)])
        for bill in bills.filtered("replaced_by_id"):
            lines = bill.charge_ids.invoice_line_ids.filtered(
                lambda line: line.move_id.state != "cancel"
            )
            left = sum(line.move_id._get_support_sign() * line.price_subtotal for line in lines)
            text = self.env._(
                "%(old)s was replaced by %(new)s, but its invoice isn't credited exactly.",
                old=bill.name,
                new=bill.replaced_by_id.name,
            )
            yield from self._compare(bill, "invoices", 0.0, left, text)
        strays = dict(
            self.env["support.charge"]._read_group(
                [("bill_id", "in", bills.ids)], ["bill_id"], ["__count"]
            )
        )
        for bill, count in strays.items():
            text = self.env._("%s has charges but isn't the version that counts.", bill.name)
            yield self._prepare_difference(bill, "charges", 0, count, text)
