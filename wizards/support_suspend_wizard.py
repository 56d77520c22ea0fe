# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import date, timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.support_contract_suspension import Supposed


class SupportSuspendWizard(models.TransientModel):
    """Has a contract rest, now or planned, and says what that does to its fees and its end."""

    _name = "support.suspend.wizard"
    _inherit = "support.decision.mixin"
    _description = "Suspend a Support Contract"

    date_from = fields.Date(
        string="From",
        required=True,
        compute="_compute_date_from",
        store=True,
        readonly=False,
        precompute=True,
        help="The first day of rest.",
    )
    date_to = fields.Date(
        string="Until", help="The last day of rest. Empty: until it is resumed by hand."
    )
    fees = fields.Selection(
        [
            ("run", "Go on: it costs what it costs"),
            ("stop", "Stop: the days of rest cost nothing, by days"),
        ],
        string="Recurring Products",
        required=True,
        default="run",
    )
    date_end = fields.Date(related="contract_id.date_end")
    extend_end = fields.Boolean(
        string="Add the days at the end",
        help="The contract ends as many days later as it has rested. Units that were granted "
        "keep their dates.",
    )

    @api.depends("contract_id")
    def _compute_date_from(self):
        for wizard in self:
            wizard.date_from = wizard.date_from or (
                wizard.contract_id and wizard.contract_id._get_today()
            )

    @api.depends("date_from", "date_to", "fees", "extend_end")
    def _compute_preview(self):
        for wizard in self:
            problem = wizard._get_problem()
            text = problem or wizard._summarize()
            kind = "alert-danger" if problem else "alert-info"
            wizard.preview = Markup('<div class="alert %s mb-0">%s</div>') % (
                kind,
                Markup("<br/>").join(text.split("\n")),
            )

    def action_suspend(self):
        self._run("suspend")
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _get_problem(self):
        """Return why this can't be done now, with what to do; False: it can."""
        self.ensure_one()
        try:
            self._check_days()
            self._check_free()
        except UserError as error:
            return str(error)
        return False

    def _check(self):
        problem = self._get_problem()
        if problem:
            raise UserError(problem)

    def _check_days(self):
        contract = self.contract_id
        if contract.state != "active":
            labels = dict(contract._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(contract)s is %(state)s: only an active contract can be suspended.",
                    contract=contract.display_name,
                    state=labels[contract.state],
                )
            )
        if not self.date_from or self.date_from < contract._get_today():
            raise UserError(
                self.env._(
                    "A suspension begins today or later: for days that are over give a credit."
                )
            )
        if self.date_to and self.date_to < self.date_from:
            raise UserError(self.env._("The last day of rest can't be before the first one."))
        if contract.date_end and self.date_from > contract.date_end:
            raise UserError(
                self.env._(
                    "%(contract)s ends on %(day)s: suspend it before.",
                    contract=contract.display_name,
                    day=format_date(self.env, contract.date_end),
                )
            )

    def _check_free(self):
        """Refuse what meets another suspension, a termination, or the contract that follows."""
        contract = self.contract_id
        last = self.date_to or date.max
        for other in contract.suspension_ids.filtered(lambda s: s.state == "planned"):
            span = other._get_span()
            if span.start <= last and self.date_from <= span.end:
                raise UserError(
                    self.env._(
                        "It is to be suspended %s already: cancel that first, or choose other "
                        "days.",
                        other._describe(),
                    )
                )
        if not self.extend_end:
            return
        if not contract.date_end:
            raise UserError(self.env._("A contract without end has none that could be moved."))
        if contract.termination_id:
            raise UserError(contract.termination_label)
        end = self._get_new_end() or date.max
        following = contract._get_rivals().filtered(
            lambda rival: contract.date_end < rival.date_start <= end
        )
        if following:
            raise UserError(
                self.env._(
                    "The days can't be added at the end: %(following)s begins on %(day)s.",
                    following=following[0].display_name,
                    day=format_date(self.env, following[0].date_start),
                )
            )

    def _get_new_end(self):
        """Return the end of the contract with the days of rest added; False: not known yet."""
        self.ensure_one()
        days = self.date_to and (self.date_to - self.date_from).days + 1
        return days and self.contract_id.date_end + timedelta(days=days)

    def _decide(self):
        contract = self.contract_id
        summary, amount = self._summarize(priced=False), self._get_difference()
        # Only through here: nobody has the right to write suspensions.
        suspension = self.env["support.contract.suspension"].sudo()
        suspension = suspension.create(
            {
                "contract_id": contract.id,
                "date_from": self.date_from,
                "date_to": self.date_to,
                "fees": self.fees,
                "extend_end": self.extend_end,
                "reason": self.reason,
                "user_id": self.env.uid,
            }
        )
        if self.fees == "stop":
            contract.line_ids.write({"changed": True})
        if self.date_from <= contract._get_today():
            suspension._start()
        return {"summary": summary, "amount": amount}

    def _get_difference(self):
        """Return what changes on terms that are charged already: the next bill settles it."""
        contract = self.contract_id
        if self.fees != "stop":
            return 0.0
        supposed = Supposed(self.date_from, self.date_to or date.max)
        terms = contract.term_ids.filtered(
            lambda term: term.charged and term.kind == "regular" and term.date_end >= self.date_from
        )
        return sum(
            line.with_context(support_supposed_rest=supposed)._get_difference(
                term.with_context(support_supposed_rest=supposed)
            )
            for line in contract.line_ids
            for term in terms
        )

    def _summarize(self, priced=True):
        """Return the effect in words, as text of several lines.

        :param bool priced: with what it costs; not for the history, which all of the staff reads
        """
        self.ensure_one()
        facts = {
            "start": format_date(self.env, self.date_from),
            "end": format_date(self.env, self.date_to),
        }
        texts = [
            self.env._("Rests from %(start)s until %(end)s.", **facts)
            if self.date_to
            else self.env._("Rests from %(start)s until it is resumed by hand.", **facts),
            self.env._("New tickets are not covered meanwhile, and open ones wait."),
        ]
        if self.fees == "run":
            texts.append(self.env._("Recurring products go on to cost what they cost."))
        else:
            texts.append(self.env._("Recurring products cost nothing on these days."))
            amount = self._get_difference() if priced else 0.0
            if not self.currency_id.is_zero(amount):
                texts.append(
                    self.env._("On the next bill, untaxed: %s", self.currency_id.format(amount))
                )
        if self.extend_end:
            end = self._get_new_end()
            texts.append(
                self.env._("It ends on %s then.", format_date(self.env, end))
                if end
                else self.env._("It ends as many days later as it has rested.")
            )
        return "\n".join(texts)
