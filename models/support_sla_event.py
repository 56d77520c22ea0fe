# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportSlaEvent(models.Model):
    """Something that has happened on a clock: a warning, the breach, an escalation. Each once."""

    _name = "support.sla.event"
    _description = "Event of an SLA Clock"
    _order = "moment desc, id desc"

    timer_id = fields.Many2one(
        "support.sla.timer", required=True, readonly=True, index=True, ondelete="cascade"
    )
    ticket_id = fields.Many2one(related="timer_id.ticket_id", store=True, precompute=True)
    company_id = fields.Many2one(related="timer_id.company_id", store=True, precompute=True)
    key = fields.Char(required=True, readonly=True, help="Which step of the policy it was.")
    kind = fields.Selection(
        [("warning", "Warning"), ("breach", "Breach"), ("escalation", "Escalation")],
        required=True,
        readonly=True,
    )
    moment = fields.Datetime(
        required=True, readonly=True, help="When it was due by the clock, whenever it was noticed."
    )
    noticed_at = fields.Datetime(
        required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    told_ids = fields.Many2many("res.users", readonly=True)
    activity_ids = fields.Many2many("mail.activity", readonly=True)
    reassigned_id = fields.Many2one("res.users", string="Reassigned to", readonly=True)

    _once = models.UniqueIndex("(timer_id, key)", "This has happened on the clock already.")
