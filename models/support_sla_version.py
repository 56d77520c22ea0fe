# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.sla import BREACH, Step

READ_TERMS = "support_contract.sla_terms"


class SupportSlaVersion(models.Model):
    """A policy as it was promised: what the clocks of tickets go by. Never edited once in use."""

    _name = "support.sla.version"
    _description = "Version of an SLA Policy"
    _order = "policy_id, number desc"

    policy_id = fields.Many2one(
        "support.sla.policy", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="policy_id.company_id", store=True, precompute=True)
    number = fields.Integer(string="Version", required=True, readonly=True, aggregator=None)
    moment = fields.Datetime(
        string="When", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, default=lambda self: self.env.user
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Active Hours",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    customer_zone = fields.Boolean(string="In the Customer's Time Zone", readonly=True)
    terms = fields.Json(required=True, readonly=True)
    timer_ids = fields.One2many("support.sla.timer", "version_id", readonly=True)
    ticket_count = fields.Integer(compute="_compute_ticket_count")
    summary = fields.Text(string="What It Promises", compute="_compute_summary")

    _number_once = models.UniqueIndex(
        "(policy_id, number)", "There is a version with this number already."
    )

    @api.depends("policy_id.name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(policy)s, version %(number)s",
                policy=version.policy_id.name,
                number=version.number,
            )

    def _compute_ticket_count(self):
        counts = dict(
            self.env["helpdesk.ticket"]._read_group(
                [("sla_version_id", "in", self.ids)], ["sla_version_id"], ["__count"]
            )
        )
        for version in self:
            version.ticket_count = counts.get(version, 0)

    @api.depends("terms")
    @api.depends_context("lang")
    def _compute_summary(self):
        fields_of = self.env["support.sla.target"]._fields
        kinds = dict(fields_of["kind"]._description_selection(self.env))
        priorities = dict(fields_of["priority"]._description_selection(self.env))
        for version in self:
            version.summary = "\n".join(
                f"{kinds[target['kind']]}: {target['label']}"
                + (f" ({priorities[target['priority']]})" if target["priority"] else "")
                for target in version.terms["targets"]
            )

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        self.env.cr.cache.pop(READ_TERMS, None)
        return result

    # === WHAT IT SAYS === #

    def _read_terms(self):
        """Return the terms, to look at only: they are read once in a transaction.

        The field hands out a copy whenever it is asked, and every clock asks.
        """
        self.ensure_one()
        read = self.env.cr.cache.setdefault(READ_TERMS, {})
        if self.id not in read:
            read[self.id] = self.terms | {"steps_by_kind": {}}
        return read[self.id]

    def _has_terms(self, terms):
        """Return whether a policy, as `_prepare_terms` has it, is what this version says."""
        self.ensure_one()
        return (
            self.calendar_id.id == terms["calendar_id"]
            and self.customer_zone == terms["customer_zone"]
            and self.terms == terms["terms"]
        )

    def _is_used(self):
        """Return whether a ticket goes, or went, by it."""
        self.ensure_one()
        return bool(
            self.env["support.sla.timer"].search_count([("version_id", "=", self.id)], limit=1)
            or self.env["helpdesk.ticket"].search_count([("sla_version_id", "=", self.id)], limit=1)
        )

    def _get_targets(self, priority):
        """Return the promised working seconds for a priority: {kind: seconds}."""
        self.ensure_one()
        promised = {}
        for target in self._read_terms()["targets"]:
            if target["priority"] == (priority or "") or (
                not target["priority"] and target["kind"] not in promised
            ):
                promised[target["kind"]] = target["seconds"]
        return promised

    def _get_steps(self, kind):
        """Return the steps of a promise beside its breach.

        :rtype: list[tools.sla.Step]
        """
        self.ensure_one()
        terms = self._read_terms()
        if kind not in terms["steps_by_kind"]:
            terms["steps_by_kind"][kind] = [
                Step(row["key"], row["percent"], row["before"])
                for row in terms["steps"]
                if row["kind"] in ("", kind) and not _is_breach(row)
            ]
        return terms["steps_by_kind"][kind]

    def _get_rows(self, kind, key):
        """Return what was agreed about a step of a promise, as `_prepare_terms` has it."""
        self.ensure_one()
        return [
            row
            for row in self._read_terms()["steps"]
            if row["kind"] in ("", kind)
            and (_is_breach(row) if key == BREACH else row["key"] == key)
        ]

    def _pauses_in(self, stage):
        """Return whether clocks stand still in a stage (Y43)."""
        self.ensure_one()
        return stage.id in self._read_terms()["stages"]


def _is_breach(row):
    return row["percent"] == 100
