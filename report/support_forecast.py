# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import uuid
from decimal import Decimal

from odoo import api, fields, models

from ..models.support_contract import RUNNING_STATES
from ..tools.rating import hours_of

STATUSES = [
    ("beyond", "Beyond what there is"),
    ("near", "Nearly used up"),
    ("under", "Within what there is"),
    ("none", "Nothing to foresee"),
]
NEAR_PERCENT = 80


class SupportForecast(models.TransientModel):
    """Balance inquiry (Q18, Q4): contracts and customers now, and at term end at this pace.

    Opening the screen takes a picture: a row for each contract, and one for each customer with
    what belongs to no contract of his. The rows of a customer add up to his balance. Times are
    hours; money is untaxed, but for the receivable, and in the currency of the company.
    """

    _name = "support.forecast"
    _description = "Balance Inquiry"
    _order = "partner_id, what, contract_id"
    _rec_name = "partner_id"

    inquiry = fields.Char(readonly=True, index=True, help="Which opening of the screen.")
    what = fields.Selection(
        [("1_contract", "Contract"), ("2_customer", "Without contract")],
        string="Row",
        readonly=True,
    )
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    contract_id = fields.Many2one("support.contract", readonly=True)
    plan_id = fields.Many2one("support.plan", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    term_id = fields.Many2one("support.contract.term", readonly=True)
    date_end = fields.Date(string="Term Ends", readonly=True, aggregator="min")
    elapsed_percent = fields.Float(
        string="Term Elapsed", readonly=True, aggregator="avg", help="Of its days, in percent."
    )
    status = fields.Selection(STATUSES, string="At Term End", readonly=True)

    hours_granted = fields.Float(readonly=True, help="Used in this term and left for it.")
    hours_used = fields.Float(readonly=True, help="In this term, prepaid or beyond.")
    hours_left = fields.Float(readonly=True, help="What can still be used in this term.")
    hours_expected = fields.Float(
        string="Hours at Term End", readonly=True, help="Used by then, at the present pace."
    )
    hours_beyond = fields.Float(readonly=True, help="Of them, more than there are.")
    incidents_granted = fields.Integer(readonly=True)
    incidents_used = fields.Integer(readonly=True)
    incidents_left = fields.Integer(readonly=True)
    incidents_expected = fields.Integer(string="Incidents at Term End", readonly=True)
    incidents_beyond = fields.Integer(readonly=True)
    used_percent = fields.Float(string="Used", readonly=True, aggregator="avg")
    expected_percent = fields.Float(
        string="Used at Term End",
        readonly=True,
        aggregator="avg",
        help="Of what there is for the term, in percent, at the present pace.",
    )

    amount_fees = fields.Monetary(
        string="Fees", readonly=True, groups="support_contract.group_support_prices"
    )
    amount_usage = fields.Monetary(
        string="Charged Beside",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="What was charged in this term beside the fees.",
    )
    amount_beyond = fields.Monetary(
        string="Beyond at Term End",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="What work and incidents beyond the allowance will cost: what was charged already, "
        "and the rest at the main rate of the contract.",
    )
    amount_expected = fields.Monetary(
        string="Total at Term End",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Fees, what is beyond the allowance, other work at the present pace, and whatever "
        "else was charged, as it is.",
    )
    amount_open = fields.Monetary(
        string="Unbilled",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Charges that are on no bill yet.",
    )
    amount_bills = fields.Monetary(
        string="On Bills",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="On bills that are not invoiced, or whose invoice is a draft.",
    )
    amount_receivable = fields.Monetary(
        string="Receivable",
        readonly=True,
        groups="support_contract.group_support_prices",
        help="Invoices of the customer less what was paid, whatever they were for.",
    )
    balance = fields.Monetary(
        readonly=True,
        groups="support_contract.group_support_prices",
        help="The receivable, and what is charged and not invoiced yet.",
    )

    # === ACTIONS === #

    @api.model
    def action_inquire(self, partners=None):
        """Take a picture of what the reader may see, of all customers or these, and show it."""
        rows = self._inquire(partners)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_forecast"
        )
        return action | {"domain": [("inquiry", "=", rows[:1].inquiry or "")]}

    def action_open(self):
        """Open the contract of this row, or the statement of its customer."""
        self.ensure_one()
        return self.contract_id._get_records_action() if self.contract_id else self.action_state()

    def action_state(self):
        """Open the customer's statement of account."""
        self.ensure_one()
        return self.partner_id.action_view_support_statement()

    # === ROWS === #

    @api.model
    def _inquire(self, partners=None):
        """Make the rows, in a number of queries that doesn't grow with them."""
        companies = self.env.companies
        # sudo: everything is counted, of these companies; who may not see money reads no money.
        foresight = self.env["support.foresight"].sudo()
        owed = foresight._get_owed(companies, partners)
        loose = foresight._get_loose_units(companies, partners)
        contracts = self._get_contracts(companies, partners, [key[2] for key in owed if key[2]])
        figures = foresight._get_figures(
            contracts.filtered(lambda contract: contract.state in RUNNING_STATES)
        )
        vals_list = [
            self._prepare_contract(
                contract,
                figures.get(contract.id),
                owed.get(
                    (contract.company_id.id, contract.commercial_partner_id.id, contract.id), {}
                ),
            )
            for contract in contracts
        ]
        customers = {key[:2] for key in owed if not key[2]} | loose.keys()
        vals_list += [
            self._prepare_customer(*key, owed.get((*key, None), {}), loose.get(key, {}))
            for key in sorted(customers)
        ]
        key = str(uuid.uuid4())
        # sudo: nobody makes rows but through here.
        return self.sudo().create([vals | {"inquiry": key} for vals in vals_list]).sudo(False)

    @api.model
    def _get_contracts(self, companies, partners, owing):
        """Return the contracts that run, and those for which something is to be invoiced."""
        domain = [
            ("company_id", "in", companies.ids),
            "|",
            ("id", "in", owing),
            ("state", "in", RUNNING_STATES),
        ]
        if partners is not None:
            domain.append(("commercial_partner_id", "in", partners.commercial_partner_id.ids))
        contracts = self.env["support.contract"].with_context(active_test=False).search(domain)
        return contracts.sudo()  # their prices, for who may see them

    @api.model
    def _prepare_contract(self, contract, figures, owed):
        currency = contract.company_id.currency_id
        vals = {
            "what": "1_contract",
            "partner_id": contract.commercial_partner_id.id,
            "contract_id": contract.id,
            "plan_id": contract.plan_id.id,
            "company_id": contract.company_id.id,
            "currency_id": currency.id,
            "user_id": contract.user_id.id,
            "status": "none",
            **self._prepare_owed(owed),
        }
        if not figures:
            return vals
        time, incident = figures.units["time"], figures.units["incident"]
        vals |= {
            "term_id": figures.term.id,
            "date_end": figures.term.date_end,
            "elapsed_percent": 100.0 * figures.elapsed_days / (figures.total_days or 1),
            "hours_granted": hours_of(time.capacity),
            "hours_used": hours_of(time.used),
            "hours_left": hours_of(time.left),
            "incidents_granted": incident.capacity,
            "incidents_used": incident.used,
            "incidents_left": incident.left,
            "used_percent": max(unit.percent(unit.used) for unit in (time, incident)),
        }
        if time.forecast:
            vals |= {
                "hours_expected": hours_of(time.forecast.used),
                "hours_beyond": hours_of(time.forecast.beyond),
                "incidents_expected": incident.forecast.used,
                "incidents_beyond": incident.forecast.beyond,
                "expected_percent": max(
                    unit.percent(unit.forecast.used) for unit in (time, incident)
                ),
                "status": self._get_status(time, incident),
            }
        for name in ("fees", "usage", "beyond", "expected"):
            # In the currency of the company, so that contracts can be added up.
            vals[f"amount_{name}"] = contract.currency_id._convert(
                float(getattr(figures, name)),
                currency,
                contract.company_id,
                contract._get_today(),
            )
        return vals

    @api.model
    def _get_status(self, *units):
        if any(unit.forecast.beyond for unit in units):
            return "beyond"
        if not any(unit.capacity or unit.used for unit in units):
            return "none"
        percent = max(unit.percent(unit.forecast.used) for unit in units)
        return "near" if percent >= NEAR_PERCENT else "under"

    @api.model
    def _prepare_customer(self, company_id, partner_id, owed, loose):
        company = self.env["res.company"].browse(company_id)
        return {
            "what": "2_customer",
            "partner_id": partner_id,
            "company_id": company.id,
            "currency_id": company.sudo().currency_id.id,  # a currency is no secret
            "status": "none",
            "hours_left": hours_of(loose.get("time", 0)),
            "incidents_left": loose.get("incident", 0),
            **self._prepare_owed(owed),
        }

    @api.model
    def _prepare_owed(self, owed):
        return {
            "amount_open": float(owed.get("open", 0)),
            "amount_bills": float(owed.get("bills", 0)),
            "amount_receivable": float(owed.get("receivable", 0)),
            "balance": float(sum(owed.values(), Decimal(0))),
        }
