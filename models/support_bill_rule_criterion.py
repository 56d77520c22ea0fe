# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.bill_rules import Criterion

# What a criterion asks of a ticket: the field of the ticket, and that which holds the values here.
FACTS = {
    "team": ("team_id", "team_ids"),
    "category": ("category_id", "category_ids"),
    "tag": ("tag_ids", "tag_ids"),
    "channel": ("channel_id", "channel_ids"),
    "item": ("equipment_id", "equipment_ids"),
    "priority": ("priority", "priority"),
}


class SupportBillRuleCriterion(models.Model):
    """What a ticket must be for a bill rule to apply: one of its fields has one of some values."""

    _name = "support.bill.rule.criterion"
    _description = "Criterion of a Bill Rule"
    _order = "sequence, id"
    _check_company_auto = True

    rule_id = fields.Many2one("support.bill.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, precompute=True)
    sequence = fields.Integer(default=10)
    fact = fields.Selection(
        [
            ("team", "Team"),
            ("category", "Category"),
            ("priority", "Priority"),
            ("tag", "Tags"),
            ("channel", "Channel"),
            ("item", "Item"),
        ],
        string="Field of the Ticket",
        required=True,
        default="category",
    )
    operator = fields.Selection(
        [("is", "is one of"), ("is_not", "is none of"), ("at_least", "is at least")],
        required=True,
        default="is",
    )
    team_ids = fields.Many2many("helpdesk.ticket.team", string="Teams", check_company=True)
    category_ids = fields.Many2many(
        "helpdesk.ticket.category", string="Categories", check_company=True
    )
    tag_ids = fields.Many2many("helpdesk.ticket.tag", string="Tags", check_company=True)
    channel_ids = fields.Many2many("helpdesk.ticket.channel", string="Channels", check_company=True)
    equipment_ids = fields.Many2many(
        "maintenance.equipment",
        "support_bill_rule_criterion_equipment_rel",
        string="Items",
        check_company=True,
    )
    priority = fields.Selection(
        lambda self: (
            self.env["helpdesk.ticket"]._fields["priority"]._description_selection(self.env)
        )
    )
    label = fields.Char(string="Criterion", compute="_compute_label")

    # === COMPUTE METHODS === #

    @api.depends("fact", "operator", "priority", *(name for _field, name in FACTS.values()))
    @api.depends_context("lang")
    def _compute_label(self):
        facts = dict(self._fields["fact"]._description_selection(self.env))
        operators = dict(self._fields["operator"]._description_selection(self.env))
        priorities = dict(self._fields["priority"]._description_selection(self.env))
        for criterion in self:
            name = FACTS[criterion.fact][1] if criterion.fact else "priority"
            values = (
                priorities.get(criterion.priority, "")
                if name == "priority"
                else ", ".join(record.display_name or "" for record in criterion[name])
            )
            criterion.label = " ".join(
                filter(None, (facts.get(criterion.fact), operators.get(criterion.operator), values))
            )

    # === CONSTRAINTS === #

    @api.constrains("fact", "operator", *(name for _field, name in FACTS.values()))
    def _check_values(self):
        for criterion in self:
            if not criterion[FACTS[criterion.fact][1]]:
                raise ValidationError(
                    self.env._(
                        "A criterion of “%s” has no values: choose at least one, or remove it.",
                        criterion.rule_id.name,
                    )
                )
            if criterion.operator == "at_least" and criterion.fact != "priority":
                raise ValidationError(
                    self.env._(
                        "“is at least” can be asked of priorities only: choose “is one of” for "
                        "the rule “%s”.",
                        criterion.rule_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        criteria = super().create(vals_list)
        criteria.rule_id._rate_again()
        return criteria

    def write(self, vals):
        result = super().write(vals)
        self.rule_id._rate_again()
        return result

    def unlink(self):
        self.rule_id._rate_again()
        return super().unlink()

    # === BUSINESS METHODS === #

    def _to_criterion(self):
        """Return this criterion as a value for the arithmetic."""
        self.ensure_one()
        return Criterion(self.fact, self._get_values(), self.operator == "is_not")

    def _get_values(self):
        self.ensure_one()
        if self.fact != "priority":
            return frozenset(self[FACTS[self.fact][1]].ids)
        if self.operator != "at_least":
            return frozenset({self.priority})
        ordered = self.env["helpdesk.ticket"]._fields["priority"].get_values(self.env)
        return frozenset(ordered[ordered.index(self.priority) :])


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    def _get_bill_facts(self):
        """Return what bill rules ask of this ticket: {fact: values}."""
        self.ensure_one()
        facts = {
            fact: frozenset(self[field].ids)
            for fact, (field, _name) in FACTS.items()
            if fact != "priority"
        }
        return facts | {"priority": frozenset(filter(None, [self.priority]))}
