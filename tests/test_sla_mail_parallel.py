# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Mails that arrive while somebody else changes their ticket."""

from odoo.tests import tagged

from .test_parallel import ParallelCase

MAIL = """\
MIME-Version: 1.0
Date: Mon, 05 Jan 2026 09:00:00 +0000
Message-ID: <parallel-answer@example.com>
In-Reply-To: {parent}
Subject: Re: Printer is on fire
From: Agent <{sender}>
To: support@company.example.com
Content-Type: text/plain; charset="utf-8"

Water helps.
"""


@tagged("post_install", "-at_install")
class TestSlaMailParallel(ParallelCase):
    def test_a_mail_is_neither_lost_nor_missed_by_the_clocks(self):
        with self._environment() as env:
            sender = env.ref("base.user_admin").email
            ticket = env["helpdesk.ticket"].create(
                {
                    "name": "Printer is on fire",
                    "description": "It burns.",
                    "partner_id": self.customer_id,
                    "opened_at": "2026-01-05 08:00:00",
                }
            )
            parent = ticket.message_post(
                body="It burns.", message_type="comment", subtype_xmlid="mail.mt_comment"
            ).message_id
            ticket_id = ticket.id
        with self._environment() as gateway:
            gateway["helpdesk.ticket"].browse(ticket_id).read(["name"])  # it has begun
            with self._environment() as colleague:
                colleague["helpdesk.ticket"].browse(ticket_id).priority = "3"
            mail = MAIL.format(parent=parent, sender=sender)
            gateway["mail.thread"].message_process("helpdesk.ticket", mail)
        with self._environment() as env:
            ticket = env["helpdesk.ticket"].browse(ticket_id)
            self.assertIn("Water helps", ticket.message_ids[0].body)
            self.assertTrue(ticket.answered_at)
            self.assertEqual(ticket.priority, "3")
