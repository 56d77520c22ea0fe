# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from . import (
    test_bill,
    test_billing_run,
    test_contract,
    test_determinism,
    test_ledger,
    test_parallel,
    test_rating,
    test_replay,
    test_screens,
    test_terms,
    test_tools_consumption,
    test_tools_periods,
    test_tools_rating,
    test_worked_example,
    test_tours,
)
