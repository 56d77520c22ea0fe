# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.notices import parse_days
from .support_contract import _from_plan

MAX_DAYS = 365
NOTICE_FIELDS = [
    "notice_days_before",
    "notice_days_after",
    "notice_customer",
    "notice_user_ids",
    "notice_partner_ids",
]


class SupportTermsMixin(models.AbstractModel):
    """Who is told when a contract ends, or when its units run out (C23, Q8)."""

    _inherit = "support.terms.mixin"

    notice_days_before = fields.Char(
        string="Days Before the End",
        default="30, 7",
        help="How many days before the last day people are told that the contract ends, e.g. "
        "30, 7. 0: on the last day. Empty: not at all.",
    )
    notice_days_after = fields.Char(
        string="Days After the End",
        default="1",
        help="How many days after the last day people are told that the contract has ended. "
        "Empty: not at all.",
    )
    notice_customer = fields.Boolean(
        string="Tell the Customer",
        default=True,
        help="The primary contact gets the notices and warnings, too.",
    )
    notice_user_ids = fields.Many2many(
        "res.users",
        string="Tell These Colleagues",
        domain="[('share', '=', False)]",
        help="Each gets the notices, and an activity. Nobody here: the one who is responsible.",
    )
    notice_partner_ids = fields.Many2many(
        "res.partner",
        string="Also Tell",
        help="Further people who get what the customer gets, e.g. his purchasing department.",
    )

    @api.constrains("notice_days_before", "notice_days_after")
    def _check_notice_days(self):
        for terms in self:
            terms._get_notice_days("notice_days_before")
            terms._get_notice_days("notice_days_after")

    def _get_notice_days(self, name):
        """Return the days in one of the fields.

        :rtype: list[int]
        :raise ValidationError: if they can't be read, or are too many
        """
        self.ensure_one()
        try:
            days = parse_days(self[name])
        except ValueError:
            days = None
        if days is None or max(days, default=0) > MAX_DAYS:
            raise ValidationError(
                self.env._(
                    "“%(label)s”: “%(days)s” can't be read. Write whole numbers of days up to "
                    "%(max)s, separated by commas, e.g. 30, 7.",
                    label=self._fields[name]._description_string(self.env),
                    days=self[name],
                    max=MAX_DAYS,
                )
            )
        return days


class SupportContract(models.Model):
    _inherit = "support.contract"

    notice_days_before = _from_plan(fields.Char)
    notice_days_after = _from_plan(fields.Char)
    notice_customer = _from_plan(fields.Boolean)
    notice_user_ids = _from_plan(fields.Many2many)
    notice_partner_ids = _from_plan(fields.Many2many)

    @api.model
    def _get_terms_fields(self):
        return super()._get_terms_fields() + NOTICE_FIELDS
