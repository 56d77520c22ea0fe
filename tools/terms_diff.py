# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What differs between two versions of the terms of a contract."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One term of a contract.

    `value` is what is compared, of plain JSON types; `text` is how it is read. Texts may be in
    another language from one version to the next, and names may change: that is no difference.
    """

    key: str
    section: str
    label: str
    value: Any
    text: str
    priced: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def content(self) -> tuple[str, str]:
        """What makes it the same term although its record was made anew."""
        return self.section_key, repr(self.value)

    @property
    def section_key(self) -> str:
        return self.key.split("/")[0]


@dataclass(frozen=True)
class Change:
    """A term that was changed, added (no `old`) or removed (no `new`)."""

    key: str
    section: str
    label: str
    old: str
    new: str
    priced: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(old: list[Row], new: list[Row]) -> list[Change]:
    """The changes from one list of terms to another, in the order of the new one, removed last."""
    before = {row.key: row for row in old}
    after = {row.key: row for row in new}
    removed = [row for row in old if row.key not in after]
    added = [row for row in new if row.key not in before]
    # Rows that were deleted and made again as they were haven't changed.
    same = Counter(row.content for row in removed) & Counter(row.content for row in added)
    skipped = _take(removed, same.copy()) | _take(added, same.copy())
    changes = []
    for row in new:
        earlier = before.get(row.key)
        if row.key in skipped or (earlier and earlier.value == row.value):
            continue
        changes.append(_change(row, earlier.text if earlier else "", row.text))
    changes += [_change(row, row.text, "") for row in removed if row.key not in skipped]
    return changes


def _take(rows: list[Row], contents: Counter[tuple[str, str]]) -> set[str]:
    taken = set()
    for row in rows:
        if contents[row.content]:
            contents[row.content] -= 1
            taken.add(row.key)
    return taken


def _change(row: Row, old: str, new: str) -> Change:
    return Change(row.key, row.section, row.label, old, new, row.priced)
