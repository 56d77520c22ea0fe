# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .support_contract_overlap import AGREED_STATES
from .support_coverage import Request


class HelpdeskTicket(models.Model):
    """The item a ticket is about: whose it is, and what it means for the contract."""

    _inherit = "helpdesk.ticket"

    @api.onchange("equipment_id")
    def _onchange_equipment_id(self):
        if self.equipment_id and not self.partner_id:
            self.partner_id = self.equipment_id.support_partner_id

    @api.onchange("partner_id")
    def _onchange_partner_of_item(self):
        owner = self.equipment_id.support_partner_id.commercial_partner_id
        if self.partner_id and owner and owner != self.partner_id.commercial_partner_id:
            self.equipment_id = False

    @api.constrains("equipment_id", "partner_id")
    def _check_item_owner(self):
        """A ticket is about an item of its customer, wherever in his hierarchy that is kept.

        Once validation is on, an item of nobody is refused; before that, it decides nothing.
        """
        for ticket in self.filtered("equipment_id").sudo():  # staff may not see every item
            owner = ticket.equipment_id.support_partner_id
            if not owner and not ticket.company_id.support_validation:
                continue
            if not owner:
                raise ValidationError(
                    self.env._(
                        "%s belongs to no customer. Set the item's customer first, or open the "
                        "ticket without it.",
                        ticket.equipment_id.display_name,
                    )
                )
            if owner.commercial_partner_id != ticket.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(item)s belongs to %(owner)s, and the ticket is of %(customer)s. Choose "
                        "an item of the ticket's customer.",
                        item=ticket.equipment_id.display_name,
                        owner=owner.display_name,
                        customer=ticket.commercial_partner_id.display_name or self.env._("nobody"),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._complete_customer(vals) for vals in vals_list])

    @api.model
    def _complete_customer(self, vals):
        """Return the values with the item's customer, where none is given."""
        if not vals.get("equipment_id") or vals.get("partner_id"):
            return vals
        owner = self._get_owned_item(vals["equipment_id"]).support_partner_id
        return vals | {"partner_id": owner.id} if owner else vals

    def _get_coverage_request(self):
        """Return what is asked when a contract is looked for, as of the ticket's opening."""
        self.ensure_one()
        # Contracts are found for people who can't read them, nor what leads there.
        return Request(
            self.partner_id.sudo(),
            self.company_id.sudo(),
            self.opened_at or fields.Datetime.now(),
            self._get_owned_item(self.equipment_id.id),
        )

    def action_explain_coverage(self):
        """Show which contracts were looked at, and why each did or didn't cover."""
        self.ensure_one()
        explanation = self.env["support.coverage.explanation"]._explain(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why This Contract?"),
            "res_model": explanation._name,
            "res_id": explanation.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    @api.model
    def _get_owned_item(self, item_id):
        """Return an item that has a customer; one of nobody counts as none."""
        # Contracts are found for people who can't see the item, as by its company's portal user.
        item = self.env["maintenance.equipment"].sudo().browse(item_id or [])
        return item.filtered("support_partner_id")

    def _get_to_cover_again(self, vals):
        """Return the tickets whose contract is looked for again after a change.

        Another item alone moves no ticket whose contract has ended, or that is billed.
        """
        tickets = self.filtered(lambda ticket: ticket._follows_customer())
        if {"partner_id", "company_id"}.intersection(vals):
            return tickets
        running = tickets.filtered(
            lambda ticket: (
                not ticket.contract_id or ticket.contract_id.sudo().state in AGREED_STATES
            )  # sudo: the state only
        )
        return running - running._get_frozen()
