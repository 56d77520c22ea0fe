# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What comes by mail: who has answered whom, told apart by what the gateway makes of it."""

from odoo.tests import tagged

from .common_sla import SlaCommon, moment

MAIL = """\
MIME-Version: 1.0
Date: {date}
Message-ID: <{number}@example.com>
Subject: Printer is on fire
From: {sender}
To: support@company.example.com
{headers}Content-Type: text/plain; charset="utf-8"

It burns.
"""


@tagged("post_install", "-at_install")
class TestSlaMail(SlaCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = 0
        cls.env.user.sudo().email = "ann@company.example.com"
        cls.policy = cls._make_policy(
            [cls._target("response", 4), cls._target("next_response", 2)], name="Talk"
        )
        cls.contract.sla_policy_id = cls.policy

    def _receive(self, at, sender, ticket=None, headers=""):
        """Hand a mail to the gateway that was sent half an hour before it is fetched."""
        type(self).number += 1
        if ticket:
            headers += f"In-Reply-To: {ticket.message_ids[-1].message_id}\n"
        sent = moment(at).replace(minute=0).strftime("%a, %d %b %Y %H:%M:%S +0000")
        mail = MAIL.format(number=self.number, sender=sender, headers=headers, date=sent)
        thread_id = self._at(
            at,
            self.env["mail.thread"].sudo().message_process,
            "helpdesk.ticket",
            mail,
            custom_values={"team_id": self.team.id, "company_id": self.company.id},
        )
        return self.env["helpdesk.ticket"].browse(thread_id)

    def _open_by_mail(self, sender="Cleo <cleo@example.com>"):
        ticket = self._receive("01-05 09:30", sender)
        self._at("01-05 09:31", ticket.sudo()._cover_arrived)
        return ticket

    def test_clocks_of_a_mail_begin_when_it_arrived(self):
        ticket = self._open_by_mail()
        self.assertEqual(ticket.sla_policy_id, self.policy)
        self.assertEqual(self._clock(ticket, "response").started_at, moment("01-05 09:30"))
        self.assertFalse(ticket.answered_at, "the description is no answer")

    def test_a_colleagues_mail_is_the_description_too(self):
        ticket = self._open_by_mail("Ann <ann@company.example.com>")
        self.assertFalse(ticket.answered_at)

    def test_an_answer_by_mail_meets_the_response(self):
        ticket = self._open_by_mail()
        self._receive("01-05 11:30", "Ann <ann@company.example.com>", ticket)
        self.assertEqual(ticket.answered_at, moment("01-05 11:00"), "when it was sent")
        self._receive("01-05 14:30", "Cleo <cleo@example.com>", ticket)
        self.assertEqual(ticket.asked_at, moment("01-05 14:30"), "when it arrived")
        self.assertDue(ticket, "next_response", "01-05 16:30")
        self._receive("01-05 15:30", "Ann <ann@company.example.com>", ticket)
        self.assertEqual(self._clock(ticket, "next_response").status, "met")
        self.assertFalse(ticket.asked_at)

    def test_an_unknown_sender_asks_like_a_customer(self):
        ticket = self._open_by_mail()
        self._say("01-05 10:00", ticket)
        self._receive("01-05 11:30", "Stranger <who@elsewhere.example.com>", ticket)
        self.assertEqual(ticket.asked_at, moment("01-05 11:30"))

    def test_t47_robots_neither_answer_nor_ask(self):
        ticket = self._open_by_mail()
        for header in ("Auto-Submitted: auto-replied\n", "X-Autoreply: yes\n"):
            self._receive("01-05 10:30", "Ann <ann@company.example.com>", ticket, header)
            self.assertFalse(ticket.answered_at, "a vacation is no answer")
        self._say("01-05 11:00", ticket)
        self._receive(
            "01-05 11:30", "Cleo <cleo@example.com>", ticket, "Auto-Submitted: auto-replied\n"
        )
        self.assertFalse(ticket.asked_at)
        self._receive("01-05 12:30", "Cleo <cleo@example.com>", ticket, "Auto-Submitted: no\n")
        self.assertTrue(ticket.asked_at)
