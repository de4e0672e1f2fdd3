"""Every metric of mails on their way, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter

ATTEMPTS = Counter(
    "tongdai_mail_attempts", "Mails given to mail servers, by how they stand after it.", ["became"]
)
LOST = Counter("tongdai_mail_lost", "Attempts of which no worker knows the end: they are made once more.")
