# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

from ..tools.terms_diff import Row, compare
from .support_contract_snapshot import SPECIAL_PRICES

# A draft is being written, and nothing has been agreed upon.
UNAGREED_STATES = ("draft", "cancelled")
NOTED = "support_contract.versions"


class SupportContractVersion(models.Model):
    """The commercial terms of a contract as they were agreed upon at a moment. Never edited."""

    _name = "support.contract.version"
    _description = "Version of the Terms of a Support Contract"
    _order = "id desc"
    _rec_name = "number"

    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    number = fields.Integer(string="Version", required=True, readonly=True, aggregator=None)
    moment = fields.Datetime(
        string="When", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, default=lambda self: self.env.user
    )
    summary = fields.Text(
        string="What Changed", readonly=True, help="Prices are told to those who may see them."
    )
    # What is written in them holds prices.
    snapshot = fields.Json(readonly=True, groups="support_contract.group_support_prices")
    changes = fields.Json(readonly=True, groups="support_contract.group_support_prices")
    comparison = fields.Html(
        compute="_compute_comparison",
        sanitize=False,
        string="Before and After",
        groups="support_contract.group_support_prices",
    )
    terms = fields.Html(
        compute="_compute_comparison",
        sanitize=False,
        string="All Terms",
        groups="support_contract.group_support_prices",
    )

    _number_once = models.UniqueIndex(
        "(contract_id, number)", "There is a version with this number already."
    )

    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(contract)s, version %(number)s",
                contract=version.contract_id.display_name,
                number=version.number,
            )

    @api.depends("snapshot", "changes")
    def _compute_comparison(self):
        before, after = self.env._("Before"), self.env._("After")
        for version in self:
            version.comparison = self._render_table(
                ("", before, after),
                [
                    (
                        change["section"],
                        change["label"],
                        Markup("<del>%s</del>") % change["old"],
                        Markup("<strong>%s</strong>") % change["new"],
                    )
                    for change in version.changes or []
                ],
            )
            version.terms = self._render_table(
                (),
                [
                    (row["section"], row["label"], row["text"])
                    for row in version.snapshot or []
                    if row["text"]
                ],
            )

    @api.model
    def _render_table(self, heads, rows):
        """Return a table with a heading for each section; cells are escaped unless Markup."""
        html, section = Markup(), None
        for head in heads:
            html += Markup("<th>%s</th>") % head
        for row_section, *cells in rows:
            if row_section != section:
                section = row_section
                html += Markup('<tr class="table-light"><th colspan="3">%s</th></tr>') % section
            html += Markup("<tr>%s</tr>") % Markup().join(
                Markup('<td style="white-space: pre-line">%s</td>') % cell for cell in cells
            )
        return Markup('<table class="table table-sm">%s</table>') % html if rows else False

    def write(self, vals):
        if vals:
            raise UserError(
                self.env._("A version is never edited: change the contract, and a new one is kept.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("The versions of a contract are kept."))

    def _get_rows(self):
        """Return the terms of this version.

        :rtype: list[Row]
        """
        self.ensure_one()
        return [Row(**row) for row in self.snapshot or []]


class SupportContract(models.Model):
    """Every change of the terms after they were agreed upon is a version (Y18).

    Terms change in many ways and places, on the contract, its rows and the rates of its plan; so
    they are compared once, before the transaction ends, with the version before.
    """

    _inherit = "support.contract"

    version_ids = fields.One2many("support.contract.version", "contract_id", string="Versions")
    version_count = fields.Integer(compute="_compute_version_count")

    def _compute_version_count(self):
        counts = dict(
            self.env["support.contract.version"]._read_group(
                [("contract_id", "in", self.ids)], ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.version_count = counts.get(contract, 0)

    def action_view_versions(self):
        return self._get_related_action("support_contract.action_support_contract_version")

    def _set_state(self, target):
        result = super()._set_state(target)
        if target not in UNAGREED_STATES:
            self._note_terms()
        return result

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(self._get_version_fields()):
            self._note_terms()
        return result

    def _note_terms(self):
        """Have the terms compared before this transaction ends."""
        if not self.ids:
            return
        precommit = self.env.cr.precommit
        if NOTED not in precommit.data:
            precommit.data[NOTED] = set()
            # Who may change one term needn't be allowed to see all of them.
            contracts = self.browse().sudo().with_context(clean_context(self.env.context))
            precommit.add(contracts._make_versions)
        precommit.data[NOTED].update(self.ids)

    @api.model
    def _make_versions(self):
        """Keep the terms of the contracts that differ from their last version."""
        noted = self.env.cr.precommit.data.pop(NOTED, ())
        contracts = self.sudo().browse(sorted(noted)).exists()  # as above
        contracts = contracts.filtered(lambda contract: contract.state not in UNAGREED_STATES)
        lasts = contracts._get_last_versions()
        changed = {}
        for contract in contracts:
            last, rows = lasts.get(contract), contract._get_snapshot()
            changes = compare(last._get_rows(), rows) if last else []
            if changes or not last:
                changed[contract] = rows, changes, last
        if not changed:
            return
        # Two who change the terms at once do it one after the other.
        contracts.env["support.consumption"]._touch(contracts.browse(c.id for c in changed))
        contracts.env["support.contract.version"].create(
            [
                {
                    "contract_id": contract.id,
                    "number": last.number + 1 if last else 1,
                    "summary": "\n".join(contract._explain_changes(changes))
                    or self.env._("As agreed."),
                    "snapshot": [row.to_json() for row in rows],
                    "changes": [change.to_json() for change in changes],
                }
                for contract, (rows, changes, last) in changed.items()
            ]
        )
        told = {c: changes for c, (_rows, changes, _last) in changed.items()}
        self._tell_changes(told)
        contracts.env["support.contract.change"]._note_prices(told)

    def _get_last_versions(self):
        """Return the last version of each contract that has one: {contract: version}."""
        versions = self.env["support.contract.version"]
        rows = versions._read_group([("contract_id", "in", self.ids)], ["contract_id"], ["id:max"])
        lasts = versions.browse(last for _contract, last in rows)
        return {contract: lasts.browse(last).with_prefetch(lasts.ids) for contract, last in rows}

    @api.model
    def _explain_changes(self, changes):
        """Return the changes in words, of prices only that they have changed, each text once."""
        texts = [
            self.env._("%(what)s: changed", what=change.label)
            if change.priced
            else self.env._(
                "%(what)s: %(old)s → %(new)s",
                what=change.label,
                old=change.old or "–",
                new=change.new or "–",
            )
            for change in changes
        ]
        # A rate of the contract's own that replaces one of its plan is two changes alike.
        return list(dict.fromkeys(texts))

    @api.model
    def _tell_changes(self, changes_by_contract):
        """Tell the chatter what has changed; fields that are tracked tell it themselves."""
        bodies = {}
        for contract, changes in changes_by_contract.items():
            texts = self._explain_changes(
                [
                    change
                    for change in changes
                    if not getattr(self._fields.get(change.key.split("/")[1]), "tracking", False)
                    and not change.key.startswith(f"{SPECIAL_PRICES}/")
                ]
            )
            if texts:
                items = Markup().join(Markup("<li>%s</li>") % text for text in texts)
                bodies[contract.id] = Markup("<p>%s</p><ul>%s</ul>") % (
                    self.env._("Terms changed:"),
                    items,
                )
        if bodies:
            self.browse(bodies)._message_log_batch(bodies=bodies)
