"""What proves that a callback comes from the provider, and lately."""

from __future__ import annotations

import hmac
import re

SIGNATURE = "x-signature"
AGE_MAX_S = 300
"""A callback that is older was taken from somewhere and sent again; a provider signs each try anew."""
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signature(key: str, body: bytes, at_s: int) -> str:
    """The header's value: `t=<seconds since 1970>,v1=<hex HMAC-SHA256 of seconds, dot and body>`."""
    return f"t={at_s},v1={_mac(key, body, at_s)}"


def is_signed(key: str, body: bytes, said: str, now_s: float) -> bool:
    """Whether `said` is the signature of `body`, made within the last minutes."""
    found = _FORM.fullmatch(said)
    if found is None or abs(now_s - int(found[1])) > AGE_MAX_S:
        return False
    return hmac.compare_digest(found[2], _mac(key, body, int(found[1])))


def _mac(key: str, body: bytes, at_s: int) -> str:
    return hmac.digest(key.encode(), b"%d." % at_s + body, "sha256").hex()
