# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from ..tools.zones import local_day
from .support_contract import _from_plan

_logger = logging.getLogger(__name__)

# What was asked and answered: written by the buttons, the wizard and the jobs only. Whoever could
# write the deadline could have a bill approve itself.
ANSWER_FIELDS = {
    "approval_asked_at",
    "approval_deadline",
    "approval_problem",
    "disputed",
    "dispute_text",
    "answered_by_id",
    "answered_at",
}


class SupportTermsMixin(models.AbstractModel):
    _inherit = "support.terms.mixin"

    bill_approval_days = fields.Integer(
        string="Days to Answer",
        default=0,
        help="Of a bill that the customer approves: after so many days without an answer it counts "
        "as approved. 0: only an answer counts.",
    )

    @api.constrains("bill_approval_days")
    def _check_bill_approval_days(self):
        if any(terms.bill_approval_days < 0 for terms in self):
            raise ValidationError(
                self.env._("The days to answer can't be negative; 0: only an answer counts.")
            )


class SupportContract(models.Model):
    _inherit = "support.contract"

    bill_approval_days = _from_plan(fields.Integer)

    @api.model
    def _get_terms_fields(self):
        return [*super()._get_terms_fields(), "bill_approval_days"]


class SupportCharge(models.Model):
    _inherit = "support.charge"

    dispute = fields.Char(
        string="Objection",
        readonly=True,
        copy=False,
        help="What the customer has against this line of the bill.",
    )


class SupportBill(models.Model):
    """Bills that the customer approves: asked by mail, answered by him or for him, or in time.

    Mails go out in the background, so that no mail server holds up the billing (T52).
    """

    _inherit = "support.bill"

    bill_approval = fields.Selection(related="contract_id.bill_approval", string="Approval")
    approval_asked_at = fields.Datetime(string="Customer Asked On", readonly=True, copy=False)
    approval_deadline = fields.Date(
        string="Answer Until",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The last day to answer; then the bill counts as approved. Empty: only an answer "
        "counts.",
    )
    approval_problem = fields.Char(
        readonly=True, copy=False, help="Why the customer could not be asked."
    )
    disputed = fields.Boolean(
        readonly=True, copy=False, tracking=True, help="The customer doesn't agree with the bill."
    )
    dispute_text = fields.Text(string="Objection", readonly=True, copy=False)
    answered_by_id = fields.Many2one(
        "res.partner", readonly=True, copy=False, ondelete="set null", index="btree_not_null"
    )
    answered_at = fields.Datetime(readonly=True, copy=False)

    # === CRUD METHODS === #

    def write(self, vals):
        closed = self.filtered(lambda bill: bill.state not in ("draft", "to_approve"))
        if "date" in vals and closed and not self.env.su:
            raise UserError(
                self.env._(
                    "%s is approved: its date can't change any more. Set it back to draft first.",
                    closed[0].name,
                )
            )
        return super().write(vals)

    @api.model
    def _get_guarded_fields(self):
        return super()._get_guarded_fields() | ANSWER_FIELDS

    # === ACTIONS === #

    def action_submit(self):
        """Ask the customers whose approval is wanted, in the background."""
        result = super().action_submit()
        asked = self.filtered(lambda bill: bill._waits_for_customer())
        asked._forget_answer()
        if asked:
            # The date of the next mails, for whoever submits bills.
            self.env.ref("support_contract.cron_ask_customers").sudo()._trigger()
        return result

    def action_approve(self):
        waiting = self.filtered(lambda bill: bill._waits_for_customer())
        result = super().action_approve()
        for bill in waiting:
            bill.sudo().disputed = False  # who may approve was asked above
            bill._message_log(
                body=self.env._("Approved for the customer by %s.", self.env.user.name)
            )
        return result

    def action_ask_customer(self):
        """Ask the customer now, or again: the days to answer begin anew."""
        self.check_access("write")
        for bill in self:
            bill._check_waiting()
            bill.sudo()._ask_customer()  # as in action_submit
            if bill.approval_problem:
                raise UserError(bill.approval_problem)

    def action_record_answer(self):
        """Open the dialog in which the customer's answer is recorded."""
        self.ensure_one()
        self._check_waiting()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_bill_answer_wizard"
        )
        return action | {"context": {"default_bill_id": self.id}}

    # === THE CUSTOMER'S ANSWER === #

    def _customer_approves(self, partner):
        """Approve the bill for its customer, who has said so.

        To be called with sudo by whoever has found out that it is him.

        :param partner: who has answered
        :raise AccessError: if he isn't of the customer
        :raise UserError: if the bill doesn't wait for an answer
        """
        self._answer(partner, self.env._("Approved by %s.", partner.display_name))
        self.sudo().write({"approval_state": "approved", "disputed": False})

    def _customer_disputes(self, partner, text, charges=None):
        """Note that the customer doesn't agree; the bill waits until somebody has seen to it.

        :param str text: what he has against the bill
        :param dict charges: {charge: what he has against this line}
        :raise AccessError, UserError: as `_customer_approves`; also without any text
        """
        charges = {charge: note for charge, note in (charges or {}).items() if note}
        if not (text or "").strip() and not charges:
            raise UserError(self.env._("Say what is wrong with the bill, or with which line."))
        foreign = [charge for charge in charges if charge not in self.sudo().charge_ids]
        if foreign:
            raise AccessError(self.env._("This line isn't on the bill %s.", self.name))
        notes = [text or "", *(f"{charge.name}: {note}" for charge, note in charges.items())]
        body = "\n".join(filter(None, notes))
        self._answer(
            partner, self.env._("Disputed by %(who)s: %(why)s", who=partner.display_name, why=body)
        )
        bill = self.sudo()  # of the customer's bill, as he may answer it
        bill.write({"disputed": True, "dispute_text": body})
        for charge, note in charges.items():
            charge.sudo().dispute = note
        bill.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("%s is disputed", self.name),
            note=body,
            user_id=bill._get_responsible().id,
        )

    def _answer(self, partner, text):
        """Note who has answered and when; refuse who isn't of the customer."""
        self.ensure_one()
        bill = self.sudo()  # the answer is the customer's; whether it is his is asked here
        if partner.commercial_partner_id != bill.partner_id.commercial_partner_id:
            raise AccessError(
                self.env._(
                    "%(who)s isn't of %(customer)s and can't answer for it.",
                    who=partner.display_name,
                    customer=bill.partner_id.display_name,
                )
            )
        self._check_waiting()
        bill.write({"answered_by_id": partner.id, "answered_at": fields.Datetime.now()})
        bill._message_log(body=text, author_id=partner.id)

    def _waits_for_customer(self):
        self.ensure_one()
        return self.state == "to_approve" and self.bill_approval == "customer"

    def _check_waiting(self):
        for bill in self.sudo():
            if not bill._waits_for_customer():
                raise UserError(
                    self.env._("%s doesn't wait for the customer's approval (any more).", bill.name)
                )

    def _forget_answer(self):
        """Begin anew: a bill that is submitted (again) hasn't been answered."""
        bills = self.sudo()  # what was asked and answered is written here only
        bills.write(
            {
                "approval_asked_at": False,
                "approval_deadline": False,
                "approval_problem": False,
                "disputed": False,
                "dispute_text": False,
                "answered_by_id": False,
                "answered_at": False,
            }
        )
        bills.charge_ids.filtered("dispute").dispute = False

    def _get_responsible(self):
        self.ensure_one()
        return self.contract_id.user_id or self.create_uid

    # === MAILS AND DATES === #

    def _ask_customer(self):
        """Send the bill to the customer and ask for his approval; note it if he has no address."""
        self.ensure_one()
        contract = self.contract_id
        recipients = self._get_recipients()
        if not recipients:
            self._note_problem(
                self.env._(
                    "%(customer)s has no e-mail address, so %(bill)s could not be sent. Add one "
                    "and ask again, or record the answer by hand.",
                    customer=self.partner_id.display_name,
                    bill=self.name,
                )
            )
            return
        days = contract.bill_approval_days
        self.write(
            {
                "approval_asked_at": fields.Datetime.now(),
                "approval_deadline": contract._get_today() + timedelta(days=days) if days else None,
                "approval_problem": False,
            }
        )
        template = self.env.ref("support_contract.mail_template_bill_approval")
        template.send_mail(
            self.id,
            email_values={"recipient_ids": [fields.Command.set(recipients.ids)]},
            email_layout_xmlid="mail.mail_notification_layout",
        )

    def _note_problem(self, text):
        self.approval_problem = text
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("%s could not be sent", self.name),
            note=text,
            user_id=self._get_responsible().id,
        )

    def _approve_unanswered(self):
        """Approve what the customer has let pass, as agreed, and say so."""
        self.ensure_one()
        self.approval_state = "approved"
        self._message_log(
            body=self.env._(
                "Approved automatically: no answer until %(day)s, as agreed in %(contract)s.",
                day=format_date(self.env, self.approval_deadline),
                contract=self.contract_id.display_name,
            )
        )

    # === CRON === #

    @api.model
    def _cron_ask_customers(self):
        """Send the bills that wait for their customers' approval and weren't sent yet."""
        domain = [
            ("state", "=", "to_approve"),
            ("contract_id.bill_approval", "=", "customer"),
            ("approval_asked_at", "=", False),
            ("approval_problem", "=", False),
        ]
        self._each_alone(self.search(domain, order="id"), lambda bill: bill._ask_customer())

    @api.model
    def _cron_approve_due(self):
        """Approve the bills whose customers have agreed that no answer is an approval."""
        today = local_day(fields.Datetime.now(), "Pacific/Kiritimati")  # where the day comes first
        domain = [
            ("state", "=", "to_approve"),
            ("contract_id.bill_approval", "=", "customer"),
            ("disputed", "=", False),
            ("approval_deadline", "<", today),
        ]
        bills = self.search(domain, order="id").filtered(
            lambda bill: bill.approval_deadline < bill.contract_id._get_today()
        )
        self._each_alone(bills, lambda bill: bill._approve_unanswered())

    @api.model
    def _each_alone(self, bills, work):
        """Work on bills one by one; one that fails is noted and doesn't stop the others."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(bills))
        for bill in bills:
            try:
                with self.env.cr.savepoint():
                    work(bill)
            except Exception as error:
                _logger.exception("%s: asking for or taking the approval failed", bill.name)
                bill._note_problem(str(error) or repr(error))
            if not cron._commit_progress(1):
                return
