# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import base64

from odoo import models
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from ..tools import spreadsheet
from ..tools.spreadsheet import CellError, normalize

_lt = LazyTranslate(__name__)

# The columns of the spreadsheet: heading, and what it takes.
COLUMNS = {
    "partner": (_lt("Customer"), _lt("Name, reference, VAT number or e-mail address")),
    "plan": (_lt("Plan"), _lt("Name or code of the plan")),
    "title": (_lt("Contract Name"), _lt("Empty: the name of the plan")),
    "date_start": (_lt("Start"), _lt("The day from which its terms are counted")),
    "date_end": (_lt("End"), _lt("The last day. Empty: by the duration of the plan")),
    "opening_date": (
        _lt("In This System Since"),
        _lt("The day of the balances. Empty: as chosen in the wizard"),
    ),
    "opening_hours": (
        _lt("Hours Left"),
        _lt("12:30 or 12.5; 0: none is left. Empty: all that the term includes"),
    ),
    "opening_incidents": (
        _lt("Incidents Left"),
        _lt("0: none is left. Empty: all that the term includes"),
    ),
    "opening_amount": (
        _lt("Still to Bill"),
        _lt("Untaxed, in the currency of the plan; negative: a credit"),
    ),
    "price": (
        _lt("Recurring Price"),
        _lt("Per term, of the plan's first recurring product. Empty: as in the plan"),
    ),
    "client_order_ref": (_lt("Customer's Order Number"), _lt("Printed on bills and invoices")),
    "lifetime_incidents": (
        _lt("Lifetime Incidents"),
        _lt("The customer's own, beside all contracts: in one row of each customer"),
    ),
}
READERS = {
    "opening_hours": spreadsheet.to_seconds,
    "opening_incidents": spreadsheet.to_whole,
    "opening_amount": spreadsheet.to_number,
    "price": spreadsheet.to_number,
    "lifetime_incidents": spreadsheet.to_whole,
}
DATES = ("date_start", "date_end", "opening_date")
# Columns that say something only about a contract.
CONTRACT_COLUMNS = COLUMNS.keys() - {"partner", "opening_date", "lifetime_incidents"}
ERRORS = {
    "file": _lt("This file is neither a spreadsheet (.xlsx) nor text (.csv). Save it as one."),
    "encoding": _lt("The text of this file isn't in UTF-8. Save it as “CSV UTF-8” or as .xlsx."),
    "date": _lt("“%(cell)s” is no date. Write it like %(example)s, or as 2026-01-31."),
    "number": _lt("“%(cell)s” is no number. Write it like 1234.50."),
    "ambiguous": _lt("“%(cell)s” can be read in two ways. Write it without thousands separators."),
    "hours": _lt("“%(cell)s” are no hours. Write them like 12:30 or 12.5."),
    "whole": _lt("“%(cell)s” isn't whole. Incidents are counted in whole numbers."),
    "negative": _lt("“%(cell)s” is negative. Enter 0, and what was overdrawn under Still to Bill."),
    "large": _lt("“%(cell)s” is too much to be true. Correct it."),
}


class SupportImportWizard(models.TransientModel):
    """Reads and checks the rows of the spreadsheet."""

    _inherit = "support.import.wizard"

    def _analyse(self):
        """Read and check the file.

        :return: (rows, problems); rows are dicts by column, with `number` (in the file),
            `partner` and `plan` as records; problems are values of wizard lines
        """
        rows, problems = self._read_file()
        if not rows and not problems:
            message = self.env._("There are no rows in this file, besides its headings.")
            problems.append(self._prepare_line(0, "", message))
        self._resolve_partners(rows, problems)
        self._resolve_plans(rows, problems)
        self._complete_dates(rows, problems)
        for row in rows:
            self._check_row(row, problems)
        self._check_repeated(rows, problems)
        return rows, problems

    # === CELLS === #

    def _read_file(self):
        if not self.file:
            return [], [self._prepare_line(0, "", self.env._("Choose a file first."))]
        try:
            lines = spreadsheet.read_rows(base64.b64decode(self.file))
        except CellError as error:
            return [], [self._prepare_line(0, "", self.env._(ERRORS[error.code]))]
        if not lines:
            return [], []
        header, *lines = lines
        columns, problems = self._read_header(header)
        if problems:
            return [], problems
        rows = []
        for line in lines:
            row = dict.fromkeys(COLUMNS) | {"number": line.number}
            for name, cell in zip(columns, line.cells, strict=False):
                if name and cell is not None:
                    row[name] = self._read_cell(line.number, name, cell, problems)
            rows.append(row)
        return rows, problems

    def _read_header(self, header):
        """Return which column each cell of the heading names, in English or the user's language."""
        english = self.with_context(lang="en_US").env
        names = {}
        for name, (label, _note) in COLUMNS.items():
            for text in (name, self.env._(label), english._(label)):
                names[normalize(text)] = name
        columns, problems = [], []
        for cell in header.cells:
            name = names.get(normalize(cell))
            if cell is not None and (not name or name in columns):
                known = ", ".join(self.env._(label) for label, _note in COLUMNS.values())
                message = (
                    self.env._("This column is there twice. Remove one of them.")
                    if name
                    else self.env._("This column isn't known. There are: %s.", known)
                )
                problems.append(self._prepare_line(header.number, cell, message))
            columns.append(name)
        if "partner" not in columns and not problems:
            message = self.env._("The headings are missing: begin with the template.")
            problems.append(self._prepare_line(header.number, "", message))
        return columns, problems

    def _read_cell(self, number, name, cell, problems):
        """Return the value of a cell; what can't be read becomes a problem."""
        if name in DATES:
            lang = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
            formats, read = [lang.date_format], spreadsheet.to_date
        else:
            formats, read = [], READERS.get(name, spreadsheet.to_text)
        try:
            return read(cell, formats) if formats else read(cell)
        except CellError as error:
            example = self.opening_date.strftime(formats[0]) if formats else ""
            text = self.env._(ERRORS[error.code])
            message = text % {"cell": cell, "example": example}
            self._report(problems, number, name, message)
            return None

    def _report(self, problems, number, name, message):
        """Add a problem with a cell; one for each is enough."""
        label, _note = COLUMNS[name]
        line = self._prepare_line(number, self.env._(label), message)
        if (number, line["column"]) not in {(line["row"], line["column"]) for line in problems}:
            problems.append(line)

    # === TEMPLATE === #

    def _make_template(self):
        """Return an empty spreadsheet with the headings, what they take, and the plans' names."""
        plans = self.env["support.plan"].search([("company_id", "=", self.company_id.id)])
        return spreadsheet.write_template(
            {
                self.env._(label): (self.env._(note), plans.mapped("name") * (name == "plan"))
                for name, (label, note) in COLUMNS.items()
            }
        )

    # === RECORDS === #

    def _resolve_partners(self, rows, problems):
        """Find the customers by name, reference, VAT number or e-mail address, all at once."""
        found = self._find_partners({normalize(row["partner"]) for row in rows} - {""})
        for row in rows:
            text = row["partner"]
            partners = found.get(normalize(text), self.env["res.partner"])
            if len(partners) > 1:  # a company, and those of its people who share its address
                partners = partners & partners.commercial_partner_id or partners
            if not text:
                message = self.env._("Enter the customer.")
            elif not partners:
                message = self.env._(
                    "No customer has the name, reference, VAT number or e-mail address “%s”. "
                    "Correct it, or create the customer first.",
                    text,
                )
            elif len(partners) > 1:
                message = self.env._(
                    "“%(text)s” can be any of these customers: %(partners)s. Enter a reference or "
                    "an e-mail address that only one of them has.",
                    text=text,
                    partners=", ".join(
                        f"{partner.display_name} ({partner.ref or partner.email or partner.id})"
                        for partner in partners
                    ),
                )
            else:
                message = ""
            row["partner"] = partners if len(partners) == 1 else partners.browse()
            if message:
                self._report(problems, row["number"], "partner", message)
        ids = [row["partner"].id for row in rows if row["partner"]]
        for row in rows:  # what is asked of one is read for all
            row["partner"] = row["partner"].with_prefetch(ids)

    def _find_partners(self, keys):
        """Return the customers that each key can mean: {key: partners}."""
        if not keys:
            return {}
        self.env["res.partner"].flush_model(["name", "ref", "vat", "email", "active"])
        rows = self.env.execute_query(
            SQL(
                """
                WITH wanted AS (SELECT unnest(%s) AS key)
                SELECT key, id FROM wanted JOIN res_partner ON lower(name) = key WHERE active
                UNION
                SELECT key, id FROM wanted JOIN res_partner ON lower(ref) = key WHERE active
                UNION
                SELECT key, id FROM wanted JOIN res_partner
                    ON lower(replace(vat, ' ', '')) = replace(key, ' ', '') WHERE active
                UNION
                SELECT key, id FROM wanted JOIN res_partner ON lower(email) = key WHERE active
                """,
                list(keys),
            )
        )
        # As the user: who may not see a customer doesn't find him here either.
        allowed = self.env["res.partner"].search(
            [
                ("id", "in", [partner for _key, partner in rows]),
                ("company_id", "in", [False, self.company_id.id]),
            ]
        )
        seen, found = set(allowed.ids), {}
        for key, partner in rows:
            if partner in seen:
                found.setdefault(key, []).append(partner)
        return {key: allowed.browse(sorted(ids)) for key, ids in found.items()}

    def _resolve_plans(self, rows, problems):
        """Find the plans by name, in any language that is spoken here, or code."""
        plans = self.env["support.plan"].search([("company_id", "=", self.company_id.id)])
        by_key = {}
        for plan in plans:
            names = {plan.name, plan.with_context(lang="en_US").name, plan.code}
            for key in {normalize(name) for name in names if name}:
                by_key[key] = by_key.get(key, plans.browse()) | plan
        for row in rows:
            text = row["plan"]
            fitting = by_key.get(normalize(text), plans.browse())
            row["plan"] = fitting if len(fitting) == 1 else plans.browse()
            if not text:
                if row["lifetime_incidents"] and not any(row[name] for name in CONTRACT_COLUMNS):
                    continue
                message = self.env._("Enter the plan. Only lifetime incidents need none.")
            elif not fitting:
                message = self.env._("There is no plan with the name or code “%s”.", text)
            elif len(fitting) > 1:
                message = self.env._("Several plans are called “%s”: enter the code.", text)
            else:
                continue
            self._report(problems, row["number"], "plan", message)
