# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..tools.periods import Span, billing_date, whole_term
from ..tools.rating import format_hours
from ..tools.zones import local_day
from .support_contract import RUNNING_STATES

_logger = logging.getLogger(__name__)


class SupportContractTerm(models.Model):
    """One billing period of a contract: what was granted, consumed and charged in it.

    Term k starts at the contract's anchor plus k periods, never at the end of the term before
    (T1-T3). After the last one comes a *final* term of a single day: it grants nothing and
    charges no fee, and holds what is still to be billed when a contract has ended.
    """

    _name = "support.contract.term"
    _description = "Term of a Support Contract"
    _order = "contract_id, number"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "support.contract", required=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    number = fields.Integer(required=True, readonly=True, help="Counted from 0.")
    kind = fields.Selection(
        [("regular", "Regular"), ("final", "Final"), ("void", "After the End")],
        required=True,
        default="regular",
        help="A term after the end has charges or grants from the time before the end was moved.",
    )
    state = fields.Selection(
        [("upcoming", "Upcoming"), ("open", "Open"), ("closed", "Closed")],
        required=True,
        default="upcoming",
        readonly=True,
    )
    date_start = fields.Date(required=True, readonly=True)
    date_end = fields.Date(required=True, readonly=True, help="Inclusive.")
    whole_start = fields.Date(required=True, readonly=True)
    whole_end = fields.Date(
        required=True, readonly=True, help="The whole term, by whose days fees are prorated."
    )
    billing_date = fields.Date(
        compute="_compute_billing_date", store=True, precompute=True, index=True
    )
    billed = fields.Boolean(compute="_compute_billed", store=True)
    charged = fields.Boolean(readonly=True, help="The fees of this term have been charged.")
    entitlement_ids = fields.One2many("support.entitlement", "term_id", readonly=True)
    charge_ids = fields.One2many(
        "support.charge", "term_id", readonly=True, groups="support_contract.group_support_prices"
    )
    billed_charge_ids = fields.One2many(
        "support.charge",
        "billing_term_id",
        readonly=True,
        groups="support_contract.group_support_prices",
    )
    bill_ids = fields.One2many(
        "support.bill", "term_id", readonly=True, groups="support_contract.group_support_prices"
    )
    time_granted = fields.Float(compute="_compute_totals", string="Hours Granted")
    time_used = fields.Float(compute="_compute_totals", string="Hours Used")
    incidents_granted = fields.Integer(compute="_compute_totals")
    incidents_used = fields.Integer(compute="_compute_totals")
    used_label = fields.Char(string="Units Used", compute="_compute_totals")
    used_percent = fields.Float(compute="_compute_totals")
    amount_charged = fields.Monetary(
        compute="_compute_amounts",
        groups="support_contract.group_support_prices",
        help="Incurred in this term, whenever it is billed.",
    )
    amount_to_bill = fields.Monetary(
        compute="_compute_amounts",
        groups="support_contract.group_support_prices",
        help="On the bill of this term, whenever it was incurred.",
    )

    _number_once = models.Constraint(
        "UNIQUE (contract_id, number)", "A contract has each of its terms only once."
    )

    # === COMPUTE METHODS === #

    @api.depends("date_start", "date_end", "kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for term in self:
            start, end = (format_date(self.env, day) for day in (term.date_start, term.date_end))
            labels = {
                "final": self.env._("Final %s", start),
                "void": self.env._("%(start)s – %(end)s, after the end", start=start, end=end),
            }
            term.display_name = labels.get(term.kind) or f"{start} – {end}"

    @api.depends("date_start", "date_end", "kind", "contract_id.billing_mode")
    def _compute_billing_date(self):
        for term in self:
            if term.kind == "regular":
                span = Span(term.date_start, term.date_end)
                term.billing_date = billing_date(span, term.contract_id.billing_mode)
            else:  # what is after the end is never due
                term.billing_date = term.kind == "final" and term.date_start

    @api.depends("bill_ids.is_main", "bill_ids.state")
    def _compute_billed(self):
        for term in self:
            term.billed = bool(term.bill_ids.filtered(lambda bill: bill.is_main))

    def _compute_totals(self):
        rows = self.env["support.entitlement"]._read_group(
            [("term_id", "in", self.ids)],
            ["term_id", "unit"],
            ["quantity:sum", "used:sum"],
        )
        totals = {(term, unit): (granted, used) for term, unit, granted, used in rows}
        for term in self:
            granted, used = totals.get((term, "time"), (0, 0))
            term.time_granted, term.time_used = granted / 3600, used / 3600
            granted, used = totals.get((term, "incident"), (0, 0))
            term.incidents_granted, term.incidents_used = granted, used
            main, unit = term._get_main_totals(totals)
            term.used_percent = 100.0 * main[1] / main[0] if main[0] else 0.0
            term.used_label = unit and self.env._(
                "%(used)s of %(granted)s",
                used=format_hours(main[1]) if unit == "time" else main[1],
                granted=format_hours(main[0]) if unit == "time" else main[0],
            )

    def _get_main_totals(self, totals):
        """Return what was granted and used of the unit that matters most here: time first."""
        self.ensure_one()
        for unit in ("time", "incident"):
            if any(totals.get((self, unit), (0, 0))):
                return totals[self, unit], unit
        return (0, 0), False

    def _compute_amounts(self):
        charges = self.env["support.charge"]
        live = [("state", "!=", "cancelled")]
        incurred = dict(
            charges._read_group([("term_id", "in", self.ids), *live], ["term_id"], ["amount:sum"])
        )
        to_bill = dict(
            charges._read_group(
                [("billing_term_id", "in", self.ids), *live], ["billing_term_id"], ["amount:sum"]
            )
        )
        for term in self:
            term.amount_charged = incurred.get(term, 0.0)
            term.amount_to_bill = to_bill.get(term, 0.0)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if any(term.state != "upcoming" for term in self):
            raise UserError(self.env._("A term that has begun can't be deleted."))

    # === ROLLING === #

    @api.model
    def _roll_due(self, batch_size):
        """Roll every contract for which the date has brought something.

        A batch is one transaction; a contract that fails is logged, and doesn't stop the others.
        """
        contracts = self.env["support.contract"]
        # UTC+14 is the first place to see a new day; who isn't there yet is rolled for nothing.
        today = local_day(fields.Datetime.now(), "Pacific/Kiritimati")
        domain = self._get_due_domain(today)
        due = contracts.search(domain, order="id").ids
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        failed = 0
        for start in range(0, len(due), batch_size):
            batch = contracts.browse(due[start : start + batch_size])
            try:
                with self.env.cr.savepoint():
                    self._roll(batch)
            except Exception:  # one broken contract must not stop the others (T6, T7)
                for contract in batch:
                    try:
                        with self.env.cr.savepoint():
                            self._roll(contract)
                    except Exception:
                        failed += 1
                        _logger.exception("Rolling %s failed", contract.display_name)
            if not cron._commit_progress(len(batch)):
                break
        if failed:
            _logger.error("%s support contracts could not be rolled", failed)

    @api.model
    def _get_due_domain(self, today):
        """Return for which contracts a day has brought something; to be extended."""
        return Domain(
            [
                "|",
                "|",
                "&",
                ("state", "=", "pending"),
                ("date_start", "<=", today),
                ("term_ids", "any", [("state", "=", "open"), ("date_end", "<", today)]),
                "&",
                ("state", "in", RUNNING_STATES),
                "|",
                "|",
                ("date_end", "<", today),
                ("ends_when_used", "=", True),
                ("term_ids", "any", [("state", "=", "upcoming"), ("date_start", "<=", today)]),
            ]
        )

    @api.model
    def _roll(self, contracts, today=None):
        """Bring the terms of the contracts up to date.

        Makes every term that has begun and the one after it, opens those that have begun (and
        grants their units), closes those that have ended, and expires contracts at their end.

        :param date today: instead of today in each contract's time zone
        """
        # The date brings this, whoever happens to look; nobody else writes terms and grants.
        self, contracts = self.sudo(), contracts.sudo()
        days = {contract: today or contract._get_today() for contract in contracts}
        starting = contracts.filtered(
            lambda c: c.state == "pending" and c._get_life().start <= days[c]
        )
        starting._set_state("active")
        self._make_missing(contracts.filtered(lambda c: c.state in RUNNING_STATES), days)
        terms = self.search([("contract_id", "in", contracts.ids), ("state", "!=", "closed")])
        opening = terms.filtered(
            lambda term: (
                term.state == "upcoming"
                and term.kind != "void"
                and term.date_start <= days[term.contract_id]
            )
        )
        opening.write({"state": "open"})
        grants = self.env["support.entitlement"]._grant(
            [vals for term in opening for vals in term._prepare_grants()]
        )
        self.env["support.charge"].create(
            [vals for term in opening for vals in term._prepare_opening_charges()]
        )
        closing = terms.filtered(
            lambda term: term.state == "open" and term.date_end < days[term.contract_id]
        )
        closing.write({"state": "closed"})
        self._settle(opening | closing, grants)
        first = opening.filtered(lambda term: term.number == 0)
        first.contract_id._settle_work_after_end()  # what waited for them
        ended = contracts.filtered(lambda c: c.state in RUNNING_STATES and c._has_ended(days[c]))
        ended._finish()

    def _settle(self, terms, grants):
        """Lapse and carry what is left on ended grants, and rate again what that touches."""
        if not terms:
            return
        ended = terms._mark_ended_grants()
        consumption = self.env["support.consumption"]
        consumption._reallocate((ended | grants)._get_pool_starts())
        consumption._touch(grants.contract_id)  # work logged at this moment must find the grants

    def _mark_ended_grants(self):
        """Mark and return the grants that have ended with these terms."""
        contracts = self.contract_id
        return self.env["support.entitlement"]._mark_ended([("contract_id", "in", contracts.ids)])

    # === QUESTIONS === #

    def _get_next(self):
        """Return the term after this one; empty after the last."""
        self.ensure_one()
        return self.contract_id.term_ids.filtered(lambda term: term.number == self.number + 1)

    def _get_carry_end(self, terms):
        """Return the last day of the term that is so many terms ahead; False: no end.

        :param int terms: 0 means until the contract ends
        """
        self.ensure_one()
        contract = self.contract_id
        if not terms:
            return contract.date_end
        span = whole_term(
            contract.date_start,
            int(contract.billing_period),
            self.number + terms,
            contract.alignment,
        )
        return min(span.end, contract.date_end or span.end)
