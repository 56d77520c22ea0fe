# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.tools import format_date

from ..tools.rating import format_hours
from .support_contract import RUNNING_STATES


class SupportContract(models.Model):
    """At this pace: what the running term comes to, told on the contract (Q4, Q18)."""

    _inherit = "support.contract"

    forecast_label = fields.Text(string="At This Pace", compute="_compute_forecast")
    forecast_beyond = fields.Boolean(compute="_compute_forecast")
    forecast_amount_label = fields.Char(
        compute="_compute_forecast_amount", groups="support_contract.group_support_prices"
    )

    def _compute_forecast(self):
        figures = self._get_forecast()
        for contract in self:
            known = figures.get(contract.id)
            texts = known and contract._describe_forecast(known) or []
            contract.forecast_label = "\n".join(texts)
            contract.forecast_beyond = bool(known) and any(
                unit.forecast and unit.forecast.beyond for unit in known.units.values()
            )

    def _compute_forecast_amount(self):
        figures = self._get_forecast()
        for contract in self:
            known = figures.get(contract.id)
            contract.forecast_amount_label = (
                contract.forecast_beyond
                and known
                and known.beyond
                and self.env._("≈ %s", contract.currency_id.format(float(known.beyond)))
            )

    def _get_forecast(self):
        running = self.filtered(lambda contract: contract.id and contract.state in RUNNING_STATES)
        # sudo: to count with; the money in it is shown by a field of its own.
        return self.env["support.foresight"].sudo()._get_figures(running.sudo())

    def _describe_forecast(self, figures):
        """Return a line for each unit that the contract has: used at the end, beyond or left."""
        self.ensure_one()
        lines = []
        for unit, known in figures.units.items():
            if not known.forecast or not (known.capacity or known.used):
                continue
            values = {
                "day": format_date(self.env, figures.term.date_end),
                "used": self._format_forecast(unit, known.forecast.used),
                "beyond": self._format_forecast(unit, known.forecast.beyond),
                "left": self._format_forecast(unit, known.forecast.left),
            }
            lines.append(
                self.env._("%(used)s by %(day)s: %(beyond)s beyond what there is", **values)
                if known.forecast.beyond
                else self.env._("%(used)s by %(day)s: %(left)s left then", **values)
            )
        return lines

    def _format_forecast(self, unit, quantity):
        if unit == "time":
            return format_hours(quantity)
        return self.env._("%s incidents", quantity)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_view_support_forecast(self):
        """Show the balance of these customers, now and at the end of their terms."""
        return self.env["support.forecast"].action_inquire(self)


class ResCompany(models.Model):
    _inherit = "res.company"

    support_forecast_days = fields.Selection(
        [("calendar", "All days"), ("working", "The company's working days")],
        string="Pace Counts",
        required=True,
        default="calendar",
        help="By which days the use of a term so far is continued to its end.",
    )
    support_low_use_percent = fields.Integer(
        string="Badly Used Below (%)",
        required=True,
        default=50,
        help="A term of which less was used counts as badly used in “Due but Not Delivered”.",
    )

    _support_low_use = models.Constraint(
        "CHECK (support_low_use_percent BETWEEN 0 AND 100)",
        "The threshold for badly used terms is between 0 and 100 %.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    support_forecast_days = fields.Selection(
        related="company_id.support_forecast_days", readonly=False
    )
    support_low_use_percent = fields.Integer(
        related="company_id.support_low_use_percent", readonly=False
    )
