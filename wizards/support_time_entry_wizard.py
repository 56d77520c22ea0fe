# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.support_charge import FROZEN_STATES, WORK_KINDS
from ..tools.rating import format_hours

OPTIONS = {"time_entry_ids", "change", "activity_type_id", "ticket_id", "skip_billed"}


class SupportTimeEntryWizard(models.TransientModel):
    """A manager changes many time entries at once, with a reason (C62).

    The effect is found by doing it and taking it back, so that what is shown is what will be. It
    must have been shown before it is confirmed, and be the same then.
    """

    _name = "support.time.entry.wizard"
    _description = "Change Time Entries"

    time_entry_ids = fields.Many2many(
        "account.analytic.line",
        required=True,
        default=lambda self: self._get_default_entries(),
    )
    change = fields.Selection(
        [
            ("billable", "Mark as billable"),
            ("non_billable", "Mark as non-billable"),
            ("activity", "Change the activity"),
            ("move", "Move to another ticket"),
        ],
        required=True,
        default="non_billable",
    )
    activity_type_id = fields.Many2one("support.activity.type", string="To Activity")
    ticket_id = fields.Many2one("helpdesk.ticket", string="To Ticket")
    reason = fields.Char(help="Kept on the tickets and in the history of their contracts.")
    billed_ids = fields.Many2many("account.analytic.line", compute="_compute_billed_ids")
    skip_billed = fields.Boolean(
        string="Leave Out What Is Billed",
        help="Entries on an approved bill can't change. Leave them out, or credit their bill "
        "first.",
    )
    state = fields.Selection(
        [("choose", "Choose"), ("shown", "Effect Shown"), ("done", "Done")], default="choose"
    )
    preview = fields.Html(string="Effect", readonly=True, sanitize=False)

    @api.model
    def _get_default_entries(self):
        lines = self.env["account.analytic.line"]
        if self.env.context.get("active_model") == "support.time.report":
            ids = self.env.context.get("active_ids", [])  # a row has the id of its time entry
        elif self.env.context.get("active_model") == lines._name:
            ids = self.env.context.get("active_ids", [])
        else:
            return lines
        return lines.search([("id", "in", ids), ("ticket_id", "!=", False)])

    @api.depends("time_entry_ids")
    def _compute_billed_ids(self):
        for wizard in self:
            entries = wizard.time_entry_ids._origin
            wizard.billed_ids = entries._get_frozen()

    @api.onchange("change", "activity_type_id", "ticket_id", "skip_billed")
    def _onchange_options(self):
        self.state = "choose"

    def write(self, vals):
        if OPTIONS.intersection(vals) and "state" not in vals:
            vals = vals | {"state": "choose", "preview": False}
        return super().write(vals)

    # === ACTIONS === #

    def action_preview(self):
        """Show what the change would come to; nothing is changed."""
        self.ensure_one()
        savepoint = self.env.cr.savepoint()
        try:
            # Nobody is told about what is taken back.
            preview = self.with_context(mail_notify_force_send=False)._apply()["html"]
        finally:
            savepoint.close(rollback=True)
        self.write({"state": "shown", "preview": preview})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change Time Entries"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_confirm(self):
        """Do what was shown, once, and note it on the tickets and contracts.

        :raise UserError: if the effect wasn't shown, or is another one by now
        """
        self.ensure_one()
        if self.state == "done":
            return {"type": "ir.actions.act_window_close"}
        if not (self.reason or "").strip():
            raise UserError(self.env._("Give a reason: it is kept with the tickets."))
        if self.state != "shown":
            raise UserError(self.env._("Look at the effect first, then confirm it."))
        shown = self.preview
        self.write({"state": "done"})  # whoever confirms it at the same moment begins again
        effect = self._apply()
        if effect["html"] != shown:
            raise UserError(
                self.env._("The time entries have changed meanwhile. Look at the effect again.")
            )
        self._note(effect)
        return {"type": "ir.actions.act_window_close"}

    # === THE CHANGE === #

    def _apply(self):
        """Change the entries.

        :return: their effect: `lines`, `tickets`, `contracts` {contract: money more or less, by
            the rates}, and `html`
        """
        self._check()
        lines = self.time_entry_ids - self.billed_ids
        tickets = lines.ticket_id | self.ticket_id
        partners = tickets.commercial_partner_id
        tickets.contract_id._lock_for_decision()
        before = self._measure(lines, partners)
        lines.write(self._prepare_values())
        after = self._measure(lines, partners)
        return {
            "lines": lines,
            "tickets": tickets,
            "contracts": self._get_differences(before, after),
            "html": self._render(lines, before, after),
        }

    def _check(self):
        """Refuse, with the reason and what to do, what can't be done."""
        if not self.env.user.has_group("support_contract.group_support_manager"):
            raise AccessError(self.env._("Only managers of support change time entries in bulk."))
        if self.billed_ids and not self.skip_billed:
            raise UserError(
                self.env._(
                    "These time entries are on approved bills and can't change: %s.\nLeave them "
                    "out, or credit their bills first.",
                    ", ".join(f"{line.name} ({line.date})" for line in self.billed_ids),
                )
            )
        lines = self.time_entry_ids - self.billed_ids
        if not lines:
            raise UserError(self.env._("There is no time entry left that can change."))
        if self.change == "activity" and not self.activity_type_id:
            raise UserError(self.env._("Choose the activity."))
        if self.change == "move" and not self.ticket_id:
            raise UserError(self.env._("Choose the ticket."))
        waived = lines.ticket_id.filtered(lambda ticket: ticket._is_work_paid())
        if self.change == "billable" and waived:
            raise UserError(
                self.env._(
                    "%s is waived, or paid in instalments: nothing on it is billable. Change how "
                    "the ticket is billed first.",
                    waived[0].display_name,
                )
            )

    def _prepare_values(self):
        return {
            "billable": {"support_billable": True},
            "non_billable": {"support_billable": False},
            "activity": {"activity_type_id": self.activity_type_id.id},
            "move": {"ticket_id": self.ticket_id.id},
        }[self.change]

    # === ITS EFFECT === #

    def _measure(self, lines, partners):
        """Return what these entries, and all open work of their customers, come to.

        What other entries cost can change too: they share the units.
        """
        self.env.flush_all()
        rows = self.env["support.charge"]._read_group(
            [
                ("partner_id", "in", partners.ids),
                ("kind", "in", WORK_KINDS),
                ("time_entry_id", "!=", False),
                ("state", "not in", (*FROZEN_STATES, "cancelled")),
            ],
            ["contract_id"],
            ["units:sum", "amount:sum"],
        )
        charges = lines.charge_ids.filtered(lambda charge: charge.state != "cancelled")
        return {
            "contracts": {contract: (units, amount) for contract, units, amount in rows},
            "billable": sum(lines.mapped("billable_seconds")),
            "units": sum(charges.mapped("units")),
            "amounts": {
                currency: sum(group.mapped("amount"))
                for currency, group in charges.grouped("currency_id").items()
            },
        }

    @api.model
    def _get_differences(self, before, after):
        """Return how much more or less each contract is charged: {contract: (units, amount)}."""
        differences = {}
        for contract in before["contracts"].keys() | after["contracts"].keys():
            old = before["contracts"].get(contract, (0, 0.0))
            new = after["contracts"].get(contract, (0, 0.0))
            amount = contract.currency_id.round(new[1] - old[1])
            if new[0] != old[0] or amount:
                differences[contract] = (new[0] - old[0], amount)
        return dict(sorted(differences.items(), key=lambda item: item[0].id))

    @api.model
    def _format_amounts(self, amounts):
        ordered = sorted(amounts.items(), key=lambda item: item[0].id)
        return ", ".join(currency.format(amount) for currency, amount in ordered) or "–"

    def _render(self, lines, before, after):
        """Return the effect as a table: of these entries, then of each contract."""
        values = {
            "count": len(lines),
            "worked": format_hours(sum(lines.mapped("worked_seconds"))),
            "left_out": len(self.billed_ids),
            "rows": [
                (
                    self.env._("Billable time"),
                    format_hours(before["billable"]),
                    format_hours(after["billable"]),
                ),
                (
                    self.env._("Prepaid time used"),
                    format_hours(before["units"]),
                    format_hours(after["units"]),
                ),
                (
                    self.env._("Charged, untaxed"),
                    self._format_amounts(before["amounts"]),
                    self._format_amounts(after["amounts"]),
                ),
            ],
            "contracts": [
                (
                    contract.display_name,
                    *self._format_contract(contract, before["contracts"]),
                    *self._format_contract(contract, after["contracts"]),
                )
                for contract in self._get_differences(before, after)
            ],
        }
        return self.env["ir.qweb"]._render("support_contract.support_time_entry_effect", values)

    @api.model
    def _format_contract(self, contract, totals):
        units, amount = totals.get(contract, (0, 0.0))
        return format_hours(units), contract.currency_id.format(amount)

    # === ITS HISTORY === #

    def _get_description(self, lines):
        """Return what was done, in words."""
        values = {
            "count": len(lines),
            "hours": format_hours(sum(lines.mapped("worked_seconds"))),
            "activity": self.activity_type_id.name,
            "ticket": self.ticket_id.display_name,
        }
        if self.change == "billable":
            return self.env._("%(count)s time entries (%(hours)s) are billable now.", **values)
        if self.change == "non_billable":
            return self.env._("%(count)s time entries (%(hours)s) are non-billable now.", **values)
        if self.change == "activity":
            return self.env._(
                "%(count)s time entries (%(hours)s) are of the activity %(activity)s now.",
                **values,
            )
        return self.env._("%(count)s time entries (%(hours)s) were moved to %(ticket)s.", **values)

    def _note(self, effect):
        """Tell the tickets, and the history of every contract that costs more or less now."""
        text = self._get_description(effect["lines"])
        body = Markup("<p>%s</p><p>%s</p>") % (text, self.reason)
        for ticket in effect["tickets"]:
            ticket.message_post(body=body)
        for contract, (units, amount) in effect["contracts"].items():
            self.env["support.contract.change"]._note(
                contract,
                "time",
                self.reason,
                self.env._(
                    "%(what)s Prepaid time used: %(units)s.",
                    what=text,
                    units=f"{'+' if units > 0 else ''}{format_hours(units)}",
                ),
                amount=amount,
            )
