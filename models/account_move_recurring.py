# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..tools.periods import ONE_DAY

RECURRING = ("monthly", "quarterly", "yearly")
# What decides until when a recurring invoice goes on.
LIMITING_FIELDS = {"support_contract_id", "auto_post", "auto_post_until", "date", "invoice_date"}


class AccountMove(models.Model):
    """An invoice that belongs to a contract; where Odoo repeats it, it stops with the contract.

    Odoo copies a recurring invoice when it posts one, up to `auto_post_until`. That day is never
    after the contract's last one; what waits beyond it is cancelled, and goes on where the
    contract gets a later end (Y11).
    """

    _inherit = "account.move"

    support_contract_id = fields.Many2one(
        "support.contract",
        string="Belongs to Contract",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="A recurring invoice stops by itself when this contract ends. It isn't dated after "
        "the contract's last day.",
    )
    support_auto_post_until = fields.Date(
        string="Asked to Go On Until",
        copy=False,
        readonly=True,
        help="What was entered, before the contract's end limited it.",
    )
    support_stopped = fields.Selection(
        selection=[("monthly", "Monthly"), ("quarterly", "Quarterly"), ("yearly", "Yearly")],
        string="Stopped by the Contract",
        copy=False,
        readonly=True,
        help="How often it recurred until the contract ended.",
    )

    # === CONSTRAINTS === #

    @api.constrains("support_contract_id", "partner_id", "move_type")
    def _check_support_contract(self):
        for move in self.filtered("support_contract_id"):
            contract = move.support_contract_id.sudo()  # whoever changes the invoice
            if move.move_type != "out_invoice":
                raise ValidationError(
                    self.env._("Only customer invoices can belong to a support contract.")
                )
            if move.commercial_partner_id != contract.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contract)s is a contract of %(owner)s, the invoice is for %(customer)s. "
                        "Choose a contract of the same customer, or none.",
                        contract=contract.display_name,
                        owner=contract.commercial_partner_id.display_name,
                        customer=move.commercial_partner_id.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("auto_post_until"):
                vals.setdefault("support_auto_post_until", vals["auto_post_until"])
        moves = super().create(vals_list)
        moves.filtered("support_contract_id")._limit_to_contract()
        return moves

    def write(self, vals):
        if "auto_post_until" in vals and not self.env.context.get("support_limit"):
            vals = vals | {"support_auto_post_until": vals["auto_post_until"]}
        result = super().write(vals)
        if LIMITING_FIELDS.intersection(vals):
            self.filtered("support_contract_id")._limit_to_contract()
        return result

    # === RECURRENCE === #

    def _limit_to_contract(self):
        """Have recurring invoices go on no longer than their contract."""
        for move in self:
            if move.auto_post not in RECURRING:
                continue
            limits = (
                move.support_auto_post_until,
                move.support_contract_id.sudo()._get_last_invoice_day(),
            )
            until = min(filter(None, limits), default=False)
            if move.auto_post_until != until:
                move.with_context(support_limit=True).auto_post_until = until

    def _is_after_contract(self):
        """Return whether it is dated after the last day of its contract."""
        self.ensure_one()
        last = self.support_contract_id.sudo()._get_last_invoice_day()
        day = self.invoice_date or self.date or fields.Date.context_today(self)
        return bool(last) and day > last

    def _get_fields_to_copy_recurring_entries(self, values):
        values.update(
            {
                "support_contract_id": self.support_contract_id.id,
                "support_auto_post_until": self.support_auto_post_until,
            }
        )
        return super()._get_fields_to_copy_recurring_entries(values)

    def _copy_recurring_entries(self):
        attached = self.filtered("support_contract_id")
        attached._limit_to_contract()
        result = super()._copy_recurring_entries()
        for move in attached:
            following = move._get_next_date()
            if move.auto_post_until and following > move.auto_post_until:
                move.support_stopped = move.auto_post
        return result

    def _get_next_date(self):
        self.ensure_one()
        origin = self.auto_post_origin_id or self
        period = self.support_stopped or self.auto_post
        return self._apply_delta_recurring_entries(self.date, origin.date, period)

    def _follow_contract(self):
        """Stop recurring invoices beyond the end of their contract; let the others go on."""
        for chain in self.grouped(lambda move: move.auto_post_origin_id or move).values():
            chain._limit_to_contract()
            move = max(chain, key=lambda move: (move.date, move.id))
            if move.state == "draft" and move._is_after_contract():
                move._stop_with_contract()
            elif move.support_stopped and move.state == "cancel" and not move._is_after_contract():
                move._go_on_with_contract()
            elif (
                move.support_stopped
                and move.state == "posted"
                and not (move.auto_post_until and move._get_next_date() > move.auto_post_until)
            ):
                move.support_stopped = False
                move._copy_recurring_entries()

    def _stop_with_contract(self):
        self.ensure_one()
        contract = self.support_contract_id
        self.support_stopped = self.auto_post
        self.button_cancel()
        self._message_log(
            body=self.env._(
                "Stopped: the contract %(contract)s ends on %(day)s.",
                contract=contract.name,
                day=format_date(self.env, contract._get_last_invoice_day()),
            )
        )

    def _go_on_with_contract(self):
        self.ensure_one()
        period = self.support_stopped
        self.button_draft()
        self.write({"auto_post": period, "support_stopped": False})
        self._limit_to_contract()
        self._message_log(
            body=self.env._(
                "Goes on: the contract %s has got a later end.", self.support_contract_id.name
            )
        )

    def _post(self, soft=True):
        for move in self.filtered("support_contract_id"):
            if move._is_after_contract():
                contract = move.support_contract_id.sudo()  # whoever posts
                raise UserError(
                    self.env._(
                        "%(move)s belongs to the contract %(contract)s, whose last day is %(day)s, "
                        "and can't be dated after it. Date it earlier, or take it off the "
                        "contract.",
                        move=move.display_name,
                        contract=contract.name,
                        day=format_date(self.env, contract._get_last_invoice_day()),
                    )
                )
        return super()._post(soft)


class SupportContract(models.Model):
    _inherit = "support.contract"

    attached_move_ids = fields.One2many(
        "account.move",
        "support_contract_id",
        string="Attached Invoices",
        groups="support_contract.group_support_prices",
        help="Invoices that were made elsewhere and belong to this contract.",
    )
    attached_move_count = fields.Integer(
        compute="_compute_attached_move_count", groups="support_contract.group_support_prices"
    )

    def _compute_attached_move_count(self):
        counts = dict(
            self.env["account.move"]
            .sudo()  # a number on a button
            ._read_group(
                [("support_contract_id", "in", self.ids)], ["support_contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.attached_move_count = counts.get(contract, 0)

    def action_view_attached_moves(self):
        self.ensure_one()
        return self.attached_move_ids._get_records_action(name=self.env._("Attached Invoices"))

    def write(self, vals):
        result = super().write(vals)
        if {"date_end", "date_start", "plan_id"}.intersection(vals):
            self._adjust_attached_moves()
        return result

    def _set_state(self, target):
        result = super()._set_state(target)
        self._adjust_attached_moves()
        return result

    def _adjust_attached_moves(self):
        """Have recurring invoices stop, or go on, with the contracts they belong to (Y11)."""
        # The end of a contract stops its invoices, whoever has ended it.
        moves = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("support_contract_id", "in", self.ids),
                    "|",
                    ("auto_post", "in", RECURRING),
                    ("support_stopped", "!=", False),
                ]
            )
        )
        moves._follow_contract()

    def _get_last_invoice_day(self):
        """Return the last day on which an invoice can be dated; None: there is no such day."""
        self.ensure_one()
        if self.state == "cancelled":
            return self.date_start - ONE_DAY
        if self.state in ("expired", "terminated"):
            return min(self.date_end or self._get_today(), self._get_today())
        return self.date_end or None
