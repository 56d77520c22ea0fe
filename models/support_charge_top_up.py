# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportCharge(models.Model):
    """Charges that pay for units: as long as the units are there, so is what pays them."""

    _inherit = "support.charge"

    top_up_plan_id = fields.Many2one(
        "support.top.up.plan", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    change_id = fields.Many2one(
        "support.contract.change",
        string="Decided By",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The entry in the contract's history that led to it.",
    )
    paid_grant_ids = fields.One2many(
        "support.entitlement", "charge_id", string="Units It Pays For", readonly=True
    )

    def write(self, vals):
        if vals.get("cancelled"):
            self._check_pays_nothing()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_paying(self):
        self._check_pays_nothing()

    def _check_pays_nothing(self):
        """Refuse to leave units behind that nobody pays for."""
        for charge in self.sudo():  # of whoever may change charges, to look at the units only
            grants = charge.paid_grant_ids.filtered("quantity")
            if grants and charge.kind == "top_up":
                raise UserError(
                    self.env._(
                        "“%(charge)s” pays for units that %(contract)s holds. Take the top-up back "
                        "in the history of the contract: that takes both back.",
                        charge=charge.name,
                        contract=charge.contract_id.display_name,
                    )
                )


class SupportBill(models.Model):
    _inherit = "support.bill"

    def action_invoice_again(self):
        """Don't invoice again units that were taken back after they were credited."""
        gone = self.sudo().charge_ids.filtered(  # as in _check_pays_nothing
            lambda charge: (
                charge.paid_grant_ids and not any(charge.paid_grant_ids.mapped("quantity"))
            )
        )
        if gone:
            raise UserError(
                self.env._(
                    "The units of “%s” were taken back: top the contract up anew instead.",
                    gone[0].name,
                )
            )
        return super().action_invoice_again()


class SupportContract(models.Model):
    _inherit = "support.contract"

    can_top_up = fields.Boolean(compute="_compute_can_top_up")

    @api.depends("state", "billing_mode")
    def _compute_can_top_up(self):
        for contract in self:
            contract.can_top_up = contract.state == "active" and contract.billing_mode == "advance"

    def action_top_up(self):
        """Open the wizard that adds units to the running term."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_top_up_wizard"
        )
        return action | {"context": {"default_contract_id": self.id}}

    def _check_top_up(self):
        """Refuse, with the reason and what to do, a contract that can't be topped up now.

        :raise UserError:
        """
        self.ensure_one()
        if self.billing_mode != "advance":
            raise UserError(
                self.env._(
                    "%s is billed in arrears: only prepaid contracts are topped up. Grant units "
                    "by hand, or let what exceeds be charged.",
                    self.display_name,
                )
            )
        advice = {
            "draft": self.env._("Confirm it first."),
            "pending": self.env._("Wait until it begins, or activate it now."),
            "suspended": self.env._("Resume it first."),
        }
        if self.state != "active":
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(contract)s is %(state)s and can't be topped up. %(advice)s",
                    contract=self.display_name,
                    state=labels[self.state],
                    advice=advice.get(self.state, self.env._("Renew it, or make a new contract.")),
                )
            )
        if not self._get_running_term():
            raise UserError(
                self.env._(
                    "%s has no running term to be topped up. Renew it, or make a new contract.",
                    self.display_name,
                )
            )

    def _get_running_term(self):
        """Return the regular term that holds today, where the customer is."""
        self.ensure_one()
        today = self._get_today()
        return self.term_ids.filtered(
            lambda term: term.kind == "regular" and term.date_start <= today <= term.date_end
        )[:1]


class SupportContractChange(models.Model):
    _inherit = "support.contract.change"

    charge_ids = fields.One2many(
        "support.charge",
        "change_id",
        readonly=True,
        groups="support_contract.group_support_prices",
    )
    can_take_back = fields.Boolean(compute="_compute_can_take_back")

    @api.depends("kind", "undone_by_ids")
    def _compute_can_take_back(self):
        """Top-ups can be taken back here; what was taken back once can't be again."""
        for change in self:
            change.can_take_back = change.kind == "top_up" and not change.undone_by_ids

    def action_take_back_top_up(self):
        """Open the wizard that takes a top-up back."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_top_up_undo"
        )
        return action | {
            "context": {
                "default_contract_id": self.contract_id.id,
                "default_change_id": self.id,
            }
        }
