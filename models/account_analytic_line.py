# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import time, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, RedirectWarning, UserError

from ..tools.rating import hours_of, seconds_of
from ..tools.zones import local_clock, local_day, local_moment
from .support_charge import FROZEN_STATES

# The facts from which a time entry is rated; nothing else changes what it costs.
WORK_FACTS = {
    "ticket_id",
    "activity_type_id",
    "support_site_id",
    "work_start",
    "work_stop",
    "date",
    "unit_amount",
    "product_uom_id",
    "support_billable",
    "timer_running",
    "billable_override",
    "billable_override_hours",
}
# What rating makes of them. Nobody writes it, by whatever call.
RATED_FIELDS = {
    "support_contract_id",
    "rated_pieces",
    "billable_seconds",
    "worked_seconds",
    "support_state",
    "recorded_at",
    "after_end_policy",
}


class AccountAnalyticLine(models.Model):
    """A time entry is a timesheet on a ticket; here are its facts and what they came to."""

    _inherit = "account.analytic.line"

    ticket_id = fields.Many2one(
        "helpdesk.ticket", index="btree_not_null", ondelete="restrict", check_company=True
    )
    activity_type_id = fields.Many2one(
        "support.activity.type",
        compute="_compute_activity_type_id",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        ondelete="restrict",
    )
    support_site_id = fields.Many2one(
        "support.site",
        compute="_compute_support_site_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        string="Site",
    )
    work_start = fields.Datetime(
        string="Start",
        compute="_compute_work_start",
        store=True,
        readonly=False,
        precompute=True,
        help="Decides the shift, the order of consumption and the term.",
    )
    work_stop = fields.Datetime(
        string="End", compute="_compute_work_stop", store=True, readonly=False
    )
    timer_running = fields.Boolean(readonly=True, copy=False)
    support_billable = fields.Boolean(
        string="Billable to the Customer",
        compute="_compute_support_billable",
        store=True,
        readonly=False,
        precompute=True,
        help="An entry that isn't billable takes nothing from any allowance.",
    )
    recorded_at = fields.Datetime(
        default=fields.Datetime.now,
        readonly=True,
        copy=False,
        help="Grants made later don't take over this work.",
    )
    worked_seconds = fields.Integer(compute="_compute_worked_seconds", store=True)
    support_contract_id = fields.Many2one(
        "support.contract",
        compute="_compute_rated_pieces",
        store=True,
        ondelete="restrict",
    )
    rated_pieces = fields.Json(compute="_compute_rated_pieces", store=True)
    billable_seconds = fields.Integer(compute="_compute_rated_pieces", store=True)
    billable_hours = fields.Float(compute="_compute_covered", string="Billable Time")
    covered_hours = fields.Float(compute="_compute_covered", string="Covered by the Contract")
    charge_ids = fields.One2many("support.charge", "time_entry_id", readonly=True)
    support_currency_id = fields.Many2one(
        related="support_contract_id.currency_id", string="Contract Currency"
    )
    support_amount = fields.Monetary(
        compute="_compute_support_amount",
        currency_field="support_currency_id",
        string="Charged",
        groups="support_contract.group_support_prices",
    )
    support_state = fields.Selection(
        [("non_billable", "Non-billable"), ("billable", "Billable"), ("billed", "Billed")],
        compute="_compute_support_state",
        store=True,
        string="Billing",
    )

    _support_work = models.Index(
        "(support_contract_id, work_start) WHERE support_contract_id IS NOT NULL"
    )

    # === COMPUTE METHODS === #

    @api.depends("ticket_id")
    def _compute_activity_type_id(self):
        for line in self:
            if line.ticket_id and not line.activity_type_id:
                line.activity_type_id = self.env["support.activity.type"].search(
                    [("company_id", "in", [False, line.company_id.id or self.env.company.id])],
                    limit=1,
                )

    @api.depends("ticket_id")
    def _compute_support_site_id(self):
        for line in self:
            line.support_site_id = line.support_site_id or line.ticket_id.partner_id.support_site_id

    @api.depends("activity_type_id")
    def _compute_support_billable(self):
        for line in self:
            line.support_billable = bool(line.ticket_id) and line.activity_type_id.billable

    @api.depends("ticket_id", "date")
    def _compute_work_start(self):
        """Work of which only the day is known is taken to have begun at nine.

        Work that is moved to another day keeps its time of day.
        """
        for line in self:
            if line.ticket_id and line.date:
                zone = line.ticket_id.contract_id.sudo().tz or self.env.user.tz  # staff: read only
                clock = local_clock(line.work_start, zone) if line.work_start else time(9)
                if not line.work_start or local_day(line.work_start, zone) != line.date:
                    line.work_start = local_moment(line.date, clock, zone)
            else:
                line.work_start = line.work_start or False

    @api.depends("work_start", "unit_amount", "timer_running")
    def _compute_work_stop(self):
        for line in self:
            line.work_stop = (
                line.work_start + timedelta(seconds=line._get_worked_seconds())
                if line.work_start and not line.timer_running
                else False
            )

    @api.depends("unit_amount", "product_uom_id", "ticket_id")
    def _compute_worked_seconds(self):
        for line in self:
            line.worked_seconds = line._get_worked_seconds() if line.ticket_id else 0

    @api.depends(
        "ticket_id.contract_id",
        "activity_type_id",
        "support_site_id",
        "work_start",
        "worked_seconds",
        "support_billable",
        "timer_running",
    )
    def _compute_rated_pieces(self):
        frozen = self._get_frozen()
        rateable = self.browse()
        for line in self - frozen:
            line.support_contract_id = line._get_contract()
            line.rated_pieces = False
            line.billable_seconds = 0
            if line._is_rateable():
                rateable += line
        for line in frozen:  # invoiced: it stays as it was
            line.support_contract_id = line.support_contract_id
            line.rated_pieces = line.rated_pieces
            line.billable_seconds = line.billable_seconds
        # Prices are read for whoever logs work, who may not see them.
        pieces = self.env["support.rating"]._rate(rateable.sudo()) if rateable else {}
        for line in rateable:
            line.rated_pieces = pieces[line.id]
            line.billable_seconds = sum(piece["seconds"] for piece in pieces[line.id])

    @api.depends(
        "billable_seconds", "charge_ids.seconds", "charge_ids.kind", "charge_ids.cancelled"
    )
    def _compute_covered(self):
        for line in self:
            covered = line.sudo().charge_ids.filtered(
                lambda charge: charge.kind == "covered" and not charge.cancelled
            )
            line.billable_hours = hours_of(line.billable_seconds)
            line.covered_hours = hours_of(sum(covered.mapped("seconds")))  # time, no price

    @api.depends("charge_ids.amount", "charge_ids.cancelled")
    def _compute_support_amount(self):
        for line in self:
            live = line.charge_ids.filtered(lambda charge: not charge.cancelled)
            line.support_amount = sum(live.mapped("amount"))

    @api.depends("support_billable", "charge_ids.state", "ticket_id")
    def _compute_support_state(self):
        for line in self:
            if not line.ticket_id:
                line.support_state = False
            elif not line.support_billable:
                line.support_state = "non_billable"
            else:
                billed = any(state in FROZEN_STATES for state in line.charge_ids.mapped("state"))
                line.support_state = "billed" if billed else "billable"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # What is asked of the tickets below is asked for all of them at once.
        tickets = self.env["helpdesk.ticket"].browse(
            {vals["ticket_id"] for vals in vals_list if vals.get("ticket_id")}
        )
        tickets.contract_id.sudo().mapped("tz")
        projects = {}
        lines = super().create([self._prepare_work_values(vals, projects) for vals in vals_list])
        lines.filtered("ticket_id")._consume()
        return lines

    def write(self, vals):
        if len(self) > 1 and vals.get("work_stop") and not vals.get("work_start"):
            return all(line.write(vals) for line in self)  # each began at another moment
        if not WORK_FACTS.intersection(vals):
            self._check_facts_only(vals)
            return super().write(vals)
        vals = self._prepare_work_values(vals, {})
        before = self._get_pool_starts()
        self._check_not_frozen(self.env._("changed"))
        result = super().write(vals)
        (self if "ticket_id" in vals else self.filtered("ticket_id"))._consume(before)
        return result

    def unlink(self):
        work = self.filtered("ticket_id")
        if work:
            work._check_not_frozen(self.env._("deleted"))
            siblings = work._get_rounding_siblings() - work
            starts = (work | siblings)._get_pool_starts()
            work.sudo().charge_ids._withdraw()  # staff see no charges; these are their entry's own
            self.env["support.consumption"]._reallocate(starts, leaving=work)
            result = super().unlink()
            siblings._consume(starts)
            return result
        return super().unlink()

    def _prepare_work_values(self, vals, projects):
        """Complete the values of work on a ticket: the project, and start and end as one fact.

        :param dict projects: {(team, company): project id}, what was looked up in this batch
        """
        vals = dict(vals)
        self._check_facts_only(vals)
        if vals.get("ticket_id"):
            ticket = self.env["helpdesk.ticket"].browse(vals["ticket_id"])
            if not vals.get("project_id") and not (self and self.project_id):
                team, company = ticket.team_id, ticket.company_id
                if (team, company) not in projects:
                    projects[team, company] = team._get_support_project(company).id
                vals["project_id"] = projects[team, company]
            vals |= self._prepare_analytic_values(ticket)
            if not self:
                self._check_employee(vals)
        start = fields.Datetime.to_datetime(vals.get("work_start"))
        stop = fields.Datetime.to_datetime(vals.pop("work_stop", None))
        if stop:
            start = start or self[:1].work_start
            if not start or stop < start:
                raise UserError(
                    self.env._("Work can't end before it starts. Check the start and the end.")
                )
            vals["unit_amount"] = hours_of(int((stop - start).total_seconds()))
        if start and not vals.get("date"):
            ticket = self.env["helpdesk.ticket"].browse(vals.get("ticket_id")) or self.ticket_id[:1]
            zone = ticket.contract_id.sudo().tz or self.env.user.tz  # staff: read only
            vals["date"] = local_day(start, zone)
        return vals

    @api.model
    def _check_employee(self, vals):
        """Say clearly that whoever logs time needs an employee, and lead there."""
        user = self.env["res.users"].browse(vals.get("user_id") or self.env.uid)
        if vals.get("employee_id") or user.sudo().employee_ids:  # staff: whether there is one
            return
        raise RedirectWarning(
            self.env._(
                "%s has no employee, and time is logged by employees. Create one for this user, or "
                "ask whoever manages the employees.",
                user.name,
            ),
            self.env.ref("hr.open_view_employee_list_my").id,
            self.env._("Create Employee"),
            {"default_user_id": user.id, "default_name": user.name},
        )

    @api.model
    def _prepare_analytic_values(self, ticket):
        """Return the contract's analytic account, on its own plan beside the project's."""
        account = ticket.contract_id.sudo().analytic_account_id  # staff: to book on it only
        column = account.plan_id._column_name() if account else "account_id"
        return {} if column == "account_id" else {column: account.id}

    # === BUSINESS METHODS === #

    def _get_worked_seconds(self):
        """Return the time worked in whole seconds: the one border where a float becomes exact."""
        self.ensure_one()
        hour_id = self.env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_hour")  # no query
        hour = self.env["uom.uom"].browse(hour_id)
        uom = self.product_uom_id or hour
        hours = (
            self.unit_amount
            if uom == hour
            else uom._compute_quantity(self.unit_amount, hour, round=False)
        )
        return max(seconds_of(hours), 0)

    def _is_rateable(self):
        """Return whether a contract covers this work and the customer is to pay for it."""
        self.ensure_one()
        return bool(self.support_contract_id and self.support_billable and self.worked_seconds)

    def _get_contract(self):
        """Return the contract of the ticket if it covers the day of the work, else none."""
        self.ensure_one()
        contract = self.ticket_id.contract_id.sudo()  # staff: to compare dates only
        if not contract or not self.work_start or contract.state in ("draft", "cancelled"):
            return contract.browse()
        life = contract._get_life()
        day = contract._get_local_day(self.work_start)
        return contract if life.start <= day <= life.end else contract.browse()

    def _get_frozen(self):
        """Return the entries whose charges are on an approved bill: they can't change."""
        if not self.ids:
            return self.browse()
        charges = (
            self.env["support.charge"]
            .sudo()
            ._read_group(  # whoever logs work may not see
                [("time_entry_id", "in", self.ids), ("state", "in", FROZEN_STATES)],
                ["time_entry_id"],
            )
        )
        frozen = {line.id for (line,) in charges}
        return self.filtered(lambda line: line.id in frozen)

    def _check_facts_only(self, vals):
        """Refuse to write what rating decides, by whatever call."""
        if RATED_FIELDS.intersection(vals) and not self.env.su:
            raise AccessError(
                self.env._("What a time entry costs follows from its facts: change those instead.")
            )

    def _check_not_frozen(self, done):
        frozen = self._get_frozen()
        if frozen:
            bills = frozen.sudo().charge_ids.bill_id  # to name the bill only
            raise UserError(
                self.env._(
                    "%(entry)s of %(date)s is on the bill %(bill)s, which is approved or invoiced, "
                    "and can't be %(done)s. Cancel or credit the bill first.",
                    entry=frozen[0].name or self.env._("This time entry"),
                    date=frozen[0].date,
                    bill=", ".join(bills.mapped("name")),
                    done=done,
                )
            )
