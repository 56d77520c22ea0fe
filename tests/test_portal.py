# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Helpdesk's portal pages: who closes a ticket, what a refused customer reads, what he pays."""

from lxml import html

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SupportCommon


@tagged("post_install", "-at_install")
class TestPortal(SupportCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.done = cls.env["helpdesk.ticket.stage"].create(
            {"name": "Finished", "closed": True, "close_from_portal": True, "sequence": 90}
        )
        cls.other_done = cls.done.copy({"name": "Dropped"})
        cls.working = cls.env["helpdesk.ticket.stage"].create({"name": "Working on it"})
        cls.ticket = cls._make_ticket(stage_id=cls.working.id)
        cls.stranger = cls._make_customer("Stranger Ltd")
        cls.user = cls._make_portal_user("lumen", cls.customer)
        cls.stranger_user = cls._make_portal_user("stranger", cls.stranger)
        cls.company_vals = {"company_id": cls.company.id, "company_ids": [(6, 0, cls.company.ids)]}

    @classmethod
    def _make_portal_user(cls, login, parent):
        user = new_test_user(
            cls.env(su=True), login, "base.group_portal", company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )  # fmt: skip
        user.partner_id.sudo().parent_id = parent
        return user

    def _close(self, ticket_id, stage_id, method="post", headers=None):
        data = {"ticket_id": ticket_id, "stage_id": stage_id}
        if method == "get":
            query = "&".join(f"{name}={value}" for name, value in data.items())
            return self.url_open(f"/ticket/close?{query}", headers=headers, allow_redirects=False)
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open("/ticket/close", data=data, allow_redirects=False)

    def assertOpen(self, ticket=None):
        ticket = ticket or self.ticket
        ticket.invalidate_recordset()
        self.assertEqual(ticket.stage_id, self.working)

    # === CLOSING === #

    def test_customer_closes_his_own_ticket(self):
        for method in ("post", "get"):
            ticket = self._make_ticket(stage_id=self.working.id)
            self.authenticate("lumen", "lumen")
            response = self._close(ticket.id, self.done.id, method)
            self.assertEqual(response.status_code, 302)
            self.assertTrue(response.headers["Location"].endswith(f"/my/ticket/{ticket.id}"))
            ticket.invalidate_recordset()
            self.assertEqual((ticket.stage_id, ticket.closed), (self.done, True))

    def test_customer_closes_no_ticket_of_another_company(self):
        self.authenticate("stranger", "stranger")
        for method in ("post", "get"):
            self.assertEqual(self._close(self.ticket.id, self.done.id, method).status_code, 404)
        self.assertOpen()

    def test_a_follower_of_another_company_does_not_close_it(self):
        self.ticket.message_subscribe(self.stranger_user.partner_id.ids)
        self.authenticate("stranger", "stranger")
        page = self.url_open(f"/my/ticket/{self.ticket.id}", allow_redirects=False)
        self.assertEqual(page.status_code, 200)
        self.assertEqual(self._close(self.ticket.id, self.done.id).status_code, 404)
        self.assertOpen()

    def test_staff_close_tickets_and_others_inside_do_not(self):
        new_test_user(
            self.env(su=True), "worker", "helpdesk_mgmt.group_helpdesk_user", **self.company_vals
        )
        new_test_user(self.env(su=True), "cook", "base.group_user", **self.company_vals)
        self.authenticate("cook", "cook")
        self.assertEqual(self._close(self.ticket.id, self.done.id).status_code, 404)
        self.assertOpen()
        self.authenticate("worker", "worker")
        self.assertEqual(self._close(self.ticket.id, self.done.id).status_code, 302)
        self.ticket.invalidate_recordset()
        self.assertEqual(self.ticket.stage_id, self.done)

    def test_anonymous_is_sent_to_the_login(self):
        response = self._close(self.ticket.id, self.done.id, "get")
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])
        self.assertOpen()

    def test_numbers_that_are_none_are_not_found(self):
        self.authenticate("lumen", "lumen")
        for number in ("", "x", "-1", "0", "99999999", "9" * 30, "1.5"):
            self.assertEqual(self._close(number, self.done.id).status_code, 404, number)
        response = self.url_open("/ticket/close", allow_redirects=False)
        self.assertEqual(response.status_code, 404)

    def test_stages_that_the_portal_may_not_set_change_nothing(self):
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Elsewhere", "company_id": self.company.id}
        )
        foreign = self.done.copy({"name": "Theirs", "team_ids": [(6, 0, team.ids)]})
        hidden = self.done.copy({"name": "Hidden", "close_from_portal": False})
        self.authenticate("lumen", "lumen")
        for stage in (foreign.id, hidden.id, "x", "", 99999999):
            self.assertEqual(self._close(self.ticket.id, stage).status_code, 302)
            self.assertOpen()

    def test_a_closed_ticket_stays_as_it_was_closed(self):
        """Else a customer turns what is done into cancelled, which returns his incident."""
        self.ticket.stage_id = self.done
        self.authenticate("lumen", "lumen")
        self._close(self.ticket.id, self.other_done.id)
        self.ticket.invalidate_recordset()
        self.assertEqual(self.ticket.stage_id, self.done)

    def test_another_site_closes_nothing(self):
        self.authenticate("lumen", "lumen")
        self._close(self.ticket.id, self.done.id, "get", {"Sec-Fetch-Site": "cross-site"})
        self.assertOpen()
        with mute_logger("odoo.http"):
            data = {"ticket_id": self.ticket.id, "stage_id": self.done.id}
            response = self.url_open("/ticket/close", data=data, allow_redirects=False)
        self.assertEqual(response.status_code, 400)
        self.assertOpen()

    def test_the_button_on_the_page_closes(self):
        self.authenticate("lumen", "lumen")
        page = html.fromstring(self.url_open(f"/my/ticket/{self.ticket.id}").text)
        form = next(
            form
            for form in page.forms
            if form.action == "/ticket/close" and form.fields["stage_id"] == str(self.done.id)
        )
        self.assertEqual(form.method, "POST")
        self.url_open(form.action, data=dict(form.fields))
        self.ticket.invalidate_recordset()
        self.assertTrue(self.ticket.closed)

    # === SUBMITTING === #

    def _submit(self, **vals):
        data = {
            "csrf_token": http.Request.csrf_token(self),
            "subject": "My printer <burns>",
            "description": "First line\nSecond line",
        }
        return self.url_open("/submitted/ticket", data=data | vals)

    def _show_teams(self):
        self.company.sudo().helpdesk_mgmt_portal_select_team = True
        self.paid_team = self.env["helpdesk.ticket.team"].create(
            {
                "name": "Experts",
                "company_id": self.company.id,
                "requires_incident": True,
                "show_in_portal": True,
            }
        )
        self.team.show_in_portal = True

    def _count_tickets(self):
        return self.env["helpdesk.ticket"].search_count([("name", "ilike", "My printer")])

    def test_refused_customer_reads_why_and_loses_nothing(self):
        """B28: without incidents it is refused with that information."""
        self._show_teams()
        self.authenticate("lumen", "lumen")
        response = self._submit(team=self.paid_team.id)
        page = html.fromstring(response.text)
        text = page.xpath("//div[contains(@class, 'o_support_refused')]")[0].text_content()
        self.assertIn("Your ticket was not sent", text)
        self.assertIn("Experts takes one support incident per ticket, and you have none left", text)
        self.assertNotIn("Grant or sell", text)
        form = next(form for form in page.forms if form.action == "/submitted/ticket")
        self.assertEqual(form.fields["subject"], "My printer <burns>")
        self.assertEqual(form.fields["description"].strip(), "First line\nSecond line")
        self.assertEqual(form.fields["team"], str(self.paid_team.id))
        self.assertEqual(self._count_tickets(), 0)
        self.assertFalse(self.env["ir.attachment"].search([("name", "=", "photo.png")]))

    def test_other_teams_stay_usable_from_the_same_page(self):
        self._show_teams()
        self.authenticate("lumen", "lumen")
        page = html.fromstring(self._submit(team=self.paid_team.id).text)
        form = next(form for form in page.forms if form.action == "/submitted/ticket")
        response = self._submit(**dict(form.fields) | {"team": self.team.id})
        self.assertIn("/my/ticket/", response.url)
        self.assertEqual(self._count_tickets(), 1)

    def test_customer_without_a_contract_reads_what_to_do(self):
        self._show_teams()
        self.team.support_no_contract_policy = "refuse"
        self.authenticate("lumen", "lumen")
        response = self._submit(team=self.team.id)
        self.assertIn("takes tickets only under a support contract", response.text)
        self.assertNotIn("Make a contract first", response.text)
        self.assertEqual(self._count_tickets(), 0)

    def test_attachments_are_asked_for_again(self):
        self._show_teams()
        self.authenticate("lumen", "lumen")
        response = self.url_open(
            "/submitted/ticket",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "subject": "My printer",
                "description": "x",
                "team": self.paid_team.id,
            },
            files={"attachment": ("photo.png", b"abc", "image/png")},
        )
        self.assertIn("add your attachments again", response.text)

    def test_customer_with_an_incident_is_served(self):
        self._show_teams()
        self._make_grant(incidents=1)
        self.authenticate("lumen", "lumen")
        self.assertIn("/my/ticket/", self._submit(team=self.paid_team.id).url)
        self.assertEqual(self._submit(team=self.paid_team.id).status_code, 422)
        self.assertEqual(self._count_tickets(), 1)

    def test_reloading_the_page_shows_the_empty_form(self):
        self.authenticate("lumen", "lumen")
        response = self.url_open("/submitted/ticket")
        self.assertTrue(response.url.endswith("/new/ticket"))
        self.assertEqual(response.status_code, 200)

    def test_values_that_are_no_numbers_are_left_out(self):
        self._show_teams()
        self.authenticate("lumen", "lumen")
        self.assertEqual(self._submit(team="x", category="'").status_code, 200)
        self.assertEqual(self._count_tickets(), 1)

    # === THE CHARGE === #

    def _get_charge_shown(self, ticket, url=None):
        page = html.fromstring(self.url_open(url or f"/my/ticket/{ticket.id}").text)
        return " ".join(
            node.text_content()
            for node in page.xpath("//*[contains(@class, 'o_support_ticket_charge')]")
        )

    def test_customer_sees_what_he_is_charged(self):
        """B6: at the top of his ticket."""
        self.authenticate("lumen", "lumen")
        self.assertEqual(self._get_charge_shown(self.ticket), "")
        self.ticket.sudo().charge_amount = 12.5
        self.assertIn("12.50", self._get_charge_shown(self.ticket))
        self.authenticate(None, None)
        link = self.ticket.get_portal_url()
        self.assertIn("12.50", self._get_charge_shown(self.ticket, link))

    def test_a_follower_of_another_company_does_not_see_it(self):
        self.ticket.sudo().charge_amount = 12.5
        self.ticket.message_subscribe(self.stranger_user.partner_id.ids)
        self.authenticate("stranger", "stranger")
        self.assertEqual(self._get_charge_shown(self.ticket), "")
