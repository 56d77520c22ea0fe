# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""The worked example (Q6-Q15) in both readings: 525.00, from the ticket to the invoice."""

from freezegun import freeze_time

from odoo.tests import tagged

from .common import HOUR, BillingCommon


class WorkedExampleCommon(BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.night = cls._make_shift("Night", [(0, 6), (22, 24)])
        cls.site_a, cls.site_b = cls.env["support.site"].create(
            [{"name": "Site A"}, {"name": "Site B"}]
        )

    @classmethod
    def _make_work(cls, number, start, hours, activity, site=None):
        """Work on the ticket of that number of the example."""
        ticket = cls.tickets.get(number) or cls._make_ticket(cls.contract, name=f"Ticket {number}")
        cls.tickets[number] = ticket
        values = {"support_site_id": site.id} if site else {}
        return cls._log_work(ticket, start, hours, activity, **values)

    def _get_warnings(self):
        messages = self.contract.message_ids
        return messages.filtered(lambda message: "is used" in (message.body or ""))

    def assertLinked(self, line):
        """From the ticket down to the invoice line and back, over nothing but links."""
        ticket, charges = line.ticket_id, line.charge_ids
        self.assertTrue(charges)
        self.assertIn(line, ticket.time_entry_ids)
        self.assertLessEqual(charges, ticket.charge_ids)
        bill = charges.bill_id
        self.assertLessEqual(charges, bill.charge_ids)
        self.assertEqual(charges.invoice_line_ids.move_id, bill.move_id)
        self.assertEqual(len(charges.invoice_line_ids), len(charges))
        # and upwards again
        self.assertIn(bill, bill.move_id.support_bill_ids)
        for invoice_line in charges.invoice_line_ids:
            charge = invoice_line.support_charge_id
            self.assertEqual(charge.time_entry_id, line)
            self.assertEqual(charge.ticket_id, ticket)
            self.assertEqual(invoice_line.price_subtotal, charge.amount)


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestFirstReading(WorkedExampleCommon):
    """5 h for phone support and on-site repair, 70.00 an hour, at night x 1.5."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls._make_plan(
            name="Gold",
            allowances=[cls._allowance(5, activities=cls.phone + cls.onsite)],
            rates=[
                cls._rate("price", 70.0),
                cls._rate("multiplier", 1.5, name="Night", shift_id=cls.night.id),
            ],
        )
        cls.contract = cls._make_contract(plan)
        cls.tickets = {}
        cls.call = cls._make_work(149, "2026-01-06 09:00", 3, cls.phone)
        cls.repair = cls._make_work(123, "2026-01-07 09:00", 3, cls.onsite, cls.site_a)
        cls.check = cls._make_work(123, "2026-01-08 09:00", 2, cls.preventive)
        cls.night_repair = cls._make_work(232, "2026-01-09 23:00", 3, cls.onsite, cls.site_b)

    def test_call_is_covered(self):
        self.assertEqual(self._get_charges(self.call), [("covered", 3, 0.0)])

    def test_one_hour_of_the_repair_is_charged(self):
        self.assertEqual(
            self._get_charges(self.repair), [("covered", 2, 0.0), ("overage", 1, 70.0)]
        )

    def test_preventive_maintenance_is_outside_the_allowance(self):
        self.assertEqual(self._get_charges(self.check), [("labour", 2, 140.0)])

    def test_night_repair_costs_half_as_much_again(self):
        self.assertEqual(self._get_charges(self.night_repair), [("overage", 3, 315.0)])
        self.assertIn("Night", self.night_repair.charge_ids.name)

    def test_night_draws_its_duration_and_not_its_price(self):
        self.assertEqual(self.contract.entitlement_ids.used, 5 * HOUR)

    def test_charges_are_525(self):
        self.assertEqual(sum(self.contract.charge_ids.mapped("amount")), 525.0)
        self.assertEqual(
            [self.tickets[number].charged_amount for number in (149, 123, 232)],
            [0.0, 210.0, 315.0],
        )

    def test_tickets_know_what_they_took_from_the_contract(self):
        tickets = [self.tickets[number] for number in (149, 123, 232)]
        self.assertEqual([ticket.consumed_hours for ticket in tickets], [3, 2, 0])
        self.assertEqual([ticket.worked_hours for ticket in tickets], [3, 5, 3])

    def test_allowance_is_used_up(self):
        self.assertEqual((self.contract.time_left, self.contract.used_percent), (0, 100))

    def test_people_are_warned_once_with_the_additional_hour(self):  # ex. C35
        warning = self._get_warnings()
        self.assertEqual(len(warning), 1)
        self.assertIn("100%", warning.body)
        self.assertIn("5:00 h of 5:00 h", warning.body)
        self.assertIn("1:00 h additional charged", warning.body)

    def test_warning_is_for_the_customer(self):
        self.assertIn(self.customer, self._get_warnings().partner_ids)
        self.assertFalse(self._get_warnings().is_internal)

    def test_warning_is_for_the_responsible(self):
        activity = self.contract.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.contract.user_id)
        self.assertIn("1:00 h additional charged", activity.note)

    def _make_bill(self):
        with freeze_time("2026-02-01 12:00:00"):
            return self._bill(self.contract, "2026-02-01")

    def test_bill_is_525(self):
        bill = self._make_bill()
        self.assertEqual(len(bill), 1)
        self.assertEqual((bill.amount_untaxed, bill.amount_work), (525.0, 525.0))
        self.assertEqual(bill.covered_hours, 5)

    def test_bill_shows_covered_work_at_nothing(self):
        shown = [(c.ticket_id, c.hours, c.amount) for c in self._make_bill().charge_ids]
        self.assertIn((self.tickets[149], 3.0, 0.0), shown)
        self.assertIn((self.tickets[123], 2.0, 0.0), shown)

    def test_invoice_is_525_untaxed(self):
        bill = self._make_bill()
        move = self._invoice(bill, post=True)
        self.assertEqual((move.amount_untaxed, move.amount_tax), (525.0, 78.75))
        self.assertEqual(
            sorted(move.invoice_line_ids.mapped("price_subtotal")), [0, 0, 70, 140, 315]
        )
        self.assertEqual((bill.state, move.state), ("invoiced", "posted"))

    def test_everything_is_linked_both_ways(self):
        self._invoice(self._make_bill())
        for line in (self.call, self.repair, self.check, self.night_repair):
            self.assertLinked(line)
        covering = self.repair.ticket_id.entitlement_entry_ids
        self.assertEqual(covering.entitlement_id, self.contract.entitlement_ids.sorted("id")[0])
        self.assertEqual(covering.time_entry_id, self.repair)

    def test_ledgers_are_proved(self):
        self._invoice(self._make_bill(), post=True)
        self.assertProved(self.contract)

    def test_order_of_recording_does_not_matter(self):
        (self.call | self.repair | self.check | self.night_repair).unlink()
        self._make_work(232, "2026-01-09 23:00", 3, self.onsite, self.site_b)
        self._make_work(123, "2026-01-08 09:00", 2, self.preventive)
        self._make_work(123, "2026-01-07 09:00", 3, self.onsite, self.site_a)
        self._make_work(149, "2026-01-06 09:00", 3, self.phone)
        self.assertEqual(
            [self.tickets[number].charged_amount for number in (149, 123, 232)],
            [0.0, 210.0, 315.0],
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-01-20 12:00:00")
class TestSecondReading(WorkedExampleCommon):
    """5 h for phone support only, 50.00 an hour, 75.00 at night."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls._make_plan(
            name="Silver",
            allowances=[cls._allowance(5, activities=cls.phone)],
            rates=[
                cls._rate("price", 50.0),
                cls._rate("price", 75.0, name="Night", shift_id=cls.night.id),
            ],
        )
        cls.contract = cls._make_contract(plan)
        cls.tickets = {}
        cls.lines = [
            cls._make_work(1, "2026-01-06 09:00", 3, cls.phone),
            cls._make_work(1, "2026-01-07 09:00", 3, cls.phone),
            cls._make_work(2, "2026-01-08 09:00", 3, cls.onsite),
            cls._make_work(2, "2026-01-08 14:00", 2, cls.preventive),
            cls._make_work(3, "2026-01-09 23:00", 3, cls.onsite),
        ]

    def test_charges_are_50_150_100_225(self):
        self.assertEqual(
            [self._get_charges(line) for line in self.lines],
            [
                [("covered", 3, 0.0)],
                [("covered", 2, 0.0), ("overage", 1, 50.0)],
                [("labour", 3, 150.0)],
                [("labour", 2, 100.0)],
                [("labour", 3, 225.0)],
            ],
        )

    def test_people_are_warned_once_with_the_additional_hour(self):
        warning = self._get_warnings()
        self.assertEqual(len(warning), 1)
        self.assertIn("1:00 h additional charged", warning.body)

    def test_bill_and_invoice_are_525(self):
        with freeze_time("2026-02-01 12:00:00"):
            bill = self._bill(self.contract, "2026-02-01")
            move = self._invoice(bill, post=True)
        self.assertEqual((bill.amount_untaxed, move.amount_untaxed), (525.0, 525.0))
        for line in self.lines:
            self.assertLinked(line)
        self.assertProved(self.contract)
