# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .support_charge import FROZEN_STATES, MANUAL_KINDS

# Who may charge a ticket; others who see prices see what is charged.
CHARGING_GROUPS = "support_contract.group_support_manager,account.group_account_invoice"
OWNER_FACTS = {"partner_id", "company_id", "team_id", "contract_id"}
# What can be billed before its term ends; work is rated until then.
BILLED_NOW = (*MANUAL_KINDS, "ticket")


class HelpdeskTicket(models.Model):
    """Charging a ticket directly: an amount that is due in full, with or without a contract."""

    _inherit = "helpdesk.ticket"

    charge_amount = fields.Monetary(
        string="Amount Charged to the Customer",
        currency_field="charge_currency_id",
        copy=False,
        tracking=True,
        groups="support_contract.group_support_prices",
        help="Taxes included, without discounts. Saving it charges the customer and tells him. "
        "Change it, or set it to zero, and the difference is refunded: by a credit note where it "
        "has been invoiced.",
    )
    may_charge = fields.Boolean(compute="_compute_may_charge")
    ticket_charge_ids = fields.One2many(
        "support.charge",
        "ticket_id",
        domain=[("kind", "=", "ticket")],
        string="Ticket Charges",
        groups="support_contract.group_support_prices",
    )
    charge_state_label = fields.Char(
        compute="_compute_charge_state_label", groups="support_contract.group_support_prices"
    )
    can_bill_now = fields.Boolean(
        compute="_compute_can_bill_now", groups="support_contract.group_support_prices"
    )

    _charge_amount_positive = models.Constraint(
        "CHECK (charge_amount >= 0)", "The amount charged on a ticket can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "su")
    def _compute_may_charge(self):
        self.may_charge = self.env.su or any(
            self.env.user.has_group(group) for group in CHARGING_GROUPS.split(",")
        )

    @api.depends("ticket_charge_ids.state", "ticket_charge_ids.cancelled")
    def _compute_charge_state_label(self):
        labels = dict(self.env["support.charge"]._fields["state"]._description_selection(self.env))
        for ticket in self:
            live = ticket.ticket_charge_ids.filtered(lambda charge: not charge.cancelled)
            states = dict.fromkeys(charge.state for charge in live)
            ticket.charge_state_label = ", ".join(labels[state] for state in states)

    @api.depends("charge_ids.state")
    def _compute_can_bill_now(self):
        for ticket in self:
            ticket.can_bill_now = bool(ticket._get_charges_to_bill_now())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_charge_amount")
        if default is not None:  # as if it were entered, with the same rights
            vals_list = [{"charge_amount": default} | vals for vals in vals_list]
        for vals in vals_list:
            self._check_charge_amount(vals)
        tickets = super().create(vals_list)
        charged = tickets.browse(
            ticket.id
            for ticket, vals in zip(tickets, vals_list, strict=True)
            if vals.get("charge_amount")
        )
        charged._charge({})
        return tickets

    def write(self, vals):
        self._check_charge_amount(vals)
        if "charge_amount" in vals:
            before = {ticket.id: ticket.charge_amount for ticket in self.sudo()}
            self._check_owner_not_frozen(vals)
            result = super().write(vals)
            self._charge(before)
            return result
        if not OWNER_FACTS.intersection(vals):
            return super().write(vals)
        charged = self.sudo().filtered("charge_amount")  # whoever changes the customer
        charged._check_owner_not_frozen(vals)
        result = super().write(vals)
        charged._move_charge()
        return result

    def _cover(self):
        # EXTENDS 'support_contract': a contract that is found bills what is charged
        result = super()._cover()
        self.sudo().filtered("charge_amount")._move_charge()  # whoever changed the customer
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_charged(self):
        for ticket in self.sudo():  # money counts, whoever may see it
            if ticket.charge_amount:
                raise UserError(
                    self.env._(
                        "%s is charged to its customer and can't be deleted. Take the charge back "
                        "first, or close or archive the ticket.",
                        ticket.display_name,
                    )
                )

    # === ACTIONS === #

    def action_open_charge_wizard(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_ticket_charge_wizard"
        )
        return action | {"context": {"default_ticket_id": self.id}}

    def action_bill_now(self):
        """Bill what these tickets were charged, and their parts, at once; show the bills.

        :raise AccessError: for whoever may not make bills
        """
        bills = self.env["support.bill"]
        bills.check_access("create")
        self.check_access("read")  # of another company it isn't his
        # Who may make bills may bill what is there.
        charges = self.sudo()._get_charges_to_bill_now()
        if not charges:
            raise UserError(self.env._("There is nothing to bill on this ticket at the moment."))
        day = fields.Date.context_today(self)
        for group in charges.grouped(
            lambda c: (c.company_id, c.contract_id, c.partner_id, c.currency_id)
        ).values():
            bill = bills.sudo().create(bills._prepare_immediate_bill(group, day))
            group.bill_id = bill
            bills += bill.sudo(False)
        bills.action_submit()
        return bills._get_records_action(name=self.env._("Bills"))

    # === BUSINESS METHODS === #

    def _charge(self, before):  # pylint: disable=missing-return
        """Charge what has been entered, or take it back, and tell the customers.

        :param dict before: {ticket id: amount charged so far}, none for new tickets
        :raise UserError: where a ticket has no customer
        """
        tickets = self.sudo()  # the charges follow, for whoever may enter the amount
        for ticket in tickets:
            rounded = ticket.charge_currency_id.round(ticket.charge_amount)
            if rounded != ticket.charge_amount:
                # Past our own write(): it is the same amount, in the digits of its currency.
                super(HelpdeskTicket, ticket).write(  # pylint: disable=super-method-mismatch
                    {"charge_amount": rounded}
                )
        changed = tickets.filtered(
            lambda ticket: ticket.charge_currency_id.compare_amounts(
                before.get(ticket.id, 0.0), ticket.charge_amount
            )
        )
        tickets._move_charge()
        self.env["support.charge"].sudo()._sync_ticket_amounts(changed)
        for ticket in changed:
            ticket._notify_charge(before.get(ticket.id, 0.0), ticket.charge_amount)

    def _move_charge(self):
        """Have the charges of tickets follow the customer and contract of the ticket."""
        for ticket in self:
            if ticket.charge_amount and not ticket.commercial_partner_id:
                raise UserError(
                    self.env._(
                        "%s has no customer who could be charged: set one first.",
                        ticket.display_name,
                    )
                )
        if self:
            self.env["support.charge"]._move_ticket_charges(self)

    def _check_charge_amount(self, vals):
        """Refuse amounts from people who may not charge, and negative ones."""
        if "charge_amount" not in vals:
            return
        if not self.new().may_charge:
            raise AccessError(
                self.env._("Only managers of support and accountants may charge a ticket.")
            )
        if (vals["charge_amount"] or 0) < 0:
            raise UserError(
                self.env._(
                    "The amount charged on a ticket can't be negative. Lower it to refund what "
                    "was charged; for anything else give the customer a credit."
                )
            )

    def _check_owner_not_frozen(self, vals):
        """Refuse another customer while the charge is on an approved bill of this one."""
        if not {"partner_id", "company_id"}.intersection(vals):
            return
        for ticket in self.sudo():
            partner = ticket.partner_id.browse(vals.get("partner_id", ticket.partner_id.id))
            company = vals.get("company_id", ticket.company_id.id)
            if (
                partner.commercial_partner_id == ticket.commercial_partner_id
                and company == ticket.company_id.id
            ):
                continue
            if ticket.ticket_charge_ids.filtered(lambda c: c.state in FROZEN_STATES):
                raise UserError(
                    self.env._(
                        "%s is charged on an approved bill: its customer can't change. Cancel the "
                        "bill first.",
                        ticket.display_name,
                    )
                )

    def _get_charge_product(self):
        """Return the product that bills ticket charges in the company of this ticket."""
        self.ensure_one()
        xmlid = "support_contract.product_support_ticket"
        product = self.company_id.support_ticket_product_id or self.env["product.product"].browse(
            self.env["ir.model.data"]._xmlid_to_res_id(xmlid)  # unlike ref() without a query
        )
        if not product or not product.active:
            raise UserError(
                self.env._(
                    "The product for ticket charges is missing or archived. Choose one in the "
                    "settings of Support Contracts, under Invoicing."
                )
            )
        return product.with_context(lang=self.env.context.get("lang"))

    def _get_charges_to_bill_now(self):
        return self.charge_ids.filtered(
            lambda charge: charge.kind in BILLED_NOW and charge.state == "open"
        )

    # === CUSTOMER === #

    def _notify_charge(self, old, new):
        """Tell the customer what he is charged, or gets back (B6).

        It goes to him alone, not to the followers: not all of them may see what support costs.
        """
        self.ensure_one()
        ticket = self.with_context(lang=self.partner_id.lang or self.env.lang)
        ticket.message_notify(
            partner_ids=ticket.partner_id.ids,
            subject=ticket._get_charge_subject(),
            body=Markup("<p>%s</p>") % ticket._get_charge_text(old, new),
            email_layout_xmlid="mail.mail_notification_layout",
        )

    def _get_charge_subject(self):
        return self.env._("Charge for your ticket %s", self.display_name)

    def _get_charge_text(self, old, new):
        """Return what the customer is told when the amount on his ticket changes."""
        self.ensure_one()
        values = {
            "old": self.charge_currency_id.format(old),
            "new": self.charge_currency_id.format(new),
            "ticket": self.display_name,
        }
        if not old:
            return self.env._("You are charged %(new)s, taxes included, for %(ticket)s.", **values)
        if not new:
            return self.env._(
                "The charge of %(old)s, taxes included, for %(ticket)s has been taken back.",
                **values,
            )
        return self.env._(
            "The charge for %(ticket)s has changed from %(old)s to %(new)s, taxes included.",
            **values,
        )

    def _may_see_charge(self, user):
        """Return whether somebody who opens the ticket in the portal may see what it costs.

        The customer's people, whoever came by the link in a mail, and staff who see prices; not
        a follower of another company.
        """
        self.ensure_one()
        return (
            user._is_public()
            or user.commercial_partner_id == self.sudo().commercial_partner_id
            or user.has_group("support_contract.group_support_prices")
        )
