"""What proves that a mail comes from the mail server."""

from __future__ import annotations

import hmac

SIGNATURE = "x-tongdai-signature"


def signature(key: str, body: bytes) -> str:
    """The header's value: hex HMAC-SHA256 of the mail as it came, as `sha256=<hex>`."""
    return f"sha256={hmac.digest(key.encode(), body, 'sha256').hex()}"
