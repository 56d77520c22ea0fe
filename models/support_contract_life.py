# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, models
from odoo.exceptions import UserError


class SupportContract(models.Model):
    """The life of a contract: what people, and the date, do with it."""

    _inherit = "support.contract"

    # === ACTIONS === #

    def action_confirm(self):
        """Sign: active from the start date on, pending until then."""
        self._check_confirmable()
        waiting = self.filtered(lambda contract: contract._get_life().start > contract._get_today())
        waiting._set_state("pending")
        (self - waiting).action_activate()

    def action_activate(self):
        self._check_confirmable()
        self._set_state("active")
        self.env["support.contract.term"]._roll(self)

    def action_suspend(self):
        self._set_state("suspended")

    def action_resume(self):
        """Resume a suspended contract, or one that expired and was prolonged or topped up."""
        over = self.filtered(lambda contract: contract._has_ended(contract._get_today()))
        if over:
            raise UserError(
                self.env._(
                    "%s has ended or is used up: give it a later end or more units first.",
                    over[0].display_name,
                )
            )
        self._set_state("active")
        self.env["support.contract.term"]._roll(self)

    def action_cancel(self):
        self._set_state("cancelled")

    def action_draft(self):
        self._set_state("draft")

    def action_generate_bill(self):
        """Bill by hand what is due today and show it."""
        self.ensure_one()
        bills = self.env["support.bill"]._generate(self, self._get_today())
        if not bills:
            raise UserError(
                self.env._(
                    "Nothing is due on %(contract)s. The next bill is due on %(date)s.",
                    contract=self.display_name,
                    date=self.next_billing_date or "-",
                )
            )
        return bills._get_records_action(name=self.env._("Bills"))

    def action_prove(self):
        """Prove the ledgers of these contracts and show what differs."""
        differences = self.env["support.discrepancy"]._prove(self)
        if differences:
            return differences._get_records_action(name=self.env._("Differences"))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("Proved"),
                "message": self.env._(
                    "Counters, entries, work, charges, bills and invoices agree."
                ),
            },
        }

    # === BUSINESS METHODS === #

    def _finish(self):
        """End these contracts, which are over: their last day, or their units."""
        self._set_state("expired")

    def _check_confirmable(self):
        """Collect what is missing before a contract can run, and say it at once."""
        problems = []
        for contract in self:
            if not (contract.line_ids or contract.allowance_ids or contract._get_rates()):
                problems.append(
                    self.env._(
                        "%(contract)s has neither recurring products nor allowances nor rates: "
                        "add what it sells.",
                        contract=contract.display_name,
                    )
                )
        if problems:
            raise UserError("\n".join(problems))

    # === CRON === #

    @api.model
    def _cron_roll(self, batch_size=100):
        """Open, close and expire what the date brings, however late it runs (T4)."""
        self.env["support.contract.term"]._roll_due(batch_size)
