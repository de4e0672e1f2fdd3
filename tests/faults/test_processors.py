"""A run tells how much of the machine others had."""

from __future__ import annotations

import os

from faults.processors import Processors, busy_s


def test_what_waits_for_nothing_or_for_a_disk_is_not_busy() -> None:
    tick = os.sysconf("SC_CLK_TCK")
    stat = f"cpu  {tick} {2 * tick} {3 * tick} {100 * tick} {50 * tick} 0 0 {4 * tick} 7 7\ncpu0 1 2 3\n"
    assert busy_s(stat) == 10.0


def test_what_a_run_uses_itself_is_not_of_others() -> None:
    processors = Processors()
    processors._busy_s += 1_000_000  # as if everything since then had been ours
    assert processors.others_share() == 0.0
    processors._busy_s -= 2_000_000
    assert processors.others_share() == 1.0
