# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import clean_context

from .support_charge import FEE_KINDS

PAID_STATES = ("paid", "in_payment", "reversed")
# Bills that are neither invoiced nor off the table.
WAITING_BILLS = ("draft", "to_approve", "approved")
# What decides which tickets a running contract covers, beside its state.
COVERING_FIELDS = {"apply_to_new_tickets", "equipment_ids", "partner_id", "date_start", "date_end"}


class SupportContract(models.Model):
    """Whether a contract is paid, and how its tickets hear of that and of its state.

    Payments, credit notes and states change in many ways and places; so the tickets are told
    once, before the transaction ends, of whatever has changed by then.
    """

    _inherit = "support.contract"

    payment_pending = fields.Boolean(
        compute="_compute_payment_pending",
        store=True,
        string="Waiting for Payment",
        help="Payment is required and a fee that is due in advance isn't paid: its tickets can't "
        "be worked on.",
    )

    @api.depends(
        "state",
        "billing_mode",
        "company_id.support_payment_required",
        "term_ids.state",
        "term_ids.charged",
        "line_ids.quantity",
        "line_ids.price_unit",
        "bill_ids.state",
        "bill_ids.amount_untaxed",
        "bill_ids.move_id.payment_state",
    )
    def _compute_payment_pending(self):
        required = self.filtered(
            lambda contract: (
                contract.company_id.support_payment_required
                and contract.billing_mode == "advance"
                and contract.state not in ("draft", "cancelled")
            )
        )
        unpaid = required._origin._get_unpaid()
        for contract in self:
            before = contract._origin.payment_pending
            contract.payment_pending = contract._origin in unpaid
            if contract.payment_pending != before:
                contract._origin._note_change()

    def _get_unpaid(self):
        """Return the contracts with a fee due in advance that isn't paid (L37).

        Due in advance: the fee of a term that has begun, or one on an immediate bill. It isn't
        paid while it is not on a bill, the bill has no invoice, or the invoice isn't paid.
        """
        if not self.ids:
            return self
        uncharged = self.env["support.contract.term"].search(
            [
                ("contract_id", "in", self.ids),
                ("kind", "=", "regular"),
                ("state", "!=", "upcoming"),
                ("charged", "=", False),
            ]
        )
        unpaid = uncharged.filtered(
            lambda term: any(vals["amount"] > 0 for vals in term._prepare_fees())
        ).contract_id
        bills = self.env["support.bill"].search(
            [
                ("contract_id", "in", (self - unpaid).ids),
                ("is_main", "=", True),
                ("amount_untaxed", ">", 0),
                "|",
                ("state", "in", WAITING_BILLS),
                "&",
                ("state", "=", "invoiced"),
                ("move_id.payment_state", "not in", PAID_STATES),
            ]
        )
        return unpaid | bills.filtered(lambda bill: bill._is_due_in_advance()).contract_id

    # === TELLING THE TICKETS === #

    def _set_state(self, target):
        result = super()._set_state(target)
        self._note_change()
        return result

    def write(self, vals):
        result = super().write(vals)
        if COVERING_FIELDS.intersection(vals):
            self.filtered(lambda contract: contract.state == "active")._note_change()
        return result

    def _note_change(self):
        """Have the tickets told before this transaction ends."""
        if not self.ids:
            return
        precommit = self.env.cr.precommit
        if "support_contract.changed" not in precommit.data:
            precommit.data["support_contract.changed"] = set()
            # Contracts open tickets for everybody, whoever has changed or paid them.
            contracts = self.browse().sudo().with_context(clean_context(self.env.context))
            precommit.add(contracts._tell_tickets)
        precommit.data["support_contract.changed"].update(self.ids)

    @api.model
    def _tell_tickets(self):
        """Tell the tickets which contracts have changed in this transaction so far."""
        changed = self.env.cr.precommit.data.pop("support_contract.changed", ())
        contracts = self.sudo().browse(sorted(changed)).exists()  # as above
        if contracts:
            self.env["helpdesk.ticket"].sudo()._contracts_changed(contracts)


class SupportBill(models.Model):
    _inherit = "support.bill"

    def _is_due_in_advance(self):
        """Return whether it has a fee to be paid before work begins."""
        self.ensure_one()
        if self.kind == "term" and self.term_id.state == "upcoming":
            return False
        return any(charge.kind in FEE_KINDS and charge.amount > 0 for charge in self._get_charges())


class SupportEntitlement(models.Model):
    _inherit = "support.entitlement"

    @api.model
    def _post(self, movements):
        """Units that arrive may be what a ticket waits for."""
        result = super()._post(movements)
        arrived = self.browse(
            {movement["entitlement_id"] for movement in movements if movement["quantity"] > 0}
        )
        if arrived:
            arrived.contract_id.filtered(lambda contract: contract.state == "active")._note_change()
            self._wake_waiting(arrived.filtered(lambda grant: grant.unit == "incident"))
        return result

    @api.model
    def _wake_waiting(self, grants):
        """Have the tickets looked at that wait for incidents of these customers."""
        if grants and self.env["helpdesk.ticket"].search_count(
            [
                ("lock_reason", "=", "no_incident"),
                ("commercial_partner_id", "in", grants.partner_id.ids),
            ],
            limit=1,
        ):
            self.env.ref("support_contract.cron_cover_waiting")._trigger()
