# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from calendar import timegm
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_datetime

from ..tools.sla import get_elapsed
from .support_sla_timer import OPEN

# How far ahead a browser is told when time counts, and in how many windows at most.
AHEAD = timedelta(days=14)
WINDOWS = 10


class SupportSlaTimer(models.Model):
    """The time left on a clock, in working time, as a browser counts it down by itself (Y34)."""

    _inherit = "support.sla.timer"

    sla_clock = fields.Json(
        string="Time Left",
        compute="_compute_sla_clock",
        help="In working time: it stands still outside the active hours and in pauses.",
    )

    @api.depends("state", "status", "deadline", "target", "started_at", "ended_at", "elapsed")
    def _compute_sla_clock(self):
        countdowns = self._get_countdowns(fields.Datetime.now())
        for timer in self:
            timer.sla_clock = countdowns[timer]

    def _get_countdowns(self, now):
        """Return what a browser needs to count: {timer: countdown}.

        One schedule is asked for each calendar, company and zone, however many clocks there are.
        """
        windows, countdowns = {}, {}
        for timer, time, clock in self._get_clocks():
            if time not in windows:
                windows[time] = [
                    [_to_epoch(start), _to_epoch(stop)]
                    for start, stop in time.windows(now, now + AHEAD)[:WINDOWS]
                ]
            elapsed = timer.elapsed
            if timer.state in OPEN:
                elapsed = get_elapsed(time, clock, now)
            countdowns[timer] = timer._prepare_countdown(now, elapsed, windows[time])
        return countdowns

    def _prepare_countdown(self, now, elapsed, windows):
        """Return a countdown; moments are seconds since 1970.

        :param elapsed: working seconds that are gone
        :param windows: those in which time counts from now on
        """
        self.ensure_one()
        counts = self.state == "running"
        return {
            "now": _to_epoch(now),
            "left": self.target - elapsed,
            "target": self.target,
            "state": self.state,
            "status": self._get_status(now),
            "windows": windows if counts else [],
            "deadline": _to_epoch(self.deadline),
            "warn_at": _to_epoch(self.warn_at) if self.warn_at else False,
            "breached_at": _to_epoch(self.breached_at) if self.breached_at else False,
        }

    def _get_pressing(self):
        """Return the open clock that is to be looked at first: what is late, runs, is paused."""
        now = fields.Datetime.now()
        return self.filtered(lambda timer: timer.state in OPEN).sorted(
            lambda timer: (
                timer._get_status(now) != "breached",
                timer.state == "paused",
                timer.deadline,
            )
        )[:1]

    def _get_alarm(self, now):
        """Return in a sentence what is wrong with an open clock, if anything is."""
        self.ensure_one()
        status = self._get_status(now)
        promise = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        if status == "breached":
            return self.env._(
                "%(promise)s overdue: promised until %(moment)s.",
                promise=promise,
                moment=format_datetime(self.env, self.breached_at or self.deadline),
            )
        if status == "at_risk":
            return self.env._(
                "%(promise)s at risk since %(moment)s: promised until %(deadline)s.",
                promise=promise,
                moment=format_datetime(self.env, self.warn_at),
                deadline=format_datetime(self.env, self.deadline),
            )
        return ""

    # === ACTIONS === #

    def action_explain(self):
        """Show what adds up to the deadline."""
        self.ensure_one()
        explanation = self.env["support.sla.explanation"]._explain(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why This Deadline?"),
            "res_model": explanation._name,
            "res_id": explanation.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


def _to_epoch(moment):
    return timegm(moment.timetuple())
