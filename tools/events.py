# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What customers get for what they pay, and whose units are taken back first."""

from collections.abc import Hashable, Iterable
from decimal import Decimal


def earned(total: Decimal, step: Decimal, units: int) -> tuple[int, Decimal]:
    """Units for everything paid so far, and the part of it that counts towards the next ones.

    `units` for each full `step` of the total (B13, B60): 250 with a step of 100 are two steps,
    50 are carried. The total says it all: in which payments it came, and which of them were
    taken back, makes no difference. Raises ValueError on a step that isn't positive or on
    negative amounts or units.
    """
    if step <= 0:
        raise ValueError(f"The amount to pay must be positive, not {step}")
    if total < 0 or units < 0:
        raise ValueError(f"Neither payments nor units can be negative: {total}, {units}")
    steps = int(total // step)
    return steps * units, total - steps * step


def newest_first(given: Iterable[tuple[Hashable, int]], units: int) -> list[tuple[Hashable, int]]:
    """From which grants units are taken back: [(key, units)], the last given first.

    `given` are (key, units still given) from the oldest to the newest; those without units
    are passed over. Raises ValueError when more is taken back than was given.
    """
    taken = []
    for key, there in reversed(list(given)):
        if units <= 0:
            break
        if there > 0:
            taken.append((key, min(there, units)))
            units -= taken[-1][1]
    if units > 0:
        raise ValueError(f"{units} units more are taken back than were given")
    return taken
