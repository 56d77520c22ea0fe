# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Days and moments in a customer's time zone. Moments are naive UTC, as Odoo stores them."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def local_day(moment: datetime, zone: str | None) -> date:
    """The day on which a naive UTC moment falls in a time zone (None: UTC)."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC")).date()


def local_clock(moment: datetime, zone: str | None) -> time:
    """The time of day that a naive UTC moment is in a time zone (None: UTC)."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC")).time()


def midnight(day: date, zone: str | None) -> datetime:
    """The naive UTC moment at which a day begins in a time zone (None: UTC)."""
    return local_moment(day, time.min, zone)


def local_moment(day: date, clock: time, zone: str | None) -> datetime:
    """The naive UTC moment of a time of day in a time zone (None: UTC).

    A time that the clocks skip is read with the offset before the change, one that they
    show twice is the first of the two.
    """
    local = datetime.combine(day, clock, tzinfo=ZoneInfo(zone or "UTC"))
    return local.astimezone(UTC).replace(tzinfo=None)
