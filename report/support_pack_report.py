# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import SQL

from ..models.product_template import PACKS, UNITS


class SupportPackReport(models.Model):
    """Sold support packs: what they granted, what is used and left, and until when (B55).

    Staff see it without seeing orders. Its id is that of the order line.
    """

    _name = "support.pack.report"
    _description = "Sold Support Pack"
    _auto = False
    _order = "date_order desc, id desc"
    _rec_name = "order_name"

    order_id = fields.Many2one("sale.order", readonly=True)
    order_name = fields.Char(string="Order Number", readonly=True)
    product_id = fields.Many2one("product.template", string="Pack", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date_order = fields.Datetime(string="Ordered On", readonly=True)
    support_pack = fields.Selection(PACKS, string="Kind", readonly=True)
    unit = fields.Selection(UNITS, readonly=True)
    date_from = fields.Date(string="First Day", readonly=True)
    date_to = fields.Date(string="Last Day", readonly=True, help="Empty: for life.")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("coming", "Coming"),
            ("running", "Running"),
            ("ended", "Ended"),
            ("cancelled", "Taken back"),
        ],
        readonly=True,
        help="Waiting: ordered, but not yet invoiced or paid. Coming: its first day is later. "
        "Taken back: the order was cancelled or credited.",
    )
    granted = fields.Float(readonly=True, help="Hours, or incidents, over all months.")
    used = fields.Float(readonly=True)
    lapsed = fields.Float(readonly=True)
    left_now = fields.Float(readonly=True, help="What can be used today.")
    left_later = fields.Float(readonly=True, help="What later months bring.")
    used_percent = fields.Float(
        string="Used %", compute="_compute_used_percent", help="Of what it granted."
    )
    price = fields.Monetary(
        readonly=True, groups="support_contract.group_support_prices", help="Without taxes."
    )

    @property
    def _table_query(self):
        # The reader's today, not that of each customer: good enough for a list.
        return SQL(
            """
            SELECT line.id, line.order_id, sale.name AS order_name,
                   line.support_product_id AS product_id, sale.date_order, line.company_id,
                   customer.commercial_partner_id AS partner_id, line.currency_id,
                   line.support_pack, line.support_unit AS unit,
                   line.support_date_from AS date_from, line.support_date_to AS date_to,
                   line.price_subtotal AS price,
                   units.granted / scale.one AS granted, units.used / scale.one AS used,
                   units.lapsed / scale.one AS lapsed, units.left_now / scale.one AS left_now,
                   units.left_later / scale.one AS left_later,
                   CASE WHEN line.support_units_synced = 0 THEN
                             CASE WHEN sale.state = 'cancel' OR units.known THEN 'cancelled'
                                  ELSE 'waiting' END
                        WHEN line.support_date_to < %(today)s THEN 'ended'
                        WHEN line.support_date_from > %(today)s THEN 'coming'
                        ELSE 'running' END AS state
              FROM sale_order_line line
              JOIN sale_order sale ON sale.id = line.order_id
              JOIN res_partner customer ON customer.id = sale.partner_id
             CROSS JOIN LATERAL (
                   SELECT CASE WHEN line.support_unit = 'time' THEN 3600.0 ELSE 1.0 END AS one
                   ) AS scale
             CROSS JOIN LATERAL (
                   SELECT COALESCE(SUM(quantity), 0) AS granted, COALESCE(SUM(used), 0) AS used,
                          COALESCE(SUM(lapsed), 0) AS lapsed,
                          COALESCE(SUM(remaining) FILTER (
                                   WHERE date_from <= %(today)s
                                     AND (date_to IS NULL OR date_to >= %(today)s)), 0)
                              AS left_now,
                          COALESCE(SUM(remaining) FILTER (WHERE date_from > %(today)s), 0)
                              AS left_later,
                          COUNT(*) > 0 AS known
                     FROM support_entitlement WHERE sale_line_id = line.id
                   ) AS units
             WHERE line.support_product_id IS NOT NULL
               AND (sale.state = 'sale' OR units.known)
            """,
            today=fields.Date.context_today(self),
        )

    @api.depends("granted", "used")
    def _compute_used_percent(self):
        for pack in self:
            pack.used_percent = 100.0 * pack.used / pack.granted if pack.granted else 0.0

    def action_view_grants(self):
        """Show the grants of this pack, one per month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement"
        )
        return action | {"domain": [("sale_line_id", "=", self.id)], "context": {}}

    def action_view_order(self):
        """Show the order that sold this pack."""
        self.ensure_one()
        return self.order_id._get_records_action()
