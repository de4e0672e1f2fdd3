"""Stands on a worker's path in some runs: a signal blocks its event loop, as a call that lasts would.

Nothing of it is in the workers themselves. Unlike a process that is stopped, this one's other threads go on.
"""

from __future__ import annotations

import signal
import time

BLOCKED_S = 15.0

signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED_S))
