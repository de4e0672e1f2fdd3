"""How the channels sign: over the raw bytes of the body, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac


def messenger_digest(secret: bytes, body: bytes) -> str:
    """Hex HMAC-SHA256 of the body, as in `X-Hub-Signature-256: sha256=<hex>`."""
    return hmac.digest(secret, body, "sha256").hex()


def zalo_digest(id_: str, body: bytes, timestamp: str, secret: bytes) -> str:
    """Hex SHA-256 of the four joined, as in `X-ZEvent-Signature: mac=<hex>`. Not an HMAC."""
    return hashlib.sha256(id_.encode() + body + timestamp.encode() + secret).hexdigest()


def same(given: str, expected: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def header_digest(header: str | None, prefix: str) -> str | None:
    """The hex digits after `prefix=` of a signature header; none when it has another form."""
    name, separator, digest = (header or "").partition("=")
    if not separator or name.strip().lower() != prefix:
        return None
    return digest.strip().lower()
