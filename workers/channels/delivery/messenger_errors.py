"""Messenger's errors, by code and subcode. Source: Messenger Platform, error codes (Graph API v26.0)."""

from __future__ import annotations

from http import HTTPStatus

from schemas.receipts import DeliveryReason
from workers.channels.delivery.result import Failed, Means

_OF_SUBCODE: dict[tuple[int, int], tuple[Means, DeliveryReason]] = {
    (10, 2018278): ("refused", "window_closed"),
    (10, 2018300): ("refused", "other_app"),
    (10, 1893063): ("stop", "page_restricted"),
    (100, 1893061): ("refused", "policy"),  # a tag that was retired
    (100, 2018001): ("refused", "unreachable"),
    (551, 1545041): ("refused", "unreachable"),
    (613, 2018338): ("stop", "page_restricted"),  # a warning of abuse: who goes on is blocked
}
_OF_CODE: dict[int, tuple[Means, DeliveryReason]] = {
    1: ("again", "channel_down"),
    2: ("again", "channel_down"),
    1200: ("again", "channel_down"),
    4: ("slow_down", "rate_limited"),
    17: ("slow_down", "rate_limited"),
    32: ("slow_down", "rate_limited"),
    613: ("slow_down", "rate_limited"),
    10: ("stop", "permission_missing"),
    190: ("token", "token_broken"),
    200: ("stop", "permission_missing"),
    230: ("stop", "permission_missing"),
    368: ("stop", "page_blocked"),
    551: ("refused", "unreachable"),
    2022: ("refused", "policy"),
    10900: ("refused", "policy"),
    10903: ("refused", "policy"),
    10904: ("refused", "policy"),
    100: ("refused", "rejected"),
}
_OF_APP = {4}
KNOWN: tuple[tuple[int, int | None], ...] = (*((code, None) for code in _OF_CODE), *_OF_SUBCODE)
"""Codes, with a subcode where that decides."""


def failure_of(code: int | None, subcode: int | None, status: int, detail: str = "") -> Failed:
    """What an error means; an unknown one by its HTTP status.

    Args:
        code: `error.code`, when the answer has one.
        subcode: `error.error_subcode`.
        status: of the HTTP answer.
        detail: the channel's own words.
    """
    found = _OF_SUBCODE.get((code or 0, subcode or 0)) or _OF_CODE.get(code or 0) or _of_status(status)
    return Failed(*found, detail=f"{code}/{subcode}: {detail}", of_app=code in _OF_APP)


def _of_status(status: int) -> tuple[Means, DeliveryReason]:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "slow_down", "rate_limited"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "again", "channel_down"
    return "refused", "rejected"
