# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from decimal import Decimal
from fractions import Fraction

from odoo import api, models
from odoo.tools import float_compare

from ..tools import rating
from .support_charge import FROZEN_STATES, WORK_KINDS


class SupportCharge(models.Model):
    """The charges that follow from work: made, changed and withdrawn as it is rated."""

    _inherit = "support.charge"

    def _withdraw(self):
        """Delete charges whose work is gone; the bill they were on is looked at again.

        What a manager has cancelled stays visible as cancelled.
        """
        bills = self.bill_id
        self.filtered(lambda charge: not charge.cancelled_at).unlink()
        bills._charges_changed()

    @api.model
    def _sync_time(self, lines, allocations):
        """Make the charges of time entries what their rating and coverage say.

        :param dict allocations: {entry id: Allocation}; an entry without one has no charge
        """
        pieces = [piece for line in lines for piece in line.rated_pieces or []]
        rates = self.env["support.rate"].browse({rate for p in pieces for rate in p["rates"]})
        names = {rate.id: rate.name for rate in rates.exists() if rate.name}
        wanted = {}
        for line in lines:
            if line.id in allocations:
                charges = self._prepare_time(line, allocations[line.id], names)
                for sequence, vals in enumerate(charges):
                    wanted[line.id, sequence] = vals
        self._sync(wanted, [("time_entry_id", "in", lines.ids)], "time_entry_id")

    @api.model
    def _sync_tickets(self, tickets, allocations):
        """Make the incident charges of tickets what their coverage says."""
        wanted = {}
        for ticket in tickets:
            if ticket.id in allocations and ticket.contract_id:
                charges = self._prepare_incidents(ticket, allocations[ticket.id])
                for sequence, vals in enumerate(charges):
                    wanted[ticket.id, sequence] = vals
        domain = [("ticket_id", "in", tickets.ids), ("time_entry_id", "=", False)]
        self._sync(wanted, domain, "ticket_id")

    @api.model
    def _sync(self, wanted, domain, link, kinds=WORK_KINDS):
        """Create, update and delete unfrozen charges of work so that they are those wanted.

        :param dict wanted: {(id of the work, sequence): values}
        :param kinds: the kinds of charges that are compared
        """
        self._fill_terms(wanted.values())
        existing = self.search([*domain, ("kind", "in", kinds), ("state", "not in", FROZEN_STATES)])
        self._keep_carried_in_place(existing, wanted, link)
        obsolete, bills = self.browse(), self.env["support.bill"]
        for charge in existing:
            if charge.cancelled and charge._is_of_incident():
                continue  # incidents: their number says what is left
            vals = wanted.pop((charge[link].id, charge.sequence), None)
            if charge.cancelled:
                continue  # by a manager: it stays as it is
            if vals is None:
                obsolete += charge
                continue
            bill = charge.bill_id
            if charge.contract_id.id != vals["contract_id"]:
                vals["bill_id"] = False  # a bill is of one contract
            elif bill or charge._is_moved():
                vals.pop("billing_term_id")  # on a bill, or carried by hand: it stays there
            changes = {name: value for name, value in vals.items() if charge._differs(name, value)}
            if changes:
                charge.write(changes)
                bills |= bill
        bills |= obsolete.bill_id
        on_bill = self._get_bill_of_work(existing, link)
        new = [vals | on_bill(key[0], vals) | {"sequence": key[1]} for key, vals in wanted.items()]
        obsolete.unlink()
        bills |= self.create(new).bill_id
        bills.exists()._charges_changed()

    @api.model
    def _get_bill_of_work(self, existing, link):
        """Return a function that says on which open bill a new piece of some work comes.

        The pieces of one activity stay together: on the bill where its other ones are.
        """
        places = {
            (charge[link].id, charge.contract_id.id, charge.term_id.id): {
                "billing_term_id": charge.billing_term_id.id,
                "bill_id": charge.bill_id.id,
            }
            for charge in existing
            if charge.bill_id and not charge._is_moved()
        }

        def on_bill(work, vals):
            return places.get((work, vals["contract_id"], vals["term_id"]), {})

        return on_bill

    @api.model
    def _keep_carried_in_place(self, existing, wanted, link):
        """Have what was carried by hand stay what it was, where its place among the pieces changes.

        A debt that was carried to the next term doesn't become covered work there, and the debt
        a new charge here, only because some of the work before it is covered now.
        """
        for charge in existing.filtered("moved_by_id"):
            work, key = charge[link].id, (charge[link].id, charge.sequence)
            if key in wanted and wanted[key]["kind"] == charge.kind:
                continue
            for other, vals in wanted.items():
                if other[0] == work and vals["kind"] == charge.kind:
                    siblings = existing.filtered(lambda c, w=work: c[link].id == w) - charge
                    at_place = siblings.filtered(lambda c, s=other[1]: c.sequence == s)
                    at_place.sequence = charge.sequence
                    charge.sequence = other[1]
                    break

    def _differs(self, name, value):
        self.ensure_one()
        field = self._fields[name]
        current = self[name].id if field.type == "many2one" else self[name]
        if field.type == "float":
            _digits, decimals = field.get_digits(self.env)
            return float_compare(current, value, precision_digits=decimals) != 0
        if field.type == "monetary":
            return self.currency_id.compare_amounts(current, value) != 0
        return (current or False) != (value or False)

    @api.model
    def _prepare_time(self, line, allocation, names):
        """Return the charges of one entry: what is covered, at 0.00, then what is to be paid.

        The first of the billable time is covered; what each grant covers is a charge of its own
        (ex. D19). Pieces at the same price are one charge.

        :param dict names: {rate id: name}
        """
        draws = {}
        for grant, units in (*allocation.draws, *filter(None, [allocation.overdrawn])):
            draws[grant] = draws.get(grant, 0) + units
        charges, drawn, shown = [], 0, 0
        covered = [0] * len(line.rated_pieces)
        for units in list(draws.values()) or [0]:
            drawn += units
            if allocation.limited:
                covered = self._get_covered_seconds(line, drawn)
            seconds = sum(covered) - shown
            shown += seconds
            if seconds or units:
                charge = self._prepare_time_charge(line, "covered", seconds, "0", [])
                charges.append(charge | {"units": units})
        prices = {}
        for piece, seconds in zip(line.rated_pieces, covered, strict=True):
            if piece["seconds"] > seconds:
                kind = "overage" if allocation.limited and not piece.get("outside") else "labour"
                key = kind, piece["price"], tuple(piece["rates"])
                prices[key] = prices.get(key, 0) + piece["seconds"] - seconds
        charges.extend(
            self._prepare_time_charge(
                line, kind, seconds, price, [names[rate] for rate in rates if rate in names]
            )
            for (kind, price, rates), seconds in prices.items()
        )
        return charges

    @api.model
    def _get_covered_seconds(self, line, units):
        """Return how much of each piece of an entry so many units pay for, the first ones first."""
        return rating.cover(
            (
                rating.Claim(piece["seconds"], piece["units"], not piece.get("outside"))
                for piece in line.rated_pieces
            ),
            units,
        )

    @api.model
    def _prepare_time_charge(self, line, kind, seconds, price, names):
        contract, product = line.support_contract_id, line.activity_type_id.product_id
        day = line._get_day()
        price = Decimal(price)
        currency = contract.currency_id
        parts = [line.activity_type_id.name, *names, line.name if line.name != "/" else None]
        vals = {
            **self._prepare_work_charge(line.ticket_id, contract, day),
            "kind": kind,
            "name": " – ".join(filter(None, parts)),
            "product_id": product.id,
            "time_entry_id": line.id,
            "seconds": seconds,
            "units": 0,
            "quantity": rating.hours_of(seconds),
            "price_unit": float(price),
            "amount": float(rating.amount(seconds, price, Decimal(str(currency.rounding)))),
        }
        return self._discount(contract, vals, Fraction(price) * seconds / rating.HOUR)

    @api.model
    def _prepare_incidents(self, ticket, allocation):
        """Return the charges of a ticket's incidents: those covered, at 0.00, then the others."""
        contract = ticket.contract_id
        xmlid = "support_contract.product_support_incident"
        product = contract.incident_product_id or contract.incident_product_id.browse(
            self.env["ir.model.data"]._xmlid_to_res_id(xmlid)  # unlike ref() without a query
        )
        day = ticket._get_day()
        charge = {
            **self._prepare_work_charge(ticket, contract, day),
            "name": f"{product.display_name} – {ticket.display_name}",
            "product_id": product.id,
        }
        covered = allocation.get_covered()
        charges = []
        if covered:
            charges.append(
                charge
                | {
                    "kind": "covered",
                    "quantity": covered,
                    "units": covered,
                    "price_unit": 0.0,
                    "amount": 0.0,
                }
            )
        if allocation.rest:
            price = contract.incident_price or contract._get_product_price(product, day)
            vals = charge | {
                "kind": "incident",
                "quantity": allocation.rest,
                "price_unit": price,
                "amount": contract.currency_id.round(allocation.rest * price),
            }
            exact = Fraction(Decimal(str(price))) * allocation.rest
            charges.append(self._discount(contract, vals, exact))
        return charges

    @api.model
    def _prepare_work_charge(self, ticket, contract, day):
        return {
            "company_id": contract.company_id.id,
            "currency_id": contract.currency_id.id,
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "ticket_id": ticket.id,
            "date": day,
        }

    @api.model
    def _fill_terms(self, vals_list):
        """Complete charges of work with the term of their day and that on whose bill they come."""
        contracts = self.env["support.contract"].browse({vals["contract_id"] for vals in vals_list})
        contract_of = {contract.id: contract for contract in contracts}
        found = {}
        for vals in vals_list:
            contract_id, day = key = vals["contract_id"], vals["date"]
            if key not in found:
                contract = contract_of[contract_id]
                term = contract._get_term_on(day)
                found[key] = {
                    "term_id": term.id,
                    "billing_term_id": contract._get_billing_term(term).id,
                }
            vals.update(found[key])
