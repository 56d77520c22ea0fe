# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal
from fractions import Fraction

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.support_contract import RUNNING_STATES
from ..tools.money import round_to


class SupportTerminateWizardUnit(models.TransientModel):
    """The units left on one grant, and what becomes of them."""

    _name = "support.terminate.wizard.unit"
    _description = "Unused Units of a Contract to Terminate"

    wizard_id = fields.Many2one(
        "support.terminate.wizard", required=True, ondelete="cascade", readonly=True
    )
    contract_id = fields.Many2one(related="wizard_id.contract_id")
    commercial_partner_id = fields.Many2one(related="contract_id.commercial_partner_id")
    company_id = fields.Many2one(related="contract_id.company_id")
    currency_id = fields.Many2one(related="contract_id.currency_id")
    entitlement_id = fields.Many2one(
        "support.entitlement", string="Grant", required=True, readonly=True
    )
    units = fields.Integer(required=True, readonly=True)
    units_label = fields.Char(string="Left", compute="_compute_units_label")
    action = fields.Selection(
        [
            ("forfeit", "Forfeit"),
            ("credit", "Credit at cost"),
            ("move", "Move to another contract"),
        ],
        string="What Becomes of It",
        required=True,
        default="forfeit",
    )
    amount = fields.Monetary(
        string="Credit", help="Proposed is what so many units cost; those of a fee cost nothing."
    )
    target_id = fields.Many2one("support.contract", string="To")
    date_to = fields.Date(string="Usable Until", help="Empty: for life.")

    @api.depends("entitlement_id", "units")
    def _compute_units_label(self):
        for unit in self:
            unit.units_label = unit.entitlement_id._format_units(unit.units)

    @api.model
    def _prepare_unit(self, grant, contract):
        units = grant._get_unused()
        step = Decimal(str(contract.currency_id.rounding))
        return {
            "entitlement_id": grant.id,
            "units": units,
            "amount": float(round_to(Fraction(grant._get_cost(units)), step)),
            "date_to": grant.date_to,
        }

    def _check_units(self):
        """Refuse what doesn't fit the grants as they are now.

        :raise UserError: with the grant, the reason and what to do
        """
        seen = self.env["support.entitlement"]
        for unit in self:
            grant = unit.entitlement_id
            if grant.contract_id != unit.contract_id:
                raise UserError(
                    self.env._(
                        "%(grant)s isn't of %(contract)s. Open the termination again.",
                        grant=grant.name,
                        contract=unit.contract_id.display_name,
                    )
                )
            if grant in seen:
                raise UserError(
                    self.env._("%s is listed twice. Open the termination again.", grant.name)
                )
            seen |= grant
            left = grant._get_unused()
            if left != unit.units:
                raise UserError(
                    self.env._(
                        "%(grant)s has %(left)s left by now, no longer %(before)s. Open the "
                        "termination again and look at it once more.",
                        grant=grant.name,
                        left=grant._format_units(left),
                        before=grant._format_units(unit.units),
                    )
                )
            if unit.action == "credit" and unit.currency_id.compare_amounts(unit.amount, 0) < 0:
                raise UserError(
                    self.env._(
                        "The credit for %s can't be negative: enter what it cost, or forfeit it.",
                        grant.name,
                    )
                )
            if unit.action == "move":
                unit._check_move(grant, unit.target_id)

    def _check_move(self, grant, target):
        self.ensure_one()
        contract = self.contract_id
        if not target:
            raise UserError(self.env._("Choose the contract to which %s is moved.", grant.name))
        if (
            target == contract
            or target.commercial_partner_id != contract.commercial_partner_id
            or target.company_id != contract.company_id
        ):
            raise UserError(
                self.env._(
                    "Units of %(customer)s can only be moved to another contract of the same "
                    "customer and company; %(target)s is none.",
                    customer=contract.commercial_partner_id.display_name,
                    target=target.display_name,
                )
            )
        if target.state not in ("pending", *RUNNING_STATES) or target.termination_id:
            raise UserError(
                self.env._(
                    "%s doesn't run: choose a contract that does, or that is to begin.",
                    target.display_name,
                )
            )
        if self.date_to and (not grant.date_to or self.date_to < grant.date_to):
            raise UserError(
                self.env._(
                    "%(grant)s can be used until %(day)s: moved units keep that, or get longer.",
                    grant=grant.name,
                    day=format_date(self.env, grant.date_to) or self.env._("no end"),
                )
            )
        if self.date_to and self.date_to < max(
            target._get_life().start, min(self.wizard_id.last_day, target._get_today())
        ):
            raise UserError(
                self.env._(
                    "%(grant)s would be over before it can be used under %(target)s: choose a "
                    "later day until which it can be used.",
                    grant=grant.name,
                    target=target.display_name,
                )
            )

    def _prepare_decision(self):
        self.ensure_one()
        moved = self.action == "move"
        return {
            "entitlement_id": self.entitlement_id.id,
            "action": self.action,
            "units": self.units,
            "amount": self.amount if self.action == "credit" else 0.0,
            "target_id": self.target_id.id if moved else False,
            "date_to": self.date_to if moved else False,
        }

    def _get_effects(self):
        effects = []
        for unit in self:
            facts = {"grant": unit.entitlement_id.name, "units": unit.units_label}
            amount = 0.0
            if unit.action == "credit":
                amount = -unit.amount
                label = self.env._("%(grant)s: %(units)s credited", **facts)
            elif unit.action == "move":
                target = unit.target_id.display_name
                label = self.env._("%(grant)s: %(units)s moved to %(to)s", to=target, **facts)
            else:
                label = self.env._("%(grant)s: %(units)s forfeited", **facts)
            effects.append({"label": label, "amount": amount, "new": True})
        return effects
