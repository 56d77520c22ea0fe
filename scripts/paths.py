"""Where things are. All that is fetched or built is below one folder that git ignores."""

import ast
import os
from pathlib import Path

MODULE = "support_contract"
CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / ".work"
VENV = WORK / "venv"
PYTHON = VENV / "bin" / "python"
ADDONS = WORK / "addons"  # holds a link to the checkout, under the name of the module
DATA_DIR = WORK / "data"  # Odoo's filestore and sessions
LOGS = WORK / "log"
SCRIPTS = CHECKOUT / "scripts"
REQUIREMENTS = SCRIPTS / "requirements.txt"
REQUIREMENTS_OCA = SCRIPTS / "requirements-oca.txt"


def odoo_root():
    """The folder that holds the package ``odoo``: the user's (variable ODOO) or the fetched one."""
    given = os.environ.get("ODOO")
    if not given:
        return WORK / "odoo" / "usr" / "lib" / "python3" / "dist-packages"
    root = Path(given).expanduser().resolve()
    for folder in (root, root.parent):
        if (folder / "odoo" / "release.py").is_file():
            return folder
    raise SystemExit(f"ODOO={given}: no Odoo there (a folder with odoo/release.py is expected)")


def addons_path():
    """Our add-on, and the ``addons`` folder that a git checkout of Odoo has beside the package."""
    beside = odoo_root() / "addons"
    return [str(ADDONS)] + ([str(beside)] if beside.is_dir() else [])


def manifest():
    return ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())
