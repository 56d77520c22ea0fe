# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import base64

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError


class SupportImportWizard(models.TransientModel):
    """Takes over running contracts, with what is left of them, from a spreadsheet.

    It tells everything that is wrong at once, and takes over all rows or none.
    """

    _name = "support.import.wizard"
    _description = "Import Running Contracts"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    file = fields.Binary(string="Spreadsheet", attachment=False, help="An .xlsx or .csv file.")
    filename = fields.Char()
    template = fields.Binary(attachment=False, readonly=True)
    opening_date = fields.Date(
        string="In This System Since",
        required=True,
        default=fields.Date.context_today,
        help="For rows that don't say it themselves: the day to which their balances belong. From "
        "that day on tickets, work and terms are counted here.",
    )
    confirm = fields.Boolean(
        string="Confirm Them at Once",
        default=True,
        help="Else they are drafts: look them over, then confirm them in the list of contracts.",
    )
    state = fields.Selection(
        [("new", "New"), ("wrong", "To Correct"), ("right", "Ready"), ("done", "Imported")],
        default="new",
        required=True,
        readonly=True,
    )
    line_ids = fields.One2many("support.import.wizard.line", "wizard_id", readonly=True)
    summary = fields.Char(readonly=True)

    @api.onchange("file", "company_id", "opening_date")
    def _onchange_file(self):
        self.state = "new"

    # === ACTIONS === #

    def action_check(self):
        """List what is wrong in the file, or say that nothing is."""
        self.ensure_one()
        rows, problems = self._analyse()
        return self._show(rows, problems)

    def action_import(self):
        """Take over all rows of the file, or list what is wrong and take over none."""
        self.ensure_one()
        rows, problems = self._analyse()
        if not problems:
            # Whoever imports the same plans at this moment begins again and finds these rows.
            self.env["support.consumption"]._touch(
                self.env["support.plan"].union(*(row["plan"] for row in rows if row["plan"]))
            )
            try:
                with self.env.cr.savepoint():
                    return self._show_done(rows, *self._take_over(rows))
            except (UserError, IntegrityError) as error:
                problems = self._find_refused(rows) or [self._prepare_line(0, "", str(error))]
        return self._show(rows, problems)

    def action_download_template(self):
        """Make an empty spreadsheet in the user's language, with the names of his plans."""
        self.ensure_one()
        self.template = base64.b64encode(self._make_template())
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/template/running_contracts.xlsx"
            "?download=true",
            "target": "download",
        }

    def action_view_contracts(self):
        """Show what was imported."""
        contracts = self.line_ids.contract_id
        if contracts:
            return contracts._get_records_action(name=self.env._("Imported Contracts"))
        return self.line_ids.entitlement_id._get_records_action(name=self.env._("Imported Grants"))

    # === BUSINESS METHODS === #

    def _take_over(self, rows):
        """Make the contracts and lifetime incidents of rows.

        :return: (contracts, grants), each in the order of the rows that have one
        """
        contracts = self.env["support.contract"].create(
            [self._prepare_contract(row) for row in rows if row["plan"]]
        )
        grants = self.env["support.entitlement"]._grant(
            [self._prepare_lifetime_grant(row) for row in rows if row["lifetime_incidents"]]
        )
        if self.confirm:
            contracts.action_confirm()
        return contracts, grants

    def _find_refused(self, rows):
        """Try rows one by one, to name those that are refused; nothing of it stays."""
        problems = []
        with self.env.cr.savepoint() as attempt:
            for row in rows:
                try:
                    with self.env.cr.savepoint():
                        self._take_over([row])
                except (UserError, IntegrityError) as error:
                    problems.append(self._prepare_line(row["number"], "", str(error)))
            attempt.rollback()
        return problems

    def _prepare_contract(self, row):
        """Return the values of the contract of a row; what the row doesn't say, the plan does."""
        values = {
            "company_id": self.company_id.id,
            "partner_id": row["partner"].id,
            "plan_id": row["plan"].id,
            "date_start": row["date_start"],
            "opening_date": row["opening_date"],
        }
        for name in ("title", "client_order_ref", "date_end"):
            if row[name]:
                values[name] = row[name]
        if row["opening_hours"] is not None:
            values["opening_hours"] = row["opening_hours"] / 3600
        if row["opening_incidents"] is not None:
            values["opening_incidents"] = row["opening_incidents"]
        if row["opening_amount"]:
            values["opening_amount"] = float(row["opening_amount"])
        if row["price"] is not None:
            lines = [line._prepare_contract_copy() for line in row["plan"].line_ids]
            lines[0]["price_unit"] = float(row["price"])
            values["line_ids"] = [fields.Command.create(line) for line in lines]
        return values

    def _prepare_lifetime_grant(self, row):
        """Return the grant of the incidents that a customer has for life."""
        return {
            "name": self.env._("Opening balance"),
            "reason": self.env._("Opening balance"),
            "origin": "opening",
            "unit": "incident",
            "amount": row["lifetime_incidents"],
            "partner_id": row["partner"].commercial_partner_id.id,
            "company_id": self.company_id.id,
            "date_from": row["opening_date"] or self.opening_date,
            "made_at": fields.Datetime.now(),
        }

    # === WHAT IS SHOWN === #

    def _prepare_line(self, number, column, message, **vals):
        return {"row": number, "column": str(column), "message": message} | vals

    def _show(self, rows, problems):
        """Show the wizard with what is wrong, or with what would be imported."""
        lines = sorted(problems, key=lambda line: line["row"])
        contracts = sum(bool(row["plan"]) for row in rows)
        if problems:
            wrong = len({line["row"] for line in lines})
            summary = self.env._("Nothing was imported. Rows to correct: %s.", wrong)
        else:
            summary = self.env._(
                "Nothing is wrong. Rows: %(rows)s, contracts: %(contracts)s.",
                rows=len(rows),
                contracts=contracts,
            )
        return self._reopen("wrong" if problems else "right", summary, lines)

    def _show_done(self, rows, contracts, grants):
        """Show what each row has become."""
        made, granted = iter(contracts), iter(grants)
        lines = []
        for row in rows:
            contract = next(made) if row["plan"] else contracts.browse()
            grant = next(granted) if row["lifetime_incidents"] else grants.browse()
            lines.append(
                self._prepare_line(
                    row["number"],
                    "",
                    self.env._("Imported"),
                    partner_id=row["partner"].id,
                    contract_id=contract.id,
                    entitlement_id=grant.id,
                )
            )
        summary = self.env._(
            "Imported contracts: %(contracts)s; lifetime balances: %(grants)s.",
            contracts=len(contracts),
            grants=len(grants),
        )
        return self._reopen("done", summary, lines)

    def _reopen(self, state, summary, lines):
        self.line_ids.unlink()
        self.line_ids.create([line | {"wizard_id": self.id} for line in lines])
        self.write({"state": state, "summary": summary})
        return self._get_records_action(
            name=self.env._("Import Running Contracts"), target="new", views=[(False, "form")]
        )
