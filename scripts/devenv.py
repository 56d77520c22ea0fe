"""Odoo and its databases for development, tests and benchmarks.

    from devenv import environment

    with environment("sc_bench") as env:
        env["helpdesk.ticket"].search_count([])

A database with Odoo's own modules takes minutes to make, a copy of it seconds: so templates are
made once, and every database with the add-on starts as a copy of one.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from contextlib import closing, contextmanager

import psycopg2

from paths import (
    CHECKOUT,
    DATA_DIR,
    LOGS,
    MODULE,
    PYTHON,
    REQUIREMENTS_OCA,
    WORK,
    addons_path,
    manifest,
    odoo_root,
)
from postgres import ensure_postgres

# Name → (modules beside those the add-on depends on, with demo data, Odoo's automatic installs).
TEMPLATES = {
    # What most users have: with sales, and so with sale_timesheet.
    "sale": (("sale_management",), True, True),
    # The add-on must not need sale_timesheet, which comes by itself where it can.
    "alone": ((), True, False),
    # For measuring: no data but that of the measurement.
    "bare": (("sale_management",), False, True),
}


# -- Odoo ------------------------------------------------------------------------------------


def odoo_config(database, **options):
    """Path of a configuration file for this database."""
    values = {
        "addons_path": ",".join(addons_path()),
        "data_dir": DATA_DIR,
        "db_name": database,
        "dbfilter": f"^{database}$",
        "list_db": False,
        "http_interface": "127.0.0.1",
        "max_cron_threads": 0,
        **options,
    }
    path = WORK / "conf" / f"{database}.conf"
    path.parent.mkdir(exist_ok=True)
    lines = [f"{name} = {value}" for name, value in values.items()]
    path.write_text("\n".join(["[options]", *lines, ""]))
    return path


def run_odoo(database, *arguments, stderr=None, **options):
    """Run Odoo's command line to its end on a database, with options of the configuration file."""
    config = odoo_config(database, **options)
    command = [PYTHON, "-m", "odoo", *arguments, "--config", config]
    # The variable goes before the configuration file, and scripts have it set.
    return run_child(command, stderr=stderr, env={**os.environ, "PGDATABASE": database})


def run_child(command, **kwargs):
    """Exit code of a command that does not outlive us; Ctrl-C lets it end in its own way."""
    command = ["setpriv", "--pdeathsig", "TERM", *map(str, command)]
    child = subprocess.Popen(command, **kwargs)
    try:
        child.wait()
    except BaseException as stop:
        if not isinstance(stop, KeyboardInterrupt):  # that one reached the child as well
            child.terminate()
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    return child.returncode


@contextmanager
def environment(database=None):
    """An Odoo environment (superuser) on a database; what is not committed is rolled back."""
    ensure_postgres()
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    database = database or os.environ["PGDATABASE"]
    config.parse_config(["--config", str(odoo_config(database)), "--log-level", "warn"])
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
        cr.rollback()


# -- Databases -------------------------------------------------------------------------------


def query(sql, *parameters, database="postgres"):
    with closing(psycopg2.connect(dbname=database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


def drop_database(name):
    query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(DATA_DIR / "filestore" / name, ignore_errors=True)


def copy_database(source, target):
    """A copy with its files, which never change and so can be shared."""
    drop_database(target)
    query(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
    files = DATA_DIR / "filestore" / source
    if files.exists():
        shutil.copytree(files, files.with_name(target), copy_function=os.link)


def get_note(database):
    """What we wrote about a database when it was made or updated, None without one."""
    sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    rows = query(sql, database)
    return rows[0][0] if rows else None


def set_note(database, text):
    query(f'COMMENT ON DATABASE "{database}" IS %s', text)


def install(database, *modules, option="--init", demo=False, auto=True):
    """Install or update modules; the end of the log is shown when that fails."""
    log = LOGS / f"{database}.log"
    log.unlink(missing_ok=True)
    arguments = [option, ",".join(modules), "--stop-after-init", "--no-http", "--logfile", log]
    arguments += ["--with-demo"] * demo + ["--skip-auto-install"] * (not auto)
    with log.open("a") as errors:  # what is said before logging begins
        failed = run_odoo(database, *arguments, stderr=errors)
    sql = "SELECT name FROM ir_module_module WHERE state = 'installed' AND name = ANY(%s)"
    missing = set(modules)
    if not failed:
        missing -= {name for (name,) in query(sql, list(modules), database=database)}
    if missing:
        print("".join(log.read_text().splitlines(keepends=True)[-60:]))
        raise SystemExit(f"{database}: not installed: {' '.join(sorted(missing))} (log: {log})")


def ensure_template(name):
    """Name of the template's database, made again when what it is made from has changed."""
    extra, demo, auto = TEMPLATES[name]
    modules = sorted({*manifest()["depends"], *extra})
    release = (odoo_root() / "odoo" / "release.py").read_text()
    inputs = (release, REQUIREMENTS_OCA.read_text(), modules, demo, auto)
    note = hashlib.sha256(repr(inputs).encode()).hexdigest()
    template = f"sc_template_{name}"
    ensure_postgres()
    with (WORK / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if get_note(template) != note:
            print(f"making the template database {template}: some minutes, once", flush=True)
            drop_database(template)
            query(f"CREATE DATABASE \"{template}\" ENCODING 'UTF8' TEMPLATE template0")
            install(template, *modules, demo=demo, auto=auto)
            set_note(template, note)
    return template


def new_database(database, template="sale"):
    """A database with the add-on as it is now, made anew."""
    source = ensure_template(template)
    _extra, demo, auto = TEMPLATES[template]
    code = addon_digest()
    copy_database(source, database)
    install(database, MODULE, demo=demo, auto=auto)
    set_note(database, code)


@contextmanager
def temporary_database(database, template="sale"):
    """A new database that is dropped in the end; who wants the same name waits for that."""
    with (WORK / f"{database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new_database(database, template)
        try:
            yield database
        finally:
            drop_database(database)


def update_database(database, template="sale"):
    """A database with the add-on whose data is kept: made when missing, updated when outdated."""
    ensure_postgres()
    note, code = get_note(database), addon_digest()
    if note is None:
        new_database(database, template)
    elif note != code:
        print(f"updating {MODULE} in {database}", flush=True)
        install(database, MODULE, option="--update")
        set_note(database, code)


def addon_digest():
    """Changes with everything of the add-on that an update of the database has to read."""
    digest = hashlib.sha256()
    for path in sorted(CHECKOUT.rglob("*")):
        inside = path.relative_to(CHECKOUT)
        if re.match(r"\.|scripts|tests", inside.parts[0]) or "__pycache__" in inside.parts:
            continue
        if path.is_file():
            digest.update(f"{inside}\0".encode() + path.read_bytes())
    return digest.hexdigest()
