# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

AMOUNT_FIELDS = {"amount", "price_unit", "quantity", "product_id"}


class SupportCharge(models.Model):
    """Debts of which more was carried on than is left, because the work behind them shrank.

    The sums stay right: the bill that the part left takes off more than stands on it. Only a
    manager can say what was meant, so he is told, once, for as long as it is so.
    """

    _inherit = "support.charge"

    def write(self, vals):
        result = super().write(vals)
        if AMOUNT_FIELDS.intersection(vals):
            self._check_overcarried()
        return result

    def _is_overcarried(self):
        """Return whether parts of it were carried that come to more than it does now."""
        self.ensure_one()
        carried = self._get_parts_carried()
        return bool(carried) and self.currency_id.compare_amounts(self.amount, carried) < 0

    def _get_carried_label(self):
        if not self.transfer_id and self._is_overcarried():
            return self.env._("more was carried on than is left")
        return super()._get_carried_label()

    def _check_overcarried(self):
        """Tell the responsible of what has become too much, and stop telling of what isn't."""
        # Whoever changes the work makes it so; carrying is a matter of managers.
        for charge in self.sudo():
            parts = charge.transfer_ids.filtered(lambda t: t.partial and t.state == "done")
            told = parts.activity_id.filtered("active")
            if not charge._is_overcarried():
                told.unlink()
            elif not told:
                last = parts.sorted("id")[-1]
                last.activity_id = last.contract_id._tell_of_overcarried(charge)


class SupportChargeTransfer(models.Model):
    _inherit = "support.charge.transfer"

    def _undo(self):
        # What was told of a part ends with it; of the others it is asked again.
        result = super()._undo()
        transfers = self.sudo()  # as it is done
        transfers.filtered("partial").activity_id.filtered("active").unlink()
        transfers.charge_id._check_overcarried()
        return result


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _tell_of_overcarried(self, charge):
        """Return a new activity of the responsible about a charge."""
        self.ensure_one()
        carried = charge._get_parts_carried()
        return self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("More of a debt was carried on than is left of it"),
            note=self.env._(
                "“%(name)s” comes to %(amount)s now, and %(carried)s of it was carried to a later "
                "term: here the bill takes off %(excess)s too much, which is charged there. Take "
                "the transfer back and carry less, or leave it so.",
                name=charge.name,
                amount=charge.currency_id.format(charge.amount),
                carried=charge.currency_id.format(carried),
                excess=charge.currency_id.format(carried - charge.amount),
            ),
            user_id=(self.user_id or self.env.user).id,
        )
