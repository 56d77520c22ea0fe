# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models

# What of a charge makes it another one for the customer.
SHOWN_FIELDS = ("kind", "name", "date", "quantity", "price_unit", "amount", "seconds", "cancelled")


class SupportBillDifference(models.Model):
    """One line of a new version of a bill beside what it was on the version before (C53).

    The lines of a version that isn't main yet are these, not charges: what the customer owes is
    in the ledger once, on the version that counts, until the new one takes its place.
    """

    _name = "support.bill.difference"
    _description = "Difference between Versions of a Support Bill"
    _order = "bill_id, sequence, id"
    _rec_name = "name"

    bill_id = fields.Many2one("support.bill", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="bill_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="bill_id.currency_id")
    sequence = fields.Integer()
    outcome = fields.Selection(
        [
            ("changed", "Changed"),
            ("added", "New"),
            ("removed", "Dropped"),
            ("same", "As before"),
            ("elsewhere", "Billed elsewhere"),
        ],
        required=True,
        readonly=True,
    )
    charge_id = fields.Many2one("support.charge", readonly=True, index=True, ondelete="set null")
    ticket_id = fields.Many2one("helpdesk.ticket", readonly=True, ondelete="set null", index=True)
    date = fields.Date(readonly=True)
    name = fields.Char(string="Description", required=True, readonly=True)
    quantity_old = fields.Float(digits="Product Unit", readonly=True, string="Quantity Before")
    quantity_new = fields.Float(digits="Product Unit", readonly=True, string="Quantity")
    price_old = fields.Float(digits="Product Price", readonly=True, string="Price Before")
    price_new = fields.Float(digits="Product Price", readonly=True, string="Price")
    amount_old = fields.Monetary(readonly=True, string="Before", help="Untaxed.")
    amount_new = fields.Monetary(readonly=True, string="Amount", help="Untaxed.")
    difference = fields.Monetary(compute="_compute_difference", store=True)
    remark = fields.Char(readonly=True, help="Where it is billed, if not here.")

    @api.depends("amount_old", "amount_new")
    def _compute_difference(self):
        for line in self:
            line.difference = line.amount_new - line.amount_old

    @api.model
    def _describe(self, charges):
        """Return what charges say now, as they are shown: {charge id: values}."""
        return {
            charge.id: {name: charge[name] for name in SHOWN_FIELDS}
            | {"ticket_id": charge.ticket_id.id}
            for charge in charges.sorted(lambda c: (c._get_bill_column(), c.date, c.id))
        }

    @api.model
    def _prepare_lines(self, before, after, elsewhere):
        """Return the lines of a version: what it has now, and what it had, and has no more.

        :param dict before, after: what `_describe` has returned of the two versions
        :param elsewhere: charges that belong to the same days but are billed elsewhere
        """
        lines = []
        for key in [*after, *(key for key in before if key not in after)]:
            old, new = before.get(key), after.get(key)
            old_counts = old and not old["cancelled"]
            new_counts = new and not new["cancelled"]
            if not old_counts and not new_counts:
                continue
            if not old_counts:
                outcome = "added"
            elif not new_counts:
                outcome = "removed"
            else:
                outcome = "same" if old == new else "changed"
            lines.append(
                {
                    "outcome": outcome,
                    "charge_id": key if old else False,  # a new one doesn't exist yet
                    **self._prepare_side("old", old if old_counts else None),
                    **self._prepare_side("new", new if new_counts else None),
                    **{name: (new or old)[name] for name in ("ticket_id", "date", "name")},
                    "remark": False,
                }
            )
        lines += [
            {
                "outcome": "elsewhere",
                "charge_id": charge.id,
                **self._prepare_side("old", None),
                **self._prepare_side("new", None),
                "ticket_id": charge.ticket_id.id,
                "date": charge.date,
                "name": charge.name,
                "remark": self._get_place(charge),
            }
            for charge in elsewhere
        ]
        return [vals | {"sequence": number} for number, vals in enumerate(lines)]

    @api.model
    def _prepare_side(self, side, described):
        described = described or dict.fromkeys(SHOWN_FIELDS, 0.0)
        return {
            f"quantity_{side}": described["quantity"],
            f"price_{side}": described["price_unit"],
            f"amount_{side}": described["amount"],
        }

    @api.model
    def _get_place(self, charge):
        """Return in words where a charge is billed, and with how much."""
        amount = charge.currency_id.format(charge.amount)
        if charge.bill_id:
            return self.env._("%(amount)s on %(bill)s", amount=amount, bill=charge.bill_id.name)
        if charge.billing_term_id:
            return self.env._(
                "%(amount)s, to be billed in %(term)s",
                amount=amount,
                term=charge.billing_term_id.display_name,
            )
        return self.env._("%s, to be billed at once", amount)

    @api.model
    def _get_signature(self, lines):
        """Return what must be the same for two computations of a version to be the same.

        :param lines: values of lines, or the lines
        """
        names = ("outcome", "name", "amount_old", "amount_new", "quantity_new", "price_new")
        return sorted(
            (
                charge if isinstance(charge := line["charge_id"], int) else charge.id or 0,
                *(
                    round(line[name], 6) if isinstance(line[name], float) else line[name]
                    for name in names
                ),
            )
            for line in lines
        )
