# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models


class SupportContract(models.Model):
    """Sending and printing a contract (Y9, C27)."""

    _inherit = "support.contract"

    def action_send(self):
        """Open the composer with the contract attached, ready to be sent to its contact."""
        self.ensure_one()
        template = self.env.ref("support_contract.mail_template_contract", raise_if_not_found=False)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send by E-mail"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id if template else False,
                "default_composition_mode": "comment",
                "default_email_layout_xmlid": "mail.mail_notification_light",
                "force_email": True,
            },
        }

    def action_print(self):
        return self.env.ref("support_contract.action_report_support_contract").report_action(self)
