# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

PRICES_GROUP = "support_contract.group_support_prices"
FILE_FIELDS = {"signed_copy_ids", "shared_file_ids"}


class SupportContract(models.Model):
    """Signed copies of a contract, and whatever else is filed with it (Y3).

    Contracts tell prices, and so do the files that are sent, come back and are filed with them:
    a rule on attachments leaves them to those who see prices, but for what is shared here.
    """

    _inherit = "support.contract"

    signed_copy_ids = fields.Many2many(
        "ir.attachment",
        "support_contract_signed_copy_rel",
        "contract_id",
        "attachment_id",
        string="Signed Copies",
        copy=False,
        bypass_search_access=True,
        groups=PRICES_GROUP,
        help="The scanned agreement, as both sides have signed it. Seen by those who see prices.",
    )
    shared_file_ids = fields.Many2many(
        "ir.attachment",
        "support_contract_shared_file_rel",
        "contract_id",
        "attachment_id",
        string="Files for Technicians",
        copy=False,
        bypass_search_access=True,
        help="Everybody who sees the contract may open these. All other files, those in messages "
        "too, are for those who see prices.",
    )
    signed_on = fields.Date(
        compute="_compute_signed_on",
        store=True,
        readonly=False,
        copy=False,
        tracking=True,
        help="Empty: no signed copy has come back yet.",
    )
    signed_by = fields.Char(copy=False, tracking=True, help="Who signed it on the customer's side.")

    @api.depends("signed_copy_ids")
    def _compute_signed_on(self):
        for contract in self:
            if contract.signed_copy_ids and not contract.signed_on:
                contract.signed_on = contract._get_today()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        contracts = super().create(vals_list)
        if any(FILE_FIELDS.intersection(vals) for vals in vals_list):
            contracts._file_uploads()
        return contracts

    def write(self, vals):
        result = super().write(vals)
        if FILE_FIELDS.intersection(vals):
            self._file_uploads()
        return result

    def _file_uploads(self):
        """File uploads with their contract: whoever may not see it may not see them."""
        for contract in self:
            loose = (contract.signed_copy_ids | contract.shared_file_ids).filtered(
                lambda file, c=contract: (file.res_model, file.res_id) != (c._name, c.id)
            )
            if loose:
                loose.write({"res_model": contract._name, "res_id": contract.id})

    # === MESSAGES === #

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Mail no files with prices to followers who see none: they find the message itself."""
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        # What it carries is asked for all of its readers, not for its author.
        message_sudo = message.sudo()
        if not message_sudo.attachment_ids._filter_priced():
            return recipients
        users = self.env["res.users"].sudo().browse([r["uid"] for r in recipients if r["uid"]])
        blind = users.filtered(
            lambda user: user._is_internal() and not user.has_group(PRICES_GROUP)
        )
        # Whom its author has chosen by name gets it.
        unasked = blind.partner_id - message_sudo.partner_ids
        return [recipient for recipient in recipients if recipient["id"] not in unasked.ids]

    # === ACTIONS === #

    def action_view_documents(self):
        """Open everything that is filed with the contract; further files can be uploaded."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents"),
            "res_model": "ir.attachment",
            "view_mode": "kanban,list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "context": {"default_res_model": self._name, "default_res_id": self.id},
            "help": self.env._(
                "Nothing is filed with this contract yet. Upload signed copies on its page "
                "“Documents”, anything else here or in a message."
            ),
        }
