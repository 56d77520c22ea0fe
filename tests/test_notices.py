# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Notices about the end of a contract, and warnings about its units: real mails, once each."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user
from odoo.tools import mute_logger

from .common import SupportCommon


class NoticeCommon(SupportCommon):
    @classmethod
    def default_env_context(cls):
        return {}  # mails are what this is about

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._make_plan(
            hours=20, fee=10, duration_months=12, notice_days_before="30, 7", notice_days_after="1"
        )
        cls.ida = cls.env["res.partner"].create(
            {"name": "Ida", "parent_id": cls.customer.id, "email": "ida@lumen.example.com"}
        )
        cls.env.user.email = "ann@helpers.example.com"
        # Contracts that were there before, such as demo data, end on days of their own.
        others = cls.env["support.contract"].sudo().search([("date_end", "!=", False)])
        others.write({"notice_days_before": False, "notice_days_after": False})
        others.flush_recordset()

    def _run(self, day):
        """Run the cron on a day; return the subjects and recipients of what it has sent."""
        last = self.env["mail.mail"].sudo().search([], order="id desc", limit=1).id
        with (
            freeze_time(f"{day} 12:00:00"),
            self.enter_registry_test_mode(),
            self.env.registry.cursor() as cr,
        ):
            self.env(cr=cr, user=1)["support.contract"]._cron_notices()
        self.env.invalidate_all()
        mails = self.env["mail.mail"].sudo().search([("id", ">", last)], order="id")
        return [
            (mail.subject, sorted((mail.recipient_ids).mapped("email")))
            for mail in mails
            if "SC" in mail.subject
        ]

    def _get_days(self, contract):
        return [(n.kind, n.days) for n in contract.notice_ids.sorted("id")]


@freeze_time("2026-01-20 12:00:00")
class TestNotices(NoticeCommon):
    """Days before and after the end (Y10, C23)."""

    def test_each_notice_is_sent_once(self):
        contract = self._make_contract(self.plan)
        self.assertEqual(self._run("2026-11-30"), [])
        mails = self._run("2026-12-01")
        name = contract.display_name
        self.assertEqual(
            mails,
            [
                (f"Your support contract ends soon: {name}", ["ida@lumen.example.com"]),
                (f"{name}: Ends on 12/31/2026", ["ann@helpers.example.com"]),
            ],
        )
        for day in ("2026-12-01", "2026-12-02", "2026-12-23"):
            self.assertEqual(self._run(day), [])
        self.assertEqual(len(self._run("2026-12-24")), 2)
        self.assertEqual(len(self._run("2027-01-01")), 2)
        self.assertEqual(self._run("2027-01-02"), [])
        self.assertEqual(self._get_days(contract), [("before", 30), ("before", 7), ("after", 1)])
        self.assertIn("Ida", contract.notice_ids[0].recipients)
        self.assertEqual(len(contract.activity_ids), 3)
        self.assertEqual(contract.activity_ids.user_id, self.env.user)

    def test_what_the_mails_say(self):
        contract = self._make_contract(self.plan)
        self._run("2026-12-24")
        message = contract.message_ids.filtered(lambda m: m.partner_ids == self.ida)
        self.assertIn("Dear Ida", message.preview)
        self.assertIn("ends on 12/31/2026", message.preview)
        self.assertIn("7 more days", message.preview)
        self.assertFalse(message.is_internal)
        staff = contract.message_ids.filtered(lambda m: m.partner_ids == self.env.user.partner_id)
        self.assertIn("7 days are left", staff.preview)
        self.assertTrue(staff.subtype_id.internal)
        self._run("2027-01-01")
        self.assertIn("has ended", contract.message_ids.sorted("id").mapped("subject")[-2])

    def test_a_late_run_sends_only_the_nearest(self):
        contract = self._make_contract(self.plan)
        self.assertEqual(len(self._run("2026-12-28")), 2)
        self.assertEqual(self._run("2026-12-29"), [])
        self.assertEqual(self._get_days(contract), [("before", 7)])

    def test_what_ended_long_ago_is_not_told(self):
        contract = self._make_contract(self.plan, start="2024-01-01")
        self._run("2026-06-01")
        self.assertFalse(contract.notice_ids)

    def test_a_moved_end_starts_anew(self):
        contract = self._make_contract(self.plan)
        self._run("2026-12-01")
        contract.date_end = "2027-03-31"
        self._run("2026-12-24")
        self._run("2027-03-01")
        ends = [str(notice.date_end) for notice in contract.notice_ids.sorted("id")]
        self.assertEqual(ends, ["2026-12-31", "2027-03-31"])

    def test_renewed_suspended_terminated(self):
        renewed, terminated, endless, suspended = (
            self._make_contract(self.plan, partner=self._make_customer(name))
            for name in ("Renewed", "Terminated", "Endless", "Suspended")
        )
        self._make_contract(
            self.plan,
            start="2027-01-01",
            partner=renewed.partner_id,
            confirm=False,
            renews_id=renewed.id,
        )
        terminated._set_state("terminated")
        endless.date_end = False
        suspended.action_suspend()
        self._run("2026-12-01")
        self._run("2027-01-01")
        self.assertFalse((renewed | terminated | endless).notice_ids)
        self.assertEqual(self._get_days(suspended), [("before", 30), ("after", 1)])

    def test_in_the_customers_time_zone(self):
        contract = self._make_contract(self.plan, tz="Pacific/Kiritimati")  # UTC+14
        self._run("2026-11-29")
        self.assertFalse(contract.notice_ids)
        self._run("2026-11-30")  # Dec 1 there
        self.assertEqual(self._get_days(contract), [("before", 30)])

    def test_in_the_customers_language(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        template = self.env.ref("support_contract.mail_template_contract_end").sudo()
        template.with_context(lang="fr_FR").subject = "Votre contrat {{ object.display_name }}"
        self.ida.lang = "fr_FR"
        self._make_contract(self.plan)
        subjects = [subject for subject, _to in self._run("2026-12-01")]
        self.assertTrue(subjects[0].startswith("Votre contrat"))
        self.assertIn("Ends on", subjects[1])

    def test_recipients(self):
        boss = new_test_user(
            self.env(su=True),
            "boss",
            "support_contract.group_support_user",
            email="boss@helpers.example.com",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        purchasing = self.env["res.partner"].create({"name": "P", "email": "p@lumen.example.com"})
        contract = self._make_contract(
            self.plan,
            notice_customer=False,
            notice_user_ids=[Command.set(boss.ids)],
            notice_partner_ids=[Command.set(purchasing.ids)],
        )
        addresses = [to for _subject, to in self._run("2026-12-01")]
        self.assertEqual(addresses, [["p@lumen.example.com"], ["boss@helpers.example.com"]])
        self.assertEqual(contract.activity_ids.user_id, boss)

    def test_customer_without_address_is_said(self):
        contract = self._make_contract(self.plan, contact_id=self.customer.id)
        self.customer.email = False
        self.assertEqual(len(self._run("2026-12-01")), 1)
        self.assertIn("has no e-mail address", contract.activity_ids.note)

    def test_one_broken_contract_stops_no_other(self):
        broken, sound = (
            self._make_contract(self.plan, partner=self._make_customer(name))
            for name in ("Broken", "Sound")
        )
        contracts = type(self.env["support.contract"])
        tell = contracts._tell_end

        def fail(contract, notice):
            if contract.id == broken.id:
                raise ValueError("broken")
            return tell(contract, notice)

        self.patch(contracts, "_tell_end", fail)
        with self.assertLogs("odoo.addons.support_contract.models.support_contract_notice"):
            self._run("2026-12-01")
        self.assertTrue(sound.notice_ids)
        self.assertFalse(broken.notice_ids)  # it is tried again
        self.patch(contracts, "_tell_end", tell)
        self._run("2026-12-02")
        self.assertTrue(broken.notice_ids)

    @mute_logger("odoo.sql_db")
    def test_once_by_the_database(self):
        contract = self._make_contract(self.plan)
        vals = {"contract_id": contract.id, "kind": "before", "days": 7, "date_end": "2026-12-31"}
        notices = self.env["support.contract.notice"].sudo()
        notices.create(vals)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            notices.create(vals)
        with self.assertRaises(AccessError):
            notices.sudo(False).create(vals | {"days": 8})

    def test_preview(self):
        contract = self._make_contract(self.plan)
        self.assertEqual(
            contract.notice_preview,
            f"12/01/2026, 12/24/2026, 01/01/2027: to {self.env.user.name}, Ida.",
        )
        self._run("2026-12-01")
        self.assertIn("12/01/2026 (sent), 12/24/2026", contract.notice_preview)
        contract.date_end = False
        self.assertIn("no end", contract.notice_preview)

    def test_days_that_cannot_be_read_are_refused(self):
        for text in ("a month", "400", "-3"):
            with self.assertRaisesRegex(ValidationError, "can't be read"):
                self.plan.notice_days_before = text

    def test_finding_them_costs_no_query_per_contract(self):
        counts = []
        for count in (1, 2, 12):  # the first one fills caches
            for number in range(count):
                self._make_contract(self.plan, partner=self._make_customer(f"C {count} {number}"))
            self.env.flush_all()
            self.env.invalidate_all()
            with freeze_time("2026-12-01 12:00:00"):
                start = self.env.cr.sql_log_count
                found = self.env["support.contract"].sudo()._find_noticed()
                counts.append(self.env.cr.sql_log_count - start)
            self.assertGreaterEqual(len(found), count)
        self.assertEqual(counts[1], counts[2])


@freeze_time("2026-01-20 12:00:00")
class TestWarningMails(NoticeCommon):
    """At % of the allowance, by the template and to the same people (Q8, C23, ex. C33, T48)."""

    def _use(self, contract, hours):
        self._log_work(self._make_ticket(contract), "2026-01-05 09:00", hours)

    def _get_warnings(self, contract):
        return contract.message_ids.filtered(lambda message: "is used" in (message.body or ""))

    def test_warned_once_when_18_of_20_hours_are_used(self):  # ex. C33
        contract = self._make_contract(self.plan, warning_thresholds="90")
        self._use(contract, 17.99)
        self.assertFalse(self._get_warnings(contract))
        self._use(contract, 0.01)  # equality counts, ex. C26
        warning = self._get_warnings(contract)
        self.assertEqual(warning.partner_ids, self.ida)
        self.assertIn("90% of “Prepaid time”", warning.preview)
        self.assertIn("18:00 h of 20:00 h", warning.preview)
        self._use(contract, 1)
        self.assertEqual(self._get_warnings(contract), warning)
        self.assertEqual(len(contract.activity_ids), 1)

    def test_only_the_highest_of_several_crossed_at_once(self):  # ex. C25, C27
        contract = self._make_contract(self.plan, warning_thresholds="15, 30, 40, 50")
        self._use(contract, 7)  # 35 %
        self._use(contract, 4)  # 55 %
        subjects = self._get_warnings(contract).sorted("id").mapped("subject")
        self.assertEqual([subject.split(": ")[1] for subject in subjects], ["30% used", "50% used"])

    def test_staff_only(self):
        contract = self._make_contract(self.plan, notice_customer=False)
        self._use(contract, 16)
        self.assertFalse(self._get_warnings(contract))
        message = contract.message_ids.filtered(
            lambda message: message.partner_ids == self.env.user.partner_id
        )
        self.assertIn("16:00 h of 20:00 h are gone", message.preview)
        self.assertIn("80% of Prepaid time used", contract.activity_ids.summary)

    def test_a_broken_template_does_not_stop_the_work(self):
        template = self.env.ref("support_contract.mail_template_units_warning").sudo()
        template.body_html = "<p t-out=\"1 / (ctx.get('threshold', 1) - 80)\"/>"
        contract = self._make_contract(self.plan)
        with self.assertLogs("odoo.addons.support_contract.models.support_contract_recipients"):
            self._use(contract, 16)
        self.assertEqual(contract.time_left, 4)
        self.assertIn("check its template", contract.activity_ids.note)
        self.assertProved(contract)

    def test_thresholds_of_the_plan_are_those_of_the_contract(self):
        self.plan.write({"notice_days_before": "10", "notice_customer": False})
        contract = self._make_contract(self.plan, confirm=False)
        self.assertEqual((contract.notice_days_before, contract.notice_customer), ("10", False))
        contract.action_confirm()
        self.plan.notice_days_before = "3"
        self.assertEqual(contract.notice_days_before, "10")

    def test_a_colleague_without_access_gets_nothing(self):
        clerk = new_test_user(self.env(su=True), "clerk", "base.group_user")
        contract = self._make_contract(self.plan, notice_user_ids=[Command.set(clerk.ids)])
        self._use(contract, 16)
        self.assertEqual(contract.activity_ids.user_id, self.env.user)
        with self.assertRaises(UserError):
            contract.notice_days_after = "x"
