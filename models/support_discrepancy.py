# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import SQL

from .support_entitlement_entry import COUNTER_OF_KIND


class SupportDiscrepancy(models.Model):
    """Something that a proof found not to be equal. It is listed, never silently repaired."""

    _name = "support.discrepancy"
    _description = "Difference Found by a Proof"
    _order = "id desc"
    _rec_name = "description"

    contract_id = fields.Many2one("support.contract", index=True, ondelete="cascade")
    entitlement_id = fields.Many2one("support.entitlement", ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, index=True)
    check = fields.Selection(
        [
            ("counters", "Counters of a grant = its entries"),
            ("work", "Entries = what tickets and time entries say"),
            ("charges", "Charges = bill"),
            ("invoices", "Bill = invoice"),
        ],
        required=True,
    )
    description = fields.Char(required=True)
    expected = fields.Float()
    found = fields.Float()
    found_at = fields.Datetime(default=fields.Datetime.now, required=True)

    @api.model
    def _prove(self, contracts):
        """Prove contracts and list what differs; earlier findings about them are replaced.

        :return: the differences
        """
        self.search([("contract_id", "in", contracts.ids)]).unlink()
        if not contracts:
            return self
        self.env.flush_all()
        grants = self.env["support.entitlement"].search([("contract_id", "in", contracts.ids)])
        differences = self.create(
            [
                *self._check_counters(grants),
                *self._check_work(contracts),
                *self._check_bills([("contract_id", "in", contracts.ids)]),
            ]
        )
        return differences | self._prove_without_contract(contracts.commercial_partner_id)

    @api.model
    def _prove_without_contract(self, partners):
        """Prove what customers have that belongs to no contract: grants, incidents, bills.

        :return: the differences
        """
        domain = [("contract_id", "=", False), ("partner_id", "in", partners.ids)]
        self.search(domain).unlink()
        self.env.flush_all()
        grants = self.env["support.entitlement"].search(domain)
        tickets = [("contract_id", "=", False), ("commercial_partner_id", "in", partners.ids)]
        return self.create(
            [
                *self._check_counters(grants),
                *self._check_tickets(tickets),
                *self._check_bills(domain),
            ]
        )

    @api.model
    def _check_counters(self, grants):
        """Counters = entries, for every counter of every grant."""
        rows = self.env["support.entitlement.entry"]._read_group(
            [("entitlement_id", "in", grants.ids)], ["entitlement_id", "kind"], ["quantity:sum"]
        )
        sums = {}
        for grant, kind, quantity in rows:
            counter, sign = COUNTER_OF_KIND[kind]
            sums[grant, counter] = sums.get((grant, counter), 0) + sign * quantity
        for grant in grants:
            for counter in ("quantity", "used", "lapsed"):
                expected = sums.get((grant, counter), 0)
                if grant[counter] != expected:
                    label = grant._fields[counter]._description_string(self.env)
                    yield {
                        "check": "counters",
                        "contract_id": grant.contract_id.id,
                        "entitlement_id": grant.id,
                        "partner_id": grant.partner_id.id,
                        "company_id": grant.company_id.id,
                        "expected": expected,
                        "found": grant[counter],
                        "description": self.env._(
                            "%(grant)s: “%(counter)s” isn't the sum of its entries.",
                            grant=grant.name,
                            counter=label,
                        ),
                    }

    @api.model
    def _check_work(self, contracts):
        """Entries = what was covered: of each time entry, its covered charges, and each ticket."""
        rows = self.env.execute_query(
            SQL(
                """
                WITH drawn AS (
                    SELECT time_entry_ref AS line, -SUM(quantity) AS units
                      FROM support_entitlement_entry
                     WHERE time_entry_ref IS NOT NULL AND kind IN ('draw', 'return')
                     GROUP BY time_entry_ref
                    HAVING SUM(quantity) <> 0
                )
                SELECT line.support_contract_id, line.id, COALESCE(drawn.units, 0),
                       COALESCE(SUM(charge.units), 0)
                  FROM account_analytic_line line
                  LEFT JOIN drawn ON drawn.line = line.id
                  LEFT JOIN support_charge charge ON charge.time_entry_id = line.id
                       AND charge.cancelled IS NOT TRUE AND charge.active
                 WHERE line.support_contract_id IN %s
                 GROUP BY line.support_contract_id, line.id, drawn.units
                HAVING COALESCE(drawn.units, 0) <> COALESCE(SUM(charge.units), 0)
                """,
                tuple(contracts.ids),
            )
        )
        for contract_id, line_id, drawn, covered in rows:
            contract = contracts.browse(contract_id)
            line = self.env["account.analytic.line"].browse(line_id)
            yield self._prepare_difference(
                contract,
                "work",
                drawn,
                covered,
                self.env._(
                    "%(line)s of %(date)s drew other units than its charges say.",
                    line=line.name,
                    date=line.date,
                ),
            )
        yield from self._check_tickets([("contract_id", "in", contracts.ids)])

    @api.model
    def _check_tickets(self, domain):
        """Incidents drawn + charged = what the ticket takes, for the tickets of a domain."""
        # Archived ones too: their work has happened.
        tickets = (
            self.env["helpdesk.ticket"]
            .with_context(active_test=False)
            .search([*domain, ("incident_quantity", ">", 0)])
        )
        charged = dict(
            self.env["support.charge"]._read_group(
                [
                    ("ticket_id", "in", tickets.ids),
                    ("kind", "=", "incident"),
                    ("state", "!=", "cancelled"),
                ],
                ["ticket_id"],
                ["quantity:sum"],
            )
        )
        for ticket in tickets:
            found = ticket.consumed_incidents + charged.get(ticket, 0)
            if found != ticket.incident_demand:
                yield self._prepare_difference(
                    ticket,
                    "work",
                    ticket.incident_demand,
                    found,
                    self.env._(
                        "%s takes other incidents than it drew and was charged.",
                        ticket.display_name,
                    ),
                )

    @api.model
    def _check_bills(self, domain):
        """Σ charges = bill = Σ untaxed invoice lines, for every bill; Σ bills = untaxed invoice.

        The invoice line of a ticket charge comes to its amount with taxes, to the cent.
        """
        bills = self.env["support.bill"].search(domain)
        for bill in bills:
            charges = bill._get_charges()
            text = self.env._("The bill %s isn't the sum of its charges.", bill.name)
            yield from self._compare(
                bill, "charges", sum(charges.mapped("amount")), bill.amount_untaxed, text
            )
            if bill.state == "invoiced":
                lines = charges.invoice_line_ids.filtered(
                    lambda line, bill=bill: line.move_id == bill.move_id
                )
                text = self.env._(
                    "The lines of %(invoice)s for the bill %(bill)s have another total.",
                    invoice=bill.move_id.display_name,
                    bill=bill.name,
                )
                invoiced = bill.move_id._get_support_sign() * sum(lines.mapped("price_subtotal"))
                yield from self._compare(bill, "invoices", bill.amount_untaxed, invoiced, text)
                yield from self._check_ticket_charges(bill, lines)
        for move in bills.filtered(lambda bill: bill.state == "invoiced").move_id:
            lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
            if all(line.support_charge_id for line in lines):
                text = self.env._("%s isn't the sum of its bills.", move.display_name)
                total = sum(move.support_bill_ids.mapped("amount_untaxed"))
                invoiced = move._get_support_sign() * move.amount_untaxed
                yield from self._compare(
                    move.support_bill_ids[0], "invoices", total, invoiced, text
                )

    @api.model
    def _check_ticket_charges(self, bill, lines):
        for line in lines.filtered(lambda line: line.support_charge_id.kind == "ticket"):
            text = self.env._(
                "%(invoice)s charges %(charge)s with another amount, taxes included.",
                invoice=bill.move_id.display_name,
                charge=line.support_charge_id.name,
            )
            invoiced = bill.move_id._get_support_sign() * line.price_total
            expected = line.support_charge_id.amount_total
            yield from self._compare(bill, "invoices", expected, invoiced, text)

    @api.model
    def _compare(self, bill, check, expected, found, text):
        if bill.currency_id.compare_amounts(expected, found):
            yield self._prepare_difference(bill, check, expected, found, text)

    @api.model
    def _prepare_difference(self, owner, check, expected, found, description):
        """Return the values of a difference on a contract, or on what may have one."""
        contract = owner if owner._name == "support.contract" else owner.contract_id
        return {
            "check": check,
            "contract_id": contract.id,
            "partner_id": owner.partner_id.commercial_partner_id.id,
            "company_id": owner.company_id.id,
            "expected": expected,
            "found": found,
            "description": description,
        }

    @api.model
    def _cron_prove(self, batch_size=200):
        """Prove all contracts, a batch per transaction; then the customers without any."""
        contracts = self.env["support.contract"].search([], order="id")
        cron = self.env["ir.cron"]
        loose = [("contract_id", "=", False), ("partner_id.support_contract_ids", "=", False)]
        partners = self.env["support.bill"].search(loose).partner_id
        partners |= self.env["support.entitlement"].search(loose).partner_id
        cron._commit_progress(remaining=len(contracts) + len(partners))
        for records, prove in ((contracts, self._prove), (partners, self._prove_without_contract)):
            for start in range(0, len(records), batch_size):
                batch = records[start : start + batch_size]
                prove(batch)
                if not cron._commit_progress(len(batch)):
                    return
