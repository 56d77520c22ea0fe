# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""A wizard is of the one who has opened it: nobody else reads, changes or runs it.

Odoo leaves that to rules. The tests go over all transient models, so that none is forgotten.
"""

from odoo.exceptions import AccessError
from odoo.fields import Command, Domain
from odoo.tests import freeze_time, new_test_user

from .common import SupportCommon


@freeze_time("2026-03-10 12:00:00")
class TestAccessWizards(SupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract = cls._make_contract()
        cls.other = new_test_user(
            cls.env(su=True),
            "other_manager",
            "support_contract.group_support_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _get_wizards(self):
        """Our own transient models that have a table."""
        names = self.env["ir.model"].sudo().search([("transient", "=", True)]).mapped("model")
        wizards = [
            self.env[name]
            for name in names
            if self.env[name]._original_module == "support_contract"
            and not self.env[name]._abstract
        ]
        self.assertGreater(len(wizards), 20)
        return wizards

    def test_each_has_the_rule(self):
        """For everybody, and for reading, writing, running and deleting."""
        rules = self.env["ir.rule"].with_user(self.other)
        others = Domain("create_uid", "!=", self.other.id)
        for operation in ("read", "write", "create", "unlink"):
            open_to_others = [
                wizard._name
                for wizard in self._get_wizards()
                if not (rules._compute_domain(wizard._name, operation) & others)
                .optimize_full(wizard.sudo())
                .is_false()
            ]
            self.assertEqual(open_to_others, [], operation)

    def test_each_has_access_for_somebody(self):
        """A wizard without a row in the list of rights could be opened by nobody."""
        access = self.env["ir.model.access"].sudo()
        for wizard in self._get_wizards():
            self.assertTrue(access.search_count([("model_id.model", "=", wizard._name)]), wizard)

    def test_nobody_meets_a_wizard_of_another(self):
        """The rules at work, on wizards that need little to be opened."""
        vals = {"contract_id": self.contract.id, "reason": "Secret"}
        wizards = [
            self.env["support.suspend.wizard"].create(vals | {"date_from": "2026-03-10"}),
            self.env["support.clone.wizard"].create(
                vals | {"partner_ids": [Command.set(self.customer.ids)]}
            ),
            self.env["support.cancel.wizard"].create(vals),
            self.env["support.undo.termination.wizard"].create(vals),
            self.env["support.hold.wizard"].create(
                {"partner_id": self.customer.id, "reason": "Secret"}
            ),
        ]
        for wizard in wizards:
            self.assertTrue(wizard.read(["create_uid"]))
            theirs = wizard.with_user(self.other)
            self.assertFalse(theirs.search([]), wizard)
            for call in (
                theirs.read,
                theirs.unlink,
                lambda theirs=theirs: theirs.write({"create_uid": self.other.id}),
            ):
                with self.assertRaises(AccessError, msg=wizard):
                    call()
