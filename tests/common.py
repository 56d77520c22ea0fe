# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What the tests of the models share: a company, customers, activities and short helpers."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.product.tests.common import ProductCommon

HOUR = 3600
MANAGER_GROUPS = (
    "support_contract.group_support_manager",
    "helpdesk_mgmt.group_helpdesk_manager",
    "product.group_product_manager",
    "base.group_partner_manager",
)


class SupportMixin:
    """Activities, customers and short helpers; on top of a class with products."""

    @classmethod
    def _set_up_support(cls):
        cls.env.user.tz = "UTC"
        cls.company = cls.env.company
        cls.company.partner_id.sudo().tz = "UTC"
        cls.employee = (
            cls.env["hr.employee"]
            .sudo()
            .create({"name": "Ann", "user_id": cls.env.uid, "company_id": cls.company.id})
        )
        cls.customer = cls._make_customer("Lumen Ltd")
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Service Desk", "company_id": cls.company.id}
        )
        cls.phone = cls._make_activity("Phone support")
        cls.onsite = cls._make_activity("On-site repair")
        cls.preventive = cls._make_activity("Preventive maintenance")
        cls.fee_product = cls._make_product("Support fee", 100.0)
        cls.incident_product = cls._make_product("Incident", 40.0)

    # === MASTER DATA === #

    @classmethod
    def _make_product(cls, name, price, **vals):
        vals = {"type": "service", "uom_id": cls.env.ref("uom.product_uom_unit").id} | vals
        return cls._create_product(name=name, lst_price=price, **vals)

    @classmethod
    def _make_activity(cls, name, price=70.0, **vals):
        """An activity type with a labour product of its own at a price per hour."""
        hour = cls.env.ref("uom.product_uom_hour").id
        product = cls._make_product(f"{name} labour", price, uom_id=hour)
        return cls.env["support.activity.type"].create(
            {"name": name, "product_id": product.id} | vals
        )

    @classmethod
    def _make_customer(cls, name, **vals):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "tz": "UTC",
                "email": f"{name.split()[0].lower()}@example.com",
            }
            | vals
        )

    @classmethod
    def _make_shift(cls, name, windows, days=range(7), tz="UTC"):
        """A working schedule that is the same on each of the days: [(hour from, hour to)]."""
        attendances = [
            Command.create(
                {"name": name, "dayofweek": str(day), "hour_from": start, "hour_to": stop}
            )
            for day in days
            for start, stop in windows
        ]
        return (
            cls.env["resource.calendar"]
            .sudo()
            .create(  # staff choose shifts
                {
                    "name": name,
                    "tz": tz,
                    "company_id": cls.company.id,
                    "attendance_ids": [Command.clear(), *attendances],
                }
            )
        )

    @classmethod
    def _allowance(cls, hours=0, incidents=0, **vals):
        """A command that makes an allowance of hours or of incidents."""
        activities = vals.pop("activities", None)
        if activities:
            vals["activity_type_ids"] = [Command.set(activities.ids)]
        if incidents:
            return Command.create({"unit": "incident", "quantity": incidents} | vals)
        return Command.create({"unit": "time", "quantity": round(hours * HOUR)} | vals)

    @classmethod
    def _rate(cls, kind, value, **vals):
        """A command that makes a rate: a price, an addition or a multiplier."""
        field = "multiplier" if kind == "multiplier" else "price"
        return Command.create({"kind": kind, field: value} | vals)

    @classmethod
    def _line(cls, price, quantity=1.0, **vals):
        """A command that makes a recurring product of a plan or contract."""
        return Command.create(
            {
                "product_id": cls.fee_product.id,
                "name": "Support fee",
                "quantity": quantity,
                "price_unit": price,
            }
            | vals
        )

    @classmethod
    def _make_plan(cls, hours=0, fee=0, allowances=(), rates=(), **vals):
        """A monthly plan: hours per term for any work, a fixed fee, allowances and rates.

        Of a kind of its own, unless told otherwise: a customer may have contracts of several.
        """
        if "kind_id" not in vals:
            count = cls.env["support.plan.kind"].search_count([])
            vals["kind_id"] = cls.env["support.plan.kind"].create({"name": f"Kind {count}"}).id
        allowances = [*allowances, *([cls._allowance(hours=hours)] if hours else [])]
        return cls.env["support.plan"].create(
            {
                "name": "Standard",
                "duration_months": 0,
                "allowance_ids": allowances,
                "rate_ids": list(rates),
                "line_ids": [cls._line(fee)] if fee else [],
            }
            | vals
        )

    @classmethod
    def _make_contract(cls, plan=None, start="2026-01-01", partner=None, confirm=True, **vals):
        """A contract, running unless told otherwise; without a plan: time at 70.00 an hour."""
        plan = plan or cls._make_plan(rates=[cls._rate("price", 70.0)])
        contract = cls.env["support.contract"].create(
            {
                "plan_id": plan.id,
                "partner_id": (partner or cls.customer).id,
                "date_start": start,
                "user_id": cls.env.uid,
            }
            | vals
        )
        if confirm:
            contract.action_confirm()
        return contract

    @classmethod
    def _make_grant(cls, hours=0, incidents=0, start="2026-01-01", end=False, **vals):
        """A grant to the customer that any of his contracts may use."""
        return cls.env["support.entitlement"]._grant(
            [
                {
                    "name": "Block",
                    "unit": "incident" if incidents else "time",
                    "amount": incidents or round(hours * HOUR),
                    "date_from": start,
                    "date_to": end,
                    "partner_id": cls.customer.id,
                    "company_id": cls.company.id,
                }
                | vals
            ]
        )

    # === WORK === #

    @classmethod
    def _make_ticket(cls, contract=None, opened="2026-01-05 09:00:00", **vals):
        """A ticket of the contract's customer, under that contract."""
        partner = contract.partner_id if contract else cls.customer
        values = {
            "name": "Printer is on fire",
            "description": "It burns.",
            "partner_id": partner.id,
            "team_id": cls.team.id,
            "opened_at": opened,
        }
        if contract:
            values["contract_id"] = contract.id
        return cls.env["helpdesk.ticket"].create(values | vals)

    @classmethod
    def _log_work(cls, ticket, start, hours, activity=None, **vals):
        """A time entry; `start` is 'YYYY-MM-DD HH:MM' in UTC."""
        return cls.env["account.analytic.line"].create(
            {
                "ticket_id": ticket.id,
                "name": "Work",
                "activity_type_id": (activity or cls.phone).id,
                "work_start": f"{start}:00",
                "unit_amount": hours,
            }
            | vals
        )

    @classmethod
    def _log_seconds(cls, ticket, start, seconds, activity=None, **vals):
        """A time entry that lasts so many seconds, by its start and its end."""
        begin = fields.Datetime.to_datetime(f"{start}:00")
        stop = begin + timedelta(seconds=seconds)
        return cls._log_work(ticket, start, 0, activity, work_stop=stop, **vals)

    # === MONEY === #

    @classmethod
    def _roll(cls, contracts, today=None):
        cls.env["support.contract.term"]._roll(
            contracts, fields.Date.to_date(today) if today else None
        )

    @classmethod
    def _bill(cls, contracts, until):
        """Bills in draft of everything due up to a day."""
        return cls.env["support.bill"]._generate(contracts, fields.Date.to_date(until))

    @classmethod
    def _invoice(cls, bills, post=False):
        """Approved bills and their invoices."""
        bills.action_approve()
        moves = cls.env["support.invoicing"]._create_invoices(bills)
        if post:
            moves.action_post()
        return moves

    # === WHAT CAME OUT === #

    def _get_charges(self, work):
        """Charges as (kind, hours, amount), in the order of their pieces."""
        charges = work.charge_ids.sorted(lambda charge: (charge.date, charge.sequence, charge.id))
        return [(charge.kind, charge.hours, charge.amount) for charge in charges]

    def _get_drawn(self, work):
        """What work has drawn, net: {grant: units}."""
        field = "time_entry_id" if work._name == "account.analytic.line" else "ticket_id"
        rows = self.env["support.entitlement.entry"]._read_group(
            [(field, "in", work.ids), ("kind", "in", ("draw", "return"))],
            ["entitlement_id"],
            ["quantity:sum"],
        )
        return {grant: -quantity for grant, quantity in rows if quantity}

    def _get_hours_left(self, grants):
        return [grant.remaining / HOUR for grant in grants]

    def assertProved(self, contracts):
        """Counters = entries = work = charges = bills = invoices."""
        differences = self.env["support.discrepancy"]._prove(contracts)
        self.assertEqual(differences.mapped("description"), [])


@tagged("post_install", "-at_install")
class SupportCommon(SupportMixin, ProductCommon):
    """A company without accounts, and a manager of it; mails are off, time zones are UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_support()

    @classmethod
    def setup_independent_user(cls):
        return new_test_user(cls.env, "support_manager", ",".join(MANAGER_GROUPS))

    @classmethod
    def setup_independent_company(cls, **kwargs):
        usd = cls.env.ref("base.USD")
        usd.sudo().active = True
        return cls.env["res.company"].sudo().create({"name": "Helpers", "currency_id": usd.id})


@tagged("post_install", "-at_install")
class BillingCommon(SupportMixin, AccountTestInvoicingCommon):
    """A company with accounts and taxes, whose user may do everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("support_contract.group_support_manager")
        cls.env.user.group_ids += cls.env.ref("helpdesk_mgmt.group_helpdesk_manager")
        cls._set_up_support()
