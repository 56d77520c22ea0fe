# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging

from psycopg2 import errors

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

# A transaction that met these can't go on; begun again it sees what the other one has done.
CONCURRENCY = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)


class SupportBillingRunItem(models.Model):
    """One contract in a billing run, or one customer without a contract, and how it went."""

    _name = "support.billing.run.item"
    _description = "Contract of a Support Billing Run"
    _order = "state desc, id"
    _rec_name = "contract_id"

    run_id = fields.Many2one("support.billing.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True)
    contract_id = fields.Many2one(
        "support.contract",
        index=True,
        ondelete="cascade",
        help="Empty: what the customer owes without a contract.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        ondelete="cascade",
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Done"), ("failed", "Failed")],
        required=True,
        default="waiting",
    )
    message = fields.Char(string="Reason")

    _contract_once = models.Constraint(
        "UNIQUE (run_id, contract_id)", "A contract is in a billing run only once."
    )
    _waiting = models.Index("(run_id, id) WHERE state = 'waiting'")

    @api.depends("contract_id.partner_id")
    def _compute_partner_id(self):
        for item in self:
            item.partner_id = item.contract_id.partner_id or item.partner_id

    def _bill(self, again=CONCURRENCY):
        """Bill these contracts; when one of them fails, each alone, so that only it is left out.

        :param tuple again: the errors that aren't a contract's own: the caller begins again
        """
        try:
            with self.env.cr.savepoint():
                self._bill_batch()
        except again:
            raise  # another transaction was faster: this one begins again as a whole
        except Exception as error:  # whatever is wrong with one contract is its own (T6, T7)
            if len(self) > 1:
                for item in self:
                    item._bill(again)
                return
            _logger.warning("Billing %s failed", self.contract_id or self.partner_id, exc_info=True)
            self.env.invalidate_all(flush=False)
            self.write({"state": "failed", "message": str(error) or repr(error)})

    def _bill_batch(self):
        run = self.run_id
        bills = self.env["support.bill"]._generate(self.contract_id, run.date_until, run)
        customers = self.filtered(lambda item: not item.contract_id).partner_id
        bills += bills._generate_without_contract(
            run._get_charges_without_contract(customers), run.date_until, run
        )
        bills.action_submit()
        if run.make_invoices:
            ready = bills.filtered(lambda bill: bill.state == "approved")
            if ready:
                self.env["support.invoicing"]._create_invoices(ready)
        self.write({"state": "done", "message": False})
        self.env.flush_all()
