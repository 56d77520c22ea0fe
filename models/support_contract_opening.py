# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools.periods import ONE_DAY, add_months, term_index
from ..tools.rating import seconds_of

# What was left, by unit: the field that holds it. With "_given" behind it: whether it is known.
OPENING_UNITS = {"time": "opening_hours", "incident": "opening_incidents"}


class SupportContract(models.Model):
    """Going live: a contract that ran before it came here, and what was left of it then.

    Its terms keep their dates and numbers. Those that ended before are not made: what they
    granted, charged and billed is told by the opening balance alone.
    """

    _inherit = "support.contract"

    opening_date = fields.Date(
        string="In This System Since",
        copy=False,
        tracking=True,
        help="For a contract that ran elsewhere before: the first day on which its tickets and "
        "its work are counted here. Earlier terms are neither granted nor billed here; in advance, "
        "neither is the fee of a term that began before. Empty: from its start.",
    )
    opening_hours_given = fields.Boolean(string="Hours Left Are Known", copy=False, default=False)
    opening_hours = fields.Float(
        string="Hours Left Then",
        copy=False,
        aggregator=None,
        help="Replaces the prepaid time of the term that holds that day; 0: none was left. What "
        "exceeds the allowances is used like time carried forward from the term before; where "
        "nothing is carried forward, it lasts as long as the contract. Not known: the term "
        "opens with all it includes.",
    )
    opening_incidents_given = fields.Boolean(
        string="Incidents Left Are Known", copy=False, default=False
    )
    opening_incidents = fields.Integer(
        string="Incidents Left Then",
        copy=False,
        aggregator=None,
        help="The same for incidents: they replace those of the term that holds that day.",
    )
    opening_amount = fields.Monetary(
        string="Still to Bill Then",
        copy=False,
        groups="support_contract.group_support_prices",
        help="Untaxed; what was done before that day and is not billed yet. It comes on the first "
        "bill made here. Negative: a credit in the customer's favour.",
    )

    # === COMPUTE METHODS === #

    def _compute_date_end(self):
        result = super()._compute_date_end()
        self._prolong_to_opening()
        return result

    @api.onchange("opening_date")
    def _prolong_to_opening(self):
        """Prolong by whole durations what still ran when it came here."""
        for contract in self:
            start, day, end = contract.date_start, contract.opening_date, contract.date_end
            months = contract.plan_id.duration_months
            if months and start and day and end and end < day:
                periods = term_index(start, months, day, "anniversary") + 1
                contract.date_end = add_months(start, periods * months) - ONE_DAY

    # === CONSTRAINTS === #

    @api.constrains("opening_date", "date_start", "date_end")
    def _check_opening_date(self):
        for contract in self.filtered("opening_date"):
            end = contract.date_end or contract.opening_date
            if not contract.date_start <= contract.opening_date <= end:
                raise ValidationError(
                    self.env._(
                        "%(contract)s is in this system since %(day)s, but runs from %(start)s to "
                        "%(end)s. Choose a day on which it runs, or correct its start and end.",
                        contract=contract.display_name,
                        day=contract.opening_date,
                        start=contract.date_start,
                        end=contract.date_end or "…",
                    )
                )

    @api.constrains("opening_date", "opening_hours", "opening_incidents", "opening_amount")
    def _check_opening_balance(self):
        for contract in self.sudo():  # whoever makes a contract; the amount is for few to read
            if contract.opening_hours < 0 or contract.opening_incidents < 0:
                raise ValidationError(
                    self.env._(
                        "%s can't begin with less than nothing. Enter 0 units left, and what was "
                        "used beyond them as an amount still to be billed.",
                        contract.display_name,
                    )
                )
            if not contract.opening_date and (
                contract._get_opening_units() or contract.opening_amount
            ):
                raise ValidationError(
                    self.env._(
                        "%s has an opening balance: enter since when it is in this system.",
                        contract.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._complete_opening_values(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._complete_opening_values(vals))

    @api.model
    def _complete_opening_values(self, vals):
        """Tell “none was left” from “not known”, which is what an empty cell of an import says."""
        self.env["support.whole.mixin"]._check_whole([vals], ["opening_incidents"])
        vals = dict(vals)
        for name in OPENING_UNITS.values():
            if name in vals:
                known = vals[name] is not False and vals[name] is not None  # unlike 0
                vals.setdefault(f"{name}_given", known)
        return vals

    # === QUESTIONS === #

    def _get_term_number(self, day):
        """Return the number of the term that holds a day of the contract."""
        self.ensure_one()
        return term_index(self.date_start, int(self.billing_period), day, self.alignment)

    def _get_first_number(self):
        """Return the number of the first term there is here."""
        self.ensure_one()
        return self._get_term_number(self.opening_date) if self.opening_date else 0

    def _get_opening_units(self):
        """Return what is known to have been left: {unit: seconds or incidents}."""
        self.ensure_one()
        return {
            unit: seconds_of(self[name]) if unit == "time" else self[name]
            for unit, name in OPENING_UNITS.items()
            if self[f"{name}_given"]
        }

    def _was_counted_elsewhere(self, moment):
        """Return whether a moment is before the contract came here."""
        self.ensure_one()
        return bool(self.opening_date) and self._get_local_day(moment) < self.opening_date

    def _was_charged_elsewhere(self, term_start):
        """Return whether the fee of a term was billed in advance before the contract came here."""
        self.ensure_one()
        return (
            bool(self.opening_date)
            and self.billing_mode == "advance"
            and term_start < self.opening_date
        )

    @api.model
    def _get_opening_product(self):
        """Return the product that bills opening balances.

        :raise UserError: if it was deleted
        """
        # Unlike ref() this asks the database once, not for every contract.
        product_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "support_contract.product_opening_balance"
        )
        if not product_id:
            raise UserError(
                self.env._(
                    "The product that bills opening balances was deleted. Upgrade Support "
                    "Contracts, and it is there again."
                )
            )
        return self.env["product.product"].browse(product_id)

    # === IMPORT SCREEN === #

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Template for running contracts"),
                "template": "/support_contract/static/xls/support_contract.xlsx",
            }
        ]
