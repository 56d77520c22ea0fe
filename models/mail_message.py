# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

# What people write. Automatic answers, notifications and mailings are of other types (T47).
WRITTEN = ("comment", "email")


class MailMessage(models.Model):
    """What support asks of messages: who may open the files of contracts, and who wrote to whom."""

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

    def _is_public_comment(self):
        """Return whether the customer reads it, and a human has written it."""
        self.ensure_one()
        return (
            self.message_type in WRITTEN
            and self.subtype_id == self.env.ref("mail.mt_comment")
            and not self.is_internal
        )

    def _is_by_colleague(self):
        """Return whether somebody of the company wrote it; not the robot."""
        self.ensure_one()
        author = self.author_id
        return bool(author and not author.partner_share and not self._is_by_robot())

    def _is_by_robot(self):
        """Return whether OdooBot wrote it, who is neither a colleague nor a customer."""
        self.ensure_one()
        return self.author_id == self.env.ref("base.partner_root")
