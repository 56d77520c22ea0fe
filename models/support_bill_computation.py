# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import models

from ..tools.consumption import earliest
from .support_charge import FEE_KINDS, FROZEN_STATES, MANUAL_KINDS, WORK_KINDS


class SupportBill(models.Model):
    """Computes the charges of a bill anew: fees by the products of now, work by the rates of now.

    What people decided (parts, credits, transfers, ticket charges …) stays as it is.
    """

    _inherit = "support.bill"

    def _compute_anew(self):
        """Make the charges of this open bill what they would be if it were made now.

        What was recorded late and waits for a later bill comes on this one; what is on another
        bill, or was moved to another term by hand, stays there.
        """
        self.ensure_one()
        self._take_in_late_charges()
        self._compute_work_anew()
        self._compute_rules_anew()
        if self.kind == "term":
            self._compute_fees_anew()

    def _get_usage_term(self):
        """Return the term whose work comes on this bill: in advance the one before its own.

        Terms that an earlier end has left behind have no work.
        """
        self.ensure_one()
        if self.kind != "term" or self.contract_id.billing_mode != "advance":
            return self.term_id if self.kind == "term" else self.term_id.browse()
        before = self.contract_id.term_ids.filtered(
            lambda term: term.number < self.term_id.number and term.kind != "void"
        )
        return before.sorted("number")[-1:]

    def _get_charges_of_days(self):
        """Return the charges incurred in the days of this bill, wherever they are billed."""
        self.ensure_one()
        charges = self.env["support.charge"]
        if self.kind != "term":
            return charges
        domain = [("contract_id", "=", self.contract_id.id), ("cancelled", "=", False)]
        return charges.search(
            [
                *domain,
                "|",
                "&",
                ("term_id", "=", self._get_usage_term().id or 0),
                ("kind", "in", (*WORK_KINDS, *MANUAL_KINDS, "rule")),
                "&",
                ("term_id", "=", self.term_id.id),
                ("kind", "in", FEE_KINDS),
            ]
        )

    def _take_in_late_charges(self):
        late = self._get_charges_of_days().filtered(
            lambda charge: charge.state == "open" and charge._may_come_on(self)
        )
        late.write({"bill_id": self.id, "billing_term_id": self.term_id.id})

    # === WORK === #

    def _compute_work_anew(self):
        """Rate the work of this bill from scratch, and have it draw its units anew."""
        work = self.charge_ids.filtered(lambda c: c.kind in WORK_KINDS and not c.cancelled)
        lines = work.time_entry_id
        tickets = work.filtered(lambda charge: not charge.time_entry_id).ticket_id
        # What of it is billed elsewhere, too, and frozen there, can't be decided anew.
        lines, tickets = lines - lines._get_frozen(), tickets - tickets._get_frozen()
        if not lines and not tickets:
            return
        known = self._get_work_charges(lines, tickets)
        before = [*lines._get_pool_starts().items(), *tickets._get_pool_starts().items()]
        self.env.add_to_compute(lines._fields["rated_pieces"], lines)
        self.env.flush_all()
        gone = lines.filtered(lambda line: not (line.support_contract_id and line.billable_seconds))
        after = [*lines._get_pool_starts().items(), *tickets._get_pool_starts().items()]
        self.env["support.consumption"]._reallocate(earliest([*before, *after]), leaving=gone)
        gone.charge_ids.filtered(
            lambda charge: not charge.cancelled and charge.state not in FROZEN_STATES
        )._withdraw()
        new = self._get_work_charges(lines, tickets) - known
        mine = new.filtered(
            lambda charge: charge.state == "open" and charge.contract_id == self.contract_id
        )
        mine.write({"bill_id": self.id, "billing_term_id": self._get_billing_term_id()})

    def _get_work_charges(self, lines, tickets):
        return self.env["support.charge"].search(
            [
                ("kind", "in", WORK_KINDS),
                "|",
                ("time_entry_id", "in", lines.ids),
                "&",
                ("time_entry_id", "=", False),
                ("ticket_id", "in", tickets.ids),
            ]
        )

    def _compute_rules_anew(self):
        """Price the tickets of this bill by the bill rules of now."""
        tickets = self.charge_ids.ticket_id
        charges = self.env["support.charge"]
        domain = [("ticket_id", "in", tickets.ids), ("kind", "=", "rule")]
        known = charges.search(domain)
        charges._sync_rules(tickets, late=True)
        new = (charges.search(domain) - known).filtered(
            lambda charge: (
                charge.state == "open"
                and charge.contract_id == self.contract_id
                and charge.term_id == self._get_usage_term()
            )
        )
        new.write({"bill_id": self.id, "billing_term_id": self.term_id.id})

    def _get_billing_term_id(self):
        """Return in which term the charges of this bill are billed."""
        return self.term_id.id if self.kind == "term" else self.charge_ids.billing_term_id[:1].id

    # === FEES === #

    def _compute_fees_anew(self):
        term = self.term_id
        if not term.charged:
            return
        term._keep_discount()
        for line in self.contract_id.line_ids | self.charge_ids.contract_line_id:
            self._compute_fee_anew(line, term)

    def _compute_fee_anew(self, line, term):
        """Charge a recurring product in a term as it is now.

        Where a part of it is billed elsewhere (the change was settled on a later bill), only what
        is still missing is added; what a manager has given up stays so.
        """
        charges = self.env["support.charge"].search(
            [("contract_line_id", "=", line.id), ("term_id", "=", term.id)]
        )
        if any(charges.mapped("cancelled_at")):
            return
        charges = charges.filtered(lambda charge: not charge.cancelled)
        mine = charges.filtered(lambda charge: charge.bill_id == self)
        wanted = term._prepare_fees(line) if line in self.contract_id.line_ids else []
        elsewhere = line._get_charged_elsewhere(term)
        if charges == mine and not elsewhere:
            self._replace_fees(mine, wanted)
            return
        missing = sum(vals["amount"] for vals in wanted) - sum(charges.mapped("amount"))
        missing -= elsewhere
        if not self.currency_id.is_zero(missing):
            vals = line._prepare_difference(term, missing)
            charges.create(vals | {"bill_id": self.id, "billing_term_id": self.term_id.id})

    def _replace_fees(self, charges, wanted):
        """Make the fees of one product on this bill those wanted; what stays keeps who it is."""
        recurring = charges.filtered(lambda charge: charge.kind == "recurring")
        by_day = {charge.date: charge for charge in recurring}
        new = []
        for vals in wanted:
            charge = by_day.pop(vals["date"], None)
            if charge is None:
                new.append(vals | {"bill_id": self.id})
                continue
            if any(charge._differs(name, value) for name, value in vals.items()):
                charge.write(vals)
        obsolete = charges - recurring
        obsolete = obsolete.concat(*by_day.values())
        obsolete.unlink()
        charges.create(new)
