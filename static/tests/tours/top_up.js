import { registry } from "@web/core/registry";

const preview = ".modal .o_field_widget[name=preview]";

/** A service manager sells hours for the running term, and takes them back. */
registry.category("web_tour.tours").add("support_top_up", {
    steps: () => [
        {
            content: "top it up",
            trigger: ".o_statusbar_buttons button[name=action_top_up]:enabled",
            run: "click",
        },
        {
            content: "the only plan for it is chosen, with its price",
            trigger: `${preview}:contains(10:00 h):contains(500.00)`,
        },
        {
            content: "two packages",
            trigger: ".modal .o_field_widget[name=quantity] input",
            run: "edit 2 && press Tab",
        },
        {
            content: "the preview follows",
            trigger: `${preview}:contains(20:00 h):contains("1,000.00")`,
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Asked for on the phone",
        },
        {
            content: "confirm",
            trigger: ".modal footer button[name=action_top_up]:enabled",
            run: "click",
        },
        {
            content: "it is on a bill at once",
            trigger: ".o_form_view .o_field_widget[name=amount_untaxed]:contains(1,000.00)",
        },
        {
            content: "back to the contract",
            trigger: ".o_breadcrumb .o_back_button, .o_breadcrumb li a:contains(Tour Prepaid)",
            run: "click",
        },
        {
            content: "what else there is about it",
            trigger: ".o_form_view:has([name=action_top_up]) .o-form-buttonbox .o_button_more",
            run: "click",
        },
        {
            content: "its history",
            trigger: ".o-dropdown--menu .oe_stat_button[name=action_view_changes]",
            run: "click",
        },
        {
            content: "take it back",
            trigger: ".o_data_row button[name=action_take_back_top_up]",
            run: "click",
        },
        {
            content: "the preview says what goes",
            trigger: `${preview}:contains(20:00 h)`,
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit The wrong contract",
        },
        {
            content: "confirm",
            trigger: ".modal footer button[name=action_take_back]:enabled",
            run: "click",
        },
        {
            content: "it is in the history",
            trigger: ".o_data_row:contains(The wrong contract)",
        },
    ],
});
