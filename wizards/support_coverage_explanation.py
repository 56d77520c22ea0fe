# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.fields import Command, Domain
from odoo.tools import format_date, format_datetime

VERDICTS = [
    ("chosen", "Covers"),
    ("other", "Would cover"),
    ("no", "Doesn't cover"),
    ("none", "Nothing here"),
]


class SupportCoverageExplanation(models.TransientModel):
    """Why a ticket is under its contract, or under none: every contract that was looked at.

    It asks what coverage itself asks (`support.coverage._examine`), for the moment at which the
    ticket was opened, of the contracts as they are now.
    """

    _name = "support.coverage.explanation"
    _description = "Why a Ticket Is Covered"

    ticket_id = fields.Many2one("helpdesk.ticket", required=True, readonly=True, ondelete="cascade")
    result = fields.Text(readonly=True)
    moment_note = fields.Char(readonly=True)
    line_ids = fields.One2many("support.coverage.explanation.line", "explanation_id", readonly=True)

    @api.model
    def _explain(self, ticket):
        """Make the explanation of a ticket that the user may read."""
        ticket.check_access("read")
        # Contracts are looked up as when the ticket was made, whoever asks; no price is shown.
        request = ticket.sudo()._get_coverage_request()
        coverage = self.env["support.coverage"].sudo()
        view = coverage._look([request], Domain.TRUE)[request]
        levels, found = coverage._examine(request, view)
        lines = [
            vals
            for number, level in enumerate(levels, 1)
            for vals in self._prepare_level(number, level, request, found, view)
        ]
        return self.create(
            {
                "ticket_id": ticket.id,
                "result": self._get_result(ticket.sudo(), found),
                "moment_note": self.env._(
                    "Looked up for the moment at which the ticket was opened, %s; what the "
                    "contracts are, and what is left on them, is that of today.",
                    format_datetime(self.env, request.day),
                ),
                "line_ids": [
                    Command.create(vals | {"sequence": sequence})
                    for sequence, vals in enumerate(lines)
                ],
            }
        )

    # === WHAT CAME OUT === #

    def _get_result(self, ticket, found):
        contract = ticket.contract_id
        if ticket.awaiting_coverage:
            return self.env._("The ticket came by mail; its contract is found in a moment.")
        if contract and ticket.contract_by_hand:
            text = self.env._(
                "%s was chosen by hand, and a choice by hand always wins.", contract.display_name
            )
        elif contract and contract == found:
            text = self.env._("%s is the first one that covers.", contract.display_name)
        elif contract:
            text = self.env._(
                "%s was found when the ticket was made, or when its customer or item changed. The "
                "ticket keeps it, although it would not be found today.",
                contract.display_name,
            )
        elif found:
            return self.env._(
                "The ticket is under no contract, but today %s would be found. Choose it on the "
                "ticket.",
                found.display_name,
            )
        elif not ticket.partner_id:
            return self.env._("The ticket has no customer: set one, and a contract is looked for.")
        else:
            return self._get_policy(ticket)
        return "\n".join(filter(None, (text, ticket.contract_end_label, ticket.lock_message)))

    def _get_policy(self, ticket):
        """Return in words what is done with a ticket that no contract covers."""
        policy = ticket._get_no_contract_policy()
        by_team = bool(ticket.team_id.support_no_contract_policy)
        field = ticket.company_id._fields["support_no_contract_policy"]
        return self.env._(
            "No contract covers it. Rule of %(owner)s for tickets without a contract: “%(rule)s”.",
            owner=ticket.team_id.name if by_team else ticket.company_id.name,
            rule=dict(field._description_selection(self.env))[policy],
        )

    # === LEVELS === #

    def _prepare_level(self, number, level, request, found, view):
        """Return the lines of one level: each contract looked at there, or that there is none."""
        holder, state, judged = level
        name = f"{number}. {self._get_level_name(holder, state)}"
        if state == "pending":  # the others were judged at the valid levels
            judged = [(c, verdict) for c, verdict in judged if verdict.state == "pending"]
        if not judged:
            return [
                {
                    "level": name,
                    "verdict": "none",
                    "reason": self._get_absence(holder, state, request, view),
                }
            ]
        fitting = [contract for contract, verdict in judged if verdict.state == state]
        return [
            {
                "level": name,
                "contract_id": contract.id,
                **self._prepare_verdict(
                    contract, verdict, state, request, found, fitting, view.chain
                ),
            }
            for contract, verdict in judged
        ]

    def _get_level_name(self, holder, state):
        names = {
            ("item", "valid"): self.env._("Item, valid contract"),
            ("customer", "valid"): self.env._("Customer, valid contract"),
            ("unit", "valid"): self.env._("Department, valid contract"),
            ("item", "pending"): self.env._("Item, pending contract"),
            ("customer", "pending"): self.env._("Customer, pending contract"),
            ("unit", "pending"): self.env._("Department, pending contract"),
        }
        return names[holder, state]

    def _get_absence(self, holder, state, request, view):
        if state == "pending":
            return self.env._("no contract begins later here")
        if holder == "item" and not request.equipment:
            return self.env._("the ticket is about no item of a customer")
        if holder == "unit" and len(view.chain) < 2:
            return self.env._("there is no company or department above the customer")
        return self.env._("no contract here")

    def _prepare_verdict(self, contract, verdict, state, request, found, fitting, chain):
        if verdict.state != state:
            return {"verdict": "no", "reason": contract._explain(verdict, request.day)}
        if contract == found:
            return {"verdict": "chosen", "reason": self.env._("the first one that covers")}
        if found in fitting:
            return {"verdict": "other", "reason": self._get_difference(contract, found, chain)}
        return {
            "verdict": "other",
            "reason": self.env._("%s was found at a level before", found.display_name),
        }

    def _get_difference(self, contract, winner, chain):
        """Return why the other contract of the same level went first."""
        coverage = self.env["support.coverage"]
        own, best = coverage._get_rank(contract, chain), coverage._get_rank(winner, chain)
        words = (
            self.env._("%s is of a nearer department", winner.display_name),
            self.env._(
                "lower priority than %(winner)s: %(own)s after %(best)s",
                winner=winner.display_name,
                own=contract.priority,
                best=winner.priority,
            ),
            self.env._(
                "%(winner)s ends earlier, on %(day)s",
                winner=winner.display_name,
                day=format_date(self.env, winner.date_end) if winner.date_end else "-",
            ),
            self.env._("%s was made earlier", winner.display_name),
        )
        return next(word for word, a, b in zip(words, own, best, strict=True) if a != b)


class SupportCoverageExplanationLine(models.TransientModel):
    _name = "support.coverage.explanation.line"
    _description = "A Contract That Was Looked at for a Ticket"
    _order = "sequence, id"

    explanation_id = fields.Many2one(
        "support.coverage.explanation", required=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    level = fields.Char()
    contract_id = fields.Many2one("support.contract")
    # Read with the rights of whoever asks, who may have named any contract.
    partner_id = fields.Many2one(
        related="contract_id.partner_id", string="Holder", related_sudo=False
    )
    date_start = fields.Date(related="contract_id.date_start", string="From", related_sudo=False)
    date_end = fields.Date(related="contract_id.date_end", string="To", related_sudo=False)
    state = fields.Selection(related="contract_id.state", related_sudo=False)
    verdict = fields.Selection(VERDICTS)
    reason = fields.Char()
