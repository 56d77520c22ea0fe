# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..tools.periods import ONE_DAY
from ..tools.rating import format_hours, hours_of, seconds_of

KINDS = [
    ("new_customer", "New customer"),
    ("first_payment", "First payment"),
    ("funds", "Funds: for each full amount paid"),
]
PAYMENT_KINDS = ("first_payment", "funds")
# What was promised to the customers who got something.
PROMISED_FIELDS = {"company_id", "kind", "unit", "quantity", "hours", "amount", "date_from"}


class SupportEvent(models.Model):
    """Units that customers get by themselves: as new ones, and for what they pay (B10-B15).

    Several can be combined. All they give is for life. What payments give is worked out from
    the payments that count, see `support.event.tally`.
    """

    _name = "support.event"
    _description = "Grant After an Event"
    _order = "company_id, kind, unit, id"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(KINDS, string="Event", required=True, default="new_customer")
    unit = fields.Selection(
        [("incident", "Incidents"), ("time", "Time")], required=True, default="incident"
    )
    quantity = fields.Integer(
        required=True, default=1, help="Whole incidents, or whole seconds of time."
    )
    hours = fields.Float(
        compute="_compute_hours", inverse="_inverse_hours", help="Time in hours and minutes."
    )
    amount = fields.Monetary(
        default=0.0,
        help="The customer gets the units for each full amount that he has paid; the unused part "
        "of a payment counts towards the next one. Other currencies are converted at the date of "
        "the payment.",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: self._get_default_date_from(),
        help="What happened before this day gives nothing.",
    )
    date_to = fields.Date(
        string="Until", help="The last day; set when this is archived. Empty: it goes on."
    )
    tally_ids = fields.One2many("support.event.tally", "event_id", readonly=True)
    customer_count = fields.Integer(compute="_compute_given", string="Customers")
    given_label = fields.Char(compute="_compute_given", string="Given")
    has_given = fields.Boolean(compute="_compute_given")

    _one_active = models.UniqueIndex(
        "(company_id, kind, unit) WHERE active IS TRUE",
        "There is such an event already: archive it before you make another one.",
    )
    _quantities = models.Constraint(
        "CHECK (quantity > 0 AND (kind <> 'funds' OR amount > 0))",
        "An event gives units above zero, and funds need an amount above zero.",
    )
    _dates = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)", "An event can't end before it begins."
    )

    # === COMPUTE METHODS === #

    @api.model
    def _get_default_date_from(self):
        return fields.Date.context_today(self)

    @api.depends("kind", "unit", "quantity", "amount", "currency_id")
    def _compute_name(self):
        for event in self:
            values = {
                "units": event._format_units(event.quantity),
                "amount": event.currency_id.format(event.amount) if event.currency_id else "",
            }
            if event.kind == "funds":
                event.name = self.env._("%(units)s for each %(amount)s paid", **values)
            elif event.kind == "first_payment":
                event.name = self.env._("%(units)s for the first payment", **values)
            else:
                event.name = self.env._("%(units)s for new customers", **values)

    @api.depends("quantity", "unit")
    def _compute_hours(self):
        for event in self:
            event.hours = hours_of(event.quantity) if event.unit == "time" else 0.0

    def _inverse_hours(self):
        for event in self.filtered(lambda event: event.unit == "time"):
            event.quantity = seconds_of(event.hours)

    def _compute_given(self):
        rows = {
            event: (units, partners)
            for event, units, partners in self.env["support.entitlement"]
            .sudo()  # a sum and a number
            ._read_group(
                [("event_id", "in", self.ids)],
                ["event_id"],
                ["quantity:sum", "partner_id:count_distinct"],
            )
        }
        for event in self:
            units, partners = rows.get(event, (0, 0))
            event.customer_count = partners
            event.given_label = event._format_units(units)
            event.has_given = bool(partners)

    @api.onchange("unit")
    def _onchange_unit(self):
        """Begin with an hour or an incident: seconds say nothing when incidents are counted."""
        if self.unit != self._origin.unit:
            self.quantity = seconds_of(1) if self.unit == "time" else 1

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_whole(vals_list)
        events = super().create([self._prepare_seconds(vals) for vals in vals_list])
        events._changed()
        return events

    def write(self, vals):
        self._check_whole([vals])
        changed = self._get_changed_promises(vals)
        for event in self._which_have_given() if changed else ():
            raise UserError(
                self.env._(
                    "Customers got units by “%(event)s”: %(fields)s can't change any more. Archive "
                    "it and make a new one.",
                    event=event.name,
                    fields=", ".join(
                        self._fields[name]._description_string(self.env) for name in sorted(changed)
                    ),
                )
            )
        if vals.get("active") is False and "date_to" not in vals:
            for event in self.filtered(lambda event: event.active and not event.date_to):
                # Payments until today go on counting: taking one back must take back its units.
                event.date_to = max(fields.Date.context_today(event), event.date_from)
        result = super().write(vals)
        self._changed()
        return result

    def unlink(self):
        result = super().unlink()
        self._changed()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_given(self):
        for event in self._which_have_given():
            raise UserError(
                self.env._(
                    "Customers got units by “%s”: it can't be deleted. Archive it.", event.name
                )
            )

    def copy_data(self, default=None):
        return [
            vals | {"active": False, "date_from": self._get_default_date_from()}
            for vals in super().copy_data(default)
        ]

    # === CONSTRAINTS === #

    @api.constrains("company_id", "kind", "unit", "date_from", "date_to", "active")
    def _check_overlap(self):
        """Refuse two events that count the same payment twice."""
        for event in self:
            others = (
                self.with_context(active_test=False)
                .search(
                    [
                        ("id", "!=", event.id),
                        ("company_id", "=", event.company_id.id),
                        ("kind", "=", event.kind),
                        ("unit", "=", event.unit),
                        ("date_to", ">=", event.date_from),
                        *([("date_from", "<=", event.date_to)] if event.date_to else []),
                    ]
                )
                .filtered("has_given")
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "“%(other)s” counts until %(until)s: let this one begin on %(day)s or "
                        "later, so that nothing counts twice.",
                        other=others[0].name,
                        until=others[0].date_to,
                        day=max(others.mapped("date_to")) + ONE_DAY,
                    )
                )

    @api.model
    def _check_whole(self, vals_list):
        """Refuse fractions, which the ORM would cut off without a word."""
        for vals in vals_list:
            quantity = vals.get("quantity")
            if isinstance(quantity, float) and not quantity.is_integer():
                raise ValidationError(
                    self.env._("Incidents are whole numbers: %s can't be given.", quantity)
                )

    @api.model
    def _prepare_seconds(self, vals):
        """Turn hours into seconds before the insertion: the database refuses no quantity."""
        vals = dict(vals)
        hours = vals.pop("hours", 0.0)
        if hours and vals.get("unit") == "time":
            vals["quantity"] = seconds_of(hours)
        return vals

    def _which_have_given(self):
        """Return the events by which somebody got something, also if it was taken back."""
        grants = self.env["support.entitlement"].sudo()  # whether there are any
        rows = grants._read_group([("event_id", "in", self.ids)], ["event_id"])
        given = {event.id for (event,) in rows}
        return self.filtered(lambda event: event.id in given)

    def _get_changed_promises(self, vals):
        """Return which facts on which customers rely these values would change."""
        return {
            name
            for name in PROMISED_FIELDS.intersection(vals)
            for event in self
            if self._fields[name].convert_to_cache(vals[name], event)
            != self._fields[name].convert_to_cache(event[name], event)
        }

    # === QUESTIONS === #

    def _format_units(self, units):
        """Return units as people read them: 2:30 h, or 3 incidents."""
        self.ensure_one()
        if self.unit == "time":
            return format_hours(units)
        if units == 1:
            return self.env._("1 incident")
        return self.env._("%s incidents", units)

    @api.model
    @tools.ormcache()
    def _get_kinds(self):
        """Return which kinds of events there are, archived ones too: {company id: {kind}}.

        Asked for every payment and every order, so that nothing else is where there is none.
        """
        kinds = {}
        events = self.sudo().with_context(active_test=False)  # which there are is no secret
        for company, kind in events._read_group([], ["company_id", "kind"]):
            kinds.setdefault(company.id, set()).add(kind)
        return kinds

    def _changed(self):
        """Have others look anew, and payments since the first day counted."""
        self.env.registry.clear_cache()
        self.env.ref("support_contract.cron_check_events")._trigger()

    # === ACTIONS === #

    def action_view_grants(self):
        """Show what this event gave and took back."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement"
        )
        return action | {"domain": [("event_id", "=", self.id)], "context": {}}
