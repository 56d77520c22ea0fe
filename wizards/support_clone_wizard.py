# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import uuid

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

SOURCES = {"support.contract": "contract_id", "support.plan": "plan_id"}


class SupportCloneWizard(models.TransientModel):
    """Makes the same contract for one or many customers, from a contract or a plan (Y19)."""

    _name = "support.clone.wizard"
    _description = "Clone a Support Contract"

    contract_id = fields.Many2one("support.contract", readonly=True)
    plan_id = fields.Many2one("support.plan", readonly=True)
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    partner_ids = fields.Many2many("res.partner", string="Customers", required=True)
    date_start = fields.Date(
        string="Starts",
        required=True,
        default=fields.Date.context_today,
        help="What is dated in the contract, its end as well, moves along.",
    )
    title = fields.Char(string="Contract Name", help="Empty: as it is.")
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        domain="[('share', '=', False)]",
        default=lambda self: self.env.user,
    )
    copy_documents = fields.Boolean(help="The attachments of the contract.")
    confirm = fields.Boolean(
        string="Confirm at Once",
        help="They run from their start. Otherwise they are made as drafts, in which everything "
        "can still be changed.",
    )
    reason = fields.Char(required=True, help="Kept in the history of the contracts.")
    request_key = fields.Char(default=lambda self: str(uuid.uuid4()), readonly=True)
    result_ids = fields.Many2many("support.contract", "support_clone_result_rel", readonly=True)
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.model
    def default_get(self, fields_list):
        defaults = super().default_get(fields_list)
        name = SOURCES.get(self.env.context.get("active_model"))
        ids = self.env.context.get("active_ids") or []
        if name and len(ids) > 1:
            raise UserError(self.env._("Choose one contract, or one plan, to be cloned."))
        if name and ids:
            defaults[name] = ids[0]
        return defaults

    # === COMPUTE METHODS === #

    @api.depends("contract_id", "plan_id")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard._get_source().company_id

    @api.depends("partner_ids", "date_start", "title", "user_id", "confirm")
    def _compute_preview(self):
        """List the contracts to come, from the values with which they will be made."""
        for wizard in self:
            rows = [
                wizard._get_preview_row(partner)
                for partner in (wizard.partner_ids if wizard.date_start else ())
            ]
            wizard.preview = rows and Markup(
                "<table class='table table-sm'><thead><tr><th>%s</th><th>%s</th>"
                "<th class='text-end'>%s</th></tr></thead><tbody>%s</tbody></table>"
            ) % (
                self.env._("New Contract of"),
                self.env._("Runs"),
                self.env._("Recurring Products per Term"),
                Markup("").join(rows),
            )

    def _get_preview_row(self, partner):
        contract = self.env["support.contract"].new(self._prepare_contract(partner))
        end = contract.date_end
        return Markup("<tr><td>%s</td><td>%s – %s</td><td class='text-end'>%s</td></tr>") % (
            partner.display_name,
            format_date(self.env, contract.date_start),
            format_date(self.env, end) if end else "…",
            contract.currency_id.format(sum(contract.line_ids.mapped("subtotal"))),
        )

    # === ACTIONS === #

    def action_clone(self):
        """Make all contracts, or none, and show them."""
        self.ensure_one()
        if not self.env["support.contract.change"]._find_request(self.request_key):
            self._check()
            self.result_ids = self._make_contracts()
        return self.result_ids._get_records_action(name=self.env._("New Contracts"))

    # === BUSINESS METHODS === #

    def _get_source(self):
        self.ensure_one()
        return self.contract_id or self.plan_id

    def _check(self):
        if not self._get_source():
            raise UserError(self.env._("Open a contract or a plan and clone it from there."))
        if not self.partner_ids:
            raise UserError(self.env._("Choose at least one customer."))
        if self._get_source()._name == "support.contract" and self.contract_id._is_for_request():
            raise UserError(
                self.env._(
                    "%s is for a single ticket. Such contracts are made from their tickets.",
                    self.contract_id.display_name,
                )
            )

    def _make_contracts(self):
        """Make the contracts; where one can't be made, none is, and all reasons are said."""
        contracts = self.env["support.contract"]
        problems = []
        for partner in self.partner_ids:
            try:
                with self.env.cr.savepoint():
                    contracts |= self._make_contract(partner)
            except UserError as error:
                problems.append(f"{partner.display_name}: {error.args[0]}")
        if problems:
            raise UserError(
                self.env._(
                    "No contract was made. Correct this, or take these customers off the list:"
                    "\n\n%(problems)s",
                    problems="\n".join(problems),
                )
            )
        self._note(contracts)
        return contracts

    def _make_contract(self, partner):
        contract = self.env["support.contract"].create(self._prepare_contract(partner))
        if self.contract_id and self.copy_documents:
            self.contract_id._copy_documents(contract)
        if self.confirm:
            contract.action_confirm()
        self.env.flush_all()  # what the database refuses is this customer's
        return contract

    def _prepare_contract(self, partner):
        values = self._get_source()._prepare_clone(partner, self.date_start)
        values["user_id"] = self.user_id.id
        if self.title:
            values["title"] = self.title
        return values

    def _note(self, contracts):
        """Note it in the history of all of them, and of the contract they were made from."""
        changes = self.env["support.contract.change"]
        source = self._get_source()
        key = self.request_key
        if self.contract_id:
            names = ", ".join(contracts.mapped("display_name"))
            summary = self.env._("Cloned into %s.", names)
            changes._note(self.contract_id, "clone", self.reason, summary, request_key=key)
            key = False
        for contract in contracts:
            summary = self.env._("Made from %s.", source.display_name)
            changes._note(contract, "clone", self.reason, summary, request_key=key)
            key = False
