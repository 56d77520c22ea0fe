# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import SQL

from ..models.support_sla_policy import PRIORITIES
from ..models.support_sla_target import KINDS


class SupportSlaReport(models.Model):
    """Whether promises are kept, and how long customers wait, in working time (Y47, ex. E27).

    A row is a clock and has its id. It is right between two runs of the minute job as well: a
    deadline that has passed counts as missed, whether or not it was noticed.
    """

    _name = "support.sla.report"
    _description = "SLA Compliance"
    _auto = False
    _order = "started_at desc, id desc"
    _rec_name = "ticket_id"
    _depends = {
        "support.sla.timer": [
            "ticket_id", "company_id", "kind", "version_id", "priority", "target", "state",
            "started_at", "ended_at", "deadline", "breached_at", "elapsed",
        ],
        "support.sla.version": ["policy_id"],
        "helpdesk.ticket": ["team_id", "user_id", "commercial_partner_id", "contract_id"],
    }  # fmt: skip

    ticket_id = fields.Many2one("helpdesk.ticket", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    kind = fields.Selection(KINDS, string="Promise", readonly=True)
    policy_id = fields.Many2one("support.sla.policy", string="SLA", readonly=True)
    version_id = fields.Many2one("support.sla.version", string="SLA Version", readonly=True)
    priority = fields.Selection(PRIORITIES, readonly=True)
    team_id = fields.Many2one("helpdesk.ticket.team", readonly=True)
    user_id = fields.Many2one("res.users", string="Assigned User", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    contract_id = fields.Many2one("support.contract", readonly=True)
    started_at = fields.Datetime(string="Started", readonly=True)
    deadline = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(string="Ended", readonly=True)
    broken_at = fields.Datetime(string="Breached", readonly=True)
    outcome = fields.Selection(
        [
            ("kept", "Kept"),
            ("missed", "Missed"),
            ("open", "Open"),
            ("stopped", "Stopped"),
        ],
        readonly=True,
        help="Open: neither kept nor missed so far. Stopped: nobody waits any more, in time.",
    )
    clocks = fields.Integer(string="Promises", readonly=True)
    met = fields.Integer(string="Kept", readonly=True)
    missed = fields.Integer(readonly=True)
    kept_percent = fields.Float(
        string="% Kept",
        readonly=True,
        aggregator="avg",
        help="Of the promises that were kept or missed.",
    )
    first_response_hours = fields.Float(
        string="Avg. Time to First Response",
        readonly=True,
        aggregator="avg",
        help="Working hours from the opening to the first public answer, pauses taken off.",
    )
    response_hours = fields.Float(
        string="Avg. Time to Response",
        readonly=True,
        aggregator="avg",
        help="Of the first answer and of every one that the customer waited for later.",
    )
    resolution_hours = fields.Float(
        string="Avg. Time to Resolution",
        readonly=True,
        aggregator="avg",
        help="Working hours from the opening to the resolution, pauses taken off.",
    )
    over_hours = fields.Float(
        string="Time over Target",
        readonly=True,
        help="Working hours by which promises were missed, of those that are over.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT clock.id, clock.ticket_id, clock.company_id, clock.kind, clock.version_id,
                   version.policy_id, clock.priority, ticket.team_id, ticket.user_id,
                   ticket.commercial_partner_id AS partner_id, ticket.contract_id,
                   clock.started_at, clock.deadline, clock.ended_at, clock.broken_at,
                   CASE WHEN clock.broken_at IS NOT NULL THEN 'missed'
                        WHEN clock.state = 'met' THEN 'kept'
                        WHEN clock.state = 'stopped' THEN 'stopped'
                        ELSE 'open' END AS outcome,
                   1 AS clocks,
                   CASE WHEN clock.state = 'met' AND clock.broken_at IS NULL THEN 1
                        ELSE 0 END AS met,
                   CASE WHEN clock.broken_at IS NULL THEN 0 ELSE 1 END AS missed,
                   CASE WHEN clock.broken_at IS NOT NULL THEN 0.0
                        WHEN clock.state = 'met' THEN 100.0 END AS kept_percent,
                   CASE WHEN clock.state = 'met' AND clock.kind = 'response'
                        THEN clock.elapsed / 3600.0 END AS first_response_hours,
                   CASE WHEN clock.state = 'met' AND clock.kind <> 'resolution'
                        THEN clock.elapsed / 3600.0 END AS response_hours,
                   CASE WHEN clock.state = 'met' AND clock.kind = 'resolution'
                        THEN clock.elapsed / 3600.0 END AS resolution_hours,
                   CASE WHEN clock.broken_at IS NOT NULL AND clock.ended_at IS NOT NULL
                        THEN GREATEST(clock.elapsed - clock.target, 0) / 3600.0
                        ELSE 0.0 END AS over_hours
              FROM (SELECT *,
                           COALESCE(breached_at,
                                    CASE WHEN state = 'running' AND deadline < %s
                                         THEN deadline END) AS broken_at
                      FROM support_sla_timer) AS clock
              JOIN support_sla_version version ON version.id = clock.version_id
              JOIN helpdesk_ticket ticket ON ticket.id = clock.ticket_id
            """,
            fields.Datetime.now(),
        )

    @api.model
    def _get_kept(self, name, records):
        """Return of records how many promises were kept or missed, and the percentage kept.

        :param name: the field that leads to the records
        :rtype: dict[record, tuple[int, float]]
        """
        groups = self._read_group(
            [(name, "in", records.ids), ("outcome", "in", ("kept", "missed"))],
            [name],
            ["clocks:sum", "kept_percent:avg"],
        )
        return {record: (clocks, percent) for record, clocks, percent in groups}

    @api.model
    def _get_action(self, name, record):
        """Return the report on a policy, a contract, …"""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_sla_report"
        )
        return action | {"domain": [(name, "=", record.id)], "context": {}}

    def action_open(self):
        """Open the ticket of this row."""
        self.ensure_one()
        return self.ticket_id._get_records_action()
