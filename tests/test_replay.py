# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The replay of a real log: reading it, and the rule by which work follows from it."""

import gzip
import importlib.util
import tempfile
from datetime import datetime
from pathlib import Path
from unittest import SkipTest

from odoo.tests import BaseCase

SCRIPT = Path(__file__).parents[1] / "scripts" / "replay_log.py"
# State, assignee, moment, reassignments, group; the rest is the same in all rows.
ROWS = [
    ("New", "?", "01-03-2016 08:00", 0, "Group 1"),
    ("Active", "Resolver 1", "01-03-2016 08:10", 0, "Group 1"),
    ("Active", "Resolver 1", "01-03-2016 08:10", 0, "Group 1"),
    ("-100", "?", "01-03-2016 09:00", 0, "?"),
    ("Awaiting User Info", "Resolver 1", "01-03-2016 09:30", 0, "Group 1"),
    ("Active", "Resolver 2", "01-03-2016 10:00", 2, "Group 2"),
    ("Resolved", "Resolver 2", "02-03-2016 10:00", 2, "Group 2"),
    ("Closed", "Resolver 2", "07-03-2016 10:00", 2, "Group 2"),
]


class TestReplayLog(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not SCRIPT.exists():
            raise SkipTest("The development scripts aren't installed with the add-on.")
        spec = importlib.util.spec_from_file_location("replay_log", SCRIPT)
        cls.log = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.log)

    def _write(self, rows, name="log.csv", columns=None):
        columns = columns or self.log.COLUMNS
        lines = [",".join(columns)]
        for count, (state, assignee, moment, reassigned, group) in enumerate(rows):
            values = {
                "number": "INC1",
                "incident_state": state,
                "reassignment_count": reassigned,
                "reopen_count": 0,
                "sys_mod_count": count,
                "opened_at": "01-03-2016 07:55",
                "sys_updated_at": moment,
                "contact_type": "Phone",
                "location": "Location 7",
                "category": "Category 9",
                "impact": "2 - Medium",
                "priority": "3 - Moderate",
                "assignment_group": group,
                "assigned_to": assignee,
                "resolved_by": "Resolved by 5",
            }
            lines.append(",".join(str(values.get(column, "?")) for column in columns))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / name
        text = "\n".join(lines).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    def test_reading(self):
        (incident,) = self.log.read(self._write(ROWS, "log.csv.gz"))
        self.assertEqual(incident.opened_at, datetime(2016, 3, 1, 7, 55))
        self.assertEqual(incident.title, "Category 9")
        self.assertEqual(len(incident.events), len(ROWS))
        unknown = incident.events[3]
        self.assertEqual(
            (unknown.state, unknown.group, unknown.contact), (None, "Group 1", ("Location 7", None))
        )

    def test_order_of_rows(self):
        straight = self.log.read(self._write(ROWS))[0].events
        by_moment = self.log.read(self._write(ROWS[:1] + ROWS[:0:-1]))[0].events
        self.assertEqual(
            [event.moment for event in straight], [event.moment for event in by_moment]
        )

    def test_rule_of_work(self):
        (incident,) = self.log.read(self._write(ROWS))
        self.assertEqual(
            [
                (work.staff, work.start.hour, work.minutes, work.activity)
                for work in self.log.get_work(incident)
            ],
            [
                ("Resolver 1", 8, 25, "Phone support"),
                ("Resolver 1", 9, 5, "Phone support"),
                ("Resolver 2", 10, 35, "On-site repair"),
                ("Resolved by 5", 10, 35, "On-site repair"),
            ],
        )

    def test_bad_input_says_what_is_wrong(self):
        late = [("New", "?", "30-02-2016 08:00", 0, "Group 1")]
        cases = [
            (self._write(late), "line 2: sys_updated_at is “30-02-2016 08:00”"),
            (self._write(ROWS, columns=["number", "location"]), "lacks the columns incident_state"),
            (self._write([]), "has no rows"),
            (Path("/nowhere/log.csv"), "can't be read"),
        ]
        for path, text in cases:
            with self.subTest(text), self.assertRaisesRegex(self.log.LogError, text):
                self.log.read(path)
