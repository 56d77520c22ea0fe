# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from . import controllers, models, report, tools, wizards


def uninstall_hook(env):
    """Take the guard off the ledger, which is dropped with the other tables."""
    env.cr.execute("DROP FUNCTION IF EXISTS support_entitlement_entry_guard() CASCADE")
