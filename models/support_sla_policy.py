# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from .support_sla_row_mixin import TOGETHER

PRIORITIES = [("0", "Low"), ("1", "Medium"), ("2", "High"), ("3", "Very High")]
# What a version keeps: whatever else changes on a policy doesn't touch the clocks that run.
TERMS = {"calendar_id", "customer_zone", "pause_stage_ids", "target_ids", "step_ids"}


class SupportSlaPolicy(models.Model):
    """A promise: how soon customers are answered, how soon their tickets are resolved (Y30).

    It reaches tickets through their contract, or by hand, never otherwise (Y33), and never
    touches money (Y36).
    """

    _name = "support.sla.policy"
    _description = "SLA Policy"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    description = fields.Html(translate=True, help="What was promised, in words.")
    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Active Hours",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        default=lambda self: self.env.company.resource_calendar_id,
        help="Time counts in these working hours only, not on the company's holidays. Empty: "
        "around the clock.",
    )
    customer_zone = fields.Boolean(
        string="In the Customer's Time Zone",
        tracking=True,
        help="The active hours are those of the customer's clock instead of the calendar's.",
    )
    pause_stage_ids = fields.Many2many(
        "helpdesk.ticket.stage",
        "support_sla_policy_pause_stage_rel",
        "policy_id",
        "stage_id",
        string="Pausing Stages",
        domain="[('closed', '=', False), ('resolves', '=', False)]",
        help="While a ticket is in one of these stages its clocks stand still, for example as "
        "long as the customer is to answer.",
    )
    technician_id = fields.Many2one(
        "res.users",
        string="Assign to",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="Every new ticket with this SLA is assigned to this technician.",
    )
    priority = fields.Selection(
        PRIORITIES,
        string="Set Priority",
        tracking=True,
        help="The priority that new tickets with this SLA get. Empty: they keep their own.",
    )
    target_ids = fields.One2many(
        "support.sla.target",
        "policy_id",
        string="Promises",
        copy=True,
        default=lambda self: self._get_default_targets(),
    )
    step_ids = fields.One2many(
        "support.sla.step",
        "policy_id",
        string="Warnings and Escalation",
        copy=True,
        default=lambda self: self._get_default_steps(),
    )
    version_ids = fields.One2many("support.sla.version", "policy_id", readonly=True)
    version_number = fields.Integer(string="Version", compute="_compute_version_number")
    contract_ids = fields.One2many("support.contract", "sla_policy_id")
    contract_count = fields.Integer(compute="_compute_counts")
    open_ticket_count = fields.Integer(compute="_compute_counts")
    outdated_ticket_count = fields.Integer(
        compute="_compute_counts", help="Open tickets that go by an earlier version."
    )
    summary = fields.Char(string="Promises, in Short", compute="_compute_summary")

    # === COMPUTE METHODS === #

    @api.model
    def _get_default_targets(self):
        return [
            Command.create({"kind": "response", "number": 4, "unit": "hours"}),
            Command.create({"kind": "resolution", "number": 2, "unit": "days"}),
        ]

    @api.model
    def _get_default_steps(self):
        return [
            Command.create({"moment": "percent", "number": 80}),
            Command.create({"moment": "percent", "number": 100, "by_mail": True, "to_team": True}),
        ]

    @api.depends("version_ids")
    def _compute_version_number(self):
        for policy in self:
            policy.version_number = policy.version_ids[:1].number

    def _compute_counts(self):
        contracts = dict(
            self.env["support.contract"]._read_group(
                [
                    ("sla_policy_id", "in", self.ids),
                    ("state", "in", ("pending", "active", "suspended")),
                ],
                ["sla_policy_id"],
                ["__count"],
            )
        )
        tickets = self.env["helpdesk.ticket"]._read_group(
            [("sla_policy_id", "in", self.ids), ("stage_id.closed", "!=", True)],
            ["sla_policy_id", "sla_version_id"],
            ["__count"],
        )
        for policy in self:
            own = {version: count for owner, version, count in tickets if owner == policy}
            policy.contract_count = contracts.get(policy, 0)
            policy.open_ticket_count = sum(own.values())
            policy.outdated_ticket_count = sum(
                count for version, count in own.items() if version != policy.version_ids[:1]
            )

    @api.depends("target_ids.kind", "target_ids.priority", "target_ids.number", "target_ids.unit")
    @api.depends_context("lang")
    def _compute_summary(self):
        kinds = dict(
            self.env["support.sla.target"]._fields["kind"]._description_selection(self.env)
        )
        for policy in self:
            parts = []
            for kind, targets in policy.target_ids.grouped("kind").items():
                times = targets.sorted(lambda target: target.priority or "", reverse=True)
                parts.append(f"{kinds[kind]}: {', '.join(t._describe() for t in times)}")
            policy.summary = " · ".join(parts)

    # === CONSTRAINTS === #

    @api.constrains("pause_stage_ids")
    def _check_pause_stages(self):
        self.pause_stage_ids._check_pausing()

    def _check_calendar(self):
        for policy in self:
            # Managers of contracts needn't read all calendars.
            if policy.calendar_id and not policy.calendar_id.sudo()._has_working_time():
                raise ValidationError(
                    self.env._(
                        "“%(calendar)s” has no working hours, so that no deadline would ever "
                        "come. Add working hours to it, or leave the active hours empty for "
                        "around the clock.",
                        calendar=policy.calendar_id.name,
                    )
                )

    def _check_targets(self):
        for policy in self:
            if not policy.target_ids:
                raise ValidationError(
                    self.env._("“%s” promises nothing: add at least one promise.", policy.name)
                )
            policy.target_ids._check_positive()
            policy.target_ids._check_order()
            policy.target_ids._check_reachable()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        policies = super(SupportSlaPolicy, self.with_context(support_sla_rows=TOGETHER)).create(
            vals_list
        )
        policies = policies.with_env(self.env)
        policies._settle_terms()
        return policies

    def write(self, vals):
        rows_together = self.with_context(support_sla_rows=TOGETHER)
        result = super(SupportSlaPolicy, rows_together).write(vals)
        if TERMS.intersection(vals):
            self._settle_terms()
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for policy, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", policy.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for policy in self:
            # Whoever deletes it may not see all contracts and tickets.
            owner = policy.sudo().with_context(active_test=False)
            if owner.contract_ids or owner.version_ids.timer_ids:
                raise UserError(
                    self.env._(
                        "“%s” was promised to customers and can't be deleted. Archive it: then "
                        "nobody can choose it any more.",
                        policy.name,
                    )
                )

    # === ACTIONS === #

    def action_apply_to_open_tickets(self):
        """Have all open tickets of this policy go by its newest version from now on.

        What has elapsed, and their pauses, stay (T40); closed tickets never change (T42).
        """
        self.ensure_one()
        self.check_access("write")
        version = self._get_versions()[self]
        tickets = self.env["helpdesk.ticket"].sudo()  # whichever the manager may see
        tickets = tickets.search(
            [
                ("sla_policy_id", "=", self.id),
                ("sla_version_id", "!=", version.id),
                ("stage_id.closed", "!=", True),
            ]
        )
        tickets._take_sla_version(version)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(count)s open tickets go by version %(number)s now.",
                    count=len(tickets),
                    number=version.number,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_view_contracts(self):
        return self.contract_ids._get_records_action(name=self.env._("Contracts"))

    def action_view_tickets(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_sla_tickets"
        )
        return action | {"domain": [("sla_policy_id", "=", self.id)], "context": {}}

    # === TICKETS === #

    def _get_ticket_values(self):
        """Return what a new ticket with this policy gets (Y44, Y46)."""
        self.ensure_one()
        values = {}
        technician = self.technician_id
        if technician.active and self.company_id in technician.company_ids:
            values["user_id"] = technician.id
        if self.priority:
            values["priority"] = self.priority
        return values

    # === VERSIONS === #

    def _settle_terms(self):
        """Check what was agreed as a whole, and keep it as a version."""
        self._check_calendar()
        self._check_targets()
        self.step_ids._check_moment()
        self._get_versions()

    def _get_versions(self):
        """Return the version of each policy as it is now; a new one where it has changed.

        One that no clock goes by yet is brought up to date instead.

        :rtype: dict[policy, version]
        """
        versions = {}
        for policy in self.sudo():  # nobody writes versions but the policy itself
            terms = policy._prepare_terms()
            newest = policy.version_ids[:1]
            if not newest or (not newest._has_terms(terms) and newest._is_used()):
                newest = newest.create(
                    terms | {"policy_id": policy.id, "number": newest.number + 1}
                )
                policy.invalidate_recordset(["version_ids", "version_number"])
            elif not newest._has_terms(terms):
                newest.write(terms | {"user_id": self.env.uid, "moment": fields.Datetime.now()})
            versions[self.browse(policy.id)] = newest
        return versions

    def _prepare_terms(self):
        """Return the values of a version: all that a clock goes by."""
        self.ensure_one()
        return {
            "calendar_id": self.calendar_id.id,
            "customer_zone": self.customer_zone,
            "terms": {
                "targets": [target._prepare_terms() for target in self.target_ids],
                "steps": [step._prepare_terms() for step in self.step_ids],
                "stages": sorted(self.pause_stage_ids.ids),
            },
        }
