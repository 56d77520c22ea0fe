# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# What decides whether a ticket takes incidents, and from whom.
MOVING_FACTS = {
    "partner_id",
    "company_id",
    "contract_id",
    "team_id",
    "incident_quantity",
    "opened_at",
    "stage_id",
    "duplicate_id",
    "billing_type",
}
# A ticket before it was changed.
Facts = namedtuple("Facts", "demand number stage duplicate team customer contract billing")


class HelpdeskTicket(models.Model):
    """A ticket that gives its incidents back and takes them again.

    `incident_quantity` is what the ticket is worth, `incident_demand` what it takes now: nothing
    in a stage that returns the incident or as the duplicate of another ticket. Each step is an
    entry of the ledger with its reason (B34, B37, B38). Archiving a ticket moves nothing: the
    work has happened.
    """

    _inherit = "helpdesk.ticket"

    incident_demand = fields.Integer(
        string="Incidents Taken",
        compute="_compute_incident_demand",
        store=True,
        copy=False,
        help="None while the ticket is cancelled, rejected or a duplicate.",
    )
    incident_by_hand = fields.Boolean(
        readonly=True,
        copy=False,
        default=False,
        help="The number was given by staff, in a team that takes none: it stays with the ticket.",
    )
    retaken_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the ticket began to take incidents, if that was after it was opened: it left a "
        "stage that returns them, or came to a team that takes them.",
    )
    incident_entry_ids = fields.One2many(
        "support.entitlement.entry",
        "ticket_id",
        string="History of Incidents",
        domain=[("unit", "=", "incident")],
        readonly=True,
    )

    # Not on `returns_incident`: who changes a stage doesn't move the tickets that lie in it.
    @api.depends("incident_quantity", "stage_id", "duplicate_id")
    def _compute_incident_demand(self):
        for ticket in self:
            ticket.incident_demand = ticket._get_demand(ticket.stage_id, ticket.duplicate_id)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_numbers(vals_list)
        tickets = super().create(vals_list)
        given = [bool(vals.get("incident_quantity")) for vals in vals_list]
        tickets.browse(
            ticket.id for ticket, number in zip(tickets, given, strict=True) if number
        )._note_by_hand()
        return tickets

    def write(self, vals):
        self._check_numbers([vals])
        if not MOVING_FACTS.intersection(vals):
            return super().write(vals)
        before = {ticket.id: ticket._get_facts() for ticket in self}
        noted = self.with_context(support_incidents_before=before)
        result = super(HelpdeskTicket, noted).write(vals)
        if "incident_quantity" in vals:
            self._note_by_hand()
        moved = self.filtered(lambda ticket: ticket.incident_demand != before[ticket.id].demand)
        moved._check_no_bill()
        return result

    def unlink(self):
        before = {ticket.id: ticket._get_facts()._replace(number=-1) for ticket in self}
        return super(HelpdeskTicket, self.with_context(support_incidents_before=before)).unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_original(self):
        """Refuse where duplicates take nothing because of a ticket: they would go uncounted."""
        duplicates = self.sudo().with_context(active_test=False).duplicate_ids - self
        duplicate = duplicates.filtered("incident_quantity")[:1]
        if duplicate:
            raise UserError(
                self.env._(
                    "%(ticket)s can't be deleted: %(duplicate)s is its duplicate, and takes no "
                    "incident because of it. Archive it, or delete the duplicate first.",
                    ticket=duplicate.duplicate_id.number,
                    duplicate=duplicate.number,
                )
            )

    def _note_by_hand(self):
        """Note whose number of incidents staff has decided where none is needed."""
        for by_hand, tickets in self.grouped(
            lambda ticket: bool(ticket.incident_quantity) and not ticket._needs_incident()
        ).items():
            changed = tickets.filtered(
                lambda ticket, value=by_hand: ticket.incident_by_hand != value
            )
            if changed:
                # sudo: noted by itself
                changed.sudo().write({"incident_by_hand": by_hand})

    # === QUESTIONS === #

    def _needs_incident(self):
        """Return whether the team, or the contract, takes an incident for this ticket.

        One from before its contract came here has taken it elsewhere.
        """
        self.ensure_one()
        contract = self.contract_id.sudo()  # a portal user opens tickets under one he can't read
        if contract and contract._was_counted_elsewhere(self.opened_at):
            return False
        return self.team_id.requires_incident or bool(contract and contract._counts_incidents())

    def _get_demand(self, stage, duplicate):
        """Return how many incidents this ticket takes in a stage, as a duplicate or not."""
        self.ensure_one()
        return 0 if stage.returns_incident or duplicate else self.incident_quantity

    def _moves_demand(self, vals):
        """Return whether a change of stage, or of what it duplicates, returns or takes units."""
        if not {"stage_id", "duplicate_id"}.intersection(vals):
            return False
        stage = self.env["helpdesk.ticket.stage"].browse(vals.get("stage_id") or False)
        original = self.browse(vals.get("duplicate_id") or False)
        return any(
            ticket.incident_demand
            != ticket._get_demand(
                stage if "stage_id" in vals else ticket.stage_id,
                original if "duplicate_id" in vals else ticket.duplicate_id,
            )
            for ticket in self
        )

    def _get_facts(self):
        self.ensure_one()
        return Facts(
            demand=self.incident_demand,
            number=self.incident_quantity,
            stage=self.stage_id,
            duplicate=self.duplicate_id,
            team=self.team_id,
            customer=self.commercial_partner_id,
            contract=self.contract_id,
            billing=self.billing_type,
        )

    # === CHECKS === #

    @api.model
    def _check_numbers(self, vals_list):
        """Refuse negative and broken numbers, which the database would cut or not explain."""
        for vals in vals_list:
            number = vals.get("incident_quantity") or 0
            if isinstance(number, float) and not number.is_integer():
                raise UserError(
                    self.env._(
                        "%s isn't a whole number: incidents can't be divided.", f"{number:g}"
                    )
                )
            if isinstance(number, (int, float)) and number < 0:
                raise UserError(
                    self.env._(
                        "A ticket can't take %s incidents. Lower the number to 0 to return all.",
                        f"{number:g}",
                    )
                )

    def _check_no_bill(self):
        """Refuse to move incidents that are on an approved bill."""
        frozen = self._get_frozen()
        if frozen:
            raise UserError(
                self.env._(
                    "The incident of %s is on an approved bill and can't be returned by moving the "
                    "ticket. Cancel or credit the bill first, or use a stage that returns nothing.",
                    frozen[0].display_name,
                )
            )

    # === TAKING AGAIN === #

    def _consume(self, before=None):
        """Draw as of the opening; what begins to be taken later, as of now.

        A ticket that takes nothing yet and begins to (out of a returning stage, to a team that
        requires an incident, no duplicate any more) takes what is left now. One that takes more,
        or from another customer, takes what was left when it was opened and only where that is
        nothing what is left now: so that a customer who has bought meanwhile is served.
        """
        known = self.env.context.get("support_incidents_before")
        if known is None or before is None:
            known = dict.fromkeys(self.ids)
            return super(
                HelpdeskTicket, self.with_context(support_incidents_before=known)
            )._consume(before)
        changed = self.filtered(lambda ticket: known.get(ticket.id) and ticket.incident_demand)
        changed.filtered(lambda ticket: not known[ticket.id].demand)._retake()
        growing = changed.filtered(
            lambda ticket: (
                0 < known[ticket.id].demand < ticket.incident_demand
                or known[ticket.id].customer != ticket.commercial_partner_id
            )
        )
        if not growing:
            return super()._consume(before)
        try:
            with self.env.cr.savepoint():
                return super()._consume(before)
        except UserError:
            growing = growing._filter_takes_now(known)
            if not growing:
                raise
        growing._retake()
        return super()._consume(before)

    def _retake(self):
        if self:
            # sudo: noted by itself, whoever moves the ticket
            self.sudo().write({"retaken_at": fields.Datetime.now()})

    def _filter_takes_now(self, known):
        """Return the tickets that lose nothing when they take their incidents as of now.

        What a ticket drew from a grant that has ended would lapse.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.ticket_ref, grant_.date_to
                  FROM support_entitlement_entry entry
                  JOIN support_entitlement grant_ ON grant_.id = entry.entitlement_id
                 WHERE entry.ticket_ref IN %s AND entry.unit = 'incident'
                   AND entry.kind IN ('draw', 'return')
                 GROUP BY entry.ticket_ref, grant_.id
                HAVING SUM(entry.quantity) <> 0
                """,
                tuple(self.ids),
            )
        )
        today = fields.Date.today()
        losing = {ticket for ticket, end in rows if end and end < today}
        return self.filtered(
            lambda ticket: (
                ticket.id not in losing or known[ticket.id].customer != ticket.commercial_partner_id
            )
        )

    # === HISTORY === #

    def _get_incident_reason(self):
        """Return by which change an entry is made, for its history; False where unknown."""
        self.ensure_one()
        known = self.env.context.get("support_incidents_before") or {}
        if self.id not in known:
            changed = self.browse(list(known)[:1])
            return changed and self.env._("Follows from a change of %s", changed.number)
        before = known[self.id]
        if before is None:
            return self.env._("Opened")
        if before.number < 0:
            return self.env._("%s was deleted", self.number)
        return self._describe_change(before)

    def _describe_change(self, before):
        self.ensure_one()
        if before.customer != self.commercial_partner_id:
            return self.env._(
                "Customer changed from %(old)s to %(new)s",
                old=before.customer.display_name or "–",
                new=self.commercial_partner_id.display_name or "–",
            )
        if self.duplicate_id and before.duplicate != self.duplicate_id:
            return self.env._("Duplicate of %s", self.duplicate_id.number)
        if before.duplicate and not self.duplicate_id:
            return self.env._("No longer a duplicate of %s", before.duplicate.number)
        if before.team != self.team_id:
            return self.env._(
                "Team changed from %(old)s to %(new)s",
                old=before.team.display_name or "–",
                new=self.team_id.display_name or "–",
            )
        if before.number != self.incident_quantity:
            return self.env._(
                "Number changed from %(old)s to %(new)s",
                old=before.number,
                new=self.incident_quantity,
            )
        if before.stage != self.stage_id:
            return self.env._("Moved to %s", self.stage_id.display_name)
        if before.contract != self.contract_id:
            return self.env._(
                "Contract changed from %(old)s to %(new)s",
                # sudo: whoever moves tickets may read the names of their contracts
                old=before.contract.sudo().display_name or "–",
                new=self.contract_id.sudo().display_name or "–",
            )
        if before.billing != self.billing_type:
            labels = dict(self._fields["billing_type"]._description_selection(self.env))
            return self.env._("Billing changed to “%s”", labels[self.billing_type])
        return self.env._("Corrected")
