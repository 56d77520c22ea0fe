"""The commands behind the Makefile, and some more for daily work: see README.md beside this."""

import argparse
import importlib.util
import os
import shlex
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from devenv import (
    ensure_postgres,
    new_database,
    odoo_config,
    run_child,
    run_odoo,
    temporary_database,
    update_database,
)
from paths import ADDONS, CHECKOUT, LOGS, MODULE, PYTHON, SCRIPTS, WORK

OWN_TESTS = f"{MODULE}/tests"


def run(options):
    """Serve the add-on with demo data; the data is kept from one time to the next."""
    update_database("sc_run")
    port = _free_port(options.port)
    threading.Thread(target=_announce, args=(port,), daemon=True).start()
    try:
        run_odoo("sc_run", http_port=port, max_cron_threads=1)
    except KeyboardInterrupt:
        print("stopped")


def _free_port(port):
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
        port += 1


def _announce(port):
    """Say where to look as soon as there is something to see."""
    while True:
        time.sleep(0.2)
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                break
    print(
        f"\n  http://localhost:{port}   login admin, password admin   (Ctrl-C stops)\n", flush=True
    )


def test(options):
    """Our tests, and those of helpdesk_mgmt with the add-on installed, with and without sales.

    With arguments for pytest only our tests that they choose.
    """
    arguments = shlex.split(options.args)
    if arguments:
        return _pytest("sc_test", "sale", *_test_paths(arguments))
    helpdesk = importlib.util.find_spec("odoo.addons.helpdesk_mgmt").submodule_search_locations[0]
    helpdesk_tests = Path(helpdesk) / "tests"
    print(f"== helpdesk_mgmt with {MODULE}, without sale_timesheet", flush=True)
    with temporary_database("sc_test_alone", "alone"):
        failed = _pytest_on("sc_test_alone", helpdesk_tests)
        print(f"== helpdesk_mgmt after {MODULE} was uninstalled", flush=True)
        environ = {**os.environ, "PGDATABASE": "sc_test_alone"}
        failed = run_child([PYTHON, SCRIPTS / "uninstall.py"], env=environ) or failed
        failed = _pytest_on("sc_test_alone", helpdesk_tests) or failed
    print(f"== {MODULE}, then helpdesk_mgmt with it and sale_timesheet", flush=True)
    return _pytest("sc_test", "sale", OWN_TESTS, helpdesk_tests) or failed


def _test_paths(arguments):
    """Paths as seen from the checkout become paths below the add-ons folder; all without one."""
    given = [argument.split("::")[0] for argument in arguments]
    paths = [bool(path) and (CHECKOUT / path).exists() for path in given]
    arguments = [f"{MODULE}/{a}" if path else a for a, path in zip(arguments, paths, strict=True)]
    return arguments if any(paths) else [*arguments, OWN_TESTS]


def _pytest(database, template, *arguments):
    with temporary_database(database, template):
        return _pytest_on(database, *arguments)


def _pytest_on(database, *arguments):
    log = LOGS / f"{database}.pytest.log"
    log.unlink(missing_ok=True)
    config = odoo_config(database, logfile=log)
    command = [PYTHON, "-m", "pytest", "--odoo-http", "--odoo-config", config]
    command += ["--odoo-log-level", "warn", "-p", "pytest_rules", *arguments]
    # The checkout is a Python package, and all of .work/ seems to belong to it: the add-ons folder
    # is where collecting has to begin.
    command += ["-c", f"{MODULE}/pyproject.toml", "--rootdir", ADDONS, "--confcutdir", ADDONS]
    command += ["-o", f"cache_dir={WORK / 'pytest_cache'}"]
    return run_child(command, cwd=ADDONS)


def pytest(options):
    """Pytest on a database that stays: quicker, for a test under work."""
    update_database(options.database)
    return _pytest_on(options.database, *_test_paths(shlex.split(options.args)))


def update(options):
    """Have a database with the add-on as it is now."""
    if options.new:
        new_database(options.database)
    update_database(options.database)


def shell(options):
    """Odoo's shell."""
    update_database(options.database)
    return run_odoo(options.database, "shell", "--no-http")


def script(options):
    """A script of ours on a database of its own, without demo data: replay, bench."""
    database = f"sc_{Path(options.script).stem}"
    command = [PYTHON, SCRIPTS / options.script, *options.arguments, *shlex.split(options.args)]
    with temporary_database(database, "bare"):
        return run_child(command, env={**os.environ, "PGDATABASE": database})


def lint(options):
    """Ruff and OCA's checks; both always."""
    ruff = [PYTHON, "-m", "ruff"]
    results = [
        run_child([*ruff, "check", CHECKOUT]),
        run_child([*ruff, "format", "--check", CHECKOUT]),
        # Below the add-ons folder: only there has the add-on its name.
        run_child(
            [PYTHON, "-m", "pylint", "--rcfile", CHECKOUT / ".pylintrc", MODULE],
            cwd=ADDONS,
        ),
    ]
    return int(any(results))


def postgres(options):
    """Keep the server up, for other programs."""
    ensure_postgres()
    print(
        f"PGHOST={os.environ['PGHOST']} PGUSER={os.environ['PGUSER']}   (Ctrl-C stops)", flush=True
    )
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("stopped")


def main():
    # A terminated command cleans up like one that was interrupted; and interrupting works even
    # where the shell has switched it off, for what it runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(function):
        sub = commands.add_parser(function.__name__, help=function.__doc__)
        sub.set_defaults(function=function)
        return sub

    def add_args(sub, what):
        # The Makefile hands them over in the environment.
        sub.add_argument("--args", default=os.environ.get("ARGS", ""), help=what)

    command(run).add_argument("--port", type=int, default=os.environ.get("PORT") or 8069)
    add_args(command(test), "arguments for pytest")
    script_command = command(script)
    script_command.add_argument("script", help="file or folder below scripts/")
    script_command.add_argument("arguments", nargs="*", help="arguments for the script")
    add_args(script_command, "more of them")
    command(lint)
    command(postgres)
    on_database = [command(function) for function in (update, pytest, shell)]
    for sub in on_database:
        sub.add_argument("--database", default="sc_dev")
    on_database[0].add_argument("--new", action="store_true", help="make it anew")
    add_args(on_database[1], "arguments for pytest")
    options = parser.parse_args()
    sys.exit(options.function(options))


if __name__ == "__main__":
    main()
