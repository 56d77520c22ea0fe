# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)

from psycopg2.extras import execute_values

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.consumption import Block, earliest
from ..tools.periods import ONE_DAY
from ..tools.rating import format_hours
from ..tools.zones import local_day, midnight
from .support_entitlement_entry import COUNTER_OF_KIND

ORIGINS = [
    ("allowance", "Allowance of a term"),
    ("carry", "Carried forward"),
    ("manual", "By hand"),
    ("compensation", "Compensation"),
    ("top_up", "Top-up"),
    ("sale", "Sale"),
    ("event", "Event"),
    ("opening", "Opening balance"),
    ("moved", "Moved from another contract"),
]
# What is decided when a grant is made. Its counters belong to the door alone.
FIXED_FIELDS = {
    "unit",
    "quantity",
    "used",
    "lapsed",
    "remaining",
    "date_from",
    "date_to",
    "contract_id",
    "term_id",
    "allowance_id",
    "source_id",
    "sale_line_id",
    "charge_id",
    "takes_back_id",
    "moved_from_id",
    "event_id",
    "payment_id",
    "company_id",
    "made_at",
    "overdraft",
    "origin",
    "activity_type_ids",
}


class SupportEntitlement(models.Model):
    """A grant: a block of units a customer may use, from a day to another or for life.

    Time is counted in whole seconds, incidents in whole numbers. The counters always are the
    sums of the entries; both are written by one method, `_post`.
    """

    _name = "support.entitlement"
    _description = "Grant of Support Units"
    _order = "date_from desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True)
    unit = fields.Selection(
        [("time", "Time"), ("incident", "Incidents")], required=True, readonly=True
    )
    origin = fields.Selection(ORIGINS, required=True, default="manual", readonly=True)
    reason = fields.Char(help="Why it was granted by hand.")
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
        help="The company that may use the units.",
    )
    contract_id = fields.Many2one(
        "support.contract",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        help="Empty: any contract of the customer may use them.",
    )
    term_id = fields.Many2one(
        "support.contract.term", index="btree_not_null", ondelete="restrict", readonly=True
    )
    allowance_id = fields.Many2one(
        "support.plan.allowance", ondelete="set null", index="btree_not_null", readonly=True
    )
    source_id = fields.Many2one(
        "support.entitlement",
        string="Carried From",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
    )
    sale_line_id = fields.Many2one(
        "sale.order.line",
        string="Sold With",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
        help="The support pack on the sales order that this was granted for.",
    )
    charge_id = fields.Many2one(
        "support.charge",
        string="Paid By",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
        groups="support_contract.group_support_prices",
        help="The charge by which the customer pays for it.",
    )
    activity_type_ids = fields.Many2many("support.activity.type", string="For Activities")
    priority = fields.Integer(default=10, help="Lower numbers are used first.")
    date_from = fields.Date(required=True, readonly=True)
    date_to = fields.Date(readonly=True, help="The last day of use. Empty: for life.")
    made_at = fields.Datetime(
        readonly=True,
        help="Work recorded before this moment was rated without the grant and stays so. Empty: "
        "the grant serves all work within its dates.",
    )
    overdraft = fields.Boolean(readonly=True, help="More may be used than was granted.")
    settled = fields.Boolean(
        readonly=True, help="It has ended; what was left has lapsed or was carried."
    )
    warned = fields.Integer(readonly=True, help="The threshold (%) at which people were told.")
    quantity = fields.Integer(
        string="Granted", readonly=True, default=0, required=True, aggregator="sum"
    )
    used = fields.Integer(readonly=True, default=0, required=True)
    lapsed = fields.Integer(
        readonly=True, default=0, required=True, help="Lapsed, or carried forward."
    )
    remaining = fields.Integer(readonly=True, default=0, required=True)
    quantity_label = fields.Char(string="Granted Units", compute="_compute_labels")
    used_label = fields.Char(string="Used Units", compute="_compute_labels")
    lapsed_label = fields.Char(string="Lapsed Units", compute="_compute_labels")
    remaining_label = fields.Char(string="Units Left", compute="_compute_labels")
    used_percent = fields.Float(compute="_compute_labels")
    entry_ids = fields.One2many("support.entitlement.entry", "entitlement_id", readonly=True)

    _counters = models.Constraint(
        "CHECK (remaining = quantity - used - lapsed AND CASE WHEN takes_back_id IS NULL "
        "THEN quantity >= 0 AND (overdraft IS TRUE OR remaining >= 0) "
        "ELSE quantity <= 0 AND used = 0 AND lapsed = 0 END)",
        "There are not enough units left on this grant.",
    )
    _dates = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)", "A grant can't end before it begins."
    )
    _carried_once = models.UniqueIndex(
        "(source_id) WHERE source_id IS NOT NULL", "What is left is carried forward only once."
    )
    _pool = models.Index("(company_id, partner_id, unit, date_to)")

    # === COMPUTE METHODS === #

    @api.depends("unit", "quantity", "used", "remaining")
    def _compute_labels(self):
        for grant in self:
            grant.quantity_label = grant._format_units(grant.quantity)
            grant.used_label = grant._format_units(grant.used)
            grant.lapsed_label = grant._format_units(grant.lapsed)
            grant.remaining_label = grant._format_units(grant.remaining)
            grant.used_percent = 100.0 * grant.used / grant.quantity if grant.quantity else 0.0

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        counters = dict.fromkeys(("quantity", "used", "lapsed", "remaining"), 0)
        if any(vals.keys() & counters.keys() for vals in vals_list):
            raise UserError(
                self.env._("Units are granted through “Grant units”, so that the ledger knows.")
            )
        # The counters are given, so that no context can give others.
        return super().create([vals | counters for vals in vals_list])

    def write(self, vals):
        fixed = FIXED_FIELDS.intersection(vals)
        if fixed:
            raise UserError(
                self.env._(
                    "%(fields)s of a grant can't change after it was made. Make another grant, or "
                    "correct the balance with an adjustment.",
                    fields=", ".join(
                        self._fields[name]._description_string(self.env) for name in sorted(fixed)
                    ),
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if self.entry_ids:
            raise UserError(
                self.env._("A grant with entries can't be deleted: adjust it to zero instead.")
            )

    # === THE DOOR === #

    @api.model
    def _grant(self, vals_list):
        """Make grants and book their units.

        :param list[dict] vals_list: field values, and `amount`: the units, above zero (a grant
            that is filled later, by what is carried into it, has none); below zero for a debt
            that takes back a grant (see `_take_back`)
        """
        caller, self = self, self.sudo()  # nobody has the right to make grants but through here
        amounts = [vals.pop("amount", 0) for vals in vals_list]
        if any(
            amount > 0 if vals.get("takes_back_id") else amount < 0
            for vals, amount in zip(vals_list, amounts, strict=True)
        ):
            raise UserError(self.env._("A grant can't be negative. Adjust an existing one."))
        grants = self.create(vals_list)
        self._post(
            [
                {
                    "entitlement_id": grant.id,
                    "kind": "grant" if amount > 0 else "take_back",
                    "quantity": amount,
                    "date": grant.date_from,
                    "reason": grant.reason,
                }
                for grant, amount in zip(grants, amounts, strict=True)
                if amount
            ]
        )
        return grants.with_env(caller.env)

    @api.model
    def _lock(self, ids):
        """Lock grants until the transaction ends, always in the order of their ids (T27).

        It waits. Under REPEATABLE READ a grant that another transaction has changed meanwhile
        raises a serialization failure: web requests are retried by Odoo, every other caller
        retries its whole transaction.
        """
        if ids:
            self.env.flush_all()
            self.env.execute_query(
                SQL(
                    "SELECT id FROM support_entitlement WHERE id IN %s ORDER BY id FOR UPDATE",
                    tuple(ids),
                )
            )
            self.browse(ids).invalidate_recordset(["quantity", "used", "lapsed", "remaining"])

    @api.model
    def _post(self, movements):
        """Book movements: the only way to make entries and to change counters.

        :param list[dict] movements: entitlement_id, kind, quantity (signed, not 0), date, and
            optionally ticket_id, time_entry_id, reason
        :raise psycopg2.errors.CheckViolation: if a grant without overdraft would go below zero
        """
        movements = [movement for movement in movements if movement["quantity"]]
        if not movements:
            return
        deltas = {}
        for movement in movements:
            counters = deltas.setdefault(
                movement["entitlement_id"], {"quantity": 0, "used": 0, "lapsed": 0}
            )
            counter, sign = COUNTER_OF_KIND[movement["kind"]]
            counters[counter] += sign * movement["quantity"]
        self._lock(sorted(deltas))
        execute_values(
            self.env.cr._obj,
            """
            UPDATE support_entitlement AS grant_
               SET quantity = grant_.quantity + delta.quantity,
                   used = grant_.used + delta.used,
                   lapsed = grant_.lapsed + delta.lapsed,
                   remaining = grant_.remaining + delta.quantity - delta.used - delta.lapsed
              FROM (VALUES %s) AS delta (id, quantity, used, lapsed)
             WHERE grant_.id = delta.id
            """,
            [(id_, d["quantity"], d["used"], d["lapsed"]) for id_, d in sorted(deltas.items())],
            page_size=len(deltas),
        )
        self.env["support.entitlement.entry"]._book(movements)
        self.browse(deltas).invalidate_recordset(["quantity", "used", "lapsed", "remaining"])
        self.browse(deltas).modified(["quantity", "used", "remaining"])

    # === QUESTIONS === #

    def _get_pool(self):
        """Return the pool this grant belongs to: (company id, partner id, unit)."""
        self.ensure_one()
        return self.company_id.id, self.partner_id.id, self.unit

    def _is_valid_on(self, day):
        self.ensure_one()
        return self.date_from <= day and (not self.date_to or day <= self.date_to)

    def _has_ended(self):
        """Return whether the last day is over where the customer is."""
        self.ensure_one()
        day = self._get_last_day()
        return bool(day) and day < self._get_today()

    def _get_last_day(self):
        """Return after which day what is left lapses or is carried; False: never."""
        self.ensure_one()
        return self.date_to

    def _get_tz(self):
        """Return the time zone in which this grant begins and ends: the customer's."""
        self.ensure_one()
        return self.contract_id.tz or self.partner_id.tz or self.company_id.partner_id.tz or "UTC"

    def _get_today(self):
        self.ensure_one()
        return local_day(fields.Datetime.now(), self._get_tz())

    def _get_midnight(self, day):
        """Return the naive UTC moment at which a day begins for this grant."""
        self.ensure_one()
        return midnight(day, self._get_tz())

    def _format_units(self, quantity):
        """Return units as people read them: 2:30 h, or 3."""
        self.ensure_one()
        if self.unit == "incident":
            return str(quantity)
        return format_hours(quantity)

    def _to_block(self, remaining):
        """Return this grant as a value for the arithmetic, with so many units on it."""
        self.ensure_one()
        return Block(
            id=self.id,
            remaining=remaining,
            priority=self.priority,
            date_from=self.date_from,
            date_to=self.date_to or None,
            scope=frozenset(self.activity_type_ids.ids) or None,
            owner=self.contract_id.id or None,
            overdraft=self.overdraft,
            made_at=self.made_at or None,
        )

    def _get_pool_starts(self):
        """Return from when on these grants change what work draws: {pool: naive UTC moment}.

        From the end of those that have ended, from the beginning of the others.
        """
        days = {
            grant: day + ONE_DAY
            if grant.settled and (day := grant._get_last_day())
            else grant.date_from
            for grant in self
        }
        return earliest(
            (grant._get_pool(), grant._get_midnight(day)) for grant, day in days.items()
        )

    # === ACTIONS === #

    def action_view_entries(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement_entry"
        )
        return action | {"domain": [("entitlement_id", "=", self.id)], "context": {}}
