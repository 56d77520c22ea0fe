# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Merging two customers: balances add up, history is kept, tallies come out right."""

from odoo import fields
from odoo.tests import tagged

from .common import HOUR
from .test_events import EventCommon


@tagged("post_install", "-at_install")
class TestPartnerMerge(EventCommon):
    def _merge(self, source, target):
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        self.env.flush_all()
        wizard._merge((source + target).ids, target)
        self.env.invalidate_all()
        self._settle()

    def test_balances_and_history_add_up(self):
        source, target = (self._make_customer(name) for name in ("Ohm Ltd", "Ohm Limited"))
        contact = self.env["res.partner"].create({"name": "Sue", "parent_id": source.id})
        tickets = self.env["helpdesk.ticket"]
        for partner, incidents in ((source, 2), (target, 5)):
            partner.support_incidents_max = incidents
            partner.support_hours_max = 1
            self._settle()
            tickets += self._open_ticket(partner)
        source.support_incidents_max = 0  # one is owed
        self._settle()
        self.assertLeft(-1, partner=source)
        entries = self.env["support.entitlement.entry"].search(
            [("partner_id", "in", (source + target).ids)]
        )
        before = {(entry.id, entry.kind, entry.quantity, entry.reason) for entry in entries}

        self._merge(source, target)

        self.assertFalse(source.exists())
        self.assertEqual(contact.commercial_partner_id, target)
        self.assertEqual(self._get_balance(target), (5, 2, 3))
        self.assertEqual(self._get_balance(target, "time"), (2 * HOUR, 0, 2 * HOUR))
        self.assertEqual((target.support_incidents_max, target.support_incidents_available), (5, 3))
        entries = self.env["support.entitlement.entry"].search([("partner_id", "=", target.id)])
        self.assertEqual(
            before, {(entry.id, entry.kind, entry.quantity, entry.reason) for entry in entries}
        )
        self.assertEqual(tickets.commercial_partner_id, target)
        self.assertEqual(tickets.mapped("consumed_incidents"), [1, 1])
        for left in (2, 1, 0):
            self._open_ticket(contact)
            self.assertLeft(left, partner=target)
        tickets[0].incident_quantity = 0  # that of the one who is gone
        self.assertLeft(1, partner=target)

    def test_payments_add_up(self):
        funds = self._make_event("funds", 1, amount=100)
        first = self._make_event("first_payment", 5)
        source, target = (self._make_customer(name) for name in ("Ohm Ltd", "Ohm Limited"))
        payments = self._pay(150, partner=source) + self._pay(160, partner=target)
        self.assertLeft(6, partner=source)
        self.assertLeft(6, partner=target)

        self._merge(source, target)

        # 310 in all are three, of which two were given; both first payments stay given.
        self.assertLeft(13, partner=target)
        tally = self._get_tally(funds, target)
        self.assertEqual(
            (tally.amount_counted, tally.units_given, tally.amount_carried), (310, 3, 10)
        )
        self.assertEqual(self._get_tally(first, target).units_given, 10)
        self._run_cron()
        self.assertLeft(13, partner=target)
        payments.action_cancel()
        self._settle()
        self.assertLeft(0, partner=target)
        self._pay(100, partner=target)
        self.assertLeft(6, partner=target)

    def test_merged_without_a_tally_of_its_own(self):
        funds = self._make_event("funds", 1, amount=100)
        source, target = (self._make_customer(name) for name in ("Ohm Ltd", "Ohm Limited"))
        self._pay(150, partner=source)
        self._merge(source, target)
        self.assertLeft(1, partner=target)
        self.assertEqual(self._get_tally(funds, target).amount_carried, 50)
        self._pay(50, partner=target)
        self.assertLeft(2, partner=target)

    def test_new_customer_once_more_for_nobody(self):
        self._make_event("new_customer", 2)
        source, target = (self._make_customer(name) for name in ("Ohm Ltd", "Ohm Limited"))
        self._make_contract(start=fields.Date.today(), partner=source)
        self._settle()
        self.assertLeft(2, partner=source)
        self._merge(source, target)
        self._make_contract(start=fields.Date.today(), partner=target)
        self._settle()
        self.assertLeft(2, partner=target)
