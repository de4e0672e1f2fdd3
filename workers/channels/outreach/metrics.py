"""Every metric of what is on its way out of tickets, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter

ATTEMPTS = Counter(
    "tongdai_outreach_attempts",
    "E-mails, SMS and calls given to who carries them on, by how they stand after it.",
    ["means", "became"],
)
LOST = Counter(
    "tongdai_outreach_lost", "Attempts that lost their worker, so that nobody knows their end.", ["means"]
)
