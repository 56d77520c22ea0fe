import { registry } from "@web/core/registry";

const row = ".modal .o_data_row:contains(Tour night repair)";

/** A service manager carries one charge of a bill to the next term. */
registry.category("web_tour.tours").add("support_carry_debt", {
    url: "/odoo/support-bills",
    steps: () => [
        {
            content: "open the bill",
            trigger: ".o_data_row:contains(Tour Debtor) td[name=partner_id]",
            run: "click",
        },
        {
            content: "carry something",
            trigger: ".o_form_view .o_statusbar_buttons button[name=action_carry]:enabled",
            run: "click",
        },
        {
            content: "tick the night repair",
            trigger: `${row} .o_field_widget[name=chosen] input`,
            run: "click",
        },
        {
            content: "what is left to pay is shown at once",
            trigger: ".modal .o_field_widget[name=due_after]:contains(140.00)",
        },
        {
            content: "why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Unexpected incidents",
        },
        {
            content: "confirm",
            trigger: ".modal button[name=action_carry]:enabled",
            run: "click",
        },
        {
            content: "the bill has the picture of a credit card",
            trigger:
                "body:not(:has(.modal)) div[name=picture] .o_field_widget[name=amount_carried_out]:contains(210.00)",
        },
        {
            content: "and the mark",
            trigger: ".o_field_widget[name=carried_out_ids]:contains(Tour night repair)",
        },
    ],
});
