# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import SQL


class SupportBalanceChart(models.Model):
    """Balances of customers, a row for each part: a graph can set them on each other."""

    _name = "support.balance.chart"
    _description = "Parts of the Balance of Support Units"
    _auto = False
    _order = "partner_id, what"
    _rec_name = "partner_id"

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    unit = fields.Selection([("time", "Time"), ("incident", "Incidents")], readonly=True)
    what = fields.Selection(
        [
            ("1_lifetime", "Left for life"),
            ("2_limited", "Left until a day"),
            ("3_used", "Used"),
        ],
        string="Part",
        readonly=True,
    )
    quantity = fields.Float(string="Units", readonly=True, help="Incidents, or hours.")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT balance.id * 3 + part.number AS id, balance.partner_id, balance.company_id,
                   balance.unit, part.what, part.quantity
              FROM (%s) AS balance
             CROSS JOIN LATERAL (
                   VALUES (0, '1_lifetime', balance.lifetime_left),
                          (1, '2_limited', balance.limited_left),
                          (2, '3_used', balance.used)
                   ) AS part (number, what, quantity)
            """,
            self.env["support.balance.report"]._table_query,
        )
