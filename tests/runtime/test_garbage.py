"""Processes search for garbage seldom; what a cycle holds is still found."""

from __future__ import annotations

import gc
import subprocess
import sys

_PROGRAM = """
import gc, weakref
from workers.runtime.garbage import REQUESTS, collect_seldom

class Knot:
    def __init__(self): self.self = self

collect_seldom()
before = gc.get_stats()[0]["collections"]
knots = [[] for _ in range(100_000)]
assert gc.get_stats()[0]["collections"] == before, "a batch should make no search"
assert gc.get_freeze_count() > 1_000, "what was imported should not be searched"
known = weakref.ref(Knot())
kept = [[] for _ in range(600_000)]
assert known() is None, "a cycle should be found in time"
collect_seldom(REQUESTS)
known = weakref.ref(Knot())
kept.extend([] for _ in range(60_000))
assert known() is None, "what a connection leaves should be found soon"
"""


def test_a_batch_makes_no_search_and_cycles_are_found() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert gc.get_threshold()[0] < 50_000, "this process is no worker"
