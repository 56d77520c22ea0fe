# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

from ..tools.periods import ONE_DAY, Span, without
from .support_contract import RUNNING_STATES

_logger = logging.getLogger(__name__)

LIVE = ("planned", "running")


class Supposed(Span):
    """Days as if they were suspended, for previews. A class: nobody can send it from outside."""


class SupportContractSuspension(models.Model):
    """Days on which a contract rests: what they cost, and whether they are added at its end.

    While it rests no new ticket is covered, and open ones wait. Terms and grants go on as they
    would; the validity of grants isn't extended (ex. A26).
    """

    _name = "support.contract.suspension"
    _description = "Suspension of a Support Contract"
    _order = "date_from desc, id desc"
    _rec_name = "contract_id"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("running", "Suspended"),
            ("done", "Over"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="planned",
        index=True,
    )
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(
        string="Until", readonly=True, help="The last day of rest. Empty: until it is resumed."
    )
    fees = fields.Selection(
        [("run", "Go on"), ("stop", "Stop: the days cost nothing")],
        string="Recurring Products",
        required=True,
        readonly=True,
        default="run",
    )
    extend_end = fields.Boolean(
        string="Add the Days at the End",
        readonly=True,
        help="The contract ends as many days later as it has rested. Grants keep their dates.",
    )
    reason = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Who",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
    )

    _dates = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A suspension can't end before it begins.",
    )
    _one_at_a_time = models.UniqueIndex(
        "(contract_id) WHERE state = 'running'", "This contract is suspended already."
    )

    # === ACTIONS === #

    def action_cancel(self):
        """Cancel a suspension that has not begun."""
        for suspension in self:
            contract = suspension.contract_id
            contract.check_access("write")
            contract._lock_for_decision()
            if suspension.state != "planned":
                raise UserError(
                    self.env._("It has begun: resume the contract instead of cancelling it.")
                )
            # Nobody writes suspensions but through what he may decide about the contract.
            suspension.sudo()._finish("cancelled")
            self.env["support.contract.change"]._note(
                contract,
                "undo",
                self.env._("Cancelled by hand"),
                self.env._("Suspension cancelled: %s", suspension._describe()),
            )

    # === BUSINESS METHODS === #

    def _start(self):
        """Let the contract rest from now on."""
        self.state = "running"
        self.contract_id._set_state("suspended")

    def _finish(self, state):
        """Leave a suspension behind; what its days cost is settled on the next bill."""
        self.state = state
        self.filtered(lambda s: s.fees == "stop").contract_id.line_ids.write({"changed": True})

    def _close(self, last, extend=True):
        """End the rest of a contract with its last day, and give it the days at its end."""
        self.ensure_one()
        contract = self.contract_id
        if last < self.date_from:  # resumed on the very day: it has not rested at all
            self._finish("cancelled")
            return
        self.date_to = last
        self._finish("done")
        if not extend or not self.extend_end:
            return
        days = timedelta(days=self._get_span().days)
        ending = contract.termination_id
        if not ending and contract.date_end:
            contract.date_end += days
        elif ending.prior_date_end:  # the end was decided; it counts if that is taken back
            ending.prior_date_end += days

    def _get_span(self):
        self.ensure_one()
        return Span(self.date_from, self.date_to or date.max)

    def _describe(self):
        """Return its days in words."""
        self.ensure_one()
        start = format_date(self.env, self.date_from)
        if not self.date_to:
            return self.env._("from %s until it is resumed", start)
        return self.env._(
            "from %(start)s until %(end)s", start=start, end=format_date(self.env, self.date_to)
        )

    @api.model
    def _follow(self, contracts, days):
        """Begin and end what was planned, however late (T4)."""
        live = self.search(
            [("contract_id", "in", contracts.ids), ("state", "in", LIVE)], order="date_from, id"
        )
        for suspension in live:
            contract, today = suspension.contract_id, days[suspension.contract_id]
            if suspension.state == "planned" and suspension.date_from <= today:
                if contract.state != "active":
                    suspension._finish("cancelled")
                    continue
                suspension._start()
            over = suspension.date_to and suspension.date_to < today
            if suspension.state == "running" and over and contract.state == "suspended":
                suspension._close_as_planned()

    def _close_as_planned(self):
        """End it; where its days can't be added at the end, somebody is asked to decide."""
        contract = self.contract_id
        try:
            with self.env.cr.savepoint():
                self._close(self.date_to)
        except ValidationError as error:
            self._close(self.date_to, extend=False)
            contract.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=contract.user_id.id or self.env.uid,
                summary=self.env._("The end of this contract could not be extended"),
                note=str(error),
            )
        contract._set_state("active")
        self.env["support.contract.change"]._note(
            contract, "resume", self.env._("As planned"), self._describe()
        )


class SupportContract(models.Model):
    """Rest of a contract, now or planned."""

    _inherit = "support.contract"

    suspension_ids = fields.One2many("support.contract.suspension", "contract_id", readonly=True)
    suspension_label = fields.Char(compute="_compute_suspension_label")

    @api.depends("suspension_ids.state", "suspension_ids.date_to", "state")
    def _compute_suspension_label(self):
        for contract in self:
            running = contract._get_running_suspension()
            planned = contract.suspension_ids.filtered(lambda s: s.state == "planned")
            contract.suspension_label = False
            if running:
                contract.suspension_label = self.env._(
                    "Suspended %(days)s: %(why)s", days=running._describe(), why=running.reason
                )
            elif planned and contract.state == "active":
                following = planned.sorted("date_from")[0]
                contract.suspension_label = self.env._(
                    "To be suspended %(days)s: %(why)s",
                    days=following._describe(),
                    why=following.reason,
                )

    # === ACTIONS === #

    def action_open_suspend(self):
        """Open the wizard that suspends this contract, now or on another day."""
        return self._get_wizard_action(
            "support.suspend.wizard", self.env._("Suspend %s", self.display_name)
        )

    def action_resume(self):
        """Resume it: today is the first day on which it runs again."""
        self.check_access("write")
        self._lock_for_decision()
        resumed = self.filtered(lambda contract: contract.state == "suspended")
        for contract in resumed:
            # Whoever may resume the contract ends its rest.
            running = contract._get_running_suspension().sudo()
            if running:
                running._close(contract._get_today() - ONE_DAY)
        result = super().action_resume()
        for contract in resumed:
            self.env["support.contract.change"]._note(
                contract,
                "resume",
                self.env._("Resumed by hand"),
                self.env._("It runs again."),
            )
        return result

    # === BUSINESS METHODS === #

    def _get_running_suspension(self):
        self.ensure_one()
        return self.suspension_ids.filtered(lambda s: s.state == "running")

    def _get_free_spans(self):
        """Return the days that cost nothing: those of suspensions in which fees stop."""
        self.ensure_one()
        spans = [
            suspension._get_span()
            for suspension in self.sudo().suspension_ids  # days, whoever bills them
            if suspension.fees == "stop" and suspension.state != "cancelled"
        ]
        supposed = self.env.context.get("support_supposed_rest")
        return [*spans, supposed] if isinstance(supposed, Supposed) else spans

    def _get_renewal_problem(self, late=False):
        """The end must be known: a renewal fixes it."""
        resting = self.suspension_ids.filtered(lambda s: s.state in LIVE and s.extend_end)
        if resting and not self.renewal_id:
            return self.env._(
                "%(contract)s rests %(days)s, and the days are added at its end. Renew it when it "
                "runs again.",
                contract=self.display_name,
                days=resting[0]._describe(),
            )
        return super()._get_renewal_problem(late)

    def _has_ended(self, day):
        """One that rests, and gets the days at its end, doesn't end meanwhile."""
        resting = self._get_running_suspension()
        if resting.extend_end and self.state == "suspended" and not self.termination_id:
            return False
        return super()._has_ended(day)


class SupportContractLine(models.Model):
    _inherit = "support.contract.line"

    def _get_paid_parts(self, span, method):
        """Leave out the days that cost nothing; without proration, what rests as a whole."""
        parts = [
            part
            for paid in super()._get_paid_parts(span, method)
            for part in without(paid, self.contract_id._get_free_spans())
        ]
        return [span] if parts and method == "none" else parts


class SupportContractTerm(models.Model):
    _inherit = "support.contract.term"

    @api.model
    def _get_due_domain(self, today):
        """Contracts whose planned rest begins or is over are due, too."""
        resting = Domain("state", "=", "planned") & Domain("date_from", "<=", today)
        rested = Domain("state", "=", "running") & Domain("date_to", "<", today)
        due = Domain("state", "in", ("pending", *RUNNING_STATES)) & Domain(
            "suspension_ids", "any", resting | rested
        )
        return super()._get_due_domain(today) | due

    @api.model
    def _roll(self, contracts, today=None):
        # The date brings this, whoever happens to look.
        resting = contracts.sudo().filtered("suspension_ids")
        if resting:
            days = {contract: today or contract._get_today() for contract in resting}
            self.env["support.contract.suspension"].sudo()._follow(resting, days)
        return super()._roll(contracts, today)
