# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import SQL


class SupportBalanceReport(models.Model):
    """What each customer has left of a unit, for life and for a time, and what expires (B39, B55).

    Quantities are hours or incidents. Days are the customer's, as on the grants.
    """

    _name = "support.balance.report"
    _description = "Balance of Support Units"
    _auto = False
    _order = "available, partner_id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    unit = fields.Selection([("time", "Time"), ("incident", "Incidents")], readonly=True)
    lifetime_granted = fields.Float(readonly=True)
    lifetime_used = fields.Float(readonly=True)
    lifetime_left = fields.Float(readonly=True)
    limited_granted = fields.Float(
        string="Time-Limited Granted", readonly=True, help="In windows that are open today."
    )
    limited_used = fields.Float(string="Time-Limited Used", readonly=True)
    limited_left = fields.Float(string="Time-Limited Left", readonly=True)
    used = fields.Float(readonly=True, help="Of what can be used today.")
    available = fields.Float(readonly=True, help="What can be used today; below zero is owed.")
    coming = fields.Float(readonly=True, help="Granted, but not usable before a later day.")
    next_expiry = fields.Date(string="Next Expires On", readonly=True, aggregator="min")
    expiring = fields.Float(string="Expires Then", readonly=True)
    last_use = fields.Date(readonly=True, aggregator="max")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT MIN(part.id) AS id, part.company_id, part.partner_id, part.unit,
                   COALESCE(SUM(part.quantity) FILTER (WHERE part.life), 0) / part.size
                       AS lifetime_granted,
                   COALESCE(SUM(part.used) FILTER (WHERE part.life), 0) / part.size
                       AS lifetime_used,
                   COALESCE(SUM(part.remaining) FILTER (WHERE part.life), 0) / part.size
                       AS lifetime_left,
                   COALESCE(SUM(part.quantity) FILTER (WHERE NOT part.life), 0) / part.size
                       AS limited_granted,
                   COALESCE(SUM(part.used) FILTER (WHERE NOT part.life), 0) / part.size
                       AS limited_used,
                   COALESCE(SUM(part.remaining) FILTER (WHERE NOT part.life), 0) / part.size
                       AS limited_left,
                   COALESCE(SUM(part.used), 0) / part.size AS used,
                   COALESCE(SUM(part.remaining), 0) / part.size AS available,
                   COALESCE(SUM(part.coming), 0) / part.size AS coming,
                   MIN(part.date_to) FILTER (WHERE NOT part.life AND part.remaining > 0)
                       AS next_expiry,
                   COALESCE((ARRAY_AGG(part.remaining ORDER BY part.date_to)
                       FILTER (WHERE NOT part.life AND part.remaining > 0))[1], 0) / part.size
                       AS expiring,
                   (SELECT MAX(entry.date) FROM support_entitlement_entry entry
                     WHERE entry.partner_id = part.partner_id
                       AND entry.company_id = part.company_id
                       AND entry.unit = part.unit AND entry.kind = 'draw') AS last_use
              FROM (%s) AS part
             GROUP BY part.company_id, part.partner_id, part.unit, part.size
            """,
            self._by_end(),
        )

    def _by_end(self):
        """Grants of a customer that end on the same day; `size` makes hours of seconds."""
        return SQL(
            """
            SELECT MIN(dated.id) AS id, dated.company_id, dated.partner_id, dated.unit,
                   dated.date_to, dated.date_to IS NULL AS life,
                   CASE WHEN dated.unit = 'time' THEN 3600.0 ELSE 1.0 END AS size,
                   SUM(dated.quantity) FILTER (WHERE dated.valid) AS quantity,
                   SUM(dated.used) FILTER (WHERE dated.valid) AS used,
                   SUM(dated.remaining) FILTER (WHERE dated.valid) AS remaining,
                   SUM(dated.remaining) FILTER (WHERE dated.coming) AS coming
              FROM (%s) AS dated
             GROUP BY dated.company_id, dated.partner_id, dated.unit, dated.date_to
            """,
            self._dated(),
        )

    def _dated(self):
        """Grants, and whether they can be used today where the customer is, or later."""
        return SQL(
            """
            SELECT grant_.id, grant_.company_id, grant_.partner_id, grant_.unit, grant_.date_to,
                   grant_.quantity, grant_.used, grant_.remaining,
                   grant_.date_from > zone.today AS coming,
                   grant_.date_from <= zone.today
                       AND (grant_.date_to IS NULL OR grant_.date_to >= zone.today) AS valid
              FROM support_entitlement grant_
              JOIN res_partner partner ON partner.id = grant_.partner_id
              JOIN res_company company ON company.id = grant_.company_id
              JOIN res_partner seller ON seller.id = company.partner_id
              LEFT JOIN support_contract contract ON contract.id = grant_.contract_id
             CROSS JOIN LATERAL (
                   SELECT (%s::timestamp AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(
                       contract.tz, partner.tz, seller.tz, 'UTC'))::date AS today) AS zone
            """,
            fields.Datetime.now(),
        )

    def action_view_grants(self):
        """Show the grants of these customers and units."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_entitlement"
        )
        return action | {
            "name": self.env._("Grants of %s", self[:1].partner_id.display_name),
            "domain": [
                ("partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
                ("unit", "in", self.mapped("unit")),
            ],
            "context": {},
        }
