# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

REASONS = [
    ("stage", "Stage"),
    ("locked", "Locked"),
    ("hand", "By Hand"),
    ("resolved", "Resolved"),
    ("closed", "Closed"),
]
# Reasons that follow from the state of the ticket; the others are set otherwise.
FOLLOWED = ("stage", "locked")


class SupportSlaPause(models.Model):
    """A time in which the clocks of a ticket stood still, and why (Y34, Y43).

    Pauses may overlap: their time is taken off once (T41). Of a ticket that was resolved or
    closed and is worked on again, the time in between is such a pause: nobody promised anything
    for it.
    """

    _name = "support.sla.pause"
    _description = "Pause of the SLA Clocks of a Ticket"
    _order = "start desc, id desc"

    ticket_id = fields.Many2one(
        "helpdesk.ticket", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    reason = fields.Selection(REASONS, required=True, readonly=True)
    detail = fields.Char(
        readonly=True, help="The stage or lock that it came from, or what was written by hand."
    )
    label = fields.Char(string="Why", compute="_compute_label")
    user_id = fields.Many2one(
        "res.users", string="Who", readonly=True, default=lambda self: self.env.user
    )
    start = fields.Datetime(required=True, readonly=True)
    stop = fields.Datetime(readonly=True, help="Empty: it goes on.")

    _order_of_moments = models.Constraint(
        "CHECK (stop IS NULL OR stop >= start)", "A pause can't end before it begins."
    )
    _once = models.UniqueIndex(
        "(ticket_id, reason) WHERE stop IS NULL", "The clocks are paused for this reason already."
    )

    @api.depends("reason", "detail")
    @api.depends_context("lang")
    def _compute_label(self):
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        locks = self.env["helpdesk.ticket"]._fields["lock_reason"]
        locks = dict(locks._description_selection(self.env))
        stages = self.env["helpdesk.ticket.stage"].browse(
            {int(pause.detail) for pause in self if pause.reason == "stage"}
        )
        names = {str(stage.id): stage.display_name for stage in stages.exists()}
        for pause in self:
            detail = pause.detail
            if pause.reason == "stage":
                detail = names.get(detail)
            elif pause.reason == "locked":
                detail = locks.get(detail)
            pause.label = f"{reasons[pause.reason]}: {detail}" if detail else reasons[pause.reason]

    def _holds(self, kind):
        """Return whether a promise's clock stands still in it.

        Who waits for an answer waits on a resolved ticket, too.
        """
        self.ensure_one()
        return self.reason != "resolved" or kind == "resolution"

    @api.model
    def _follow(self, tickets, moment):
        """Begin and end pauses as stages and locks of tickets demand.

        :param moment: when that has changed
        :return: the tickets whose pauses have changed
        """
        going = self.search([("ticket_id", "in", tickets.ids), ("stop", "=", False)])
        by_ticket = going.grouped("ticket_id")
        ended, begun = [], []
        for ticket in tickets:
            wanted = ticket._get_pause_reasons()
            kept = set()
            for pause in by_ticket.get(ticket, ()):
                if ticket.closed_at or (
                    pause.reason in FOLLOWED and wanted.get(pause.reason) != pause.detail
                ):
                    ended.append(pause)
                else:
                    kept.add(pause.reason)
            begun += [
                {
                    "ticket_id": ticket.id,
                    "company_id": ticket.company_id.id,
                    "reason": reason,
                    "detail": detail,
                    "start": (
                        moment
                        if ticket.sla_timer_ids
                        else min(ticket._get_pause_start(reason), moment)
                    ),
                    "stop": False,  # whatever the defaults of a screen say
                    "user_id": self.env.uid,
                }
                for reason, detail in wanted.items()
                if reason not in kept
            ]
        ended = self.union(*ended)
        ended._end(moment)
        started = self.create(begun)
        return ended.ticket_id | started.ticket_id

    def _end(self, moment):
        """End pauses, those that have begun later at once."""
        for stop, pauses in self.grouped(lambda pause: max(moment, pause.start)).items():
            pauses.write({"stop": stop})
        self.flush_recordset()  # two can't go on for one reason, not even for an instant

    @api.model
    def _add(self, tickets, reason, starts, stop):
        """Keep that the clocks of tickets stood still from some moment of each until now."""
        self.create(
            [
                {
                    "ticket_id": ticket.id,
                    "company_id": ticket.company_id.id,
                    "reason": reason,
                    "start": min(starts[ticket], stop),
                    "stop": stop,
                }
                for ticket in tickets
            ]
        )
