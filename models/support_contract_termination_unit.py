# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal
from fractions import Fraction

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools.money import round_to
from ..tools.periods import ONE_DAY

ACTIONS = [
    ("forfeit", "Forfeit"),
    ("credit", "Credit at cost"),
    ("move", "Move to another contract"),
]


class SupportContractTerminationUnit(models.Model):
    """What becomes of the units that are left on one grant when its contract ends early."""

    _name = "support.contract.termination.unit"
    _description = "Unused Units of a Terminated Contract"
    _order = "id"
    _rec_name = "entitlement_id"

    termination_id = fields.Many2one(
        "support.contract.termination", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="termination_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="termination_id.currency_id")
    entitlement_id = fields.Many2one(
        "support.entitlement", required=True, readonly=True, ondelete="restrict"
    )
    action = fields.Selection(ACTIONS, required=True, readonly=True)
    units = fields.Integer(readonly=True, help="Left when it was decided: seconds, or incidents.")
    amount = fields.Monetary(
        readonly=True,
        groups="support_contract.group_support_prices",
        help="What so many units are credited with, untaxed; less units in proportion.",
    )
    target_id = fields.Many2one("support.contract", readonly=True, ondelete="restrict")
    date_to = fields.Date(readonly=True, help="Usable there until. Empty: for life.")
    taken = fields.Integer(readonly=True, help="Left at the end, and taken off the grant.")
    moved_id = fields.Many2one("support.entitlement", readonly=True, ondelete="restrict")

    # === SETTLING === #

    def _settle(self, termination):
        """Take what is unused off the grants; what was not decided about is forfeited.

        :return: the values of the charges by which units are credited
        """
        grants = termination.contract_id.entitlement_ids.filtered(lambda g: g.remaining > 0)
        grants._lock_pools()
        decided = {unit.entitlement_id: unit for unit in self}
        movements, vals_list = [], []
        for grant in grants:
            left = grant._get_unused()
            if not left:
                continue
            unit = decided.get(grant) or self.create(
                {
                    "termination_id": termination.id,
                    "entitlement_id": grant.id,
                    "action": "forfeit",
                }
            )
            unit.taken = left
            movements.append(unit._prepare_movement(grant, -left))
            if unit.action == "credit":
                vals_list += unit._prepare_credit()
            elif unit.action == "move":
                (unit.moved_id,) = grant._grant([unit._prepare_moved()])
        grants._post(movements)
        return vals_list

    def _prepare_movement(self, grant, quantity):
        self.ensure_one()
        return {
            "entitlement_id": grant.id,
            "kind": "adjust",
            "quantity": quantity,
            "date": max(grant.date_from, self.termination_id.last_day),
            "reason": self.env._(
                "%(contract)s terminated: %(reason)s",
                contract=self.termination_id.contract_id.display_name,
                reason=self.termination_id.reason,
            ),
        }

    def _prepare_credit(self):
        """Return the charge that gives back what the units taken cost, rounded once."""
        exact = Fraction(str(self.amount)) * self.taken / self.units if self.units else 0
        amount = float(round_to(Fraction(exact), Decimal(str(self.currency_id.rounding))))
        if self.currency_id.is_zero(amount):
            return []
        grant = self.entitlement_id
        lang = self.termination_id.contract_id.partner_id.lang
        name = self.with_context(lang=lang).env._(
            "%(grant)s: %(units)s not used",
            grant=grant.name,
            units=grant._format_units(self.taken),
        )
        product = grant._get_paid_product()
        return [self.termination_id._prepare_charge("credit", product, -amount, name)]

    def _prepare_moved(self):
        """Return the values of the grant of the other contract; it never serves older work."""
        termination, grant, target = self.termination_id, self.entitlement_id, self.target_id
        day = min(termination.last_day + ONE_DAY, target._get_today())
        return {
            "name": grant.name,
            "origin": "moved",
            "reason": self.env._("Moved from %s", termination.contract_id.display_name),
            "unit": grant.unit,
            "amount": self.taken,
            "date_from": max(day, grant.date_from, target._get_life().start),
            "date_to": self.date_to,
            "made_at": fields.Datetime.now(),
            "priority": grant.priority,
            "partner_id": grant.partner_id.id,
            "company_id": grant.company_id.id,
            "contract_id": target.id,
            "moved_from_id": grant.id,
            "activity_type_ids": [Command.set(grant.activity_type_ids.ids)],
        }

    # === TAKING BACK === #

    def _check_reversible(self):
        """Refuse to take units back that were moved and are used by now."""
        moved = self.moved_id
        moved._lock_pools()
        for grant in moved:
            if grant._get_unused() < grant.quantity:
                raise UserError(
                    self.env._(
                        "Of the units that were moved to %(contract)s some are used: the "
                        "termination can't be taken back. Change the work that used them first.",
                        contract=grant.contract_id.display_name,
                    )
                )

    def _take_back(self):
        """Give the units back, and have work recorded since draw on them again."""
        entitlements = self.env["support.entitlement"]
        grants = self.filtered("taken").entitlement_id
        (grants | self.moved_id)._lock_pools()
        movements = []
        for unit in self.filtered("taken"):
            movements.append(unit._prepare_movement(unit.entitlement_id, unit.taken))
            if unit.moved_id:
                movements.append(unit._prepare_movement(unit.moved_id, -unit.taken))
        for movement in movements:
            movement["reason"] = self.env._("Taken back: %s", movement["reason"])
        entitlements._post(movements)
        starts = {}
        for grant in grants:
            start = grant._get_midnight(grant.date_from)
            pool = grant._get_pool()
            starts[pool] = min(starts.get(pool, start), start)
        self.env["support.consumption"]._reallocate(starts)


class SupportEntitlement(models.Model):
    """What units cost, and where moved ones come from."""

    _inherit = "support.entitlement"

    moved_from_id = fields.Many2one(
        "support.entitlement",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
        help="The grant of a terminated contract on which these units were left.",
    )

    def _get_cost(self, units):
        """Return what so many of the granted units cost: exact, untaxed, contract's currency.

        By the charge or the order line that pays for the grant; units of an allowance are part
        of the fee and cost nothing of their own.

        :rtype: Fraction
        """
        self.ensure_one()
        grant = self._get_bought()
        charge, line = grant.charge_id, grant.sale_line_id
        currency = grant.contract_id.currency_id or grant.company_id.currency_id
        if charge and not charge.cancelled:
            paid = grant.search_count([("charge_id", "=", charge.id)])
            granted = sum(entry.quantity for entry in grant.entry_ids if entry.kind == "grant")
            return Fraction(str(charge.amount)) * units / (granted * paid) if granted else 0
        if line and line.support_pack_units and line.product_uom_qty:
            months = line.support_months or 1
            price = line.currency_id._convert(
                line.price_subtotal, currency, grant.company_id, grant.date_from, round=False
            )
            packs = Fraction(str(line.product_uom_qty)) * line.support_pack_units * months
            return Fraction(str(price)) * units / packs
        return Fraction(0)

    def _get_bought(self):
        """Return the grant that was paid for: this one, or that from which it was moved."""
        self.ensure_one()
        grant = self.sudo()  # its price is told by the callers, to those who may see prices
        while grant.moved_from_id:
            grant = grant.moved_from_id
        return grant

    def _get_paid_product(self):
        """Return the product by which units are given back: the one that was bought."""
        self.ensure_one()
        grant = self._get_bought()
        return (
            grant.charge_id.product_id
            or grant.sale_line_id.product_id
            or self.env.ref("support_contract.product_unit_credit")
        )
