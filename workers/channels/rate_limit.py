"""How many requests each address may send: a token bucket per address, in a table of bounded size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from workers.channels.network import network_of

ADDRESSES_MAX = 10_000


class RateLimit:
    """A token bucket per address: `rate_per_s` on average, `burst` at once.

    Args:
        bucket: whose bucket it is that somebody takes from; for others than addresses, `str`.
    """

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        addresses_max: int = ADDRESSES_MAX,
        bucket: Callable[[str], str] | None = None,
    ) -> None:
        self._bucket = bucket or bucket_of
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._addresses_max = addresses_max
        # address → (tokens, the time in seconds at which they were counted), least recently used first
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now_s: float, cost: int = 1) -> float:
        """Take `cost` tokens if there is one. Returns 0, or after how many seconds there will be one."""
        bucket = self._bucket(address)
        tokens = self._tokens(bucket, now_s)
        self._buckets.pop(bucket, None)
        self._buckets[bucket] = (tokens - cost if tokens >= 1 else tokens, now_s)
        if len(self._buckets) > self._addresses_max:
            self._buckets.popitem(last=False)
        return self._wait_s(tokens)

    def wait_s(self, address: str, now_s: float) -> float:
        """What `take` would return; nothing is taken."""
        return self._wait_s(self._tokens(self._bucket(address), now_s))

    def _tokens(self, bucket: str, now_s: float) -> float:
        tokens, counted_s = self._buckets.get(bucket, (self._burst, now_s))
        return min(self._burst, tokens + (now_s - counted_s) * self._rate_per_s)

    def _wait_s(self, tokens: float) -> float:
        return 0.0 if tokens >= 1 else (1 - tokens) / self._rate_per_s

    def __len__(self) -> int:
        return len(self._buckets)


def bucket_of(address: str) -> str:
    """The address itself, or the network of an IPv6 address: its addresses share a bucket."""
    network = network_of(address) if ":" in address else None
    return address if network is None else str(network).removesuffix("/32")
