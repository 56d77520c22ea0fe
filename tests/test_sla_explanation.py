# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""“Why this deadline?”: the stretches of time add up to what was promised, to the second."""

import random
from datetime import timedelta
from itertools import pairwise

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tests.common import BaseCase

from ..tools.sla import Clock
from ..tools.sla_explanation import explain, flat, format_clock
from ..tools.working_time import ALWAYS, Pause, Schedule
from .common_sla import SlaCommon, moment

NOON = moment("01-05 12:00")


def schedule():
    """Weekdays from 9 to 12 and from 13 to 17, UTC."""

    def load(year):
        start = moment("01-01 00:00").replace(year=year)
        first = round((start - moment("01-01 00:00").replace(year=1970)).total_seconds())
        windows = []
        for day in range(366 if year % 4 == 0 else 365):
            if (start + timedelta(days=day)).weekday() < 5:
                midnight = first + day * 86_400
                windows += [
                    (midnight + a * 3600, midnight + b * 3600) for a, b in ((9, 12), (13, 17))
                ]
        return windows

    return Schedule(load)


class TestExplanationArithmetic(BaseCase):
    def test_what_counts_up_to_the_deadline_is_the_target(self):
        rng = random.Random(5)
        for _round in range(300):
            time = rng.choice((ALWAYS, schedule()))
            start = NOON + timedelta(seconds=rng.randrange(7 * 86_400))
            target = rng.randrange(1, 200_000)
            pauses = []
            for number in range(rng.randrange(6)):
                first = start + timedelta(seconds=rng.randrange(-9_000, 600_000))
                last = first + timedelta(seconds=rng.randrange(200_000))
                pauses.append(Pause(first, last, str(number)))
            ended = rng.choice((None, start + timedelta(seconds=rng.randrange(900_000))))
            clock = Clock(start, target, pauses, ended_at=ended)
            holiday = Pause(start, start + timedelta(days=2), "Feast")
            now = start + timedelta(seconds=rng.randrange(1_500_000))
            deadline, rows = explain(time, clock, now, [holiday])
            self.assertEqual(deadline, time.deadline(start, target, clock.known_pauses))
            promised = [row for row in rows if row.phase != "over"]
            self.assertEqual(sum(row.counted for row in promised), target)
            self.assertEqual((promised[-1].stop, promised[-1].total), (deadline, target))
            self.assertEqual(rows[0].start, start)
            self.assertEqual(rows[-1].stop, max(deadline, ended or now))
            for row, following in pairwise(rows):
                self.assertEqual(row.stop, following.start)
                self.assertEqual(row.total + following.counted, following.total)
            for row in rows:
                self.assertEqual(row.counted > 0, row.kind == "work")
            taken = sum(row.counted for row in rows if row.phase in ("past", "over"))
            self.assertEqual(taken, time.elapsed(start, ended or now, clock.known_pauses))

    def test_reasons_of_pauses_that_overlap_are_all_told(self):
        first = Pause(NOON, NOON + timedelta(hours=2), "a")
        second = Pause(NOON + timedelta(hours=1), NOON + timedelta(hours=3), "b")
        clock = Clock(NOON - timedelta(hours=1), 7200, [first, second])
        rows = explain(ALWAYS, clock, NOON).rows
        self.assertEqual(
            [row.reasons for row in rows if row.kind == "pause"], [("a",), ("a", "b"), ("b",)]
        )
        self.assertEqual([row.held for row in rows], [0, 3600, 3600, 3600, 0])
        self.assertFalse(flat([first._replace(stop=NOON)]))

    def test_times_are_written_to_the_second(self):
        self.assertEqual(format_clock(3909), "1:05:09")
        self.assertEqual(format_clock(-30), "-0:00:30")
        self.assertEqual(format_clock(360_000), "100:00:00")


@tagged("post_install", "-at_install")
class TestSlaExplanation(SlaCommon):
    def _explain(self, at, timer, user=None):
        with freeze_time(moment(at)):
            action = timer.with_user(user or self.env.user).action_explain()
        return self.env[action["res_model"]].browse(action["res_id"])

    def _get_rows(self, explanation):
        return [
            (line.start, line.stop, line.kind, line.phase, line.total_label)
            for line in explanation.line_ids
        ]

    def test_windows_pauses_and_holidays_add_up(self):
        self.env["resource.calendar.leaves"].sudo().with_company(self.company).create(
            {
                "name": "Epiphany",
                "calendar_id": self.office.id,
                "date_from": "2026-01-06 00:00:00",
                "date_to": "2026-01-06 23:59:59",
            }
        )
        ticket = self._open("01-05 15:00")
        self._at("01-05 15:30", ticket._pause_sla, "Parts ordered")
        self._at("01-05 16:00", ticket.action_resume_sla)
        clock = self._clock(ticket, "response")
        explanation = self._explain("01-05 16:30", clock)
        self.assertEqual(
            self._get_rows(explanation),
            [
                (moment("01-05 15:00"), moment("01-05 15:30"), "work", "past", "0:30:00"),
                (moment("01-05 15:30"), moment("01-05 16:00"), "pause", "past", "0:30:00"),
                (moment("01-05 16:00"), moment("01-05 16:30"), "work", "past", "1:00:00"),
                (moment("01-05 16:30"), moment("01-05 17:00"), "work", "coming", "1:30:00"),
                (moment("01-05 17:00"), moment("01-06 00:00"), "closed", "coming", "1:30:00"),
                (moment("01-06 00:00"), moment("01-07 00:00"), "holiday", "coming", "1:30:00"),
                (moment("01-07 00:00"), moment("01-07 09:00"), "closed", "coming", "1:30:00"),
                (moment("01-07 09:00"), moment("01-07 11:30"), "work", "coming", "4:00:00"),
            ],
        )
        self.assertEqual(clock.deadline, moment("01-07 11:30"))
        self.assertEqual(sum(explanation.line_ids.mapped("counted")), clock.target)
        self.assertEqual(explanation.line_ids.filtered("is_deadline"), explanation.line_ids[-1])
        pause, holiday = explanation.line_ids[1], explanation.line_ids[5]
        self.assertIn("Parts ordered", pause.reason)
        self.assertIn(self.env.user.name, pause.reason)
        self.assertIn("0:30:00 of active hours", pause.reason)
        self.assertEqual(holiday.reason, "Epiphany")
        self.assertIn("3:00:00 are left", explanation.result)
        self.assertEqual(explanation.target_label, "4:00:00 of working time")
        self.assertEqual(explanation.version_id, clock.version_id)
        self.assertIn("Office, in UTC", explanation.hours_label)
        self.assertFalse(explanation.other_zone)

    def test_a_clock_that_is_paused_says_when_it_would_be_due(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        explanation = self._explain("01-05 12:00", self._clock(ticket, "response"))
        self.assertEqual(explanation.deadline, moment("01-05 15:00"))
        self.assertIn("3:00:00 of working time left", explanation.result)
        self.assertEqual(
            [(line.kind, line.phase) for line in explanation.line_ids],
            [("work", "past"), ("pause", "past"), ("work", "coming")],
        )
        self.assertIn(self.stage_wait.name, explanation.line_ids[1].reason)

    def test_what_passes_behind_the_deadline_is_shown(self):
        ticket = self._open()
        explanation = self._explain("01-05 14:00", self._clock(ticket, "response"))
        self.assertEqual(explanation.line_ids[-1].phase, "over")
        self.assertEqual(explanation.line_ids[-1].total_label, "5:00:00")
        self.assertIn("1:00:00 of working time have passed", explanation.result)
        self._say("01-05 14:30", ticket)
        explanation = self._explain("01-06 14:00", self._clock(ticket, "response"))
        self.assertIn("1:30:00 too late", explanation.result)

    def test_what_was_met_in_time_shows_what_was_left(self):
        ticket = self._open()
        self._say("01-05 10:00", ticket)
        explanation = self._explain("01-09 10:00", self._clock(ticket, "response"))
        self.assertIn("3:00:00 before", explanation.result)
        self.assertEqual(explanation.line_ids.mapped("phase"), ["past", "spare"])
        self.assertNotIn("changed", explanation.result)

    def test_hours_that_changed_after_the_end_are_told(self):
        ticket = self._open()
        self._move("01-06 09:30", ticket, self.stage_done)
        self.office.sudo().attendance_ids.filtered(lambda a: a.dayofweek == "0").unlink()
        self.env.cr.precommit.run()
        explanation = self._explain("01-09 10:00", self._clock(ticket))
        self.assertEqual(self._clock(ticket).deadline, moment("01-05 17:00"))
        self.assertIn("have changed since it ended", explanation.result)

    def test_a_breach_under_an_earlier_promise_is_told(self):
        silver = self._make_policy([self._target("resolution", 80)], name="Silver")
        ticket = self._open()
        self._at("01-06 10:00", ticket.write, {"sla_policy_id": silver.id})
        explanation = self._explain("01-06 11:00", self._clock(ticket))
        self.assertEqual(explanation.status, "breached")
        self.assertIn("as it had been promised before", explanation.result)

    def test_hours_elsewhere_are_shown_by_the_clock_there(self):
        self.policy.customer_zone = True
        contract = self._make_contract(sla_policy_id=self.policy.id, tz="America/New_York")
        ticket = self._open("01-05 10:00", contract)
        explanation = self._explain("01-05 10:00", self._clock(ticket, "response"))
        self.assertEqual(explanation.other_zone, "America/New_York")
        self.assertIn("the customer's time zone", explanation.hours_label)
        self.assertEqual(explanation.line_ids[-1].there, "Mon 09:00 – 13:00")
        self.assertEqual(explanation.line_ids[0].there, "Mon 05:00 – 09:00")
        self.assertIn("Mon", explanation.line_ids[-1].start_label)

    def test_only_who_reads_the_ticket_may_ask(self):
        ticket = self._open()
        clock = self._clock(ticket)
        own = new_test_user(
            self.env(su=True),
            "own",
            "helpdesk_mgmt.group_helpdesk_user_own,support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self._explain("01-05 10:00", clock, own)
        ticket.user_id = own
        explanation = self._explain("01-05 10:00", clock, own)
        self.assertTrue(explanation.with_user(own).line_ids.mapped("kind"))
        other = new_test_user(self.env(su=True), "other", "support_contract.group_support_user")
        with self.assertRaises(AccessError):
            explanation.with_user(other).read(["result"])
