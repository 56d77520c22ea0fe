# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from . import (
    support_balance_chart,
    support_balance_report,
    support_forecast,
    support_pack_report,
    support_sla_report,
    support_statement,
    support_statement_money,
    support_statement_units,
    support_term_report,
    support_time_report,
    support_undelivered,
)
