# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_datetime


class ResPartner(models.Model):
    """Whether a customer is on credit hold in the current company; contacts are as he is."""

    _inherit = "res.partner"

    support_hold_ids = fields.One2many(
        "support.hold",
        "partner_id",
        readonly=True,
        groups="support_contract.group_support_user",
    )
    support_hold = fields.Boolean(
        string="On Credit Hold",
        compute="_compute_support_hold",
        search="_search_support_hold",
        help="Tickets of this customer are locked, until the hold is released.",
    )
    # The customer, who may read himself in the portal, isn't told why.
    support_hold_label = fields.Char(compute="_compute_support_hold", groups="base.group_user")
    support_hold_by_hand = fields.Boolean(compute="_compute_support_hold", groups="base.group_user")

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "lang")
    def _compute_support_hold(self):
        # Whether there is one is no secret; whoever opens a ticket must hear it.
        holds = self.env["support.hold"].sudo()
        live = holds._get_live(self.commercial_partner_id, self.env.company).grouped("partner_id")
        for partner in self:
            own = live.get(partner.commercial_partner_id.sudo(), holds)
            partner.support_hold = bool(own)
            partner.support_hold_by_hand = any(not hold.automatic for hold in own)
            partner.support_hold_label = " ".join(
                self.env._(
                    "On credit hold since %(when)s (%(who)s): %(why)s.",
                    when=format_datetime(self.env, hold.since, dt_format="short"),
                    who=self.env._("automatic") if hold.automatic else hold.user_id.name,
                    why=hold.reason,
                )
                for hold in own
            )

    @api.model
    def _search_support_hold(self, operator, value):
        if operator != "in":
            return NotImplemented
        live = Domain("company_id", "=", self.env.company.id) & Domain("released_at", "=", False)
        held = self.env["support.hold"].sudo().search(live).partner_id  # as in the compute
        domain = Domain("commercial_partner_id", "in", held.ids)
        if set(value) == {True}:
            return domain
        return ~domain if set(value) == {False} else Domain.TRUE

    # === ACTIONS === #

    def action_support_hold(self):
        """Open the wizard that puts this customer on hold."""
        self.ensure_one()
        self._check_may_hold()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Put %s on Credit Hold", self.commercial_partner_id.display_name),
            "res_model": "support.hold.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.commercial_partner_id.id},
        }

    def action_support_release(self):
        """Release what was set by hand; the rest goes with the overdue invoices."""
        self._check_may_hold()
        for partner in self.commercial_partner_id:
            live = self.env["support.hold"]._get_live(partner, self.env.company)
            by_hand = live.filtered(lambda hold: not hold.automatic)
            if live and not by_hand:
                raise UserError(
                    self.env._(
                        "%(customer)s is on hold because of overdue invoices (%(why)s). Register "
                        "the payments or give the invoices a later due date: the hold goes by "
                        "itself.",
                        customer=partner.display_name,
                        why=live[0].reason,
                    )
                )
            by_hand._release()

    def _check_may_hold(self):
        if not self.env.su and not self.env.user.has_group(
            "support_contract.group_support_manager"
        ):
            raise AccessError(
                self.env._("Only managers of support contracts may put customers on hold.")
            )


class SupportContract(models.Model):
    _inherit = "support.contract"

    hold_label = fields.Char(compute="_compute_hold_label")

    @api.depends("commercial_partner_id", "company_id")
    @api.depends_context("lang")
    def _compute_hold_label(self):
        for contract in self:
            owner = contract.commercial_partner_id.with_company(contract.company_id)
            contract.hold_label = owner.support_hold_label
