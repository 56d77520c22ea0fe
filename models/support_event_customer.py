# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import SQL

from .support_event import PAYMENT_KINDS

NOTED = "support_contract.events"


class SupportEvent(models.Model):
    """What happened in a transaction is looked at once, at its end; and new customers.

    New is who gets portal access, a confirmed order, a contract or a posted invoice for the
    first time, as a commercial partner of a company. Being imported isn't an event.
    """

    _inherit = "support.event"

    # === WHAT HAPPENED === #

    @api.model
    def _note(self, what, key, facts):
        """Note for whom to look, when the transaction ends or is flushed.

        :param str what: "payments", or "customers" for who may be new
        :param tuple key: (company id, commercial partner id)
        :param dict facts: {payment id: name}, or {(model, id): True}
        """
        precommit = self.env.cr.precommit
        if NOTED not in precommit.data:
            precommit.data[NOTED] = {"payments": {}, "customers": {}}
            # Without the caller's context: its defaults are not for grants.
            lang = self.env.context.get("lang")
            events = self.env["support.event"].with_env(self.env(context={"lang": lang}))
            precommit.add(events._run_noted)
        precommit.data[NOTED][what].setdefault(key, {}).update(facts)

    @api.model
    def _run_noted(self):
        """Give and take back what follows from everything noted."""
        noted = self.env.cr.precommit.data.pop(NOTED, None)
        if noted is None:
            return
        # sudo: an accountant's payment, or a customer's own order, gives units.
        if noted["payments"]:
            self.env["support.event.tally"].sudo()._sync(noted["payments"])
        if noted["customers"]:
            self.sudo()._welcome(noted["customers"])

    @api.model
    def _note_customers(self, records, get_partner):
        """Note that something happened that makes a customer of a stranger.

        :param records: users, orders, contracts or invoices
        :param get_partner: function that returns the contact of one
        """
        kinds = self._get_kinds()
        if not kinds or self.env.context.get("import_file"):
            return
        for record in records.sudo():  # whose it is; whoever does this may not read contacts
            partner = get_partner(record).commercial_partner_id
            if partner and "new_customer" in kinds.get(record.company_id.id, ()):
                key = record.company_id.id, partner.id
                self._note("customers", key, {(record._name, record.id): True})

    @api.model
    def _note_merged(self, partner):
        """Note a customer into whom others were merged, in every company with events."""
        for company, kinds in self._get_kinds().items():
            if kinds.intersection(PAYMENT_KINDS):
                self._note("payments", (company, partner.commercial_partner_id.id), {})

    # === NEW CUSTOMERS === #

    @api.model
    def _welcome(self, noted):
        """Give new customers what events give them, once; constant queries.

        :param dict noted: {(company id, commercial partner id): {(model, id): True}}: what has
            just happened; everything else about the customer happened earlier
        """
        today = fields.Date.context_today(self)
        events = self.search(
            [
                ("kind", "=", "new_customer"),
                ("company_id", "in", list({company for company, _partner in noted})),
                ("date_from", "<=", today),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", today),
            ]
        )
        if not events:
            return
        self.env.flush_all()
        known = self._find_known(noted)
        pairs = [
            (event, partner)
            for company, partner in noted
            if (company, partner) not in known
            for event in events
            if event.company_id.id == company
        ]
        tallies = self.env["support.event.tally"]
        customers = tallies._browse_together(partner for _event, partner in pairs)
        tallies._write_rows(
            [
                (event.id, partner, event.company_id.id, 0, event.quantity)
                for event, partner in pairs
            ]
        )
        self.env["support.entitlement"]._grant(
            [
                tallies._prepare_grant(event, customers[partner], event.quantity, "")
                for event, partner in pairs
            ]
        )

    @api.model
    def _find_known(self, noted):
        """Return who was a customer before: {(company id, partner id)}."""
        just_now = {"res.users": [0], "sale.order": [0], "support.contract": [0]}
        just_now["account.move"] = [0]
        for facts in noted.values():
            for model, record in facts:
                just_now[model].append(record)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT pair.company, pair.partner
                  FROM (VALUES %(pairs)s) AS pair (company, partner)
                 WHERE EXISTS (
                       SELECT 1 FROM res_partner contact
                         JOIN sale_order ON sale_order.partner_id = contact.id
                        WHERE contact.commercial_partner_id = pair.partner
                          AND sale_order.company_id = pair.company AND sale_order.state = 'sale'
                          AND sale_order.id NOT IN %(orders)s)
                    OR EXISTS (
                       SELECT 1 FROM support_contract contract
                        WHERE contract.commercial_partner_id = pair.partner
                          AND contract.company_id = pair.company
                          AND contract.state NOT IN ('draft', 'cancelled')
                          AND contract.id NOT IN %(contracts)s)
                    OR EXISTS (
                       SELECT 1 FROM account_move move
                        WHERE move.commercial_partner_id = pair.partner
                          AND move.company_id = pair.company AND move.state = 'posted'
                          AND move.move_type = 'out_invoice' AND move.id NOT IN %(moves)s)
                    OR EXISTS (
                       SELECT 1 FROM res_partner contact
                         JOIN res_users user_ ON user_.partner_id = contact.id
                         JOIN res_groups_users_rel rel ON rel.uid = user_.id
                        WHERE contact.commercial_partner_id = pair.partner
                          AND user_.company_id = pair.company AND rel.gid = %(portal)s
                          AND user_.id NOT IN %(users)s)
                    OR EXISTS (
                       SELECT 1 FROM support_entitlement grant_
                         JOIN support_event event ON event.id = grant_.event_id
                        WHERE grant_.partner_id = pair.partner
                          AND grant_.company_id = pair.company
                          AND event.kind = 'new_customer')
                """,
                pairs=SQL(", ").join(SQL("(%s, %s)", *pair) for pair in noted),
                orders=tuple(just_now["sale.order"]),
                contracts=tuple(just_now["support.contract"]),
                moves=tuple(just_now["account.move"]),
                users=tuple(just_now["res.users"]),
                portal=self.env.ref("base.group_portal").id,
            )
        )
        return set(rows)
