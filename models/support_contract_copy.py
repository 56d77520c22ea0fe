# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What a contract hands over to one that is made from it."""

from collections import namedtuple
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.renewal import change_price, shift_day, shift_end

# How prices change: 'none', 'percent' or 'amount', by how much, and those of what.
PriceChange = namedtuple("PriceChange", "how value products rates incidents")
SAME_PRICES = PriceChange("none", Decimal(0), True, True, True)


class SupportContract(models.Model):
    _inherit = "support.contract"

    def _copy_documents(self, target):
        """Copy the attachments, such as signed copies; what is shared with all stays so."""
        self.ensure_one()
        # Whoever may make the contract may hand on what hangs on the one it is made from.
        found = self.env["ir.attachment"].sudo()
        found = found.search(
            [("res_model", "=", self._name), ("res_id", "=", self.id), ("res_field", "=", False)]
        )
        for attachment in found:
            copied = attachment.copy({"res_id": target.id})
            if attachment in self.sudo().shared_file_ids:
                target.sudo().shared_file_ids += copied

    def _get_price_step(self):
        """Return the smallest step of a price."""
        digits = self.env["decimal.precision"].precision_get("Product Price")
        return Decimal(1).scaleb(-digits)

    def _change_price(self, price, change, step, what):
        """Return a price after its change.

        :param PriceChange change:
        :param Decimal step: to which it is rounded
        :param str what: of what it is the price, to name it
        :raise UserError: if it would become negative
        """
        try:
            return float(change_price(Decimal(str(price)), change.how, change.value, step))
        except ValueError as error:
            raise UserError(
                self.env._(
                    "The price of “%(what)s” is %(price)s and would become negative. Choose a "
                    "smaller reduction.",
                    what=what,
                    price=price,
                )
            ) from error


class SupportContractLine(models.Model):
    _inherit = "support.contract.line"

    def _prepare_continued(self, day):
        """Return the values of this product in a contract that goes on after a day.

        With the quantity and the price that hold on that day; changes that are dated later stay
        to come.

        :return: None for what has ended by then
        """
        self.ensure_one()
        if self.date_end and self.date_end < day:
            return None
        done = self._get_change_on(day)
        coming = self.change_ids.filtered(lambda change: change.date > day)
        if not (done or self).quantity and not coming:
            return None
        return self._prepare_copy() | {
            "quantity": (done or self).quantity,
            "price_unit": (done or self).price_unit,
            "date_start": self.date_start and self.date_start > day and self.date_start,
            "date_end": self.date_end and self.date_end > day and self.date_end,
            "change_ids": [
                fields.Command.create(change._prepare_copy() | {"date": change.date})
                for change in coming
            ],
        }

    def _get_change_on(self, day):
        """Return the dated change that holds on a day; none: the product itself does."""
        self.ensure_one()
        return self.change_ids.filtered(lambda change: change.date <= day).sorted("date")[-1:]

    def _prepare_shifted(self, old_start, new_start):
        """Return the values of this product in a contract that starts on another day."""
        self.ensure_one()
        return self._prepare_copy() | {
            "date_start": self.date_start and shift_day(self.date_start, old_start, new_start),
            "date_end": self.date_end and shift_end(self.date_end, old_start, new_start),
            "change_ids": [
                fields.Command.create(
                    change._prepare_copy() | {"date": shift_day(change.date, old_start, new_start)}
                )
                for change in self.change_ids
            ],
        }

    def _prepare_copy(self):
        """Return the values of this product in another contract."""
        values = self._prepare_contract_copy()
        values.pop("contract_id", None)
        return values


class SupportContractLineChange(models.Model):
    _inherit = "support.contract.line.change"

    def _prepare_copy(self):
        """Return the values of this change for another recurring product."""
        self.ensure_one()
        return {"quantity": self.quantity, "price_unit": self.price_unit}
