# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which notice about the end of a contract is due on which day."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

# A notice after the end that comes later than this would tell nobody anything new.
LATEST_DAYS = 30


@dataclass(frozen=True, order=True)
class Notice:
    """A notice that is sent so many days before or after the last day, from `day` on."""

    day: date
    kind: Literal["before", "after"]
    days: int

    @property
    def key(self) -> tuple[str, int]:
        return self.kind, self.days


def parse_days(text: str | None) -> list[int]:
    """The whole numbers of days in a text, each once, descending.

    Raises ValueError for anything else in it.
    """
    words = (text or "").replace(";", ",").split(",")
    return sorted({_whole(word.strip()) for word in words if word.strip()}, reverse=True)


def _whole(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ValueError(word)
    return int(word)


def schedule(
    start: date, end: date | None, before: Iterable[int], after: Iterable[int]
) -> list[Notice]:
    """The notices about one end, in the order of their days.

    What would have been due before the contract began is none: who buys a month needn't be told
    on its first day that it ends in 30 days.
    """
    if not end:
        return []
    notices = [Notice(end - timedelta(days), "before", days) for days in before]
    notices += [Notice(end + timedelta(days), "after", days) for days in after if days]
    return sorted(notice for notice in notices if notice.day > start)


def due(
    notices: Iterable[Notice], sent: Collection[tuple[str, int]], end: date, today: date
) -> Notice | None:
    """The one notice to send today, or none.

    A late run sends only the one that comes nearest to today: those before it are passed over, for
    good. Before the end only notices before it are due, afterwards only those after it.
    """
    kind = "before" if today <= end else "after"
    reached = [notice for notice in notices if notice.kind == kind and notice.day <= today]
    if not reached:
        return None
    nearest = max(reached)
    late = (today - nearest.day).days
    if nearest.key in sent or (kind == "after" and late > LATEST_DAYS):
        return None
    return nearest
