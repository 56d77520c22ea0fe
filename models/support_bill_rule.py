# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..tools.bill_rules import Rule, first_match


class SupportBillRule(models.Model):
    """Another price for tickets that meet criteria: a fixed one, or rates of their own (C39).

    A contract's own rules go before those of its plan; the first rule that a ticket meets counts.
    What is drawn from allowances stays the same: a rule prices what exceeds them.
    """

    _name = "support.bill.rule"
    _description = "Bill Rule"
    _inherit = ["support.terms.item.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, help="Shown on the charges, e.g. Network emergency.")
    sequence = fields.Integer(default=10, help="The first rule that a ticket meets counts.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(index=True)
    match = fields.Selection(
        [("all", "All criteria"), ("any", "Any criterion")],
        string="Applies When Met",
        required=True,
        default="all",
    )
    criterion_ids = fields.One2many("support.bill.rule.criterion", "rule_id", copy=True)
    cost = fields.Selection(
        [("fixed", "A fixed price per ticket"), ("differential", "Rates of its own")],
        string="Costs",
        required=True,
        default="fixed",
        help="Fixed: charged once for each ticket opened under the contract, whether or not "
        "its work is within the allowance. Rates of its own replace those of plan and contract "
        "for what exceeds the allowance.",
    )
    amount = fields.Monetary(string="Fixed Price", help="Per ticket, untaxed.")
    product_id = fields.Many2one(
        "product.product",
        string="Billed As",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
        default=lambda self: self.env.ref(
            "support_contract.product_bill_rule", raise_if_not_found=False
        ),
        ondelete="restrict",
        help="The product of the fixed price on the invoice; its taxes and accounts apply.",
    )
    instead_of_time = fields.Boolean(
        help="Work on the ticket that exceeds the allowance costs nothing more: the fixed price "
        "is all. Otherwise it is charged on top, by the rates.",
    )
    rate_ids = fields.One2many("support.rate", "bill_rule_id", copy=True)
    criteria_label = fields.Char(string="Criteria", compute="_compute_labels")
    cost_label = fields.Char(string="Price", compute="_compute_labels")
    charge_count = fields.Integer(compute="_compute_charge_count")

    _amount_positive = models.Constraint(
        "CHECK (amount IS NULL OR amount >= 0)", "The price of a bill rule can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("match", "criterion_ids.label", "cost", "amount", "instead_of_time", "rate_ids")
    @api.depends_context("lang")
    def _compute_labels(self):
        for rule in self:
            word = self.env._(" and ") if rule.match == "all" else self.env._(" or ")
            rule.criteria_label = word.join(
                criterion.label or "" for criterion in rule.criterion_ids
            )
            if rule.cost == "differential":
                rule.cost_label = self.env._("%s rates of its own", len(rule.rate_ids))
            elif rule.currency_id:
                amount = rule.currency_id.format(rule.amount)
                rule.cost_label = (
                    self.env._("%s instead of the time", amount)
                    if rule.instead_of_time
                    else self.env._("%s and the time", amount)
                )
            else:
                rule.cost_label = False

    def _compute_charge_count(self):
        # Those too that replaced versions of bills keep.
        charges = self.env["support.charge"].with_context(active_test=False)
        counts = dict(
            charges._read_group([("bill_rule_id", "in", self.ids)], ["bill_rule_id"], ["__count"])
        )
        for rule in self:
            rule.charge_count = counts.get(rule, 0)

    # === CONSTRAINTS === #

    @api.constrains("cost", "product_id", "rate_ids")
    def _check_cost(self):
        for rule in self:
            if rule.cost == "fixed" and not rule.product_id:
                raise ValidationError(
                    self.env._("“%s” has a fixed price: choose as what it is billed.", rule.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._rate_again()
        return rules

    def write(self, vals):
        self._rate_again()  # of whom they were before
        result = super().write(vals)
        self._rate_again()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for rule in self:
            if rule._is_used():
                raise UserError(
                    self.env._(
                        "Tickets have been charged by “%s”: archive it instead. What isn't billed "
                        "yet is then charged as if it had never been.",
                        rule.name,
                    )
                )

    def _is_used(self):
        """Return whether something was rated by this rule, charged or covered."""
        self.ensure_one()
        self.env.flush_all()
        rated = self.env.execute_query(
            SQL(
                """
                SELECT 1 FROM account_analytic_line
                 WHERE support_contract_id IN %s AND rated_pieces @> %s::jsonb LIMIT 1
                """,
                (0, *self._get_contracts().ids),
                json.dumps([{"rule": self.id}]),
            )
        )
        return bool(rated or self.charge_count)

    # === ACTIONS === #

    def action_view_charges(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_charge"
        )
        return action | {
            "domain": [("bill_rule_id", "=", self.id)],
            "context": {"active_test": False},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _find(self, pairs):
        """Return the rule that applies to tickets under contracts.

        :param pairs: iterable of (ticket, contract)
        :return: {(ticket, contract): rule}, only of those to which one applies
        """
        rules = {}
        facts = {}
        found = {}
        for ticket, contract in set(pairs):
            if contract not in rules:
                rules[contract] = contract._get_bill_rules()._to_rules()
            if rules[contract] and ticket not in facts:
                facts[ticket] = ticket._get_bill_facts()
            rule_id = rules[contract] and first_match(rules[contract], facts[ticket])
            if rule_id:
                found[ticket, contract] = self.browse(rule_id)
        return found

    def _to_rules(self):
        """Return the rules, in their order, as values for the arithmetic."""
        return [
            Rule(
                id=rule.id,
                match_all=rule.match == "all",
                criteria=tuple(criterion._to_criterion() for criterion in rule.criterion_ids),
            )
            for rule in self
        ]

    def _get_rates(self):
        """Return the rates that replace those of the contract."""
        self.ensure_one()
        return self.rate_ids

    def _get_contracts(self):
        """Return the contracts that these rules are of: their own, and those of their plans."""
        return self.contract_id | self.plan_id.with_context(active_test=False).contract_ids

    def _rate_again(self):
        """Have what isn't billed rated again, under every contract that these rules are of."""
        contracts = self._get_contracts()
        # Which rules there are, and in which order, was read before this change.
        contracts.invalidate_recordset(["bill_rule_ids"])
        self.plan_id.invalidate_recordset(["bill_rule_ids"])
        contracts._note_rating()


class SupportPlan(models.Model):
    _inherit = "support.plan"

    bill_rule_ids = fields.One2many(
        "support.bill.rule",
        "plan_id",
        copy=True,
        groups="support_contract.group_support_prices",
    )


class SupportContract(models.Model):
    _inherit = "support.contract"

    bill_rule_ids = fields.One2many(
        "support.bill.rule",
        "contract_id",
        copy=True,
        groups="support_contract.group_support_prices",
        help="The contract's own rules; they go before those of the plan.",
    )

    def _get_bill_rules(self):
        """Return the rules in the order in which they are asked: the contract's own first."""
        self.ensure_one()
        owners = (self, self.plan_id)
        rules = self.env["support.bill.rule"].concat(
            *(owner.bill_rule_ids.sorted("sequence, id") for owner in owners)
        )
        return rules.filtered("active")  # whatever the context reads


class SupportRate(models.Model):
    """A rate can be of a bill rule, instead of a plan or a contract."""

    _inherit = "support.rate"

    bill_rule_id = fields.Many2one("support.bill.rule", index="btree_not_null", ondelete="cascade")

    @api.depends("bill_rule_id.company_id")
    def _compute_company_id(self):  # pylint: disable=missing-return
        super()._compute_company_id()
        for rate in self.filtered("bill_rule_id"):
            rate.company_id = rate.bill_rule_id.company_id

    @api.depends("bill_rule_id.currency_id")
    def _compute_currency_id(self):  # pylint: disable=missing-return
        super()._compute_currency_id()
        for rate in self.filtered("bill_rule_id"):
            rate.currency_id = rate.bill_rule_id.currency_id

    @api.constrains("plan_id", "contract_id", "bill_rule_id")
    def _check_one_owner(self):
        of_rules = self.filtered("bill_rule_id")
        if of_rules.plan_id or of_rules.contract_id:
            raise ValidationError(
                self.env._("A rate of a bill rule can't be one of a plan or contract, too.")
            )
        return super(SupportRate, self - of_rules)._check_one_owner()

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        rates.bill_rule_id._rate_again()
        return rates

    def write(self, vals):
        result = super().write(vals)
        self.bill_rule_id._rate_again()
        return result

    def unlink(self):
        self.bill_rule_id._rate_again()
        return super().unlink()
