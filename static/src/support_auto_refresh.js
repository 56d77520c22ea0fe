import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { Component, onWillUnmount, useEffect, xml } from "@odoo/owl";

const INTERVAL = 2500;

/** Reloads a record while its state is `running`, unless somebody edits it or looks elsewhere. */
export class SupportAutoRefresh extends Component {
    static template = xml`<i class="fa fa-refresh fa-spin ms-1" aria-hidden="true"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.timer = null;
        useEffect(
            (running) => {
                if (running) {
                    this.schedule();
                }
                return () => this.stop();
            },
            () => [this.props.record.data.state === "running"]
        );
        onWillUnmount(() => this.stop());
    }

    schedule() {
        this.timer = setTimeout(() => this.refresh(), INTERVAL);
    }

    stop() {
        clearTimeout(this.timer);
        this.timer = null;
    }

    async refresh() {
        const timer = this.timer;
        const { record } = this.props;
        if (!document.hidden && !(await record.isDirty())) {
            await record.load();
        }
        if (this.timer === timer && timer !== null) {
            this.schedule();
        }
    }
}

registry.category("view_widgets").add("support_auto_refresh", { component: SupportAutoRefresh });
