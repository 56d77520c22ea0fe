# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import fields, models


class SupportSlaExplanationLine(models.TransientModel):
    """A stretch of time before a deadline, and what it adds."""

    _name = "support.sla.explanation.line"
    _description = "A Stretch of Time Before an SLA Deadline"
    _order = "sequence, id"

    explanation_id = fields.Many2one("support.sla.explanation", required=True, ondelete="cascade")
    sequence = fields.Integer()
    start = fields.Datetime()
    stop = fields.Datetime()
    # Written out, because browsers have a zone of their own.
    start_label = fields.Char(string="From")
    stop_label = fields.Char(string="To")
    there = fields.Char(help="The same by the clock where the active hours are.")
    kind = fields.Selection(
        [
            ("work", "Counts"),
            ("closed", "Closed"),
            ("holiday", "Holiday"),
            ("pause", "Paused"),
        ],
        string="What",
    )
    phase = fields.Selection(
        [
            ("past", "Gone"),
            ("coming", "Still to Come"),
            ("spare", "Not Needed"),
            ("over", "Too Late"),
        ],
        string="When",
    )
    is_deadline = fields.Boolean(help="The promised time is over at its end.")
    reason = fields.Char(string="Why")
    duration = fields.Char(string="Lasts")
    counted = fields.Integer(help="Seconds of working time.")
    counted_label = fields.Char(string="Counts")
    total_label = fields.Char(string="In All")
