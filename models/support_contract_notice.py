# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from ..tools.notices import LATEST_DAYS, due, schedule
from .support_notice_terms import MAX_DAYS

_logger = logging.getLogger(__name__)

KINDS = [("before", "Before the end"), ("after", "After the end")]
# Whose end concerns somebody; what is terminated or cancelled was decided by somebody.
NOTICED_STATES = {"before": ("active", "suspended"), "after": ("active", "suspended", "expired")}


class SupportContractNotice(models.Model):
    """A notice about the end of a contract that was sent: each once per end, by the database."""

    _name = "support.contract.notice"
    _description = "Notice about the End of a Support Contract"
    _order = "id desc"
    _rec_name = "contract_id"

    contract_id = fields.Many2one(
        "support.contract", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, precompute=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    days = fields.Integer(required=True, readonly=True, help="Before or after the last day.")
    date_end = fields.Date(string="End", required=True, readonly=True)
    sent_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    recipients = fields.Char(string="Sent To", readonly=True)

    _once = models.UniqueIndex(
        "(contract_id, date_end, kind, days)", "This notice has been sent already."
    )


class SupportContract(models.Model):
    """People are told days before and after the end of a contract (Y10, C23)."""

    _inherit = "support.contract"

    notice_ids = fields.One2many("support.contract.notice", "contract_id")
    days_left = fields.Integer(
        compute="_compute_days_left", help="From today to the last day, where the customer is."
    )
    notice_preview = fields.Char(
        string="What Is Sent When", compute="_compute_notice_preview", compute_sudo=True
    )

    @api.depends("date_end", "tz")
    def _compute_days_left(self):
        for contract in self:
            end = contract.date_end
            contract.days_left = (end - contract._get_today()).days if end else 0

    @api.depends(
        "date_start", "date_end", "notice_days_before", "notice_days_after", "notice_customer",
        "notice_user_ids", "notice_partner_ids", "contact_id", "user_id", "notice_ids", "state",
    )  # fmt: skip
    def _compute_notice_preview(self):
        for contract in self:
            contract.notice_preview = contract._explain_notices()

    # === WHAT IS DUE === #

    def _schedule_notices(self):
        """Return the notices about the contract's end, in the order of their days.

        :rtype: list[Notice]
        """
        self.ensure_one()
        return schedule(
            self.date_start,
            self.date_end,
            self._get_notice_days("notice_days_before"),
            self._get_notice_days("notice_days_after"),
        )

    def _get_sent_notices(self):
        """Return what was sent about the end as it is now; a moved end begins anew."""
        self.ensure_one()
        sent = self.notice_ids.filtered(lambda notice: notice.date_end == self.date_end)
        return {(notice.kind, notice.days): notice for notice in sent}

    def _get_due_notice(self):
        """Return the one notice that is due today where the customer is, or None."""
        self.ensure_one()
        if not self.date_end or self.renewal_id:
            return None
        notice = due(
            self._schedule_notices(), self._get_sent_notices(), self.date_end, self._get_today()
        )
        return notice if notice and self.state in NOTICED_STATES[notice.kind] else None

    def _explain_notices(self):
        """Return in words what is sent when, and to whom."""
        self.ensure_one()
        if not self.date_end:
            return self.env._("It has no end: nothing is sent.")
        if self.renewal_id:
            return self.env._("It is renewed: nothing more is sent.")
        sent, today = self._get_sent_notices(), self._get_today()
        due_now, parts = self._get_due_notice(), []
        for notice in self._schedule_notices():
            day = format_date(self.env, notice.day)
            if notice.key in sent:
                day = format_date(self.env, sent[notice.key].sent_at)
                parts.append(self.env._("%s (sent)", day))
            elif notice == due_now:
                parts.append(self.env._("%s (with the next run)", day))
            elif notice.day > today:
                parts.append(day)
        if not parts:
            end = format_date(self.env, self.date_end)
            return self.env._("Nothing is sent about the end on %s.", end)
        names = (self._get_noticed_staff().partner_id | self._get_noticed_partners()).mapped("name")
        return self.env._(
            "%(days)s: to %(names)s.", days=", ".join(parts), names=", ".join(filter(None, names))
        )

    # === SENDING === #

    @api.model
    def _cron_notices(self):
        """Tell people about ends that come near, or are over: each notice once.

        Each contract is a transaction; a late run sends only what is nearest to today.
        """
        contracts = self._find_noticed()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(contracts))
        for contract in contracts:
            try:
                with self.env.cr.savepoint():
                    contract._send_notice()
            except Exception:  # one broken contract must not stop the others
                _logger.exception("The notice about %s failed", contract.display_name)
            if not cron._commit_progress(1):
                break

    @api.model
    def _find_noticed(self):
        """Return the contracts with a notice that is due, in a constant number of queries."""
        today = fields.Date.today()
        contracts = self.search(
            [
                ("state", "in", NOTICED_STATES["after"]),
                # A day more on either side: it may be tomorrow, or yesterday, elsewhere.
                ("date_end", ">=", today - timedelta(MAX_DAYS + LATEST_DAYS + 1)),
                ("date_end", "<=", today + timedelta(MAX_DAYS + 1)),
                "|",
                ("notice_days_before", "not in", (False, "")),
                ("notice_days_after", "not in", (False, "")),
            ],
            order="date_end, id",
        )
        return contracts.filtered(lambda contract: contract._get_due_notice())

    def _send_notice(self):
        """Send the notice that is due and keep that it was sent."""
        self.ensure_one()
        contract = self.try_lock_for_update(allow_referencing=True)
        contract.invalidate_recordset(["notice_ids"])
        notice = contract and contract._get_due_notice()
        if not notice:
            return
        log = contract.env["support.contract.notice"].create(
            {
                "contract_id": contract.id,
                "kind": notice.kind,
                "days": notice.days,
                "date_end": contract.date_end,
            }
        )
        log.flush_recordset()  # whoever sends the same at this moment fails here
        lang = contract._get_noticed_staff()[0].lang
        told = contract.with_context(lang=lang)._tell_end(notice)
        log.recipients = "; ".join(told.mapped("display_name"))

    def _tell_end(self, notice):
        facts = {
            "customer": self.partner_id.display_name,
            "end": format_date(self.env, self.date_end),
            "days": abs(self.days_left),
        }
        if notice.kind == "before":
            subject = self.env._("Ends on %s", facts["end"])
            note = self.env._("%(days)s days are left. Renew it, or let it end.", **facts)
        else:
            subject = self.env._("Ended on %s", facts["end"])
            note = self.env._(
                "%(customer)s has no renewal of it: new tickets aren't covered by it.", **facts
            )
        return self._tell(
            "support_contract.mail_template_contract_end", subject, note, notice_kind=notice.kind
        )
