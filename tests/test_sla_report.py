# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The compliance report: it says of promises what their clocks say, noticed or not."""

from freezegun import freeze_time

from odoo.tests import tagged

from .common_sla import SlaCommon, moment


@tagged("post_install", "-at_install")
class TestSlaReport(SlaCommon):
    def _get_rows(self, at, tickets):
        with freeze_time(moment(at)):
            self.env.flush_all()
            report = self.env["support.sla.report"]
            report.invalidate_model()
            rows = report.search([("ticket_id", "in", tickets.ids)])
            rows.read(["outcome", "kept_percent"])
            return rows

    def _sum_up(self, tickets, *measures, domain=()):
        self.env.flush_all()
        ((*values,),) = self.env["support.sla.report"]._read_group(
            [("ticket_id", "in", tickets.ids), *domain], aggregates=measures
        )
        return values

    def test_e27_average_times(self):
        """E27: 04:00 opened, answered after 15 and 5 minutes, resolved after 65."""
        policy = self._make_policy(
            [
                self._target("response", 1),
                self._target("next_response", 1),
                self._target("resolution", 8),
            ],
            name="Always",
            calendar_id=False,
        )
        ticket = self._open("01-05 04:00", sla_policy_id=policy.id)
        self._say("01-05 04:15", ticket)
        self._say("01-05 05:00", ticket, author=self.customer_user)
        self._say("01-05 05:05", ticket)
        self._move("01-05 05:05", ticket, self.stage_done)
        response, first, resolution = self._sum_up(
            ticket, "response_hours:avg", "first_response_hours:avg", "resolution_hours:avg"
        )
        self.assertAlmostEqual(response * 3600, 600)
        self.assertAlmostEqual(first * 3600, 900)
        self.assertAlmostEqual(resolution * 3600, 3900)

    def test_times_are_working_time_without_pauses(self):
        ticket = self._open("01-05 16:00")
        self._move("01-05 16:30", ticket, self.stage_wait)
        self._move("01-06 10:00", ticket, self.stage_work)
        self._move("01-06 11:30", ticket, self.stage_done)
        (hours,) = self._sum_up(ticket, "resolution_hours:avg")
        self.assertAlmostEqual(hours, 2)

    def test_kept_and_missed(self):
        kept, missed = self._open(), self._open()
        (kept | missed).sla_timer_ids.flush_recordset()
        self._say("01-05 10:00", kept)
        self._move("01-05 12:00", kept, self.stage_done)
        self._say("01-05 15:00", missed)
        self._move("01-06 10:30", missed, self.stage_done)
        tickets = kept | missed
        for kind, over in (("response", 2), ("resolution", 1.5)):
            clocks, met, late, percent, hours = self._sum_up(
                tickets,
                "clocks:sum",
                "met:sum",
                "missed:sum",
                "kept_percent:avg",
                "over_hours:sum",
                domain=[("kind", "=", kind)],
            )
            self.assertEqual((clocks, met, late, percent), (2, 1, 1, 50), kind)
            self.assertAlmostEqual(hours, over, msg=kind)

    def test_open_and_stopped_promises_count_neither_as_kept_nor_as_missed(self):
        going, rejected = self._open(), self._open()
        self._move("01-05 10:00", rejected, self.stage_rejected)
        rows = self._get_rows("01-05 10:00", going | rejected)
        self.assertEqual(
            {(row.ticket_id, row.outcome) for row in rows},
            {(going, "open"), (rejected, "stopped")},
        )
        with freeze_time(moment("01-05 10:00")):
            percent, clocks = self._sum_up(going | rejected, "kept_percent:avg", "clocks:sum")
        self.assertFalse(percent)
        self.assertEqual(clocks, 4)

    def test_right_between_two_runs_of_the_minute_job(self):
        ticket = self._open()
        before = self._get_rows("01-05 13:00", ticket)
        self.assertEqual(set(before.mapped("outcome")), {"open"}, "at its very second in time")
        after = self._get_rows("01-05 13:01", ticket)
        late = after.filtered(lambda row: row.outcome == "missed")
        self.assertEqual(late.kind, "response")
        self.assertFalse(self._clock(ticket, "response").breached_at, "nobody has noticed")
        self.assertEqual((late.broken_at, late.missed), (moment("01-05 13:00"), 1))
        self._tick("01-05 13:02")
        noticed = self._get_rows("01-05 13:02", ticket)
        self.assertEqual(noticed.mapped("outcome"), after.mapped("outcome"))

    def test_a_paused_clock_is_not_missed_while_it_stands_still(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        rows = self._get_rows("01-20 10:00", ticket)
        self.assertEqual(set(rows.mapped("outcome")), {"open"})

    def test_by_whom_and_for_whom(self):
        ticket = self._open(priority="2", user_id=self.env.uid)
        row = self._get_rows("01-05 10:00", ticket)[0]
        self.assertEqual(
            (row.policy_id, row.contract_id, row.partner_id, row.user_id, row.priority),
            (self.policy, self.contract, self.customer, self.env.user, "2"),
        )
        self.assertEqual(row.action_open()["res_id"], ticket.id)
