# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    support_site_id = fields.Many2one("support.site", help="Rates can depend on it.")
    support_invoice_grouping = fields.Selection(
        [("contract", "One invoice per contract"), ("customer", "One invoice for all contracts")],
        string="Support Invoices",
        default="contract",
        required=True,
    )
    support_contract_ids = fields.One2many("support.contract", "commercial_partner_id")
    support_contract_count = fields.Integer(compute="_compute_support_contract_count")

    def _compute_support_contract_count(self):
        contracts = self.env["support.contract"]
        counts = {}
        if contracts.has_access("read"):
            counts = dict(
                contracts._read_group(
                    [("commercial_partner_id", "in", self.commercial_partner_id.ids)],
                    ["commercial_partner_id"],
                    ["__count"],
                )
            )
        for partner in self:
            partner.support_contract_count = counts.get(partner.commercial_partner_id, 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_support(self):
        # sudo: grants and contracts count, whoever may see them
        for model in ("support.contract", "support.entitlement"):
            record = (
                self.env[model]
                .sudo()
                .with_context(active_test=False)
                .search([("partner_id", "in", self.ids)], limit=1)
            )
            if record:
                raise UserError(
                    self.env._(
                        "%(customer)s can't be deleted: “%(record)s” is theirs. Archive the "
                        "customer, or merge the customer into another one.",
                        customer=record.partner_id.display_name,
                        record=record.display_name,
                    )
                )

    def action_view_support_contracts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_contract"
        )
        return action | {
            "domain": [("commercial_partner_id", "=", self.commercial_partner_id.id)],
            "context": {"default_partner_id": self.id},
        }
