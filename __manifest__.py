# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
{
    "name": "Support Contracts",
    "summary": "Contracts, prepaid incidents and hours, rated work, bills and their invoices",
    "version": "19.0.1.0.0",
    "category": "After-Sales",
    "license": "AGPL-3",
    "author": "Support Contracts, Odoo Community Association (OCA)",
    "website": "https://github.com/OCA/helpdesk",
    "depends": ["account", "hr_timesheet", "helpdesk_mgmt"],
    "data": [
        "security/res_groups.xml",
        "security/ir.model.access.csv",
        "security/ir_rules.xml",
        "data/ir_sequence_data.xml",
        "data/ir_cron_data.xml",
    ],
    "demo": ["demo/support_demo.xml"],
    "assets": {},
    "uninstall_hook": "uninstall_hook",
    "application": True,
    "installable": True,
}
