# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from datetime import date

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import groupby

from ..tools.periods import ONE_DAY, Span, iter_terms, whole_term

MADE_FIELDS = ("kind", "date_start", "date_end")


class SupportContractTerm(models.Model):
    """Which terms a contract has: made as time passes, and corrected when its end moves.

    A term that an earlier end leaves behind goes, if nothing hangs on it. With charges or grants
    it stays as *void*: it costs nothing, so that what was charged for it comes back (ex. B39),
    and is a regular term again when the end moves back. The final term comes after such terms.
    """

    _inherit = "support.contract.term"

    def _make_missing(self, contracts, days):
        """Make the terms that are missing, and correct those that a moved end has changed.

        What is whole, closed and before the end stays as it is and isn't even read.
        """
        firsts = self._get_first_changeable(contracts)
        existing = self.search(
            Domain.OR(
                Domain("contract_id", "in", [contract.id for contract in group])
                & Domain("number", ">=", first)
                for first, group in groupby(contracts, firsts.get)
            )
        ).grouped("contract_id")
        vals_list = []
        for contract in contracts:
            terms = {term.number: term for term in existing.get(contract, ())}
            wanted = self._prepare_wanted(contract, terms, days[contract], firsts[contract])
            for vals in wanted.values():
                term = terms.get(vals["number"])
                if not term:
                    vals_list.append(vals)
                elif any(term[name] != vals[name] for name in MADE_FIELDS):
                    term.write(term._prepare_correction(vals, days[contract]))
            self._leave_behind(terms, wanted)
        return self.create(vals_list)

    def _get_first_changeable(self, contracts):
        """Return the number from which on terms can be missing or change: {contract: number}.

        Closed terms don't, but for the one that an earlier end has cut, before the final term,
        and what comes after an end that has moved nearer.
        """
        rows = self._read_group(
            [
                ("contract_id", "in", contracts.ids),
                "|",
                ("state", "=", "closed"),
                ("kind", "in", ("final", "void")),
            ],
            ["contract_id", "kind"],
            ["number:min", "number:max"],
        )
        found = {contract: [] for contract in contracts}
        for contract, kind, least, greatest in rows:
            found[contract].append(greatest + 1 if kind == "regular" else least - 1)
        for contract, numbers in found.items():
            if numbers and contract.date_end:
                numbers.append(contract._get_term_number(contract.date_end))
        return {
            contract: max(min(numbers, default=0), contract._get_first_number())
            for contract, numbers in found.items()
        }

    @api.model
    def _prepare_wanted(self, contract, terms, today, first):
        """Return the values of the terms that a contract should have: {number: values}.

        :param dict terms: the terms that it has: {number: term}
        :param int first: the number of the first one wanted
        """
        wanted = self._prepare_terms(contract, today, first)
        last = wanted[-1]
        number, ends = last["number"], last["kind"] == "final"
        stuck = [
            term.number
            for term in terms.values()
            # Asked only of those that are in the way, of which there mostly are none.
            if (term.number >= number and term.kind != "final" if ends else term.number > number)
            and term._is_stuck()
        ]
        if stuck and ends:
            last["number"] = max(stuck) + 1
        elif stuck:
            # The end has moved back: what was the final term is one of those still to come.
            months = int(contract.billing_period)
            span = whole_term(contract.date_start, months, max(stuck) - 1, contract.alignment)
            wanted = self._prepare_terms(contract, max(today, span.start), first)
        return {vals["number"]: vals for vals in wanted}

    def _prepare_correction(self, vals, today):
        """Return what to write on a term that is to become what the values say."""
        self.ensure_one()
        if vals["kind"] == "regular" and self.kind == "final":
            # It has been open, and billed, as what it wasn't: it begins anew.
            return {"state": "upcoming", "charged": False} | vals
        if vals["kind"] == "regular" and self.state == "closed" and vals["date_end"] >= today:
            return {"state": "open"} | vals
        return vals

    @api.model
    def _leave_behind(self, terms, wanted):
        """Void or delete the terms that a contract doesn't reach any more."""
        last = max(wanted)
        left = self.browse().concat(
            *(term for number, term in terms.items() if number not in wanted)
        )
        void = left.filtered(
            lambda term: (
                (term.number < last or term.state != "upcoming" or term._is_stuck())
                and term.contract_id.date_end
                and term.date_start > term.contract_id.date_end
            )
        )
        void.filtered(lambda term: term.kind != "void").write({"kind": "void"})
        heir = terms.get(last, self.browse())
        for term in left - void:
            if term.number > last and term.state == "upcoming" and not term._is_stuck():
                term._drop(heir)
        debts = void.billed_charge_ids.filtered(lambda charge: charge.state == "open")
        if debts and wanted[last]["kind"] == "final" and heir:
            debts.write({"billing_term_id": heir.id})

    def _is_stuck(self):
        """Return whether something hangs on this term that would go with it."""
        self.ensure_one()
        return bool(
            self.charge_ids or self.billed_charge_ids.bill_id or self.bill_ids
            or self.entitlement_ids
        )  # fmt: skip

    def _drop(self, heir):
        """Delete an upcoming term that the contract doesn't reach any more."""
        self.billed_charge_ids.write({"billing_term_id": heir.id})
        self.unlink()

    @api.model
    def _prepare_terms(self, contract, until, first):
        """Return the values of the terms that have begun by a day, and of the next one.

        :param int first: the number of the first one wanted
        """
        months = int(contract.billing_period)
        anchor, last = contract.date_start, contract.date_end or None
        until = max(until, contract._get_life().start)
        rows = list(iter_terms(anchor, months, contract.alignment, last, until, first))
        number = first + len(rows)
        following = whole_term(anchor, months, number, contract.alignment)
        if not last or following.start <= last:
            rows.append((number, following, following.clip(Span(anchor, last or date.max))))
            final = None
        else:
            final = Span(last + ONE_DAY, last + ONE_DAY)
        vals_list = [
            {
                "contract_id": contract.id,
                "number": number,
                "kind": "regular",
                "date_start": used.start,
                "date_end": used.end,
                "whole_start": whole.start,
                "whole_end": whole.end,
            }
            for number, whole, used in rows
        ]
        if final:
            vals_list.append(
                {
                    "contract_id": contract.id,
                    "number": number,
                    "kind": "final",
                    "date_start": final.start,
                    "date_end": final.end,
                    "whole_start": final.start,
                    "whole_end": final.end,
                }
            )
        return vals_list
