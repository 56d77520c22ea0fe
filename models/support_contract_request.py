# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from .support_contract import RUNNING_STATES


class SupportContract(models.Model):
    """The contract for one ticket: it lives from the ticket's opening to its closing (L7, L20)."""

    _inherit = "support.contract"

    def _is_for_request(self):
        self.ensure_one()
        return self.coverage == "request"

    def _check_confirmable(self):
        result = super()._check_confirmable()
        for contract in self:
            if contract._is_for_request() and not contract.request_ticket_id:
                raise UserError(
                    self.env._(
                        "%s is for a single ticket, and made from that ticket: use its button "
                        "“Create Contract”.",
                        contract.display_name,
                    )
                )
        return result

    def _end_with_ticket(self):
        """End these contracts with their tickets, today; work of today still counts."""
        for contract in self.filtered(lambda contract: contract.state in RUNNING_STATES):
            contract.date_end = max(contract._get_today(), contract.date_start)

    def _resume_with_ticket(self):
        """Have these contracts go on without end: their tickets are open again."""
        resumed = self.filtered(lambda contract: contract.state in (*RUNNING_STATES, "expired"))
        resumed.date_end = False
        resumed.filtered(lambda contract: contract.state == "expired")._set_state("active")
        resumed.term_ids.filtered(
            lambda term: term.state == "closed" and term.date_end >= term.contract_id._get_today()
        ).state = "open"
        self.env["support.contract.term"]._roll(resumed)

    def _invoice_at_once(self):
        """Bill what is due on new contracts and invoice it, where that needs no approval.

        :return: the bills
        """
        bills = self.env["support.bill"]
        for contract in self.filtered(lambda contract: contract.state in RUNNING_STATES):
            bills |= bills._generate(contract, contract._get_today())
        bills.action_submit()
        approved = bills.filtered(lambda bill: bill.state == "approved")
        if approved:
            self.env["support.invoicing"]._create_invoices(approved)
        return bills


class SupportBill(models.Model):
    _inherit = "support.bill"

    @api.model
    def _prepare_bill(self, contract_id, term_id, extra, until, run):
        """The price of a contract for one ticket is billed at once, on a bill of its own."""
        term = self.env["support.contract.term"].browse(term_id)
        once = bool(term) and not term.number and term.contract_id._is_for_request()
        return super()._prepare_bill(contract_id, term_id, extra or once, until, run)


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    request_contract_ids = fields.One2many("support.contract", "request_ticket_id", readonly=True)

    def write(self, vals):
        if not {"stage_id", "active", "team_id"}.intersection(vals):
            return super().write(vals)
        done = self.filtered(lambda ticket: ticket._is_done())
        result = super().write(vals)
        done_now = self.filtered(lambda ticket: ticket._is_done())
        if done != done_now:
            # Closing ends the contract, whoever closes: a portal user can, too.
            (done_now - done).sudo().request_contract_ids._end_with_ticket()
            (done - done_now).sudo().request_contract_ids._resume_with_ticket()
        return result

    def _is_done(self):
        """Return whether the ticket is off the table."""
        self.ensure_one()
        return self.closed or not self.active

    def action_create_contract(self):
        """Open the wizard that makes a contract for this ticket, or for its item (L15, L30)."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_ticket_contract_wizard"
        )
        return action | {"context": {"default_ticket_id": self.id}}
