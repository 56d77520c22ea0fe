import { registry } from "@web/core/registry";

const dialog = ".modal .o_form_view";
const tick = (name) => [
    {
        content: `tick ${name}`,
        trigger: `${dialog} .o_data_row:contains(${name}) .o_field_widget[name=chosen] input`,
        run: "click",
    },
];
const press = (name) => ({
    content: `press ${name}`,
    trigger: `.modal button[name=${name}]:enabled`,
    run: "click",
});

/** A manager gives every item a customer, chooses rollover and switches validation on. */
registry.category("web_tour.tours").add("support_activation", {
    url: "/odoo/support-contracts",
    steps: () => [
        {
            content: "open the configuration",
            trigger: "button[data-menu-xmlid='support_contract.menu_support_config']",
            run: "click",
        },
        {
            content: "contract validation",
            trigger: "a[data-menu-xmlid='support_contract.menu_support_activation']",
            run: "click",
        },
        {
            content: "it can't be switched on yet",
            trigger: `${dialog} .o_data_row:contains(Tour Printer)`,
        },
        press("action_activate"),
        {
            content: "the items are named",
            trigger: ".modal:contains(Tour Scanner) .modal-body:contains(Every item must belong)",
        },
        {
            content: "close the message",
            trigger: ".modal:contains(Every item must belong) .modal-footer button",
            run: "click",
        },
        ...tick("Tour Printer"),
        ...tick("Tour Server"),
        {
            content: "whose they are",
            trigger: `${dialog} .o_field_widget[name=partner_id] input`,
            run: "edit Tour Hotel",
        },
        {
            content: "choose the department",
            trigger: ".o-autocomplete--dropdown-item:contains(Tour Reception)",
            run: "click",
        },
        press("action_assign"),
        {
            content: "two are gone, one is left",
            trigger: `${dialog}:not(:contains(Tour Printer)) .o_data_row:contains(Tour Scanner)`,
        },
        press("action_assign_rest"),
        {
            content: "it is our own",
            trigger: ".modal:contains(our own) .modal-footer .btn-primary:contains(Ok)",
            run: "click",
        },
        {
            content: "every item has a customer",
            trigger: `${dialog} .text-success:contains(Every item)`,
        },
        {
            content: "rollover",
            trigger: `${dialog} .o_field_widget[name=expired_work] input[data-value=rollover]`,
            run: "click",
        },
        press("action_activate"),
        {
            content: "it is on",
            trigger: ".o_notification:contains(Contract validation is on)",
        },
    ],
});
