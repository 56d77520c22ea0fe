# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_datetime

from ..tools.rating import format_hours, hours_of, seconds_of

MAXIMUM_FIELDS = {"support_incidents_max": "incident", "support_hours_max": "time"}


class ResPartner(models.Model):
    """The lifetime units of a customer, by company, and their maximum set by hand (B17, B18).

    Maximum = Σ of lifetime grants that any contract may use, less what was taken back. Used is
    its own total; available = maximum - used (B66), below zero where units were taken back after
    their use.
    """

    _inherit = "res.partner"

    support_incidents_max = fields.Integer(
        string="Maximum Number of Support Incidents",
        compute="_compute_support_lifetime",
        inverse="_inverse_support_incidents_max",
        groups="support_contract.group_support_user",
        help="Incidents for life, in this company. Changing it grants or takes back the "
        "difference, whatever was used. Incidents of contracts are not among them.",
    )
    support_incidents_used = fields.Integer(
        string="Incidents Used",
        compute="_compute_support_lifetime",
        groups="support_contract.group_support_user",
        help="All incidents for life that were ever used.",
    )
    support_incidents_available = fields.Integer(
        string="Incidents Available",
        compute="_compute_support_lifetime",
        groups="support_contract.group_support_user",
    )
    support_hours_max = fields.Float(
        string="Maximum Support Time",
        compute="_compute_support_lifetime",
        inverse="_inverse_support_hours_max",
        groups="support_contract.group_support_user",
        help="Hours and minutes for life, in this company. Changing it grants or takes back the "
        "difference, whatever was used. Time of contracts is not among it.",
    )
    support_hours_used = fields.Float(
        string="Support Time Used",
        compute="_compute_support_lifetime",
        groups="support_contract.group_support_user",
    )
    support_hours_available = fields.Float(
        string="Support Time Available",
        compute="_compute_support_lifetime",
        groups="support_contract.group_support_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_support_lifetime(self):
        sums = self._get_support_lifetime()
        for partner in self:
            owner = partner.commercial_partner_id.id
            maximum, used, left = sums.get((owner, "incident"), (0, 0, 0))
            partner.support_incidents_max = maximum
            partner.support_incidents_used = used
            partner.support_incidents_available = left
            maximum, used, left = sums.get((owner, "time"), (0, 0, 0))
            partner.support_hours_max = hours_of(maximum)
            partner.support_hours_used = hours_of(used)
            partner.support_hours_available = hours_of(left)

    def _inverse_support_incidents_max(self):
        self._book_support_maximum(
            "incident", {partner: partner.support_incidents_max for partner in self}
        )

    def _inverse_support_hours_max(self):
        self._book_support_maximum(
            "time", {partner: seconds_of(partner.support_hours_max) for partner in self}
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_support_maximum(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_support_maximum([vals])
        return super().write(vals)

    # === ACTIONS === #

    def action_view_support_lifetime(self):
        """Show all entries of the customer's lifetime units: grants, uses, returns."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement_entry"
        )
        return action | {
            "domain": [
                ("partner_id", "=", self.commercial_partner_id.id),
                ("contract_id", "=", False),
                ("entitlement_id.date_to", "=", False),
            ],
            "context": {},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _check_support_maximum(self, vals_list):
        """Refuse who may not set a maximum, and what is none."""
        names = {name for vals in vals_list for name in MAXIMUM_FIELDS.keys() & vals.keys()}
        if not names:
            return
        self._check_may_set_maximum()
        for vals in vals_list:
            for name in names & vals.keys():
                value = vals[name] or 0
                if value < 0:
                    raise ValidationError(
                        self.env._("The maximum can't be below zero: enter 0 to take all back.")
                    )
                if name == "support_incidents_max" and value != int(value):
                    raise ValidationError(
                        self.env._("Incidents are whole numbers: %s is none.", value)
                    )

    @api.model
    def _check_may_set_maximum(self):
        if not self.env.su and not self.env.user.has_group(
            "support_contract.group_support_manager"
        ):
            raise AccessError(
                self.env._(
                    "Only managers of support contracts may set how many units a customer has. "
                    "Ask one of them."
                )
            )

    def _get_support_lifetime(self, units=("incident", "time")):
        """Return the lifetime units: {(commercial partner id, unit): (maximum, used, left)}."""
        rows = (
            self.env["support.entitlement"]
            .sudo()  # of the customers at hand, in the current company
            ._read_group(
                [*self._get_support_lifetime_domain(units)],
                ["partner_id", "unit"],
                ["quantity:sum", "used:sum", "remaining:sum"],
            )
        )
        return {(partner.id, unit): tuple(sums) for partner, unit, *sums in rows}

    def _get_support_lifetime_domain(self, units):
        return [
            ("partner_id", "in", self.commercial_partner_id.ids),
            ("company_id", "=", self.env.company.id),
            ("unit", "in", units),
            ("date_to", "=", False),
            ("contract_id", "=", False),
        ]

    def _book_support_maximum(self, unit, maxima):
        """Grant or take back what makes these the maxima.

        :param dict maxima: {partner: units}
        """
        self._check_may_set_maximum()  # defaults of the context get here unasked
        contacts = [p for p in maxima if p != p.commercial_partner_id]
        if contacts:
            owner = contacts[0].commercial_partner_id
            raise ValidationError(
                self.env._(
                    "%(contact)s is a contact of %(customer)s, who has the units: set the maximum "
                    "there.",
                    contact=contacts[0].display_name,
                    customer=owner.display_name,
                )
            )
        # Two people who set it at once: the second one begins again with what the first one left.
        self.env["support.consumption"].sudo()._touch(self)
        self.env["support.entitlement"].flush_model()
        sums = self._get_support_lifetime((unit,))
        grants, requests = [], []
        for partner, maximum in maxima.items():
            before = sums.get((partner.id, unit), (0, 0, 0))[0]
            reason = partner._get_support_reason(unit, before, maximum)
            if maximum > before:
                grants.append(
                    partner._prepare_support_grant(unit, maximum - before) | {"reason": reason}
                )
            elif maximum < before:
                given = (
                    self.env["support.entitlement"]
                    .sudo()  # managers only come here; to find what there is to take back
                    .search(
                        [
                            *partner._get_support_lifetime_domain((unit,)),
                            ("takes_back_id", "=", False),
                        ]
                    )
                )
                requests += [
                    {
                        "grant": grant,
                        "units": units,
                        "name": self.env._("%s, taken back by hand", grant.name),
                        "reason": reason,
                        "event_id": False,
                    }
                    for grant, units in given._take_back_newest(before - maximum)
                ]
        entitlements = self.env["support.entitlement"]
        entitlements._grant(grants)
        if requests:
            entitlements._take_back(requests)
        self.invalidate_recordset(
            [name for name in self._fields if name.startswith("support_") and "_max" not in name]
        )

    def _get_support_reason(self, unit, before, after):
        """Return what a change of the maximum was, with who and when."""
        if unit == "time":
            before, after = format_hours(before), format_hours(after)
        return self.env._(
            "Maximum changed from %(before)s to %(after)s by %(user)s on %(moment)s",
            before=before,
            after=after,
            user=self.env.user.name,
            moment=format_datetime(self.env, fields.Datetime.now()),
        )

    def _prepare_support_grant(self, unit, units):
        """Return the values of a grant by hand for life, or of an imported balance."""
        self.ensure_one()
        imported = self.env.context.get("import_file")
        return {
            "name": self.env._("Opening balance") if imported else self.env._("Set by hand"),
            "origin": "opening" if imported else "manual",
            "unit": unit,
            "amount": units,
            "partner_id": self.id,
            "company_id": self.env.company.id,
            "date_from": self.env["support.entitlement"]._get_first_day(self, self.env.company),
            "made_at": fields.Datetime.now(),
        }
