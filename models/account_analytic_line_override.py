# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..tools.rating import hours_of, seconds_of

OVERRIDE_FACTS = {"ticket_id", "billable_override", "billable_override_hours"}


class AccountAnalyticLine(models.Model):
    """Another time is billed than was worked (C37): a fact of the entry, in whole seconds.

    It takes the place of the minimum and the rounding, and of nothing else: shifts, rates and
    allowances decide about it as about the time worked.
    """

    _inherit = "account.analytic.line"

    billable_override = fields.Integer(
        copy=False, default=0, help="Seconds that are billed instead; 0: as worked."
    )
    billable_override_hours = fields.Float(
        string="Bill Instead",
        compute="_compute_billable_override_hours",
        readonly=False,
        help="The time to bill instead of the time worked, without minimum and rounding. 0:00: "
        "as worked. To bill nothing, mark the entry as non-billable.",
    )

    may_override = fields.Boolean(compute="_compute_may_override")

    _billable_override_positive = models.Constraint(
        "CHECK (billable_override >= 0)", "The time to bill can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("billable_override")
    def _compute_billable_override_hours(self):
        for line in self:
            line.billable_override_hours = hours_of(line.billable_override)

    @api.depends("ticket_id.contract_id.allow_billable_time")
    @api.depends_context("uid", "su")
    def _compute_may_override(self):
        """Tell whether this user may have another time billed: managers, or all by contract."""
        manager = self.env.su or self.env.user.has_group("support_contract.group_support_manager")
        for line in self:
            contract = line.ticket_id.contract_id.sudo()  # staff: one of its switches
            line.may_override = manager or contract.allow_billable_time

    @api.depends("billable_override")
    def _compute_rated_pieces(self):
        return super()._compute_rated_pieces()

    # === CONSTRAINTS === #

    @api.constrains("billable_override", "unit_amount", "timer_running", "ticket_id")
    def _check_override_worked(self):
        for line in self:
            if not line.billable_override:
                continue
            if not line.ticket_id or not (line.worked_seconds or line.timer_running):
                raise ValidationError(
                    self.env._(
                        "“%s” has no time worked on a ticket, and can't have another time billed. "
                        "Enter the time worked first.",
                        line.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_may_override()
        return lines

    def write(self, vals):
        if not OVERRIDE_FACTS.intersection(vals):
            return super().write(vals)
        before = {line: (line.ticket_id, line.billable_override) for line in self}
        result = super().write(vals)
        self.filtered(
            lambda line: before[line] != (line.ticket_id, line.billable_override)
        )._check_may_override()
        return result

    def _prepare_work_values(self, vals, projects):
        """Turn the hours that people enter into the seconds that are kept."""
        vals = super()._prepare_work_values(vals, projects)
        if "billable_override_hours" in vals:
            vals["billable_override"] = seconds_of(vals.pop("billable_override_hours") or 0.0)
        if (vals.get("billable_override") or 0) < 0:
            raise ValidationError(self.env._("The time to bill can't be negative."))
        return vals

    def _check_may_override(self):
        """Leave another billable time to managers, unless the contract lets everybody decide.

        :raise AccessError: for others
        """
        for line in self.filtered("billable_override"):
            if not line.may_override:
                raise AccessError(
                    self.env._(
                        "Only managers may have another time billed than was worked on "
                        "%(ticket)s. Clear “Bill Instead”, or ask a manager; he can also allow it "
                        "in the settings of the contract.",
                        ticket=line.ticket_id.display_name,
                    )
                )
