# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Who wants to is told when a contract is made (Y63)."""

from odoo.tests import new_test_user, tagged

from .common import SupportCommon


@tagged("post_install", "-at_install")
class TestContractMade(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context={"tracking_disable": False, "mail_create_nolog": False, "mail_notrack": False}
        )
        cls.made = cls.env.ref("support_contract.mt_contract_made")
        cls.watcher, cls.other = (
            cls._make_user(login, "support_contract.group_support_user").partner_id
            for login in ("watcher", "other")
        )
        cls.customer = cls.customer.with_env(cls.env)
        cls.customer.message_subscribe(
            cls.watcher.ids, cls.env.ref("support_contract.mt_partner_contract_made").ids
        )
        cls.customer.message_subscribe(cls.other.ids)

    @classmethod
    def _make_user(cls, login, groups):
        user = new_test_user(cls.env(su=True), login, groups, company_id=cls.company.id)
        return user.with_env(cls.env)

    def _get_made(self, contract):
        return contract.message_ids.filtered(lambda message: message.subtype_id == self.made)

    def test_who_follows_the_customer_for_it_is_told_and_nobody_else(self):
        contract = self._make_contract(confirm=False)
        self.assertFalse(self._get_made(contract))
        contract.action_confirm()
        self.assertEqual(self._get_made(contract).notified_partner_ids, self.watcher)
        follower = contract.message_follower_ids.filtered(lambda f: f.partner_id == self.watcher)
        self.assertEqual(follower.subtype_ids, self.made)
        self.assertNotIn(self.other, contract.message_partner_ids)

    def test_of_a_contract_with_a_department_too(self):
        department = self.env["res.partner"].create({"name": "IT", "parent_id": self.customer.id})
        contract = self._make_contract(partner=department)
        self.assertEqual(self._get_made(contract).notified_partner_ids, self.watcher)

    def test_customers_are_not_told(self):
        contact = self._make_customer("Contact")
        subtype = self.env.ref("support_contract.mt_partner_contract_made")
        self.customer.message_subscribe(contact.ids, subtype.ids)
        contract = self._make_contract()
        self.assertEqual(self._get_made(contract).notified_partner_ids, self.watcher)
        self.assertNotIn(contact, contract.message_partner_ids)

    def test_the_responsible_is_told_unless_he_has_made_it(self):
        responsible = self._make_user("boss", "support_contract.group_support_manager")
        contract = self._make_contract(user_id=responsible.id)
        told = self._get_made(contract).notified_partner_ids
        self.assertEqual(told, self.watcher | responsible.partner_id)
        self.customer.message_unsubscribe(self.watcher.ids)
        self.assertFalse(self._get_made(self._make_contract()))

    def test_it_is_made_once(self):
        contract = self._make_contract(start="2099-01-01")
        self.assertEqual(contract.state, "pending")
        contract.action_activate()
        contract.action_suspend()
        contract.action_resume()
        self.assertEqual(len(self._get_made(contract)), 1)
