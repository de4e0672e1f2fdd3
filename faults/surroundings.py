"""What is around each worker: where it finds the servers, its clock, and of which version it is."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from faults.catalogue import Need
from faults.means import NO_CLOCKS, libfaketime
from faults.network import Network
from faults.older import of_version, older_version
from faults.outside import Outside

INSIDE = Path(__file__).with_name("inside")
SESSION_S = 6.0
"""The consumers' session time-out: the shortest that Kafka takes."""


class Surroundings:
    """The environments of a run's workers.

    Attributes:
        version: the folder of another version, while workers are of that one.
        outside: those to whom something is told, if anybody is.
    """

    def __init__(
        self,
        folder: Path,
        network: Network,
        needs: Collection[Need],
        servers: str,
        dsn: str,
        prefix: str,
    ) -> None:
        self._folder = folder
        self._network = network
        self._needs = needs
        self._dsn = dsn
        self.outside = Outside() if Need.OUTSIDE in needs else None
        self.usual = _usual(servers, dsn, prefix)
        self.version = older_version(folder / "older") if Need.OLDER in needs else None

    def of(self, worker: str) -> Mapping[str, str]:
        """The environment of a worker that starts now."""
        found = self.usual | self._network.environment(worker, self._dsn)
        if self.outside is not None:
            found |= self.outside.environment()
        if Need.INSIDE in self._needs:
            found = of_version(found, INSIDE)
        if Need.CLOCKS in self._needs:
            found |= _with_clock(clock_of(self._folder, worker))
        return found if self.version is None else of_version(found, self.version)


def clock_of(folder: Path, worker: str) -> Path:
    """The file that tells how much a worker's clock goes before everybody's, in seconds."""
    return folder / f"{worker}.clock"


def _with_clock(file: Path) -> dict[str, str]:
    """What time is measured with stays as it is. Raises OSError when there is no libfaketime."""
    library = libfaketime()
    if library is None:
        raise OSError(NO_CLOCKS)
    if not file.exists():
        file.write_text("+0")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _usual(servers: str, dsn: str, prefix: str) -> dict[str, str]:
    """The workers' environment: ours without what else is set for Tongdai.

    They are started again and again: each shall find what another has compiled.
    """
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TONGDAI_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return bare | {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": prefix,
        "TONGDAI_POSTGRES_DSN": dsn,
        "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS": str(int(SESSION_S * 1000)),
        "TONGDAI_RUNTIME_HEARTBEAT_INTERVAL_MS": "1500",
        "TONGDAI_LOG_FORMAT": "json",
        "TONGDAI_GATEWAY_SIGNING_KEY": "of the town, which has many gateways",
        # So short that they end, and are renewed, within a run.
        "TONGDAI_GATEWAY_ACCESS_TOKEN_S": "60",
        "TONGDAI_GATEWAY_OFFLINE_GRACE_S": "1",
    }
