# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The time left that people see: what the server sends, and how a browser goes on from there."""

import json
from ast import literal_eval
from calendar import timegm

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, tagged

from .common_sla import SlaCommon, moment

HOUR = 3600
# Reads what was sent at later moments, and complains where it isn't what the server says then.
CODE = """
const { readClock, nextTick, formatLeft } = odoo.loader.modules.get(
    "@support_contract/support_sla_clock");
const sent = SENT;
const expected = EXPECTED;
for (const [at, values] of Object.entries(expected)) {
    const { left, status } = readClock(sent, Number(at));
    if (JSON.stringify([left, status]) !== JSON.stringify(values)) {
        console.error(`at ${at}: ${left} ${status} instead of ${values}`);
    }
}
const ticks = [sent.now, sent.windows[0][1], sent.deadline - 1, sent.deadline].map(
    (at) => nextTick(sent, readClock(sent, at), at));
const texts = [3 * 3600 + 65, 3599, -1, -7200].map((left) => `${formatLeft(left)}`);
const wanted = ["3 h 01 min", "59 min 59 s", "−0 min 01 s", "−2 h 00 min"];
if (texts.join() !== wanted.join()) {
    console.error(texts.join());
} else if (ticks.join() !== "1,57600,1,1") {
    console.error(`ticks ${ticks.join()}`);
} else {
    console.log("test successful");
}
"""


def epoch(text):
    return timegm(moment(text).timetuple())


class CountdownCommon(SlaCommon):
    def _get_countdown(self, at, record):
        with freeze_time(moment(at)):
            record.invalidate_recordset()
            return record.sla_clock


@tagged("post_install", "-at_install")
class TestSlaCountdown(CountdownCommon):
    def test_it_counts_in_working_time(self):
        ticket = self._open("01-05 16:00")
        countdown = self._get_countdown("01-05 16:30", ticket)
        self.assertEqual((countdown["left"], countdown["status"]), (3.5 * HOUR, "running"))
        self.assertEqual(countdown["windows"][0], [epoch("01-05 16:30"), epoch("01-05 17:00")])
        self.assertEqual(countdown["windows"][1], [epoch("01-06 09:00"), epoch("01-06 17:00")])
        self.assertEqual(len(countdown["windows"]), 10)
        self.assertEqual(countdown["deadline"], epoch("01-06 12:00"))
        self.assertEqual(countdown["warn_at"], epoch("01-06 11:12"))
        self.assertEqual(self._get_countdown("01-06 08:00", ticket)["left"], 3 * HOUR)
        late = self._get_countdown("01-06 13:00", ticket)
        self.assertEqual((late["left"], late["status"]), (-HOUR, "breached"))

    def test_it_stands_still_in_a_pause(self):
        ticket = self._open()
        self._move("01-05 10:00", ticket, self.stage_wait)
        for at in ("01-05 10:00", "01-07 12:00"):
            countdown = self._get_countdown(at, ticket)
            self.assertEqual((countdown["left"], countdown["state"]), (3 * HOUR, "paused"))
            self.assertFalse(countdown["windows"])

    def test_the_most_pressing_clock_is_shown(self):
        ticket = self._open()
        self.assertEqual(self._get_countdown("01-05 10:00", ticket)["target"], 4 * HOUR)
        self._say("01-05 11:00", ticket)
        self.assertEqual(self._get_countdown("01-05 12:00", ticket)["target"], 8 * HOUR)
        response = self._get_countdown("01-05 12:00", self._clock(ticket, "response"))
        self.assertEqual((response["status"], response["left"]), ("met", 2 * HOUR))
        self._move("01-05 13:00", ticket, self.stage_done)
        self.assertFalse(self._get_countdown("01-05 14:00", ticket))
        self.assertFalse(self._make_ticket(partner_id=self._make_customer("Other").id).sla_clock)

    def test_a_list_of_tickets_costs_as_much_as_one(self):
        tickets = self.env["helpdesk.ticket"]
        for _number in range(8):
            tickets += self._open()
        self._move("01-05 10:00", tickets[:3], self.stage_wait)
        names = ["sla_clock", "sla_status", "sla_deadline", "sla_breached_at", "sla_banner"]
        counts = []
        with freeze_time(moment("01-05 12:30")):
            # The first time fills Odoo's caches; then one that is paused and one that runs.
            for batch in (tickets, tickets[2:4], tickets):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                batch.read(names)
                counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])

    def test_the_banner_says_what_is_wrong_and_since_when(self):
        ticket = self._open()

        def read(at):
            with freeze_time(moment(at)):
                ticket.invalidate_recordset()
                return ticket.sla_banner

        self.assertFalse(read("01-05 12:00"))
        self.assertIn("First Response at risk since 01/05/2026 12:12:00", read("01-05 12:30"))
        self.assertIn(
            "First Response overdue: promised until 01/05/2026 01:00", read("01-05 14:00")
        )
        lines = read("01-05 16:00").splitlines()
        self.assertEqual(len(lines), 2, lines)
        self._move("01-05 16:10", ticket, self.stage_done)
        self.assertFalse(read("01-05 16:30"), "it is over")

    def test_many_are_paused_as_far_as_they_have_clocks(self):
        plain = self._make_ticket(partner_id=self._make_customer("Other").id)
        tickets = self._open() | plain
        action = self._at("01-05 10:00", tickets.action_pause_sla)
        wizard = Form(self.env[action["res_model"]].with_context(**action["context"]))
        wizard.reason = "Strike"
        self._at("01-05 10:00", wizard.save().action_pause)
        self.assertEqual(tickets.sla_pause_ids.mapped("detail"), ["Strike"])
        with self.assertRaisesRegex(UserError, "no clock to pause"):
            plain.action_pause_sla()

    def test_filters_and_groups_of_the_ticket_list(self):
        late, risky, paused = self._open(), self._open("01-05 11:00"), self._open("01-05 13:00")
        tickets = late | risky | paused
        self._at("01-05 13:30", paused._pause_sla, "x")
        with freeze_time(moment("01-05 14:20")):
            for status, found in (("breached", late), ("at_risk", risky)):
                domain = [("sla_status", "=", status), ("id", "in", tickets.ids)]
                self.assertEqual(tickets.search(domain), found)
            action = self.env.ref("support_contract.action_support_sla_tickets").sudo()
            domain = literal_eval(action.domain) + [("id", "in", tickets.ids)]
            self.assertEqual(tickets.search(domain), late | risky)
        paused_now = tickets.search([("sla_timer_ids.state", "=", "paused")]) & tickets
        self.assertEqual(paused_now, paused)
        groups = tickets._read_group([("id", "in", tickets.ids)], ["sla_policy_id"], ["__count"])
        self.assertEqual(groups, [(self.policy, 3)])
        ordered = tickets.search([("id", "in", tickets.ids)], order="sla_deadline")
        self.assertEqual(ordered, late + risky + paused)


@tagged("post_install", "-at_install")
class TestSlaClockInBrowser(CountdownCommon, HttpCase):
    """What a browser makes of a countdown: it must say what the server would, at any moment."""

    def test_the_browser_counts_like_the_server(self):
        ticket = self._open("01-05 16:00")
        self._say("01-05 16:10", self._open(), author=self.colleague)
        clock = self._clock(ticket, "response")
        sent = self._get_countdown("01-05 16:30", clock)
        expected = {}
        for at in (
            "01-05 16:30",
            "01-05 16:59",
            "01-05 23:00",
            "01-06 09:00",
            "01-06 11:11",
            "01-06 11:12",
            "01-06 12:00",
            "01-06 12:01",
            "01-07 10:00",
        ):
            later = self._get_countdown(at, clock)
            expected[epoch(at)] = [later["left"], later["status"]]
        code = CODE.replace("SENT", json.dumps(sent)).replace("EXPECTED", json.dumps(expected))
        self.browser_js(
            "/odoo",
            code,
            "odoo.isReady",
            login="admin",
        )
