# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import clean_context

# What the clocks of a ticket hang on.
CLOCK_FACTS = {
    "stage_id",
    "team_id",  # which may move it to another stage
    "priority",
    "contract_id",
    "partner_id",  # which may bring another contract
    "equipment_id",
    "company_id",
    "sla_policy_id",
    "lock_reason",
    "opened_at",
}


class HelpdeskTicket(models.Model):
    """Tickets that keep their clocks in line with what happens to them.

    All that happens comes to `_sync_clocks`, which compares what should be with what is, and
    changes the difference: asked twice, it changes nothing the second time.
    """

    _inherit = "helpdesk.ticket"

    # === CONSTRAINTS === #

    @api.constrains("opened_at")
    def _check_opened_at(self):
        for ticket in self:
            if not ticket.opened_at:
                raise ValidationError(
                    self.env._(
                        "Clocks and units go by when %s was opened: correct the moment instead of "
                        "emptying it.",
                        ticket.display_name,
                    )
                )

    def _check_sla_company(self):
        """Refuse an SLA of another company: its colleagues, hours and holidays are others."""
        for ticket in self.sudo():  # the companies only
            policy = ticket.sla_policy_id
            if policy and policy.company_id != ticket.company_id:
                raise UserError(
                    self.env._(
                        "The SLA “%(policy)s” is of %(other)s, and %(ticket)s is of %(company)s: "
                        "choose an SLA of the same company.",
                        policy=policy.name,
                        other=policy.company_id.name,
                        ticket=ticket.display_name,
                        company=ticket.company_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._complete_sla_choice(vals) for vals in vals_list]
        tickets = super().create(vals_list)
        chosen = [
            ticket
            for ticket, vals in zip(tickets, vals_list, strict=True)
            if "sla_policy_id" in vals
        ]
        self.browse().union(*chosen)._note_sla_by_hand()
        tickets._sync_clocks()
        return tickets

    def write(self, vals):
        if not CLOCK_FACTS.intersection(vals):
            return super().write(vals)
        opened = {ticket: ticket.opened_at for ticket in self} if "opened_at" in vals else {}
        result = super().write(vals)
        if "sla_policy_id" in vals:
            self._note_sla_by_hand()
        if "company_id" in vals:
            self._move_sla()
        self._sync_clocks(restarted=[t for t, at in opened.items() if t.opened_at != at])
        return result

    @api.model
    def _complete_sla_choice(self, vals):
        """Return the values with the SLA only if somebody has chosen it.

        A form sends an empty one before the contract is known.
        """
        default = self.env.context.get("default_sla_policy_id")
        if default:
            return {"sla_policy_id": default} | vals
        if vals.get("sla_policy_id"):
            return vals
        return {name: value for name, value in vals.items() if name != "sla_policy_id"}

    def _note_sla_by_hand(self):
        """Note whose SLA isn't its contract's; forms send that one, too, when they fill it in."""
        self._check_sla_company()
        # Noted by ourselves, and whoever opens a ticket needn't be able to read its contract.
        for by_hand, tickets in (
            self.sudo()
            .grouped(lambda ticket: ticket.sla_policy_id != ticket.contract_id.sla_policy_id)
            .items()
        ):
            tickets.write({"sla_by_hand": by_hand})

    def _move_sla(self):
        """Take along to another company what hangs on the ticket; SLAs stay where they are."""
        # Whoever moves a ticket needn't be able to read clocks.
        for company, tickets in self.sudo().grouped("company_id").items():
            tickets.filtered("sla_by_hand")._note_sla_by_hand()
            tickets.sla_pause_ids.write({"company_id": company.id})

    def _cover(self):
        """Give the tickets that came by mail, too, what the SLA of their contract sets."""
        result = super()._cover()
        new = self.sudo().filtered(lambda t: t.sla_policy_id and not t.sla_version_id)  # as below
        for policy, tickets in new.grouped("sla_policy_id").items():
            values = policy._get_ticket_values()
            if values:
                tickets.write(values)
        self._sync_clocks()
        return result

    @api.model
    def _prepare_coverage(self, vals_list):
        """Complete the values with what the SLA of the contract sets (Y44, Y46)."""
        vals_list = super()._prepare_coverage(vals_list)
        # As in the method extended: contracts are read for people who can't.
        contracts = self.env["support.contract"].sudo()
        contracts = contracts.browse(
            {vals.get("contract_id") for vals in vals_list} - {False, None}
        )
        agreed = {contract.id: contract.sla_policy_id for contract in contracts}
        policies = self.env["support.sla.policy"].sudo()
        policies = policies.browse(
            {vals.get("sla_policy_id") for vals in vals_list} - {False, None}
        )
        chosen = {policy.id: policy for policy in policies}
        result = []
        for vals in vals_list:
            policy = agreed.get(vals.get("contract_id"))
            if "sla_policy_id" in vals:
                policy = chosen.get(vals["sla_policy_id"])
            result.append(vals | policy._get_ticket_values() if policy else vals)
        return result

    # === THE ONE DOOR === #

    def _sync_clocks(self, moment=None, restarted=()):
        """Bring moments, version, pauses and clocks in line with the tickets as they are.

        :param datetime moment: when they came to be so, now unless told otherwise
        :param restarted: the tickets whose opening was corrected
        """
        # Clocks go by whatever happens to a ticket, whoever does it.
        # Defaults of a screen are none of clocks and pauses.
        everything = self.sudo().with_context(clean_context(self.env.context))
        tickets = everything.filtered(lambda ticket: ticket.sla_policy_id or ticket.sla_version_id)
        moment = moment or fields.Datetime.now()
        everything._note_moments(moment)
        if not tickets:
            return
        tickets._note_sla_version()
        paused = everything.env["support.sla.pause"]._follow(tickets, moment)
        everything.env["support.sla.timer"]._follow(tickets, moment, paused, restarted)

    def _note_moments(self, moment):
        """Keep when tickets were resolved and closed; what lies between that and now is a pause."""
        noted = {}
        for ticket in self:
            stage = ticket.stage_id
            done = stage.resolves or (stage.closed and ticket.resolved_at)
            values = {}
            # Those that were closed before the add-on came, or before they were entered, have only
            # helpdesk's moment.
            closed_at = min(ticket.closed_date or moment, moment)
            if bool(done) != bool(ticket.resolved_at):
                resolved_at = (ticket.closed_at or closed_at) if stage.closed else moment
                values["resolved_at"] = resolved_at if done else False
            if stage.closed != bool(ticket.closed_at):
                values["closed_at"] = closed_at if stage.closed else False
            if values:
                noted[ticket] = tuple(sorted(values.items()))
        for values, tickets in self.filtered(noted.get).grouped(noted.get).items():
            for name, reason in (("resolved_at", "resolved"), ("closed_at", "closed")):
                if (name, False) in values:
                    again = tickets.filtered(lambda t: t.sla_timer_ids)
                    starts = {ticket: ticket[name] for ticket in again}
                    self.env["support.sla.pause"].sudo()._add(again, reason, starts, moment)
            tickets.write(dict(values))

    def _note_sla_version(self):
        """Have tickets go by the newest version of a policy that is new to them."""
        for policy, tickets in self.grouped("sla_policy_id").items():
            new = tickets.filtered(
                lambda t, policy=policy: (
                    t.sla_version_id.policy_id != policy and not (t.closed_at and t.sla_version_id)
                )
            )
            if new:
                new.write({"sla_version_id": policy.version_ids[:1].id})

    def _take_sla_version(self, version):
        """Go by another version of the policy from now on."""
        self.write({"sla_version_id": version.id})
        self._sync_clocks()
