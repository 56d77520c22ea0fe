# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.tools import format_date


class SupportCharge(models.Model):
    _inherit = "support.charge"

    @api.model
    def _prepare_time_charge(self, line, kind, seconds, price, names):
        """Have work that waited for its contract say when it was done."""
        vals = super()._prepare_time_charge(line, kind, seconds, price, names)
        if line._precedes_contract():
            lang = line.support_contract_id.partner_id.lang
            day = format_date(self.env, line.date, lang)
            texts = self.with_context(lang=lang).env
            vals["name"] = texts._("%(work)s (done on %(day)s)", work=vals["name"], day=day)
        return vals
