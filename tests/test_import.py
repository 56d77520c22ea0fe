# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Running contracts come from a spreadsheet, by the wizard or Odoo's import screen: all or none."""

import base64
from datetime import date, time

from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, new_test_user
from odoo.tools import file_open

from odoo.addons.support_contract.tools import spreadsheet

from .common import HOUR, SupportCommon
from .test_tools_spreadsheet import make_xlsx

HEADER = ("Customer", "Plan", "Start", "Hours Left")


@freeze_time("2026-02-10 12:00:00")
class ImportCommon(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(hours=5, fee=100, name="Gold", code="G1")
        cls.bare = cls._make_plan(name="Bare", allowances=[cls._allowance(incidents=4)])


class TestImportWizard(ImportCommon):
    def _make_wizard(self, *rows, content=None, **vals):
        content = make_xlsx(rows) if content is None else content
        return self.env["support.import.wizard"].create({"file": base64.b64encode(content)} | vals)

    def _import(self, *rows, **vals):
        wizard = self._make_wizard(*rows, **vals)
        wizard.action_import()
        return wizard

    def assertRefused(self, problems, *rows, **vals):
        """Checking and importing name exactly these [(row, column, message)], and make nothing."""
        before = self.env["support.contract"].search_count([])
        for action in ("action_check", "action_import"):
            wizard = self._make_wizard(*rows, **vals)
            getattr(wizard, action)()
            self.assertEqual(wizard.state, "wrong")
            found = [(line.row, line.column or "", line.message) for line in wizard.line_ids]
            self.assertEqual([line[:2] for line in found], [line[:2] for line in problems], found)
            for (_row, _column, message), (*_line, text) in zip(found, problems, strict=True):
                self.assertIn(text, message)
        self.assertEqual(self.env["support.contract"].search_count([]), before)

    # === WHAT IS RIGHT === #

    def test_running_contract(self):
        wizard = self._make_wizard(
            (
                "customer",
                "PLAN",
                "Contract Name",
                "Start",
                "End",
                "In This System Since",
                "Hours Left",
                "Still to Bill",
                "Recurring Price",
                "Customer's Order Number",
            ),
            (
                "lumen  ltd",
                "g1",
                "Lumen 24/7",
                date(2024, 5, 15),
                "2027-05-14",
                date(2026, 2, 1),
                "2:30",
                "250,50",
                "90",
                4711,
            ),
        )
        wizard.action_check()
        self.assertEqual((wizard.state, len(wizard.line_ids)), ("right", 0))
        self.assertEqual(wizard.summary, "Nothing is wrong. Rows: 1, contracts: 1.")
        wizard.action_import()
        self.assertEqual(wizard.state, "done")
        contract = wizard.line_ids.contract_id
        self.assertRecordValues(
            contract,
            [
                {
                    "partner_id": self.customer.id,
                    "plan_id": self.plan.id,
                    "title": "Lumen 24/7",
                    "date_start": date(2024, 5, 15),
                    "date_end": date(2027, 5, 14),
                    "opening_date": date(2026, 2, 1),
                    "time_left": 2.5,
                    "opening_amount": 250.5,
                    "client_order_ref": "4711",
                    "state": "active",
                }
            ],
        )
        self.assertEqual(contract.line_ids.mapped("price_unit"), [90])
        self.assertEqual(contract.term_ids.mapped("number"), [20, 21])
        self.assertEqual(wizard.action_view_contracts()["res_id"], contract.id)
        self.assertProved(contract)

    def test_what_a_row_leaves_out(self):
        contract = self._import(
            ("Customer", "Plan", "Start"), ("Lumen Ltd", "Gold", "2025-01-01"), confirm=False
        ).line_ids.contract_id
        self.assertRecordValues(
            contract,
            [
                {
                    "state": "draft",
                    "title": "Gold",
                    "opening_date": date(2026, 2, 10),
                    "opening_hours_given": False,
                    "opening_incidents_given": False,
                }
            ],
        )
        self.assertEqual(contract.line_ids.mapped("price_unit"), [100])

    def test_no_hours_left(self):
        contract = self._import(HEADER, ("Lumen Ltd", "Gold", "2025-01-01", 0)).line_ids.contract_id
        self.assertTrue(contract.opening_hours_given)
        self.assertEqual(contract.time_left, 0)

    def test_contract_that_begins_later_begins_here(self):
        contract = self._import(HEADER, ("Lumen Ltd", "Gold", "2026-03-01", None)).line_ids
        self.assertFalse(contract.contract_id.opening_date)
        self.assertEqual(contract.contract_state, "pending")

    def test_csv_in_the_language_of_the_user(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        content = "\ufeffCustomer;Plan;Start;Hours Left\r\nLumen Ltd;Gold;31/01/2025;12,5\r\n"
        wizard = self._make_wizard(content=content.encode()).with_context(lang="fr_FR")
        wizard.action_import()
        self.assertEqual(str(wizard.line_ids.contract_id.date_start), "2025-01-31")
        self.assertEqual(wizard.line_ids.contract_id.time_left, 12.5)

    def test_times_of_a_spreadsheet(self):
        wizard = self._import(HEADER, ("Lumen Ltd", "Gold", date(2025, 1, 1), time(3, 45)))
        self.assertEqual(wizard.line_ids.contract_id.time_left, 3.75)

    def test_customers_are_found_by_what_names_them(self):
        nova = self._make_customer(
            "Nova", ref="LUX-77", vat="BE0477472701", email="Desk@nova.example"
        )
        person = self.env["res.partner"].create(
            {"name": "Ida", "parent_id": nova.id, "email": "desk@nova.example"}
        )
        wizard = self._make_wizard()
        for text in ("nova", "lux-77", "BE 0477472701", "desk@NOVA.example"):
            rows, problems = [{"number": 2, "partner": text}], []
            wizard._resolve_partners(rows, problems)
            self.assertEqual((rows[0]["partner"], problems), (nova, []), text)
        rows = [{"number": 2, "partner": "Ida"}]
        wizard._resolve_partners(rows, [])
        self.assertEqual(rows[0]["partner"], person)

    def test_lifetime_incidents(self):
        wizard = self._import(
            ("Customer", "Plan", "Start", "Incidents Left", "Lifetime Incidents"),
            ("Lumen Ltd", "Bare", "2025-01-01", 1, 7),
        )
        contract, grant = wizard.line_ids.contract_id, wizard.line_ids.entitlement_id
        self.assertEqual(contract.incidents_left, 1)
        self.assertRecordValues(
            grant,
            [
                {
                    "origin": "opening",
                    "quantity": 7,
                    "date_to": False,
                    "contract_id": False,
                    "partner_id": self.customer.id,
                }
            ],
        )
        other = self._make_customer("Nova")
        wizard = self._import(("Customer", "Lifetime Incidents"), ("Nova", 3))
        self.assertEqual(wizard.line_ids.entitlement_id.partner_id, other)
        self.assertIn("Imported contracts: 0", wizard.summary)

    def test_template_is_understood(self):
        wizard = self._make_wizard()
        wizard.action_download_template()
        content = base64.b64decode(wizard.template)
        [header] = spreadsheet.read_rows(content)
        columns, problems = wizard._read_header(header)
        self.assertEqual((len(columns), problems), (12, []))
        self.assertRefused([(0, "", "There are no rows")], content=content)

    # === WHAT IS WRONG === #

    def test_every_wrong_row_is_named_at_once(self):
        self.assertRefused(
            [
                (3, "Customer", "No customer has the name"),
                (4, "Plan", "no plan with the name or code “Platinum”"),
                (5, "Start", "“31.31.2025” is no date"),
                (6, "Hours Left", "“many” are no hours"),
                (7, "Hours Left", "“-1” is negative"),
                (8, "Customer", "Enter the customer"),
                (8, "Plan", "Enter the plan"),
            ],
            HEADER,
            ("Lumen Ltd", "Gold", "2025-01-01", 2),
            ("Nobody", "Gold", "2025-01-01", 2),
            ("Lumen Ltd", "Platinum", "2025-01-01", 2),
            ("Lumen Ltd", "Gold", "31.31.2025", 2),
            ("Lumen Ltd", "Gold", "2025-01-02", "many"),
            ("Lumen Ltd", "Gold", "2025-01-03", -1),
            (None, None, "2025-01-01", 2),
        )

    def test_wrong_days(self):
        self.assertRefused(
            [
                (2, "Start", "Enter the day"),
                (3, "End", "can't end before it starts"),
                (4, "End", "has ended before"),
                (5, "In This System Since", "begins later"),
            ],
            ("Customer", "Plan", "Start", "End", "In This System Since"),
            ("Lumen Ltd", "Gold", None, None, None),
            ("Lumen Ltd", "Gold", "2025-01-01", "2024-01-01", None),
            ("Lumen Ltd", "Gold", "2025-01-02", "2026-01-31", None),
            ("Lumen Ltd", "Gold", "2025-01-03", None, "2024-12-31"),
        )

    def test_wrong_numbers(self):
        self.assertRefused(
            [
                (2, "Still to Bill", "can be read in two ways"),
                (3, "Incidents Left", "isn't whole"),
                (4, "Recurring Price", "Bare has no recurring product"),
                (5, "Lifetime Incidents", "is no number"),
            ],
            (
                "Customer",
                "Plan",
                "Start",
                "Incidents Left",
                "Still to Bill",
                "Recurring Price",
                "Lifetime Incidents",
            ),
            ("Lumen Ltd", "Gold", "2025-01-01", None, "1.234", None, None),
            ("Lumen Ltd", "Gold", "2025-01-02", 1.5, None, None, None),
            ("Lumen Ltd", "Bare", "2025-01-03", None, None, 20, None),
            ("Lumen Ltd", "Gold", "2025-01-04", None, None, None, "some"),
        )

    def test_ambiguous_customer_and_plan(self):
        self._make_customer("Nova", ref="LUX-1")
        self._make_customer("NOVA", ref="LUX-2")
        self._make_plan(name="gold")
        self.assertRefused(
            [(2, "Customer", "Nova (LUX-1), NOVA (LUX-2)"), (2, "Plan", "enter the code")],
            HEADER,
            ("Nova", "Gold", "2025-01-01", 2),
        )

    def test_twice_in_the_file(self):
        row = ("Lumen Ltd", "Gold", "2025-01-01", 2)
        self.assertRefused([(3, "Plan", "Already there: row 2")], HEADER, row, row)
        self.assertRefused(
            [(3, "Lifetime Incidents", "Lumen Ltd (row 2)")],
            ("Customer", "Lifetime Incidents"),
            ("Lumen Ltd", 2),
            ("Lumen Ltd", 3),
        )

    def test_same_file_again(self):
        rows = (
            (*HEADER, "Lifetime Incidents"),
            ("Lumen Ltd", "Gold", "2025-01-01", 2, 5),
        )
        contract = self._import(*rows).line_ids.contract_id
        self.assertRefused(
            [
                (2, "Plan", f"Already there: {contract.display_name}"),
                (2, "Lifetime Incidents", "Already there"),
            ],
            *rows,
        )
        grants = self.env["support.entitlement"].search(
            [("partner_id", "=", self.customer.id), ("origin", "=", "opening")]
        )
        self.assertEqual(grants.mapped("quantity"), [5])

    def test_row_that_odoo_refuses_is_named(self):
        """What only making the contract shows names its row as well, and nothing stays."""
        self._make_plan(name="Empty")  # nothing to sell: can't be confirmed
        self._make_customer("Nova")
        before = self.env["support.contract"].search_count([])
        wizard = self._import(
            HEADER,
            ("Lumen Ltd", "Gold", "2025-01-01", 2),
            ("Nova", "Empty", "2025-01-01", None),
        )
        self.assertEqual((wizard.state, wizard.line_ids.row), ("wrong", 3))
        self.assertIn("has neither recurring products nor allowances", wizard.line_ids.message)
        self.assertEqual(self.env["support.contract"].search_count([]), before)

    def test_wrong_files(self):
        self.assertRefused([(0, "", "neither a spreadsheet")], content=b"PK\x03\x04 broken")
        self.assertRefused([(0, "", "isn't in UTF-8")], content="Kunde;Müller".encode("latin-1"))
        self.assertRefused([(0, "", "There are no rows")], content=b"\n")
        self.assertRefused([(1, "", "headings are missing")], ("Plan", "Start"), ("Gold", "2025"))
        self.assertRefused([(1, "Colour", "isn't known")], ("Customer", "Colour"), ("Lumen", 1))
        self.assertRefused([(1, "plan", "is there twice")], ("Customer", "Plan", "plan"))

    def test_only_managers(self):
        staff = new_test_user(self.env(su=True), "clerk", "support_contract.group_support_user")
        with self.assertRaises(AccessError):
            self.env["support.import.wizard"].with_user(staff).create({})

    def test_manager_by_the_form(self):
        form = Form(self.env["support.import.wizard"])
        form.file = base64.b64encode(
            make_xlsx([HEADER, ("Lumen Ltd", "Gold", "2025-01-01", 2)])
        ).decode()
        wizard = form.save()
        wizard.action_check()
        self.assertEqual(wizard.state, "right")

    def test_constant_queries(self):
        """Fifty rows take hardly more queries than five."""
        for index in range(60):
            self._make_customer(f"Client{index}")
        counts = {}
        for first, last in ((0, 2), (2, 7), (7, 57)):
            rows = [(f"Client{index}", "Gold", "2025-01-01", 2, 9) for index in range(first, last)]
            wizard = self._make_wizard((*HEADER, "Still to Bill"), *rows)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard.action_import()
            self.env.flush_all()
            self.assertEqual(wizard.state, "done")
            counts[last - first] = self.env.cr.sql_log_count - before
        self.assertLessEqual(counts[50], counts[5] + 10, counts)


class TestImportScreen(ImportCommon):
    FIELDS = (
        "partner_id",
        "plan_id",
        "date_start",
        "opening_date",
        "opening_hours",
        "opening_incidents",
        "opening_amount",
    )

    def _load(self, *rows):
        return self.env["support.contract"].load(list(self.FIELDS), [list(row) for row in rows])

    def test_opening_columns(self):
        self._make_customer("Second Ltd")
        result = self._load(
            ("Lumen Ltd", "Gold", "2025-01-01", "2026-02-10", "1.5", "", "12.30"),
            ("Second Ltd", "Gold", "2025-02-01", "2026-02-10", "0", "", ""),
            ("Lumen Ltd", "Bare", "2025-03-01", "2026-02-10", "", "2", "-5"),
        )
        self.assertFalse(result["messages"])
        contracts = self.env["support.contract"].browse(result["ids"])
        self.assertEqual(
            contracts.mapped("opening_hours_given"), [True, True, False]
        )  # an empty cell isn't 0
        self.assertEqual(contracts.mapped("opening_amount"), [12.3, 0, -5])
        self.assertEqual(set(contracts.mapped("state")), {"draft"})
        contracts.action_confirm()
        self.assertEqual(
            [contract.entitlement_ids.quantity for contract in contracts],
            [1.5 * HOUR, 0, 2],
        )

    def test_customer_by_external_id_and_reference(self):
        self.env["ir.model.data"].sudo().create(
            {
                "module": "__import__",
                "name": "lumen",
                "model": "res.partner",
                "res_id": self.customer.id,
            }
        )
        result = self.env["support.contract"].load(
            ["id", "partner_id/id", "plan_id", "date_start"],
            [["__import__.contract_1", "__import__.lumen", "Gold", "2025-01-01"]],
        )
        self.assertFalse(result["messages"])
        result = self.env["support.contract"].load(
            ["id", "partner_id/id", "plan_id", "date_start"],
            [["__import__.contract_1", "__import__.lumen", "Gold", "2025-01-01"]],
        )
        contracts = self.env["support.contract"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(contracts.ids, result["ids"])  # the same one, not another

    def test_customer_by_reference(self):
        self.customer.ref = "L-1"
        result = self._load(("L-1", "Gold", "2025-01-01", "2026-02-10", "1.5", "", ""))
        self.assertFalse(result["messages"])
        contract = self.env["support.contract"].browse(result["ids"])
        self.assertEqual(contract.partner_id, self.customer)

    def test_wrong_rows_are_named_and_none_is_imported(self):
        before = self.env["support.contract"].search_count([])
        result = self._load(
            ("Lumen Ltd", "Gold", "2025-01-01", "2026-02-10", "1.5", "", ""),
            ("Lumen Ltd", "Platinum", "2025-01-01", "2026-02-10", "1.5", "", ""),
            ("Lumen Ltd", "Gold", "2025-01-01", "2024-02-10", "1.5", "", ""),
            ("Lumen Ltd", "Gold", "2025-01-01", "2026-02-10", "-1", "", ""),
            ("Lumen Ltd", "Gold", "2025-01-01", "", "1", "", ""),
            ("Lumen Ltd", "Gold", "2025-01-01", "2026-02-10", "many", "", ""),
        )
        self.assertFalse(result["ids"])
        messages = {}
        for message in result["messages"]:
            messages.setdefault(message["rows"]["from"], message["message"])
        self.assertEqual(sorted(messages), [1, 2, 3, 4, 5])
        for row, text in enumerate(("Platinum", "Choose a day", "less than", "since when"), 1):
            self.assertIn(text, messages[row])
        self.assertEqual(self.env["support.contract"].search_count([]), before)

    def test_template(self):
        """The import screen knows each heading of the template by itself."""
        [template] = self.env["support.contract"].get_import_templates()
        with file_open(template["template"].lstrip("/"), "rb") as file:
            content = file.read()
        importing = self.env["base_import.import"].create(
            {"res_model": "support.contract", "file": content, "file_name": "contracts.xlsx"}
        )
        importing.file_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        preview = importing.parse_preview({"has_headers": True})
        self.assertEqual(
            [preview["matches"].get(index) for index in range(len(preview["headers"]))],
            [
                ["partner_id"],
                ["plan_id"],
                ["title"],
                ["date_start"],
                ["date_end"],
                ["opening_date"],
                ["opening_hours"],
                ["opening_incidents"],
                ["opening_amount"],
                ["client_order_ref"],
            ],
        )
