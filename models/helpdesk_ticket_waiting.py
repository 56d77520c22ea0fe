# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

# Says that a ticket may wait for its incident. An object: nobody can send it from outside.
MAY_WAIT = object()


class HelpdeskTicket(models.Model):
    """Tickets that take their incidents later than they were opened.

    Those that came by mail are covered in a transaction of their own; those of a contract that
    hasn't begun, and those for which no incident is left, take theirs when they are released.
    """

    _inherit = "helpdesk.ticket"

    incident_waiting = fields.Boolean(
        readonly=True,
        copy=False,
        default=False,
        index="btree_not_null",
        help="It takes its incidents when it is released, not before.",
    )

    @api.depends("incident_waiting")
    def _compute_incident_demand(self):
        return super()._compute_incident_demand()

    def _get_demand(self, stage, duplicate):
        return 0 if self.incident_waiting else super()._get_demand(stage, duplicate)

    # === MAIL === #

    @api.model
    def message_new(self, msg, custom_values=None):
        """A mail is never refused: its ticket is covered in a transaction of its own."""
        later = self.with_context(support_cover_later=True)
        ticket = super(HelpdeskTicket, later).message_new(msg, custom_values=custom_values)
        self.env.ref("support_contract.cron_cover_waiting")._trigger()
        return ticket.with_context(support_cover_later=False)

    @api.model
    def _cron_cover_waiting(self):
        """Cover the tickets that came by mail, and those for which incidents have come since.

        Each is a transaction; one that fails is tried again the next time.
        """
        arrived = self.search([("awaiting_coverage", "=", True)], order="id")
        waiting = arrived | self._find_releasable()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(waiting))
        for ticket in waiting:
            locked = ticket.try_lock_for_update().filtered(
                lambda ticket: ticket.awaiting_coverage or ticket.incident_waiting
            )
            if locked:
                try:
                    with self.env.cr.savepoint():
                        locked._cover_arrived()
                except Exception:  # one broken ticket must not stop the others
                    _logger.exception("Covering %s failed", ticket.display_name)
            if not cron._commit_progress(1):
                break

    def _cover_arrived(self):
        """Find the contract and the incident of a ticket that came by mail, or wait for them."""
        self.ensure_one()
        if self.awaiting_coverage:
            self.awaiting_coverage = False
            if not self.contract_by_hand:
                self._cover()
            self.env.add_to_compute(self._fields["incident_quantity"], self)
            self._take_or_wait()
        self._update_locks()

    @api.model
    def _find_releasable(self):
        """Return the tickets that wait for incidents where there are enough by now."""
        waiting = self.search([("lock_reason", "=", "no_incident")], order="opened_at, id")
        rows = self.env["support.entitlement"]._read_group(
            [
                ("unit", "=", "incident"),
                ("remaining", ">", 0),
                ("partner_id", "in", waiting.commercial_partner_id.ids),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", fields.Date.today()),
            ],
            ["company_id", "partner_id"],
            ["remaining:sum"],
        )
        left = {(company.id, partner.id): units for company, partner, units in rows}
        return waiting.filtered(
            lambda ticket: left.get(ticket._get_pool()[:2], 0) >= ticket.incident_quantity
        )

    # === WAITING === #

    def _consume(self, before=None):
        self.filtered(
            lambda ticket: (
                not ticket.incident_waiting
                and ticket.contract_id.sudo().state in ("draft", "pending")  # staff: read only
            )
        )._hold_back()
        return super()._consume(before)

    def _may_wait(self):
        """Return whether a ticket without an incident is kept waiting rather than refused."""
        return self.env.context.get("support_may_wait") is MAY_WAIT

    def _hold_back(self):
        """Have these tickets wait for their incidents, except those that have them already."""
        drawn = self._get_incidents_drawn()
        held = self.filtered(lambda ticket: not drawn.get(ticket.id))
        held.sudo().write({"incident_waiting": True})  # noted by ourselves

    def _release(self):
        """Have waiting tickets take their incidents now.

        :return: those for which too few are left; they go on waiting
        """
        if not self:
            return self
        self.write({"incident_waiting": False, "retaken_at": fields.Datetime.now()})
        return self._take_or_wait()

    def _take_or_wait(self):
        """Take incidents as of the tickets' moments; return those that must wait for some."""
        self.with_context(support_may_wait=MAY_WAIT)._consume()
        short = self._get_short()
        if short:
            before = short._get_pool_starts()
            short.write({"incident_waiting": True, "retaken_at": False})
            short._consume(before)  # what it had a part of goes back
        return short

    def _get_short(self):
        """Return the tickets that have drawn fewer incidents than they need, uncharged."""
        drawn = self._get_incidents_drawn()
        return self.filtered(
            lambda ticket: (
                ticket.commercial_partner_id
                and drawn.get(ticket.id, 0) < ticket.incident_demand
                and not ticket._is_incident_charged()
            )
        )

    def _get_incidents_drawn(self):
        """Return how many incidents each ticket has drawn: {ticket id: incidents}."""
        if not self.ids:
            return {}
        rows = (
            self.env["support.entitlement.entry"]
            .sudo()
            ._read_group(  # quantities of the tickets themselves
                [
                    ("ticket_id", "in", self.ids),
                    ("time_entry_id", "=", False),
                    ("unit", "=", "incident"),
                    ("kind", "in", ("draw", "return")),
                ],
                ["ticket_id"],
                ["quantity:sum"],
            )
        )
        return {ticket.id: -quantity for ticket, quantity in rows}
