"""The metric of fetching, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter

FETCHED = Counter(
    "tongdai_files_fetched",
    "Attempts to fetch customers' files from their channels: `stored`, `again` later, or why never.",
    ["became"],
)
