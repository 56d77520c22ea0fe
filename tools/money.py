# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Rounding of exact amounts."""

from decimal import Decimal
from fractions import Fraction


def round_to(value: Fraction | Decimal, step: Decimal) -> Decimal:
    """The value in whole steps of a currency's rounding; halves go away from zero.

    Raises ValueError when the step is not positive.
    """
    if step <= 0:
        raise ValueError(f"A rounding must be positive, not {step}")
    steps = abs(Fraction(value)) / Fraction(step)
    whole = (2 * steps.numerator + steps.denominator) // (2 * steps.denominator)
    return whole * step if value >= 0 else -whole * step
