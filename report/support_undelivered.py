# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import SQL

from ..models.support_charge import FEE_KINDS, WORK_KINDS


class SupportUndelivered(models.Model):
    """Due but not delivered (Q19): what customers pay for and don't use, term by term.

    A row is a term of a contract; units that are granted once for the whole contract are a row of
    their own. Units carried into a later term are due there, and count there. Their value is the
    unused share of the fee, and of what was paid for single grants the unused part.
    """

    _name = "support.undelivered"
    _description = "Due but Not Delivered"
    _auto = False
    _order = "unused_percent desc, date_start desc, id desc"
    _rec_name = "contract_id"

    contract_id = fields.Many2one("support.contract", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    plan_id = fields.Many2one("support.plan", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    term_id = fields.Many2one("support.contract.term", readonly=True)
    date_start = fields.Date(string="From", readonly=True)
    date_end = fields.Date(string="Until", readonly=True)
    over = fields.Boolean(readonly=True, help="It can't be used any more.")
    latest = fields.Boolean(readonly=True, help="The last term of the contract that is over.")
    hours_granted = fields.Float(readonly=True, help="Carried into the term, too.")
    hours_used = fields.Float(readonly=True)
    hours_unused = fields.Float(readonly=True, help="Lapsed, or still left; not what was carried.")
    incidents_granted = fields.Integer(readonly=True)
    incidents_used = fields.Integer(readonly=True)
    incidents_unused = fields.Integer(readonly=True)
    unused_percent = fields.Float(
        string="Unused %",
        readonly=True,
        aggregator="avg",
        help="Of what was due; where hours and incidents are due, the mean of both.",
    )
    low_terms = fields.Integer(
        string="Terms in a Row",
        readonly=True,
        aggregator="max",
        help="For how many terms, up to this one, less was used than the company's threshold.",
    )
    last_activity = fields.Date(
        readonly=True, aggregator="max", help="When work for the contract was last done."
    )
    fee = fields.Monetary(
        readonly=True,
        groups="support_contract.group_support_prices",
        help="What the recurring products of the term were charged, untaxed.",
    )
    unused_value = fields.Monetary(
        string="Value Unused", readonly=True, groups="support_contract.group_support_prices"
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT part.id, part.contract_id, contract.commercial_partner_id AS partner_id,
                   contract.plan_id, contract.company_id, contract.currency_id, contract.user_id,
                   part.term_id, part.date_start, part.date_end, part.over,
                   part.over AND part.date_end = MAX(part.date_end) FILTER (WHERE part.over)
                       OVER (PARTITION BY part.contract_id) AS latest,
                   part.hours_granted, part.hours_used, part.hours_unused,
                   part.incidents_granted, part.incidents_used, part.incidents_unused,
                   100 * part.share AS unused_percent,
                   CASE WHEN part.over AND part.low THEN
                        COUNT(*) FILTER (WHERE part.low) OVER streak ELSE 0 END AS low_terms,
                   activity.last AS last_activity, part.fee,
                   part.fee * part.fee_share + part.paid_unused AS unused_value
              FROM (%s) AS part
              JOIN support_contract contract ON contract.id = part.contract_id
              LEFT JOIN LATERAL (
                   SELECT MAX(charge.date) AS last
                     FROM support_charge charge
                    WHERE charge.contract_id = part.contract_id AND charge.kind IN %s
                      AND charge.cancelled IS NOT TRUE AND charge.active
                   ) AS activity ON TRUE
            WINDOW streak AS (PARTITION BY part.contract_id, part.whole, part.breaks
                              ORDER BY part.date_start, part.id)
            """,
            self._with_streaks(),
            WORK_KINDS,
        )

    def _with_streaks(self):
        """Number the breaks in a row of badly used terms: between two of them it is one row."""
        return SQL(
            """
            SELECT rated.*,
                   COUNT(*) FILTER (WHERE NOT rated.low) OVER (
                       PARTITION BY rated.contract_id, rated.whole
                       ORDER BY rated.date_start, rated.id) AS breaks
              FROM (
                    SELECT term.*, (1 - term.share) * 100 < company.support_low_use_percent
                               AS low
                      FROM (%s) AS term
                      JOIN res_company company ON company.id = term.company_id
                   ) AS rated
            """,
            self._by_term(),
        )

    def _by_term(self):
        """Both units of a term in one row, and its fee."""
        return SQL(
            """
            SELECT unit.term_id * 2 + unit.whole::integer AS id, unit.contract_id, unit.term_id,
                   unit.company_id, unit.whole, MIN(unit.date_start) AS date_start,
                   MAX(unit.date_end) AS date_end, BOOL_AND(unit.over) AS over,
                   SUM(CASE WHEN unit.unit = 'time' THEN unit.granted ELSE 0 END) / 3600.0
                       AS hours_granted,
                   SUM(CASE WHEN unit.unit = 'time' THEN unit.used ELSE 0 END) / 3600.0
                       AS hours_used,
                   SUM(CASE WHEN unit.unit = 'time' THEN unit.unused ELSE 0 END) / 3600.0
                       AS hours_unused,
                   SUM(CASE WHEN unit.unit = 'time' THEN 0 ELSE unit.granted END)
                       AS incidents_granted,
                   SUM(CASE WHEN unit.unit = 'time' THEN 0 ELSE unit.used END) AS incidents_used,
                   SUM(CASE WHEN unit.unit = 'time' THEN 0 ELSE unit.unused END)
                       AS incidents_unused,
                   AVG(unit.unused / unit.granted) AS share,
                   COALESCE(AVG(unit.fee_unused / unit.fee_granted), 0) AS fee_share,
                   SUM(unit.paid_unused) AS paid_unused,
                   COALESCE(MAX(fees.amount), 0) AS fee
              FROM (%s) AS unit
              LEFT JOIN LATERAL (
                   SELECT SUM(charge.amount) AS amount
                     FROM support_charge charge
                    WHERE charge.contract_id = unit.contract_id AND charge.kind IN %s
                      AND charge.cancelled IS NOT TRUE AND charge.active
                      AND CASE WHEN unit.whole THEN NOT unit.has_terms
                               ELSE charge.term_id = unit.term_id END
                   ) AS fees ON TRUE
             GROUP BY unit.contract_id, unit.term_id, unit.company_id, unit.whole
            """,
            self._by_unit(),
            FEE_KINDS,
        )

    def _by_unit(self):
        """What of a unit a term has to offer, without what was carried on, and what was used."""
        return SQL(
            """
            SELECT due.contract_id, due.term_id, due.company_id, due.unit, due.whole,
                   MIN(due.date_from) AS date_start, MAX(due.date_to) AS date_end,
                   BOOL_AND(due.over) AS over, SUM(due.granted) AS granted, SUM(due.used) AS used,
                   SUM(due.granted - due.used) AS unused,
                   SUM(due.granted) FILTER (WHERE due.paid IS NULL) AS fee_granted,
                   SUM(due.granted - due.used) FILTER (WHERE due.paid IS NULL) AS fee_unused,
                   COALESCE(SUM(due.paid * (due.granted - due.used) / due.granted), 0)
                       AS paid_unused,
                   BOOL_OR(BOOL_OR(NOT due.whole)) OVER (PARTITION BY due.contract_id)
                       AS has_terms
              FROM (%s) AS due
             WHERE due.granted > 0
             GROUP BY due.contract_id, due.term_id, due.company_id, due.unit, due.whole
            """,
            self._due(),
        )

    def _due(self):
        """The grants of contracts; what was taken beyond them isn't owed to the customer."""
        return SQL(
            """
            SELECT grant_.contract_id, grant_.term_id, grant_.company_id, grant_.unit,
                   grant_.date_from,
                   COALESCE(grant_.date_to, contract.date_end, term.date_end) AS date_to,
                   COALESCE(allowance.per = 'contract', FALSE) AS whole,
                   grant_.settled IS TRUE OR contract.state IN ('expired', 'terminated') AS over,
                   (grant_.quantity - COALESCE(lot.quantity, 0))::numeric AS granted,
                   LEAST(grant_.used, grant_.quantity - COALESCE(lot.quantity, 0)) AS used,
                   charge.amount AS paid
              FROM support_entitlement grant_
              JOIN support_contract contract ON contract.id = grant_.contract_id
              JOIN support_contract_term term ON term.id = grant_.term_id
              LEFT JOIN support_plan_allowance allowance ON allowance.id = grant_.allowance_id
              LEFT JOIN support_entitlement lot ON lot.source_id = grant_.id
              LEFT JOIN support_charge charge ON charge.id = grant_.charge_id
                   AND charge.cancelled IS NOT TRUE
             WHERE grant_.takes_back_id IS NULL
            """
        )

    # === ACTIONS === #

    def action_open(self):
        """Open the contract of this row."""
        self.ensure_one()
        return self.contract_id._get_records_action()

    def action_plan_activity(self):
        """Plan something with these customers: an activity on their contracts."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Plan an Activity"),
            "res_model": "mail.activity.schedule",
            "view_mode": "form",
            "target": "new",
            "context": {
                "active_model": "support.contract",
                "active_ids": self.contract_id.ids,
                "active_id": self.contract_id[:1].id,
            },
        }

    def action_make_ticket(self):
        """Open a ticket with this customer, under this contract."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Ticket"),
            "res_model": "helpdesk.ticket",
            "view_mode": "form",
            "context": {
                "default_partner_id": self.contract_id.partner_id.id,
                "default_contract_id": self.contract_id.id,
            },
        }
