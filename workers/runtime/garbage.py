"""How often Python looks for garbage in cycles: seldom, since batches leave hardly any."""

from __future__ import annotations

import gc

THRESHOLDS = (500_000, 20, 20)
"""Python's default begins with 700: sixty searches in a batch of 2,000 records, all of them in vain, which
took a sixth of a draining worker's processor time; 50,000 still made one in every second batch, of 25 ms, and
found nothing either. Full searches come every few hundred batches."""


def collect_seldom() -> None:
    """For a process that works through batches, after its imports: what is there by now is never searched."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
