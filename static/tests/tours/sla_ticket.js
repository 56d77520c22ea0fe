import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const panel = ".o_support_sla_panel";
const row = (promise) => `${panel} .o_data_row:contains(${promise})`;
const openPage = {
    content: "what has happened",
    trigger: ".o_notebook .nav-link:contains(/^SLA$/)",
    run: "click",
};

/** The clocks of a new ticket run; they are paused by hand, and go on. */
tours.add("support_sla_pause", {
    steps: () => [
        {
            content: "the response is due in four hours, less what is gone",
            trigger: `${row("First Response")} .o_support_sla_clock[data-status=running]:contains(/3 h 4[89] min/)`,
        },
        {
            content: "stop the clocks",
            trigger: "button[name=action_pause_sla]",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Spare parts are on their way",
        },
        { content: "pause", trigger: ".modal button[name=action_pause]", run: "click" },
        {
            content: "they stand still",
            trigger: `body:not(:has(.modal)) ${row("Resolution")}:has(.badge:contains(Paused)) .o_support_sla_clock .fa-pause`,
        },
        openPage,
        {
            content: "the pause is kept with its reason",
            trigger:
                ".o_field_widget[name=sla_pause_ids] .o_data_row:contains(By Hand: Spare parts are on their way)",
        },
        {
            content: "let them go on",
            trigger: "button[name=action_resume_sla]",
            run: "click",
        },
        {
            content: "they run",
            trigger: `${row("First Response")} .o_support_sla_clock[data-status=running]`,
        },
    ],
});

/** The last hour: orange, and each second is counted. */
tours.add("support_sla_warning", {
    steps: () => [
        {
            content: "it is said on top",
            trigger: ".alert-warning[name=sla_at_risk]:contains(First Response at risk since)",
        },
        {
            content: "the seconds pass",
            trigger: `${row("First Response")} .o_support_sla_clock[data-status=at_risk]:contains(/5\\d min \\d\\d s/)`,
            async run() {
                const before = this.anchor.textContent;
                await new Promise((resolve) => setTimeout(resolve, 2500));
                if (this.anchor.textContent === before) {
                    throw new Error(`The time left stands still at ${before}`);
                }
            },
        },
        openPage,
        {
            content: "somebody was warned",
            trigger:
                ".o_field_widget[name=sla_event_ids] .o_data_row:contains(Warning):has(.o_m2m_avatar)",
        },
    ],
});

/** A promise is broken: red, explained to the second, and answered at last. */
tours.add("support_sla_breach", {
    steps: () => [
        {
            content: "it is said on top",
            trigger: ".alert-danger[name=sla_breached]:contains(First Response overdue)",
        },
        {
            content: "since when",
            trigger: ".o_field_widget[name=sla_breached_at] :contains(/\\d/)",
        },
        {
            content: "why then?",
            trigger: `${row("First Response")}:has(.o_support_sla_clock[data-status=breached]) button[name=action_explain]`,
            run: "click",
        },
        {
            content: "the pause is told",
            trigger: ".modal .o_data_row:contains(Paused):contains(Spare parts are on their way)",
        },
        {
            content: "four hours of work are promised, and over at the deadline",
            trigger: ".modal .o_data_row:contains(Deadline) [name=total_label]:contains(4:00:00)",
        },
        {
            content: "what came after that is too late",
            trigger: ".modal .o_data_row:contains(Too Late)",
        },
        { content: "close it", trigger: ".modal .modal-footer button", run: "click" },
        {
            content: "answer the customer",
            trigger: "body:not(:has(.modal)) .o-mail-Chatter-sendMessage",
            run: "click",
        },
        {
            content: "write",
            trigger: ".o-mail-Composer-input",
            run: "edit We are on it, sorry.",
        },
        {
            content: "send",
            trigger: ".o-mail-Composer-send:enabled",
            run: "click",
        },
        {
            content: "the answer is there",
            trigger: ".o-mail-Message:contains(We are on it)",
        },
    ],
});

/** Escalated to somebody else, and resolved too late. */
tours.add("support_sla_escalation", {
    steps: () => [
        {
            content: "the response was too late, the resolution is",
            trigger: `${row("First Response")}:contains(Missed)`,
        },
        {
            content: "it is said on top",
            trigger: ".alert-danger[name=sla_breached]:contains(Resolution overdue)",
        },
        {
            content: "the ticket has gone to the expert",
            trigger: ".o_field_widget[name=user_id]:contains(Tour Expert) , .o_field_widget[name=user_id] input:value(Tour Expert)",
        },
        openPage,
        {
            content: "the escalation is kept",
            trigger:
                ".o_field_widget[name=sla_event_ids] .o_data_row:contains(Escalation)",
        },
        {
            content: "stages that find no room are behind the dots",
            trigger: ".o_statusbar_status",
            run() {
                const buttons = [...this.anchor.querySelectorAll("button")];
                const shown = (button) => button.getClientRects().length;
                if (!buttons.some((button) => shown(button) && button.textContent === "Done")) {
                    buttons.find((button) => shown(button) && button.matches(".o_first")).click();
                }
            },
        },
        {
            content: "resolve it",
            trigger:
                ".o_statusbar_status button:contains(Done), .dropdown-item:contains(Done)",
            run: "click",
        },
        {
            content: "nothing is overdue any more",
            trigger: `.o_form_view:not(:has([name=sla_breached].alert)) ${row("Resolution")}:contains(Missed)`,
        },
    ],
});

/** In the list of those at risk the time is counted, and many are paused at once. */
tours.add("support_sla_list", {
    steps: () => [
        {
            content: "the ticket is red",
            trigger:
                ".o_list_view .o_data_row.text-danger:contains(Tour Late) .o_support_sla_clock[data-status=breached]",
        },
        {
            content: "the other one is orange",
            trigger:
                ".o_list_view .o_data_row.text-warning:contains(Tour Risky) .o_support_sla_clock[data-status=at_risk]",
        },
        {
            content: "choose all",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "pause them",
            trigger: ".o_control_panel button[name=action_pause_sla]",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Strike",
        },
        { content: "pause", trigger: ".modal button[name=action_pause]", run: "click" },
        {
            content: "what was at risk isn't any more, what is broken stays",
            trigger:
                "body:not(:has(.modal)) .o_list_view:not(:contains(Tour Risky)) .o_data_row:contains(Tour Late) .fa-pause",
        },
        {
            content: "as cards",
            trigger: ".o_switch_view.o_kanban",
            run: "click",
        },
        {
            content: "the card tells the moment of breach",
            trigger:
                ".o_kanban_record:contains(Tour Late):has(.o_support_sla_clock) small:contains(Breached)",
        },
    ],
});
