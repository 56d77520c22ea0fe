# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.tools import clean_context, format_date

from ..tools.packs import monthly_windows, take_back
from ..tools.periods import ONE_DAY

NOTED_LINES = "support_contract.pack_lines"
NOTED_REFUNDS = "support_contract.pack_refunds"


class SupportPack(models.AbstractModel):
    """Brings the grants of sold support packs in line with what is due.

    Orders, invoices and payments change their states in many ways, often by plain writing. So
    nothing here hooks a button: whenever the units due on a line are computed to something else
    than was granted for, the line is noted, and all noted lines are synchronised together before
    the transaction ends. Every grant stays as it was made; more is a grant of its own (T17).
    """

    _name = "support.pack"
    _description = "Granting of Sold Support Packs"

    # === WHEN === #

    @api.model
    def _note(self, lines):
        """Have lines synchronised before the transaction ends, if something is to be done."""
        lines = lines.filtered(
            lambda line: line.id and line.support_units_due != line.support_units_synced
        )
        if lines:
            self._get_noted(NOTED_LINES).update(lines.ids)

    @api.model
    def _note_refunds(self, moves):
        """Have the credit notes told what was taken back because of them."""
        if moves:
            self._get_noted(NOTED_REFUNDS).update(moves.ids)

    @api.model
    def _get_noted(self, key):
        hooks = self.env.cr.precommit
        if key not in hooks.data:
            hooks.data[key] = set()
            # Whoever orders, invoices or pays may not make grants; the sale does it for him.
            model = self.sudo().with_context(clean_context(self.env.context))
            hooks.add(model._sync_noted)
        return hooks.data[key]

    @api.model
    def _sync_noted(self):
        data = self.env.cr.precommit.data
        lines = self.env["sale.order.line"].browse(sorted(data.pop(NOTED_LINES, ())))
        refunds = self.env["account.move"].browse(data.pop(NOTED_REFUNDS, ()))
        self._sync(lines.exists(), refunds)

    # === WHAT === #

    @api.model
    def _sync(self, lines, refunds=None):
        """Grant what is due on order lines and isn't granted; take back what isn't due any more.

        It may be called as often as one likes. Every line that changes is written, so that of two
        transactions that do it at the same moment the slower begins again.

        :param refunds: credit notes posted now, which are told what was taken back
        """
        lines = self.env["sale.order.line"].sudo().browse(lines.ids)  # see `_get_noted`
        rising = lines.filtered(lambda line: line.support_units_due > line.support_units_synced)
        falling = lines.filtered(lambda line: line.support_units_due < line.support_units_synced)
        lines = rising | falling
        notes = self._take_back(falling) | self._grant(rising)
        for line in lines:
            line.support_units_synced = line.support_units_due
        self._tell(notes, refunds or self.env["account.move"])

    @api.model
    def _grant(self, lines):
        """Fill the current and each remaining window of the lines up to what is due (B30, B65).

        :return: {line: text for the order}
        """
        detached = self._begin(lines)
        granted = self._get_granted(lines)
        now = fields.Datetime.now()
        vals_list, windows = [], {}
        for line in lines:
            today = line._get_support_today()
            for first, last in line._get_support_windows():
                missing = line.support_units_due - granted.get((line, first), 0)
                if missing > 0 and (not last or last >= today):
                    vals_list.append(self._prepare_grant(line, first, last, missing, now))
                    windows.setdefault(line, []).append((first, last, missing))
        self.env["support.entitlement"]._grant(vals_list)
        return {
            line: self._get_grant_note(line, windows.get(line, ()), line in detached)
            for line in lines
        }

    @api.model
    def _begin(self, lines):
        """Set the first and last day of lines that grant for the first time.

        A line that adds to another one takes over that one's months (B30). Otherwise it begins on
        the day chosen; after a running pack of the same product (B22, B31); or today.

        :return: lines whose pack to add to has ended meanwhile: they run on their own
        """
        new = lines.filtered(lambda line: not line.support_date_from)
        adding = new.filtered("support_extends_id")
        added = adding.filtered(lambda line: line.support_extends_id._is_support_running())
        for line in added:
            line.support_date_from = line.support_extends_id.support_date_from
            line.support_date_to = line.support_extends_id.support_date_to
        ends = self._get_running_ends(
            (new - added).filtered(
                lambda line: line.support_pack == "recurring" and not line.support_date_start
            )
        )
        for line in new - added:
            follows = ends[line] + ONE_DAY if line in ends else line._get_support_today()
            line.support_date_from = line.support_date_start or follows
            line.support_date_to = (
                line.support_pack == "recurring"
                and monthly_windows(line.support_date_from, line.support_months)[-1].end
            )
        return adding - added

    @api.model
    def _get_running_ends(self, lines):
        """Return the last day of the same packs that other orders have running: {line: day}."""
        if not lines:
            return {}
        running = self.env["sale.order.line"].search(
            [
                ("support_product_id", "in", lines.support_product_id.ids),
                ("support_pack", "=", "recurring"),
                ("support_units_due", ">", 0),
                ("support_date_to", ">=", min(line._get_support_today() for line in lines)),
                ("company_id", "in", lines.company_id.ids),
                (
                    "order_partner_id.commercial_partner_id",
                    "in",
                    [line.support_customer_id.id for line in lines],
                ),
            ]
        )
        found = {}
        for other in running:
            key = other.company_id, other.support_customer_id, other.support_product_id
            found.setdefault(key, []).append(other)
        ends = {}
        for line in lines:
            key = line.company_id, line.support_customer_id, line.support_product_id
            days = [
                other.support_date_to
                for other in found.get(key, ())
                if other.order_id != line.order_id
                and other.support_date_to >= line._get_support_today()
            ]
            if days:
                ends[line] = max(days)
        return ends

    @api.model
    def _get_granted(self, lines):
        """Return what selling has granted, less what it took back: {(line, first day): units}.

        Adjustments by hand aren't part of the sale.
        """
        grants = self.env["support.entitlement"].search([("sale_line_id", "in", lines.ids)])
        rows = self.env["support.entitlement.entry"]._read_group(
            [("entitlement_id", "in", grants.ids), ("kind", "in", ("grant", "take_back"))],
            ["entitlement_id"],
            ["quantity:sum"],
        )
        granted = {}
        for grant, units in rows:
            key = grant.sale_line_id, grant.date_from
            granted[key] = granted.get(key, 0) + units
        return granted

    @api.model
    def _prepare_grant(self, line, first, last, units, now):
        return {
            "name": line.product_id.name,
            "unit": line.support_unit,
            "amount": units,
            "origin": "sale",
            "reason": line.order_id.name,
            "sale_line_id": line.id,
            "partner_id": line.support_customer_id.id,
            "company_id": line.company_id.id,
            "date_from": first,
            "date_to": last,
            "made_at": now,
        }

    @api.model
    def _take_back(self, lines):
        """Take back what isn't due any more, of what is unused and hasn't ended.

        What was used stays, and so do units that come back to such a grant later: they are paid.

        :return: {line: text for the order}
        """
        grants = self.env["support.entitlement"].search(
            [("sale_line_id", "in", lines.ids), ("settled", "=", False)], order="id desc"
        )
        grants = grants.filtered(lambda grant: not grant._has_ended())
        grants._lock_pools()  # so that what is decided stays true
        granted = self._get_granted(lines)
        asked, taken, movements = {}, {}, []
        for (line, first), group in grants.grouped(
            lambda grant: (grant.sale_line_id, grant.date_from)
        ).items():
            excess = max(0, granted.get((line, first), 0) - line.support_units_due)
            left = [(grant.id, grant._get_unused()) for grant in group]
            asked[line] = asked.get(line, 0) + excess
            for grant_id, units in take_back(excess, left):
                taken[line] = taken.get(line, 0) + units
                granted[line, first] -= units
                movements.append(self._prepare_take_back(line, group.browse(grant_id), units))
        grants._post(movements)
        touched = grants.browse(movement["entitlement_id"] for movement in movements)
        self.env["support.consumption"]._reallocate(touched._get_pool_starts())
        for line in lines:
            if not any(units for (other, _day), units in granted.items() if other == line):
                # As if it had never been granted: confirmed again, it begins anew.
                line.support_date_from = line.support_date_to = False
        return {
            line: self._get_take_back_note(line, asked.get(line, 0), taken.get(line, 0))
            for line in lines
        }

    @api.model
    def _prepare_take_back(self, line, grant, units):
        return {
            "entitlement_id": grant.id,
            "kind": "take_back",
            "quantity": -units,
            "date": max(grant.date_from, grant._get_today()),
            "reason": line.order_id.name,
        }

    # === WHAT PEOPLE ARE TOLD === #

    @api.model
    def _tell(self, notes, refunds):
        """Log what happened on the orders, and on the credit notes that led to it."""
        by_order, by_refund = {}, {}
        for line, text in notes.items():
            by_order.setdefault(line.order_id, []).append(text)
            for refund in refunds and refunds & line.invoice_lines.move_id:
                by_refund.setdefault(refund, []).append(text)
        for texts in (by_order, by_refund):
            records = next(iter(texts), self.env["sale.order"]).union(*texts)
            if records:
                records._message_log_batch(
                    bodies={
                        record.id: Markup("<br/>").join(escape(text) for text in texts[record])
                        for record in records
                    }
                )

    @api.model
    def _get_grant_note(self, line, windows, detached):
        values = {"pack": line.product_id.name}
        if not windows and line.support_date_to and not line._is_support_running():
            return self.env._(
                "“%(pack)s”: no units granted, its last day was %(day)s.",
                day=format_date(self.env, line.support_date_to),
                **values,
            )
        if not windows:
            return self.env._("“%(pack)s”: all of its units were granted before.", **values)
        first, last = (format_date(self.env, day) for day in (windows[0][0], windows[-1][1]))
        values |= {"first": first, "last": last, "months": len(windows)}
        values["units"] = line._format_support_units(windows[0][2])
        if not windows[0][1]:
            text = self.env._("“%(pack)s”: %(units)s granted from %(first)s, for life.", **values)
        elif len(windows) == 1:
            text = self.env._("“%(pack)s”: %(units)s granted, %(first)s to %(last)s.", **values)
        else:
            text = self.env._(
                "“%(pack)s”: %(units)s granted in each of %(months)s months, %(first)s to "
                "%(last)s.",
                **values,
            )
        if detached:
            text += " " + self.env._("The pack it should have been added to runs no more.")
        return text

    @api.model
    def _get_take_back_note(self, line, asked, taken):
        values = {
            "pack": line.product_id.name,
            "taken": line._format_support_units(taken),
            "asked": line._format_support_units(asked),
            "used": line._format_support_units(asked - taken),
        }
        if not asked:
            return self.env._("“%(pack)s”: nothing to take back, its months are over.", **values)
        if taken == asked:
            return self.env._("“%(pack)s”: %(taken)s taken back, none of it was used.", **values)
        return self.env._(
            "“%(pack)s”: %(taken)s of %(asked)s taken back; %(used)s were used and stay.", **values
        )
