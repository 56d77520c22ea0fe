# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a ticket's amount still asks for, beyond the charges that can't change any more."""

from collections.abc import Hashable, Sequence
from decimal import Decimal
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
