# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from collections import defaultdict
from itertools import combinations

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..tools.periods import ONE_DAY

# A contract in one of these keeps its days for itself.
AGREED_STATES = ("pending", "active", "suspended")
MAX_NAMED = 5


class SupportContract(models.Model):
    """One contract at a time per holder, plan kind and scope; the others queue behind (L23, C26).

    Contracts for all tickets of a customer meet those of the same customer, contracts for listed
    items those that list one of the same items. A contract for a single ticket meets nobody.
    """

    _inherit = "support.contract"

    kind_id = fields.Many2one(
        related="plan_id.kind_id",
        string="Plan Kind",
        store=True,
        precompute=True,
        help="A holder has one running contract of a kind at a time.",
    )

    @api.constrains(
        "state", "date_start", "date_end", "partner_id", "company_id", "plan_id", "equipment_ids"
    )
    def _check_overlap(self):
        """Refuse contracts that overlap others in days, naming both."""
        agreed = self.filtered(lambda contract: contract.state in AGREED_STATES)
        pairs = agreed._get_overlaps()
        if pairs:
            texts = [first._explain_overlap(second) for first, second in pairs[:MAX_NAMED]]
            if len(pairs) > MAX_NAMED:
                texts.append(self.env._("… and %s more.", len(pairs) - MAX_NAMED))
            raise ValidationError("\n\n".join(texts))

    @api.onchange("partner_id", "plan_id", "equipment_ids")
    def _onchange_queue(self):
        """Propose to begin after the contract that the holder has already."""
        if self.state != "draft" or not self.partner_id or not self.plan_id or not self.date_start:
            return None
        running = self._get_rivals().filtered(
            lambda contract: contract._get_life().end >= self.date_start
        )
        if not running:
            return None
        last = max(running, key=lambda contract: contract._get_life().end)
        if not last.date_end:
            return {
                "warning": {
                    "title": self.env._("There is a contract without end"),
                    "message": last._explain_overlap(self, saved=False),
                }
            }
        self.date_start = last.date_end + ONE_DAY
        return {
            "warning": {
                "type": "notification",
                "title": self.env._("Begins after another contract"),
                "message": self.env._(
                    "%(contract)s runs until %(end)s: this one begins on the day after.",
                    contract=last.display_name,
                    end=format_date(self.env, last.date_end),
                ),
            }
        }

    # === BUSINESS METHODS === #

    def _get_overlaps(self, holders=None):
        """Return the pairs of agreed contracts that overlap, each with one of these in it.

        They are looked for, and kept from being made at this moment by somebody else, in a
        constant number of queries.

        :param dict holders: {partner: the one that will stand for it}, before partners are merged
        """
        if not self:
            return []
        self._lock_scope()
        groups = defaultdict(self.browse)
        for contract in self | self._get_rivals(holders):
            for key in contract._get_scope_keys(holders):
                groups[key] |= contract
        pairs = []
        for contracts in groups.values():
            for pair in combinations(contracts.sorted(lambda c: (c.date_start, c.id)), 2):
                first, second = pair
                if (
                    (first in self or second in self)
                    and second.date_start <= first._get_life().end
                    and pair not in pairs
                ):
                    pairs.append(pair)
        return pairs

    def _get_scope_keys(self, holders=None):
        """Return what this contract keeps for itself; two with a key in common may not overlap."""
        self.ensure_one()
        base = self.company_id.id, self.kind_id.id
        if self.coverage == "item":
            return [(*base, "item", item_id) for item_id in self.equipment_ids._origin.ids]
        if self.coverage == "holder":
            holder = (holders or {}).get(self.partner_id, self.partner_id)
            return [(*base, "holder", holder.id)]
        return []

    def _get_rivals(self, holders=None):
        """Return the other agreed contracts of the same holders or items."""
        partners = self.partner_id | self.partner_id.union(*(holders or {}))
        # Whoever agrees on a contract must not overlook one that he can't see.
        found = self.env["support.contract"].sudo().with_context(active_test=False)
        found = found.search(
            [
                ("state", "in", AGREED_STATES),
                ("company_id", "in", self.company_id.ids),
                ("id", "not in", self._origin.ids),
                "|",
                "&",
                ("coverage", "=", "holder"),
                ("partner_id", "in", partners.ids),
                "&",
                ("coverage", "=", "item"),
                ("equipment_ids", "in", self.equipment_ids._origin.ids),
            ]
        )
        keys = {key for contract in self for key in contract._get_scope_keys(holders)}
        return found.filtered(
            lambda contract: keys.intersection(contract._get_scope_keys(holders))
        ).with_env(self.env)

    def _lock_scope(self):
        """Make two who agree on contracts of one holder or item at this moment see each other.

        The slower of two transactions that write the same row begins again, and then finds what
        the other one has made.
        """
        consumption = self.env["support.consumption"].sudo()  # nothing changes on those rows
        consumption._touch(self.filtered(lambda contract: contract.coverage == "holder").partner_id)
        consumption._touch(
            self.filtered(lambda contract: contract.coverage == "item").equipment_ids
        )

    def _explain_overlap(self, other, saved=True):
        """Return in words which contract stands in the way of which, and what can be done."""
        self.ensure_one()
        first, second = (self, other) if saved else (self, self)
        if first.date_end:
            advice = self.env._(
                "Start the later one on %s or after, or choose a plan of another kind.",
                format_date(self.env, first.date_end + ONE_DAY),
            )
        else:
            advice = self.env._("End the first one, or choose a plan of another kind.")
        facts = {
            "kind": self.kind_id.name or self.env._("no kind"),
            "first": first._format_life(),
            "second": second._format_life(),
            "advice": advice,
        }
        if not saved:
            return self.env._(
                "%(first)s is of the same holder and kind (%(kind)s). %(advice)s", **facts
            )
        return self.env._(
            "%(first)s and %(second)s overlap: one contract at a time per holder and plan kind "
            "(%(kind)s). %(advice)s",
            **facts,
        )

    def _format_life(self):
        self.ensure_one()
        return self.env._(
            "%(contract)s of %(holder)s (%(start)s – %(end)s)",
            contract=self.display_name,
            holder=self.partner_id.display_name,
            start=format_date(self.env, self.date_start),
            end=format_date(self.env, self.date_end) if self.date_end else self.env._("no end"),
        )
