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
        """Tell the responsible person and the customer (Q7, Q8)."""
        contract = grant.contract_id
        values = {
            "contract": contract.display_name,
            "threshold": threshold,
            "grant": grant.name,
            "used": grant.used_label,
            "granted": grant.quantity_label,
        }
        body = self.env._(
            "%(threshold)s%% of “%(grant)s” is used: %(used)s of %(granted)s.", **values
        )
        excess = self._get_excess_label(grant)
        if excess:
            body += " " + self.env._("%s additional charged.", excess)
        contract.message_post(
            body=body,
            partner_ids=contract.partner_id.ids,
            subtype_xmlid="mail.mt_comment",
            subject=self.env._("%(contract)s: %(threshold)s%% used", **values),
        )
        contract.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("%(threshold)s%% of %(grant)s used", **values),
            note=body,
            user_id=contract.user_id.id or self.env.user.id,
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
