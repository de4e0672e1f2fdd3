"""The machine on which it was measured: a figure without it says nothing."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1_048_576


@dataclass(frozen=True)
class Machine:
    """What the figures depend on. `load_before`: the one-minute load average when the run began."""

    processor: str
    cores: int
    memory_mib: int
    system: str
    python: str
    postgres: str
    kafka: str
    load_before: float


def describe(postgres: str, kafka: str) -> Machine:
    """This machine, with the servers' versions as the caller knows them."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_mib=pages * page_bytes // MIB,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        postgres=postgres,
        kafka=kafka,
        load_before=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    """The processor's name as the kernel has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def cpu_s(pid: int) -> float:
    """The processor time that a running process has taken so far, in seconds."""
    ticks = sum(map(int, _stat(pid)[11:13]))  # utime and stime
    return ticks / os.sysconf("SC_CLK_TCK")


def precise_cpu_s(pid: int) -> float | None:
    """The same to the nanosecond, of a process with one thread; none: there is no such process here."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return None


def family_cpu_s(pid: int) -> float | None:
    """The processor time of the Postgres to which the backend `pid` belongs: the server, and all whom it
    started, those that have ended too; none: there is no such process here."""
    try:
        server = int(_stat(pid)[1])
        name = Path(f"/proc/{server}/comm").read_text().strip()
    except OSError:
        return None
    if not name.startswith("postgres"):
        return None
    own = _stat(server)
    ticks = sum(map(int, own[11:15]))  # its own, and that of children that have ended
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        with suppress(OSError):  # it has just ended
            ticks += sum(map(int, _stat(int(child))[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def idle_cpu_s() -> float:
    """How long the processors, added up, have had nothing to do since this machine began (proc(5)), waiting
    for a disk included."""
    ticks = Path("/proc/stat").read_text().split(maxsplit=6)[4:6]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What proc(5) tells of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def peak_rss_mib(pid: int) -> float:
    """The most memory that a running process has had resident, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return round(int(value.split()[0]) / 1024, 1)
    raise ProcessLookupError(f"process {pid} has ended: it has no memory any more")
