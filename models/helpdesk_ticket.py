# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.rating import hours_of
from .support_charge import FROZEN_STATES, MANUAL_KINDS, WORK_KINDS
from .support_coverage import Request

# The facts on which coverage, the ticket's time entries and its incidents hang.
COVERAGE_FACTS = {"partner_id", "company_id", "equipment_id"}
TIME_FACTS = COVERAGE_FACTS | {"contract_id", "billing_type"}
INCIDENT_FACTS = {
    "partner_id",
    "company_id",
    "equipment_id",
    "contract_id",
    "team_id",
    "incident_quantity",
    "opened_at",
    "billing_type",
}

# Noted by ourselves; whoever could write them could take over grants made later.
NOTED_FIELDS = {
    "recorded_at",
    "awaiting_coverage",
    "contract_by_hand",
    "incident_demand",
    "incident_by_hand",
    "retaken_at",
    "incident_waiting",
    "lock_reason",
    "locked_at",
    "lock_reminded_at",
    "lock_escalated_at",
    "sla_by_hand",
    "sla_version_id",
    "sla_deadline",
    "answered_at",
    "asked_at",
    "resolved_at",
    "closed_at",
}


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    contract_id = fields.Many2one(
        "support.contract",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        ondelete="restrict",
        copy=False,
        domain="[('state', 'in', ('active', 'pending'))]",
        help="Found by the customer when the ticket is made; a choice by hand always wins.",
    )
    contract_by_hand = fields.Boolean(readonly=True, copy=False)
    equipment_id = fields.Many2one(
        "maintenance.equipment",
        string="Item",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        ondelete="restrict",
        help="What the ticket is about; a contract for this item goes first.",
    )
    lock_reason = fields.Selection(
        [
            ("no_contract", "Pending – No Contract"),
            ("no_incident", "Pending – No Incident"),
            ("pending", "Pending – Contract Not Started"),
            ("unpaid", "Pending – Unpaid"),
        ],
        string="Locked",
        readonly=True,
        copy=False,
        tracking=True,
        index="btree_not_null",
        help="Why the ticket waits and can't be worked on.",
    )
    opened_at = fields.Datetime(
        default=fields.Datetime.now, copy=False, help="Decides the order of consumption."
    )
    recorded_at = fields.Datetime(default=fields.Datetime.now, readonly=True, copy=False)
    awaiting_coverage = fields.Boolean(
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Made from a mail: its contract and incident are found in a moment.",
    )
    incident_quantity = fields.Integer(
        string="Support Incidents",
        compute="_compute_incident_quantity",
        store=True,
        readonly=False,
        copy=False,
        tracking=True,
        help="How many incidents this ticket takes from its customer.",
    )
    time_entry_ids = fields.One2many("account.analytic.line", "ticket_id")
    entitlement_entry_ids = fields.One2many("support.entitlement.entry", "ticket_id")
    charge_ids = fields.One2many(
        "support.charge", "ticket_id", groups="support_contract.group_support_prices"
    )
    part_ids = fields.One2many(
        "support.charge",
        "ticket_id",
        domain=[("kind", "in", MANUAL_KINDS)],
        string="Parts and Expenses",
        context={"default_kind": "part"},
        groups="support_contract.group_support_prices",
    )
    worked_hours = fields.Float(compute="_compute_worked_hours", string="Time Worked")
    consumed_hours = fields.Float(compute="_compute_consumed", string="Prepaid Time Used")
    consumed_incidents = fields.Integer(compute="_compute_consumed", string="Incidents Used")
    charged_amount = fields.Monetary(
        compute="_compute_charged_amount",
        groups="support_contract.group_support_prices",
        currency_field="charge_currency_id",
    )
    charge_currency_id = fields.Many2one("res.currency", compute="_compute_charge_currency_id")
    contract_time_left = fields.Float(related="contract_id.time_left", string="Hours Left")
    contract_incidents_left = fields.Integer(
        related="contract_id.incidents_left", string="Incidents Left"
    )
    contract_used_percent = fields.Float(related="contract_id.used_percent", string="Used")
    running_timer_id = fields.Many2one(
        "account.analytic.line", compute="_compute_running_timer_id", help="The user's own."
    )

    _support_pool = models.Index(
        "(commercial_partner_id, company_id, COALESCE(retaken_at, opened_at)) "
        "WHERE incident_demand > 0"
    )
    _incidents_positive = models.Constraint(
        "CHECK (incident_quantity >= 0)", "A ticket can't take a negative number of incidents."
    )

    # === COMPUTE METHODS === #

    @api.depends("team_id", "contract_id")
    def _compute_incident_quantity(self):
        for ticket in self:
            if ticket._needs_incident():
                ticket.incident_quantity = ticket.incident_quantity or 1
            elif not ticket.incident_by_hand:
                ticket.incident_quantity = 0
            else:  # whose number staff has decided
                ticket.incident_quantity = ticket.incident_quantity

    def _compute_worked_hours(self):
        hours = dict(
            self.env["account.analytic.line"]
            .sudo()
            ._read_group(  # the sum, not whose
                [("ticket_id", "in", self.ids)], ["ticket_id"], ["worked_seconds:sum"]
            )
        )
        for ticket in self:
            ticket.worked_hours = hours_of(hours.get(ticket, 0))

    def _compute_consumed(self):
        rows = (
            self.env["support.entitlement.entry"]
            .sudo()
            ._read_group(  # quantities, no prices
                [("ticket_id", "in", self.ids), ("kind", "in", ("draw", "return"))],
                ["ticket_id", "unit"],
                ["quantity:sum"],
            )
        )
        used = {(ticket.id, unit): -quantity for ticket, unit, quantity in rows}
        for ticket in self:
            ticket.consumed_hours = hours_of(used.get((ticket.id, "time"), 0))
            ticket.consumed_incidents = used.get((ticket.id, "incident"), 0)

    def _compute_charged_amount(self):
        amounts = dict(
            self.env["support.charge"]._read_group(
                [("ticket_id", "in", self.ids), ("state", "!=", "cancelled")],
                ["ticket_id"],
                ["amount:sum"],
            )
        )
        for ticket in self:
            ticket.charged_amount = amounts.get(ticket, 0.0)

    @api.depends("contract_id", "company_id")
    def _compute_charge_currency_id(self):
        for ticket in self:
            ticket.charge_currency_id = (
                ticket.contract_id.sudo().currency_id or ticket.company_id.currency_id
            )  # sudo: a currency is no secret, and a portal user can't read the contract

    @api.depends("time_entry_ids.timer_running")
    @api.depends_context("uid")
    def _compute_running_timer_id(self):
        lines = (
            self.env["account.analytic.line"]
            .sudo()
            .search(  # the user's own line
                [
                    ("ticket_id", "in", self.ids),
                    ("user_id", "=", self.env.uid),
                    ("timer_running", "=", True),
                ]
            )
        )
        running = {line.ticket_id: line for line in lines}
        for ticket in self:
            ticket.running_timer_id = running.get(ticket.sudo())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_facts_only(vals_list)
        if self.env.context.get("support_cover_later"):
            vals_list = [
                vals | {"awaiting_coverage": True, "incident_quantity": 0} for vals in vals_list
            ]
            return super().create(vals_list)
        tickets = super().create(self._prepare_coverage(vals_list))
        tickets._consume()
        return tickets

    def write(self, vals):
        self._check_facts_only([vals])
        if not INCIDENT_FACTS.intersection(vals) and not self._moves_demand(vals):
            return super().write(vals)
        if "contract_id" in vals:
            vals = vals | {"contract_by_hand": bool(vals["contract_id"])}
        before = self._get_pool_starts()
        lines = self.env["account.analytic.line"].sudo()
        if TIME_FACTS.intersection(vals):
            lines = self.sudo().time_entry_ids  # staff may not see each other's time
        lines_before = lines._get_pool_starts()
        self._check_not_frozen(vals)
        result = super().write(vals)
        if COVERAGE_FACTS.intersection(vals) and "contract_id" not in vals:
            self._get_to_cover_again(vals)._cover()
        self._consume(before)
        if lines:
            lines._consume(lines_before)
        return result

    def unlink(self):
        starts = self._get_pool_starts()
        self.sudo().charge_ids._withdraw()  # the ticket's own; refused where they are billed
        self.env["support.consumption"]._reallocate(starts, leaving=self)
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_worked(self):
        for ticket in self.sudo():  # time counts, whoever may see it
            if ticket.time_entry_ids:
                raise UserError(
                    self.env._(
                        "%s has time on it and can't be deleted. Close or archive it.",
                        ticket.display_name,
                    )
                )

    # === ACTIONS === #

    def action_start_timer(self):
        """Start a time entry of the user on this ticket; one that runs elsewhere is stopped."""
        self.ensure_one()
        lines = self.env["account.analytic.line"]
        lines.search(
            [("user_id", "=", self.env.uid), ("timer_running", "=", True)]
        ).ticket_id.action_stop_timer()
        lines.create(
            {
                "ticket_id": self.id,
                "name": self.name,
                "work_start": fields.Datetime.now(),
                "unit_amount": 0.0,
                "timer_running": True,
            }
        )

    def action_stop_timer(self):
        """Stop the user's time entries on these tickets; now they are rated."""
        now = fields.Datetime.now()
        for line in self.running_timer_id:
            line.write({"timer_running": False, "work_stop": now})

    def action_view_contract(self):
        return self.contract_id._get_records_action()

    # === BUSINESS METHODS === #

    @api.model
    def _prepare_coverage(self, vals_list):
        """Return the values completed with the contract, for tickets without one by hand."""
        requests = {}
        for index, vals in enumerate(vals_list):
            partner = vals.get("partner_id") or self.env.context.get("default_partner_id")
            if vals.get("contract_id") or not partner:
                continue
            team = self.env["helpdesk.ticket.team"].browse(vals.get("team_id") or False)
            company = team.company_id.id or vals.get("company_id") or self.env.company.id
            opened = vals.get("opened_at") or fields.Datetime.now()
            requests[index] = Request(
                self.env["res.partner"].sudo().browse(partner),
                self.env["res.company"].sudo().browse(company),
                fields.Datetime.to_datetime(opened),
                self._get_owned_item(vals.get("equipment_id")),
            )
        # Whoever opens a ticket, a portal user too, needn't be able to read contracts.
        found = self.env["support.coverage"].sudo()._find(list(set(requests.values())))
        return [
            vals | {"contract_id": found[requests[index]].id}
            if index in requests
            else vals | {"contract_by_hand": bool(vals.get("contract_id"))}
            for index, vals in enumerate(vals_list)
        ]

    def _cover(self):  # pylint: disable=missing-return
        """Find the contract of tickets again, after their customer has changed."""
        requests = {ticket: ticket._get_coverage_request() for ticket in self}
        # As in _prepare_coverage: contracts are looked up for people who can't read them.
        found = self.env["support.coverage"].sudo()._find(list(set(requests.values())))
        for contract, tickets in self.grouped(lambda ticket: found[requests[ticket]]).items():
            # Past our own write(), which would take it for a choice by hand.
            super(HelpdeskTicket, tickets).write(  # pylint: disable=super-method-mismatch
                {"contract_id": contract.id}
            )

    @api.model
    def _check_facts_only(self, vals_list):
        """Refuse to write what the system notes itself, by whatever call."""
        noted = {f"default_{name}" for name in NOTED_FIELDS}.intersection(self.env.context)
        noted = noted or any(NOTED_FIELDS.intersection(vals) for vals in vals_list)
        if noted and not self.env.su:
            raise AccessError(
                self.env._("When a ticket was recorded is noted by itself and can't be written.")
            )

    def _follows_customer(self):
        """Return whether the contract is looked for again when the customer has changed.

        A choice by hand stays, unless it is the contract of the customer before.
        """
        self.ensure_one()
        owner = self.contract_id.sudo().commercial_partner_id  # to compare only
        return not self.contract_by_hand or owner != self.commercial_partner_id

    def _get_frozen(self):
        """Return the tickets whose incident is on an approved bill: it can't change."""
        if not self.ids:
            return self.browse()
        rows = (
            self.env["support.charge"]
            .sudo()
            ._read_group(  # whoever asks may not see prices
                [
                    ("ticket_id", "in", self.ids),
                    ("time_entry_id", "=", False),
                    ("kind", "in", WORK_KINDS),
                    ("state", "in", FROZEN_STATES),
                ],
                ["ticket_id"],
            )
        )
        frozen = {ticket.id for (ticket,) in rows}
        return self.filtered(lambda ticket: ticket.id in frozen)

    def _check_not_frozen(self, vals):
        for ticket in self._get_frozen():
            if any(
                ticket._fields[name].convert_to_cache(vals[name], ticket)
                != ticket._fields[name].convert_to_cache(ticket[name], ticket)
                for name in INCIDENT_FACTS.intersection(vals) - {"team_id", "equipment_id"}
            ):
                raise UserError(
                    self.env._(
                        "%s is on an approved bill: its customer, contract and incidents can't "
                        "change. Cancel or credit the bill first.",
                        ticket.display_name,
                    )
                )
