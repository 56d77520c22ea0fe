# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import rating
from ..tools.forecast import Forecast, count_days, forecast, money_at_pace
from ..tools.money import less, round_to
from ..tools.periods import Span
from ..tools.zones import local_day
from .support_charge import FEE_KINDS


@dataclass(frozen=True, slots=True)
class Units:
    """One unit of a contract in its running term: seconds of time, or incidents.

    `used` is what was prepaid or went beyond, `beyond` the latter; `left` can be used until the
    term ends, in later windows of it, too. There is no forecast before there is a pace.
    """

    used: int
    beyond: int
    left: int
    forecast: Forecast | None

    @property
    def capacity(self) -> int:
        return self.used - self.beyond + self.left

    def percent(self, used: int) -> float:
        """Of what there is, in percent; of nothing, everything is all."""
        if self.capacity > 0:
            return 100.0 * used / self.capacity
        return 100.0 if used else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """A contract in its running term; money in its currency, rounded, without taxes."""

    term: Any
    elapsed_days: int
    total_days: int
    units: dict[str, Units]
    fees: Decimal
    usage: Decimal
    beyond: Decimal
    expected: Decimal


class SupportForesight(models.AbstractModel):
    """What the running terms of contracts come to if they go on as they began (Q4, Q18).

    Reads the ledgers only, in a number of queries that doesn't grow with the contracts. Whoever
    calls it shows money to those who may see it.
    """

    _name = "support.foresight"
    _description = "Forecast of Support Contracts"

    # === THE RUNNING TERM === #

    @api.model
    def _get_figures(self, contracts):
        """Return the figures of the contracts that are in a term today.

        :rtype: dict[int, Figures]
        """
        if not contracts:
            return {}
        days = {contract: contract._get_today() for contract in contracts}
        terms = self.env["support.contract.term"].search(
            [
                ("contract_id", "in", contracts.ids),
                ("kind", "=", "regular"),
                ("date_start", "<=", max(days.values())),
                ("date_end", ">=", min(days.values())),
            ]
        )
        terms = terms.filtered(
            lambda term: term.date_start <= days[term.contract_id] <= term.date_end
        )
        incurred = self._get_incurred(terms)
        left = self._get_left(terms, days)
        activities = self.env["support.activity.type"].search([])
        weekdays = {company: self._get_weekdays(company) for company in terms.company_id}
        return {
            term.contract_id.id: self._get_term_figures(
                term,
                days[term.contract_id],
                weekdays[term.company_id],
                incurred.get(term.id, {}),
                left,
                activities,
            )
            for term in terms
        }

    @api.model
    def _get_term_figures(self, term, today, weekdays, incurred, left, activities):
        contract = term.contract_id
        total = count_days(Span(term.date_start, term.date_end), weekdays)
        elapsed = count_days(Span(term.date_start, today), weekdays)
        covered = {
            unit: incurred.get(("covered", unit), (0, 0, 0, 0))[0] for unit in ("time", "incident")
        }
        beyond = {
            "time": incurred.get(("overage", "time"), (0, 0, 0, 0))[1],
            "incident": int(incurred.get(("incident", "incident"), (0, 0, 0, 0))[2]),
        }
        units = {}
        for unit in ("time", "incident"):
            used = covered[unit] + beyond[unit]
            rest = left.get((contract.id, unit), 0)
            units[unit] = Units(
                used, beyond[unit], rest, forecast(used, covered[unit] + rest, elapsed, total)
            )
        amounts = {}
        for (kind, _unit), (*_quantities, amount) in incurred.items():
            amounts[kind] = amounts.get(kind, Fraction(0)) + Fraction(str(amount))
        return self._add_money(term, elapsed, total, units, amounts, activities)

    @api.model
    def _add_money(self, term, elapsed, total, units, amounts, activities):
        contract = term.contract_id
        fees = sum((amounts.pop(kind, Fraction(0)) for kind in FEE_KINDS), Fraction(0))
        if not term.charged:
            fees += sum(Fraction(str(fee["amount"])) for fee in term._prepare_fees())
        usage = sum(amounts.values(), Fraction(0))
        beyond = amounts.pop("overage", Fraction(0)) + amounts.pop("incident", Fraction(0))
        labour = amounts.pop("labour", Fraction(0))
        beyond += self._get_price_of_rest(contract, units, activities)
        expected = fees + beyond + sum(amounts.values(), Fraction(0))
        expected += money_at_pace(labour, elapsed, total) or labour
        step = Decimal(str(contract.currency_id.rounding))
        return Figures(
            term,
            elapsed,
            total,
            units,
            *(round_to(amount, step) for amount in (fees, usage, beyond, expected)),
        )

    @api.model
    def _get_price_of_rest(self, contract, units, activities):
        """Return what units beyond the allowance cost that are still to come."""
        rest = {
            unit: max(figure.forecast.beyond - figure.beyond, 0) if figure.forecast else 0
            for unit, figure in units.items()
        }
        price = Fraction(0)
        if rest["time"] and contract.overage_policy == "charge":
            price += (
                Fraction(self._get_main_rate(contract, activities)) * rest["time"] / rating.HOUR
            )
        if rest["incident"] and contract.overage_policy != "block" and contract.incident_product_id:
            each = contract.incident_price or contract._get_product_price(
                contract.incident_product_id, contract._get_today()
            )
            price += Fraction(str(each)) * rest["incident"]
        return less(price, contract._get_discount())

    @api.model
    def _get_main_rate(self, contract, activities):
        """Return the price of an hour of the contract's main work, outside of sites and shifts.

        Its main work is what its first allowance of hours is for, else the first activity type.

        :param activities: all activity types, in their order
        """
        # Looked at one by one, so that those of all contracts are read together.
        scopes = (a.activity_type_ids for a in contract.allowance_ids if a.unit == "time")
        shared = (False, contract.company_id.id)
        none = activities.browse()
        activity = next(scopes, none)[:1] or next(
            (activity for activity in activities if activity.company_id.id in shared), none
        )
        base = (
            contract._get_product_price(activity.product_id, contract._get_today(), "hour")
            if activity
            else 0
        )
        return rating.resolve(
            contract._get_rates()._to_rates(),
            activity.id,
            None,
            frozenset(),
            Decimal(str(base)),
        ).price

    @api.model
    def _get_weekdays(self, company):
        """Return on which weekdays units are used up: by the company's choice all, or workdays."""
        if company.support_forecast_days != "working":
            return None
        return {int(day) for day in company.resource_calendar_id.attendance_ids.mapped("dayofweek")}

    # === LEDGERS === #

    @api.model
    def _get_incurred(self, terms):
        """Return what was incurred in terms, without what was only carried from one to another.

        :return: {term id: {(kind, unit): (units, seconds, quantity, amount)}}
        """
        if not terms:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT charge.term_id, charge.kind,
                       CASE WHEN charge.time_entry_id IS NULL THEN 'incident' ELSE 'time' END,
                       SUM(COALESCE(charge.units, 0)), SUM(COALESCE(charge.seconds, 0)),
                       SUM(COALESCE(charge.quantity, 0)), SUM(COALESCE(charge.amount, 0))
                  FROM support_charge charge
                 WHERE charge.term_id IN %s AND charge.cancelled IS NOT TRUE AND charge.active
                   AND charge.kind <> 'transfer'
                 GROUP BY 1, 2, 3
                """,
                tuple(terms.ids),
            )
        )
        incurred = {}
        for term, kind, unit, *figures in rows:
            incurred.setdefault(term, {})[kind, unit] = tuple(figures)
        return incurred

    @api.model
    def _get_left(self, terms, days):
        """Return the units that can be used from today to the end of terms, also below zero.

        :rtype: dict[tuple[int, str], int]
        """
        if not terms:
            return {}
        term_of = {term.contract_id: term for term in terms}
        grants = self.env["support.entitlement"].search(
            [
                ("contract_id", "in", terms.contract_id.ids),
                ("date_from", "<=", max(terms.mapped("date_end"))),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", min(days.values())),
            ]
        )
        left = {}
        for grant in grants:
            contract = grant.contract_id
            if grant.date_from <= term_of[contract].date_end and (
                not grant.date_to or grant.date_to >= days[contract]
            ):
                key = contract.id, grant.unit
                left[key] = left.get(key, 0) + grant.remaining
        return left

    @api.model
    def _get_loose_units(self, companies, partners=None):
        """Return what customers can use today that belongs to no contract.

        :return: {(company id, partner id): {unit: units}}
        """
        domain = [("contract_id", "=", False), ("company_id", "in", companies.ids)]
        if partners is not None:
            domain.append(("partner_id", "in", partners.commercial_partner_id.ids))
        loose = {}
        for grant in self.env["support.entitlement"].search([*domain, ("remaining", "!=", 0)]):
            if grant._is_valid_on(grant._get_today()):
                units = loose.setdefault((grant.company_id.id, grant.partner_id.id), {})
                units[grant.unit] = units.get(grant.unit, 0) + grant.remaining
        return loose

    @api.model
    def _get_owed(self, companies, partners=None):
        """Return what customers owe and will be invoiced, in their company's currency.

        :return: {(company id, partner id, contract id or None): {"open" | "bills" |
            "receivable": amount}}; only the receivable includes taxes
        """
        self.env.flush_all()
        mine = SQL("TRUE")
        if partners is not None:
            ids = tuple(partners.commercial_partner_id.ids)
            mine = SQL("owed.partner_id IN %s", ids)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT * FROM (
                    SELECT charge.company_id, charge.partner_id,
                           COALESCE(charge.billing_contract_id, charge.contract_id),
                           CASE WHEN bill.id IS NULL THEN 'open' ELSE 'bills' END,
                           charge.currency_id, SUM(charge.amount)
                      FROM support_charge charge
                      LEFT JOIN support_bill bill ON bill.id = charge.bill_id
                      LEFT JOIN account_move move ON move.id = bill.move_id
                     WHERE charge.state NOT IN ('cancelled', 'credited') AND charge.active
                       AND (move.id IS NULL OR move.state <> 'posted')
                     GROUP BY 1, 2, 3, 4, 5
                    UNION ALL
                    SELECT line.company_id, partner.commercial_partner_id, NULL, 'receivable',
                           NULL, SUM(line.balance)
                      FROM account_move_line line
                      JOIN account_account account ON account.id = line.account_id
                           AND account.account_type = 'asset_receivable'
                      JOIN res_partner partner ON partner.id = line.partner_id
                     WHERE line.parent_state = 'posted'
                     GROUP BY 1, 2
                ) AS owed (company_id, partner_id, contract_id, what, currency_id, amount)
                 WHERE owed.company_id IN %s AND owed.amount <> 0 AND %s
                """,
                tuple(companies.ids),
                mine,
            )
        )
        owed = {}
        for company_id, partner, contract, what, currency_id, amount in rows:
            company = self.env["res.company"].browse(company_id)
            exact = self._convert(company, currency_id, amount)
            amounts = owed.setdefault((company_id, partner, contract), {})
            amounts[what] = amounts.get(what, Decimal(0)) + exact
        return owed

    @api.model
    def _convert(self, company, currency_id, amount):
        """Return an amount in the currency of a company, as a Decimal."""
        if currency_id and currency_id != company.currency_id.id:
            currency = self.env["res.currency"].browse(currency_id)
            day = local_day(fields.Datetime.now(), company.partner_id.tz or "UTC")
            amount = currency._convert(float(amount), company.currency_id, company, day)
        return Decimal(str(round(amount, 6)))
