# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

VERSION_FIELDS = {
    "replaces_id",
    "replaced_by_id",
    "is_proposal",
    "amount_proposed",
    "amount_before",
    "amount_difference",
}
REPLACEABLE_STATES = ("draft", "to_approve", "approved", "settled", "invoiced")


class SupportBill(models.Model):
    """Versions of a bill: computed anew beside the old one (C53), made the one that counts (C54).

    Until then the new version is a proposal: its lines are differences, not charges, so that
    nothing is in the ledger twice. How it would be is found out by doing it and taking it back,
    so what is proposed is what is done.
    """

    _inherit = "support.bill"

    replaces_id = fields.Many2one(
        "support.bill",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The version before this one.",
    )
    replaced_by_id = fields.Many2one(
        "support.bill",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The version that counts instead of this one.",
    )
    next_version_ids = fields.One2many("support.bill", "replaces_id", readonly=True)
    proposal_id = fields.Many2one(
        "support.bill", string="New Version", compute="_compute_proposal_id"
    )
    is_proposal = fields.Boolean(
        string="Proposed Version",
        compute="_compute_is_proposal",
        store=True,
        help="Computed anew, and not the version that counts, yet.",
    )
    difference_ids = fields.One2many(
        "support.bill.difference", "bill_id", string="Differences", readonly=True
    )
    amount_proposed = fields.Monetary(
        compute="_compute_differences", store=True, string="Computed Anew", help="Untaxed."
    )
    amount_before = fields.Monetary(
        compute="_compute_differences", store=True, string="Before", help="Untaxed."
    )
    amount_difference = fields.Monetary(
        compute="_compute_differences", store=True, string="Difference", help="Untaxed."
    )
    version_reason = fields.Char(
        string="Why", copy=False, help="Kept in the history of the contract with the new version."
    )

    _one_proposal = models.UniqueIndex(
        "(replaces_id) WHERE is_proposal", "This bill has a new version already."
    )

    # === COMPUTE METHODS === #

    @api.depends("replaces_id", "replaced_by_id", "is_main", "approval_state")
    def _compute_is_proposal(self):
        for bill in self:
            bill.is_proposal = bool(
                bill.replaces_id
                and not bill.is_main
                and not bill.replaced_by_id
                and bill.approval_state == "draft"
            )

    @api.depends("next_version_ids.is_proposal")
    def _compute_proposal_id(self):
        for bill in self:
            bill.proposal_id = bill.next_version_ids.filtered("is_proposal")[:1]

    @api.depends("difference_ids.amount_old", "difference_ids.amount_new")
    def _compute_differences(self):
        for bill in self:
            lines = bill.difference_ids
            bill.amount_proposed = sum(lines.mapped("amount_new"))
            bill.amount_before = sum(lines.mapped("amount_old"))
            bill.amount_difference = bill.amount_proposed - bill.amount_before

    @api.depends("replaced_by_id")
    def _compute_state(self):  # pylint: disable=missing-return
        replaced = self.filtered(
            lambda bill: bill.replaced_by_id and bill.approval_state == "approved"
        )
        super(SupportBill, self - replaced)._compute_state()
        replaced.state = "credited"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        given = {f"default_{name}" for name in VERSION_FIELDS}.intersection(self.env.context)
        if given or any(VERSION_FIELDS.intersection(vals) for vals in vals_list):
            self._check_writes_versions()
        return super().create(vals_list)

    def write(self, vals):
        if VERSION_FIELDS.intersection(vals):
            self._check_writes_versions()
        return super().write(vals)

    @api.model
    def _check_writes_versions(self):
        if not self.env.su:
            raise AccessError(self.env._("The versions of a bill follow from its buttons."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_replaced(self):
        replaced = self.filtered("replaced_by_id")
        if replaced:
            raise UserError(
                self.env._("%s was replaced by a new version and is kept.", replaced[0].name)
            )

    # === ACTIONS === #

    def action_regenerate(self):
        """Compute the bill anew, beside this one, and show the differences (C53).

        An earlier proposal is replaced by the new one.

        :raise UserError: if the bill isn't the version that counts, or was cancelled or credited
        """
        self.ensure_one()
        self.check_access("write")
        self._lock_versions()
        self._check_replaceable()
        # Rating, units and fees are recomputed, whoever may regenerate bills; all is taken back.
        bill = self.sudo()
        version = bill.proposal_id or bill.create(bill._prepare_version())
        lines = bill._try_out(lambda old: old._replace_by(version, invoiced=False))
        version.difference_ids.unlink()
        version.difference_ids.create([vals | {"bill_id": version.id} for vals in lines])
        version = version.with_env(self.env)
        return version._get_records_action(name=self.env._("New Version"))

    def action_make_main(self):
        """Have a regenerated version replace the one before (C54).

        A posted invoice of the old one is credited, and the new one invoiced; a draft invoice is
        given up. Refused if anything has changed since the differences were shown.
        """
        self.ensure_one()
        self.check_access("write")
        self._check_may_make_main()
        old = self.replaces_id
        (old | self)._lock_versions()
        self._check_proposal()
        old._check_replaceable()
        old._check_invoice_replaceable()
        # Accounting and rating, for whoever may make a version the one that counts.
        version, old = self.sudo(), old.sudo()
        signature = version.difference_ids._get_signature(version.difference_ids)
        move = old.move_id.filtered(lambda move: move.state == "posted")
        day = old._get_replacement_day(move)
        old._take_back_invoice(day)
        lines = old._replace_by(version, invoiced=bool(move))
        if version.difference_ids._get_signature(lines) != signature:
            raise UserError(
                self.env._(
                    "What %(bill)s bills has changed since this version was computed. Regenerate "
                    "%(bill)s and look at the differences again.",
                    bill=old.name,
                )
            )
        if move:
            version.date = day
        self._note_replaced(old)
        self._invoice_replacement(bool(move))
        return self._get_records_action()

    def action_discard_version(self):
        """Give up a proposed version and return to the one that counts."""
        self.ensure_one()
        self._check_proposal()
        self.check_access("write")
        old = self.replaces_id
        self.sudo().unlink()  # a proposal is nobody's record; whoever may change bills may drop it
        return old._get_records_action()

    def action_view_versions(self):
        """Show all versions of this bill, the first one first."""
        self.ensure_one()
        versions = self._get_versions()
        action = versions._get_records_action(name=self.env._("Versions of %s", self.name))
        return action | {"view_mode": "list,form", "domain": [("id", "in", versions.ids)]}

    def action_cancel(self):
        result = super().action_cancel()
        # As in action_discard_version: a proposal goes with what it would have replaced.
        self.sudo().next_version_ids.filtered("is_proposal").unlink()
        return result

    # === QUESTIONS === #

    def _get_versions(self):
        """Return all versions of this bill, whichever of them it is."""
        self.ensure_one()
        versions = self
        while versions[0].replaces_id:
            versions = versions[0].replaces_id | versions
        while following := versions.next_version_ids - versions:
            versions |= following
        return versions

    def _check_state(self, allowed):
        beside = self.filtered(lambda bill: bill.is_proposal or bill.replaced_by_id)
        for bill in beside[:1]:
            if bill.is_proposal:
                raise UserError(
                    self.env._(
                        "%s is a proposed version of a bill. Mark it as main, or discard it.",
                        bill.name,
                    )
                )
            raise UserError(
                self.env._(
                    "%(old)s was replaced by %(new)s and stays as it was. Go on with %(new)s.",
                    old=bill.name,
                    new=bill.replaced_by_id.name,
                )
            )
        return super()._check_state(allowed)

    def _check_replaceable(self):
        """Refuse to regenerate or replace what doesn't count (any more)."""
        self.ensure_one()
        self._check_state(REPLACEABLE_STATES)
        # What a refund is worth follows from the charge that it refunds.
        if self.sudo()._get_credited_move():
            raise UserError(
                self.env._(
                    "%s takes back what was billed before: change the ticket charge that it "
                    "refunds instead.",
                    self.name,
                )
            )

    def _check_proposal(self):
        for bill in self:
            if not bill.is_proposal:
                raise UserError(
                    self.env._(
                        "%s isn't a proposed version: it counts already, or has been replaced or "
                        "discarded. Regenerate the bill to get a new version.",
                        bill.name,
                    )
                )

    def _check_may_make_main(self):
        allowed = self.env.su or self.env.user.has_groups(
            "support_contract.group_support_manager,account.group_account_invoice"
        )
        if not allowed:
            raise AccessError(self.env._("A manager or an accountant must make a version main."))

    # === BUSINESS METHODS === #

    def _lock_versions(self):
        """Have two people who change the versions of a bill do it one after the other.

        The second one waits, begins again (Odoo retries), and finds what the first has done.
        """
        self.contract_id._lock_for_decision()
        self.env.flush_all()
        ids = tuple(self._get_versions().ids) if len(self) == 1 else tuple(self.ids)
        self.env.execute_query(
            SQL("SELECT id FROM support_bill WHERE id IN %s ORDER BY id FOR UPDATE", ids)
        )
        # Written as they are, so that whoever waited for them begins again.
        self.env.execute_query(
            SQL("UPDATE support_bill SET version = version WHERE id IN %s RETURNING id", ids)
        )
        self.invalidate_recordset()

    def _prepare_version(self):
        """Return the values of a new version of this bill."""
        self.ensure_one()
        number = max(self._get_versions().mapped("version")) + 1
        first = self._get_versions()[0]
        return {
            "name": f"{first.name}-{number}",
            "kind": self.kind,
            "version": number,
            "is_main": False,
            "replaces_id": self.id,
            "contract_id": self.contract_id.id,
            "term_id": self.term_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "partner_id": self.partner_id.id,
            "date": self.date,
            "run_id": self.run_id.id,
            "note": self.note,
        }

    def _try_out(self, work):
        """Do something with these bills, take it all back, and return what came of it.

        :param work: a function of the bills; what it returns holds no records
        """
        # Whatever is told to anybody meanwhile is taken back, too: nothing is sent.
        quiet = {"mail_notify_force_send": False, "tracking_disable": True}
        with self.env.cr.savepoint() as savepoint:
            result = work(self.with_context(**quiet))
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return result

    def _replace_by(self, version, invoiced):
        """Have this bill's charges go over to a version of it, and compute them anew there.

        :param bool invoiced: this bill stays as a credited one; else it is cancelled
        :return: the values of the differences
        """
        self.ensure_one()
        differences = self.env["support.bill.difference"]
        charges = self.charge_ids
        before = differences._describe(charges)
        # First the old one is no main bill any more, then the new one is: never two of them.
        self.write({"approval_state": "draft", "is_main": False, "replaced_by_id": version.id})
        self.flush_recordset()
        charges._keep_copies(self)
        self.move_id.support_bill_ids.modified(["move_id"])  # the others on the same invoice
        charges.write({"bill_id": version.id})
        version.is_main = True
        version.flush_recordset()
        version._compute_anew()
        self.approval_state = "approved" if invoiced else "cancelled"
        self.env.flush_all()
        elsewhere = version._get_charges_of_days().filtered(lambda c: c.bill_id != version)
        return differences._prepare_lines(
            before, differences._describe(version.charge_ids), elsewhere
        )

    def _note_replaced(self, old):
        """Tell the history of the contract, and the readers of both versions."""
        self.ensure_one()
        reason = self.version_reason or self.env._("Regenerated")
        if self.contract_id:
            # Without prices: everybody of the staff may read it; the amount is beside it.
            self.env["support.contract.change"]._note(
                self.contract_id,
                "bill",
                reason,
                self.env._("%(new)s replaces %(old)s.", new=self.name, old=old.name),
                amount=self.amount_difference,
            )
        body = self.env._(
            "%(new)s replaces %(old)s: %(before)s → %(after)s",
            new=self.name,
            old=old.name,
            before=self.currency_id.format(self.amount_before),
            after=self.currency_id.format(self.amount_proposed),
        )
        (old | self)._message_log_batch(bodies={bill.id: body for bill in old | self})

    def _invoice_replacement(self, invoiced):
        """Approve and invoice the version of an invoiced bill; whose customer must agree, waits."""
        self.ensure_one()
        if not invoiced:
            return
        manager = self.env.su or self.env.user.has_group("support_contract.group_support_manager")
        approval = self.contract_id.bill_approval or "none"
        if approval == "customer" or approval == "manager" and not manager:
            self.action_submit()
            return
        self.action_approve()
        if self.state == "approved":  # else there is nothing to invoice
            move = self.env["support.invoicing"]._create_invoices(self)
            if self.company_id.support_post_invoices and move.state == "draft":
                # Dated after what is closed in the books, and posted now, like the credit note.
                move.auto_post = "no"
                move._post(soft=False)
