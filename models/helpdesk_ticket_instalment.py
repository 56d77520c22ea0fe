# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..tools.ticket_charge import parse_instalments
from .helpdesk_ticket_billing_preset import INSTALMENTS_FROM

INSTALMENT_FIELDS = {"instalment_days", "instalment_from"}
# What decides which instalments a ticket has, and when they are due.
INSTALMENT_FACTS = INSTALMENT_FIELDS | {"billing_type", "stage_id", "closed_date", "opened_at"}
MAX_INSTALMENTS = 60


class HelpdeskTicket(models.Model):
    """The amount charged on a ticket in instalments, counted from its opening or closing (Q34).

    Counted from its closing nothing is owed until it is closed; one that is opened again owes only
    what is on an approved bill.
    """

    _inherit = "helpdesk.ticket"

    instalment_days = fields.Char(
        string="Instalments After (Days)",
        tracking=True,
        copy=False,
        help="One instalment for each of these numbers of days, e.g. 0, 30, 60: three equal ones.",
    )
    instalment_from = fields.Selection(
        INSTALMENTS_FROM,
        string="Days Counted From",
        tracking=True,
        copy=False,
    )

    @api.constrains("billing_type", *INSTALMENT_FIELDS)
    def _check_instalments(self):
        for ticket in self.filtered(lambda t: t.billing_type == "instalments"):
            try:
                days = parse_instalments(ticket.instalment_days)
            except ValueError:
                days = []
            if not 1 <= len(days) <= MAX_INSTALMENTS or not ticket.instalment_from:
                raise ValidationError(
                    self.env._(
                        "The instalments “%(days)s” of %(ticket)s can't be read. Write after how "
                        "many days each is due, in their order, e.g. 0, 30, 60 (at most %(most)s), "
                        "and from when the days are counted.",
                        days=ticket.instalment_days or "",
                        ticket=ticket.display_name,
                        most=MAX_INSTALMENTS,
                    )
                )

    def write(self, vals):
        if not INSTALMENT_FACTS.intersection(vals):
            return super().write(vals)
        if any(
            vals[name] != ticket[name] for name in INSTALMENT_FIELDS & set(vals) for ticket in self
        ):
            self._check_may_choose_billing()
        tickets = self.sudo()  # money follows, whoever closes the ticket
        before = {ticket: ticket._get_instalment_days() for ticket in tickets}
        result = super().write(vals)
        changed = tickets.filtered(
            lambda ticket: ticket.charge_amount and ticket._get_instalment_days() != before[ticket]
        )
        self.env["support.charge"].sudo()._sync_ticket_amounts(changed)
        return result

    def _get_instalment_days(self):
        """Return the days on which the instalments are due, in their order.

        None: it is not in instalments. Empty: there are none before it is closed.
        """
        self.ensure_one()
        if self.billing_type != "instalments":
            return None
        moment = self.opened_at
        if self.instalment_from == "closing":
            moment = self.closed and (self.closed_date or fields.Datetime.now())
        if not moment:
            return []
        contract = self.contract_id.sudo()  # its time zone
        start = contract._get_local_day(moment) if contract else moment.date()
        return [start + timedelta(days=days) for days in parse_instalments(self.instalment_days)]

    def _get_charge_text(self, old, new):
        """Tell the customer when his instalments are due."""
        text = super()._get_charge_text(old, new)
        days = new and self._get_instalment_days()
        if not days:
            return text
        labels = ", ".join(format_date(self.env, day) for day in days)
        return self.env._("%(charged)s In instalments on: %(days)s.", charged=text, days=labels)

    def _get_charges_to_bill_now(self):
        """Leave instalments whose day hasn't come."""
        today = fields.Date.context_today(self)
        charges = super()._get_charges_to_bill_now()
        return charges.filtered(lambda charge: not charge.instalment or charge.date <= today)
