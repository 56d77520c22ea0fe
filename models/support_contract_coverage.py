# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..tools.rating import format_hours
from .support_coverage import Verdict


class SupportContract(models.Model):
    """Whether a contract covers a ticket, and why: the one answer that coverage and “Why?” give."""

    _inherit = "support.contract"

    # === JUDGING === #

    def _judge(self, request):
        """Return whether this contract covers a request, and why.

        :param support_coverage.Request request:
        :rtype: Verdict
        """
        self.ensure_one()
        if self.coverage == "request":
            return Verdict(False, "other_ticket")
        if self.coverage == "item":
            if not request.equipment or request.equipment not in self.equipment_ids:
                return Verdict(False, "other_item")
            if request.partner.commercial_partner_id != self.commercial_partner_id:
                return Verdict(False, "other_customer")
        if not self.apply_to_new_tickets:
            return Verdict(False, "not_applied")
        return self._judge_moment(request.day)

    def _judge_moment(self, moment):
        """Return whether this contract can cover work at a moment, and why (L50).

        Valid: active, inside its dates, and with units left where it ends, or blocks, without.
        """
        self.ensure_one()
        day = self._get_local_day(moment)
        life = self._get_life()
        if day > life.end and self.state in ("pending", "active", "expired"):
            return Verdict(False, "ended")
        if self.state not in ("pending", "active"):
            return Verdict(False, self.state)
        if self.state == "pending" or day < life.start:
            return Verdict("pending", "pending")
        if self._needs_units() and not self._has_units_left(day):
            return Verdict(False, "used_up")
        return Verdict("valid", "valid")

    def _needs_units(self):
        self.ensure_one()
        return bool((self.ends_when_used or self.overage_policy == "block") and self.allowance_ids)

    def _explain_pending(self):
        self.ensure_one()
        if self.state == "pending" and self.payment_pending:
            return self.env._("begins when it is paid")
        return self.env._("begins on %s", format_date(self.env, self.date_start))

    def _explain(self, verdict, moment):
        """Return a verdict in plain words, without prices."""
        self.ensure_one()
        words = {
            "valid": self.env._("covers"),
            "pending": self._explain_pending(),
            "ended": self.env._("ended on %s", format_date(self.env, self.date_end)),
            "draft": self.env._("not active: still a draft"),
            "suspended": self.env._("not active: suspended"),
            "expired": self.env._("not active: used up, or ended since"),
            "terminated": self.env._("not active: terminated"),
            "cancelled": self.env._("not active: cancelled"),
            "not_applied": self.env._("not applied to new tickets by itself"),
            "other_item": self.env._("covers listed items only, not what the ticket is about"),
            "other_customer": self.env._("the item belongs to another customer by now"),
            "other_ticket": self.env._(
                "covers the ticket %s only", self.request_ticket_id.display_name or "-"
            ),
        }
        if verdict.reason == "used_up":
            return self.env._("no units left: %s", self._format_units_left(moment))
        return words[verdict.reason]

    def _format_units_left(self, moment):
        """Return what is left on the grants of a day: 0:00 of 5:00 h, 2 of 10 incidents."""
        day = self._get_local_day(moment)
        grants = self.entitlement_ids.filtered(lambda grant: grant._is_valid_on(day))
        parts = []
        for unit, of_unit in grants.grouped("unit").items():
            left, granted = sum(of_unit.mapped("remaining")), sum(of_unit.mapped("quantity"))
            if unit == "time":
                left, granted = format_hours(left), format_hours(granted)
                parts.append(self.env._("%(left)s of %(granted)s", left=left, granted=granted))
            else:
                parts.append(
                    self.env._("%(left)s of %(granted)s incidents", left=left, granted=granted)
                )
        return ", ".join(parts) or self.env._("nothing was granted for that day")

    # === ITEMS === #

    def _check_confirmable(self):
        """Have contracts for listed items name items of their customer."""
        result = super()._check_confirmable()
        problems = [problem for contract in self for problem in contract._get_item_problems()]
        if problems:
            raise UserError("\n".join(problems))
        return result

    @api.constrains("equipment_ids", "partner_id", "plan_id")
    def _check_items(self):
        """What is agreed can't lose its items, nor get those of somebody else."""
        agreed = self.filtered(
            lambda contract: contract.state in ("pending", "active", "suspended")
        )
        problems = [problem for contract in agreed for problem in contract._get_item_problems()]
        if problems:
            raise ValidationError("\n".join(problems))

    def _get_item_problems(self):
        """Return in words what is wrong with the items of this contract."""
        self.ensure_one()
        if self.coverage != "item":
            return []
        if not self.equipment_ids:
            return [
                self.env._(
                    "%s covers listed items and lists none: add at least one.", self.display_name
                )
            ]
        return [
            self.env._(
                "%(item)s belongs to %(owner)s, not to %(customer)s: set the item's customer, or "
                "take it off %(contract)s.",
                item=item.display_name,
                owner=item.support_partner_id.display_name or self.env._("nobody"),
                customer=self.commercial_partner_id.display_name,
                contract=self.display_name,
            )
            for item in self.sudo().equipment_ids  # whoever agrees may not see every item
            if item.support_partner_id.commercial_partner_id != self.commercial_partner_id
        ]
