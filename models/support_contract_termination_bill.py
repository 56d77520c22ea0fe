# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models


class SupportCharge(models.Model):
    _inherit = "support.charge"

    termination_id = fields.Many2one(
        "support.contract.termination",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )


class SupportBill(models.Model):
    """Final bills: whatever is billed once the end of a contract is settled, and its versions."""

    _inherit = "support.bill"

    termination_id = fields.Many2one(
        "support.contract.termination",
        string="Final Bill of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    @api.model
    def _generate(self, contracts, until, run=None):
        """Return the final bills as well that the end of contracts brings at this moment."""
        # As there: who may make bills may have the date bring what it brings.
        ending = contracts.sudo().filtered(lambda c: c.termination_id.state == "planned")
        known = ending.bill_ids
        bills = super()._generate(contracts, until, run)
        final = ending.bill_ids - known - bills.sudo()
        if run:
            final.run_id = run
        return bills | final.sudo(False)

    @api.model
    def _prepare_bill(self, contract_id, term_id, extra, until, run):
        ending = self.env["support.contract"].browse(contract_id).termination_id
        values = super()._prepare_bill(contract_id, term_id, extra, until, run)
        return values | {"termination_id": ending.id if ending.state == "settled" else False}

    def _prepare_version(self):
        return super()._prepare_version() | {"termination_id": self.termination_id.id}

    @api.model
    def _get_guarded_fields(self):
        return super()._get_guarded_fields() | {"termination_id"}
