# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Support packs on sales orders: what they grant, for which months, and who may sell them."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, new_test_user, tagged

from .common import HOUR, BillingCommon


class PackMixin:
    """Packs, orders of them and what they granted; on top of a company with accounts."""

    @classmethod
    def _set_up_packs(cls, grant_on="confirmed"):
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.env.user.group_ids += cls.env.ref("project.group_project_user")
        cls.company.support_pack_grant_on = grant_on
        cls.lifetime = cls._make_pack("Ten incidents", 100.0, "lifetime", 10)
        cls.monthly = cls._make_pack("Ten a month", 90.0, "recurring", 10, months=3)
        cls.hours = cls._make_pack("Five hours", 300.0, "lifetime", hours=5)
        cls.incident_team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Paid support", "company_id": cls.company.id, "requires_incident": True}
        )

    @classmethod
    def _make_pack(cls, name, price, kind, incidents=0, hours=0, months=1, **vals):
        return cls._make_product(
            name,
            price,
            taxes_id=[Command.clear()],
            support_pack=kind,
            support_unit="time" if hours else "incident",
            support_incidents=incidents,
            support_hours=hours,
            support_months=months,
            **vals,
        )

    @classmethod
    def _make_order(cls, *products, partner=None, quantity=1, confirm=True, **vals):
        """An order with a line of each product."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.customer).id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": quantity} | vals)
                    for product in products
                ],
            }
        )
        if confirm:
            cls._confirm(order)
        return order

    @classmethod
    def _confirm(cls, orders):
        orders.action_confirm()
        cls._commit()

    @classmethod
    def _commit(cls):
        """What is noted is done when a transaction ends."""
        cls.env.cr.flush()

    def _get_grants(self, records):
        lines = records.order_line if records._name == "sale.order" else records
        return self.env["support.entitlement"].search(
            [("sale_line_id", "in", lines.ids)], order="date_from, id"
        )

    def _get_windows(self, records):
        """What was granted as (first day, last day, units, units left)."""
        return [
            (
                str(grant.date_from),
                str(grant.date_to) if grant.date_to else None,
                grant.quantity,
                grant.remaining,
            )
            for grant in self._get_grants(records)
        ]

    def _take_incidents(self, count, opened=None):
        """Tickets that take an incident each."""
        return self.env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Ticket {index}",
                    "description": "?",
                    "partner_id": self.customer.id,
                    "team_id": self.incident_team.id,
                }
                | ({"opened_at": opened} if opened else {})
                for index in range(count)
            ]
        )

    def _get_usable(self, day):
        """Incidents that can be used on a day."""
        grants = self.env["support.entitlement"].search(
            [("partner_id", "=", self.customer.id), ("unit", "=", "incident")]
        )
        day = Date.to_date(day)
        return sum(grants.filtered(lambda grant: grant._is_valid_on(day)).mapped("remaining"))

    def _get_notes(self, record):
        return "\n".join(record.message_ids.sorted("id").mapped("body"))


@tagged("post_install", "-at_install")
@freeze_time("2026-04-11 12:00:00")
class TestPacks(PackMixin, BillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_packs()

    # === WHAT IS GRANTED === #

    def test_lifetime_pack_grants_per_unit_ordered(self):  # B20, T16
        order = self._make_order(self.lifetime, quantity=3)
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 30, 30)])
        self.assertRecordValues(
            self._get_grants(order),
            [
                {
                    "origin": "sale",
                    "unit": "incident",
                    "partner_id": self.customer.id,
                    "contract_id": False,
                    "sale_line_id": order.order_line.id,
                    "reason": order.name,
                }
            ],
        )
        self.assertIn("30 incidents granted from 04/11/2026, for life", self._get_notes(order))

    def test_three_months_of_ten(self):  # ex. A25, B21
        order = self._make_order(self.monthly)
        self.assertEqual(
            self._get_windows(order),
            [
                ("2026-04-11", "2026-05-10", 10, 10),
                ("2026-05-11", "2026-06-10", 10, 10),
                ("2026-06-11", "2026-07-10", 10, 10),
            ],
        )
        for day in ("2026-04-11", "2026-05-10", "2026-05-11", "2026-06-10", "2026-07-10"):
            self.assertEqual(self._get_usable(day), 10, day)
        for day in ("2026-04-10", "2026-07-11"):
            self.assertEqual(self._get_usable(day), 0, day)
        self.assertIn(
            "10 incidents granted in each of 3 months, 04/11/2026 to 07/10/2026",
            self._get_notes(order),
        )

    def test_never_thirty_at_once(self):  # ex. A25
        self._make_order(self.monthly)
        self._take_incidents(10)
        with self.assertRaisesRegex(UserError, "has none left"), self.cr.savepoint():
            self._take_incidents(1)

    def test_month_ends_clamp_from_the_first_day(self):  # B62
        order = self._make_order(self.monthly, support_date_start="2026-01-31", confirm=False)
        with freeze_time("2026-01-31 12:00:00"):
            self._confirm(order)
        self.assertEqual(
            [window[:2] for window in self._get_windows(order)],
            [
                ("2026-01-31", "2026-02-27"),
                ("2026-02-28", "2026-03-30"),
                ("2026-03-31", "2026-04-29"),
            ],
        )

    def test_time_is_granted_in_seconds(self):  # T16
        order = self._make_order(self.hours, quantity=2)
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 10 * HOUR, 10 * HOUR)])
        work = self._log_work(self._make_ticket(self._make_contract()), "2026-04-11 13:00", 1)
        self.assertEqual(list(self._get_drawn(work).values()), [HOUR])
        self.assertEqual(self._get_hours_left(self._get_grants(order)), [9])

    def test_two_hundred_hour_pack(self):  # T16
        order = self._make_order(self._make_pack("200 h", 9000.0, "lifetime", hours=200))
        work = self._log_work(self._make_ticket(self._make_contract()), "2026-04-11 13:00", 1)
        self.assertTrue(self._get_drawn(work))
        self.assertEqual(self._get_hours_left(self._get_grants(order)), [199])

    def test_quantities_in_other_units_of_measure(self):  # T16
        dozen = self.env.ref("uom.product_uom_dozen")
        single = self._make_pack("One incident", 12.0, "lifetime", 1)
        order = self._make_order(single, quantity=2, product_uom_id=dozen.id)
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 24, 24)])

    def test_day_is_that_of_the_customer(self):
        self.customer.tz = "Pacific/Auckland"
        with freeze_time("2026-04-11 20:00:00"):
            order = self._make_order(self.monthly)
        self.assertEqual(self._get_windows(order)[0][:2], ("2026-04-12", "2026-05-11"))

    def test_units_belong_to_the_company_of_the_contact(self):
        contact = self.env["res.partner"].create({"name": "Ida", "parent_id": self.customer.id})
        order = self._make_order(self.lifetime, partner=contact)
        self.assertEqual(self._get_grants(order).partner_id, self.customer)

    def test_ordinary_products_grant_nothing(self):
        order = self._make_order(self.fee_product, self.lifetime)
        self.assertEqual(self._get_grants(order).sale_line_id, order.order_line[1])
        self.assertFalse(order.order_line[0].support_pack)

    def test_quotation_grants_nothing(self):
        order = self._make_order(self.lifetime, confirm=False)
        self._commit()
        self.assertFalse(self._get_grants(order))

    def test_line_added_to_a_confirmed_order(self):
        order = self._make_order(self.fee_product)
        order.order_line = [Command.create({"product_id": self.lifetime.id})]
        self._commit()
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 10, 10)])

    def test_units_lapse_at_the_end_of_their_month(self):
        order = self._make_order(self.monthly)
        self._take_incidents(4)
        with freeze_time("2026-05-12 12:00:00"):
            ended = self.env["support.entitlement"].sudo()._mark_ended([])
            self.env["support.consumption"]._reallocate(ended._get_pool_starts())
        grants = self._get_grants(order)
        self.assertEqual(grants.mapped("lapsed"), [6, 0, 0])
        self.assertEqual(grants.mapped("remaining"), [0, 10, 10])

    # === ONCE === #

    def test_synchronising_again_grants_nothing(self):
        order = self._make_order(self.monthly, self.lifetime)
        before = self._get_windows(order)
        self.env["support.pack"]._sync(order.order_line)
        order.order_line.sudo().support_units_synced = 0  # as if a parallel transaction had granted
        self.env["support.pack"]._sync(order.order_line)
        self.assertEqual(self._get_windows(order), before)

    def test_confirming_twice_is_refused_and_grants_once(self):
        order = self._make_order(self.lifetime)
        with self.assertRaises(UserError):
            order.action_confirm()
        order.write({"state": "sale"})
        self._commit()
        self.assertEqual(len(self._get_grants(order)), 1)

    # === BUYING MORE === #

    def test_buying_more_adds_to_the_current_and_each_remaining_month(self):  # B30, B65
        order = self._make_order(self.monthly)
        self._take_incidents(3)
        with freeze_time("2026-05-20 12:00:00"):
            order.order_line.product_uom_qty = 2
            self._commit()
        self.assertEqual(
            self._get_windows(order),
            [
                ("2026-04-11", "2026-05-10", 10, 7),
                ("2026-05-11", "2026-06-10", 10, 10),
                ("2026-05-11", "2026-06-10", 10, 10),
                ("2026-06-11", "2026-07-10", 10, 10),
                ("2026-06-11", "2026-07-10", 10, 10),
            ],
        )

    def test_new_line_adds_to_a_running_pack(self):  # B30, B65
        running = self._make_order(self.monthly).order_line
        more = self._make_pack("Five a month", 50.0, "recurring", 5, months=1)
        with freeze_time("2026-05-20 12:00:00"):
            order = self._make_order(more, quantity=2, support_extends_id=running.id)
        self.assertEqual(
            self._get_windows(order),
            [("2026-05-11", "2026-06-10", 10, 10), ("2026-06-11", "2026-07-10", 10, 10)],
        )
        self.assertEqual(self._get_usable("2026-06-11"), 20)
        self.assertEqual(len(self._get_grants(running)), 3)

    def test_new_pack_leaves_old_work_where_it_was(self):  # T17
        contract = self._make_contract(start="2026-04-01")
        eight = self._make_pack("Eight hours", 400.0, "lifetime", hours=8)
        first = self._get_grants(self._make_order(eight))
        work = self._log_work(self._make_ticket(contract), "2026-04-11 13:00", 6)
        with freeze_time("2026-04-12 12:00:00"):
            second = self._get_grants(self._make_order(eight))
        self.assertEqual(self._get_drawn(work), {first: 6 * HOUR})
        self.assertEqual(self._get_hours_left(first + second), [2, 8])
        work.unit_amount = 7
        self.assertEqual(self._get_drawn(work), {first: 7 * HOUR})
        self.assertProved(contract)

    def test_pack_serves_no_work_recorded_before_it(self):  # T17
        contract = self._make_contract(start="2026-04-01")
        work = self._log_work(self._make_ticket(contract), "2026-04-11 08:00", 2)
        with freeze_time("2026-04-11 13:00:00"):
            self._make_order(self.hours)
        work.unit_amount = 3
        self.assertFalse(self._get_drawn(work))
        self.assertProved(contract)

    # === RENEWING === #

    def test_renewal_follows_the_running_pack(self):  # B22, B31
        first = self._make_order(self.monthly)
        with freeze_time("2026-06-20 12:00:00"):
            renewal = self._make_order(self.monthly, confirm=False)
            self.assertEqual(
                renewal.order_line.support_begins, "07/11/2026, after the running pack"
            )
            self._confirm(renewal)
            self.assertEqual(renewal.order_line.support_begins, "07/11/2026")
        self.assertEqual(self._get_windows(first)[-1][1], "2026-07-10")
        self.assertEqual(self._get_windows(renewal)[0][:2], ("2026-07-11", "2026-08-10"))

    def test_renewal_after_the_end_begins_at_once(self):
        self._make_order(self.monthly)
        with freeze_time("2026-08-01 12:00:00"):
            renewal = self._make_order(self.monthly)
        self.assertEqual(self._get_windows(renewal)[0][:2], ("2026-08-01", "2026-08-31"))

    def test_chosen_first_day_wins(self):
        self._make_order(self.monthly)
        parallel = self._make_order(self.monthly, support_date_start="2026-04-11")
        self.assertEqual(self._get_windows(parallel)[0][0], "2026-04-11")
        coming = self._make_order(self.lifetime, support_date_start="2026-09-01")
        self.assertEqual(self._get_windows(coming), [("2026-09-01", None, 10, 10)])

    def test_other_customer_or_product_is_no_renewal(self):
        self._make_order(self.monthly)
        stranger = self._make_order(self.monthly, partner=self._make_customer("Else Ltd"))
        other = self._make_order(self._make_pack("Other", 9.0, "recurring", 1, months=2))
        for order in (stranger, other):
            self.assertEqual(self._get_windows(order)[0][0], "2026-04-11")

    def test_lifetime_units_stay_beside_recurring_ones(self):  # B22, B35
        lifetime = self._make_order(self.lifetime)
        monthly = self._make_order(self.monthly)
        self._take_incidents(12)
        self.assertEqual([w[3] for w in self._get_windows(monthly)], [0, 10, 10])
        self.assertEqual([w[3] for w in self._get_windows(lifetime)], [8])

    # === WHAT WAS SOLD STAYS AS IT WAS SOLD === #

    def test_changed_product_changes_quotations_only(self):
        sold = self._make_order(self.monthly)
        quoted = self._make_order(self.monthly, confirm=False)
        self.monthly.write({"support_incidents": 7, "support_months": 2})
        self.assertEqual(quoted.order_line.support_pack_units, 7)
        with freeze_time("2026-05-20 12:00:00"):
            sold.order_line.product_uom_qty = 2
            self._commit()
        self.assertEqual([w[2] for w in self._get_windows(sold)], [10] * 5)
        self.assertEqual(sold.order_line.support_pack_units, 10)
        self._confirm(quoted)
        self.assertEqual([w[2] for w in self._get_windows(quoted)], [7, 7])

    def test_product_that_is_no_pack_any_more(self):
        sold = self._make_order(self.lifetime)
        self.lifetime.support_pack = False
        sold.order_line.product_uom_qty = 2
        self._commit()
        self.assertEqual([w[2] for w in self._get_windows(sold)], [10, 10])

    def test_product_that_becomes_a_pack_grants_nothing_for_what_was_sold(self):
        order = self._make_order(self.fee_product)
        self.fee_product.write({"support_pack": "lifetime", "support_incidents": 5})
        order.order_line.product_uom_qty = 2
        self._commit()
        self.assertFalse(self._get_grants(order))

    def test_product_of_a_granted_line_cannot_change(self):
        order = self._make_order(self.lifetime)
        for vals in (
            {"product_id": self.monthly.id},
            {"support_date_start": "2026-05-01"},
        ):
            with self.assertRaisesRegex(ValidationError, "has granted units already"):
                order.order_line.write(vals)
        order.order_line.write({"product_id": self.lifetime.id, "support_date_start": False})

    def test_customer_of_a_granted_order_cannot_change(self):
        order = self._make_order(self.lifetime)
        contact = self.env["res.partner"].create({"name": "Ida", "parent_id": self.customer.id})
        order.partner_id = contact
        with self.assertRaisesRegex(ValidationError, "its customer can't change"):
            order.partner_id = self._make_customer("Else Ltd")

    def test_order_with_grants_cannot_be_deleted(self):
        order = self._make_order(self.lifetime)
        self._take_incidents(1)
        order._action_cancel()
        self._commit()
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            order.unlink()
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            order.order_line.unlink()

    # === WHAT IS REFUSED === #

    def test_packs_that_make_no_sense_are_refused(self):  # B21
        for vals, text in (
            ({"support_pack": "recurring", "support_months": 0}, "at least one. Daily and trial"),
            ({"support_pack": "recurring", "support_months": -1}, "at least one"),
            ({"support_incidents": 0}, "more than zero"),
            ({"support_incidents": -5}, "more than zero"),
            ({"support_unit": "time", "support_hours": -1.0}, "more than zero"),
            ({"support_unit": False}, "incidents or time"),
            ({"type": "consu"}, "isn't a service"),
            ({"invoice_policy": "delivery"}, "paid in advance"),
        ):
            with self.assertRaisesRegex(ValidationError, text), self.cr.savepoint():
                self.lifetime.write(vals)

    def test_daily_and_trial_periods_cannot_be_chosen(self):  # B21
        for kind in ("daily", "trial"):
            with self.assertRaises(ValueError):
                self.lifetime.support_pack = kind

    def test_part_of_an_incident_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "must be a whole number, not 2.5"):
            self.lifetime.write({"support_incidents": 2.5})
        with self.assertRaisesRegex(ValidationError, "must be a whole number"):
            self._make_pack("Half", 1.0, "lifetime", 0.5)

    def test_quantity_with_a_part_of_an_incident_is_refused(self):  # T16
        order = self._make_order(self.lifetime, quantity=1.25, confirm=False)
        with self.assertRaisesRegex(UserError, r"“Ten incidents” would grant 12.5 incidents"):
            order.action_confirm()
        order.order_line.product_uom_qty = 1.5
        self._confirm(order)
        self.assertEqual(self._get_windows(order)[0][2], 15)
        with self.assertRaisesRegex(ValidationError, "would grant 17.5 incidents"):
            order.order_line.product_uom_qty = 1.75

    def test_negative_quantity_is_refused(self):
        order = self._make_order(self.lifetime, quantity=-1, confirm=False)
        with self.assertRaisesRegex(UserError, "negative quantity"):
            order.action_confirm()

    def test_archived_product_is_refused(self):
        order = self._make_order(self.lifetime, confirm=False)
        self.lifetime.active = False
        with self.assertRaisesRegex(UserError, "“Ten incidents” is archived"):
            order.action_confirm()

    def test_sold_pack_outlives_its_product(self):
        order = self._make_order(self.monthly)
        self.monthly.active = False
        order.order_line.product_uom_qty = 2
        self._commit()
        self.assertEqual(len(self._get_grants(order)), 6)

    def test_months_that_are_over_are_refused(self):
        order = self._make_order(self.monthly, support_date_start="2026-01-01", confirm=False)
        with self.assertRaisesRegex(UserError, "would have ended on 03/31/2026"):
            order.action_confirm()

    def test_first_day_in_the_past_grants_what_remains(self):
        order = self._make_order(self.monthly, support_date_start="2026-03-01")
        self.assertEqual(
            [window[:2] for window in self._get_windows(order)],
            [("2026-04-01", "2026-04-30"), ("2026-05-01", "2026-05-31")],
        )

    def test_packs_that_cannot_be_added_to_each_other(self):
        running = self._make_order(self.monthly).order_line
        lifetime = self._make_order(self.lifetime).order_line
        hours = self._make_pack("Hours a month", 9.0, "recurring", hours=1, months=3)
        quoted = self._make_order(self.monthly, confirm=False).order_line
        stranger = self._make_customer("Else Ltd")
        for product, base, partner, text in (
            (self.lifetime, running, self.customer, "only recurring packs"),
            (self.monthly, lifetime, self.customer, "only recurring packs"),
            (hours, running, self.customer, "the same kind of units"),
            (self.monthly, running, stranger, "another customer"),
            (self.monthly, quoted, self.customer, "isn't running"),
        ):
            order = self._make_order(
                product, partner=partner, support_extends_id=base.id, confirm=False
            )
            with self.assertRaisesRegex(UserError, text):
                order.action_confirm()

    # === WHO === #

    def test_salesman_confirms_without_support_rights(self):
        salesman = new_test_user(self.env, "salesman", "sales_team.group_sale_salesman")
        order = self._make_order(self.lifetime, confirm=False)
        order.user_id = salesman
        self._confirm(order.with_user(salesman))
        self.assertEqual(self._get_windows(order), [("2026-04-11", None, 10, 10)])
        self.assertIn("10 incidents granted", self._get_notes(order))
        with self.assertRaises(AccessError):
            self.env["support.entitlement"].with_user(salesman).search([])

    def test_packs_are_listed_for_staff_without_prices(self):  # B55
        order = self._make_order(self.monthly)
        waiting = self._make_order(self.hours, confirm=False)
        self.company.support_pack_grant_on = "paid"
        self._confirm(waiting)
        self._take_incidents(4)
        staff = new_test_user(self.env, "agent", "helpdesk_mgmt.group_helpdesk_user")
        packs = self.env["support.pack.report"]
        found = packs.with_user(staff).search([("partner_id", "=", self.customer.id)])
        self.env.flush_all()
        pack = packs.browse(order.order_line.id)
        self.assertEqual(set(found.ids), {order.order_line.id, waiting.order_line.id})
        self.assertRecordValues(
            pack,
            [
                {
                    "order_name": order.name,
                    "product_id": self.monthly.product_tmpl_id.id,
                    "granted": 30,
                    "used": 4,
                    "left_now": 6,
                    "left_later": 20,
                    "state": "running",
                    "date_to": Date.to_date("2026-07-10"),
                    "price": 90.0,
                }
            ],
        )
        self.assertEqual(packs.browse(waiting.order_line.id).state, "waiting")
        with self.assertRaises(AccessError):
            found.read(["price"])
        with self.assertRaises(AccessError):
            self.env["sale.order.line"].with_user(staff).search([])

    def test_other_company_sees_no_packs(self):
        self._make_order(self.lifetime)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "stranger",
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.env.flush_all()
        packs = self.env["support.pack.report"]
        self.assertTrue(packs.search([("partner_id", "=", self.customer.id)]))
        self.assertFalse(packs.with_user(stranger).search([]))

    # === SCREENS === #

    def test_product_form(self):
        form = Form(self.env["product.template"])
        form.name = "Forty hours"
        form.type = "service"
        form.support_pack = "recurring"
        self.assertEqual(form.support_unit, "incident")
        form.support_unit = "time"
        form.support_hours = 2.5
        form.support_months = 12
        product = form.save()
        self.assertEqual(product._get_support_units(), 2.5 * HOUR)
        self.assertEqual((product.invoice_policy, product.service_tracking), ("order", "no"))

    def test_order_form(self):
        with Form(self.env["sale.order"]) as form:
            form.partner_id = self.customer
            with form.order_line.new() as line:
                line.product_id = self.monthly
        order = form.record
        self.assertIn("10 incidents per month for 3 months", order.order_line.name)
        with Form(order) as form, form.support_pack_line_ids.edit(0) as line:
            line.support_date_start = "2026-11-04"
        self.assertIn("for 3 months from 11/04/2026", order.order_line.name)
        self._confirm(order)
        self.assertEqual(order.support_grant_count, 3)
        grants = self.env["support.entitlement"].search(
            order.action_view_support_grants()["domain"]
        )
        self.assertEqual(grants, self._get_grants(order))
        self.assertEqual(
            order.order_line.support_label, "10 incidents per month for 3 months from 11/04/2026"
        )

    def test_timesheets_of_sales_leave_packs_alone(self):
        order = self._make_order(self.hours)
        ticket = self._make_ticket(self._make_contract())
        work = self._log_work(ticket, "2026-04-11 13:00", 1)
        if "so_line" in work._fields:
            self.assertFalse(work.so_line)
        self.assertEqual(order.order_line.qty_delivered, 0)
        if "project_ids" in order._fields:
            self.assertFalse(order.project_ids)
