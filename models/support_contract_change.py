# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

KINDS = [
    ("top_up", "Topped up"),
    ("renew", "Renewed"),
    ("terminate", "Terminated"),
    ("suspend", "Suspended"),
    ("resume", "Resumed"),
    ("transfer", "Carried to another term"),
    ("cancel", "Activity cancelled"),
    ("time", "Time entries changed"),
    ("credit", "Credit given"),
    ("bill", "Bill"),
    ("clone", "Cloned"),
    ("price", "Prices changed"),
    ("lost", "Not concluded"),
    ("undo", "Taken back"),
]


class SupportContractChange(models.Model):
    """What somebody decided about a contract: what, who, when and why. Never edited.

    Every wizard leaves one. Its key tells two requests from one that was sent twice: the second
    finds the first, by the database.
    """

    _name = "support.contract.change"
    _description = "Decision about a Support Contract"
    _order = "id desc"
    _rec_name = "summary"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    kind = fields.Selection(KINDS, string="What", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, default=lambda self: self.env.user
    )
    moment = fields.Datetime(
        string="When", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    reason = fields.Char(string="Why", required=True, readonly=True)
    summary = fields.Text(
        string="Effect",
        required=True,
        readonly=True,
        help="In units. What it costs is told beside it to those who may see prices.",
    )
    currency_id = fields.Many2one(related="contract_id.currency_id")
    amount = fields.Monetary(
        readonly=True,
        groups="support_contract.group_support_prices",
        help="What the customer owes more, or less, by it. Untaxed.",
    )
    request_key = fields.Char(
        readonly=True, copy=False, help="Of the request that led to it: sent twice it counts once."
    )
    undoes_id = fields.Many2one(
        "support.contract.change",
        string="Takes Back",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
    )
    undone_by_ids = fields.One2many("support.contract.change", "undoes_id", readonly=True)

    _request_once = models.UniqueIndex(
        "(request_key) WHERE request_key IS NOT NULL", "This has been done already."
    )
    _undone_once = models.UniqueIndex(
        "(undoes_id) WHERE undoes_id IS NOT NULL", "This has been taken back already."
    )

    def write(self, vals):
        if vals:
            raise UserError(
                self.env._("What was decided about a contract is never edited: decide anew.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("What was decided about a contract is kept."))

    @api.model
    def _note(self, contract, kind, reason, summary, **vals):
        """Note one decision, and tell the followers of the contract.

        :param str kind: one of KINDS
        :param vals: amount (signed, untaxed), request_key, undoes_id
        """
        # Nobody has the right to write here but through what he is allowed to decide.
        change = self.sudo().create(
            {
                "contract_id": contract.id,
                "kind": kind,
                "reason": reason,
                "summary": summary,
                **vals,
            }
        )
        label = dict(self._fields["kind"]._description_selection(self.env))[kind]
        body = self.env._("%(what)s: %(why)s", what=label, why=reason)
        contract.message_post(body=body)  # money is told in the history, to those who may see it
        return change.sudo(False)

    @api.model
    def _find_request(self, key):
        """Return the decision that a request has led to already; empty for a new one."""
        # The key is a secret of who sent the request.
        return self.sudo().search([("request_key", "=", key)]).sudo(False) if key else self


class SupportContract(models.Model):
    _inherit = "support.contract"

    change_ids = fields.One2many("support.contract.change", "contract_id", string="History")
    change_count = fields.Integer(compute="_compute_change_count", string="Decisions")

    def _compute_change_count(self):
        counts = dict(
            self.env["support.contract.change"]._read_group(
                [("contract_id", "in", self.ids)], ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.change_count = counts.get(contract, 0)

    def action_view_changes(self):
        return self._get_related_action("support_contract.action_support_contract_change")

    def _lock_for_decision(self):
        """Have two people who decide about a contract at once do it one after the other.

        The second one waits, begins again (a serialization failure, which Odoo retries) and then
        finds what the first has decided.
        """
        if self.ids:
            self.env.flush_all()
            self.env.execute_query(
                SQL(
                    "SELECT id FROM support_contract WHERE id IN %s ORDER BY id FOR NO KEY UPDATE",
                    tuple(self.ids),
                )
            )
            self.env["support.consumption"].sudo()._touch(self)  # so that the second one notices
            self.invalidate_recordset()
