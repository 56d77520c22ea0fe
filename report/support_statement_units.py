# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import models

from ..tools.rating import format_hours
from ..tools.statement import Movement, statement

# In which order the movements of one day are shown.
RANKS = {"grant": 0, "carry_in": 1, "adjust": 2, "debt_in": 3, "draw": 4, "return": 5}
HORIZONS = (30, 90)


class SupportStatement(models.TransientModel):
    """The units of a statement: it is the ledger of the customer's grants."""

    _inherit = "support.statement"

    def _get_units(self):
        """Return what is left, coming and moved of each unit that the customer ever had."""
        self.ensure_one()
        grants = self.env["support.entitlement"].search(
            [
                ("partner_id", "=", self._get_owner().id),
                ("company_id", "=", self.company_id.id),
            ],
            order="date_to, date_from, id",
        )
        by_unit = grants.grouped("unit")
        names = dict(grants._fields["unit"]._description_selection(self.env))
        return [
            self._get_unit(unit, names[unit], by_unit[unit])
            for unit in ("incident", "time")
            if unit in by_unit
        ]

    def _get_unit(self, unit, name, grants):
        today = self._get_today()
        open_now = grants.filtered(lambda grant: grant._is_valid_on(grant._get_today()))
        coming = grants.filtered(lambda grant: grant.date_from > grant._get_today())
        stated = self._state_unit(unit)
        return {
            "unit": unit,
            "name": name,
            "left": sum(open_now.mapped("remaining")),
            "left_label": self._format_units(unit, sum(open_now.mapped("remaining"))),
            "grants": [self._prepare_grant(grant) for grant in open_now if grant.remaining],
            "coming": [self._prepare_grant(grant) for grant in coming if grant.remaining],
            "expiring": [
                {
                    "days": days,
                    "units": self._get_expiring(open_now | coming, today, days),
                    "label": self._format_units(
                        unit, self._get_expiring(open_now | coming, today, days)
                    ),
                }
                for days in HORIZONS
            ],
            "opening": stated.opening,
            "opening_label": self._format_units(unit, stated.opening),
            "closing": stated.closing,
            "closing_label": self._format_units(unit, stated.closing),
            "lines": [
                {
                    **line.movement.subject,
                    "date": self._format_day(line.movement.day),
                    "amount": line.movement.amount,
                    "amount_label": self._format_units(unit, line.movement.amount, signed=True),
                    "balance": line.balance,
                    "balance_label": self._format_units(unit, line.balance),
                }
                for line in stated.lines
            ],
        }

    def _get_expiring(self, grants, today, days):
        """Return the units that end within so many days if nobody uses them."""
        last = today + timedelta(days=days)
        ending = grants.filtered(lambda grant: grant.date_to and grant.date_to <= last)
        return sum(grant.remaining for grant in ending if grant.remaining > 0)

    def _prepare_grant(self, grant):
        return {
            "id": grant.id,
            "name": grant.name,
            "contract": grant.contract_id.name or "",
            "from": self._format_day(grant.date_from),
            "to": self._format_day(grant.date_to) or self.env._("for life"),
            "left": grant.remaining_label,
            "granted": grant.quantity_label,
        }

    def _format_units(self, unit, quantity, signed=False):
        text = str(quantity) if unit == "incident" else format_hours(quantity)
        return f"+{text}" if signed and quantity > 0 else text

    # === MOVEMENTS === #

    def _state_unit(self, unit):
        """Return the opening balance, the movements of the period, and the closing balance.

        A movement counts on its own day, as in the ledger: what was corrected later shows on the
        day that it corrects.
        """
        domain = [
            ("partner_id", "=", self._get_owner().id),
            ("company_id", "=", self.company_id.id),
            ("unit", "=", unit),
        ]
        entries = self.env["support.entitlement.entry"]
        before = entries._read_group(
            [*domain, ("date", "<", self.date_from)], [], ["quantity:sum", "date:max"]
        )
        (quantity, day) = before[0]
        movements = [Movement(day, quantity)] if quantity else []
        inside = entries.search(
            [*domain, ("date", ">=", self.date_from), ("date", "<=", self.date_to)], order="id"
        )
        # One line for what work drew, or got back, on a day, of however many grants.
        for group in inside.grouped(self._get_movement_key).values():
            movements.append(
                Movement(
                    group[0].date,
                    sum(group.mapped("quantity")),
                    self._prepare_movement(group),
                    RANKS.get(group[0].kind, len(RANKS)),
                )
            )
        return statement(movements, self.date_from, self.date_to)

    def _get_movement_key(self, entry):
        grant = 0 if entry.ticket_ref else entry.entitlement_id.id
        return entry.date, entry.kind, entry.ticket_ref, entry.time_entry_ref, grant

    def _prepare_movement(self, entries):
        entry = entries[0]
        kinds = dict(entry._fields["kind"]._description_selection(self.env))
        ticket, line = entry.ticket_id.sudo(), entry.time_entry_id.sudo()  # to name them
        if ticket:
            parts = [ticket.name, line.name if line.name != "/" else False]
        elif entry.ticket_ref:
            parts = [self.env._("A deleted ticket")]
        else:
            parts = [entry.entitlement_id.name]
        reasons = [reason for reason in entries.mapped("reason") if reason]
        return {
            "kind": entry.kind,
            "what": kinds[entry.kind],
            "ticket": ticket.number or "",
            "ticket_id": ticket.id,
            "text": " – ".join(part for part in parts if part),
            "reason": reasons[-1] if reasons and entry.kind != "draw" else "",
        }
