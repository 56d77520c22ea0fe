# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
import random
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .support_billing_run_item import CONCURRENCY

_logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5


class SupportBillingRun(models.Model):
    """One pass over many contracts: bills them, submits the bills, makes the invoices.

    It works in the background, commits batch by batch, and can be killed and run again: what is
    billed is billed once, by the database. A contract that fails is listed with its reason and
    doesn't stop the others.
    """

    _name = "support.billing.run"
    _description = "Support Billing Run"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", default="/", readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done"), ("failed", "With Failures")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    date_until = fields.Date(
        string="Up To",
        required=True,
        default=fields.Date.context_today,
        help="Everything that is due on or before this day is billed.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    plan_ids = fields.Many2many("support.plan", string="Plans", help="Empty: all.")
    contract_ids = fields.Many2many(
        "support.contract", string="Contracts", help="Empty: all.", check_company=True
    )
    make_invoices = fields.Boolean(
        default=True, help="Bills that need no approval become invoices at once."
    )
    item_ids = fields.One2many("support.billing.run.item", "run_id", readonly=True)
    failed_item_ids = fields.One2many(
        "support.billing.run.item", "run_id", readonly=True, domain=[("state", "=", "failed")]
    )
    bill_ids = fields.One2many("support.bill", "run_id", readonly=True)
    started_at = fields.Datetime(readonly=True, copy=False)
    finished_at = fields.Datetime(readonly=True, copy=False)
    total = fields.Integer(readonly=True, copy=False)
    done_count = fields.Integer(compute="_compute_progress")
    failed_count = fields.Integer(compute="_compute_progress")
    bill_count = fields.Integer(compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress", help="Percent of the contracts.")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount_total = fields.Monetary(
        compute="_compute_amount_total", string="Billed", help="Untaxed, company currency."
    )

    @api.depends("item_ids.state", "total", "state")
    def _compute_progress(self):
        rows = self.env["support.billing.run.item"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state"], ["__count"]
        )
        counts = {(run, state): count for run, state, count in rows}
        bills = dict(
            self.env["support.bill"]._read_group(
                [("run_id", "in", self.ids)], ["run_id"], ["__count"]
            )
        )
        for run in self:
            run.failed_count = counts.get((run, "failed"), 0)
            run.done_count = counts.get((run, "done"), 0) + run.failed_count
            nothing = 100.0 if run.state == "done" else 0.0
            run.progress = 100.0 * run.done_count / run.total if run.total else nothing
            run.bill_count = bills.get(run, 0)

    def _compute_amount_total(self):
        for run in self:
            run.amount_total = sum(
                bill.currency_id._convert(
                    bill.amount_untaxed, run.currency_id, run.company_id, bill.date
                )
                for bill in run.bill_ids
            )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("support.billing.run") or "/"
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_run(self):
        if any(run.state != "draft" for run in self):
            raise UserError(self.env._("A billing run that has begun is kept: it is a record."))

    # === ACTIONS === #

    def action_start(self):
        """List the contracts that have something due and bill them in the background."""
        for run in self.filtered(lambda run: run.state == "draft"):
            contracts = self.env["support.contract"].search(run._get_domain(), order="id")
            customers = run._get_charges_without_contract().partner_id
            items = self.env["support.billing.run.item"].create(
                [
                    {"run_id": run.id, "contract_id": contract.id, "partner_id": customer.id}
                    for contract, customer in [
                        *((contract, contract.partner_id) for contract in contracts),
                        *((contracts.browse(), customer) for customer in customers),
                    ]
                ]
            )
            run.write(
                {
                    "state": "running",
                    "total": len(items),
                    "started_at": fields.Datetime.now(),
                }
            )
        self.env.ref("support_contract.cron_billing_run")._trigger()

    def action_retry(self):
        """Try the failed contracts again, those only."""
        self.item_ids.filtered(lambda item: item.state == "failed").write(
            {"state": "waiting", "message": False}
        )
        self.write({"state": "running", "finished_at": False})
        self.env.ref("support_contract.cron_billing_run")._trigger()

    def action_view_bills(self):
        self.ensure_one()
        return self.bill_ids._get_records_action(name=self.env._("Bills"))

    def action_view_failures(self):
        self.ensure_one()
        failed = self.item_ids.filtered(lambda item: item.state == "failed")
        if not failed.contract_id:
            return failed.partner_id._get_records_action(name=self.env._("Failed Customers"))
        return failed.contract_id._get_records_action(name=self.env._("Failed Contracts"))

    # === BUSINESS METHODS === #

    def _get_domain(self):
        """Return which contracts have something to bill up to the day of this run."""
        self.ensure_one()
        domain = Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "not in", ("draft", "cancelled")),
            ]
        )
        # What begins when it is paid must be billed before.
        domain &= Domain("state", "!=", "pending") | Domain("starts_paid", "=", True)
        if self.plan_ids:
            domain &= Domain("plan_id", "in", self.plan_ids.ids)
        if self.contract_ids:
            domain &= Domain("id", "in", self.contract_ids.ids)
        due = Domain("billing_date", "<=", self.date_until)
        return domain & (
            Domain("term_ids", "any", Domain("charged", "=", False) & due)
            | Domain(
                "billed_charge_ids",
                "any",
                self.env["support.charge"]._get_due_domain(self.date_until),
            )
        )

    def _get_charges_without_contract(self, customers=None):
        """Return the open charges that this run bills though they belong to no contract.

        A run for chosen plans or contracts bills none of them.

        :param customers: only theirs; None: everybody's
        """
        self.ensure_one()
        charges = self.env["support.charge"]
        if self.plan_ids or self.contract_ids:
            return charges
        domain = self.env["support.bill"]._get_domain_without_contract(
            self.company_id, self.date_until
        )
        if customers is not None:
            domain &= Domain("partner_id", "in", customers.ids)
        return charges.search(domain, order="partner_id, id")

    def _process(self, batch_size=200):
        """Bill the waiting contracts, batch by batch; each batch is one transaction."""
        self.ensure_one()
        items = self.item_ids
        cron = self.env["ir.cron"]
        attempts = 0
        while True:
            waiting = items.search(
                [("run_id", "=", self.id), ("state", "=", "waiting")], order="id", limit=batch_size
            )
            batch = waiting.try_lock_for_update().filtered(lambda item: item.state == "waiting")
            if not batch:
                break
            if not self._bill_batch(batch, last_try=attempts >= MAX_ATTEMPTS):
                attempts += 1
                continue
            attempts = 0
            left = items.search_count([("run_id", "=", self.id), ("state", "=", "waiting")])
            if not cron._commit_progress(len(batch), remaining=left):
                return
        if not waiting:
            self._finish()

    def _bill_batch(self, batch, last_try):
        """Bill a batch; when another transaction was faster, forget it and let it be tried again.

        :param bool last_try: what still collides now is a failure of its contract
        :return: whether the batch is done
        """
        try:
            batch._bill(() if last_try else CONCURRENCY)
        except CONCURRENCY:
            if last_try:
                raise
            _logger.info("%s met another transaction and begins its batch again", self.name)
            self.env.cr.rollback()
            self.env.invalidate_all(flush=False)
            time.sleep(random.uniform(0.1, 0.5))
            return False
        return True

    def _finish(self):
        self.write(
            {
                "state": "failed" if self.failed_count else "done",
                "finished_at": fields.Datetime.now(),
            }
        )

    @api.model
    def _cron_process(self):
        """Work on what was started by hand, and retry what was killed half-way."""
        for run in self.search([("state", "=", "running")], order="id"):
            run._process()

    @api.model
    def _cron_bill(self):
        """Start a run for everything that is due in each company; none where nothing is."""
        for company in self.env["res.company"].search([]):
            run = self.new({"company_id": company.id, "date_until": fields.Date.today()})
            due = self.env["support.contract"].search_count(run._get_domain(), limit=1)
            due = due or bool(run._get_charges_without_contract())
            open_run = self.search_count(
                [("company_id", "=", company.id), ("state", "=", "running")], limit=1
            )
            if due and not open_run:
                self.create({"company_id": company.id}).action_start()
