# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.working_time import NoWorkingTimeError
from .support_sla_policy import PRIORITIES

KINDS = [
    ("response", "First Response"),
    ("next_response", "Next Response"),
    ("resolution", "Resolution"),
]
MINUTE = 60
HOUR = 3600
HOURS_OF_A_DAY = 24


class SupportSlaTarget(models.Model):
    """How much working time a policy promises for one thing, for tickets of one priority."""

    _name = "support.sla.target"
    _description = "Promise of an SLA Policy"
    _inherit = ["support.sla.row.mixin"]
    _order = "policy_id, sequence, priority desc nulls last, id"

    kind = fields.Selection(
        KINDS,
        string="Promise",
        required=True,
        default="response",
        help="First response: a colleague's first public answer to the customer (Y39). Next "
        "response: the answer to what the customer writes after that. Resolution: the ticket "
        "comes to a stage that resolves it (Y40).",
    )
    sequence = fields.Integer(compute="_compute_sequence", store=True, precompute=True)
    priority = fields.Selection(
        PRIORITIES, help="For tickets of this priority. Empty: of all priorities not listed."
    )
    number = fields.Integer(string="Time", required=True)
    unit = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        required=True,
        default="hours",
        help="Of working time. A day is a working day: as long as the active hours of an average "
        "day, 24 hours around the clock.",
    )
    seconds = fields.Integer(compute="_compute_seconds", help="The time in working seconds.")

    _number_positive = models.Constraint(
        "CHECK (number > 0)",
        "A promise must be longer than zero: write how much time there is, or remove the row.",
    )
    _once = models.UniqueIndex(
        "(policy_id, kind, COALESCE(priority, ''))",
        "A policy makes each promise once for a priority: change the row that is there.",
    )

    @api.depends("kind")
    def _compute_sequence(self):
        order = [kind for kind, _label in KINDS]
        for target in self:
            target.sequence = order.index(target.kind) if target.kind else 0

    @api.depends("number", "unit", "policy_id.calendar_id.hours_per_day")
    def _compute_seconds(self):
        for target in self:
            calendar = target.policy_id.calendar_id.sudo()  # its length only
            day = round((calendar.hours_per_day if calendar else HOURS_OF_A_DAY) * HOUR)
            target.seconds = target.number * {"minutes": MINUTE, "hours": HOUR, "days": day}.get(
                target.unit, 0
            )

    def _check_positive(self):
        """Refuse promises within no time; the constraint, which speaks late, says the same.

        :raise ValidationError: with what to do
        """
        if any(target.number <= 0 for target in self):
            raise ValidationError(
                self.env._(
                    "A promise must be longer than zero: write how much time there is, or remove "
                    "the row."
                )
            )

    def _check_order(self):
        """Refuse to promise an answer later than the solution.

        :raise ValidationError: with the priority for which it is so
        """
        labels = dict(PRIORITIES)
        for policy, targets in self.grouped("policy_id").items():
            times = {(target.kind, target.priority or ""): target for target in targets}
            for priority in {target.priority or "" for target in targets}:
                response = times.get(("response", priority)) or times.get(("response", ""))
                resolution = times.get(("resolution", priority)) or times.get(("resolution", ""))
                if response and resolution and response.seconds > resolution.seconds:
                    raise ValidationError(
                        self.env._(
                            "“%(policy)s” promises the first response (%(response)s) later than "
                            "the resolution (%(resolution)s)%(priority)s: make the response "
                            "shorter or the resolution longer.",
                            policy=policy.name,
                            response=response._describe(),
                            resolution=resolution._describe(),
                            priority=f" [{labels[priority]}]" if priority else "",
                        )
                    )

    def _check_reachable(self):
        """Refuse promises whose deadline would never come, or whose last escalation.

        :raise ValidationError: with the promise
        """
        for target in self:
            policy = target.policy_id
            percents = policy.step_ids.filtered(lambda s: s.moment == "percent").mapped("number")
            longest = target.seconds * max([100, *percents]) // 100
            # Managers of contracts needn't read all calendars.
            time = policy.calendar_id.sudo()._get_schedule(policy.company_id)
            try:
                time.deadline(fields.Datetime.now(), longest)
            except NoWorkingTimeError as error:
                raise ValidationError(
                    self.env._(
                        "%(promise)s of “%(policy)s”, with its escalations, would take more than "
                        "ten years in the active hours: promise less, or choose other hours.",
                        promise=target._describe(),
                        policy=policy.name,
                    )
                ) from error

    def _describe(self):
        """Return the promised time in words: 4 h, 2 d [High]."""
        self.ensure_one()
        units = {
            "minutes": self.env._("%s min", self.number),
            "hours": self.env._("%s h", self.number),
            "days": self.env._("%s d", self.number),
        }
        labels = dict(self._fields["priority"]._description_selection(self.env))
        time = units.get(self.unit, "")
        return f"{time} ({labels[self.priority]})" if self.priority else time

    def _prepare_terms(self):
        """Return what a version keeps of it."""
        self.ensure_one()
        return {
            "kind": self.kind,
            "priority": self.priority or "",
            "seconds": self.seconds,
            "label": f"{self.number} {self.unit}",
        }
