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
            hour in the contract's currency, rates the ids of the rates that had a say. With
            `outside` where the piece is outside the operational hours (C38), `rule` where a bill
            rule has priced it (C39)
        """
        rules = self.env["support.bill.rule"]._find(
            (line.ticket_id, line.support_contract_id) for line in lines
        )
        owners = {line.id: self._get_rates_owner(line, rules) for line in lines}
        rates = {owner: owner._get_rates()._to_rates() for owner in set(owners.values())}
        shifts = {owner: {rate.shift for rate in rates[owner] if rate.shift} for owner in rates}
        hours = {
            contract: contract._get_operational_key() for contract in lines.support_contract_id
        }
        keys = set(filter(None, hours.values())).union(*shifts.values())
        windows = self._get_shift_windows(lines, keys)
        before = self._get_worked_before(lines)
        prices = {}
        result = {}
        for line in lines:
            owner, key = owners[line.id], hours[line.support_contract_id]
            turns = shifts[owner] | {key} if key else shifts[owner]
            stop = line.work_start + timedelta(seconds=line.worked_seconds)
            pieces = rating.split(line.work_start, stop, {turn: windows[turn] for turn in turns})
            pieces = rating.with_surplus(pieces, self._get_billable(line, before))
            base = self._get_base_price(line, prices)
            rule = rules.get((line.ticket_id, line.support_contract_id))
            result[line.id] = [
                self._prepare_piece(
                    piece,
                    rating.resolve(
                        rates[owner],
                        line.activity_type_id.id,
                        line.support_site_id.id or None,
                        piece.shifts,
                        base,
                    ),
                    bool(key) and key not in piece.shifts,
                    rule,
                )
                for piece in pieces
            ]
        return result

    @api.model
    def _get_rates_owner(self, line, rules):
        """Return the bill rule whose rates replace those of the contract, or the contract."""
        rule = rules.get((line.ticket_id, line.support_contract_id))
        return rule if rule and rule.cost == "differential" else line.support_contract_id

    @api.model
    def _prepare_piece(self, piece, rated, outside, rule):
        free = rule and rule.cost == "fixed" and rule.instead_of_time
        values = {
            "start": piece.start.isoformat(),
            "seconds": piece.seconds,
            "units": 0 if outside else rating.units(piece.seconds, rated.unit_factor),
            "price": "0" if free else str(rated.price),
            "multiplier": str(rated.multiplier),
            "rates": [] if free else list(rated.rate_ids),
        }
        if outside:
            values["outside"] = True
        if rule:
            values["rule"] = rule.id
        return values

    @api.model
    def _get_billable(self, line, before):
        """Return the billable seconds: those that people have set, or those worked (T34).

        Minimum and rounding come once, on the whole entry, and not on what people have set.
        """
        if line.billable_override:
            return line.billable_override
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
            rounded = siblings.filtered(lambda line: not line.billable_override)
            for line in rounded.sorted(lambda line: (line.work_start, line.id or line._origin.id)):
                before[line.id] = total
                total += line.worked_seconds
        return before

    @api.model
    def _get_shift_windows(self, lines, keys):
        """Return the hours of shifts, over the time of the entries.

        :param set keys: the shifts: (calendar id, side)
        :return: {(calendar id, side): [(start, stop)]}, naive UTC, whole seconds
        """
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
