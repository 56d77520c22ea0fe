# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError

from .support_charge import FEE_KINDS


class SupportCharge(models.Model):
    """The copies that a replaced version of a bill keeps of its charges.

    When a version of a bill replaces another, its charges go over to the new one and are computed
    anew there: they keep who they are, and with that everything that points to them. The old
    version keeps archived copies of what they were, to be read and printed; the lines of its
    invoice and of the credit note lead to them. Archived, they are in no sum but the old bill's.
    """

    _inherit = "support.charge"

    @api.depends("active")
    def _compute_state(self):  # pylint: disable=missing-return
        copies = self.filtered(lambda charge: not charge.active)
        super(SupportCharge, self - copies)._compute_state()
        for charge in copies:
            credited = charge.bill_id.approval_state == "approved"
            charge.state = "credited" if credited and not charge.cancelled else "cancelled"

    def write(self, vals):
        if not self.env.su and ("active" in vals or not all(self.mapped("active"))):
            raise UserError(
                self.env._(
                    "A replaced version of a bill stays as it was. Change the version that counts."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_replaced(self):
        if not all(self.mapped("active")):
            raise UserError(self.env._("A replaced version of a bill is kept as it was."))

    def _check_not_frozen(self):
        # Copies are kept by the checks above: what leads away from them may be cut.
        return super(SupportCharge, self.filtered("active"))._check_not_frozen()

    def _keep_copies(self, bill):
        """Have a bill that is being replaced keep what these charges are now.

        Lines of invoices lead to what they billed: from now on to the copies.

        :return: the copies, in the order of the charges
        """
        copies = self.create(
            [
                vals | {"bill_id": bill.id, "active": False, "cancelled": charge.cancelled}
                for charge, vals in zip(self, self.copy_data(), strict=True)
            ]
        )
        for charge, copy in zip(self, copies, strict=True):
            charge.invoice_line_ids.support_charge_id = copy
        return copies

    def _may_come_on(self, bill):
        """Return whether this open charge, recorded late, may come on the bill of its days.

        Not what somebody has moved to another term: that was decided.
        """
        self.ensure_one()
        return self.kind not in FEE_KINDS and not self._was_moved()

    def _was_moved(self):
        """Return whether somebody has moved this charge to another term."""
        return False
