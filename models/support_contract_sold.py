# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.periods import ONE_DAY

# Bills that nobody but us has seen yet.
UNSENT_BILLS = ("draft", "to_approve")


class SupportContract(models.Model):
    """A contract that was sold on an order (L43)."""

    _inherit = "support.contract"

    sale_line_id = fields.Many2one(
        "sale.order.line",
        string="Order Line",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The order line that has made this contract.",
    )
    sale_order_id = fields.Many2one(related="sale_line_id.order_id", string="Sales Order")

    _sold_once = models.UniqueIndex(
        "(sale_line_id) WHERE sale_line_id IS NOT NULL AND state <> 'cancelled'",
        "This order line has made a contract already.",
    )

    def action_view_sale_order(self):
        self.ensure_one()
        return self.sale_order_id._get_records_action()

    def action_cancel(self):
        running = self.filtered(lambda contract: contract.state == "active")
        if running:
            raise UserError(
                self.env._(
                    "%s is Active and can't become Cancelled: terminate it. What was sold by "
                    "mistake is cancelled with its sales order.",
                    running[0].display_name,
                )
            )
        return super().action_cancel()

    def _cancel_sold(self):
        """Cancel contracts whose order is cancelled, as if they had never been.

        :raise UserError: where something was used, billed or worked on
        """
        self.filtered(lambda contract: contract.state == "active")._undo_activation()
        self._set_state("cancelled")

    def action_draft(self):
        begun = self.filtered(lambda contract: contract.state == "cancelled" and contract.term_ids)
        if begun:
            raise UserError(
                self.env._(
                    "%s had begun before it was cancelled. Make a new contract instead.",
                    begun[0].display_name,
                )
            )
        return super().action_draft()

    def _undo_activation(self):
        """Take back what began with contracts of which nobody has had anything.

        Their fees are cancelled, their units taken back.

        :raise UserError: where something was used, billed or worked on
        """
        for contract in self:
            problem = contract._get_undo_problem()
            if problem:
                raise UserError(
                    self.env._(
                        "%(contract)s can't be cancelled any more: %(problem)s Terminate it, which "
                        "settles what was paid and used.",
                        contract=contract.display_name,
                        problem=problem,
                    )
                )
        # Who may cancel the contract, or the order that has made it, takes all of it back.
        contracts = self.sudo()
        contracts.bill_ids.filtered(lambda bill: bill.state in UNSENT_BILLS).action_cancel()
        contracts.charge_ids.filtered(lambda charge: charge.state == "open").write(
            {"cancelled": True}
        )
        grants = contracts.entitlement_ids.filtered(lambda grant: not grant.settled)
        grants._lock_pools()
        grants._post(
            [
                {
                    "entitlement_id": grant.id,
                    "kind": "take_back",
                    "quantity": -grant.remaining,
                    "date": max(grant.date_from, grant._get_today()),
                    "reason": self.env._("The contract was cancelled."),
                }
                for grant in grants
                if grant.remaining > 0
            ]
        )
        self.env["support.consumption"].sudo()._reallocate(grants._get_pool_starts())

    def _get_undo_problem(self):
        """Return why a contract that runs can't be undone, or nothing."""
        self.ensure_one()
        contract = self.sudo()  # whoever cancels the order
        bills = contract.bill_ids.filtered(
            lambda bill: bill.state not in (*UNSENT_BILLS, "cancelled")
        )
        if bills:
            return self.env._("the bill %s was approved.", bills[0].name)
        if contract.ticket_ids:
            return self.env._("the ticket %s came under it.", contract.ticket_ids[0].display_name)
        if any(grant.used for grant in contract.entitlement_ids):
            return self.env._("units of it were used.")
        return None

    # === SOLD ON AN ORDER === #

    @api.model
    def _make_from_order_lines(self, lines):
        """Make and confirm a contract of each order line."""
        # Who may sell a contract needn't be allowed to make others.
        contracts = self.sudo().create([line._prepare_support_contract() for line in lines])
        for contract, line in zip(contracts, lines, strict=True):
            contract._queue_behind_rivals(line.support_date_start)
            values = line._prepare_recurring_product()
            if values:
                contract.line_ids.write(values)
            elif line._get_plan_quantity() != 1:
                for recurring in contract.line_ids:
                    recurring.quantity *= line._get_plan_quantity()
            contract._message_log(
                body=self.env._("Sold with the order %s.", line.order_id._get_html_link())
            )
        contracts.action_confirm()
        for order, sold in contracts.grouped("sale_order_id").items():
            order._message_log(
                body=self.env._("Support contracts: %s", ", ".join(sold.mapped("name")))
            )
        return contracts

    def _queue_behind_rivals(self, start):
        """Begin after the holder's running contract of the same kind, unless a day was agreed."""
        self.ensure_one()
        if start:
            return
        ends = [contract.date_end for contract in self._get_rivals() if self._meets(contract)]
        if ends and all(ends):
            self.date_start = max(ends) + ONE_DAY

    def _meets(self, other):
        """Return whether another contract runs on the first day of this one or later."""
        return other._get_life().end >= self.date_start
