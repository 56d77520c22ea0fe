# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class SupportContract(models.Model):
    """What comes after a contract: the holder's next ones, and the work that waits for them."""

    _inherit = "support.contract"

    successor_ids = fields.Many2many(
        "support.contract",
        compute="_compute_successor_ids",
        help="The contracts of the same holder, plan kind and scope that have begun after its end.",
    )

    @api.depends("date_end")
    def _compute_successor_ids(self):
        """Only contracts whose first term has opened: that is a fact, and stays one."""
        ending = self.filtered("date_end")
        self.successor_ids = False
        if not ending:
            return
        following = ending._search_scope(
            Domain("date_start", ">", min(ending.mapped("date_end")))
            & Domain("term_ids", "any", [("number", "=", 0), ("state", "!=", "upcoming")])
        ).sorted(lambda contract: (contract.date_start, contract.id))
        keys = {contract: set(contract._get_scope_keys()) for contract in following | ending}
        for contract in ending:
            contract.successor_ids = following.filtered(
                lambda other, contract=contract: (
                    other.date_start > contract.date_end and keys[other] & keys[contract]
                )
            )

    def _get_successor(self, day, item):
        """Return the contract to which work of a day after the end is applied; none: it waits.

        :param item: what the work is about; where items are covered, it must be among them
        """
        self.ensure_one()
        return self.successor_ids.filtered(
            lambda following: (
                day <= following._get_life().end
                and (following.coverage != "item" or not item or item in following.equipment_ids)
            )
        )[:1]

    def write(self, vals):
        result = super().write(vals)
        if "date_end" in vals:
            self.filtered("term_ids")._settle_work_after_end()
        return result

    def _settle_work_after_end(self):
        """Look again at work done after an end, when a contract has begun or an end has moved.

        Each entry that is not billed comes under the contract under which it would come if it
        were recorded now. Refusing is not asked again: the work is recorded.
        """
        # The date brings this, whoever happens to look.
        self = self.sudo()
        self.invalidate_model(["successor_ids"])
        lines = self._get_work_after_end()
        lines -= lines._get_frozen()
        moved = lines.filtered(lambda line: line._get_contract() != line.support_contract_id)
        if not moved:
            return
        starts = moved._get_pool_starts()
        for name in ("support_contract_id", "rated_pieces", "billable_seconds"):
            self.env.add_to_compute(moved._fields[name], moved)
        for pool, moment in moved._get_pool_starts().items():
            starts[pool] = min(starts.get(pool, moment), moment)
        homeless = moved.filtered(lambda line: not line.support_contract_id)
        homeless.charge_ids._withdraw()
        self.env["support.consumption"]._reallocate(starts, leaving=homeless)

    def _get_work_after_end(self):
        """Return work on tickets of these contracts, or of others of their holders, after the end.

        And the work of these contracts that is not under them, where their end has moved.
        """
        kin = self | self._search_scope(Domain("state", "not in", ("draft", "cancelled")))
        lines = self.env["account.analytic.line"]
        if not kin:
            return lines
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id
                  FROM support_contract contract
                  JOIN helpdesk_ticket ticket ON ticket.contract_id = contract.id
                  JOIN account_analytic_line line ON line.ticket_id = ticket.id
                 WHERE contract.id IN %s
                   AND (line.work_start >= contract.date_end
                        OR contract.id IN %s
                        AND line.support_contract_id IS DISTINCT FROM contract.id)
                """,
                tuple(kin.ids),
                tuple(self.ids) or (0,),
            )
        )
        return lines.browse(row[0] for row in rows)

    def _search_scope(self, domain):
        """Return the contracts of the same holders or items that meet a domain."""
        # Work goes on, whether whoever does it may see the next contract or not.
        contracts = self.env["support.contract"].sudo().with_context(active_test=False)
        return contracts.search(
            Domain("company_id", "in", self.company_id.ids)
            & domain
            & (
                Domain("coverage", "=", "holder") & Domain("partner_id", "in", self.partner_id.ids)
                | Domain("coverage", "=", "item")
                & Domain("equipment_ids", "in", self.equipment_ids.ids)
            )
        )
