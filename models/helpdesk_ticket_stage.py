# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HelpdeskTicketStage(models.Model):
    _inherit = "helpdesk.ticket.stage"

    returns_incident = fields.Boolean(
        string="Returns the Incident",
        help="A ticket in this stage gives its incidents back to the customer: cancelled, "
        "rejected. It takes them again when it leaves the stage. Tickets that lie in the stage "
        "when this is changed keep what they have until they are moved.",
    )
    resolves = fields.Boolean(
        help="A ticket in this stage is resolved: that meets the promise of its resolution. It is "
        "worked on again when it leaves the stage for one that neither resolves nor closes.",
    )
    sla_pause_policy_ids = fields.Many2many(
        "support.sla.policy",
        "support_sla_policy_pause_stage_rel",
        "stage_id",
        "policy_id",
        string="Pauses the Clocks of",
        help="Tickets with these SLAs stand still in this stage.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        stages = super().create(vals_list)
        stages._settle_policies(stages._get_paused_policies())
        return stages

    def write(self, vals):
        if "sla_pause_policy_ids" not in vals:
            return super().write(vals)
        policies = self._get_paused_policies()
        result = super().write(vals)
        self._settle_policies(policies | self._get_paused_policies())
        return result

    def _get_paused_policies(self):
        """Return the policies whose clocks stand still in these stages, archived ones as well."""
        # Whoever sets up stages needn't see all policies.
        return self.sudo().with_context(active_test=False).sla_pause_policy_ids

    def _settle_policies(self, policies):
        """Keep as versions of policies what was changed here, by whoever may change them."""
        policies = policies.with_env(self.env)
        policies.check_access("write")
        policies._settle_terms()

    @api.constrains("closed", "resolves", "sla_pause_policy_ids")
    def _check_pausing(self):
        """Refuse stages that pause what they end.

        :raise ValidationError: with the stage and a policy
        """
        for stage in self:
            # Whoever sets up stages needn't see all policies.
            policies = stage.sudo().sla_pause_policy_ids
            if policies and (stage.closed or stage.resolves):
                raise ValidationError(
                    self.env._(
                        "The stage “%(stage)s” pauses the clocks of “%(policy)s”, so it can "
                        "neither close nor resolve tickets: take it off the policy's pausing "
                        "stages first.",
                        stage=stage.name,
                        policy=policies[0].name,
                    )
                )
