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

const press = (name, done) => [
    {
        content: `press ${name}`,
        trigger: `.o_form_view .o_statusbar_buttons button[name=${name}]:enabled`,
        run: "click",
    },
    { content: `${name} is done`, trigger: done },
];

const status = (value) => `.o_arrow_button_current[data-value=${value}]`;

/** A manager makes a contract, a ticket and work under it, bills it and posts the invoice. */
registry.category("web_tour.tours").add("support_contract_to_invoice", {
    url: "/odoo/support-contracts",
    steps: () => [
        {
            content: "a new contract",
            trigger: ".o_control_panel .o_list_button_add, .o_control_panel .o-kanban-button-new",
            run: "click",
        },
        ...pick("partner_id", "Tour Hotel"),
        ...pick("plan_id", "Tour Plan"),
        { content: "the plan's fee is taken over", trigger: "td:contains(Tour fee)" },
        ...press("action_confirm", status("active")),
        {
            content: "open its tickets",
            trigger: ".oe_stat_button[name=action_view_tickets]",
            run: "click",
        },
        {
            content: "the tickets of the contract are shown",
            trigger: ".o_breadcrumb .active:contains(Ticket)",
        },
        {
            content: "a new ticket",
            trigger: ".o_control_panel .o_list_button_add, .o_control_panel .o-kanban-button-new",
            run: "click",
        },
        {
            content: "its title",
            trigger: ".o_field_widget[name=name] input",
            run: "edit The printer is on fire",
        },
        {
            content: "its description",
            trigger: ".o_field_widget[name=description] .odoo-editor-editable",
            run: "editor It is really hot.",
        },
        ...stepUtils.saveForm(),
        { content: "to time and parts", trigger: "a[name=support_work]", run: "click" },
        {
            content: "log time",
            trigger: ".o_field_widget[name=time_entry_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            content: "what was done",
            trigger: ".o_field_widget[name=time_entry_ids] .o_selected_row div[name=name] input",
            run: "edit Put it out",
        },
        {
            content: "how long it took",
            trigger:
                ".o_field_widget[name=time_entry_ids] .o_selected_row div[name=unit_amount] input",
            run: "edit 1:30",
        },
        ...stepUtils.saveForm(),
        {
            content: "an hour of it is covered, the rest charged",
            trigger: ".o_field_widget[name=time_entry_ids] td[name=covered_hours]:contains(01:00)",
        },
        {
            content: "half an hour at 70.00",
            trigger: ".o_field_widget[name=time_entry_ids] td[name=support_amount]:contains(35.00)",
        },
        {
            content: "to the contract",
            trigger: ".oe_stat_button[name=action_view_contract]",
            run: "click",
        },
        ...press("action_generate_bill", ".o_form_view .o_field_widget[name=charge_count]"),
        ...press("action_submit", status("approved")),
        ...press("action_invoice", ".o_form_view .o_field_widget[name=invoice_line_ids]"),
        ...press("action_post", status("posted")),
        {
            content: "the invoice shows the fee",
            trigger: ".o_field_widget[name=invoice_line_ids]:contains(Tour fee)",
        },
    ],
});
