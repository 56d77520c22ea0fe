# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import SQL


class SupportTimeReport(models.Model):
    """Time on tickets by day, customer and person: worked, billable, covered, charged (C63).

    A row is a time entry and has its id. Times are hours; amounts are untaxed, in the currency of
    the contract.
    """

    _name = "support.time.report"
    _description = "Time on Tickets"
    _auto = False
    _order = "date desc, work_start desc, id desc"
    _rec_name = "name"

    name = fields.Char(string="Description", readonly=True)
    time_entry_id = fields.Many2one("account.analytic.line", readonly=True)
    date = fields.Date(readonly=True)
    work_start = fields.Datetime(string="Start", readonly=True)
    ticket_id = fields.Many2one("helpdesk.ticket", readonly=True)
    team_id = fields.Many2one("helpdesk.ticket.team", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    contract_id = fields.Many2one("support.contract", readonly=True)
    employee_id = fields.Many2one("hr.employee", string="Person", readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    activity_type_id = fields.Many2one("support.activity.type", string="Activity", readonly=True)
    support_site_id = fields.Many2one("support.site", string="Site", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    support_state = fields.Selection(
        [
            ("non_billable", "Non-billable"),
            ("billable", "Billable"),
            ("billed", "Billed"),
            ("waiting", "Waits for the next contract"),
            ("ignored", "After the contract's end"),
        ],
        string="Billing",
        readonly=True,
    )
    worked_hours = fields.Float(string="Worked", readonly=True)
    billable_hours = fields.Float(
        string="Billable", readonly=True, help="With minimum and rounding."
    )
    covered_hours = fields.Float(
        string="Covered", readonly=True, help="Of the billable time, what was prepaid."
    )
    charged_hours = fields.Float(
        string="Charged Time", readonly=True, help="Of the billable time, what is to be paid."
    )
    amount = fields.Monetary(
        string="Charged",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Untaxed.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT line.id, line.id AS time_entry_id, line.name, line.date, line.work_start,
                   line.ticket_id, ticket.team_id, ticket.commercial_partner_id AS partner_id,
                   line.support_contract_id AS contract_id, line.employee_id, line.user_id,
                   line.activity_type_id, line.support_site_id, line.company_id,
                   COALESCE(contract.currency_id, company.currency_id) AS currency_id,
                   line.support_state,
                   COALESCE(line.worked_seconds, 0) / 3600.0 AS worked_hours,
                   COALESCE(line.billable_seconds, 0) / 3600.0 AS billable_hours,
                   COALESCE(charged.covered, 0) / 3600.0 AS covered_hours,
                   COALESCE(charged.paid, 0) / 3600.0 AS charged_hours,
                   COALESCE(charged.amount, 0) AS amount
              FROM account_analytic_line line
              JOIN helpdesk_ticket ticket ON ticket.id = line.ticket_id
              JOIN res_company company ON company.id = line.company_id
              LEFT JOIN support_contract contract ON contract.id = line.support_contract_id
              LEFT JOIN LATERAL (
                   SELECT SUM(charge.seconds) FILTER (WHERE charge.kind = 'covered') AS covered,
                          SUM(charge.seconds) FILTER (WHERE charge.kind <> 'covered') AS paid,
                          SUM(charge.amount) AS amount
                     FROM support_charge charge
                    WHERE charge.time_entry_id = line.id AND charge.cancelled IS NOT TRUE
                       AND charge.active
                   ) AS charged ON TRUE
            """
        )

    def action_open(self):
        """Open the time entry of this row."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Time Entry"),
            "res_model": "account.analytic.line",
            "res_id": self.time_entry_id.id,
            "views": [(self.env.ref("support_contract.view_time_entry_form").id, "form")],
        }
