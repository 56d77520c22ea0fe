# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

from ..tools.consumption import crossed
from ..tools.rating import format_hours


class SupportWarning(models.AbstractModel):
    """Tells staff and customers that units run out."""

    _name = "support.warning"
    _description = "Warnings about Support Units"

    @api.model
    def _warn(self, grants):
        """Tell people, once per crossing of a threshold, that units run out (T48)."""
        for grant in grants.filtered("contract_id"):
            thresholds = grant.contract_id._get_warning_thresholds()
            reached = crossed(thresholds, grant.quantity, grant.used)
            if reached > grant.warned:
                self._notify(grant, reached)
            if reached != grant.warned:
                grant.warned = reached

    @api.model
    def _notify(self, grant, threshold):
        """Tell staff and the customer (Q7, Q8, C23)."""
        contract = grant.contract_id
        facts = {
            "threshold": threshold,
            "grant": grant.name,
            "used": grant.used_label,
            "granted": grant.quantity_label,
            "excess": self._get_excess_label(grant),
        }
        staff_lang = contract._get_noticed_staff()[0].lang
        contract = contract.with_context(lang=staff_lang)
        env = contract.env
        note = env._("%(used)s of %(granted)s are gone on “%(grant)s”.", **facts)
        if facts["excess"]:
            note += " " + env._("%s additional charged.", facts["excess"])
        contract._tell(
            "support_contract.mail_template_units_warning",
            env._("%(threshold)s%% of %(grant)s used", **facts),
            note,
            **facts,
        )

    @api.model
    def _get_excess_label(self, grant):
        """Return how much work of the grant's days went beyond it; empty for none."""
        charges = self.env["support.charge"].search(
            [
                ("contract_id", "=", grant.contract_id.id),
                ("kind", "=", "overage" if grant.unit == "time" else "incident"),
                ("state", "!=", "cancelled"),
                ("date", ">=", grant.date_from),
                ("date", "<=", grant.date_to or fields.Date.today()),
            ]
        )
        if not charges:
            return ""
        if grant.unit == "incident":
            return str(int(sum(charges.mapped("quantity"))))
        return format_hours(sum(charges.mapped("seconds")))
