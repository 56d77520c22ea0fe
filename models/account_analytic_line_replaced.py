# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    def unlink(self):
        """Leave the replaced versions of bills as they are, without the way to deleted work."""
        # Whoever may delete work needn't see charges; what it is on now is asked below.
        copies = self.env["support.charge"].sudo().with_context(active_test=False)
        copies.search(
            [("time_entry_id", "in", self.ids), ("active", "=", False)]
        ).time_entry_id = False
        return super().unlink()
