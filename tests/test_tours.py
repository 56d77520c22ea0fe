# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """The main flow as a person goes it, in a real browser."""

    def test_manager_goes_from_contract_to_posted_invoice(self):
        product = self.env["product.product"].create(
            {"name": "Tour fee", "type": "service", "list_price": 100.0}
        )
        self.env["res.partner"].create({"name": "Tour Hotel", "is_company": True})
        self.env["support.plan"].create(
            {
                "name": "Tour Plan",
                "billing_mode": "advance",
                "line_ids": [Command.create({"product_id": product.id})],
                "allowance_ids": [Command.create({"unit": "time", "quantity": 3600})],
                "rate_ids": [Command.create({"kind": "price", "price": 70.0})],
            }
        )

        self.start_tour("/odoo/support-contracts", "support_contract_to_invoice", login="admin")

        contract = self.env["support.contract"].search([("partner_id.name", "=", "Tour Hotel")])
        self.assertEqual(contract.state, "active")
        self.assertEqual(contract.ticket_ids.time_entry_ids.billable_seconds, 5400)
        self.assertEqual(contract.bill_ids.state, "invoiced")
        self.assertEqual(contract.bill_ids.move_id.state, "posted")
        self.assertEqual(contract.bill_ids.move_id.amount_untaxed, 100.0)
        overage = contract.charge_ids.filtered(lambda charge: charge.kind == "overage")
        self.assertEqual(overage.amount, 35.0)
        self.assertEqual(overage.billing_term_id.number, 1)

    def test_manager_activates_contract_validation(self):
        company = self.env.ref("base.user_admin").company_id
        items = self.env["maintenance.equipment"]
        items.search([("support_partner_id", "=", False)]).active = False
        hotel = self.env["res.partner"].create({"name": "Tour Hotel", "is_company": True})
        reception = self.env["res.partner"].create(
            {"name": "Tour Reception", "parent_id": hotel.id}
        )
        printer, server, scanner = items.create(
            [
                {"name": f"Tour {name}", "company_id": company.id}
                for name in ("Printer", "Server", "Scanner")
            ]
        )

        self.start_tour("/odoo/support-contracts", "support_activation", login="admin")

        self.assertEqual((printer + server).support_partner_id, reception)
        self.assertEqual(scanner.support_partner_id, company.partner_id)
        self.assertTrue(company.support_validation)
        self.assertEqual(company.support_expired_work, "rollover")
        self.assertEqual(company.support_no_contract_policy, "lock")

    def test_ticket_with_and_without_incidents(self):
        """One incident, two tickets; then one that is locked and opened by its own contract."""
        company = self.env.ref("base.user_admin").company_id
        teams = self.env["helpdesk.ticket.team"]
        teams.create({"name": "Tour Paid Desk", "requires_incident": True})
        teams.create({"name": "Tour Contract Desk", "support_no_contract_policy": "lock"})
        customer = self.env["res.partner"].create({"name": "Tour Bakery", "is_company": True})
        grant = self.env["support.entitlement"]._grant(
            [
                {
                    "name": "One incident",
                    "unit": "incident",
                    "amount": 1,
                    "date_from": "2020-01-01",
                    "partner_id": customer.id,
                    "company_id": company.id,
                }
            ]
        )
        product = self.env["product.product"].create(
            {"name": "Tour request", "type": "service", "list_price": 80.0}
        )
        self.env["support.plan"].create(
            {
                "name": "Tour Single Request",
                "sequence": -1,
                "coverage": "request",
                "line_ids": [Command.create({"product_id": product.id})],
            }
        )

        self.start_tour(
            "/odoo/action-helpdesk_mgmt.helpdesk_ticket_action/new",
            "support_ticket_incidents",
            login="admin",
            timeout=240,
        )

        tickets = self.env["helpdesk.ticket"].search([("partner_id", "=", customer.id)], order="id")
        self.assertEqual(tickets.mapped("name"), ["The oven is cold", "The till is stuck"])
        self.assertEqual((grant.remaining, tickets[0].consumed_incidents), (0, 1))
        contract = tickets[1].contract_id
        self.assertEqual((contract.state, contract.request_ticket_id), ("active", tickets[1]))
        self.assertEqual(contract.bill_ids.move_id.amount_untaxed, 80.0)
        self.assertFalse(tickets[1].lock_reason)

    def test_manager_terminates_contract(self):
        product = self.env["product.product"].create(
            {"name": "Tour fee", "type": "service", "list_price": 310.0}
        )
        company = self.env.ref("base.user_admin").company_id
        contracts = self.env["support.contract"].with_company(company)
        plan = self.env["support.plan"].create(
            {
                "name": "Tour Terminate Plan",
                "company_id": company.id,
                "billing_mode": "advance",
                "alignment": "calendar",
                "duration_months": 0,
                "line_ids": [Command.create({"product_id": product.id})],
            }
        )
        customer = self.env["res.partner"].create({"name": "Tour Motel", "is_company": True})
        contract = contracts.create(
            {"plan_id": plan.id, "partner_id": customer.id, "company_id": company.id}
        )
        contract.action_confirm()
        today = contract._get_today()
        # Two terms ahead, so that there is something to give back on the last day of a month, too.
        coming = max(contract.term_ids.mapped("date_start"))
        self.env["support.bill"]._generate(contract, coming)
        paid = sum(contract.bill_ids.mapped("amount_untaxed"))

        self.start_tour(
            f"/odoo/support-contracts/{contract.id}", "support_terminate", login="admin"
        )

        contract.invalidate_recordset()
        kinds = contract.change_ids.mapped("kind")
        self.assertEqual(kinds, ["terminate", "undo", "terminate"])
        self.assertEqual(contract.date_end, today)
        term = contract.term_ids.filtered(lambda term: term.number == 0)
        left = 310.0 / ((term.whole_end - term.whole_start).days + 1)
        bill = contract.termination_id.bill_ids
        self.assertAlmostEqual(paid + bill.amount_untaxed, left, places=1)

    def test_manager_renews_a_contract(self):
        today = fields.Date.today()
        product = self.env["product.product"].create(
            {"name": "Tour fee", "type": "service", "list_price": 100.0}
        )
        plan = self.env["support.plan"].create(
            {"name": "Tour Year", "line_ids": [Command.create({"product_id": product.id})]}
        )
        contract = self.env["support.contract"].create(
            {
                "title": "Tour Renewable",
                "plan_id": plan.id,
                "partner_id": self.env["res.partner"].create({"name": "Tour Hotel"}).id,
                "date_start": today - timedelta(days=300),
            }
        )
        contract.action_confirm()

        self.start_tour(
            f"/odoo/support.contract/{contract.id}", "support_renew", login="admin", timeout=120
        )

        renewal = contract.renewal_id
        self.assertEqual(renewal.state, "pending")
        self.assertEqual(renewal.date_start, contract.date_end + timedelta(days=1))
        self.assertEqual(renewal.line_ids.price_unit, 105.0)
        self.assertEqual(contract.change_ids.reason, "Agreed on the phone")

    def test_manager_carries_a_debt_to_the_next_term(self):
        company = self.env.ref("base.user_admin").company_id
        customer = self.env["res.partner"].create({"name": "Tour Debtor", "is_company": True})
        product = self.env["product.product"].create({"name": "Tour work", "type": "service"})
        plan = self.env["support.plan"].create(
            {
                "name": "Tour Plan",
                "rate_ids": [Command.create({"kind": "price", "price": 70.0})],
            }
        )
        contract = self.env["support.contract"].create(
            {"plan_id": plan.id, "partner_id": customer.id, "date_start": "2026-01-01"}
        )
        contract.action_confirm()
        common = {
            "kind": "labour",
            "contract_id": contract.id,
            "partner_id": customer.id,
            "company_id": company.id,
            "currency_id": contract.currency_id.id,
            "product_id": product.id,
            "term_id": contract.current_term_id.id,
            "billing_term_id": contract.current_term_id.id,
        }
        self.env["support.charge"].create(
            [
                common | {"name": "Tour visit", "price_unit": 140.0, "amount": 140.0},
                common | {"name": "Tour night repair", "price_unit": 210.0, "amount": 210.0},
            ]
        )
        bill = self.env["support.bill"]._generate(contract, contract.current_term_id.billing_date)
        bill = bill.filtered("charge_ids")

        self.start_tour("/odoo/support-bills", "support_carry_debt", login="admin")

        self.assertEqual(bill.amount_untaxed, 140.0)
        self.assertEqual(contract.transfer_ids.amount, 210.0)
        self.assertEqual(contract.change_ids[:1].reason, "Unexpected incidents")

    def _make_prepaid(self, **vals):
        """A contract at 100.00 a month, paid in advance, and its page."""
        product = self.env["product.product"].create(
            {"name": "Tour fee", "type": "service", "list_price": 100.0}
        )
        plan = self.env["support.plan"].create(
            {
                "name": "Tour Prepaid",
                "billing_mode": "advance",
                "line_ids": [Command.create({"product_id": product.id, "name": "Tour fee"})],
                "kind_id": self.env["support.plan.kind"].create({"name": "Tour kind"}).id,
            }
            | vals
        )
        contract = self.env["support.contract"].create(
            {
                "title": "Tour Prepaid",
                "plan_id": plan.id,
                "partner_id": self.env["res.partner"].create({"name": "Tour Head Office"}).id,
            }
        )
        contract.action_confirm()
        self.env.cr.precommit.run()  # its first version
        return contract, f"/odoo/support.contract/{contract.id}"

    def test_manager_clones_a_contract_for_two_customers(self):
        contract, page = self._make_prepaid()
        names = ("Tour Branch North", "Tour Branch South")
        branches = self.env["res.partner"].create([{"name": name} for name in names])

        self.start_tour(page, "support_clone", login="admin")

        clones = self.env["support.contract"].search([("partner_id", "in", branches.ids)])
        self.assertEqual(clones.mapped("state"), ["active", "active"])
        self.assertEqual(clones.line_ids.mapped("price_unit"), [100.0, 100.0])
        self.assertEqual(contract.change_ids.reason, "Same service for the branches")
        self.assertEqual(len(clones.change_ids), 2)

    def test_manager_tops_up_and_takes_it_back(self):
        contract, page = self._make_prepaid(bill_approval="manager")
        self.env["support.top.up.plan"].create(
            {
                "name": "Tour Hours",
                "price": 500.0,
                "hours": 10,
                "plan_ids": [Command.link(contract.plan_id.id)],
            }
        )

        self.start_tour(page, "support_top_up", login="admin", timeout=120)

        grant = contract.entitlement_ids
        self.assertEqual((grant.origin, grant.quantity, grant.remaining), ("top_up", 0, 0))
        self.assertEqual(
            contract.change_ids.mapped("reason"),
            ["The wrong contract", "Asked for on the phone"],
        )
        self.assertTrue(grant.charge_id.cancelled)

    def test_manager_looks_up_what_was_agreed_before(self):
        contract, page = self._make_prepaid()

        self.start_tour(page, "support_versions", login="admin")

        self.assertEqual(contract.version_ids.mapped("number"), [2, 1])
        self.assertEqual(contract.line_ids.price_unit, 120.0)
