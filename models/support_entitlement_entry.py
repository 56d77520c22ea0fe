# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from psycopg2.extras import execute_values

from odoo import api, fields, models
from odoo.exceptions import UserError

KINDS = [
    ("grant", "Granted"),
    ("adjust", "Adjusted"),
    ("take_back", "Taken back"),
    ("carry_in", "Carried in"),
    ("draw", "Used"),
    ("return", "Returned"),
    ("debt_in", "Debt taken over"),
    ("debt_out", "Debt handed on"),
    ("lapse", "Lapsed"),
    ("carry_out", "Carried out"),
]
# The counter of the grant that a kind of entry moves, and the sign with which it counts there.
COUNTER_OF_KIND = {
    "grant": ("quantity", 1),
    "adjust": ("quantity", 1),
    "take_back": ("quantity", 1),
    "carry_in": ("quantity", 1),
    "draw": ("used", -1),
    "return": ("used", -1),
    "debt_in": ("used", -1),
    "debt_out": ("used", -1),
    "lapse": ("lapsed", -1),
    "carry_out": ("lapsed", -1),
}


class SupportEntitlementEntry(models.Model):
    """One signed movement on a grant. Append-only: a correction is a contra-entry."""

    _name = "support.entitlement.entry"
    _description = "Entry of the Units Ledger"
    _order = "id desc"
    _rec_name = "kind"

    entitlement_id = fields.Many2one(
        "support.entitlement", string="Grant", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="entitlement_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="entitlement_id.partner_id", string="Customer", store=True, index=True
    )
    contract_id = fields.Many2one(
        related="entitlement_id.contract_id", store=True, index="btree_not_null"
    )
    unit = fields.Selection([("time", "Time"), ("incident", "Incidents")], required=True)
    kind = fields.Selection(KINDS, required=True)
    quantity = fields.Integer(
        required=True, help="What it does to the balance: seconds, or incidents."
    )
    hours = fields.Float(compute="_compute_hours", store=True, help="Time in hours.")
    incidents = fields.Integer(compute="_compute_hours", store=True)
    date = fields.Date(required=True, help="The day on which it counts.")
    ticket_id = fields.Many2one("helpdesk.ticket", index="btree_not_null", ondelete="set null")
    ticket_ref = fields.Integer(
        string="Ticket ID", index="btree_not_null", help="Stays when the ticket is deleted."
    )
    time_entry_id = fields.Many2one("account.analytic.line", ondelete="set null")
    time_entry_ref = fields.Integer(
        string="Time Entry ID",
        index="btree_not_null",
        help="Stays when the time entry is deleted.",
    )
    reason = fields.Char()
    entitlement_date_to = fields.Date(
        related="entitlement_id.date_to", string="Usable Until", help="Empty: for life."
    )

    _not_zero = models.Constraint("CHECK (quantity <> 0)", "An entry must move something.")
    _of_customer = models.Index("(partner_id, company_id, unit, date, kind)")

    def init(self):
        """Have the database itself refuse to change or delete entries.

        Links to people, tickets and time entries aren't guarded: merging two partners, or
        deleting a time entry, re-points or empties them.
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION support_entitlement_entry_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF (OLD.entitlement_id, OLD.kind, OLD.quantity, OLD.date, OLD.unit,
                        OLD.ticket_ref, OLD.time_entry_ref)
                       IS NOT DISTINCT FROM
                       (NEW.entitlement_id, NEW.kind, NEW.quantity, NEW.date, NEW.unit,
                        NEW.ticket_ref, NEW.time_entry_ref)
                    THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'The units ledger is append-only: correct an entry with a '
                    'contra-entry' USING ERRCODE = 'integrity_constraint_violation';
            END
            $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS support_entitlement_entry_guard ON support_entitlement_entry;
            CREATE TRIGGER support_entitlement_entry_guard
                BEFORE UPDATE OR DELETE ON support_entitlement_entry
                FOR EACH ROW EXECUTE FUNCTION support_entitlement_entry_guard();
            DROP TRIGGER IF EXISTS support_entitlement_entry_keep ON support_entitlement_entry;
            CREATE TRIGGER support_entitlement_entry_keep
                BEFORE TRUNCATE ON support_entitlement_entry
                FOR EACH STATEMENT EXECUTE FUNCTION support_entitlement_entry_guard();
            """
        )

    @api.depends("unit", "quantity")
    def _compute_hours(self):
        for entry in self:
            is_time = entry.unit == "time"
            entry.hours = entry.quantity / 3600 if is_time else 0.0
            entry.incidents = 0 if is_time else entry.quantity

    # Neither creating nor writing goes on to the ORM: there is one door, `_book`.
    # pylint: disable=method-required-super
    @api.model_create_multi
    def create(self, vals_list):
        raise UserError(
            self.env._("Entries are booked by granting, using and returning units, never by hand.")
        )

    def write(self, vals):
        raise UserError(self.env._("Entries never change: correct one with a contra-entry."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("Entries are never deleted: correct one with a contra-entry."))

    @api.model
    def _book(self, movements):
        """Insert the entries of movements; called by the door, which has locked the grants."""
        user = self.env.uid
        rows = [
            (
                movement["entitlement_id"],
                movement["kind"],
                movement["quantity"],
                movement["date"],
                movement.get("ticket_id") or None,
                movement.get("ticket_id") or None,
                movement.get("time_entry_id") or None,
                movement.get("time_entry_id") or None,
                movement.get("reason") or None,
            )
            for movement in movements
        ]
        execute_values(
            self.env.cr._obj,
            f"""
            INSERT INTO support_entitlement_entry (
                create_uid, create_date, write_uid, write_date, entitlement_id, kind, quantity,
                date, ticket_id, ticket_ref, time_entry_id, time_entry_ref, reason, unit,
                company_id, partner_id, contract_id, hours, incidents)
            SELECT {int(user)}, now() AT TIME ZONE 'UTC', {int(user)}, now() AT TIME ZONE 'UTC',
                   row.entitlement_id, row.kind, row.quantity, row.date, row.ticket_id,
                   row.ticket_ref, row.time_entry_id, row.time_entry_ref, row.reason,
                   grant_.unit, grant_.company_id, grant_.partner_id, grant_.contract_id,
                   CASE WHEN grant_.unit = 'time' THEN row.quantity / 3600.0 ELSE 0 END,
                   CASE WHEN grant_.unit = 'time' THEN 0 ELSE row.quantity END
              FROM (VALUES %s) AS row (entitlement_id, kind, quantity, date, ticket_id,
                   ticket_ref, time_entry_id, time_entry_ref, reason)
              JOIN support_entitlement AS grant_ ON grant_.id = row.entitlement_id
            """,
            rows,
            template="(%s, %s, %s, %s::date, %s::int, %s::int, %s::int, %s::int, %s)",
            page_size=1000,
        )
        self.invalidate_model()
        self.env["support.entitlement"].browse(
            [movement["entitlement_id"] for movement in movements]
        ).invalidate_recordset(["entry_ids"])
