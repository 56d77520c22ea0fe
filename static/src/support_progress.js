import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { ProgressBarField, progressBarField } from "@web/views/fields/progress_bar/progress_bar_field";

/** How much of an allowance is used, in percent: green, orange from 80 %, red from 100 %. */
export class SupportProgressField extends ProgressBarField {
    get progressBarColorClass() {
        if (this.currentValue >= 100) {
            return "bg-danger";
        }
        return this.currentValue >= 80 ? "bg-warning" : "bg-success";
    }
}

export const supportProgressField = {
    ...progressBarField,
    component: SupportProgressField,
    displayName: _t("Support units used"),
};

registry.category("fields").add("support_progress", supportProgressField);
