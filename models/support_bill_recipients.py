# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SupportContract(models.Model):
    _inherit = "support.contract"

    bill_recipient_ids = fields.Many2many(
        "res.partner",
        "support_contract_bill_recipient_rel",
        "contract_id",
        "partner_id",
        string="Bills Go To",
        help="Who gets the e-mails with its bills and invoices. Empty: the invoice address.",
    )

    @api.constrains("bill_recipient_ids")
    def _check_bill_recipients(self):
        for contract in self:
            silent = contract.bill_recipient_ids.filtered(lambda partner: not partner.email)
            if silent:
                raise ValidationError(
                    self.env._(
                        "%(partner)s has no e-mail address and can't get the bills of "
                        "%(contract)s. Enter one first.",
                        partner=silent[0].display_name,
                        contract=contract.display_name,
                    )
                )


class SupportBill(models.Model):
    _inherit = "support.bill"

    def _get_recipients(self):
        """Return who gets the e-mail with this bill (C24); nobody: no one has an address."""
        self.ensure_one()
        contract = self.contract_id
        addresses = self.partner_invoice_id | contract.partner_id | self.partner_id
        return contract.bill_recipient_ids.filtered("email") or addresses.filtered("email")[:1]


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _get_default_mail_partner_ids(self, move, mail_template, mail_lang):
        """Propose those to whom the bills of the invoice go."""
        partners = super()._get_default_mail_partner_ids(move, mail_template, mail_lang)
        contracts = move.sudo().support_bill_ids.contract_id  # of whoever sends the invoice
        recipients = contracts.bill_recipient_ids.filtered("email").sudo(False)
        if recipients and all(contract.bill_recipient_ids for contract in contracts):
            return recipients
        return partners | recipients
