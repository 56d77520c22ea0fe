# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
from odoo import api, fields, models
from odoo.tools import format_list

from ..tools.terms_diff import Row, compare
from .support_sla_target import MINUTE


class SupportSlaVersion(models.Model):
    """A version in sentences, and what it changed."""

    _inherit = "support.sla.version"

    changes = fields.Text(string="What Changed", compute="_compute_changes")

    @api.depends("terms", "calendar_id", "customer_zone", "number")
    @api.depends_context("lang")
    def _compute_changes(self):
        numbers = {
            (version.policy_id.id, version.number): version
            for version in self.search([("policy_id", "in", self.policy_id.ids)])
        }
        for version in self:
            before = numbers.get((version.policy_id.id, version.number - 1))
            version.changes = (
                "\n".join(
                    self._describe_change(change)
                    for change in compare(before._get_rows_in_words(), version._get_rows_in_words())
                )
                if before
                else self.env._("As it was first promised")
            )

    @api.model
    def _describe_change(self, change):
        old, new = (f"{change.label} {text}".strip() for text in (change.old, change.new))
        if not change.old:
            return self.env._("New: %s", new)
        if not change.new:
            return self.env._("No longer: %s", old)
        return f"{old} → {change.new}"

    def _get_rows_in_words(self):
        """Return all that was promised, to be compared with another version.

        :rtype: list[tools.terms_diff.Row]
        """
        self.ensure_one()
        rows = [self._get_hours_row()]
        rows += [
            Row(
                key=f"target/{target['kind']}/{target['priority']}",
                section="target",
                label=self._get_target_label(target) + ":",
                value=target["seconds"],
                text=self._get_target_time(target),
            )
            for target in self.terms["targets"]
        ]
        # Whoever reads it may not see all stages and people.
        stages = self.env["helpdesk.ticket.stage"].sudo().browse(self.terms["stages"]).exists()
        rows += [
            Row(
                key=f"stage/{stage.id}",
                section="stage",
                label=self.env._("Pausing stage:"),
                value=stage.id,
                text=stage.name,
            )
            for stage in stages
        ]
        rows += [
            Row(
                key=f"step/{step['key']}",
                section="step",
                label="",
                value=[step[name] for name in sorted(step) if name != "key"],
                text=self._describe_step(step),
            )
            for step in self.terms["steps"]
        ]
        return rows

    def _get_hours_row(self):
        self.ensure_one()
        # As above.
        calendar = self.calendar_id.sudo()
        text = self._describe_hours(calendar, self.customer_zone)
        return Row(
            key="hours",
            section="hours",
            label=self.env._("Active hours:"),
            value=[calendar.id, self.customer_zone],
            text=text,
        )

    @api.model
    def _describe_hours(self, calendar, customer_zone):
        """Return in which hours time counts: Business hours (Europe/Brussels)."""
        if not calendar:
            return self.env._("around the clock")
        zone = self.env._("the customer's time zone") if customer_zone else calendar.tz
        return f"{calendar.name} ({zone})"

    # === PROMISES === #

    @api.model
    def _get_target_label(self, target):
        """Return what is promised, and for which priority: First Response (High)."""
        fields_of = self.env["support.sla.target"]._fields
        kinds = dict(fields_of["kind"]._description_selection(self.env))
        priorities = dict(fields_of["priority"]._description_selection(self.env))
        label = kinds[target["kind"]]
        return f"{label} ({priorities[target['priority']]})" if target["priority"] else label

    @api.model
    def _get_target_time(self, target):
        """Return the promised time as it was written: 4 hours."""
        number, unit = target["label"].split(" ")
        one = {
            "minutes": self.env._("1 minute"),
            "hours": self.env._("1 hour"),
            "days": self.env._("1 day"),
        }
        more = {
            "minutes": self.env._("%s minutes", number),
            "hours": self.env._("%s hours", number),
            "days": self.env._("%s days", number),
        }
        return one[unit] if number == "1" else more[unit]

    # === STEPS === #

    @api.model
    def _describe_step(self, row):
        """Return a step in a sentence: At 80 % of the time: note; activity to the assigned user."""
        values = {
            "when": self._describe_step_moment(row),
            "what": "; ".join(self._describe_step_actions(row)) or self.env._("nothing"),
        }
        return self.env._("%(when)s: %(what)s", **values)

    @api.model
    def _describe_step_moment(self, row):
        kinds = dict(
            self.env["support.sla.target"]._fields["kind"]._description_selection(self.env)
        )
        values = {
            "percent": row["percent"],
            "minutes": row["before"] // MINUTE,
            "promise": kinds.get(row["kind"], ""),
        }
        if row["before"] and row["kind"]:
            return self.env._("%(minutes)s minutes before the deadline of %(promise)s", **values)
        if row["before"]:
            return self.env._("%(minutes)s minutes before each deadline", **values)
        if row["percent"] == 100 and row["kind"]:
            return self.env._("On breach of %(promise)s", **values)
        if row["percent"] == 100:
            return self.env._("On each breach")
        if row["kind"]:
            return self.env._("At %(percent)s %% of the time for %(promise)s", **values)
        return self.env._("At %(percent)s %% of the time", **values)

    @api.model
    def _describe_step_actions(self, row):
        """Return what is done, in phrases."""
        users = self.env["res.users"].sudo()  # names of colleagues only
        phrases = []
        if row["reassign"]:
            reassigned = users.browse(row["reassign"]).exists()
            phrases.append(self.env._("the ticket goes to %s", reassigned.name or "?"))
        if "chatter" in row["by"]:
            phrases.append(self.env._("note on the ticket"))
        roles = {
            "assignee": self.env._("the assigned user"),
            "team": self.env._("the team leader"),
            "responsible": self.env._("the contract's responsible"),
        }
        told = [roles[role] for role in roles if role in row["to"]]
        if row["reassign"]:  # who gets the ticket is told in any case
            told = [
                self.env._("the new assigned user"),
                *told[1 if "assignee" in row["to"] else 0 :],
            ]
        told += users.browse(row["users"]).exists().mapped("name")
        ways = {"activity": self.env._("activity"), "mail": self.env._("e-mail")}
        ways = [ways[way] for way in ways if way in row["by"]]
        if told and ways:
            phrases.append(
                self.env._(
                    "%(ways)s to %(people)s",
                    ways=format_list(self.env, ways),
                    people=format_list(self.env, told),
                )
            )
        return phrases
