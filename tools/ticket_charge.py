# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a ticket's amount still asks for, beyond the charges that can't change any more.

And its instalments: which there are, and what each comes to.
"""

from collections.abc import Hashable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

ZERO = Decimal(0)


class FrozenCharge(NamedTuple):
    """A charge on an approved bill: its amount (tax included), less what was refunded of it."""

    key: Hashable
    left: Decimal


def settle(target: Decimal, frozen: Sequence[FrozenCharge]) -> dict[Hashable | None, Decimal]:
    """The charges that bring the frozen ones to the target, by what they refund.

    `None` is the key of what is charged in addition. Refunds are negative; the youngest frozen
    charge (the last one) is refunded first, none by more than is left of it. With the charges
    returned the sum is exactly the target, and nothing is returned that is zero.

    Raises ValueError when the target is negative: a charge is taken back to nothing at most.
    """
    if target < 0:
        raise ValueError(f"The amount charged on a ticket can't be negative: {target}")
    missing = target - sum((charge.left for charge in frozen), ZERO)
    if missing > 0:
        return {None: missing}
    wanted = {}
    for key, left in reversed(frozen):
        refund = min(max(left, ZERO), -missing)
        if refund > 0:
            wanted[key] = -refund
            missing += refund
    return wanted


def split(amount: Decimal, parts: int, step: Decimal) -> list[Decimal]:
    """An amount in so many parts of whole steps that are worth exactly the whole.

    They differ by one step at most; the first ones are the larger ones: 100.00 in three is
    33.34 + 33.33 + 33.33.

    Raises ValueError without a part, or when the amount isn't in whole steps.
    """
    if parts < 1:
        raise ValueError(f"An amount can't be split in {parts} parts")
    steps, rest = divmod(amount, step)
    if rest:
        raise ValueError(f"{amount} isn't in whole steps of {step}")
    each, more = divmod(abs(int(steps)), parts)
    sign = -1 if amount < 0 else 1
    return [sign * (each + (number < more)) * step for number in range(parts)]


def parse_instalments(text: str | None) -> list[int]:
    """The days after which instalments are due, as they are written: "0, 30, 60".

    Raises ValueError for anything but whole numbers of days that get larger.
    """
    words = [word.strip() for word in (text or "").replace(";", ",").split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(text)
    days = [int(word) for word in words]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError(text)
    return days
