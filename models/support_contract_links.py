# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportContract(models.Model):
    """What can be opened from a contract, and how much of it there is: its smart buttons."""

    _inherit = "support.contract"

    ticket_count = fields.Integer(compute="_compute_counts")
    time_entry_count = fields.Integer(compute="_compute_counts")
    entitlement_count = fields.Integer(compute="_compute_counts")
    term_count = fields.Integer(compute="_compute_counts")
    bill_count = fields.Integer(
        compute="_compute_billing_counts", groups="support_contract.group_support_prices"
    )
    invoice_count = fields.Integer(
        compute="_compute_billing_counts", groups="support_contract.group_support_prices"
    )
    amount_unbilled = fields.Monetary(
        compute="_compute_billing_counts",
        groups="support_contract.group_support_prices",
        string="Not Yet Invoiced",
        help="Charges that have not come to an invoice yet, untaxed.",
    )

    def _compute_counts(self):
        lines = self.env["account.analytic.line"]._read_group(
            [("support_contract_id", "in", self.ids)], ["support_contract_id"], ["__count"]
        )
        entries = dict(lines)
        for contract in self:
            contract.ticket_count = len(contract.ticket_ids)
            contract.time_entry_count = entries.get(contract, 0)
            contract.entitlement_count = len(contract.entitlement_ids)
            contract.term_count = len(contract.term_ids)

    def _compute_billing_counts(self):
        for contract in self:
            contract.bill_count = len(contract.bill_ids)
            contract.invoice_count = len(contract.bill_ids.move_ids)
            open_charges = contract.charge_ids.filtered(
                lambda charge: charge.state in ("open", "billed", "approved")
            )
            contract.amount_unbilled = sum(open_charges.mapped("amount"))

    def action_view_tickets(self):
        return self._get_related_action(
            "helpdesk_mgmt.helpdesk_ticket_action", "contract_id", partner=True
        )

    def action_view_time_entries(self):
        return self._get_related_action("support_contract.action_time_entry", "support_contract_id")

    def action_view_entitlements(self):
        return self._get_related_action("support_contract.action_support_entitlement")

    def action_view_charges(self):
        return self._get_related_action("support_contract.action_support_charge")

    def action_view_bills(self):
        return self._get_related_action("support_contract.action_support_bill")

    def action_view_terms(self):
        return self._get_related_action("support_contract.action_support_contract_term")

    def action_view_invoices(self):
        self.ensure_one()
        return self.bill_ids.move_ids._get_records_action(name=self.env._("Invoices"))

    def _get_related_action(self, xmlid, link="contract_id", partner=False):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        context = {f"default_{link}": self.id}
        if partner:
            context["default_partner_id"] = self.partner_id.id
        return action | {"domain": [(link, "=", self.id)], "context": context}
