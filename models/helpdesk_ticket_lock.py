# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

# What decides whether a ticket can be worked on; payments and contracts report by themselves.
LOCK_FACTS = {
    "partner_id",
    "company_id",
    "team_id",
    "contract_id",
    "equipment_id",
    "incident_quantity",
    "stage_id",
    "active",
}
# Policies under which a ticket without a contract can't be worked on. Where it would be refused
# but exists already (it came by mail, its customer has changed) it waits instead.
LOCKING_POLICIES = ("lock", "refuse")
TEMPLATES = {
    "no_contract": "support_contract.mail_template_no_contract",
    "no_incident": "support_contract.mail_template_no_incident",
    "unpaid": "support_contract.mail_template_unpaid",
}
# Of an unpaid contract the customer is reminded after a while (L39), of the others told at once.
TOLD_AT_ONCE = ("no_contract", "no_incident")


class HelpdeskTicket(models.Model):
    """Why a ticket waits and can't be worked on (L12, L27-L31, L37, L51).

    `lock_reason` follows from facts: the contract and its state, its payment, the policy of the
    team, the incidents left. One method decides it, for a batch of tickets at once.
    """

    _inherit = "helpdesk.ticket"

    locked_at = fields.Datetime(string="Locked Since", readonly=True, copy=False)
    lock_reminded_at = fields.Datetime(string="Customer Reminded", readonly=True, copy=False)
    lock_escalated_at = fields.Datetime(readonly=True, copy=False)
    lock_message = fields.Char(compute="_compute_lock_message")
    contract_missing = fields.Boolean(
        compute="_compute_contract_missing", help="No contract covers it, and people are warned."
    )

    # === COMPUTE METHODS === #

    @api.depends("lock_reason")
    @api.depends_context("lang")
    def _compute_lock_message(self):
        messages = self._get_lock_messages()
        for ticket in self:
            ticket.lock_message = messages.get(ticket.lock_reason, False)

    @api.depends("contract_id", "partner_id", "team_id", "company_id", "stage_id")
    def _compute_contract_missing(self):
        for ticket in self:
            ticket.contract_missing = (
                ticket._lacks_contract()
                and ticket.sudo()._get_no_contract_policy() == "warn"  # a setting
                and not ticket.closed
            )

    @api.model
    def _get_lock_messages(self):
        """Return what to do about each reason, for staff."""
        return {
            "no_contract": self.env._(
                "No contract covers this ticket. Choose or create one, or close the ticket."
            ),
            "no_incident": self.env._(
                "No support incident is left for this ticket. Grant or sell incidents to the "
                "customer, choose another team, or close the ticket."
            ),
            "pending": self.env._(
                "The contract of this ticket has not begun. Activate it, choose another one, or "
                "wait for its first day."
            ),
            "unpaid": self.env._(
                "The contract of this ticket is not paid. Register the payment, choose another "
                "contract, or close the ticket."
            ),
        }

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tickets = super().create(vals_list)
        arrived = tickets.filtered(lambda ticket: not ticket.awaiting_coverage)
        arrived._check_contract_policy()
        arrived._update_locks()
        return tickets

    def write(self, vals):
        if not LOCK_FACTS.intersection(vals):
            return super().write(vals)
        if vals.get("stage_id"):
            self._check_may_move(self.env["helpdesk.ticket.stage"].browse(vals["stage_id"]))
        # A ticket that exists is never refused for want of an incident while it is sorted out.
        self.filtered(lambda ticket: ticket.lock_reason or not ticket.partner_id)._hold_back()
        result = super().write(vals)
        self._update_locks()
        return result

    # === ACTIONS === #

    def action_send_lock_reminder(self):
        """Tell the customers again why their tickets wait (L29)."""
        self.check_access("write")
        unknown = self.filtered(lambda ticket: ticket.lock_reason not in TEMPLATES)
        if unknown:
            raise UserError(
                self.env._(
                    "%s doesn't wait for its customer: there is nothing to remind of.",
                    unknown[0].display_name,
                )
            )
        silent = self.filtered(lambda ticket: not ticket.partner_id.email)
        if silent:
            raise UserError(
                self.env._(
                    "%s has no e-mail address. Add one to the customer first.",
                    silent[0].partner_id.display_name,
                )
            )
        self._remind()

    def action_open_locking_contract(self):
        return self.contract_id._get_records_action()

    # === BUSINESS METHODS === #

    def _update_locks(self):
        """Decide anew why these tickets wait, release those that don't, tell the customers.

        What is closed, archived, or hasn't been looked at yet stays as it is.
        """
        # Policies, payments and contracts decide, whoever may see which of them.
        tickets = self.sudo().filtered(lambda ticket: ticket._is_judged())
        reasons = {ticket: ticket._get_lock_reason() for ticket in tickets}
        short = tickets.filtered(
            lambda ticket: ticket.incident_waiting and reasons[ticket] in (False, "unpaid")
        )._release()
        for ticket in short:
            reasons[ticket] = reasons[ticket] or "no_incident"
        changed = tickets.filtered(lambda ticket: ticket.lock_reason != reasons[ticket])
        now = fields.Datetime.now()
        for reason, group in changed.grouped(reasons.get).items():
            group.write(
                {
                    "lock_reason": reason,
                    "locked_at": reason and now,
                    "lock_reminded_at": False,
                    "lock_escalated_at": False,
                }
            )
        changed.filtered(lambda ticket: ticket.lock_reason in TOLD_AT_ONCE)._mail_lock()

    def _is_judged(self):
        self.ensure_one()
        return self.active and not self.closed and not self.awaiting_coverage

    def _get_lock_reason(self):
        """Return why this ticket waits, or False; incidents are asked for when it is released."""
        self.ensure_one()
        if self._lacks_contract():
            locks = self._get_no_contract_policy() in LOCKING_POLICIES
            return "no_contract" if locks else False
        if self.contract_id.payment_pending:
            return "unpaid"
        return "pending" if self.contract_id.state in ("draft", "pending") else False

    def _lacks_contract(self):
        """Return whether no contract covers it; an unknown sender's ticket waits for triage."""
        self.ensure_one()
        contract = self.contract_id.sudo()  # its state only
        return bool(self.partner_id) and (not contract or contract.state == "cancelled")

    def _get_no_contract_policy(self):
        """Return the policy of the team, or else of the company, for tickets without contract."""
        self.ensure_one()
        return self.team_id.support_no_contract_policy or self.company_id.support_no_contract_policy

    def _check_contract_policy(self):
        """Refuse new tickets without a contract where that is the policy, note where it warns."""
        warned = self.browse()
        for ticket in self.sudo():  # policies apply to portal users, too
            if not ticket._is_judged() or not ticket._lacks_contract():
                continue
            policy = ticket._get_no_contract_policy()
            if policy == "refuse" and self.env.user.share:  # the customer, in the portal
                raise UserError(
                    self.env._(
                        "%(team)s takes tickets only under a support contract, and none covers "
                        "you at the moment. Ask us for one, or choose another team if there is "
                        "one.",
                        team=ticket.team_id.display_name or ticket.company_id.name,
                    )
                )
            if policy == "refuse":
                raise UserError(
                    self.env._(
                        "No support contract covers %(customer)s, and %(team)s takes no tickets "
                        "without one. Make a contract first, or choose another team.",
                        customer=ticket.partner_id.display_name,
                        team=ticket.team_id.display_name or ticket.company_id.name,
                    )
                )
            if policy == "warn":
                warned += ticket
        note = self.env._("No contract covers this ticket; it is worked on all the same.")
        warned._message_log_batch(bodies=dict.fromkeys(warned.ids, note))

    def _check_may_move(self, stage):
        """Refuse to move a locked ticket on; closing it is possible."""
        if not stage.closed:
            self.filtered(
                lambda ticket: ticket.stage_id != stage and not ticket.closed
            )._check_workable()

    def _check_workable(self):
        """Refuse work on locked tickets.

        :raise UserError: with the ticket, why it waits and what to do
        """
        # What this transaction has done to their contracts and payments counts.
        self.env["support.contract"]._tell_tickets()
        messages = self._get_lock_messages()
        for ticket in self:
            if ticket.lock_reason:
                raise UserError(
                    self.env._(
                        "%(ticket)s is locked and can't be worked on. %(reason)s",
                        ticket=ticket.display_name,
                        reason=messages[ticket.lock_reason],
                    )
                )

    # === MAILS === #

    def _mail_lock(self):
        """Mail the customers why their tickets wait; who has no address is named in a note."""
        silent = self.filtered(lambda ticket: not ticket.partner_id.email)
        note = self.env._("The customer has no e-mail address and was not told why this waits.")
        silent._message_log_batch(bodies=dict.fromkeys(silent.ids, note))
        for reason, tickets in (self - silent).grouped("lock_reason").items():
            # The mail is ours, not the user's: he needs no right to the template.
            template = self.env.ref(TEMPLATES[reason]).sudo()
            template.send_mail_batch(tickets.ids, email_layout_xmlid="mail.mail_notification_light")

    def _remind(self):
        """Mail the customers again, and note it."""
        self._mail_lock()
        self.sudo().write({"lock_reminded_at": fields.Datetime.now()})  # noted by ourselves
        bodies = {
            ticket.id: self.env._("%s was reminded.", ticket.partner_id.display_name)
            for ticket in self
            if ticket.partner_id.email
        }
        self.browse(bodies)._message_log_batch(bodies=bodies)

    # === WHAT HAPPENS ELSEWHERE === #

    @api.model
    def _contracts_changed(self, contracts):
        """Open, cover or lock the tickets for which the state or payment of contracts counts.

        When a contract runs, its waiting tickets open, and those of its customer that wait for a
        contract are covered anew (L31, L38); tickets of a contract that was cancelled before it
        began look for another one.
        """
        own = self.search([("contract_id", "in", contracts.ids), ("lock_reason", "!=", False)])
        unpaid = contracts.filtered("payment_pending")
        if unpaid:
            own |= self.search([("contract_id", "in", unpaid.ids), ("stage_id.closed", "!=", True)])
        lost = contracts.filtered(lambda contract: contract.state in ("cancelled", "terminated"))
        orphans = own.filtered(
            lambda ticket: (
                ticket.contract_id in lost
                and (
                    ticket.lock_reason == "pending"
                    or ticket.lock_reason == "unpaid"
                    and ticket.contract_id.state == "cancelled"
                )
            )
        )
        orphans.write({"contract_by_hand": False})
        running = contracts.filtered(lambda contract: contract.state == "active")
        if running:
            orphans |= self.search(
                [
                    ("lock_reason", "in", ("no_contract", "pending")),
                    ("contract_by_hand", "=", False),
                    ("company_id", "in", running.company_id.ids),
                    ("commercial_partner_id", "in", running.commercial_partner_id.ids),
                ]
            )
        orphans.filtered(lambda ticket: ticket._is_judged())._cover_again()
        (own | orphans)._update_locks()

    def _cover_again(self):
        """Look for the contract of waiting tickets anew; time they have is rated again."""
        if not self:
            return
        before = self._get_pool_starts()
        lines = self.time_entry_ids
        lines_before = lines._get_pool_starts()
        self._hold_back()
        self._cover()
        self._consume(before)
        if lines:
            lines._consume(lines_before)
