# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..tools.periods import ONE_DAY, add_months
from ..tools.renewal import whole_months
from .support_contract import RUNNING_STATES
from .support_contract_copy import SAME_PRICES

# How a contract is to be renewed. `caps` is (hours, incidents), 0 for all.
Renewal = namedtuple(
    "Renewal",
    "plan date_end prices units caps client_order_ref documents",
    defaults=(SAME_PRICES, "allowance", (0.0, 0), False, False),
)


class SupportContract(models.Model):
    """Making the contract that renews another one."""

    _inherit = "support.contract"

    def _renew(self, wish, late=False):
        """Make the renewal, as a draft.

        :param Renewal wish:
        :param bool late: even if the contract has ended meanwhile
        :raise UserError: if a price would become negative, or the plan doesn't fit
        """
        self.ensure_one()
        self._check_renewable(wish.plan, late)
        renewal = self.create(self._prepare_renewal(wish))
        renewal.message_subscribe(self.message_partner_ids.ids)
        if wish.documents:
            self._copy_documents(renewal)
        return renewal

    # === WHAT STANDS IN THE WAY === #

    def _check_renewable(self, plan, late=False):
        """Refuse, with the reason and what to do, what can't be renewed by a plan (C43).

        :param bool late: a job that runs late renews a contract that has ended meanwhile
        """
        self.ensure_one()
        problem = self._get_renewal_problem(late) or self._get_renewal_plan_problem(plan)
        if problem:
            raise UserError(problem)

    def _get_renewal_problem(self, late=False):
        """Return in words why this contract can't be renewed; nothing if it can."""
        self.ensure_one()
        name = self.display_name
        if self.renewal_id:
            return self._explain_renewed(self.renewal_id)
        if self._is_for_request():
            return self.env._("%s is for a single ticket and ends with it: nothing to renew.", name)
        over = self._has_ended(self._get_today()) and not late
        if over or self.state not in (*RUNNING_STATES, *(["expired"] if late else [])):
            return self.env._(
                "%(contract)s is %(state)s. Only a contract that runs can be renewed; make a new "
                "one, or clone it.",
                contract=name,
                state=dict(self._fields["state"]._description_selection(self.env))[
                    "expired" if over and self.state in RUNNING_STATES else self.state
                ],
            )
        if self._get_today() < self.date_start:
            return self.env._(
                "%(contract)s begins on %(day)s only. Renew it once it has begun.",
                contract=name,
                day=format_date(self.env, self.date_start),
            )
        if not self.date_end:
            return self.env._(
                "%s has no end and goes on by itself. Give it an end date first.", name
            )
        return False

    def _get_renewal_plan_problem(self, plan):
        """Return in words why the renewal can't be of a plan; nothing if it can."""
        self.ensure_one()
        facts = {"plan": plan.name, "contract": self.display_name}
        if plan.company_id != self.company_id:
            return self.env._(
                "The plan %(plan)s is of %(company)s, unlike %(contract)s: choose one of the same "
                "company.",
                company=plan.company_id.name,
                **facts,
            )
        if plan.currency_id != self.currency_id:
            return self.env._(
                "The plan %(plan)s is in %(other)s and %(contract)s in %(currency)s: debts and "
                "credits can't go over. Choose a plan in the same currency, or make a new "
                "contract.",
                other=plan.currency_id.name,
                currency=self.currency_id.name,
                **facts,
            )
        if plan.coverage == "request":
            return self.env._(
                "The plan %(plan)s is for single tickets: choose another one.", **facts
            )
        return False

    # === WHAT IT IS LIKE === #

    def _get_renewal_months(self, plan):
        """Return how many months a renewal lasts: as the plan says, else as long as before (L36).

        :return: 0 if neither is a number of whole months
        """
        self.ensure_one()
        return plan.duration_months or (
            whole_months(self.date_start, self.date_end) if self.date_end else 0
        )

    def _get_renewal_end(self, months):
        """Return the last day of a renewal of so many months; 0: as many days as before."""
        self.ensure_one()
        start = self.date_end + ONE_DAY
        if months:
            return add_months(start, months) - ONE_DAY
        return start + (self.date_end - self.date_start)

    def _get_default_renewal(self):
        """Return how this contract is renewed unless somebody says otherwise."""
        self.ensure_one()
        end = self._get_renewal_end(self._get_renewal_months(self.plan_id))
        return Renewal(self.plan_id, end)

    def _prepare_renewal(self, wish):
        """Return the values of the contract that renews this one (C42, ex. A24)."""
        self.ensure_one()
        same = wish.plan == self.plan_id
        incident_price = self.incident_price if same else wish.plan.incident_price
        values = self.copy_data(
            {
                "plan_id": wish.plan.id,
                "title": self.title if same or self.title != self.plan_id.name else wish.plan.name,
                "renews_id": self.id,
                "date_start": self.date_end + ONE_DAY,
                "date_end": wish.date_end,
                "client_order_ref": wish.client_order_ref,
                "equipment_ids": [fields.Command.set(self.equipment_ids.ids)],
                "line_ids": self._prepare_renewal_lines(wish),
                "allowance_ids": self._prepare_renewal_allowances(wish.plan),
                "rate_ids": self._prepare_renewal_rates(wish),
                "renewal_units": wish.units,
                "renewal_cap_hours": wish.caps[0],
                "renewal_cap_incidents": wish.caps[1],
            }
        )[0]
        values.pop("estimated_amount", None)  # by its own prices and duration
        if not same:  # the terms are those of the other plan
            for name in self._get_terms_fields():
                values.pop(name, None)
        if wish.prices.incidents and incident_price:
            values["incident_price"] = self._change_price(
                incident_price,
                wish.prices,
                self._get_currency_step(),
                self.env._("Incident"),
            )
        return values

    def _prepare_renewal_lines(self, wish):
        """Return commands that make the recurring products as they hold on the last day."""
        same = wish.plan == self.plan_id
        if same:
            rows = [line._prepare_continued(self.date_end) for line in self.line_ids]
        else:
            rows = [line._prepare_copy() for line in wish.plan.line_ids]
        rows = [row for row in rows if row]
        step = self._get_price_step()
        for row in rows if wish.prices.products else ():
            changes = [command[2] for command in row.get("change_ids", ())]
            for priced in (row, *changes):
                priced["price_unit"] = self._change_price(
                    priced["price_unit"], wish.prices, step, row["name"]
                )
        return [fields.Command.create(row) for row in rows]

    def _prepare_renewal_allowances(self, plan):
        """Return commands that make the allowances, each linked to the one whose units it takes.

        In another plan that is one of the same unit and the same activities.
        """
        same = plan == self.plan_id
        left = self.allowance_ids
        commands = []
        for allowance in left if same else plan.allowance_ids:
            like = left.filtered(lambda old, new=allowance: old._is_like(new))
            before = allowance if same else like[:1]
            left -= before
            values = allowance._prepare_contract_copy() | {"renews_allowance_id": before.id}
            values.pop("contract_id", None)
            commands.append(fields.Command.create(values))
        return commands

    def _prepare_renewal_rates(self, wish):
        """Return commands that make the contract's own rates again; multipliers stay.

        A percentage raises additions, too; an amount only prices, else it would count twice.
        """
        step = self._get_currency_step()
        commands = []
        for rate in self.rate_ids:
            values = rate._prepare_contract_copy()
            values.pop("contract_id", None)
            kinds = ("price", "adjust") if wish.prices.how == "percent" else ("price",)
            if wish.prices.rates and rate.kind in kinds:
                name = rate.name or rate.activity_type_id.name or self.env._("Rate")
                values["price"] = self._change_price(rate.price, wish.prices, step, name)
            commands.append(fields.Command.create(values))
        return commands

    def _get_currency_step(self):
        """Return the smallest step of an amount in the contract's currency."""
        return Decimal(str(self.currency_id.rounding))


class SupportPlanAllowance(models.Model):
    _inherit = "support.plan.allowance"

    def _is_like(self, other):
        """Return whether it includes the same kind of units, for the same work."""
        self.ensure_one()
        return self.unit == other.unit and self.activity_type_ids == other.activity_type_ids
