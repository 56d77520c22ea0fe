# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .account_analytic_line import WORK_FACTS

CANCEL_FIELDS = {"support_cancelled_at", "support_cancelled_by_id", "support_cancel_reason"}


class AccountAnalyticLine(models.Model):
    """Work that was done and is cancelled for billing (Q12): it costs nothing and draws nothing."""

    _inherit = "account.analytic.line"

    support_cancelled_at = fields.Datetime(
        string="Cancelled On",
        readonly=True,
        copy=False,
        help="A manager has decided that the customer pays nothing for this work.",
    )
    support_cancelled_by_id = fields.Many2one(
        "res.users", string="Cancelled By", readonly=True, copy=False
    )
    support_cancel_reason = fields.Char(string="Why Cancelled", readonly=True, copy=False)
    support_state = fields.Selection(selection_add=[("cancelled", "Cancelled")])

    # === COMPUTE METHODS === #

    @api.depends("support_cancelled_at")
    def _compute_rated_pieces(self):
        cancelled = self.filtered("support_cancelled_at")
        for line in cancelled:  # it stays where it was recorded, and comes to nothing
            line.support_contract_id = line._get_contract()
            line.rated_pieces = False
            line.billable_seconds = 0
        return super(AccountAnalyticLine, self - cancelled)._compute_rated_pieces()

    @api.depends("support_cancelled_at")
    def _compute_support_state(self):
        result = super()._compute_support_state()
        self.filtered("support_cancelled_at").support_state = "cancelled"
        return result

    # === CRUD METHODS === #

    def write(self, vals):
        if CANCEL_FIELDS.intersection(vals) and not self.env.su:
            raise AccessError(
                self.env._("Work is cancelled on its charges, with a reason: use “Cancel” there.")
            )
        if WORK_FACTS.intersection(vals):
            self._check_not_cancelled()
        return super().write(vals)

    def unlink(self):
        self._check_not_cancelled()  # before its units go back
        return super().unlink()

    def _check_not_cancelled(self):
        # A piece of it may have been cancelled alone, after the rest was billed.
        for line in self.filtered(
            lambda line: (
                line.support_cancelled_at or any(line.sudo().charge_ids.mapped("cancelled_at"))
            )
        ):
            raise UserError(
                self.env._(
                    "%(entry)s of %(date)s was cancelled: the customer pays nothing for it, and it "
                    "stays as it was. Have a manager charge it again before you change it.",
                    entry=line.name or self.env._("This time entry"),
                    date=line.date,
                )
            )

    # === BUSINESS METHODS === #

    def _set_cancelled(self, marks):
        """Cancel work for billing, or charge it again: its units go back, or are drawn anew.

        :param dict marks: when, by whom and why; all empty: it is charged again
        """
        if not self:
            return
        before = self._get_pool_starts()
        self.write(
            {
                "support_cancelled_at": marks["cancelled_at"],
                "support_cancelled_by_id": marks["cancelled_by_id"],
                "support_cancel_reason": marks["cancel_reason"],
            }
        )
        self._consume(before)

    def _get_rounding_siblings(self):
        """Cancelled work isn't rounded together with other work."""
        return super()._get_rounding_siblings().filtered(lambda line: not line.support_cancelled_at)
