# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The arithmetic of support contracts: pure functions, without the ORM.

Time is whole seconds, incidents are whole numbers, money is Decimal and proration is
Fraction. Nothing here reads a clock, a database or a setting: same facts, same answer.
"""

from . import (
    bill_rules,
    consumption,
    events,
    forecast,
    notices,
    packs,
    periods,
    rating,
    renewal,
    spreadsheet,
    statement,
    terms_diff,
    working_time,
)

__all__ = [
    "bill_rules",
    "consumption",
    "events",
    "forecast",
    "notices",
    "packs",
    "periods",
    "rating",
    "renewal",
    "spreadsheet",
    "statement",
    "terms_diff",
    "working_time",
]
