# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging

from odoo import models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class SupportContract(models.Model):
    """Telling people something about a contract: by e-mail, and staff by an activity, too."""

    _inherit = "support.contract"

    def _get_noticed_staff(self):
        """Return the colleagues who are told; where nobody is named, who is responsible."""
        self.ensure_one()
        staff = (self.notice_user_ids or self.user_id).filtered(
            lambda user: (
                user.active
                and self.company_id in user.company_ids
                and user.has_group("support_contract.group_support_user")
            )
        )
        # Nobody is: whoever is at work, or, at night, whoever made the contract.
        return staff or (self.create_uid if self.env.user._is_superuser() else self.env.user)

    def _get_noticed_partners(self):
        """Return who is told outside: the primary contact, if wanted, and whoever is named."""
        self.ensure_one()
        contact = self._get_contact() if self.notice_customer else self.env["res.partner"]
        return contact | self.notice_partner_ids

    def _tell(self, template, subject, note, **facts):
        """Send the customer's e-mail, in his language; tell staff by e-mail and activity.

        An e-mail that can't be made, because somebody broke its template, is said in the activity:
        it never stops the work that led to it.

        :param str template: xmlid of the template for the customer
        :param str subject: of staff's e-mail and activity
        :param str note: the fact, in plain text, for staff
        :param facts: what the templates may say, as `ctx`
        :return: the partners who were told
        """
        self.ensure_one()
        staff = self._get_noticed_staff()
        wanted = self._get_noticed_partners()
        partners = wanted.filtered("email")
        problems = [
            self.env._("%s has no e-mail address and was not told.", partner.display_name)
            for partner in wanted - partners
        ]
        if partners and not self._send(template, partners, "mail.mt_comment", **facts):
            problems.append(self.env._("The e-mail to the customer failed: check its template."))
            partners = partners.browse()
        note = " ".join([note, *problems])
        self._send(
            "support_contract.mail_template_notice_staff",
            staff.partner_id,
            "mail.mt_note",
            notice_subject=subject,
            notice_text=note,
            notice_lang=staff[0].lang,
        )
        # They have got the e-mail; another one about the activity would be one too many.
        quiet = self.with_context(mail_activity_quick_update=True)
        for user in staff:
            quiet.activity_schedule(
                "mail.mail_activity_data_todo", summary=subject, note=note, user_id=user.id
            )
        return partners | staff.partner_id

    def _send(self, template, partners, subtype, **facts):
        """Send an e-mail to these partners and nobody else; return whether it could be made."""
        try:
            with self.env.cr.savepoint():
                self.with_context(**facts).message_post_with_source(
                    self.env.ref(template),
                    subtype_xmlid=subtype,
                    partner_ids=partners.ids,
                    notify_skip_followers=True,
                )
        except UserError:
            _logger.warning("%s failed for %s", template, self.display_name, exc_info=True)
            return False
        return True
