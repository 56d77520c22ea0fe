"""What has to be there before the log can be replayed: people, teams, plans and contracts.

**Who gets which contract.** Customers are ranked by their number of incidents in the log, the
busiest first; the plans of `PLANS` are dealt to them in turn. Customers with a single incident have
no contract. Fees and allowances are sold in packs, one for each ten incidents or part of ten.
Contracts begin on the first day of the month in which the log begins, and run for as many
half-years as it takes to hold all openings of incidents. The time zone of a customer is that of its
site.

**What is promised.** *Subscription* and *Hours carried forward* promise around the clock, the other
plans office hours; the times are in `replay_sla.py`. The states *Awaiting …* of the log are stages
in which the clocks stand still, *Resolved* is a stage that resolves.
"""

import re
from copy import copy

from dateutil.relativedelta import relativedelta

from odoo.fields import Command
from odoo.tools.misc import split_every

from replay_log import ACTIVITIES, SITES, get_members, get_work, rank_locations, site_of
from replay_sla import ALWAYS, OFFICE, WAITING, make_policies

MODULE = "support_replay"  # of the external ids
BATCH = 200
UNKNOWN = "Unknown location"
TIME_ZONES = dict(zip(SITES, ("UTC", "Europe/Brussels", "America/New_York"), strict=True))
OVERSEAS = SITES[2]
# Activity type: price per hour, minimum, increment, where both count.
ACTIVITY_TERMS = {
    "Phone support": (72.0, 10, 5, "entry"),
    "Desk support": (72.0, 10, 5, "entry"),
    "Remote support": (84.0, 15, 15, "ticket_day"),
    "On-site repair": (115.0, 60, 30, "entry"),
}
# Plan: its terms; allowances as (unit, quantity); rates as (kind, value, activity, site, shift).
FREE = [("price", 0.0, None, None, None)]
NIGHT = ("multiplier", 1.5, None, None, "outside")
PLANS = {
    "Fixed fee with hours": {
        "sla": OFFICE,
        "terms": {"billing_mode": "arrears", "bill_approval": "manager"},
        "fee": 390.0,
        "allowance": {"unit": "time", "quantity": 6 * 3600},
        "rates": [("price", 78.0, None, None, None), NIGHT],
    },
    "Prepaid incidents": {
        "sla": OFFICE,
        "terms": {"billing_mode": "advance"},
        "fee": 240.0,
        "allowance": {"unit": "incident", "quantity": 5},
        "incident_price": 39.5,
        "rates": FREE,
    },
    "Time and material": {
        "sla": OFFICE,
        "terms": {"billing_mode": "arrears"},
        "rates": [
            ("price", 66.65, "Phone support", None, None),
            ("price", 129.0, "On-site repair", OVERSEAS, None),
            ("adjust", 7.35, None, OVERSEAS, None),
            NIGHT,
        ],
    },
    "Subscription, a quarter in advance": {
        "sla": ALWAYS,
        "terms": {"billing_mode": "advance", "billing_period": "3"},
        "fee": 1480.0,
        "rates": FREE,
    },
    "Hours carried forward": {
        "sla": ALWAYS,
        "terms": {
            "billing_mode": "arrears",
            "overage_policy": "carry",
            "bill_approval": "customer",
            "alignment": "calendar",
        },
        "fee": 455.0,
        "allowance": {
            "unit": "time",
            "quantity": 8 * 3600,
            "carry_forward": True,
            "carry_cap": 12 * 3600,
            "carry_terms": 2,
        },
        "rates": [("price", 78.0, None, None, None)],
    },
}


class Register:
    """Records by external id: what is registered is made once, however often the replay runs."""

    def __init__(self, env):
        self.env = env
        data = env["ir.model.data"].search_fetch([("module", "=", MODULE)], ["name", "res_id"])
        self.ids = {row.name: row.res_id for row in data}

    def with_context(self, **context):
        """Return the same register, whose records are made in another context."""
        twin = copy(self)
        twin.env = self.env(context={**self.env.context, **context})
        return twin

    def name(self, kind, *parts):
        """Return the external id; different parts always give different ones."""
        words = (re.sub(r"[^A-Za-z0-9]", lambda sign: f"_{ord(sign[0]):x}_", str(p)) for p in parts)
        return ".".join((kind, *words)).replace(".", "__")

    def has(self, *key):
        return self.name(*key) in self.ids

    def get(self, model, *key):
        return self.env[model].browse(self.ids.get(self.name(*key), []))

    def all(self, model, kind):
        prefix = self.name(kind, "")
        return self.env[model].browse(
            [id_ for name, id_ in self.ids.items() if name.startswith(prefix)]
        )

    def mark(self, records, keys):
        """Register records under keys; one record may have several."""
        names = [self.name(*key) for key in keys]
        self.env["ir.model.data"]._update_xmlids(
            [
                {"xml_id": f"{MODULE}.{name}", "record": record, "noupdate": True}
                for name, record in zip(names, records, strict=True)
            ]
        )
        self.ids.update(zip(names, (record.id for record in records), strict=True))

    def make(self, model, vals_by_key):
        """Create what isn't there yet, in batches. Return the records, in order."""
        missing = {key: vals for key, vals in vals_by_key.items() if not self.has(*key)}
        for keys in split_every(BATCH, missing, list):
            records = self.env[model].create([missing[key] for key in keys])
            self.mark(records, keys)
        return self.env[model].browse([self.ids[self.name(*key)] for key in vals_by_key])


# -- People ------------------------------------------------------------------------------------


def make_people(register, incidents):
    """Locations become customers, callers their contacts, groups teams, resolvers staff."""
    make_customers(register, incidents)
    make_staff(register, incidents)
    env = register.env
    register.make(
        "helpdesk.ticket.category",
        {
            ("category", name): {"name": name}
            for name in sorted({e.category for i in incidents for e in i.events if e.category})
        },
    )
    stages = env["helpdesk.ticket.stage"]
    if not register.has("stage", "New"):
        register.mark(env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new"), [("stage", "New")])
    register.make(
        stages._name,
        {
            ("stage", name): {
                "name": name,
                "sequence": 10 + index,
                "resolves": name == "Resolved",
                "closed": name == "Closed",
            }
            for index, name in enumerate(("Active", *WAITING, "Resolved", "Closed"))
        },
    )


def make_customers(register, incidents):
    sites = register.make("support.site", {("site", name): {"name": name} for name in SITES})
    site_ids = dict(zip(SITES, sites.ids, strict=True))
    contacts = sorted(
        {event.contact for incident in incidents for event in incident.events},
        key=lambda contact: (contact[0] or "", contact[1] or ""),
    )
    place = {}
    for location, _caller in contacts:
        site = site_of(location)
        place[location] = {"support_site_id": site_ids[site], "tz": TIME_ZONES[site]}
    register.make(
        "res.partner",
        {
            ("customer", location): {"name": location or UNKNOWN, "is_company": True, **values}
            for location, values in place.items()
        },
    )
    register.make(
        "res.partner",
        {
            ("caller", location, caller): {
                "name": caller,
                "parent_id": register.get("res.partner", "customer", location).id,
                **place[location],
            }
            for location, caller in contacts
            if caller
        },
    )


def get_contact(register, event):
    """Return the caller as a contact of the location; the customer itself where unknown."""
    if event.caller:
        return register.get("res.partner", "caller", *event.contact)
    return register.get("res.partner", "customer", event.location)


def make_staff(register, incidents):
    names = {work.staff for incident in incidents for work in get_work(incident)}
    members = get_members(incidents)
    names |= {name for group in members.values() for name in group}
    names = sorted(names)
    env = register.env
    groups = env.ref("helpdesk_mgmt.group_helpdesk_user") + env.ref(
        "hr_timesheet.group_hr_timesheet_user"
    )
    users = register.make(
        "res.users",
        {
            ("user", name): {
                "name": name,
                "login": register.name("replay", name),
                "group_ids": [Command.link(group.id) for group in groups],
                "notification_type": "inbox",
                "tz": "UTC",
            }
            for name in names
        },
    )
    register.make(
        "hr.employee",
        {
            ("employee", name): {"name": name, "user_id": user.id}
            for name, user in zip(names, users, strict=True)
        },
    )
    groups = {event.group for incident in incidents for event in incident.events if event.group}
    register.make(
        "helpdesk.ticket.team",
        {
            ("team", group): {
                "name": group,
                "user_ids": [
                    Command.set([register.get("res.users", "user", name).id for name in people])
                ],
            }
            for group, people in ((group, sorted(members[group])) for group in sorted(groups))
        },
    )


# -- Plans and contracts -----------------------------------------------------------------------


def make_plans(register):
    make_policies(register)
    env = register.env
    hour = env.ref("uom.product_uom_hour")
    labour = register.make(
        "product.product",
        {
            ("labour", name): {
                "name": name,
                "type": "service",
                "uom_id": hour.id,
                "list_price": ACTIVITY_TERMS[name][0],
            }
            for name in ACTIVITIES
        },
    )
    register.make(
        "support.activity.type",
        {
            ("activity", name): {
                "name": name,
                "product_id": product.id,
                "minimum_minutes": ACTIVITY_TERMS[name][1],
                "increment_minutes": ACTIVITY_TERMS[name][2],
                "rounding_scope": ACTIVITY_TERMS[name][3],
            }
            for name, product in zip(ACTIVITIES, labour, strict=True)
        },
    )
    shift = {"name": "Service hours", "tz": "UTC", "company_id": env.company.id}
    shift["attendance_ids"] = [
        Command.create({"name": "Day", "dayofweek": str(day), "hour_from": 8, "hour_to": 18})
        for day in range(5)
    ]
    register.make("resource.calendar", {("shift",): shift})
    register.make(
        "product.product",
        {
            ("product", plan, name): {"name": f"{plan}: {name}", "type": "service"}
            for plan, terms in PLANS.items()
            for name in ("fee", "incident_price")
            if name in terms
        },
    )
    return register.make(
        "support.plan",
        {("plan", name): _prepare_plan(register, name, terms) for name, terms in PLANS.items()},
    )


def _prepare_plan(register, name, terms):
    def product(kind):
        return register.get("product.product", "product", name, kind).id

    values = {"name": name, "duration_months": 6, **terms["terms"]}
    values["sla_policy_id"] = register.get("support.sla.policy", "sla", terms["sla"]).id
    values["rate_ids"] = [Command.create(_prepare_rate(register, *rate)) for rate in terms["rates"]]
    if "fee" in terms:
        values["line_ids"] = [
            Command.create({"product_id": product("fee"), "name": name, "price_unit": terms["fee"]})
        ]
    if "allowance" in terms:
        values["allowance_ids"] = [Command.create(dict(terms["allowance"]))]
    if "incident_price" in terms:
        values["incident_product_id"] = product("incident_price")
        values["incident_price"] = terms["incident_price"]
    return values


def _prepare_rate(register, kind, value, activity, site, shift):
    values = {"kind": kind, "multiplier" if kind == "multiplier" else "price": value}
    if activity:
        values["activity_type_id"] = register.get("support.activity.type", "activity", activity).id
    if site:
        values["site_id"] = register.get("support.site", "site", site).id
    if shift:
        values["name"] = "Out of hours"
        values["shift_id"] = register.get("resource.calendar", "shift").id
        values["shift_side"] = shift
    return values


def get_life(incidents):
    """Return the first and the last day of all contracts."""
    moments = [incident.first_moment.date() for incident in incidents]
    moments += [incident.opened_at.date() for incident in incidents]
    first, last = min(moments).replace(day=1), max(moments)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    months = -(-months // 6) * 6
    return first, first + relativedelta(months=months, days=-1)


def make_contracts(register, incidents):
    """Give the customers their contracts, in packs, and sign them."""
    plans = make_plans(register)
    start, end = get_life(incidents)
    shares = [(location, count) for location, count in rank_locations(incidents) if count > 1]
    packs = {}
    vals_by_key = {}
    for rank, (location, count) in enumerate(shares):
        key = ("contract", location)
        packs[key] = -(-count // 10)
        vals_by_key[key] = {
            "partner_id": register.get("res.partner", "customer", location).id,
            "plan_id": plans[rank % len(plans)].id,
            "date_start": start,
            "date_end": end,
        }
    contracts = register.make("support.contract", vals_by_key)
    for contract, key in zip(contracts, packs, strict=True):
        if contract.state == "draft":
            contract.line_ids.quantity = packs[key]
            for allowance in contract.allowance_ids:
                allowance.quantity *= packs[key]
                allowance.carry_cap *= packs[key]
    contracts.filtered(lambda contract: contract.state == "draft").action_confirm()
    return contracts
