# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which notice about the end of a contract is due: against an oracle that looks at every day."""

import unittest
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import tagged

from ..tools.notices import LATEST_DAYS, Notice, due, parse_days, schedule

START = date(2026, 1, 1)
days_lists = st.lists(st.integers(0, 60), max_size=4, unique=True)


@tagged("post_install", "-at_install")
class TestNotices(unittest.TestCase):
    def test_days_are_read(self):
        self.assertEqual(parse_days(" 7, 30;7 "), [30, 7])
        self.assertEqual(parse_days(False), [])
        for text in ("a week", "-1", "1.5", "³"):
            with self.assertRaises(ValueError, msg=text):
                parse_days(text)

    def test_schedule(self):
        notices = schedule(START, date(2026, 12, 31), [30, 0], [1, 0])
        self.assertEqual(
            notices,
            [
                Notice(date(2026, 12, 1), "before", 30),
                Notice(date(2026, 12, 31), "before", 0),
                Notice(date(2027, 1, 1), "after", 1),
            ],
        )
        self.assertEqual(schedule(START, None, [30], [1]), [])

    def test_nothing_before_the_contract_begins(self):
        notices = schedule(START, date(2026, 1, 31), [30, 7], [])
        self.assertEqual([notice.days for notice in notices], [7])

    def test_a_late_run_sends_only_the_nearest(self):
        end = date(2026, 12, 31)
        notices = schedule(START, end, [30, 7], [1, 10])
        self.assertEqual(due(notices, (), end, date(2026, 12, 26)).days, 7)
        self.assertEqual(due(notices, (), end, date(2026, 12, 20)).days, 30)
        self.assertIsNone(due(notices, {("before", 7)}, end, date(2026, 12, 26)))
        self.assertEqual(due(notices, (), end, date(2027, 1, 15)).key, ("after", 10))
        self.assertIsNone(due(notices, (), end, date(2027, 3, 1)))

    @given(st.integers(0, 120), days_lists, days_lists, st.sets(st.integers(0, 200)))
    def test_any_sequence_of_runs(self, length, before, after, runs):
        """Each notice is sent at most once, never early; a run a day sends each of them."""
        end = START + timedelta(length)
        notices = schedule(START, end, before, after)
        sent = []
        for offset in sorted(runs):
            today = START + timedelta(offset)
            for _twice in range(2):
                notice = due(notices, {n.key for n in sent}, end, today)
                if notice:
                    self.assertLessEqual(notice.day, today)
                    self.assertEqual(notice.kind == "before", today <= end)
                    self.assertLessEqual((today - notice.day).days, max(LATEST_DAYS, length))
                    sent.append(notice)
        self.assertEqual(len(sent), len(set(sent)))
        self.assertEqual(sent, sorted(sent))
        daily = []
        for offset in range(length + 100):
            notice = due(notices, {n.key for n in daily}, end, START + timedelta(offset))
            daily += [notice] if notice else []
        self.assertEqual(daily, notices)
