"""Asking a provider for an SMS or a call, once, and what it says.

`POST <url>/messages` and `POST <url>/calls` have what providers have in common: JSON in and out, a bearer
token, an Idempotency-Key under which a repeated request is carried out once, an id in the answer.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx

from config.phone import PhoneAccount
from schemas.receipts import DeliveryReason
from workers.channels.delivery.posting import Answer, post
from workers.channels.fields import cut, identifier, mapping
from workers.channels.outreach.result import Given, NotGiven, Result
from workers.channels.outreach.rows import Claimed
from workers.outside.retry_after import read_retry_after

DETAIL_CHARS_MAX = 200
ID_CHARS_MAX = 128
UNREACHED = frozenset(("invalid_number", "unreachable_number", "blocked_number"))
"""Codes of refusals that are about the customer's number."""

_TAKEN = frozenset((HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED))
_AGAIN: dict[int, DeliveryReason] = {
    HTTPStatus.UNAUTHORIZED: "phone_login",
    HTTPStatus.FORBIDDEN: "phone_login",
    HTTPStatus.PAYMENT_REQUIRED: "phone_balance",
    HTTPStatus.CONFLICT: "phone_later",  # the former attempt is still under way
    HTTPStatus.TOO_MANY_REQUESTS: "phone_later",
}


def reference_of(workspace: str, message: str) -> str:
    """By what a provider names one of ours in its callbacks."""
    return f"{workspace}.{message}"


async def ask(
    client: httpx.AsyncClient, account: PhoneAccount, number: str, claimed: Claimed, timeout_s: float
) -> Result:
    """Ask for it, from `number`. Raises nothing but CancelledError."""
    reference = reference_of(claimed.workspace, claimed.message.hex)
    said: dict[str, Any] = {"from": number, "to": claimed.content["to"], "reference": reference}
    if claimed.means == "sms":
        path, said["text"] = "messages", claimed.content["text"]
    else:
        path, said["agent"] = "calls", claimed.content["agent_phone"]
    request = client.build_request(
        "POST",
        f"{account.url}/{path}",
        headers={
            "authorization": f"Bearer {account.token.get_secret_value()}",
            "idempotency-key": reference,
        },
        json=said,
    )
    answer = await post(client, timeout_s, request)
    if isinstance(answer, Answer):
        return result_of(answer, datetime.now(UTC))
    # Whether it has come there is unknown: the same key makes asking again harmless.
    return NotGiven("phone_down", again=True, detail=type(answer).__name__)


def result_of(answer: Answer, now: datetime) -> Result:
    """By the status, and of what is refused by its code."""
    code = identifier(mapping(answer.body.get("error")).get("code")) or ""
    detail = f"HTTP {answer.status} {code}"[:DETAIL_CHARS_MAX]
    if answer.status in _AGAIN:
        wait_s = read_retry_after(answer.headers.get("retry-after"), now)
        return NotGiven(_AGAIN[answer.status], again=True, detail=detail, retry_after_s=wait_s or 0.0)
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return NotGiven("phone_number" if code in UNREACHED else "phone_refused", again=False, detail=detail)
    id_ = identifier(answer.body.get("id"))
    if answer.status in _TAKEN and id_ is not None and len(id_) <= ID_CHARS_MAX:
        return Given(cut(id_, ID_CHARS_MAX))
    return NotGiven("phone_down", again=True, detail=detail)
