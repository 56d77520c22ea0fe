# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.periods import Span
from ..tools.rating import format_hours
from ..tools.zones import local_day, midnight


class SupportContract(models.Model):
    """What tickets, work and bills ask of a contract; nothing here changes it."""

    _inherit = "support.contract"

    def _get_today(self):
        """Return today's date where the customer is."""
        self.ensure_one()
        return self._get_local_day(fields.Datetime.now())

    def _get_local_day(self, moment):
        """Return the date of a naive UTC moment in the contract's time zone."""
        self.ensure_one()
        return local_day(moment, self.tz)

    def _get_midnight(self, day):
        """Return the naive UTC moment at which a day begins in the contract's time zone."""
        self.ensure_one()
        return midnight(day, self.tz)

    def _get_life(self):
        """Return the days on which the contract covers tickets and work here.

        From its start, or from the day it came into this system; without end: to the last day
        there is.
        """
        self.ensure_one()
        return Span(
            self.opening_date or self.date_start,
            self.date_end or fields.Date.to_date("9999-12-31"),
        )

    def _get_rates(self):
        """Return the rates that apply: the contract's own and those of the plan.

        A rate of the contract for the same kind, activity, site and shift replaces the plan's.
        """
        self.ensure_one()
        own = {rate._get_key() for rate in self.rate_ids}
        return self.rate_ids | self.plan_id.rate_ids.filtered(
            lambda rate: rate._get_key() not in own
        )

    def _get_product_price(self, product, day, unit=None):
        """Return the price of one unit of a product on a day, in the contract's currency.

        :param str unit: 'hour' asks for the price of an hour, else of the product's own unit
        """
        self.ensure_one()
        product = product.with_company(self.company_id)
        uom = self._get_price_unit_of_measure(product, unit)
        if self.pricelist_id:
            return self.pricelist_id._get_product_price(
                product, 1.0, currency=self.currency_id, uom=uom, date=day
            )
        price = product.uom_id._compute_price(product.lst_price, uom)
        source = product.currency_id or self.company_id.currency_id
        return source._convert(price, self.currency_id, self.company_id, day, round=False)

    @api.model
    def _get_price_unit_of_measure(self, product, unit):
        """Return the unit of measure in which a price is asked: the hour, or the product's own."""
        if unit != "hour":
            return product.uom_id
        # Unlike ref() this asks the database once, not for every day.
        return product.uom_id.browse(
            self.env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_hour")
        )

    def _get_term_on(self, day):
        """Return the term that holds a day; outside of the terms, the nearest one."""
        self.ensure_one()
        terms = self.term_ids.filtered(lambda term: term.kind == "regular").sorted("number")
        return terms.filtered(lambda term: term.date_end >= day)[:1] or terms[-1:]

    def _get_billing_term(self, term):
        """Return the term on whose bill the usage of a term comes.

        In arrears its own, in advance the next one; where that is billed already, the first that
        isn't. What finds none is billed at once.
        """
        self.ensure_one()
        number = term.number + (1 if self.billing_mode == "advance" else 0)
        return self.term_ids.sorted("number").filtered(
            lambda later: later.number >= number and later.kind != "void" and not later.billed
        )[:1]

    def _is_billable(self):
        """Return whether there can be something to bill: it runs, or did."""
        self.ensure_one()
        return self.state not in ("draft", "pending", "cancelled")

    def _has_ended(self, day):
        """Return whether the contract is over on a day: past its end, or used up (L10)."""
        self.ensure_one()
        if self.date_end and self.date_end < day:
            return True
        once = self.allowance_ids.filtered(lambda allowance: allowance.per == "contract")
        return bool(
            self.ends_when_used and once and self.term_ids and not self._has_units_left(day)
        )

    def _has_units_left(self, day):
        self.ensure_one()
        return any(grant.remaining > 0 for grant in self.entitlement_ids if grant._is_valid_on(day))

    def _check_overage(self, line, missing):
        """Refuse work recorded now that exceeds the allowance, if the policy says so."""
        self.ensure_one()
        if self.overage_policy != "block":
            return
        wanted = line.billable_seconds
        raise UserError(
            self.env._(
                "%(contract)s allows no work beyond its allowance. This time entry needs "
                "%(wanted)s, %(left)s are left. Shorten it, top the contract up, or mark the entry "
                "as non-billable.",
                contract=self.display_name,
                wanted=format_hours(wanted),
                left=format_hours(max(wanted - missing, 0)),
            )
        )

    def _counts_incidents(self):
        """Return whether each ticket under this contract takes an incident."""
        self.ensure_one()
        return bool(
            self.incident_product_id
            or self.allowance_ids.filtered(lambda allowance: allowance.unit == "incident")
        )
