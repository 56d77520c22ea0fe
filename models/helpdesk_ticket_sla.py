# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .support_sla_timer import STATUSES, End

# Moments that are noted one after the other when a ticket is made.
SAME_TIME = timedelta(seconds=1)
# From the most pressing one: a ticket stands as the worst of its clocks.
ORDER = ("breached", "missed", "at_risk", "running", "paused", "met", "stopped")


class HelpdeskTicket(models.Model):
    """The promise under which a ticket is worked on, and how it stands."""

    _inherit = "helpdesk.ticket"

    sla_policy_id = fields.Many2one(
        "support.sla.policy",
        string="SLA",
        compute="_compute_sla_policy_id",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The contract's, until another one is chosen here (Y32).",
    )
    sla_by_hand = fields.Boolean(readonly=True, copy=False)
    sla_version_id = fields.Many2one(
        "support.sla.version",
        string="SLA Version",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="What was promised, as the policy was then.",
    )
    sla_timer_ids = fields.One2many("support.sla.timer", "ticket_id", readonly=True)
    sla_pause_ids = fields.One2many("support.sla.pause", "ticket_id", readonly=True)
    sla_event_ids = fields.One2many("support.sla.event", "ticket_id", readonly=True)
    answered_at = fields.Datetime(
        string="First Answered", readonly=True, copy=False, help="By the first public answer."
    )
    asked_at = fields.Datetime(
        string="Customer Waits Since",
        readonly=True,
        copy=False,
        help="When the customer wrote after the last public answer.",
    )
    resolved_at = fields.Datetime(
        string="Resolved", readonly=True, copy=False, help="Empty again when it is reopened."
    )
    closed_at = fields.Datetime(string="Closed", readonly=True, copy=False)
    sla_deadline = fields.Datetime(
        string="Due",
        compute="_compute_sla_deadline",
        store=True,
        index="btree_not_null",
        help="The earliest deadline of the clocks that run.",
    )
    sla_breached_at = fields.Datetime(
        string="SLA Breached",
        compute="_compute_sla_status",
        help="When the first of its promises was broken (Y48).",
    )
    sla_status = fields.Selection(
        STATUSES,
        string="SLA Status",
        compute="_compute_sla_status",
        search="_search_sla_status",
    )
    sla_paused_by_hand = fields.Boolean(compute="_compute_sla_paused_by_hand")

    # === COMPUTE METHODS === #

    @api.depends("contract_id", "company_id")
    def _compute_sla_policy_id(self):
        """Take the contract's policy when the contract is found, not when its policy changes."""
        # Whoever opens a ticket needn't be able to read its contract, nor policies.
        for ticket in self.sudo():
            chosen = ticket.sla_by_hand
            policy = ticket.sla_policy_id if chosen else ticket.contract_id.sla_policy_id
            # The SLA of another company goes when the ticket moves.
            ticket.sla_policy_id = policy if policy.company_id == ticket.company_id else False

    @api.depends("sla_timer_ids.deadline", "sla_timer_ids.state")
    def _compute_sla_deadline(self):
        for ticket in self.sudo():  # a moment; whoever sees the ticket sees it
            running = ticket.sla_timer_ids.filtered(lambda timer: timer.state == "running")
            ticket.sla_deadline = min(running.mapped("deadline"), default=False)

    @api.depends("sla_timer_ids.status", "sla_timer_ids.breached_at", "sla_timer_ids.state")
    def _compute_sla_status(self):
        now = fields.Datetime.now()
        for ticket in self.sudo():  # as above
            found = {timer: timer._get_status(now) for timer in ticket.sla_timer_ids}
            broken = [
                timer.breached_at or timer.deadline
                for timer, status in found.items()
                if status in ("breached", "missed")
            ]
            worst = (status for status in ORDER if status in found.values())
            ticket.sla_status = next(worst, False)
            ticket.sla_breached_at = min(broken, default=False)

    @api.depends("sla_pause_ids.stop")
    def _compute_sla_paused_by_hand(self):
        for ticket in self.sudo():  # as above
            ticket.sla_paused_by_hand = any(
                pause.reason == "hand" and not pause.stop for pause in ticket.sla_pause_ids
            )

    @api.model
    def _search_sla_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        timers = self.env["support.sla.timer"]
        having = {
            status: Domain("sla_timer_ids", "any", timers._get_status_domain(status))
            for status in ORDER
        }
        worse, domains = Domain.FALSE, []
        for status in ORDER:
            if status in value:
                domains.append(having[status] & ~worse)
            worse |= having[status]
        if False in value:
            domains.append(~worse)
        return Domain.OR(domains)

    # === WHAT THE CLOCKS ASK === #

    def _get_promises(self):
        """Return what is promised for the ticket as it is: {kind: working seconds}."""
        self.ensure_one()
        if not self.sla_policy_id or not self.sla_version_id:
            return {}
        return self.sla_version_id._get_targets(self.priority)

    def _get_pause_reasons(self):
        """Return why the clocks of the ticket are to stand still as it is: {reason: detail}."""
        self.ensure_one()
        reasons = {}
        if not self.sla_version_id or self.closed_at:
            return reasons
        if self.sla_version_id._pauses_in(self.stage_id):
            reasons["stage"] = str(self.stage_id.id)
        if self.lock_reason:
            reasons["locked"] = self.lock_reason
        return reasons

    def _get_pause_start(self, reason):
        """Return since when there is a reason to pause that came before the SLA.

        A ticket that was made with it is paused from its opening on (T39): then its stage is as
        old as the record.
        """
        self.ensure_one()
        since = self.last_stage_update if reason == "stage" else self.locked_at
        if not (since and self.recorded_at) or abs(since - self.recorded_at) <= SAME_TIME:
            return self.opened_at
        return max(since, self.opened_at)

    def _get_sla_zone(self):
        """Return the zone of the active hours, False for the calendar's own."""
        self.ensure_one()
        if not self.sla_version_id.customer_zone:
            return False
        return self.contract_id.tz or self.partner_id.tz or self.company_id.partner_id.tz

    def _prepare_missing_timers(self, wanted, timers, moment):
        """Return the values of the clocks that the ticket should have and doesn't."""
        self.ensure_one()
        starts = {"response": self.opened_at, "resolution": self.opened_at}
        if self.asked_at and not self.closed_at:
            starts["next_response"] = self.asked_at
        there = {
            timer.kind
            for timer in timers
            if timer.kind != "next_response"
            or (timer.state != "met" and timer.started_at == self.asked_at)
        }
        return [
            self._prepare_timer(kind, wanted[kind], start, moment)
            for kind, start in starts.items()
            if kind in wanted and kind not in there
        ]

    def _prepare_timer(self, kind, target, start, moment):
        """Return the facts of a clock, without what follows from them."""
        self.ensure_one()
        facts = {
            "ticket_id": self.id,
            "company_id": self.company_id.id,
            "kind": kind,
            "version_id": self.sla_version_id.id,
            "priority": self.priority,
            "target": target,
            "tz": self._get_sla_zone(),
            "started_at": start,
            "state": "running",
            "ended_at": False,
            "failed_at": False,
        }
        end = self._get_clock_end(facts, {kind: target}, moment)
        return facts | {"state": end.state, "ended_at": end.at or False}

    def _get_clock_end(self, timer, wanted, moment):
        """Return how a clock of this ticket has ended, if it has.

        :param timer: the record, or its values
        :rtype: End
        """
        self.ensure_one()
        kind, state, ended_at = timer["kind"], timer["state"], timer["ended_at"]
        met_at = {
            "response": self.answered_at,
            "resolution": self.resolved_at,
            "next_response": state == "met" and ended_at,
        }[kind]
        if met_at:
            return End("met", max(met_at, timer["started_at"]))
        if self.closed_at:
            return End("stopped", self.closed_at)
        # A question that was answered while nothing was promised for it is over.
        over = kind == "next_response" and timer["started_at"] != self.asked_at
        if over or kind not in wanted:
            return End("stopped", ended_at if state == "stopped" else moment)
        return End()
