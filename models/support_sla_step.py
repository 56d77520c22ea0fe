# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models
from odoo.exceptions import ValidationError

from .support_sla_target import KINDS, MINUTE


class SupportSlaStep(models.Model):
    """What happens when so much of the promised time is over: a warning, or an escalation.

    Each happens once on a clock. Steps before the deadline are warnings (Y41), one at 100 %
    happens on breach (Y35, Y45), those behind it are further levels of escalation.
    """

    _name = "support.sla.step"
    _description = "Warning or Escalation of an SLA Policy"
    _inherit = ["support.sla.row.mixin"]
    _order = "policy_id, kind nulls first, moment desc, number, id"

    kind = fields.Selection(KINDS, string="Promise", help="Empty: every promise of the policy.")
    moment = fields.Selection(
        [("percent", "% of the time"), ("before", "minutes before the deadline")],
        required=True,
        default="percent",
        help="Minutes are working time, too.",
    )
    number = fields.Integer(string="At", required=True, default=100)
    by_chatter = fields.Boolean(string="Note", default=True, help="Write a note on the ticket.")
    by_activity = fields.Boolean(
        string="Activity", default=True, help="Give those who are told an activity on the ticket."
    )
    by_mail = fields.Boolean(string="E-mail", help="Mail those who are told.")
    to_assignee = fields.Boolean(
        string="Assigned User", default=True, help="Tell the one who has the ticket."
    )
    to_team = fields.Boolean(
        string="Team Leader",
        help="Tell the leader of the ticket's team; where there is none, all its members.",
    )
    to_responsible = fields.Boolean(
        string="Contract's Responsible", help="Tell the one who is responsible for the contract."
    )
    user_ids = fields.Many2many("res.users", string="Also Tell", domain="[('share', '=', False)]")
    reassign_id = fields.Many2one(
        "res.users",
        string="Reassign to",
        domain="[('share', '=', False)]",
        help="The ticket is assigned to this technician, who is told as well (Y45).",
    )

    _number_positive = models.Constraint(
        "CHECK (number > 0)", "A warning or escalation needs a number above zero."
    )

    def _check_moment(self):
        """Refuse warnings that are longer than what is promised, and steps that never come.

        :raise ValidationError: with the row and what to do
        """
        for step in self:
            if step.moment == "percent" and step.number > 1000:
                raise ValidationError(
                    self.env._("An escalation at more than 1000 % would never come.")
                )
            targets = step.policy_id.target_ids.filtered(
                lambda target, step=step: not step.kind or target.kind == step.kind
            )
            if step.kind and not targets:
                raise ValidationError(
                    self.env._(
                        "“%(policy)s” has a warning or escalation for a promise that it doesn't "
                        "make (%(promise)s): add the promise, or remove the row.",
                        policy=step.policy_id.name,
                        promise=dict(KINDS)[step.kind],
                    )
                )
            short = targets.filtered(
                lambda target, step=step: (
                    step.moment == "before" and step.number * MINUTE >= target.seconds
                )
            )
            if short:
                raise ValidationError(
                    self.env._(
                        "“%(policy)s” warns %(minutes)s minutes before a deadline that is only "
                        "%(promise)s away (%(kind)s): warn later, or write a percentage.",
                        policy=step.policy_id.name,
                        minutes=step.number,
                        promise=short[0]._describe(),
                        kind=dict(KINDS)[short[0].kind],
                    )
                )

    def _prepare_terms(self):
        """Return what a version keeps of it: when, and what is done for whom."""
        self.ensure_one()
        return {
            "key": str(self.id),
            "kind": self.kind or "",
            "percent": self.number if self.moment == "percent" else 0,
            "before": self.number * MINUTE if self.moment == "before" else 0,
            "by": [way for way in ("chatter", "activity", "mail") if self[f"by_{way}"]],
            "to": [who for who in ("assignee", "team", "responsible") if self[f"to_{who}"]],
            "users": sorted(self.user_ids.ids),
            "reassign": self.reassign_id.id,
        }
