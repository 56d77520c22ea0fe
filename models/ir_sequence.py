# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class IrSequence(models.Model):
    _inherit = "ir.sequence"

    @api.model
    def _next_many_by_code(self, code, count):
        """Return so many numbers of a sequence, in a constant number of queries.

        A sequence without gaps, or none at all, answers one by one, as ever.
        """
        domain = [("code", "=", code), ("company_id", "in", [self.env.company.id, False])]
        sequence = self.search(domain, order="company_id", limit=1)
        if count < 2 or sequence.implementation != "standard":
            return [self.next_by_code(code) for _number in range(count)]
        first = self.next_by_code(code)  # makes the range of the year where there is none
        name = f"ir_sequence_{sequence.id:03}"
        if sequence.use_date_range:
            today = fields.Date.today()
            days = sequence.date_range_ids.filtered(lambda r: r.date_from <= today <= r.date_to)[:1]
            sequence = sequence.with_context(ir_sequence_date_range=days.date_from)
            name += f"_{days.id:03}"
        self.env.cr.execute("SELECT nextval(%s) FROM generate_series(2, %s)", [name, count])
        prefix, suffix = sequence._get_prefix_suffix()
        return [first] + [
            f"{prefix}{number:0{sequence.padding}}{suffix}" for (number,) in self.env.cr.fetchall()
        ]
