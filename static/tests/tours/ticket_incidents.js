import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const pick = (field, text) => [
    {
        content: `write into ${field}`,
        trigger: `.o_field_widget[name=${field}] input`,
        run: `edit ${text}`,
    },
    {
        content: `choose ${text}`,
        trigger: `.o-autocomplete--dropdown-item:contains(${text})`,
        run: "click",
    },
];

const ticket = (title, team) => [
    {
        content: "an empty ticket",
        trigger: ".o_field_widget[name=number]:contains(/^.$/)",
        timeout: 60000,
    },
    {
        content: "its title",
        trigger: ".o_form_view .o_field_widget[name=name] input",
        run: `edit ${title}`,
    },
    ...pick("team_id", team),
    ...pick("partner_id", "Tour Bakery"),
    {
        content: "its description",
        trigger: ".o_field_widget[name=description] .odoo-editor-editable",
        run: "editor Please help.",
    },
];

/** A ticket takes the last incident, the next is refused; a locked one gets its own contract. */
registry.category("web_tour.tours").add("support_ticket_incidents", {
    url: "/odoo/action-helpdesk_mgmt.helpdesk_ticket_action/new",
    steps: () => [
        ...ticket("The oven is cold", "Tour Paid Desk"),
        ...stepUtils.saveForm(),
        {
            content: "it has taken the incident",
            trigger: ".o_field_widget[name=consumed_incidents]:contains(1)",
        },
        { content: "another one", trigger: ".o_form_button_create", run: "click" },
        ...ticket("The mixer is loud", "Tour Paid Desk"),
        { content: "try to save it", trigger: ".o_form_button_save", run: "click" },
        {
            content: "it says that no incident is left, and what to do",
            trigger: ".modal:contains(Tour Bakery has none left. Grant or sell incidents)",
        },
        { content: "close the message", trigger: ".modal .modal-footer button", run: "click" },
        {
            content: "nothing was saved: discard it",
            trigger: "body:not(:has(.modal)) .o_form_button_cancel",
            run: "click",
        },
        {
            content: "a third one, from the list",
            trigger:
                ".o_control_panel .o_list_button_add, .o_control_panel .o-kanban-button-new, .o_form_button_create:enabled",
            run: "click",
        },
        ...ticket("The till is stuck", "Tour Contract Desk"),
        ...stepUtils.saveForm(),
        {
            content: "it is locked and says why",
            trigger: "div[name=support_lock]:contains(Pending – No Contract)",
        },
        {
            content: "make a contract for it",
            trigger: "div[name=support_lock] button[name=action_create_contract]",
            run: "click",
        },
        {
            content: "at the price of the plan",
            trigger: ".modal .o_field_widget[name=price] input:value(80)",
        },
        {
            content: "in one step",
            trigger: ".modal .modal-footer button[name=action_create]",
            run: "click",
        },
        {
            content: "it is open and under its contract",
            trigger:
                "body:not(:has(.modal)) .o_form_view:not(:has(div[name=support_lock])) .oe_stat_button[name=action_view_contract]",
        },
    ],
});
