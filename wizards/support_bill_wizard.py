# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class SupportBillWizard(models.TransientModel):
    """Bills by hand what is due for customers or contracts up to a day (C51).

    What would be billed is shown first; it is found out by billing it and taking it back.
    """

    _name = "support.bill.wizard"
    _description = "Generate Support Bills"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    date = fields.Date(
        string="Bill Date",
        default=fields.Date.context_today,
        help="The date of the bills and of their invoices. Empty: of each the day on which it was "
        "due.",
    )
    date_until = fields.Date(
        string="Period up To",
        required=True,
        default=fields.Date.context_today,
        help="What was to be billed on or before this day is billed: terms that have ended (or "
        "begun, in advance) by then, and what they have cost.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Customers", help="All their contracts, and what has none."
    )
    contract_ids = fields.Many2many(
        "support.contract",
        string="Contracts",
        domain="[('company_id', '=', company_id), ('state', 'not in', ('draft', 'cancelled')), "
        "'|', ('state', '!=', 'pending'), ('starts_paid', '=', True)]",
        check_company=True,
    )
    line_ids = fields.One2many(
        "support.bill.wizard.line",
        "wizard_id",
        string="What Would Be Billed",
        compute="_compute_line_ids",
        store=True,
    )
    currency_ids = fields.Many2many("res.currency", compute="_compute_currency_ids")
    previewed = fields.Boolean(compute="_compute_line_ids", store=True)

    @api.depends("company_id", "date", "date_until", "partner_ids", "contract_ids")
    def _compute_line_ids(self):
        """Forget what was shown as soon as anything else is asked for."""
        for wizard in self:
            wizard.previewed = False
            wizard.line_ids = [Command.clear()]

    @api.depends("line_ids.currency_id")
    def _compute_currency_ids(self):
        for wizard in self:
            wizard.currency_ids = wizard.line_ids.currency_id

    def action_preview(self):
        """Show what would be billed.

        :raise UserError: if nothing is due, or the date is in a closed period
        """
        self.ensure_one()
        lines = self._find_lines()
        self.line_ids = [Command.clear(), *(Command.create(vals) for vals in lines)]
        self.previewed = True
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "support_contract.action_support_bill_wizard"
        )
        return action | {"res_id": self.id}

    def action_generate(self):
        """Make the bills that were shown.

        :raise UserError: also if something else is due by now
        """
        self.ensure_one()
        self._check()
        shown = sorted(line._get_key() for line in self.line_ids)
        bills = self._generate()
        found = sorted(self._describe(bill)["key"] for bill in bills)
        if not bills:
            raise UserError(self._get_nothing_due())
        if shown and shown != found:
            raise UserError(
                self.env._("What is due has changed since it was shown. Look at it again.")
            )
        return bills._get_records_action(name=self.env._("Bills"))

    def _find_lines(self):
        self._check()
        found = self.env["support.bill"]._try_out(
            lambda bills: [self._describe(bill) for bill in self.with_env(bills.env)._generate()]
        )
        if not found:
            raise UserError(self._get_nothing_due())
        return [{name: value for name, value in vals.items() if name != "key"} for vals in found]

    def _generate(self):
        """Bill what is due and return the bills."""
        bills = self.env["support.bill"]
        contracts = self._get_contracts()
        found = bills._generate(contracts, self.date_until)
        if self.partner_ids:
            charges = self.env["support.charge"].search(
                bills._get_domain_without_contract(self.company_id, self.date_until)
                & fields.Domain("partner_id", "in", self.partner_ids.commercial_partner_id.ids)
            )
            found |= bills._generate_without_contract(charges, self.date or self.date_until)
        if self.date:
            found.write({"date": self.date})
        return found

    def _get_contracts(self):
        """Return the chosen contracts; with customers only, all of theirs."""
        domain = fields.Domain("company_id", "=", self.company_id.id)
        if self.contract_ids:
            domain &= fields.Domain("id", "in", self.contract_ids.ids)
        if self.partner_ids:
            domain &= fields.Domain(
                "commercial_partner_id", "in", self.partner_ids.commercial_partner_id.ids
            )
        return self.env["support.contract"].search(domain, order="id")

    def _check(self):
        if not self.contract_ids and not self.partner_ids:
            raise UserError(
                self.env._(
                    "Choose customers or contracts. To bill all that is due, make a billing run."
                )
            )
        journals = self.env["account.journal"].sudo()  # its dates, for whoever bills
        journal = journals.search(
            [*journals._check_company_domain(self.company_id), ("type", "=", "sale")], limit=1
        )
        locks = self.company_id.sudo()._get_violated_lock_dates(
            self.date or fields.Date.context_today(self), True, journal
        )
        if locks:
            raise UserError(
                self.env._(
                    "The books are closed up to %(day)s. Choose a later bill date.",
                    day=format_date(self.env, locks[-1][0]),
                )
            )

    def _get_nothing_due(self):
        """Return what to say where nothing is due: when the next bill is."""
        days = [day for day in self._get_contracts().mapped("next_billing_date") if day]
        until = format_date(self.env, self.date_until)
        if not days:
            return self.env._("Nothing is due up to %s, nor later on.", until)
        return self.env._(
            "Nothing is due up to %(until)s. The next bill is due on %(next)s.",
            until=until,
            next=format_date(self.env, min(days)),
        )

    @api.model
    def _describe(self, bill):
        vals = {
            "contract_id": bill.contract_id.id,
            "partner_id": bill.partner_id.id,
            "currency_id": bill.currency_id.id,
            "period": bill.term_id.display_name or self.env._("At once"),
            "date": bill.date,
            "charge_count": bill.charge_count,
            "amount": bill.amount_untaxed,
        }
        return vals | {
            "key": (bill.partner_id.id, bill.contract_id.id, bill.date, bill.amount_untaxed)
        }


class SupportBillWizardLine(models.TransientModel):
    _name = "support.bill.wizard.line"
    _description = "Bill to Be Generated"

    wizard_id = fields.Many2one("support.bill.wizard", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    contract_id = fields.Many2one("support.contract", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    period = fields.Char(string="Term", readonly=True)
    date = fields.Date(string="Bill Date", readonly=True)
    charge_count = fields.Integer(string="Charges", readonly=True)
    amount = fields.Monetary(readonly=True, help="Untaxed.")

    def _get_key(self):
        self.ensure_one()
        return (self.partner_id.id, self.contract_id.id, self.date, self.amount)
