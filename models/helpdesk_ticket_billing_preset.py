# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""How the tickets of a category, or else of a team, are billed unless said otherwise (Q34)."""

from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.ticket_charge import parse_instalments

INSTALMENTS_FROM = [("opening", "Opening of the ticket"), ("closing", "Closing of the ticket")]
PRESET_FIELDS = ("support_billing_type", "support_instalment_days", "support_instalment_from")

BILLING_FIELDS = ("billing_type", "instalment_days", "instalment_from")  # of a ticket

Preset = namedtuple("Preset", PRESET_FIELDS)


class SupportBillingPresetMixin(models.AbstractModel):
    _name = "support.billing.preset.mixin"
    _description = "What Tickets Are Billed By at First"

    support_billing_type = fields.Selection(
        lambda self: (
            self.env["helpdesk.ticket"]._fields["billing_type"]._description_selection(self.env)
        ),
        string="Tickets Are Billed",
        help="Preset on new tickets, where a manager can choose otherwise. A category goes before "
        "the team. Empty: by the contract.",
    )
    support_instalment_days = fields.Char(
        string="Instalments After (Days)",
        help="One instalment for each of these numbers of days, e.g. 0, 30, 60.",
    )
    support_instalment_from = fields.Selection(
        INSTALMENTS_FROM, string="Days Counted From", default="opening"
    )

    @api.constrains(*PRESET_FIELDS)
    def _check_instalment_preset(self):
        for preset in self.filtered(lambda p: p.support_billing_type == "instalments"):
            try:
                days = parse_instalments(preset.support_instalment_days)
            except ValueError:
                days = []
            if not days or not preset.support_instalment_from:
                raise ValidationError(
                    self.env._(
                        "The instalments “%(days)s” can't be read. Write after how many days each "
                        "is due, in their order, e.g. 0, 30, 60, and from when they are counted.",
                        days=preset.support_instalment_days or "",
                    )
                )


class HelpdeskTicketTeam(models.Model):
    _name = "helpdesk.ticket.team"
    _inherit = ["helpdesk.ticket.team", "support.billing.preset.mixin"]


class HelpdeskTicketCategory(models.Model):
    _name = "helpdesk.ticket.category"
    _inherit = ["helpdesk.ticket.category", "support.billing.preset.mixin"]


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    # === WHAT IS PRESET === #

    @api.model
    def _find_billing_preset(self, category, team):
        """Return what is preset: by the category or one above it, by the team, or by nobody.

        :rtype: Preset
        """
        category, team = category.sudo(), team.sudo()  # settings, for whoever opens a ticket
        while category and not category.support_billing_type:
            category = category.parent_id
        for owner in (category, team):
            if owner.support_billing_type == "instalments":
                return Preset(*(owner[name] for name in PRESET_FIELDS))
            if owner.support_billing_type:
                return Preset(owner.support_billing_type, False, False)
        return Preset("contract", False, False)

    def _is_billed_otherwise(self):
        """Return whether somebody has chosen something else than what is preset."""
        self.ensure_one()
        billing = Preset(self.billing_type, False, False)
        if self.billing_type == "instalments":
            billing = Preset(self.billing_type, self.instalment_days, self.instalment_from)
        return billing != self._find_billing_preset(self.category_id, self.team_id)

    @api.onchange("team_id", "category_id")
    def _onchange_billing_preset(self):
        if not self._origin:
            self.update(self._prepare_preset(self.category_id, self.team_id))

    @api.model
    def _prepare_preset(self, category, team):
        preset = self._find_billing_preset(category, team)
        return dict(zip(BILLING_FIELDS, preset, strict=True))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        free = [not self._chooses_billing(vals) for vals in vals_list]
        tickets = super().create(
            [
                vals | self._prepare_preset(*self._get_sorting(vals)) if preset else vals
                for vals, preset in zip(vals_list, free, strict=True)
            ]
        )
        # Some were sorted only while they were made.
        tickets.browse(
            ticket.id for ticket, preset in zip(tickets, free, strict=True) if preset
        )._take_preset()
        return tickets

    @api.model
    def _chooses_billing(self, vals):
        return "billing_type" in vals or "default_billing_type" in self.env.context

    @api.model
    def _get_sorting(self, vals):
        """Return the category and the team that are given for a new ticket."""
        return (
            self.env[model].browse(vals.get(name) or self.env.context.get(f"default_{name}") or ())
            for name, model in (
                ("category_id", "helpdesk.ticket.category"),
                ("team_id", "helpdesk.ticket.team"),
            )
        )

    def write(self, vals):
        """Sorted anew, a ticket that is billed as preset takes over what is preset there."""
        if not {"team_id", "category_id"}.intersection(vals) or "billing_type" in vals:
            return super().write(vals)
        followers = self.filtered(lambda ticket: not ticket._is_billed_otherwise())
        result = super().write(vals)
        followers._take_preset()
        return result

    def _take_preset(self):
        for ticket in self:
            if ticket._is_billed_otherwise():
                # What is preset is a setting, whoever sorts the ticket.
                ticket.sudo().write(self._prepare_preset(ticket.category_id, ticket.team_id))
