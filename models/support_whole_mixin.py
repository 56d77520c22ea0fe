# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import ValidationError


class SupportWholeMixin(models.AbstractModel):
    """Refuses fractions of what is counted, which the ORM would cut off without a word."""

    _name = "support.whole.mixin"
    _description = "Whole Numbers of Support Units"

    _whole_fields = ()

    @api.model_create_multi
    def create(self, vals_list):
        self._check_whole(vals_list, self._whole_fields)
        return super().create(vals_list)

    def write(self, vals):
        self._check_whole([vals], self._whole_fields)
        return super().write(vals)

    @api.model
    def _check_whole(self, vals_list, names):
        """Refuse values with a part of an incident, or of a second.

        :param names: the fields to look at
        :raise ValidationError: naming the number
        """
        for vals in vals_list:
            for name in names:
                value = vals.get(name)
                if isinstance(value, float) and not value.is_integer():
                    raise ValidationError(
                        self.env._("Incidents are whole numbers: %s can't be given.", f"{value:g}")
                    )
