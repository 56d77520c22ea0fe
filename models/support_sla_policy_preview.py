# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.working_time import NoWorkingTimeError


class SupportSlaTarget(models.Model):
    _inherit = "support.sla.target"

    due_now = fields.Datetime(
        string="Opened Now, Due",
        compute="_compute_due_now",
        help="When a ticket that is opened at this moment would be due; in the calendar's own time "
        "zone where the customer's decides.",
    )

    @api.depends("seconds", "policy_id.calendar_id")
    def _compute_due_now(self):
        now = fields.Datetime.now()
        schedules = {}
        for target in self:
            policy = target.policy_id
            # Managers of contracts needn't read all calendars.
            calendar = policy.calendar_id._origin.sudo()
            key = (calendar, policy.company_id)
            schedules[key] = schedules.get(key) or calendar._get_schedule(policy.company_id)
            try:
                target.due_now = target.seconds > 0 and schedules[key].deadline(now, target.seconds)
            except NoWorkingTimeError:  # the policy is refused when it is saved
                target.due_now = False


class SupportSlaStep(models.Model):
    _inherit = "support.sla.step"

    sentence = fields.Text(string="What Happens", compute="_compute_sentence")

    @api.depends(
        "kind", "moment", "number", "by_chatter", "by_activity", "by_mail", "to_assignee",
        "to_team", "to_responsible", "user_ids", "reassign_id",
    )  # fmt: skip
    @api.depends_context("lang")
    def _compute_sentence(self):
        versions = self.env["support.sla.version"]
        for step in self:
            step.sentence = versions._describe_step(step._prepare_terms())


class SupportSlaPolicy(models.Model):
    """How a policy is kept."""

    _inherit = "support.sla.policy"

    promise_count = fields.Integer(compute="_compute_kept")
    kept_percent = fields.Float(string="% Kept", compute="_compute_kept")

    def _compute_kept(self):
        kept = self.env["support.sla.report"]._get_kept("policy_id", self)
        for policy in self:
            policy.promise_count, policy.kept_percent = kept.get(policy, (0, 0))

    def _get_promises_in_words(self):
        """Return what a contract that is printed says: [(promise, time)]."""
        self.ensure_one()
        versions = self.env["support.sla.version"]
        terms = [target._prepare_terms() for target in self.target_ids]
        return [(versions._get_target_label(row), versions._get_target_time(row)) for row in terms]

    def _get_hours_in_words(self):
        self.ensure_one()
        if not self.calendar_id:
            return self.env._("around the clock")
        hours = self.env["support.sla.version"]._describe_hours(
            self.calendar_id, self.customer_zone
        )
        return self.env._("in the working hours %s", hours)

    def action_view_compliance(self):
        return self.env["support.sla.report"]._get_action("policy_id", self)
