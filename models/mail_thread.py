# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

# Besides RFC 3834's own header, what programs that answer by themselves put into their mails.
ROBOT_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")


class MailThread(models.AbstractModel):
    """Tells mails that a program has written by itself; Odoo takes them for a person's (T47)."""

    _inherit = "mail.thread"

    def _message_route_process(self, message, message_dict, routes):
        automatic = (message.get("Auto-Submitted") or "no").strip().lower() != "no" or any(
            message.get(header) for header in ROBOT_HEADERS
        )
        self = self.with_context(support_by_gateway=True, support_automatic_mail=automatic)
        return super()._message_route_process(message, message_dict, routes)
