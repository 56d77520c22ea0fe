"""The incident log and what the replay makes of it: pure, without Odoo.

**The log.** One row is one state of one incident (`number`) at `sys_updated_at`. The rows of an
incident are put in the order of (`sys_updated_at`, `sys_mod_count`, line in the file). `?` or an
empty cell means that nothing is known: then location, caller and group stay what they were before;
where nothing was known before, the incident has none (an unknown location is a customer of that
name, an unknown caller is the customer itself). Without an assignee the ticket keeps the one that
it has, but nobody is at work on it. A state that isn't one of `STATES` changes nothing. Moments are
taken as UTC. A row without a number, or with a moment that can't be read, is an error that names
the line: half a log isn't replayed.

**The rule of work.** Each row of an incident that has an assignee and isn't *Closed* is one piece
of work of the assignee, from the row's moment on; several rows with the same assignee and moment
are one. The first *Resolved* row is work of `resolved_by`, where it is known. A piece of work lasts

* 5 minutes in a state *Awaiting …*, else 30 at priority 1, 25 at 2, 15 at 3, 10 at 4 (or unknown);
* and 10 more when it is this person's first on the incident, for reading up, and another 5 for each
  reassignment before it (`reassignment_count`), at most 20;
* and 10 more at impact 1 (High), and 15 more when the incident has been reopened.

Its activity is *On-site repair* when at least two groups had handed it on before and the number of
its category is divisible by 3; else *Remote support* after the first reassignment; else by
`contact_type`: *Phone support* for Phone, *Desk support* for everything else. Its site is that of
the customer: by the number of the location (see `site_of`).

**The first answer.** The log has no messages. The customer is answered for the first time when the
incident leaves *New*: in the first row with another state, by the assignee of the row, where it has
none by the resolver, and where neither is known by a colleague without a name. What the source
system says of its own promises is `made_sla` of the last row; their targets are not known.
"""

import csv
import gzip
import re
import zlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

COLUMNS = (
    "number", "incident_state", "reassignment_count", "reopen_count", "sys_mod_count", "caller_id",
    "opened_at", "sys_updated_at", "contact_type", "location", "category", "subcategory",
    "u_symptom", "impact", "priority", "assignment_group", "assigned_to", "resolved_by", "made_sla",
)  # fmt: skip
STATES = (
    "New",
    "Active",
    "Awaiting User Info",
    "Awaiting Problem",
    "Awaiting Vendor",
    "Awaiting Evidence",
    "Resolved",
    "Closed",
)
SITES = ("Head office", "Branch", "Overseas")
ACTIVITIES = ("Phone support", "Desk support", "Remote support", "On-site repair")
DATE_FORMATS = ("%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S")
MINUTES_OF_PRIORITY = {1: 30, 2: 25, 3: 15}


class LogError(Exception):
    """The log can't be replayed; the message says why."""


class Event(NamedTuple):
    """One row, completed with what the rows before said."""

    index: int  # of the incident's rows
    moment: datetime
    state: str | None
    location: str | None
    caller: str | None
    group: str | None
    assignee: str | None
    resolver: str | None
    reassignments: int
    reopened: int
    priority: int
    impact: int
    category: str | None
    contact_type: str | None

    @property
    def contact(self):
        return self.location, self.caller


class Incident(NamedTuple):
    number: str
    opened_at: datetime
    title: str
    symptom: str | None
    made_sla: bool | None  # the source's own verdict
    events: tuple[Event, ...]

    @property
    def first_moment(self):
        """When it is first heard of: some rows are older than `opened_at`."""
        return min(self.opened_at, self.events[0].moment)


class Work(NamedTuple):
    number: str
    index: int  # of the event that it was derived from
    staff: str
    start: datetime
    minutes: int
    activity: str
    name: str

    @property
    def stop(self):
        return self.start + timedelta(minutes=self.minutes)


# -- Reading -----------------------------------------------------------------------------------


def read(path):
    """Return the incidents of a log (.csv or .csv.gz), in the order in which they are heard of.

    :rtype: list[Incident]
    :raise LogError: if there is no such file, or it isn't such a log
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = _read_rows(path, csv.DictReader(file))
    except (OSError, EOFError, zlib.error) as error:
        raise LogError(f"{path} can't be read: {error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LogError(f"{path} isn't a CSV file in UTF-8: {error}") from error
    if not rows:
        raise LogError(f"{path} has no rows.")
    incidents = [_make_incident(path, number, own) for number, own in rows.items()]
    return sorted(incidents, key=lambda incident: (incident.first_moment, incident.number))


def _read_rows(path, reader):
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise LogError(f"{path} lacks the columns {', '.join(missing)}.")
    rows = defaultdict(list)
    for row in reader:
        row = {name: _known(row[name]) for name in COLUMNS}
        if not row["number"]:
            raise LogError(f"{path}, line {reader.line_num}: the incident has no number.")
        moment = _moment(path, reader.line_num, row["sys_updated_at"], "sys_updated_at")
        rows[row["number"]].append((moment, _number(row["sys_mod_count"]), reader.line_num, row))
    return rows


def _make_incident(path, number, rows):
    rows.sort(key=lambda row: row[:3])
    first_line, first = rows[0][2:]
    last = dict.fromkeys(("location", "caller_id", "assignment_group"))
    events = []
    for index, (moment, _count, _line, row) in enumerate(rows):
        last = {name: row[name] or last[name] for name in last}
        events.append(
            Event(
                index=index,
                moment=moment,
                state=row["incident_state"] if row["incident_state"] in STATES else None,
                location=last["location"],
                caller=last["caller_id"],
                group=last["assignment_group"],
                assignee=row["assigned_to"],
                resolver=row["resolved_by"],
                reassignments=_number(row["reassignment_count"]),
                reopened=_number(row["reopen_count"]),
                priority=_number(row["priority"], 4),
                impact=_number(row["impact"], 3),
                category=row["category"],
                contact_type=row["contact_type"],
            )
        )
    return Incident(
        number=number,
        opened_at=_moment(path, first_line, first["opened_at"], "opened_at"),
        title=", ".join(filter(None, (first["category"], first["subcategory"]))) or number,
        symptom=first["u_symptom"],
        made_sla={"TRUE": True, "FALSE": False}.get((rows[-1][-1]["made_sla"] or "").upper()),
        events=tuple(events),
    )


def _known(text):
    text = (text or "").strip()
    return None if text in ("", "?") else text


def _number(text, default=0):
    """Return the first number in a text: 45 of 'Category 45', 1 of '1 - High'."""
    found = re.search(r"\d+", text or "")
    return int(found[0]) if found else default


def _moment(path, line, text, column):
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text or "", form)
        except ValueError:
            continue
    raise LogError(
        f"{path}, line {line}: {column} is “{text or '?'}”, not a moment like 29-02-2016 01:16."
    )


# -- What follows from it ----------------------------------------------------------------------


def get_work(incident):
    """Return the work on an incident by the rule above, in its order."""
    pieces, seen, people, resolved = [], set(), set(), False
    for event in incident.events:
        staff = event.assignee
        if event.state == "Resolved" and not resolved:
            resolved = True
            staff = event.resolver or staff
        if not staff or event.state == "Closed" or (staff, event.moment) in seen:
            continue
        seen.add((staff, event.moment))
        pieces.append(
            Work(
                number=incident.number,
                index=event.index,
                staff=staff,
                start=event.moment,
                minutes=_get_minutes(event, first=staff not in people),
                activity=_get_activity(event),
                name=f"{event.state or 'Update'}: {incident.title}",
            )
        )
        people.add(staff)
    return pieces


def get_answer(incident):
    """Return the row by which the customer is answered for the first time, by the rule above."""
    return next((event for event in incident.events if event.state not in (None, "New")), None)


def _get_minutes(event, first):
    waiting = (event.state or "").startswith("Awaiting")
    minutes = 5 if waiting else MINUTES_OF_PRIORITY.get(event.priority, 10)
    if first:
        minutes += 10 + min(5 * event.reassignments, 20)
    return minutes + 10 * (event.impact == 1) + 15 * bool(event.reopened)


def _get_activity(event):
    if event.reassignments >= 2 and _number(event.category, 1) % 3 == 0:
        return "On-site repair"
    if event.reassignments:
        return "Remote support"
    return "Phone support" if event.contact_type == "Phone" else "Desk support"


def site_of(location):
    """Return the kind of place of a location: by its number."""
    return SITES[_number(location) % len(SITES)]


def rank_locations(incidents):
    """Return [(location, number of incidents)], the busiest first, by their first location."""
    counts = Counter(incident.events[0].location for incident in incidents)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))


def get_members(incidents):
    """Return who works in which group: {group: names}."""
    members = defaultdict(set)
    for incident in incidents:
        for event in incident.events:
            if event.group and event.assignee:
                members[event.group].add(event.assignee)
    return members
