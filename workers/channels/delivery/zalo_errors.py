"""Zalo's errors, by code: its answers are all HTTP 200.

Source: Zalo Official Account OpenAPI, error codes.
"""

from __future__ import annotations

from schemas.receipts import DeliveryReason
from workers.channels.delivery.result import Failed, Means

_OF_CODE: dict[int, tuple[Means, DeliveryReason]] = {
    **dict.fromkeys((-216, -220, -124), ("token", "token_broken")),
    -32: ("slow_down", "rate_limited"),
    -200: ("again", "channel_down"),
    -201: ("refused", "rejected"),
    -210: ("refused", "rejected"),
    **dict.fromkeys((-213, -217, -218, -227, -232, -233, -244), ("refused", "unreachable")),
    -230: ("refused", "window_closed"),
    **dict.fromkeys((-234, -248), ("refused", "policy")),
    -100: ("refused", "attachment_gone"),
    **dict.fromkeys((-204, -205, -209, -219, -221, -224, -240, -403), ("stop", "permission_missing")),
    -242: ("stop", "token_broken"),
    **dict.fromkeys((-211, -320, -321), ("stop", "billing")),
}
_OF_APP = {-32}
KNOWN: tuple[int, ...] = tuple(_OF_CODE)
"""Codes."""


def failure_of(code: int, detail: str = "") -> Failed:
    """What a non-zero `error` means; one that is not documented refuses the message."""
    means, reason = _OF_CODE.get(code, ("refused", "rejected"))
    return Failed(means, reason, detail=f"{code}: {detail}", of_app=code in _OF_APP)
