import { formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { Component, onWillUnmount, toRaw, useEffect, useState, xml } from "@odoo/owl";

const { DateTime } = luxon;

const MINUTE = 60;
const HOUR = 3600;
const LOOKS = {
    running: ["text-success", "fa-clock-o"],
    at_risk: ["o_support_at_risk", "fa-exclamation-triangle"],
    breached: ["text-danger fw-bold", "fa-exclamation-circle"],
    paused: ["text-muted", "fa-pause"],
    met: ["text-success", "fa-check"],
    missed: ["text-danger", "fa-times"],
    stopped: ["text-muted", "fa-stop"],
};

/**
 * What a clock of the server says at a later moment, without asking it again: time counts in the
 * windows that it has sent. Moments are seconds since 1970.
 */
export function readClock(clock, at) {
    let { left, status } = clock;
    let open = false;
    let edge = Infinity; // when it begins or ceases to count
    for (const [start, stop] of clock.windows) {
        left -= Math.max(0, Math.min(stop, at) - Math.max(start, clock.now));
        open = open || (start <= at && at < stop);
        edge = Math.min(edge, ...[start, stop].filter((moment) => moment > at));
    }
    if (clock.state === "running" && status !== "breached") {
        if (at > clock.deadline) {
            status = "breached";
        } else if (clock.warn_at && at >= clock.warn_at) {
            status = "at_risk";
        }
    }
    return { left, status, open, edge };
}

/** The seconds until a clock shows something else; none for one that stands still for good. */
export function nextTick(clock, { left, open, edge }, at) {
    if (clock.state !== "running") {
        return Infinity;
    }
    let pace = Infinity;
    if (open) {
        const rest = left < 0 ? MINUTE - (-left % MINUTE) : (left % MINUTE) + 1;
        pace = Math.abs(left) <= HOUR ? 1 : rest;
    }
    const moments = [clock.warn_at, clock.deadline + 1, edge].filter((moment) => moment > at);
    return Math.min(pace, ...moments.map((moment) => moment - at));
}

/** 3 h 25 min, or 12 min 05 s in the last hour; with a minus when it is overdue. */
export function formatLeft(seconds) {
    const sign = seconds < 0 ? "−" : "";
    const rest = Math.abs(Math.trunc(seconds));
    const two = (number) => String(number).padStart(2, "0");
    if (rest < HOUR) {
        return _t("%(sign)s%(minutes)s min %(seconds)s s", {
            sign,
            minutes: Math.floor(rest / MINUTE),
            seconds: two(rest % MINUTE),
        });
    }
    return _t("%(sign)s%(hours)s h %(minutes)s min", {
        sign,
        hours: Math.floor(rest / HOUR),
        minutes: two(Math.floor((rest % HOUR) / MINUTE)),
    });
}

// What the browser's clock is ahead of the server's, noted when a value is first seen.
const ahead = new WeakMap();

/** The time left on an SLA clock, in working time; it counts by itself and takes its colours. */
export class SupportSlaClock extends Component {
    static template = xml`
        <span t-if="clock" class="o_support_sla_clock text-nowrap"
              t-att-class="look[0]" t-att-data-status="reading.status"
              t-att-data-left="reading.left" t-att-data-tooltip="tooltip">
            <i class="fa fa-fw me-1" t-att-class="icon" aria-hidden="true"/><t t-out="text"/>
        </span>`;
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ at: 0 });
        this.timer = null;
        useEffect(
            () => {
                this.tick();
                return () => this.stop();
            },
            () => [this.clock]
        );
        onWillUnmount(() => this.stop());
    }

    get clock() {
        return toRaw(this.props.record.data[this.props.name]) || null;
    }

    /** The moment as the server would have it. */
    get now() {
        const here = Math.floor(Date.now() / 1000);
        if (!ahead.has(this.clock)) {
            ahead.set(this.clock, here - this.clock.now);
        }
        return here - ahead.get(this.clock);
    }

    get reading() {
        return readClock(this.clock, Math.max(this.state.at, this.now));
    }

    tick() {
        this.stop();
        if (!this.clock) {
            return;
        }
        this.state.at = this.now;
        const wait = nextTick(this.clock, this.reading, this.now);
        if (wait < Infinity) {
            // A little behind the second, so that it has surely begun; a day is long enough.
            const rest = 1000 - (Date.now() % 1000);
            const delay = (Math.min(wait, 24 * HOUR) - 1) * 1000 + rest + 20;
            this.timer = setTimeout(() => this.tick(), delay);
        }
    }

    stop() {
        clearTimeout(this.timer);
        this.timer = null;
    }

    get look() {
        return LOOKS[this.reading.status];
    }

    get icon() {
        if (this.clock.state === "paused") {
            return "fa-pause";
        }
        const { status, open } = this.reading;
        return this.clock.state === "running" && !open && status === "running"
            ? "fa-moon-o"
            : this.look[1];
    }

    get text() {
        return formatLeft(this.reading.left);
    }

    get tooltip() {
        const { clock } = this;
        const { status, open, edge } = this.reading;
        const local = (moment) => formatDateTime(DateTime.fromSeconds(moment));
        const due = _t("Due %s", local(clock.deadline));
        if (clock.state === "paused") {
            return _t("Paused: the time left stands still");
        }
        if (clock.state !== "running") {
            const taken = _t("It has taken %s of working time", formatLeft(clock.target - clock.left));
            return [taken, due].join(" · ");
        }
        const parts = [due];
        if (status === "breached") {
            parts.push(_t("Breached since %s", local(clock.breached_at || clock.deadline)));
        } else if (status === "at_risk") {
            parts.push(_t("At risk since %s", local(clock.warn_at)));
        } else if (clock.warn_at) {
            parts.push(_t("At risk from %s", local(clock.warn_at)));
        }
        if (!open) {
            parts.push(
                edge < Infinity
                    ? _t("Outside active hours: counts again from %s", local(edge))
                    : _t("Outside active hours")
            );
        }
        return parts.join(" · ");
    }
}

export const supportSlaClock = {
    component: SupportSlaClock,
    displayName: _t("SLA time left"),
    supportedTypes: ["json"],
};

registry.category("fields").add("support_sla_clock", supportSlaClock);
