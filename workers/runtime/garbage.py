"""How often Python looks for garbage in cycles: seldom, since batches leave hardly any, and requests some."""

from __future__ import annotations

import gc

BATCHES, REQUESTS = 500_000, 50_000
"""So many objects more than were freed are made between two searches. Python's default begins with 700: sixty
searches in a batch of 2,000 records, all of them in vain, which took a sixth of a draining worker's processor
time; 50,000 still made one in every second batch, of 25 ms, and found nothing either. What serves requests
has no such batches, but each connection that ends leaves cycles: a gateway of the campaign let 13,000 objects
lie in a minute, 4 MiB, until 500,000 were there."""
OLDER = 20
"""Each so many searches look at what the ones before have left, too."""


def collect_seldom(after: int = BATCHES) -> None:
    """To be called after a process's imports: what is there by now is never searched."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(after, OLDER, OLDER)
