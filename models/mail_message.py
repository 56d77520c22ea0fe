# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models


class MailMessage(models.Model):
    """Messages about contracts show their files only to those who may open them."""

    _inherit = "mail.message"

    def _to_store_defaults(self, target):
        result = super()._to_store_defaults(target)
        for item in result:
            if getattr(item, "field_name", None) == "attachment_ids":
                # With each file goes a token that opens it, whoever uses it.
                item.value = lambda message: message._get_shown_attachments()
        return result

    def _get_shown_attachments(self):
        """Return the files of a message without those of contracts that the user may not read."""
        # As Odoo does: whoever may read the message may read its files.
        files = self.sudo().attachment_ids
        priced = files._filter_priced()
        return files - (priced - priced.sudo(False)._filtered_access("read").sudo())
