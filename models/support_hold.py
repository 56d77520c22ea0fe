# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta

from odoo import api, fields, models

from ..tools.zones import local_day

_logger = logging.getLogger(__name__)


class SupportHold(models.Model):
    """That nothing is worked on for a customer who doesn't pay: since when, who, why.

    One set by hand stays until it is released by hand. An automatic one follows from the
    invoices: it comes when one with support on it is overdue for too long, and goes when none is.
    """

    _name = "support.hold"
    _description = "Credit Hold of a Customer"
    _order = "id desc"
    _rec_name = "reason"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    automatic = fields.Boolean(
        readonly=True, default=False, help="It follows from overdue invoices."
    )
    reason = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Set By", readonly=True, default=lambda self: self.env.user
    )
    since = fields.Datetime(
        required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    released_at = fields.Datetime(string="Released", readonly=True)
    released_by_id = fields.Many2one("res.users", readonly=True)

    _held_once = models.UniqueIndex(
        "(partner_id, company_id, automatic) WHERE released_at IS NULL",
        "This customer is on hold already.",
    )

    # === BUSINESS METHODS === #

    @api.model
    def _set(self, partner, company, reason, automatic=False):
        """Hold a customer: his tickets are locked, and he is told once.

        :param partner: a commercial partner
        :return: the hold; the one there is already, if there is one of this sort
        """
        holds = self.sudo()  # nobody writes holds but through those who may decide
        live = holds._get_live(partner, company).filtered(lambda h: h.automatic == automatic)
        if live:
            return live.sudo(self.env.su)
        hold = holds.create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "reason": reason,
                "automatic": automatic,
                "user_id": self.env.uid,
            }
        )
        hold._tell(self.env._("Put on credit hold: %s", reason))
        if partner.email:
            template = self.env.ref("support_contract.mail_template_credit_hold").sudo()
            template.send_mail(hold.id, email_layout_xmlid="mail.mail_notification_light")
        hold._update_tickets()
        return hold.sudo(self.env.su)

    def _release(self):
        """Release holds: the tickets go on."""
        for hold in self.sudo().filtered(lambda h: not h.released_at):  # as in _set
            hold.write({"released_at": fields.Datetime.now(), "released_by_id": self.env.uid})
            hold._tell(self.env._("Credit hold released: %s", hold.reason))
            hold._update_tickets()

    @api.model
    def _get_live(self, partners, company):
        return self.search(
            [
                ("partner_id", "in", partners.ids),
                ("company_id", "=", company.id),
                ("released_at", "=", False),
            ]
        )

    def _tell(self, text):
        """Note it on the customer, and on tickets that wait or go on it is seen."""
        self.partner_id.message_post(body=text)

    def _update_tickets(self):
        """Lock or open the customer's open tickets."""
        self.partner_id.invalidate_recordset(["support_hold", "support_hold_label"])
        # All of them, whoever sees which.
        self.env["helpdesk.ticket"].sudo().search(
            [
                ("commercial_partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
                ("stage_id.closed", "!=", True),
            ]
        )._update_locks()

    # === OVERDUE INVOICES === #

    @api.model
    def _get_overdue(self, company):
        """Return the support invoices overdue for too long: {commercial partner: moves}."""
        days = company.support_hold_days
        moves = self.env["account.move"]
        if not days:
            return {}
        today = local_day(fields.Datetime.now(), company.partner_id.tz or "UTC")
        return moves.search(
            [
                ("company_id", "=", company.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
                ("invoice_date_due", "<", today - timedelta(days=days)),
                ("invoice_line_ids.support_charge_id", "!=", False),
            ],
            order="invoice_date_due, id",
        ).grouped("commercial_partner_id")

    @api.model
    def _cron_follow_invoices(self):
        """Hold who is overdue, release who isn't any more: run twice it changes nothing.

        Each customer is a transaction; one that fails is tried again the next time.
        """
        steps = []
        for company in self.env["res.company"].search([]):
            overdue = self._get_overdue(company)
            live = self.search(
                [
                    ("company_id", "=", company.id),
                    ("automatic", "=", True),
                    ("released_at", "=", False),
                ]
            )
            steps += [(hold, None) for hold in live if hold.partner_id not in overdue]
            held = live.partner_id
            steps += [(company, moves) for partner, moves in overdue.items() if partner not in held]
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(steps))
        for record, moves in steps:
            try:
                with self.env.cr.savepoint():
                    if moves is None:
                        record._release()
                    else:
                        self._hold_overdue(record, moves)
            except Exception:  # one broken customer must not stop the others
                _logger.exception("The credit hold of %s could not change", record.display_name)
            if not cron._commit_progress(1):
                break

    @api.model
    def _hold_overdue(self, company, moves):
        names = ", ".join(moves.mapped("name"))
        reason = self.env._("Overdue: %s", names)
        self._set(moves.commercial_partner_id, company, reason, automatic=True)


class ResCompany(models.Model):
    _inherit = "res.company"

    support_hold_days = fields.Integer(
        default=0,
        help="Customers with a support invoice that is overdue for more days than this are put on "
        "credit hold. 0: never.",
    )

    _support_hold_days = models.Constraint(
        "CHECK (support_hold_days IS NULL OR support_hold_days >= 0)",
        "The days after which customers are put on hold can't be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    support_hold_days = fields.Integer(related="company_id.support_hold_days", readonly=False)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _invoice_paid_hook(self):
        """Look soon whether a customer who has paid is to be released."""
        result = super()._invoice_paid_hook()
        owners = self.commercial_partner_id.sudo()  # whether they are held
        if owners.support_hold_ids.filtered(lambda h: h.automatic and not h.released_at):
            # Whoever registers a payment: the cron decides by the invoices.
            self.env.ref("support_contract.cron_credit_hold").sudo()._trigger()
        return result
