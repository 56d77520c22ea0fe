# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import SQL


class SupportTermReport(models.Model):
    """Consumption over the terms of contracts: what was used, went beyond, lapsed and is left."""

    _name = "support.term.report"
    _description = "Consumption by Term"
    _auto = False
    _order = "date_start, what"
    _rec_name = "term_id"

    contract_id = fields.Many2one("support.contract", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    plan_id = fields.Many2one("support.plan", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    term_id = fields.Many2one("support.contract.term", readonly=True)
    date_start = fields.Date(string="Term Start", readonly=True)
    what = fields.Selection(
        [
            ("1_used", "Used"),
            ("2_beyond", "Beyond the allowance"),
            ("3_lapsed", "Lapsed or carried"),
            ("4_left", "Left"),
        ],
        string="Units",
        readonly=True,
    )
    hours = fields.Float(readonly=True)
    incidents = fields.Integer(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT ROW_NUMBER() OVER (ORDER BY term.id, units.what) AS id,
                   term.id AS term_id, term.date_start, term.contract_id, term.company_id,
                   contract.plan_id, contract.commercial_partner_id AS partner_id, units.what,
                   SUM(units.seconds) / 3600.0 AS hours, SUM(units.incidents) AS incidents
              FROM (%s UNION ALL %s UNION ALL %s UNION ALL %s) AS units (contract_id, day,
                   what, seconds, incidents)
              JOIN support_contract contract ON contract.id = units.contract_id
              JOIN support_contract_term term ON term.contract_id = units.contract_id
                   AND term.kind = 'regular'
                   AND units.day BETWEEN term.date_start AND term.date_end
             GROUP BY term.id, term.date_start, term.contract_id, term.company_id,
                      contract.plan_id, contract.commercial_partner_id, units.what
            HAVING units.what = '1_used' OR SUM(units.seconds) <> 0 OR SUM(units.incidents) <> 0
            """,
            self._nothing(),
            self._used(),
            self._beyond(),
            self._remaining(),
        )

    def _nothing(self):
        """Have a term in which nothing was used shown as well."""
        return SQL(
            """
            SELECT contract_id, date_start, '1_used', 0, 0
              FROM support_contract_term term
             WHERE kind = 'regular' AND state <> 'upcoming'
               AND EXISTS (SELECT 1 FROM support_plan_allowance allowance
                            WHERE allowance.contract_id = term.contract_id)
            """
        )

    def _used(self):
        """What work drew, on its own day and contract, whosever the grant was."""
        return SQL(
            """
            SELECT COALESCE(line.support_contract_id, ticket.contract_id, entry.contract_id),
                   entry.date, '1_used',
                   CASE WHEN entry.unit = 'time' THEN -entry.quantity ELSE 0 END,
                   CASE WHEN entry.unit = 'time' THEN 0 ELSE -entry.quantity END
              FROM support_entitlement_entry entry
              LEFT JOIN account_analytic_line line ON line.id = entry.time_entry_id
              LEFT JOIN helpdesk_ticket ticket ON ticket.id = entry.ticket_id
             WHERE entry.kind IN ('draw', 'return')
            """
        )

    def _beyond(self):
        """What no grant covered and was charged."""
        return SQL(
            """
            SELECT charge.contract_id, charge.date, '2_beyond',
                   CASE WHEN charge.kind = 'overage' THEN charge.seconds ELSE 0 END,
                   CASE WHEN charge.kind = 'incident' THEN charge.quantity ELSE 0 END
              FROM support_charge charge
             WHERE charge.kind IN ('overage', 'incident') AND charge.cancelled IS NOT TRUE
               AND charge.active
            """
        )

    def _remaining(self):
        """What is left on grants, today or at their end."""
        return SQL(
            """
            SELECT grant_.contract_id,
                   LEAST(COALESCE(grant_.date_to, CURRENT_DATE),
                         GREATEST(CURRENT_DATE, grant_.date_from)),
                   kind.what,
                   CASE WHEN grant_.unit = 'time' THEN kind.quantity ELSE 0 END,
                   CASE WHEN grant_.unit = 'time' THEN 0 ELSE kind.quantity END
              FROM support_entitlement grant_
             CROSS JOIN LATERAL (
                   VALUES ('3_lapsed', grant_.lapsed), ('4_left', grant_.remaining)
                   ) AS kind (what, quantity)
             WHERE grant_.contract_id IS NOT NULL AND kind.quantity <> 0
            """
        )
