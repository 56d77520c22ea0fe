# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Bill rules: tickets that meet criteria cost something else (C39)."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user

from .common import BillingCommon


@freeze_time("2026-01-20 12:00:00")
class TestBillRules(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Network", "company_id": cls.company.id}
        )
        cls.network, cls.printers = cls.env["helpdesk.ticket.category"].create(
            [{"name": "Network"}, {"name": "Printers"}]
        )
        cls.urgent = cls.env["helpdesk.ticket.tag"].create({"name": "Urgent"})
        cls.plan = cls._make_plan(
            hours=2, rates=[cls._rate("price", 70.0)], warning_thresholds=False
        )
        cls.contract = cls._make_contract(cls.plan)

    # === HELPERS === #

    @classmethod
    def _is(cls, fact, records, operator="is"):
        """A command that makes a criterion: the field is one of the records."""
        name = {"item": "equipment_ids", "category": "category_ids"}.get(fact, f"{fact}_ids")
        return Command.create(
            {"fact": fact, "operator": operator, name: [Command.set(records.ids)]}
        )

    @classmethod
    def _has_priority(cls, priority, operator="is"):
        return Command.create({"fact": "priority", "operator": operator, "priority": priority})

    def _make_rule(self, *criteria, owner=None, **vals):
        """A rule of the contract, unless told otherwise: network tickets at 120.00 each."""
        owner = owner if owner is not None else self.contract
        field = "plan_id" if owner._name == "support.plan" else "contract_id"
        rule = self.env["support.bill.rule"].create(
            {
                "name": "Emergency",
                field: owner.id,
                "amount": 120.0,
                "criterion_ids": list(criteria) or [self._is("category", self.network)],
            }
            | vals
        )
        self._settle()
        return rule

    def _settle(self):
        """What happens before a transaction ends."""
        self.cr.precommit.run()

    def _make_network_ticket(self, contract=None, **vals):
        return self._make_ticket(contract or self.contract, category_id=self.network.id, **vals)

    def _get_fixed(self, tickets):
        """Fixed prices of tickets that count: [(amount, rule)]."""
        charges = tickets.charge_ids.filtered(lambda c: c.kind == "rule" and not c.cancelled)
        return [(charge.amount, charge.bill_rule_id) for charge in charges]

    # === FIXED PRICE === #

    def test_fixed_price_once(self):
        """It comes whether or not the work is covered; what exceeds is charged on top."""
        rule = self._make_rule()
        ticket, other = self._make_network_ticket(), self._make_ticket(self.contract)
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        self.assertFalse(self._get_fixed(other))
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        self.assertEqual(self._get_charges(line), [("covered", 2.0, 0.0), ("overage", 1.0, 70.0)])
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        charge = ticket.charge_ids.filtered(lambda charge: charge.kind == "rule")
        self.assertIn("Emergency", charge.name)
        bills = self._bill(self.contract, "2026-02-01")
        self.assertEqual(charge.bill_id, bills)
        move = self._invoice(bills, post=True)
        self.assertEqual(move.amount_untaxed, 190.0)
        self.assertProved(self.contract)

    def test_fixed_price_instead_of_the_time(self):
        rule = self._make_rule(instead_of_time=True)
        ticket = self._make_network_ticket()
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        self.assertEqual(self._get_charges(line), [("covered", 2.0, 0.0), ("overage", 1.0, 0.0)])
        self.assertEqual(line.charge_ids.filtered(lambda c: c.kind == "overage").bill_rule_id, rule)
        self.assertEqual(sum(ticket.charge_ids.mapped("amount")), 120.0)
        other = self._log_work(self._make_ticket(self.contract), "2026-01-07 09:00", 1)
        self.assertEqual(self._get_charges(other), [("overage", 1.0, 70.0)])
        move = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        self.assertEqual(move.amount_untaxed, 190.0)
        self.assertProved(self.contract)

    def test_ticket_that_comes_to_meet_it(self):
        rule = self._make_rule(instead_of_time=True)
        ticket = self._make_ticket(self.contract)
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        ticket.category_id = self.network
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 0.0))
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        ticket.category_id = self.printers
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 70.0))
        self.assertFalse(self._get_fixed(ticket))
        self.assertProved(self.contract)

    def test_ticket_that_moves_to_another_contract(self):
        self._make_rule()
        other = self._make_contract(
            self._make_plan(rates=[self._rate("price", 50.0)], warning_thresholds=False)
        )
        ticket = self._make_network_ticket()
        ticket.contract_id = other
        self.assertFalse(self._get_fixed(ticket))
        ticket.contract_id = self.contract
        self.assertEqual(len(self._get_fixed(ticket)), 1)

    def test_cancelled_ticket_costs_nothing(self):
        self._make_rule()
        ticket = self._make_network_ticket()
        ticket.stage_id = self.env["helpdesk.ticket.stage"].search(
            [("returns_incident", "=", True)], limit=1
        )
        self.assertFalse(self._get_fixed(ticket))

    def test_waived_ticket_costs_nothing(self):  # Q34
        self._make_rule()
        ticket = self._make_network_ticket()
        self.assertTrue(self._get_fixed(ticket))
        ticket.billing_type = "waived"
        self.assertFalse(self._get_fixed(ticket))
        ticket.billing_type = "contract"
        self.assertTrue(self._get_fixed(ticket))

    def test_ticket_of_a_contract_that_has_not_begun(self):
        contract = self._make_contract(self.plan, "2026-02-01", partner=self._make_customer("B"))
        rule = self._make_rule(owner=self.plan)
        ticket = self._make_network_ticket(contract, opened="2026-01-20 09:00:00")
        self.assertFalse(self._get_fixed(ticket))
        with freeze_time("2026-02-01 12:00:00"):
            self._roll(contract)
            self._settle()
        self.assertEqual(contract.state, "active")
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        self.assertEqual(str(ticket.charge_ids.date), "2026-02-01")

    def test_ticket_with_a_price_is_deleted(self):
        self._make_rule()
        ticket = self._make_network_ticket()
        charge = ticket.charge_ids
        ticket.unlink()
        self.assertFalse(charge.exists())

    # === RATES OF ITS OWN === #

    def test_rates_of_its_own(self):
        """The rule's rates replace those of the contract, by shift, for what exceeds."""
        night = self._make_shift("Night", [(0, 6), (22, 24)])
        rule = self._make_rule(
            cost="differential",
            rate_ids=[
                self._rate("price", 100.0),
                self._rate("multiplier", 2.0, shift_id=night.id, name="Night"),
            ],
        )
        ticket = self._make_network_ticket()
        line = self._log_work(ticket, "2026-01-06 19:00", 5)
        self.assertEqual(
            self._get_charges(line),
            [("covered", 2.0, 0.0), ("overage", 1.0, 100.0), ("overage", 2.0, 400.0)],
        )
        dear = line.charge_ids.sorted("sequence")[-1]
        self.assertEqual(dear.bill_rule_id, rule)
        self.assertIn("Phone support – Emergency – Night", dear.name)
        self.assertFalse(self._get_fixed(ticket))
        move = self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        self.assertEqual(move.amount_untaxed, 500.0)
        self.assertProved(self.contract)

    def test_without_a_rate_that_fits_the_price_of_the_product(self):
        self._make_rule(
            cost="differential",
            rate_ids=[self._rate("price", 100.0, activity_type_id=self.onsite.id)],
        )
        self.phone.product_id.lst_price = 33.0
        line = self._log_work(self._make_network_ticket(), "2026-01-06 09:00", 3)
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 33.0))

    # === WHICH RULE === #

    def test_first_rule_counts(self):
        second = self._make_rule(sequence=2, amount=50.0)
        first = self._make_rule(self._is("team", self.other_team), sequence=1, amount=80.0)
        ticket = self._make_network_ticket(team_id=self.other_team.id)
        self.assertEqual(self._get_fixed(ticket), [(80.0, first)])
        first.sequence = 3
        self._settle()
        self.assertEqual(self._get_fixed(ticket), [(50.0, second)])

    def test_rules_of_the_contract_go_first(self):
        self._make_rule(owner=self.plan, sequence=1, amount=50.0)
        own = self._make_rule(sequence=9, amount=80.0)
        self.assertEqual(self._get_fixed(self._make_network_ticket()), [(80.0, own)])

    def test_all_or_any(self):
        criteria = [self._is("category", self.network), self._is("tag", self.urgent)]
        rule = self._make_rule(*criteria)
        tickets = self._make_network_ticket() | self._make_network_ticket(
            tag_ids=[Command.set(self.urgent.ids)]
        )
        self.assertEqual([len(self._get_fixed(ticket)) for ticket in tickets], [0, 1])
        rule.match = "any"
        self._settle()
        self.assertEqual([len(self._get_fixed(ticket)) for ticket in tickets], [1, 1])

    def test_every_criterion(self):
        channel = self.env["helpdesk.ticket.channel"].create({"name": "Phone"})
        item = self.env["maintenance.equipment"].create(
            {
                "name": "Router",
                "support_partner_id": self.customer.id,
                "company_id": self.company.id,
            }
        )
        for criterion, meets, fails in (
            (self._is("team", self.other_team), {"team_id": self.other_team.id}, {}),
            (self._is("category", self.network), {"category_id": self.network.id}, {}),
            (self._is("channel", channel), {"channel_id": channel.id}, {}),
            (self._is("item", item), {"equipment_id": item.id}, {}),
            (self._is("tag", self.urgent), {"tag_ids": [Command.set(self.urgent.ids)]}, {}),
            (self._has_priority("3"), {"priority": "3"}, {"priority": "2"}),
            (self._has_priority("2", "at_least"), {"priority": "3"}, {"priority": "1"}),
            (self._has_priority("2", "is_not"), {"priority": "3"}, {"priority": "2"}),
            (self._is("category", self.network, "is_not"), {}, {"category_id": self.network.id}),
        ):
            rule = self._make_rule(criterion)
            with self.subTest(rule.criteria_label):
                self.assertTrue(self._get_fixed(self._make_ticket(self.contract, **meets)))
                ticket = self._make_ticket(self.contract, **fails)
                self.assertFalse(self._get_fixed(ticket))
                ticket.write(meets or {"category_id": False})
                self.assertTrue(self._get_fixed(ticket))
            rule.active = False
            self._settle()

    # === WHEN RULES CHANGE === #

    def test_changed_rule_prices_unbilled_work_anew(self):
        rule = self._make_rule(cost="differential", rate_ids=[self._rate("price", 100.0)])
        ticket = self._make_network_ticket()
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        rule.rate_ids.price = 90.0
        self._settle()
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 90.0))
        rule.criterion_ids.category_ids = self.printers
        self._settle()
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 70.0))
        rule.criterion_ids.category_ids = self.network
        rule.write({"cost": "fixed", "instead_of_time": True})
        self._settle()
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 0.0))
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        rule.active = False
        self._settle()
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 70.0))
        self.assertFalse(self._get_fixed(ticket))
        self.assertProved(self.contract)

    def test_invoiced_work_stays(self):
        rule = self._make_rule(instead_of_time=True)
        ticket = self._make_network_ticket()
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        rule.write({"amount": 300.0, "instead_of_time": False})
        self._settle()
        ticket.category_id = self.printers
        ticket.category_id = self.network
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 0.0))
        self.assertProved(self.contract)

    def test_bill_that_waits_is_looked_at_again(self):
        self.contract.bill_approval = "manager"
        rule = self._make_rule()
        self._make_network_ticket()
        bill = self._bill(self.contract, "2026-02-01")
        bill.action_submit()
        rule.amount = 130.0
        self._settle()
        self.assertEqual((bill.state, bill.amount_untaxed), ("draft", 130.0))
        self.assertProved(self.contract)

    def test_rule_reaches_back_to_no_billed_term(self):
        """A new rule, or a ticket sorted anew, makes no charge of what was settled."""
        ticket = self._make_network_ticket()
        sorted_anew = self._make_ticket(self.contract)
        self._invoice(self._bill(self.contract, "2026-02-01"), post=True)
        rule = self._make_rule()
        sorted_anew.category_id = self.network
        self.assertFalse(self._get_fixed(ticket | sorted_anew))
        recorded_late = self._make_network_ticket(opened="2026-01-06 09:00:00")
        self.assertEqual(self._get_fixed(recorded_late), [(120.0, rule)])
        rule.amount = 130.0  # it waits for the next bill, and is priced anew
        self._settle()
        self.assertEqual(self._get_fixed(recorded_late), [(130.0, rule)])
        self.assertFalse(self._get_fixed(ticket | sorted_anew))

    def test_version_of_a_bill_by_the_rules_of_now(self):
        """A posted bill is regenerated: the new version prices its tickets by the rules of now."""
        rule = self._make_rule(instead_of_time=True)
        ticket = self._make_network_ticket()
        self._log_work(ticket, "2026-01-06 09:00", 3)
        other = self._make_ticket(self.contract, category_id=self.printers.id)
        self._log_work(other, "2026-01-07 09:00", 1)
        bill = self._bill(self.contract, "2026-02-01")
        self._invoice(bill, post=True)
        self.assertEqual(bill.amount_untaxed, 190.0)
        rule.write({"amount": 150.0})
        rule.criterion_ids.category_ids += self.printers
        self._settle()
        self.assertEqual(bill.amount_untaxed, 190.0)
        version = self._regenerate(bill)
        self.assertEqual(version.amount_proposed, 300.0)  # twice 150.00, and no time
        version.action_make_main()
        self.assertEqual(version.amount_untaxed, 300.0)
        self.assertEqual((bill.state, version.move_id.amount_untaxed), ("credited", 300.0))
        self.assertProved(self.contract)

    def _regenerate(self, bill):
        action = bill.action_regenerate()
        return self.env["support.bill"].browse(action["res_id"])

    def test_screen(self):
        """A rule with its criteria and rates, entered on the plan."""
        with Form(self.plan) as form, form.bill_rule_ids.new() as rule:
            rule.name = "Emergency"
            rule.amount = 120.0
            with rule.criterion_ids.new() as criterion:
                criterion.fact = "category"
                criterion.category_ids.add(self.network)
            with rule.criterion_ids.new() as criterion:
                criterion.fact = "priority"
                criterion.operator = "at_least"
                criterion.priority = "2"
        rule = self.plan.bill_rule_ids
        self.assertEqual(
            rule.criteria_label, "Category is one of Network and Priority is at least High"
        )
        self.assertIn("120.00", rule.cost_label)
        with Form(rule) as form:
            form.cost = "differential"
            with form.rate_ids.new() as rate:
                rate.price = 100.0
        self.assertEqual(rule.cost_label, "1 rates of its own")
        self._settle()
        ticket = self._make_network_ticket(priority="3")
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 100.0))

    def test_new_rule_refuses_no_work(self):
        """Work that a policy has let through stays, whatever it is rated by afterwards."""
        contract = self._make_contract(
            self._make_plan(
                hours=2,
                overage_policy="block",
                rates=[self._rate("price", 70.0)],
                warning_thresholds=False,
            ),
            partner=self._make_customer("B"),
        )
        line = self._log_work(self._make_network_ticket(contract), "2026-01-06 09:00", 2)
        self._make_rule(
            owner=contract,
            cost="differential",
            rate_ids=[self._rate("price", 10.0, has_unit_factor=True, unit_factor=2.0)],
        )
        self.assertEqual(self._get_charges(line), [("covered", 1.0, 0.0), ("overage", 1.0, 10.0)])
        self.assertProved(contract)

    def test_one_result_whatever_came_first(self):
        """Rule, category and work in any order come to the same."""
        results = set()
        steps = ("rule", "category", "work")
        for order in (
            steps,
            steps[::-1],
            ("work", "rule", "category"),
            ("category", "work", "rule"),
        ):
            contract = self._make_contract(self.plan, partner=self._make_customer(f"C{order}"))
            ticket = self._make_ticket(contract)
            for step in order:
                if step == "rule":
                    self._make_rule(owner=contract, instead_of_time=True)
                elif step == "category":
                    ticket.category_id = self.network
                else:
                    self._log_work(ticket, "2026-01-06 09:00", 3)
            self._settle()
            charges = ticket.charge_ids.sorted(lambda charge: (charge.kind, charge.sequence))
            results.add(tuple((c.kind, c.hours, c.amount, str(c.date)) for c in charges))
            self.assertProved(contract)
        self.assertEqual(
            results,
            {
                (
                    ("covered", 2.0, 0.0, "2026-01-06"),
                    ("overage", 1.0, 0.0, "2026-01-06"),
                    ("rule", 0.0, 120.0, "2026-01-05"),
                )
            },
        )

    # === COPYING, KEEPING, ACCESS === #

    def test_copied(self):
        rule = self._make_rule(
            cost="differential", rate_ids=[self._rate("price", 100.0)], owner=self.plan
        )
        copy = rule.copy()
        self.assertEqual(copy.criterion_ids.category_ids, self.network)
        self.assertEqual(copy.rate_ids.price, 100.0)
        plan = self.plan.copy()
        self.assertEqual(len(plan.bill_rule_ids), 2)
        self.assertEqual(plan.bill_rule_ids.criterion_ids.category_ids, self.network)
        self.assertNotIn(rule.rate_ids, plan.rate_ids)

    def test_used_rule_is_archived_instead(self):
        rule, unused = self._make_rule(), self._make_rule(self._has_priority("3"))
        self._make_network_ticket()
        with self.assertRaisesRegex(UserError, "archive it"):
            rule.unlink()
        unused.unlink()
        covering = self._make_rule(self._is("category", self.printers), cost="differential")
        ticket = self._make_ticket(self.contract, category_id=self.printers.id)
        self._log_work(ticket, "2026-01-06 09:00", 1)  # covered: no charge names the rule
        with self.assertRaisesRegex(UserError, "archive it"):
            covering.unlink()

    def test_bad_rules(self):
        with self.assertRaisesRegex(ValidationError, "has no values"):
            self._make_rule(Command.create({"fact": "team"}))
        with self.assertRaisesRegex(ValidationError, "priorities only"):
            self._make_rule(self._is("category", self.network, "at_least"))
        with self.assertRaisesRegex(ValidationError, "choose as what it is billed"):
            self._make_rule(product_id=False)
        with self.assertRaisesRegex(ValidationError, "one plan or to one contract"):
            self._make_rule(plan_id=self.plan.id)
        rule = self._make_rule(cost="differential", rate_ids=[self._rate("price", 1.0)])
        with self.assertRaisesRegex(ValidationError, "of a bill rule"):
            rule.rate_ids.plan_id = self.plan

    def test_rule_without_criteria_applies_to_nothing(self):  # ex. E47
        rule = self._make_rule()
        rule.criterion_ids.unlink()
        self._settle()
        self.assertFalse(self._get_fixed(self._make_network_ticket()))

    def test_staff_change_tickets_and_see_no_prices(self):
        rule = self._make_rule(instead_of_time=True)
        staff = new_test_user(
            self.env,
            "rule_staff",
            "support_contract.group_support_user,helpdesk_mgmt.group_helpdesk_user",
        )
        ticket = self._make_ticket(self.contract)
        line = self._log_work(ticket, "2026-01-06 09:00", 3)
        ticket.with_user(staff).category_id = self.network
        self.assertEqual(self._get_fixed(ticket), [(120.0, rule)])
        self.assertEqual(self._get_charges(line)[-1], ("overage", 1.0, 0.0))
        with self.assertRaises(AccessError):
            rule.with_user(staff).read(["amount"])
        with self.assertRaises(AccessError):
            self.plan.with_user(staff).read(["bill_rule_ids"])
