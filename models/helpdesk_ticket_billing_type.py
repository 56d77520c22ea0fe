# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .support_charge import MANUAL_KINDS


class HelpdeskTicket(models.Model):
    """How a ticket is billed (Q34): by its contract, ad hoc, in instalments, or not at all.

    *Ad hoc*: what is done is charged by the rates, and takes nothing from any allowance.
    *Instalments*: the amount on the ticket pays all work, in parts (`helpdesk_ticket_instalment`).
    *Waived*: time on it is non-billable, it takes no incident, parts on it cost nothing. What was
    billed before stays billed; going back to the contract brings everything back.
    """

    _inherit = "helpdesk.ticket"

    billing_type = fields.Selection(
        [
            ("contract", "By the contract"),
            ("ad_hoc", "Ad hoc: charged by the rates"),
            ("instalments", "Instalments: an amount, in parts"),
            ("waived", "Waived: nothing is charged"),
        ],
        string="Billed",
        default="contract",
        required=True,
        tracking=True,
        copy=False,
        help="Ad hoc: time and incidents are charged by the rates, and take nothing from any "
        "allowance. Instalments: the amount charged on the ticket pays time and incidents, and is "
        "billed in parts. Waived: time is non-billable, no incident is taken, and parts cost "
        "nothing.",
    )
    can_add_parts = fields.Boolean(compute="_compute_can_add_parts")

    # === COMPUTE METHODS === #

    @api.depends("contract_id.allow_parts")
    @api.depends_context("uid", "su")
    def _compute_can_add_parts(self):
        always = self.env["support.charge"].has_access("create")
        for ticket in self:
            contract = ticket.contract_id.sudo()  # staff: one of its switches
            ticket.can_add_parts = always or not contract or contract.allow_parts

    @api.depends("billing_type", "contract_id")
    def _compute_incident_demand(self):
        return super()._compute_incident_demand()

    # === CONSTRAINTS === #

    @api.constrains("billing_type", "charge_amount")
    def _check_waived(self):
        """Refuse to waive what is charged on purpose: an amount, or parts."""
        for ticket in self.sudo().filtered(lambda t: t.billing_type == "waived"):  # whoever waives
            parts = ticket.charge_ids.filtered(
                lambda charge: (
                    charge.kind in MANUAL_KINDS and charge.state == "open" and charge.amount
                )
            )
            if ticket.charge_amount or parts:
                raise UserError(
                    self.env._(
                        "%s has an amount, parts or expenses charged on it and can't be waived. "
                        "First take the amount back, and delete the parts or set their price to 0.",
                        ticket.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tickets = super().create(vals_list)
        if any(ticket._is_billed_otherwise() for ticket in tickets):
            self._check_may_choose_billing()
        return tickets

    def write(self, vals):
        if "billing_type" in vals and any(t.billing_type != vals["billing_type"] for t in self):
            self._check_may_choose_billing()
        return super().write(vals)

    def _check_may_choose_billing(self):
        """Leave what costs money, or gives it away, to those who may charge tickets."""
        if not self.new().may_charge:
            raise AccessError(
                self.env._(
                    "Only managers of support and accountants decide how a ticket is billed."
                )
            )

    def _is_work_paid(self):
        """Return whether time and incidents cost nothing, and draw nothing."""
        self.ensure_one()
        return self.billing_type in ("waived", "instalments")

    # === DEMAND === #

    def _get_demand(self, stage, duplicate):
        if self._is_work_paid() or (
            self.billing_type == "ad_hoc" and not self._is_incident_charged()
        ):
            return 0
        return super()._get_demand(stage, duplicate)

    def _to_demand(self):
        return replace(super()._to_demand(), prepaid=self.billing_type != "ad_hoc")
