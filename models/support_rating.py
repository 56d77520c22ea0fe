# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import defaultdict
from datetime import UTC, timedelta
from decimal import Decimal

from odoo import api, models
from odoo.fields import Domain
from odoo.tools.intervals import invert_intervals

from ..tools import rating


class SupportRating(models.AbstractModel):
    """Rates time entries: cuts them at shift borders and prices each piece.

    The result are facts of the entry alone. What of it is covered by prepaid units is decided
    by `support.consumption`, which may decide again; the price stays as it was rated.
    """

    _name = "support.rating"
    _description = "Rating of Time Entries"

    @api.model
    def _rate(self, lines):
        """Return the pieces of each time entry, in a constant number of queries.

        :param lines: time entries with a start, an activity type and a contract
        :return: {entry id: [{start, seconds, units, price, multiplier, rates}]}; seconds are
            billable ones, units what they draw from an allowance, prices are decimal strings per
            hour in the contract's currency, rates the ids of the rules that had a say
        """
        rates = {
            contract: contract._get_rates()._to_rates() for contract in lines.support_contract_id
        }
        windows = self._get_shift_windows(lines, rates)
        before = self._get_worked_before(lines)
        prices = {}
        result = {}
        for line in lines:
            contract = line.support_contract_id
            shifts = {rate.shift: windows[rate.shift] for rate in rates[contract] if rate.shift}
            stop = line.work_start + timedelta(seconds=line.worked_seconds)
            pieces = rating.split(line.work_start, stop, shifts)
            pieces = rating.with_surplus(pieces, self._get_billable(line, before))
            base = self._get_base_price(line, prices)
            result[line.id] = [
                self._prepare_piece(
                    piece,
                    rating.resolve(
                        rates[contract],
                        line.activity_type_id.id,
                        line.support_site_id.id or None,
                        piece.shifts,
                        base,
                    ),
                )
                for piece in pieces
            ]
        return result

    @api.model
    def _prepare_piece(self, piece, rated):
        return {
            "start": piece.start.isoformat(),
            "seconds": piece.seconds,
            "units": rating.units(piece.seconds, rated.unit_factor),
            "price": str(rated.price),
            "multiplier": str(rated.multiplier),
            "rates": list(rated.rate_ids),
        }

    @api.model
    def _get_billable(self, line, before):
        """Return the billable seconds: minimum and rounding once, on the whole entry (T34)."""
        activity = line.activity_type_id
        return rating.marginal_billable(
            before.get(line.id, 0),
            line.worked_seconds,
            activity.minimum_minutes * 60,
            activity.increment_minutes * 60,
        )

    @api.model
    def _get_worked_before(self, lines):
        """Return the seconds worked earlier on the same ticket and day, where that counts.

        :return: {entry id: seconds}, only for activity types rounded per ticket and day
        """
        lines = lines.filtered(lambda line: line.activity_type_id.rounding_scope == "ticket_day")
        before = {}
        groups = lines._get_rounding_siblings().grouped(
            lambda line: (line.ticket_id, line.activity_type_id, line.date)
        )
        for siblings in groups.values():
            total = 0
            for line in siblings.sorted(lambda line: (line.work_start, line.id or line._origin.id)):
                before[line.id] = total
                total += line.worked_seconds
        return before

    @api.model
    def _get_shift_windows(self, lines, rates):
        """Return the hours of every shift that the rates name, over the time of the entries.

        :return: {(calendar id, side): [(start, stop)]}, naive UTC, whole seconds
        """
        keys = {rate.shift for values in rates.values() for rate in values if rate.shift}
        if not keys:
            return {}
        margin = timedelta(days=1)
        start = (min(lines.mapped("work_start")) - margin).replace(tzinfo=UTC)
        stop = (max(lines.mapped("work_start")) + margin).replace(tzinfo=UTC)
        stop += timedelta(seconds=max(lines.mapped("worked_seconds")))
        windows = defaultdict(list)
        for calendar in self.env["resource.calendar"].browse({key[0] for key in keys}):
            # Leaves of other companies don't close this company's shift.
            leaves = Domain("time_type", "=", "leave") & Domain(
                "company_id", "in", [calendar.company_id.id or self.env.company.id, False]
            )
            work = calendar._work_intervals_batch(start, stop, domain=leaves)[False]
            during = [(self._to_second(begin), self._to_second(end)) for begin, end, _r in work]
            windows[calendar.id, "during"] = during
            windows[calendar.id, "outside"] = invert_intervals(
                during, start.replace(tzinfo=None), stop.replace(tzinfo=None)
            )
        return windows

    @api.model
    def _to_second(self, moment):
        """Return a moment in naive UTC; Odoo's last microsecond of a day becomes midnight."""
        moment = moment.astimezone(UTC).replace(tzinfo=None)
        if moment.microsecond:
            moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        return moment

    @api.model
    def _get_base_price(self, line, prices):
        """Return the price per hour where no rate names one: the price list's, else the product's.

        :param dict prices: what was looked up already in this batch
        """
        contract, product = line.support_contract_id, line.activity_type_id.product_id
        pricelist = contract.pricelist_id
        key = pricelist, product, contract.currency_id, contract.company_id, line.date
        if key not in prices:
            prices[key] = Decimal(str(contract._get_product_price(product, line.date, "hour")))
        return prices[key]
