# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What makes a customer of a stranger: one line in each model, see `support.event`."""

from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._note_portal_access()
        return users

    def write(self, vals):
        result = super().write(vals)
        if "group_ids" in vals or vals.get("active"):
            self._note_portal_access()
        return result

    def _note_portal_access(self):
        events = self.env["support.event"]
        if not events._get_kinds():
            return
        portal = self.filtered(lambda user: user.active and user._is_portal())
        events._note_customers(portal, lambda user: user.partner_id)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_confirm(self):
        result = super()._action_confirm()
        self.env["support.event"]._note_customers(self, lambda order: order.partner_id)
        return result


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _set_state(self, target):
        # One that ran elsewhere before isn't with a new customer.
        signed = self.filtered(lambda c: c.state == "draft" and not c.opening_date)
        result = super()._set_state(target)
        if target in ("pending", "active"):
            self.env["support.event"]._note_customers(signed, lambda contract: contract.partner_id)
        return result


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        first = self.filtered(lambda move: not move.posted_before)
        posted = super()._post(soft)
        invoices = (posted & first).filtered(lambda move: move.move_type == "out_invoice")
        self.env["support.event"]._note_customers(invoices, lambda move: move.partner_id)
        return posted
