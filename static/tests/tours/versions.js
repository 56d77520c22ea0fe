import { registry } from "@web/core/registry";

const comparison = ".o_form_view .o_field_widget[name=comparison]";

/** A service manager changes a price, and looks up what was agreed before. */
registry.category("web_tour.tours").add("support_versions", {
    steps: () => [
        {
            content: "edit the recurring product",
            trigger: ".o_field_widget[name=line_ids] .o_data_row .o_data_cell[name=price_unit]",
            run: "click",
        },
        {
            content: "another price",
            trigger: ".o_field_widget[name=line_ids] .o_field_widget[name=price_unit] input",
            run: "edit 120",
        },
        {
            content: "save",
            trigger: ".o_form_button_save:enabled",
            run: "click",
        },
        {
            content: "wait until it is saved",
            trigger: ".o_form_view .o_form_saved, .o_form_view .o_form_status_indicator_buttons.invisible",
        },
        {
            content: "what else there is about it",
            trigger: ".o_form_view .o-form-buttonbox .o_button_more",
            run: "click",
        },
        {
            content: "its versions",
            trigger: ".o-dropdown--menu .oe_stat_button[name=action_view_versions]",
            run: "click",
        },
        {
            content: "open the second one",
            trigger: ".o_list_view .o_data_row:contains(Tour fee) .o_data_cell[name=summary]",
            run: "click",
        },
        {
            content: "before and after",
            trigger: `${comparison}:contains(100.00):contains(120.00)`,
        },
        {
            content: "all terms",
            trigger: ".o_form_view .nav-link:contains(All Terms)",
            run: "click",
        },
        {
            content: "as they are agreed now",
            trigger: ".o_form_view .o_field_widget[name=terms]:contains(Tour fee):contains(120.00)",
        },
    ],
});
