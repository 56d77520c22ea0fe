# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import uuid

from odoo import api, fields, models


class SupportDecisionMixin(models.AbstractModel):
    """What every wizard about a contract has: a reason, a preview, and that it counts once.

    A wizard computes `preview` from the same method that `_decide` uses, shows it, and ends in
    `_run`: which locks the contract, finds out whether this very request was done already, and
    notes what was decided in the contract's history.
    """

    _name = "support.decision.mixin"
    _description = "Decision about a Support Contract"

    contract_id = fields.Many2one("support.contract", required=True, readonly=True)
    company_id = fields.Many2one(related="contract_id.company_id")
    currency_id = fields.Many2one(related="contract_id.currency_id")
    reason = fields.Char(required=True, help="Kept in the history of the contract.")
    request_key = fields.Char(default=lambda self: str(uuid.uuid4()), readonly=True)
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        # Whoever decides about a contract may change it; others learn nothing of it by a wizard.
        wizards.contract_id.check_access("write")
        return wizards

    def write(self, vals):
        result = super().write(vals)
        if "contract_id" in vals:
            self.contract_id.check_access("write")  # as above
        return result

    def _compute_preview(self):
        """To be overridden, with its dependencies: the effect in units and money."""
        raise NotImplementedError

    def _run(self, kind):
        """Do what was decided, once, and return its entry in the contract's history.

        :param str kind: a kind of `support.contract.change`
        """
        self.ensure_one()
        changes = self.env["support.contract.change"]
        self.contract_id._lock_for_decision()
        done = changes._find_request(self.request_key)
        if done:
            return done
        self._check()
        vals = self._decide()
        return changes._note(
            self.contract_id, kind, self.reason, request_key=self.request_key, **vals
        )

    def _check(self):
        """Refuse, with the reason and what to do, what can't be done now; to be extended."""

    def _decide(self):
        """Do it.

        :return: the values of the history: `summary`, and `amount` where money is involved
        """
        raise NotImplementedError
