import { registry } from "@web/core/registry";

/** A service manager makes the contract of the head office for two branches at once. */
registry.category("web_tour.tours").add("support_clone", {
    steps: () => [
        {
            content: "open the menu of actions",
            trigger: ".o_form_view .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            content: "clone it",
            trigger: ".o_popover .o_menu_item:contains(Clone for Customers)",
            run: "click",
        },
        ...["Tour Branch North", "Tour Branch South"].flatMap((name) => [
            {
                content: "look for a customer",
                trigger: ".modal .o_field_widget[name=partner_ids] input",
                run: `edit ${name}`,
            },
            {
                content: "choose it",
                trigger: `.ui-autocomplete > li:contains(${name}):not(:contains(Create))`,
                run: "click",
            },
            {
                content: "the preview lists its contract",
                trigger: `.modal .o_field_widget[name=preview] tr:contains(${name}):contains(100.00)`,
            },
        ]),
        {
            content: "let them run at once",
            trigger: ".modal .o_field_widget[name=confirm] input",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Same service for the branches",
        },
        {
            content: "make them",
            trigger: ".modal footer button[name=action_clone]:enabled",
            run: "click",
        },
        {
            content: "both are listed",
            trigger: ".o_list_view .o_data_row:contains(Tour Branch North)",
        },
        {
            content: "the other one, too",
            trigger: ".o_list_view .o_data_row:contains(Tour Branch South)",
        },
    ],
});
