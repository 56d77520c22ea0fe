"""Use the add-on, uninstall it, and see that nothing of it is left and the others still work.

The database is named by PGDATABASE; what fails is said, and the exit code is 1.
"""

import logging
import os
import sys

from devenv import environment
from paths import MODULE


def use(env):
    """A contract with work, a posted invoice, a sold pack, and entries in the guarded ledger."""
    fee = env["product.product"].create({"name": "Fee", "type": "service", "list_price": 90.0})
    plan = env["support.plan"].create(
        {
            "name": "Plan",
            "billing_mode": "advance",
            "line_ids": [(0, 0, {"product_id": fee.id})],
            "allowance_ids": [(0, 0, {"unit": "time", "quantity": 7200})],
        }
    )
    customer = env["res.partner"].create({"name": "Customer", "is_company": True})
    contract = env["support.contract"].create({"partner_id": customer.id, "plan_id": plan.id})
    contract.action_confirm()
    ticket = env["helpdesk.ticket"].create(
        {"name": "Ticket", "description": "Text", "partner_id": customer.id}
    )
    env["account.analytic.line"].create(
        {"ticket_id": ticket.id, "name": "Work", "unit_amount": 1.0}
    )
    contract.action_generate_bill()
    contract.bill_ids.action_submit()
    contract.bill_ids.action_invoice()
    contract.bill_ids.move_id.action_post()
    env.company.support_pack_grant_on = "confirmed"
    pack = env["product.product"].create(
        {"name": "Pack", "type": "service", "support_pack": "lifetime", "support_incidents": 10}
    )
    order = env["sale.order"].create(
        {"partner_id": customer.id, "order_line": [(0, 0, {"product_id": pack.id})]}
    )
    order.action_confirm()
    env.cr.flush()  # which is when a pack grants its units
    if not order.support_grant_count:
        raise SystemExit("the pack has granted nothing")
    return {"ticket": ticket.id, "move": contract.bill_ids.move_id.id, "customer": customer.id}


def check(env, used):
    """Yield what is wrong after the add-on has gone."""
    env.cr.execute(
        """
        SELECT relname FROM pg_class WHERE relname LIKE 'support\\_%' AND relkind IN ('r', 'S')
         UNION SELECT proname FROM pg_proc WHERE proname LIKE 'support\\_%'
         UNION SELECT table_name || '.' || column_name FROM information_schema.columns
                WHERE column_name LIKE 'support\\_%' AND table_schema = 'public'
                  AND table_name <> 'payment_method'  -- Odoo's own
        """
    )
    left = [name for (name,) in env.cr.fetchall()]
    if left:
        yield f"left behind: {', '.join(left)}"
    # Products that invoices name stay, as they should, with their external ids.
    ours = [("module", "=", MODULE), ("model", "=like", "ir.%")]
    if env["ir.model.data"].search_count(ours):
        yield "definitions are left behind"
    ticket = env["helpdesk.ticket"].browse(used["ticket"])
    ticket.name = "Still there"
    new = ticket.copy()
    if not new.number:
        yield "tickets can't be made any more"
    move = env["account.move"].browse(used["move"])
    if move.state != "posted" or move.amount_untaxed != 90.0:
        yield "the invoice isn't as it was"
    if move.copy().amount_untaxed != 90.0:
        yield "invoices can't be copied any more"
    line = env["account.analytic.line"].search([("name", "=", "Work")])
    if line.unit_amount != 1.0 or not line.copy():
        yield "the timesheet isn't as it was"


def main():
    """Exit code 1 when something is left or broken."""
    database = os.environ["PGDATABASE"]
    with environment(database) as env:
        env = env(user=env.ref("base.user_admin").id)
        used = use(env)
        env.cr.commit()
        # Odoo tries to delete each record and keeps those in use: no news for us.
        logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)
        module = env["ir.module.module"].search([("name", "=", MODULE)])
        module.button_immediate_uninstall()
    with environment(database) as env:
        env = env(user=env.ref("base.user_admin").id)
        problems = list(check(env, used))
    for problem in problems:
        sys.stderr.write(f"After uninstalling: {problem}\n")
    if not problems:
        sys.stdout.write("Uninstalled: nothing is left, the others work as before.\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
