# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date

from ..tools.zones import local_day


class SupportStatement(models.TransientModel):
    """A customer's statement of account in units and money (B4, B32, Q18).

    What is left, what is owed, what is coming, and what moved in a period. It is read from the
    ledgers, keeps nothing, and can be printed. People who see no prices see the units only.
    """

    _name = "support.statement"
    _description = "Statement of Account"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._get_default_start()
    )
    date_to = fields.Date(string="To", required=True, default=fields.Date.context_today)
    shows_money = fields.Boolean(compute="_compute_shows_money")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    # === COMPUTE METHODS === #

    @api.model
    def _get_default_start(self):
        return fields.Date.context_today(self).replace(day=1) - relativedelta(months=2)

    @api.depends("partner_id", "date_from", "date_to")
    def _compute_display_name(self):
        for statement in self:
            statement.display_name = self.env._(
                "Statement of Account – %s", statement.partner_id.display_name or ""
            )

    @api.depends_context("uid")
    def _compute_shows_money(self):
        self.shows_money = self._may_see_money()

    @api.model
    def _may_see_money(self):
        """Return the user's own right, also where the report is rendered for somebody else."""
        return self.env.user.has_group("support_contract.group_support_prices")

    @api.depends("partner_id", "company_id", "date_from", "date_to")
    @api.depends_context("uid", "lang")
    def _compute_preview(self):
        for statement in self:
            ready = statement.partner_id and statement.date_from and statement.date_to
            statement.preview = (
                ready
                and statement.date_from <= statement.date_to
                and self.env["ir.qweb"]._render(
                    "support_contract.support_statement_content",
                    {"doc": statement, "data": statement._get_data(), "linked": True},
                )
            )

    @api.constrains("date_from", "date_to")
    def _check_period(self):
        for statement in self:
            if statement.date_to < statement.date_from:
                raise ValidationError(
                    self.env._(
                        "The period ends on %(end)s, before it begins on %(start)s. Choose a later "
                        "end.",
                        start=format_date(self.env, statement.date_from),
                        end=format_date(self.env, statement.date_to),
                    )
                )

    # === ACTIONS === #

    def action_print(self):
        self.ensure_one()
        return self.env.ref("support_contract.action_report_support_statement").report_action(self)

    def action_view_grants(self):
        return self._get_action("support_contract.action_support_entitlement", "partner_id")

    def action_view_entries(self):
        return self._get_action("support_contract.action_support_entitlement_entry", "partner_id")

    def action_view_contracts(self):
        return self._get_action("support_contract.action_support_contract", "commercial_partner_id")

    def action_view_charges(self):
        return self._get_action("support_contract.action_support_charge", "partner_id")

    def action_view_bills(self):
        return self._get_action("support_contract.action_support_bill", "partner_id")

    def _get_action(self, xmlid, link):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        domain = [(link, "=", self._get_owner().id), ("company_id", "=", self.company_id.id)]
        return action | {"domain": domain, "context": {}}

    # === WHAT IT SAYS === #

    def _get_owner(self):
        self.ensure_one()
        return self.partner_id.commercial_partner_id

    def _get_today(self):
        """Return today's date where the customer is."""
        self.ensure_one()
        zone = self._get_owner().tz or self.company_id.partner_id.tz or "UTC"
        return local_day(fields.Datetime.now(), zone)

    def _get_data(self):
        """Return all that the statement says, in the language of the context.

        :raise AccessError: for a customer or company that isn't the reader's
        """
        self.ensure_one()
        self._get_owner().check_access("read")
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("Switch to the company of this statement first."))
        return {
            "units": self._get_units(),
            "money": self._get_money() if self._may_see_money() else None,
            "period": self.env._(
                "%(start)s – %(end)s",
                start=self._format_day(self.date_from),
                end=self._format_day(self.date_to),
            ),
            "today": self._format_day(self._get_today()),
        }

    def _format_day(self, day):
        return format_date(self.env, day) if day else ""
