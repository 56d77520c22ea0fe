import { registry } from "@web/core/registry";

/** A service manager ends a contract that is paid in advance, and thinks better of it. */
registry.category("web_tour.tours").add("support_terminate", {
    steps: () => [
        {
            content: "terminate the contract",
            trigger: ".o_statusbar_buttons button[name=action_terminate]:enabled",
            run: "click",
        },
        {
            content: "without a credit it can't end before what is billed",
            trigger: ".modal .o_field_widget[name=preview] .alert-danger:contains(is billed through)",
        },
        {
            content: "credit what was paid in advance",
            trigger: ".modal .o_field_widget[name=credit_fees] input",
            run: "click",
        },
        {
            content: "the preview says what comes back",
            trigger: ".modal .o_field_widget[name=preview]:contains(To be credited)",
        },
        {
            content: "bill it now",
            trigger: ".modal .o_field_widget[name=settle_now] input",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Moves to another city",
        },
        {
            content: "confirm",
            trigger: ".modal footer button[name=action_terminate]",
            run: "click",
        },
        {
            content: "the contract says who ended it and why",
            trigger: ".o_field_widget[name=termination_label]:contains(Moves to another city)",
        },
        {
            content: "take it back",
            trigger: ".o_statusbar_buttons button[name=action_undo_termination]:enabled",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Stays here",
        },
        {
            content: "confirm",
            trigger: ".modal footer button[name=action_take_back]",
            run: "click",
        },
        {
            content: "it can be terminated again",
            trigger: "body:not(:has(.modal)) .o_statusbar_buttons button[name=action_terminate]",
            run: "click",
        },
        {
            content: "now for good",
            trigger: ".modal .o_field_widget[name=credit_fees] input",
            run: "click",
        },
        {
            content: "at once",
            trigger: ".modal .o_field_widget[name=settle_now] input",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Moves after all",
        },
        {
            content: "confirm",
            trigger: ".modal footer button[name=action_terminate]",
            run: "click",
        },
        {
            content: "the contract says so",
            trigger: ".o_field_widget[name=termination_label]:contains(Moves after all)",
        },
    ],
});
