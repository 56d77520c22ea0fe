# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools.zones import local_day
from .support_contract import RUNNING_STATES, _from_plan
from .support_contract_copy import SAME_PRICES, PriceChange

_logger = logging.getLogger(__name__)

# A job that didn't run for a while still renews what has ended meanwhile, up to so many days.
LATE_DAYS = 31


class SupportTermsMixin(models.AbstractModel):
    _inherit = "support.terms.mixin"

    renewal_mode = fields.Selection(
        [
            ("none", "By hand"),
            ("automatic", "By itself"),
            ("quotation", "By a quotation"),
        ],
        string="Renewed",
        default="none",
        help="By itself: the renewal is made and confirmed some days before the end, and the "
        "customer is told. By a quotation: it is made as a draft, and the customer gets a "
        "quotation; confirming that confirms the renewal.",
    )
    renewal_days = fields.Integer(
        string="Renewed Days Before",
        default=30,
        help="So many days before its end the contract is renewed, or the quotation is sent.",
    )
    renewal_increase = fields.Float(
        string="Price Increase (%)",
        digits=(16, 4),
        default=0.0,
        aggregator=None,
        help="By how much the prices rise when it is renewed by itself or by a quotation: those "
        "of recurring products, of the contract's own rates and of incidents.",
    )
    renewal_bill = fields.Boolean(
        string="Bill Ahead",
        default=False,
        help="Where fees are billed in advance: the first bill of the renewal is made when it is "
        "renewed by itself, and its invoice where the bill needs no approval.",
    )

    _renewal_limits = models.Constraint(
        "CHECK (renewal_days >= 0 AND renewal_increase >= -100)",
        "A contract can't be renewed after its end, nor have prices below zero.",
    )


class SupportContract(models.Model):
    """Renewing by itself, or by a quotation, some days before the end (L35)."""

    _inherit = "support.contract"

    renewal_mode = _from_plan(fields.Selection, tracking=True)
    renewal_days = _from_plan(fields.Integer)
    renewal_increase = _from_plan(fields.Float)
    renewal_bill = _from_plan(fields.Boolean)
    renewal_date = fields.Date(
        string="Renewed On",
        compute="_compute_renewal_date",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The day on which it is renewed by itself, or by a quotation.",
    )

    @api.depends("date_end", "renewal_mode", "renewal_days", "coverage")
    def _compute_renewal_date(self):
        for contract in self:
            renewed = contract.renewal_mode not in (False, "none")
            contract.renewal_date = (
                contract.date_end - timedelta(days=contract.renewal_days)
                if renewed and contract.date_end and contract.coverage != "request"
                else False
            )

    @api.model
    def _get_terms_fields(self):
        own = ["renewal_mode", "renewal_days", "renewal_increase", "renewal_bill"]
        return [*super()._get_terms_fields(), *own]

    # === WHICH === #

    @api.model
    def _get_due_renewals_domain(self):
        """Return which contracts are to be renewed by now.

        Once: a renewal that somebody has cancelled isn't made again. What has ended by its date
        while the job didn't run is renewed, too, if that isn't long ago.
        """
        # UTC+14 is the first place to see a new day; who isn't there yet is left out one by one.
        today = local_day(fields.Datetime.now(), "Pacific/Kiritimati")
        ended = (
            Domain("state", "=", "expired")
            & Domain("ends_when_used", "!=", True)
            & Domain("date_end", ">=", today - timedelta(days=LATE_DAYS))
        )
        return (
            Domain("renewal_date", "<=", today)
            & Domain("date_start", "<=", today)
            & Domain("renewal_ids", "=", False)
            & (Domain("state", "in", RUNNING_STATES) | ended)
        )

    # === THE JOB === #

    @api.model
    def _cron_renew(self):
        """Renew what is due; what fails is told to its responsible, and stops no other."""
        due = self.search(self._get_due_renewals_domain(), order="renewal_date, id")
        due = due.filtered(
            lambda contract: (
                max(contract.renewal_date, contract.date_start) <= contract._get_today()
            )
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        for contract in due:
            try:
                with self.env.cr.savepoint():
                    contract.with_company(contract.company_id)._renew_by_itself()
            except UserError as error:
                contract._tell_renewal_failure(error)
            except Exception as error:  # one broken contract must not stop the others
                _logger.exception("Renewing %s failed", contract.display_name)
                contract._tell_renewal_failure(error)
            if not cron._commit_progress(1):
                break

    def _renew_by_itself(self):
        """Renew this contract as it says."""
        self.ensure_one()
        self._lock_for_decision()
        renewal = self._renew(self._get_default_renewal(), late=True)
        if self.renewal_mode == "automatic":
            summary = self.env._("By itself, by %s.", renewal.display_name)
            renewal.action_confirm()
            if self.renewal_bill and self.billing_mode == "advance":
                self.env["support.bill"]._generate_ahead(renewal)
            renewal._send_renewal_mail()
        else:
            order = renewal._make_renewal_quotation()
            summary = self.env._(
                "As a draft, %(renewal)s, by the quotation %(order)s.",
                renewal=renewal.display_name,
                order=order.name,
            )
        reason = self.env._("%s days before the end, as agreed", self.renewal_days)
        self.env["support.contract.change"]._note(self, "renew", reason, summary)
        renewal.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Look at the renewal"),
            note=summary,
            user_id=(self.user_id or self.env.user).id,
        )

    def _get_default_renewal(self):
        """Raise the prices as the contract says."""
        renewal = super()._get_default_renewal()
        if not self.renewal_increase:
            return renewal
        value = Decimal(str(self.renewal_increase))
        return renewal._replace(prices=PriceChange("percent", value, *SAME_PRICES[2:]))

    def _send_renewal_mail(self):
        """Tell the customer that the contract goes on."""
        self.ensure_one()
        template = self.env.ref("support_contract.mail_template_renewed", raise_if_not_found=False)
        if template:
            self.message_post_with_source(template, subtype_xmlid="mail.mt_comment")

    def _tell_renewal_failure(self, error):
        """Leave a task for the responsible, one as long as it is open."""
        self.ensure_one()
        summary = self.env._("The contract could not be renewed")
        if summary in self.activity_ids.mapped("summary"):
            return
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=summary,
            note=str(error),
            user_id=(self.user_id or self.env.user).id,
        )
