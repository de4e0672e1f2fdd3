"""FChat's send API as its help page shows it: a token in a header, messages in Messenger's shape."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from http import HTTPStatus
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from workers.local.simulator.platform.account import Account, Said

HANG_S = 60.0
TEXT_MAX = 2_000
MESSAGES_MAX = 10
_FIELDS = {"user_id", "message", "messaging_tag", "block_id"}


class FchatError(Exception):
    """The platform refuses."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class FchatPlatform:
    """Takes messages for some bots. It tells nothing of them afterwards, as FChat does not.

    Args:
        accounts: the bots, known by their tokens alone.
    """

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = accounts
        self._run = secrets.token_hex(4)
        self._ids = count(1)
        self.asgi = Starlette(routes=[Route("/api/v1/message/send", self._send, methods=["POST"])])

    async def _send(self, request: Request) -> Response:
        token = request.headers.get("token", "")
        account = next((each for each in self._accounts if each.token == token), None)
        if account is None:
            return _error(FchatError(401, "Token không hợp lệ"))
        fault = account.faults.popleft() if account.faults else None
        if isinstance(fault, dict):
            account.calls += 1
            return JSONResponse(fault)
        try:
            self._take(account, await _document(request))
        except FchatError as error:
            return _error(error)
        if fault == "lose":
            return PlainTextResponse("<html>Bad Gateway</html>", HTTPStatus.BAD_GATEWAY)
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault == "hold":
            account.held.set()
            await account.release.wait()
        return JSONResponse({"code": 200, "msg": "Thành công"})

    def _take(self, account: Account, body: dict[str, Any]) -> None:
        """Raises FchatError for all that the help page does not describe."""
        if account.is_too_fast():
            raise FchatError(429, "Quá nhiều yêu cầu")
        user, messages = body.get("user_id"), body.get("message")
        if body.keys() - _FIELDS or not isinstance(user, str) or not isinstance(messages, list):
            raise FchatError(400, "Tham số không hợp lệ")
        if not 0 < len(messages) <= MESSAGES_MAX:
            raise FchatError(400, "message không hợp lệ")
        if account.silent_s(user) is None:
            raise FchatError(404, "Không tìm thấy khách hàng")
        account.said.extend([self._said(user, message) for message in messages])

    def _said(self, user: str, message: Any) -> Said:  # noqa: ANN401 - JSON
        fields = message if isinstance(message, dict) else {}
        text, attachment = fields.get("text"), fields.get("attachment")
        if fields.keys() not in ({"text"}, {"attachment"}):
            raise FchatError(400, "message không hợp lệ")
        if text is not None and not (isinstance(text, str) and 0 < len(text) < TEXT_MAX):
            raise FchatError(400, "text không hợp lệ")
        if attachment is not None and not _is_picture(attachment):
            raise FchatError(400, "attachment không hợp lệ")
        kind = None if attachment is None else "image"
        id_ = f"f{self._run}{next(self._ids)}"
        return Said(id_, user, text, kind, None, time.time_ns() // 1_000_000)


async def _document(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise FchatError(400, "Content-Type phải là application/json")
    try:
        document = json.loads(await request.body())
    except ValueError as error:
        raise FchatError(400, "JSON không hợp lệ") from error
    if not isinstance(document, dict):
        raise FchatError(400, "JSON không hợp lệ")
    return document


def _is_picture(attachment: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(attachment, dict) or attachment.get("type") != "image":
        return False
    payload = attachment.get("payload")
    return isinstance(payload, dict) and str(payload.get("url", "")).startswith(("http://", "https://"))


def _error(error: FchatError) -> Response:
    """The help page shows no error: here it is as the answer that it does show."""
    return JSONResponse({"code": error.code, "msg": error.message})
