# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.helpdesk_mgmt.controllers.main import HelpdeskTicketController


class SupportTicketController(HelpdeskTicketController):
    """Helpdesk's portal routes: only for those whom the ticket concerns, refusals in words."""

    @http.route()
    def support_ticket_close(self, **kw):
        # OVERRIDE 'helpdesk_mgmt': there any user closes any ticket, by its number
        ticket = self._find_record("helpdesk.ticket", kw.get("ticket_id"))
        if not ticket or not self._may_close(ticket):
            raise request.not_found()
        stage = self._find_record("helpdesk.ticket.stage", kw.get("stage_id"))
        page = f"/my/ticket/{ticket.id}"
        allowed = stage and stage in self._get_closing_stages(ticket)
        if allowed and not self._comes_from_elsewhere():
            try:
                with request.env.cr.savepoint():
                    # sudo: customers can't write tickets; that this one may be closed by them
                    # into this stage has been asked.
                    ticket.sudo().stage_id = stage
            except UserError as error:
                return self._render_refusal(ticket, str(error), page)
        return request.redirect(page, code=302)

    @http.route()
    def create_new_ticket(self, **kw):
        # OVERRIDE 'helpdesk_mgmt': what was typed before a refusal is still there
        return super().create_new_ticket(**self._clean(kw))

    @http.route()
    def submit_ticket(self, **kw):
        # OVERRIDE 'helpdesk_mgmt': a ticket that is refused isn't an error page, and not lost
        if request.httprequest.method != "POST":  # the page was loaded again
            return request.redirect("/new/ticket")
        kw = self._clean(kw)
        try:
            with request.env.cr.savepoint():
                return super().submit_ticket(**kw)
        except UserError as error:
            values = self._get_create_new_ticket_values(**kw)
            response = request.render(
                "helpdesk_mgmt.portal_create_ticket",
                values | self._prepare_refused_values(kw, str(error)),
            )
            response.status_code = 422
            return response

    def _clean(self, kw):
        """Return the values of the form; what is no number where one belongs is left out."""
        numbers = ("category", "team")
        return {
            name: value
            for name, value in kw.items()
            if name not in numbers or str(value).isdecimal()
        }

    def _prepare_refused_values(self, kw, reason):
        """Return what the form shows again, with the reason why it was refused."""
        return {
            "refused": reason,
            "typed_subject": kw.get("subject"),
            "typed_description": kw.get("description"),
            "typed_team": kw.get("team"),
            "typed_category": kw.get("category"),
            "had_attachments": any(
                file.filename for file in request.httprequest.files.getlist("attachment")
            ),
        }

    def _find_record(self, model, number):
        """Return the record of that id that the user may read; none for anything else."""
        records = request.env[model]
        if not str(number or "").isdecimal() or len(str(number)) > 9:
            return records
        record = records.browse(int(number)).exists()
        return record if record and record.has_access("read") else records

    def _may_close(self, ticket):
        """Return whether the user works on the ticket, or it is one of his own company."""
        user = request.env.user
        own = ticket.sudo().commercial_partner_id == user.commercial_partner_id
        return own or (user._is_internal() and ticket.has_access("write"))

    def _get_closing_stages(self, ticket):
        """Return the stages into which the portal may bring an open ticket."""
        ticket = ticket.sudo()  # stages, as helpdesk shows them on the page
        if ticket.closed:
            return ticket.stage_id.browse()
        team = ticket.team_id.with_company(ticket.company_id)
        return team._get_applicable_stages().filtered("close_from_portal")

    def _comes_from_elsewhere(self):
        """Return whether a page of another site has made the browser call this address.

        Posted forms carry a token of their own; helpdesk's own buttons use GET.
        """
        return (
            request.httprequest.method == "GET"
            and request.httprequest.headers.get("Sec-Fetch-Site") == "cross-site"
        )

    def _render_refusal(self, ticket, reason, page):
        response = request.render(
            "support_contract.portal_refusal",
            {"reason": reason, "back": page, "page_name": "ticket", "ticket": ticket.sudo()},
        )
        response.status_code = 422
        return response
