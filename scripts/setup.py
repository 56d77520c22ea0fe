"""Fetch and build what the add-on needs: Odoo 19, its Python packages, PostgreSQL, a browser.

Needs nothing but a Debian (12 or newer) with Python 3, apt and npm. Standard library only: it
runs before the virtual environment exists. Every step is skipped when its stamp says that it was
done with the same inputs.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from paths import (
    ADDONS,
    CHECKOUT,
    DATA_DIR,
    LOGS,
    MODULE,
    PYTHON,
    REQUIREMENTS,
    REQUIREMENTS_OCA,
    VENV,
    WORK,
    odoo_root,
)

# Debian replaces the bundled web libraries by links into these packages.
ODOO_PACKAGES = (
    "odoo-19",
    "fonts-font-awesome",
    "fonts-glyphicons-halflings",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
# Left out of Debian's package; without it no bundle with mail in it can be built.
SELFIE = "@mediapipe/selfie_segmentation@0.1.1675465747"
# A browser for the tours, wkhtmltopdf for the PDFs, fonts for both.
SYSTEM_PACKAGES = (
    "chromium",
    "wkhtmltopdf",
    "fonts-dejavu-core",
    "fonts-liberation",
    "fonts-noto-core",
)
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
STAMPS = WORK / "stamps"
APT = WORK / "apt"
KEYRINGS = Path("/usr/share/keyrings")


def run(*command, **kwargs):
    return subprocess.run([str(part) for part in command], check=True, **kwargs)


def output(*command, **kwargs):
    return run(*command, stdout=subprocess.PIPE, text=True, **kwargs).stdout


def once(name, *inputs):
    """Decorator: run the step now, unless it was done with the same inputs."""

    def decorator(step):
        digest = hashlib.sha256(repr(inputs).encode()).hexdigest()
        stamp = STAMPS / name
        if not stamp.exists() or stamp.read_text() != digest:
            print(f"setup: {name}", flush=True)
            step()
            stamp.write_text(digest)
        return step

    return decorator


# -- Debian packages, through a private apt --------------------------------------------------


def apt_environment(suite=None):
    """An apt of our own: its lists and cache are ours, and so is its source when a suite is given.

    The address of the archive and the proxy, if any, are those of the machine's apt.
    """
    for folder in ("lists/partial", "cache/archives/partial", "sources"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    lines = [f'Dir::State::lists "{APT}/lists";', f'Dir::Cache "{APT}/cache";']
    if os.geteuid() == 0:
        # apt's own user may not be able to reach a folder of root's.
        lines.append('APT::Sandbox::User "root";')
    if suite:
        source = APT / "sources" / "archive.sources"
        source.write_text(
            f"Types: deb\nURIs: {archive_address()}\nSuites: {suite}\nComponents: main\n"
            f"Signed-By: {archive_keyring()}\n"
        )
        lines += [
            'Dir::Etc::sourcelist "/dev/null";',
            f'Dir::Etc::sourceparts "{source.parent}";',
            'Dir::Etc::preferences "/dev/null";',
            'Dir::Etc::preferencesparts "/dev/null";',
        ]
    config = APT / f"{suite or 'machine'}.conf"
    config.write_text("\n".join(lines) + "\n")
    return {**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C.UTF-8"}


def archive_address():
    """The archive of the machine's apt; asked with lists of our own when it has none yet."""
    query = ("apt-get", "indextargets", "--format", "$(REPO_URI)")
    query += ("Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main")
    address = output(*query).split()
    if not address:
        environment = apt_environment()
        run("apt-get", "update", "-qq", env=environment)
        address = output(*query, env=environment).split()
    if not address:
        raise SystemExit("setup: apt knows no Debian archive (see /etc/apt/sources.list.d)")
    return address[0]


def archive_keyring():
    keyring = KEYRINGS / "debian-archive-keyring.gpg"
    if not keyring.exists():
        raise SystemExit("setup: please install debian-archive-keyring")
    return keyring


def download_debian(packages, folder, suite=None):
    """The newest .deb files of the packages; apt verifies them against the signed lists."""
    environment = apt_environment(suite)
    run("apt-get", "update", "-qq", env=environment)
    folder.mkdir(parents=True, exist_ok=True)
    run("apt-get", "download", "-qq", *packages, cwd=folder, env=environment)
    return sorted(folder.glob("*.deb"))


def extract_debian(packages, target, suite=None):
    """Unpack into a new folder and move it into place, so that there is never half of it."""
    debs = WORK / "debs"
    partial = target.with_name(target.name + ".partial")
    for folder in (debs, partial, target):
        shutil.rmtree(folder, ignore_errors=True)
    for deb in download_debian(packages, debs, suite):
        run("dpkg-deb", "-x", deb, partial)
    partial.rename(target)
    shutil.rmtree(debs)


def fetch_odoo():
    extract_debian(ODOO_PACKAGES, WORK / "odoo", suite="sid")
    tarball = output("npm", "pack", "--silent", SELFIE, cwd=WORK).split()[-1]
    library = odoo_root() / "odoo/addons/mail/static/lib/selfie_segmentation"
    library.mkdir(parents=True, exist_ok=True)
    name = "selfie_segmentation.js"
    run("tar", "-xzf", WORK / tarball, "-C", library, "--strip-components=1", f"package/{name}")
    (WORK / tarball).unlink()


def install_system_packages():
    """Done as root only; anybody else is told, and goes on without."""
    missing = [package for package in SYSTEM_PACKAGES if not is_installed(package)]
    if not missing:
        return
    if os.geteuid() != 0:
        print(f"setup: for browser tests and PDFs, as root: apt install {' '.join(missing)}")
        return
    run("apt-get", "update", "-qq")
    run(
        *("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing),
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def is_installed(package):
    programs = BROWSERS if package == "chromium" else (package,)
    return any(map(shutil.which, programs)) or Path(f"/var/lib/dpkg/info/{package}.list").exists()


# -- Python ------------------------------------------------------------------------------------


def make_venv():
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401 (Debian has it in python3-venv)

        run(sys.executable, "-m", "venv", VENV)
    except ImportError:
        run(sys.executable, "-m", "venv", "--without-pip", VENV)
        extract_debian(["python3-pip-whl"], WORK / "pip")
        wheel = next((WORK / "pip").rglob("pip-*.whl"))
        run(PYTHON, wheel / "pip", "install", "-q", "--no-index", wheel)
        shutil.rmtree(WORK / "pip")
    site = Path(
        output(PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    (site / "odoo.pth").write_text(f"{odoo_root()}\n")
    (site / "devenv.pth").write_text(f"{CHECKOUT / 'scripts'}\n")


def install_requirements():
    for requirements in (REQUIREMENTS, REQUIREMENTS_OCA):
        run(PYTHON, "-m", "pip", "install", "-qq", "--no-deps", "-r", requirements)


def link_addon():
    """The folder of the checkout may have any name; Odoo wants the module's."""
    ADDONS.mkdir(parents=True, exist_ok=True)
    link = ADDONS / MODULE
    if not link.is_symlink() or link.resolve() != CHECKOUT:
        link.unlink(missing_ok=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)


def main():
    os.umask(0o022)  # the user that runs PostgreSQL for root has to read it
    for folder in (STAMPS, LOGS, DATA_DIR):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("ODOO"):
        once("odoo", ODOO_PACKAGES, SELFIE)(fetch_odoo)
    once("venv", sys.version, str(odoo_root()), str(VENV))(make_venv)
    venv_stamp = (STAMPS / "venv").stat().st_mtime_ns
    texts = [file.read_text() for file in (REQUIREMENTS, REQUIREMENTS_OCA)]
    once("python-packages", venv_stamp, texts)(install_requirements)
    install_system_packages()
    link_addon()


def clean():
    """Remove everything, the database server first."""
    if not WORK.exists():
        return
    if PYTHON.exists():
        run(PYTHON, "-c", "from postgres import remove_cluster; remove_cluster()")
    shutil.rmtree(WORK)


if __name__ == "__main__":
    try:
        clean() if sys.argv[1:] == ["clean"] else main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"setup: exit code {error.returncode} of: {shlex.join(error.cmd)}")
