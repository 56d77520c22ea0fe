# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.events import earned
from .support_event import PAYMENT_KINDS


class SupportEventTally(models.Model):
    """What one customer has paid, and got for it, by one event.

    What payments give follows from the payments that count now, and from nothing else: units
    earned by their sum, less the units given so far, are given or taken back. So a payment that
    is seen twice gives once (T28), and one that is taken back, in whatever way, takes back
    exactly what it gave (T29, B60). The row is also what two transactions meet at: the second one
    can't update it and begins again.
    """

    _name = "support.event.tally"
    _description = "Tally of a Customer's Payments"
    _order = "event_id, id desc"
    _rec_name = "partner_id"

    event_id = fields.Many2one("support.event", required=True, ondelete="cascade", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    company_id = fields.Many2one(related="event_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(related="event_id.kind", string="Kind of Event")
    amount_counted = fields.Monetary(
        string="Paid", readonly=True, default=0.0, help="Σ of the payments that count."
    )
    amount_carried = fields.Monetary(
        string="Carried",
        compute="_compute_amount_carried",
        help="What counts towards the next units.",
    )
    units_given = fields.Integer(readonly=True, default=0)
    given_label = fields.Char(string="Given", compute="_compute_given_label")

    # A constraint, not an index: merging partners looks for constraints before it re-points.
    _one_per_customer = models.Constraint(
        "UNIQUE (event_id, partner_id)", "There is one tally per event and customer."
    )

    @api.depends("amount_counted", "event_id.amount", "event_id.kind")
    def _compute_amount_carried(self):
        for tally in self:
            event = tally.event_id
            tally.amount_carried = tally.amount_counted
            if event.kind == "funds":
                total, step = (Decimal(str(v)) for v in (tally.amount_counted, event.amount))
                tally.amount_carried = float(earned(total, step, 1)[1])

    @api.depends("units_given", "event_id")
    def _compute_given_label(self):
        for tally in self:
            tally.given_label = tally.event_id._format_units(tally.units_given)

    # === PAYMENTS === #

    @api.model
    def _sync(self, noted):
        """Give and take back what the payments of some customers say.

        Constant queries, however many customers.

        :param dict noted: {(company id, commercial partner id): {payment id: name}}: whose
            payments changed, and which; a name is needed of deleted ones only
        """
        partners = self.env["res.partner"].browse({partner for _company, partner in noted})
        there = set(partners.exists().ids)
        pairs = [
            (event, partner)
            for event in self._get_events(noted)
            for company, partner in noted
            if company == event.company_id.id and partner in there
        ]
        if not pairs:
            return
        self.env.flush_all()
        paid = self._get_paid(pairs)
        given = self._get_given(pairs)
        differences, rows = {}, []
        for event, partner in pairs:
            key = event.id, partner
            total, paid_before = paid.get(key, (Decimal(0), False))
            entitled = self._get_entitled(event, total, paid_before, given.get(key, 0))
            if entitled != given.get(key, 0):
                differences[event, partner] = entitled - given.get(key, 0)
            if total or entitled or key in given:
                rows.append((event.id, partner, event.company_id.id, total, entitled))
        self._write_rows(rows)
        self._book(differences, noted)

    @api.model
    def _get_events(self, noted):
        return (
            self.env["support.event"]
            .with_context(active_test=False)
            .search(
                [
                    ("kind", "in", PAYMENT_KINDS),
                    ("company_id", "in", list({company for company, _partner in noted})),
                ]
            )
        )

    @api.model
    def _get_paid(self, pairs):
        """Return the sum of what counts and whether something was paid before the event.

        :return: {(event id, partner id): (Decimal, bool)}
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT pair.event, pair.partner,
                       COALESCE(SUM(payment.support_counted_amount) FILTER (
                           WHERE payment.date >= event.date_from
                             AND payment.date <= COALESCE(event.date_to, 'infinity')), 0)::text,
                       COALESCE(BOOL_OR(payment.date < event.date_from), FALSE)
                  FROM (VALUES %s) AS pair (event, partner)
                  JOIN support_event event ON event.id = pair.event
                  JOIN res_partner contact ON contact.commercial_partner_id = pair.partner
                  JOIN account_payment payment ON payment.partner_id = contact.id
                       AND payment.company_id = event.company_id
                 WHERE payment.support_counted_amount > 0
                 GROUP BY pair.event, pair.partner
                """,
                SQL(", ").join(SQL("(%s, %s)", event.id, partner) for event, partner in pairs),
            )
        )
        # As text: numbers of the database arrive as binary floats else.
        return {
            (event, partner): (Decimal(total), before) for event, partner, total, before in rows
        }

    @api.model
    def _get_given(self, pairs):
        """Return the units given, less those taken back: {(event id, partner id): units}."""
        rows = self.env["support.entitlement"]._read_group(
            [
                ("event_id", "in", list({event.id for event, _partner in pairs})),
                ("partner_id", "in", list({partner for _event, partner in pairs})),
            ],
            ["event_id", "partner_id"],
            ["quantity:sum"],
        )
        return {(event.id, partner.id): units for event, partner, units in rows}

    @api.model
    def _get_entitled(self, event, total, paid_before, given):
        """Return the units to which payments entitle."""
        if event.kind == "funds":
            return earned(total, Decimal(str(event.amount)), event.quantity)[0]
        if not total or paid_before:
            return 0
        # Two customers who were merged may have got it twice: that stays.
        return max(given, event.quantity)

    @api.model
    def _write_rows(self, rows):
        """Write the tallies, and so meet every other transaction about the same customers."""
        if not rows:
            return
        rows.sort()
        values = SQL(", ").join(SQL("(%s, %s, %s, %s::numeric, %s)", *row) for row in rows)
        user = self.env.uid
        self.env.execute_query(
            SQL(
                """
                INSERT INTO support_event_tally (event_id, partner_id, company_id, amount_counted,
                       units_given, create_uid, create_date, write_uid, write_date)
                SELECT row.event, row.partner, row.company, 0, 0,
                       %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'
                  FROM (VALUES %s) AS row (event, partner, company, amount, units)
                ON CONFLICT (event_id, partner_id) DO NOTHING
                RETURNING id
                """,
                user,
                user,
                values,
            )
        )
        self.env.execute_query(
            SQL(
                """
                UPDATE support_event_tally AS tally
                   SET amount_counted = row.amount, units_given = row.units,
                       write_uid = %s, write_date = now() AT TIME ZONE 'UTC'
                  FROM (VALUES %s) AS row (event, partner, company, amount, units)
                 WHERE tally.event_id = row.event AND tally.partner_id = row.partner
                RETURNING tally.id
                """,
                user,
                values,
            )
        )
        self.invalidate_model()

    @api.model
    def _book(self, differences, noted):
        """Grant what is missing, take back what is too much."""
        labels = {payment: name for names in noted.values() for payment, name in names.items()}
        payments = self.env["account.payment"].browse(labels).exists()
        labels |= {payment.id: payment.name for payment in payments}
        counted = set(payments.filtered(lambda p: p.support_counted_amount > 0).ids)
        grants, too_much = [], {}
        customers = self._browse_together(partner for _event, partner in differences)
        for (event, partner), units in differences.items():
            mine = sorted(noted[event.company_id.id, partner])
            if units > 0:
                mine = [payment for payment in mine if payment in counted]
                label = ", ".join(labels[payment] or "" for payment in mine)
                vals = self._prepare_grant(event, customers[partner], units, label)
                grants.append(vals | {"payment_id": mine[-1] if mine else False})
            else:
                mine = [payment for payment in mine if payment not in counted]
                label = ", ".join(labels[payment] or "" for payment in mine)
                links = [payment for payment in mine if payment in payments.ids]
                too_much[event, partner] = -units, label, links[-1] if links else False
        self.env["support.entitlement"]._grant(grants)
        if too_much:
            self._take_back(too_much)

    @api.model
    def _take_back(self, too_much):
        """Take back units of events, the newest first.

        :param dict too_much: {(event, partner id): (units, names of payments, payment id)}
        """
        grants = self.env["support.entitlement"].search(
            [
                ("event_id", "in", [event.id for event, _partner in too_much]),
                ("partner_id", "in", [partner for _event, partner in too_much]),
                ("takes_back_id", "=", False),
            ]
        )
        given = grants.grouped(lambda grant: (grant.event_id, grant.partner_id.id))
        grants._take_back(
            [
                {
                    "grant": grant,
                    "units": taken,
                    "name": self._get_take_back_name(label, grant),
                    "event_id": event.id,
                    "payment_id": payment,
                }
                for (event, partner), (units, label, payment) in too_much.items()
                for grant, taken in given[event, partner]._take_back_newest(units, event)
            ]
        )

    @api.model
    def _browse_together(self, partner_ids):
        """Return the customers by their ids; they are read from the database together."""
        return {p.id: p for p in self.env["res.partner"].browse(dict.fromkeys(partner_ids))}

    @api.model
    def _get_take_back_name(self, label, grant):
        if label:
            return self.env._("Payment %s taken back", label)
        return self.env._("%s, taken back", grant.name)

    @api.model
    def _prepare_grant(self, event, partner, units, label):
        """Return the values of a grant for life (B15)."""
        if event.kind == "funds":
            name = self.env._("Funds added: %s", label) if label else self.env._("Funds added")
        elif event.kind == "first_payment":
            name = self.env._("First payment: %s", label) if label else self.env._("First payment")
        else:
            name = self.env._("New customer")
        grants = self.env["support.entitlement"]
        return {
            "name": name,
            "origin": "event",
            "unit": event.unit,
            "amount": units,
            "partner_id": partner.id,
            "company_id": event.company_id.id,
            "date_from": grants._get_first_day(partner, event.company_id),
            "made_at": fields.Datetime.now(),
            "event_id": event.id,
        }

    # === CRON === #

    @api.model
    def _cron_check(self, batch_size=200):
        """Compare what was given with what was paid, for everybody whom it may concern.

        Nothing differs as a rule: it is here for events that begin in the past, for contacts that
        came under another company, and for merged customers.
        """
        cron = self.env["ir.cron"]
        keys = self._find_concerned()
        cron._commit_progress(remaining=len(keys))
        for start in range(0, len(keys), batch_size):
            batch = keys[start : start + batch_size]
            self._sync({key: {} for key in batch})
            if not cron._commit_progress(len(batch)):
                break

    @api.model
    def _find_concerned(self):
        """Return (company id, partner id) of all who paid or got something by an event."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT event.company_id, contact.commercial_partner_id
                  FROM support_event event
                  JOIN account_payment payment ON payment.company_id = event.company_id
                       AND payment.support_counted_amount > 0
                       AND payment.date BETWEEN event.date_from
                                            AND COALESCE(event.date_to, 'infinity')
                  JOIN res_partner contact ON contact.id = payment.partner_id
                 WHERE event.kind IN %(kinds)s
                UNION
                SELECT event.company_id, grant_.partner_id
                  FROM support_event event
                  JOIN support_entitlement grant_ ON grant_.event_id = event.id
                 WHERE event.kind IN %(kinds)s
                 ORDER BY 1, 2
                """,
                kinds=PAYMENT_KINDS,
            )
        )
        return rows
