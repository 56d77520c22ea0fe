# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models
from odoo.tools import format_date

BALANCES = ("opening_hours", "opening_incidents", "opening_amount")


class SupportImportWizard(models.TransientModel):
    """What the rows of the spreadsheet say together, and beside what is there already."""

    _inherit = "support.import.wizard"

    def _complete_dates(self, rows, problems):
        """Check the days of the contracts, and complete since when they are in this system."""
        for row in rows:
            if not row["plan"]:
                continue
            number, start, end = row["number"], row["date_start"], row["date_end"]
            if not start:
                message = self.env._("Enter the day from which the terms are counted.")
                self._report(problems, number, "date_start", message)
                continue
            day = row["opening_date"] or max(self.opening_date, start)
            if day < start:
                message = self.env._("The contract begins later than this day: correct one.")
                self._report(problems, number, "opening_date", message)
            if end and end < start:
                message = self.env._("The contract can't end before it starts.")
                self._report(problems, number, "date_end", message)
            elif end and end < day:
                message = self.env._(
                    "The contract has ended before %s, when it would come into this system. Leave "
                    "it out, or correct the day.",
                    format_date(self.env, day),
                )
                self._report(problems, number, "date_end", message)
            if not row["opening_date"] and day == start and self._has_no_balance(row):
                continue  # it begins here, as any other
            row["opening_date"] = day

    def _has_no_balance(self, row):
        return all(row[name] is None for name in BALANCES)

    def _check_row(self, row, problems):
        """Check what a row says about its plan, and that it says something at all."""
        plan = row["plan"]
        if plan and row["price"] is not None and not plan.line_ids:
            message = self.env._(
                "%s has no recurring product: add one to the plan, or leave the price empty.",
                plan.display_name,
            )
            self._report(problems, row["number"], "price", message)

    def _check_repeated(self, rows, problems):
        """Refuse what would be there twice: in the file, or because it was imported before."""
        contracts = {
            (contract.partner_id, contract.plan_id, contract.date_start): contract.display_name
            for contract in self.env["support.contract"]
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "in", [row["partner"].id for row in rows]),
                    ("plan_id", "in", [row["plan"].id for row in rows]),
                    ("company_id", "=", self.company_id.id),
                    ("state", "!=", "cancelled"),
                ]
            )
        }
        grants = dict(
            self.env["support.entitlement"]._read_group(
                [
                    ("partner_id", "in", [row["partner"].commercial_partner_id.id for row in rows]),
                    ("company_id", "=", self.company_id.id),
                    ("origin", "=", "opening"),
                    ("contract_id", "=", False),
                ],
                ["partner_id"],
                ["name:max"],
            )
        )
        for row in rows:
            partner, plan = row["partner"], row["plan"]
            here = self.env._("row %s", row["number"])
            if partner and plan and row["date_start"]:
                key = partner, plan, row["date_start"]
                if key in contracts:
                    message = self.env._(
                        "Already there: %s is for the same customer, plan and start. Remove this "
                        "row, or cancel the other contract first.",
                        contracts[key],
                    )
                    self._report(problems, row["number"], "plan", message)
                contracts.setdefault(key, here)
            if partner and row["lifetime_incidents"]:
                owner = partner.commercial_partner_id
                if owner in grants:
                    message = self.env._(
                        "Already there: the lifetime incidents of %(customer)s (%(where)s). Leave "
                        "this cell empty.",
                        customer=owner.display_name,
                        where=grants[owner],
                    )
                    self._report(problems, row["number"], "lifetime_incidents", message)
                grants.setdefault(owner, here)
