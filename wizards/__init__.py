# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from . import support_adjust_wizard, support_grant_wizard, support_part_wizard
