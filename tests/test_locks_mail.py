# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Tickets that come by mail: never refused, never lost, covered in a transaction of their own."""

from odoo.tests import RecordCapturer, freeze_time

from .test_locks import LocksCommon

MAIL = """\
MIME-Version: 1.0
Date: Mon, 05 Jan 2026 12:00:00 +0000
Message-ID: <{number}@lumen.example.com>
Subject: Printer is on fire
From: {sender}
To: support@company.example.com
Content-Type: text/plain; charset="utf-8"

It burns.
"""


@freeze_time("2026-01-05 12:00:00")
class TestMail(LocksCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = 0

    def _receive(self, sender="Lumen <lumen@example.com>"):
        """Hand a mail to the gateway, as the mail server does; return its ticket."""
        type(self).number += 1
        thread = self.env["mail.thread"].sudo()
        thread.message_process(
            "helpdesk.ticket",
            MAIL.format(number=self.number, sender=sender),
            custom_values={"team_id": self.team.id, "company_id": self.company.id},
        )
        return self.env["helpdesk.ticket"].search([], order="id desc", limit=1)

    def _run_cron(self):
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            tickets = self.env["helpdesk.ticket"].with_env(self.env(cr=cr, user=1))
            tickets._cron_cover_waiting()
        self.env.invalidate_all()

    def test_refuse_becomes_a_lock_and_a_reply(self):
        self._set_policy("refuse")
        ticket = self._receive()
        self.assertEqual((ticket.partner_id, ticket.name), (self.customer, "Printer is on fire"))
        self.assertTrue(ticket.awaiting_coverage)
        self.assertFalse(ticket.lock_reason)
        self._run_cron()
        self.assertEqual((ticket.awaiting_coverage, ticket.lock_reason), (False, "no_contract"))
        mail = self._get_mails(ticket).filtered(lambda mail: ticket.number in (mail.subject or ""))
        self.assertEqual(mail.recipient_ids, self.customer)
        self._run_cron()
        self.assertEqual(len(self._get_mails(ticket)), 1)

    def test_covered_mails_draw_their_incident(self):
        self.team.requires_incident = True
        grant = self._make_grant(incidents=1)
        ticket = self._receive()
        self.assertEqual(grant.remaining, 1)
        self._run_cron()
        self.assertEqual((ticket.lock_reason, grant.remaining), (False, 0))

    def test_without_incidents_it_waits_and_opens(self):
        self.team.requires_incident = True
        first, second = self._receive(), self._receive()
        self._run_cron()
        tickets = first | second
        self.assertEqual(tickets.mapped("lock_reason"), ["no_incident", "no_incident"])
        self.assertEqual(len(self._get_mails(tickets)), 2)
        cron = self.env.ref("support_contract.cron_cover_waiting")
        triggers = self.env["ir.cron.trigger"].sudo()
        with RecordCapturer(triggers, [("cron_id", "=", cron.id)]) as captured:
            grant = self._make_grant(incidents=1, start="2026-01-05")
        self.assertTrue(captured.records)
        self._run_cron()
        self.assertEqual((first.lock_reason, second.lock_reason), (False, "no_incident"))
        self.assertEqual(self._get_drawn(first), {grant: 1})
        self.assertEqual(len(self._get_mails(tickets)), 2)
        first.stage_id = self.cancelled  # gives it back, and the next one takes it
        self._run_cron()
        self.assertFalse(second.lock_reason)
        self.assertEqual(self._get_drawn(second), {grant: 1})

    def test_unknown_senders_wait_for_triage(self):
        self._set_policy("lock")
        self.team.requires_incident = True
        ticket = self._receive("Nobody <nobody@unknown.example.com>")
        ticket.partner_id = False
        self._run_cron()
        self.assertFalse(ticket.lock_reason)
        self.assertFalse(self._get_mails(ticket))
        ticket.partner_id = self.customer
        self.assertEqual(ticket.lock_reason, "no_contract")

    def test_a_broken_ticket_stops_no_other(self):
        self._set_policy("lock")
        broken, sound = self._receive(), self._receive()
        tickets = type(self.env["helpdesk.ticket"])
        cover = tickets._cover_arrived

        def fail(ticket):
            if ticket.id == broken.id:
                raise ValueError("broken")
            return cover(ticket)

        self.patch(tickets, "_cover_arrived", fail)
        with self.assertLogs("odoo.addons.support_contract.models.helpdesk_ticket_waiting"):
            self._run_cron()
        self.assertEqual(sound.lock_reason, "no_contract")
        self.assertTrue(broken.awaiting_coverage)  # it is tried again

    def test_answers_to_a_locked_ticket_are_kept(self):
        self._set_policy("lock")
        ticket = self._receive()
        self._run_cron()
        ticket.with_user(self.technician).message_post(body="Which contract do you have?")
        ticket.message_post(body="None yet", author_id=self.customer.id)
        self.assertEqual(ticket.lock_reason, "no_contract")
        self.assertEqual(len(self._get_mails(ticket)), 1)
