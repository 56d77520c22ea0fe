# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import SQL

from .support_charge import FROZEN_STATES


class AccountAnalyticLine(models.Model):
    """Work after the end of its ticket's contract (L6).

    *Rollover*: it waits, and is applied to the holder's next contract once that has begun: on its
    own day, or on the first day of that contract if it was done before. *Ignore*: it is kept for
    reports and charged by nobody, whatever contract comes. Which of the two is a fact of the
    moment at which the work was recorded; under which contract it falls follows from the days.
    """

    _inherit = "account.analytic.line"

    after_end_policy = fields.Selection(
        [("rollover", "Rollover"), ("ignore", "Ignore")],
        readonly=True,
        copy=False,
        string="After the Contract's End",
        help="What the company's rule was when this work was recorded.",
    )
    support_state = fields.Selection(
        selection_add=[
            ("waiting", "Waits for the next contract"),
            ("ignored", "After the contract's end"),
        ]
    )

    # === COMPUTE METHODS === #

    @api.depends("ticket_id.equipment_id", "after_end_policy")
    def _compute_rated_pieces(self):
        return super()._compute_rated_pieces()

    @api.depends("support_contract_id", "work_start", "after_end_policy")
    def _compute_support_state(self):
        result = super()._compute_support_state()
        for line in self:
            if (
                line.support_state == "billable"
                and not line.support_contract_id
                and line._is_after_end()
            ):
                rolls = line.after_end_policy == "rollover"
                line.support_state = "waiting" if rolls else "ignored"
        return result

    # === CRUD METHODS === #

    def _prepare_work_values(self, vals, projects):
        """Note the company's rule with the work, when that comes to a ticket."""
        vals = super()._prepare_work_values(vals, projects)
        if not self:
            vals["after_end_policy"] = False  # whatever the context says
        if vals.get("ticket_id") and not self[:1].after_end_policy:
            ticket = self.env["helpdesk.ticket"].browse(vals["ticket_id"])
            # The rule for work after an end is a setting, of the contract or the company.
            contract, company = ticket.contract_id.sudo(), ticket.company_id.sudo()
            vals["after_end_policy"] = (
                contract._get_after_end_policy() if contract else company.support_expired_work
            )
        return vals

    # === BUSINESS METHODS === #

    def _is_after_end(self):
        """Return whether the ticket's contract had ended when this work was done."""
        self.ensure_one()
        contract = self.ticket_id.contract_id.sudo()  # staff: to compare dates only
        return bool(
            contract.date_end
            and self.work_start
            and contract.state not in ("draft", "cancelled")
            and contract._get_local_day(self.work_start) > contract.date_end
        )

    def _get_contract(self):
        """Return the contract that covers the work; after its end, the next one or none."""
        contract = super()._get_contract()
        if contract or self.after_end_policy != "rollover" or not self._is_after_end():
            return contract
        ended = self.ticket_id.contract_id.sudo()  # staff: to compare dates only
        day = ended._get_local_day(self.work_start)
        return ended._get_successor(day, self.ticket_id.equipment_id)

    def _precedes_contract(self):
        """Return whether the work was done before the contract began to which it is applied."""
        self.ensure_one()
        contract = self.support_contract_id.sudo()  # staff: to compare dates only
        return (
            bool(contract)
            and contract != self.ticket_id.contract_id.sudo()
            and contract._get_local_day(self.work_start) < contract.date_start
        )

    # === DEMAND === #

    def _get_day(self):
        if self._precedes_contract():
            return self.support_contract_id.sudo().date_start  # a date of its contract only
        return super()._get_day()

    def _get_moment(self):
        if self._precedes_contract():
            contract = self.support_contract_id.sudo()  # a date of its contract only
            return contract._get_midnight(contract.date_start)
        return super()._get_moment()

    def _get_order(self):
        """What counts at the same moment, the beginning of a contract, keeps its own order."""
        return self._get_moment(), self.work_start, self.id

    @api.model
    def _get_work_query(self, starts):
        """Add the work that counts at the beginning of its contract, before which it was done."""
        return SQL(
            """
            %(query)s
             UNION
            SELECT line.id
              FROM (VALUES %(pools)s) AS pool (company, partner, start)
              JOIN support_contract contract ON contract.company_id = pool.company
                   AND contract.commercial_partner_id = pool.partner
             CROSS JOIN LATERAL (SELECT timezone('UTC', timezone(
                   contract.tz, contract.date_start::timestamp)) AS start) AS life
              JOIN account_analytic_line line ON line.support_contract_id = contract.id
                   AND line.work_start < life.start
             WHERE life.start >= pool.start AND line.support_billable AND line.billable_seconds > 0
               AND NOT EXISTS (SELECT 1 FROM support_charge charge
                                WHERE charge.time_entry_id = line.id AND charge.active
                                  AND charge.state IN %(frozen)s)
            """,
            query=super()._get_work_query(starts),
            pools=SQL(", ").join(
                SQL("(%s, %s, %s::timestamp)", company, partner, start)
                for (company, partner, _unit), start in starts.items()
            ),
            frozen=FROZEN_STATES,
        )
