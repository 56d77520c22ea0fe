# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import format_date


class HelpdeskTicket(models.Model):
    """A ticket that is open beyond the end of its contract."""

    _inherit = "helpdesk.ticket"

    continued_contract_id = fields.Many2one(
        "support.contract",
        string="Continued Under",
        compute="_compute_contract_end",
        help="The contract to which work after the end of the ticket's own contract is applied.",
    )
    contract_end_label = fields.Char(string="Contract Ended", compute="_compute_contract_end")

    @api.depends(
        "contract_id.date_end",
        "contract_id.after_end_policy",
        "equipment_id",
        "company_id.support_expired_work",
    )
    def _compute_contract_end(self):
        for ticket in self:
            contract = ticket.contract_id.sudo()  # a portal user may have opened the ticket
            ticket.continued_contract_id = False
            ticket.contract_end_label = False
            today = contract._get_today() if contract else False
            if not contract.date_end or contract.date_end >= today:
                continue
            day = format_date(self.env, contract.date_end)
            if contract._get_after_end_policy() == "ignore":
                ticket.contract_end_label = self.env._(
                    "It ended on %s. Time logged from now on is kept, and charged by nobody.", day
                )
                continue
            ticket.continued_contract_id = ticket._get_continued_contract(today)
            following = ticket.continued_contract_id
            ticket.contract_end_label = (
                self.env._(
                    "It ended on %(day)s. Time after that is applied to %(following)s.",
                    day=day,
                    following=following.display_name,
                )
                if following
                else self.env._(
                    "It ended on %s. Time after that waits for the customer's next contract.", day
                )
            )

    def _get_continued_contract(self, day):
        """Return the contract under which work of a day after the contract's end comes, if any."""
        self.ensure_one()
        return self.contract_id.sudo()._get_successor(day, self.equipment_id)
