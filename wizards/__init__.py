# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from . import (
    base_partner_merge,
    support_decision_mixin,
    support_activation_wizard,
    support_adjust_wizard,
    support_cancel_wizard,
    support_coverage_explanation,
    support_grant_wizard,
    support_import_wizard,
    support_import_wizard_checks,
    support_import_wizard_line,
    support_import_wizard_rows,
    support_part_wizard,
    support_top_up_wizard,
    support_top_up_undo,
    support_ticket_contract_wizard,
    support_ticket_charge_wizard,
)
