# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Rounding of exact amounts, and what a discount leaves of them."""

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


def less(value: Fraction | Decimal, percent: Decimal) -> Fraction:
    """The exact value less so many percent of it.

    Raises ValueError when the percentage isn't between 0 and 100.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"A discount is between 0 and 100 %, not {percent}")
    return Fraction(value) * (100 - Fraction(percent)) / 100
