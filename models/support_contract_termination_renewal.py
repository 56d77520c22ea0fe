# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class SupportContract(models.Model):
    """What is terminated isn't renewed, as long as the termination isn't taken back."""

    _inherit = "support.contract"

    def _get_renewal_problem(self, late=False):
        if self.termination_id:
            return self._explain_not_renewed()
        return super()._get_renewal_problem(late)

    @api.model
    def _get_due_renewals_domain(self):
        ending = Domain("state", "!=", "undone")
        return super()._get_due_renewals_domain() & Domain("termination_ids", "not any", ending)

    def _check_confirmable(self):
        result = super()._check_confirmable()
        for old in self.renews_id.filtered("termination_id"):
            raise UserError(old._explain_not_renewed())
        return result

    def _explain_not_renewed(self):
        self.ensure_one()
        return self.env._(
            "%(contract)s is terminated and can't be renewed. %(label)s. Take the termination back "
            "first, or make a new contract.",
            contract=self.display_name,
            label=self.termination_label,
        )
