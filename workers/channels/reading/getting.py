"""One call that reads from a platform; without an answer it is made again, since it changes nothing there."""

from __future__ import annotations

import httpx

from config.delivery import DeliverySettings
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, NotBegun, Unanswered

ANSWER_BYTES_MAX = 4 * 1024 * 1024


async def get(
    client: httpx.AsyncClient,
    settings: DeliverySettings,
    url: str,
    *,
    params: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Answer | Failed:
    """The answer, whatever it says. Raises nothing but CancelledError."""
    request = client.build_request("GET", url, params=params, headers=headers)
    answer = await post(client, settings.request_timeout_s, request, bytes_max=ANSWER_BYTES_MAX)
    if isinstance(answer, Unanswered):
        return Failed("again", "channel_down", detail=answer.why)
    if isinstance(answer, NotBegun):
        return Failed("again", "channel_down", detail="no connection was free")
    return answer
