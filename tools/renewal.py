# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What changes when a contract is renewed or cloned: prices and days."""

from datetime import date
from decimal import Decimal

from .money import round_to
from .periods import ONE_DAY, add_months, term_index


def change_price(price: Decimal, how: str, value: Decimal, step: Decimal) -> Decimal:
    """A price raised by `value`, in whole steps of `step`; halves go away from zero.

    How: "percent" of it, "amount" added to it, "none" (the price stays as it is). Raises
    ValueError when a price that isn't negative would become so, and on an unknown `how`.
    """
    if how == "none":
        return price
    if how == "percent":
        changed = price * (100 + value) / 100
    elif how == "amount":
        changed = price + value
    else:
        raise ValueError(f"Unknown price change: {how!r}")
    if changed < 0 <= price:
        raise ValueError(f"{price} would become {changed}")
    return round_to(changed, step)


def shift_day(day: date, old_anchor: date, new_anchor: date) -> date:
    """The day that is as many months and days after the new anchor as `day` after the old one.

    Days stay inside their month of the anchor: what came first never comes later. The same
    anchor gives the same day. Raises ValueError outside of the years 1 to 9999.
    """
    months = term_index(old_anchor, 1, day, "anniversary")
    rest = day - add_months(old_anchor, months)
    following = add_months(new_anchor, months + 1)
    return min(add_months(new_anchor, months) + rest, following - ONE_DAY)


def shift_end(day: date, old_anchor: date, new_anchor: date) -> date:
    """The same for a last day: a year stays a year, however long its months are."""
    return shift_day(day + ONE_DAY, old_anchor, new_anchor) - ONE_DAY


def whole_months(start: date, end: date) -> int:
    """How many whole months a span of days lasts, both ends counted; 0 for any other length."""
    months = term_index(start, 1, end + ONE_DAY, "anniversary")
    return months if add_months(start, months) == end + ONE_DAY else 0
