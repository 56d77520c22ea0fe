# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command, Domain
from odoo.tools import format_datetime, format_time

from ..models.support_sla_target import KINDS
from ..models.support_sla_timer import OPEN, STATUSES
from ..tools.sla import Clock
from ..tools.sla_explanation import explain, format_clock, whole
from ..tools.working_time import Pause

WEEK = timedelta(days=6)


class SupportSlaExplanation(models.TransientModel):
    """Why a deadline is what it is: all stretches of time that add up to what was promised.

    It is made from the facts of the clock by the same arithmetic that gave the deadline.
    """

    _name = "support.sla.explanation"
    _description = "Why an SLA Deadline Is What It Is"

    timer_id = fields.Many2one(
        "support.sla.timer", required=True, readonly=True, ondelete="cascade"
    )
    ticket_id = fields.Many2one(related="timer_id.ticket_id", related_sudo=False)
    version_id = fields.Many2one(
        related="timer_id.version_id", string="Promised By", related_sudo=False
    )
    kind = fields.Selection(KINDS, string="Promise", readonly=True)
    status = fields.Selection(STATUSES, readonly=True)
    target_label = fields.Char(string="Within", readonly=True)
    priority_label = fields.Char(string="Priority", readonly=True)
    hours_label = fields.Char(string="Active Hours", readonly=True)
    zone_label = fields.Char(string="Times Shown In", readonly=True)
    other_zone = fields.Char(readonly=True, help="The zone of the active hours, where it differs.")
    result = fields.Text(readonly=True)
    deadline = fields.Datetime(readonly=True)
    deadline_label = fields.Char(string="Deadline", readonly=True)
    line_ids = fields.One2many("support.sla.explanation.line", "explanation_id", readonly=True)

    @api.model
    def _explain(self, timer):
        """Make the explanation of a clock that the user may read."""
        timer.check_access("read")
        timer.ticket_id.check_access("read")
        now = fields.Datetime.now()
        # Hours and holidays decide whoever looks; of calendars only their name and zone is shown.
        facts = timer.sudo()
        pauses = self._get_pauses(facts, now)
        zone = facts.tz or facts.version_id.calendar_id.tz
        explanation = explain(
            facts._get_time({}, facts.version_id, facts.company_id, facts.tz),
            self._get_clock(facts, pauses, now),
            now,
            self._get_holidays(facts),
        )
        shown = self._get_shown_zone()
        other = zone if zone and zone != shown else False
        names = {str(pause.id): self._get_pause_label(pause) for pause in pauses}
        return self.create(
            {
                "timer_id": timer.id,
                "kind": facts.kind,
                "status": facts._get_status(now),
                "target_label": self.env._("%s of working time", format_clock(facts.target)),
                "priority_label": self._get_priority_label(facts),
                "hours_label": self._get_hours_label(facts, zone),
                "zone_label": shown,
                "other_zone": other,
                "deadline": explanation.deadline or facts.deadline,
                "deadline_label": self._format_day(explanation.deadline or facts.deadline),
                "result": self._get_result(facts, explanation, now),
                "line_ids": [
                    Command.create(
                        self._prepare_line(row, explanation.deadline, names, other)
                        | {"sequence": sequence}
                    )
                    for sequence, row in enumerate(explanation.rows)
                ],
            }
        )

    # === FACTS === #

    def _get_pauses(self, timer, now):
        """Return the pauses that count for a clock, in order."""
        until = timer.ended_at or now
        pauses = timer.ticket_id.sla_pause_ids.filtered(
            lambda pause: pause._holds(timer.kind) and pause.start < until
        )
        return pauses.sorted(lambda pause: (pause.start, pause.id))

    def _get_clock(self, timer, pauses, now):
        """Return the clock as if a pause that goes on ended now.

        :rtype: tools.sla.Clock
        """
        return Clock(
            start=timer.started_at,
            target=timer.target,
            pauses=[Pause(pause.start, pause.stop or now, str(pause.id)) for pause in pauses],
            ended_at=timer.ended_at or None,
        )

    def _get_holidays(self, timer):
        """Return the company's holidays that may lie in the explained time."""
        calendar = timer.version_id.calendar_id
        if not calendar:
            return []
        leaves = self.env["resource.calendar.leaves"].sudo()  # their names, whoever looks
        leaves = leaves.search(
            Domain("time_type", "=", "leave")
            & Domain("resource_id", "=", False)
            & Domain("calendar_id", "in", (calendar.id, False))
            & Domain("company_id", "in", (timer.company_id.id, False))
            & Domain("date_to", ">=", timer.started_at)
        )
        unnamed = self.env._("Holiday")
        return [whole(leave.date_from, leave.date_to, leave.name or unnamed) for leave in leaves]

    # === WORDS === #

    def _get_priority_label(self, timer):
        labels = dict(
            self.env["support.sla.target"]._fields["priority"]._description_selection(self.env)
        )
        return labels.get(timer.priority, "")

    def _get_hours_label(self, timer, zone):
        """Return the calendar and the zone in which its hours are meant."""
        calendar = timer.version_id.calendar_id
        if not calendar:
            return self.env._("Around the clock")
        if timer.tz:
            return self.env._(
                "%(calendar)s, in %(zone)s (the customer's time zone)",
                calendar=calendar.name,
                zone=zone,
            )
        return self.env._("%(calendar)s, in %(zone)s", calendar=calendar.name, zone=zone)

    def _get_pause_label(self, pause):
        """Return why clocks were paused, and by whom."""
        if pause.reason == "hand" and pause.user_id:
            return f"{pause.label} ({pause.user_id.name})"
        return pause.label

    def _get_result(self, timer, explanation, now):
        """Return in words what came out."""
        counted = sum(row.counted for row in explanation.rows if row.phase in ("past", "over"))
        values = {
            "deadline": self._format(explanation.deadline or timer.deadline),
            "taken": format_clock(counted),
            "left": format_clock(abs(timer.target - counted)),
            "ended": self._format(timer.ended_at),
            "paused": self._format(timer.paused_at),
        }
        until = timer.ended_at or now
        late = bool(explanation.deadline) and explanation.deadline < until
        if timer.state in OPEN:
            text = self._get_open_result(timer, values, late)
        elif timer.state == "stopped":
            text = self.env._(
                "Stopped on %(ended)s after %(taken)s of working time; it was due on %(deadline)s.",
                **values,
            )
        elif late:
            text = self.env._(
                "Met on %(ended)s after %(taken)s of working time, %(left)s too late: it was due "
                "on %(deadline)s.",
                **values,
            )
        else:
            text = self.env._(
                "Met on %(ended)s after %(taken)s of working time, %(left)s before its time was "
                "over: it was due on %(deadline)s.",
                **values,
            )
        return "\n".join([text, *self._get_notes(timer, explanation)])

    def _get_open_result(self, timer, values, late):
        if timer.state == "paused" and not late:
            return self.env._(
                "Paused since %(paused)s with %(left)s of working time left. If it went on right "
                "now, it would be due on %(deadline)s.",
                **values,
            )
        if late:
            return self.env._(
                "It was due on %(deadline)s; %(left)s of working time have passed since then.",
                **values,
            )
        return self.env._(
            "Due on %(deadline)s: %(taken)s of working time are gone, %(left)s are left.", **values
        )

    def _get_notes(self, timer, explanation):
        """Return what the lines don't tell."""
        notes = []
        if timer.failed_at and timer.failed_at == timer.breached_at:
            notes.append(
                self.env._(
                    "It was broken on %s as it had been promised before; the lines go by what is "
                    "promised since.",
                    self._format(timer.failed_at),
                )
            )
        if not explanation.deadline:
            notes.append(self.env._("By the active hours of today this time would never be over."))
        elif timer.ended_at and explanation.deadline != timer.deadline:
            notes.append(
                self.env._(
                    "Hours or holidays have changed since it ended: what counts is still the "
                    "deadline of then, %s.",
                    self._format(timer.deadline),
                )
            )
        return notes

    # === LINES === #

    def _prepare_line(self, row, deadline, names, zone):
        reached = bool(row.counted) and row.stop == deadline
        return {
            "start": row.start,
            "stop": row.stop,
            "start_label": self._format_day(row.start),
            "stop_label": self._format_stop(row),
            "there": self._get_local(row, zone) if zone else "",
            "kind": row.kind,
            "phase": row.phase,
            "is_deadline": reached,
            "reason": self.env._("Deadline") if reached else self._get_reason(row, names),
            "duration": format_clock(round((row.stop - row.start).total_seconds())),
            "counted": row.counted,
            "counted_label": format_clock(row.counted) if row.counted else "",
            "total_label": format_clock(row.total),
        }

    def _get_reason(self, row, names):
        reasons = ", ".join(names.get(reason, reason) for reason in row.reasons)
        if row.held:
            return self.env._(
                "%(reasons)s: %(held)s of active hours don't count",
                reasons=reasons,
                held=format_clock(row.held),
            )
        return reasons

    def _get_local(self, row, zone):
        """Return a stretch by the clock on the wall where the active hours are."""
        start, stop = (self._format(moment, tz=zone, dt_format="EEE HH:mm") for moment in row[:2])
        day, time = stop.rsplit(" ", 1)
        same = start.startswith(day) and row.stop - row.start < WEEK
        return f"{start} – {time if same else stop}"

    def _get_shown_zone(self):
        """Return the zone in which the user sees moments."""
        return self.env.context.get("tz") or self.env.user.tz or "UTC"

    def _format(self, moment, tz=None, **options):
        return format_datetime(self.env, moment, tz=tz or self._get_shown_zone(), **options)

    def _format_day(self, moment):
        """Return a moment with its weekday, on which working time depends."""
        return f"{self._format(moment, dt_format='EEE')} {self._format(moment)}"

    def _format_stop(self, row):
        """Return when a stretch ends; within a week the weekday says which day it is."""
        if row.stop - row.start >= WEEK:
            return self._format_day(row.stop)
        day = self._format(row.stop, dt_format="EEE")
        return f"{day} {format_time(self.env, row.stop, tz=self._get_shown_zone())}"
