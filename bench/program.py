"""A contestant's process: started with the settings in its environment, never outliving the benchmark."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dotenv import dotenv_values

import bench
from bench.failures import BenchError
from bench.machine import cpu_s, peak_rss_mib
from config.problem import ENV_PREFIX, variable
from config.settings import ENV_FILE, Settings
from workers.local.child import Child, Launch
from workers.local.errors import log_tail

STOP_TIMEOUT_S = 30.0
PROJECT = Path(bench.__file__).parents[1]
TONGDAI = ("-c", "from workers.cli.main import run; run()")
"""The `tongdai` command in this Python, whatever the PATH."""


class Program:
    """A running process; its output is in a log file that errors quote."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log_dir: Path
    ) -> None:
        self.name = name
        self._log = log_dir / f"{name}.log"
        self._log.unlink(missing_ok=True)
        command = (sys.executable, *arguments)
        self._child = Child(Launch(name, command, self._log, signal.SIGKILL, environment=environment))

    def check(self) -> None:
        """Raise BenchError when it has ended."""
        if not self._child.alive:
            raise BenchError(
                f"{self.name} has ended by itself. The end of {self._log}:\n{log_tail(self._log)}"
            )

    def peak_rss_mib(self) -> float:
        """The most memory it has had resident so far, in MiB. Raises BenchError when it has ended."""
        self.check()
        return peak_rss_mib(self._child.pid)

    def cpu_s(self) -> float:
        """The processor time it has taken so far, in seconds. Raises BenchError when it has ended."""
        self.check()
        return cpu_s(self._child.pid)

    async def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""
        await self._child.end(signal.SIGTERM, STOP_TIMEOUT_S)

    async def kill(self) -> None:
        """End it at once."""
        await self._child.end(signal.SIGKILL, STOP_TIMEOUT_S)


def environment(settings: Settings) -> dict[str, str]:
    """What a contestant finds its servers by: ours, with what the user has set beside them."""
    told = {name: value for name, value in dotenv_values(ENV_FILE).items() if value is not None}
    kafka = settings.kafka
    return (
        {name: value for name, value in (told | os.environ).items() if name.startswith(ENV_PREFIX)}
        | {
            variable("kafka", "bootstrap_servers"): kafka.bootstrap_servers,
            variable("kafka", "topic_prefix"): kafka.topic_prefix,
            variable("kafka", "conversation_partitions"): str(kafka.conversation_partitions),
            variable("kafka", "desk_partitions"): str(kafka.desk_partitions),
            variable("postgres", "dsn"): settings.postgres.dsn.get_secret_value(),
            variable("runtime", "health_port"): "0",  # copies cannot share one
            variable("log", "level"): "warning",
            variable("log", "format"): "json",
        }
        | {"PYTHONPATH": str(PROJECT)}
    )
