import { registry } from "@web/core/registry";

const dialog = ".modal .o_form_view";

/** A service manager looks at a preview, raises the prices, and renews a contract. */
registry.category("web_tour.tours").add("support_renew", {
    steps: () => [
        {
            content: "renew",
            trigger: ".o_form_view button:contains(Renew)",
            run: "click",
        },
        {
            content: "the preview says what stays",
            trigger: `${dialog} .o_field_widget[name=preview]:contains(100.00)`,
        },
        {
            content: "raise the prices by per cent",
            trigger: `${dialog} .o_field_widget[name=price_change] .o_radio_item:contains(By per cent) input`,
            run: "click",
        },
        {
            content: "by five",
            trigger: `${dialog} .o_field_widget[name=price_percent] input`,
            run: "edit 5 && press Tab",
        },
        {
            content: "the preview says what is new",
            trigger: `${dialog} .o_field_widget[name=preview]:contains(105.00)`,
        },
        {
            content: "say why",
            trigger: `${dialog} .o_field_widget[name=reason] input`,
            run: "edit Agreed on the phone",
        },
        {
            content: "renew it",
            trigger: ".modal button[name=action_renew]:enabled",
            run: "click",
        },
        {
            content: "the renewal waits for its start",
            trigger: ".o_form_view .o_arrow_button_current[data-value=pending]",
        },
        {
            content: "and says what it renews",
            trigger: ".o_form_view .o_field_widget[name=renews_id]:contains(Tour Renewable)",
        },
    ],
});
