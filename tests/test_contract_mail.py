# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Sending a contract by e-mail, its answer, and its printed form (Y9, Y63, C27)."""

from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, new_test_user

from odoo.addons.mail.tools.discuss import Store

from .common import SupportCommon

REPLY = """\
MIME-Version: 1.0
Message-ID: <reply@lumen.example.com>
In-Reply-To: {reference}
References: {reference}
Subject: Re: Our offer
From: Ida <ida@lumen.example.com>
To: support@company.example.com
Content-Type: text/plain; charset="utf-8"

We take it.
"""


@freeze_time("2026-01-20 12:00:00")
class TestContractMail(SupportCommon):
    @classmethod
    def default_env_context(cls):
        return {}  # mails are what this is about

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ida = cls.env["res.partner"].create(
            {"name": "Ida", "parent_id": cls.customer.id, "email": "ida@lumen.example.com"}
        )
        cls.env.user.email = "ann@helpers.example.com"
        plan = cls._make_plan(hours=5, fee=123.45, rates=[cls._rate("price", 70.0)])
        cls.contract = cls._make_contract(plan, confirm=False, title="Gold <care>")

    def _send(self, contract):
        action = contract.action_send()
        composer = Form(self.env["mail.compose.message"].with_context(**action["context"])).save()
        composer.action_send_mail()
        return contract.message_ids.filtered(lambda m: m.message_type == "comment")[:1]

    def _print(self, contract, user=None):
        report = self.env["ir.actions.report"].with_user(user or self.env.user)
        html, _type = report._render_qweb_html(
            "support_contract.report_support_contract", contract.ids
        )
        return html.decode()

    def test_sent_to_the_contact_with_the_document(self):
        message = self._send(self.contract)
        self.assertEqual(message.partner_ids, self.ida)
        self.assertIn("5:00 h each term", message.body)
        self.assertIn("signed copy", message.body)
        self.assertEqual(len(message.attachment_ids), 1)
        self.assertIn(self.contract.name.replace("/", "-"), message.attachment_ids.name)
        mail = self.env["mail.mail"].sudo().search([("mail_message_id", "=", message.id)])
        self.assertEqual(mail.recipient_ids, self.ida)
        self.contract.action_confirm()
        self.assertNotIn("signed copy", self._send(self.contract).body)

    def test_somebody_answers(self):  # Y63
        ann = new_test_user(
            self.env(su=True),
            "ann_in_charge",
            "support_contract.group_support_manager",
            email="incharge@helpers.example.com",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.contract.user_id = ann
        message = self._send(self.contract)
        self.env["mail.thread"].sudo().message_process(
            False, REPLY.format(reference=message.message_id)
        )
        reply = self.contract.message_ids.filtered(lambda m: m.message_type == "email")
        self.assertIn("We take it", reply.body)
        self.assertEqual(reply.author_id, self.ida)
        self.assertIn(ann.partner_id, reply.notified_partner_ids)

    def _make_user(self, login, groups):
        return new_test_user(
            self.env(su=True),
            login,
            groups,
            email=f"{login}@helpers.example.com",
            notification_type="email",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def test_documents_with_prices_are_opened_by_those_who_see_prices(self):
        """What was sent and what came back; in the files, in the message and by mail."""
        technician = self._make_user("tina", "helpdesk_mgmt.group_helpdesk_user")
        clerk = self._make_user("clara", "account.group_account_invoice")
        manager = self._make_user("max", "support_contract.group_support_manager")
        self.contract.message_subscribe((technician | clerk).partner_id.ids)
        sent = self._send(self.contract)
        answer = self.contract.message_post(
            body="Signed.",
            message_type="email",
            author_id=self.ida.id,
            subtype_xmlid="mail.mt_comment",
            attachments=[("signed.pdf", b"%PDF 123.45")],
        )
        for message in (sent, answer):
            file = message.attachment_ids
            self.assertEqual(len(file), 1)
            for user in (clerk, manager):
                self.assertTrue(file.with_user(user).read(["name"]))
                self.assertEqual(self._get_shown(message, user), file.ids)
            with self.assertRaises(AccessError):
                file.with_user(technician).read(["name"])
            found = self.env["ir.attachment"].with_user(technician)
            self.assertFalse(found.search([("id", "=", file.id)]))
            self.assertEqual(self._get_shown(message, technician), [])
            mails = self.env["mail.mail"].sudo().search([("mail_message_id", "=", message.id)])
            self.assertIn(clerk.partner_id, mails.recipient_ids)
            self.assertNotIn(technician.partner_id, mails.recipient_ids)
        plain = self.contract.message_post(body="Hello", subtype_xmlid="mail.mt_comment")
        self.assertIn(technician.partner_id, plain.notified_partner_ids)

    def test_technicians_open_what_they_upload(self):
        technician = self._make_user("tina", "helpdesk_mgmt.group_helpdesk_user")
        message = self.contract.with_user(technician)._message_log(
            body="Look", attachment_ids=self._upload(technician).ids
        )
        self.assertEqual(self._get_shown(message, technician), message.sudo().attachment_ids.ids)

    def _upload(self, user):
        """A file as the composer uploads it: it is filed with the message."""
        return (
            self.env["ir.attachment"]
            .with_user(user)
            .create({"name": "photo.png", "raw": b"x", "res_model": "mail.compose.message"})
        )

    def _get_shown(self, message, user):
        """The ids of the files that the page of the contract shows a user beside a message."""
        store = Store().add(message.with_user(user)).get_result()
        [shown] = store["mail.message"]
        self.assertEqual(
            shown["attachment_ids"], [file["id"] for file in store.get("ir.attachment", [])]
        )
        return shown["attachment_ids"]

    def test_printed_contract(self):
        text = self._print(self.contract)
        for words in ("Gold &lt;care&gt;", "123.45", "70.00", "5:00 h each term", "Lumen Ltd"):
            self.assertIn(words, text)
        self.assertEqual(self.contract.action_print()["report_type"], "qweb-pdf")

    def test_printed_without_prices_by_those_who_see_none(self):
        staff = new_test_user(
            self.env(su=True),
            "support_staff",
            "support_contract.group_support_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        text = self._print(self.contract, staff)
        self.assertIn("5:00 h each term", text)
        self.assertNotIn("123.45", text)
        self.assertNotIn("70.00", text)

    def test_in_the_language_of_the_customer(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        self.assertIn("20/01/2026", self._print(self._make_contract(start="2026-01-20")))
