"""Zalo's consultation messages and its tokens, as documented: errors are HTTP 200, ids are text."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from config.ingress import ZaloApp
from workers.local.simulator.platform.account import Account, Said
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.platform.zalo_past import ZaloPast
from workers.local.simulator.platform.zalo_uploads import ZaloUploads
from workers.local.simulator.webhook import Webhook, zalo_headers

DAY_S = 24 * 60 * 60.0
HANG_S = 60.0
LIFE_S = 90_000
"""Of an access token."""
TEXT_MAX = 2_000
FORM_TITLE_MAX, FORM_TEXT_MAX = 100, 500


class ZaloError(Exception):
    """The platform refuses."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ZaloPlatform:
    """Takes messages for some official accounts of one app, and exchanges their tokens.

    Args:
        app: whose secrets sign its webhooks and ask for tokens.
        accounts: the official accounts.
        teller: tells what was taken.
        refresh_tokens: the first of each account; each is good for one use.
    """

    def __init__(
        self,
        app: ZaloApp,
        accounts: Sequence[Account],
        teller: Teller,
        *,
        refresh_tokens: dict[str, str] | None = None,
    ) -> None:
        self.accounts = {account.id: account for account in accounts}
        self.tokens = {account.token: account for account in accounts}
        """Good access tokens: an exchange leaves the former one good."""
        self.refresh_tokens = dict(refresh_tokens or {})
        """Good ones, by account."""
        self.exchanges: list[str] = []
        """Accounts for which a pair was given, in order."""
        self.oauth_faults: list[str] = []
        """What happens to the next exchanges: `lose`, its answer is lost; `refuse`, it is not made; `hold`,
        it is made, and not answered before `release` is set."""
        self.held, self.release = asyncio.Event(), asyncio.Event()
        self._app = app
        self._teller = teller
        self._run = secrets.token_hex(4)
        self._ids = itertools.count(1)
        self.uploads = ZaloUploads(self.tokens)
        self.asgi = Starlette(
            routes=[
                Route("/v3.0/oa/message/cs", self._message, methods=["POST"]),
                Route("/v4/oa/access_token", self._exchange, methods=["POST"]),
                *self.uploads.routes,
                *ZaloPast(self.tokens).routes,
            ]
        )

    async def _message(self, request: Request) -> Response:
        account = self.tokens.get(request.headers.get("access_token", ""))
        if account is None:
            return _error(ZaloError(-216, "Access token is invalid"))
        fault = account.faults.popleft() if account.faults else None
        if isinstance(fault, dict):
            account.calls += 1
            return JSONResponse(fault)
        try:
            said = self._take(account, json.loads(await request.body()))
        except ZaloError as error:
            return _error(error)
        self._tell(account, said)
        if fault == "lose":
            return PlainTextResponse("<html>Bad Gateway</html>", HTTPStatus.BAD_GATEWAY)
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault == "hold":
            account.held.set()
            await account.release.wait()
        data = {"message_id": said.id, "user_id": said.user}
        return JSONResponse({"data": data, "error": 0, "message": "Success"})

    def _take(self, account: Account, body: dict[str, Any]) -> Said:
        """Raises ZaloError for all that the platform does not take."""
        if account.is_too_fast():
            raise ZaloError(-32, "Your application reached limit call api")
        user = str(body.get("recipient", {}).get("user_id", ""))
        message = body.get("message") or {}
        text, attachment = message.get("text"), message.get("attachment")
        form = _form(attachment)
        if form is not None:
            text, attachment = form, None
        if body.keys() != {"recipient", "message"} or (text is None and attachment is None):
            raise ZaloError(-201, "Params is invalid")
        if text is not None and not 0 < len(text) <= TEXT_MAX:
            raise ZaloError(-201, "message.text is over its limit")
        kind = None if attachment is None else self.uploads.takes(attachment)
        if attachment is not None and kind is None:
            raise ZaloError(-201, "attachment is invalid")
        silent_s = account.silent_s(user)
        if silent_s is None:
            raise ZaloError(-213, "User has not followed OA")
        if silent_s > 7 * DAY_S:
            raise ZaloError(-230, "User has not interacted with the OA in the past 7 days")
        id_ = f"z{self._run}{next(self._ids)}"
        said = Said(id_, user, text, kind, None, time.time_ns() // 1_000_000)
        said = said._replace(asks=() if form is None else ("request_user_info",))
        account.said.append(said)
        return said

    async def _exchange(self, request: Request) -> Response:
        fields = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (
            request.headers.get("secret_key") != self._app.secret_key.get_secret_value()
            or fields.get("app_id") != self._app.app_id
            or fields.get("grant_type") != "refresh_token"
        ):
            return _error(ZaloError(-14004, "Invalid app"))
        fault = self.oauth_faults.pop(0) if self.oauth_faults else None
        if fault == "refuse":
            return PlainTextResponse("down", HTTPStatus.SERVICE_UNAVAILABLE)
        given = fields.get("refresh_token")
        account = next((id_ for id_, token in self.refresh_tokens.items() if token == given), None)
        if account is None:
            return _error(ZaloError(-14014, "Invalid refresh token"))
        self.refresh_tokens[account] = secrets.token_hex(16)
        self.accounts[account].token = secrets.token_hex(16)
        self.tokens[self.accounts[account].token] = self.accounts[account]
        self.exchanges.append(account)
        if fault == "lose":
            return PlainTextResponse("<html>Bad Gateway</html>", HTTPStatus.BAD_GATEWAY)
        if fault == "hold":
            self.held.set()
            await self.release.wait()
        return JSONResponse(
            {
                "access_token": self.accounts[account].token,
                "refresh_token": self.refresh_tokens[account],
                "expires_in": str(LIFE_S),
            }
        )

    def _tell(self, account: Account, said: Said) -> None:
        message: dict[str, Any] = {"msg_id": said.id}
        echo: dict[str, Any] = message | ({"text": said.text} if said.text else {})
        if said.attachment:
            echo["attachments"] = [{"type": said.attachment, "payload": {"url": "https://cdn.example/a"}}]
        self._tell_event(account, said, f"oa_send_{said.attachment or 'text'}", echo)
        self._tell_event(account, said, "user_received_message", message)
        self._tell_event(account, said, "user_seen_message", {"msg_ids": [said.id]})

    def _tell_event(self, account: Account, said: Said, name: str, message: dict[str, Any]) -> None:
        timestamp = str(time.time_ns() // 1_000_000)
        body = orjson.dumps(
            {
                "app_id": self._app.app_id,
                "event_name": name,
                "sender": {"id": account.id},
                "recipient": {"id": said.user},
                "message": message,
                "timestamp": timestamp,
            }
        )
        headers = zalo_headers(self._app, body, timestamp)
        self._teller.tell(Webhook("receipt", f"zalo:{account.id}", body, headers, ()))


def _form(attachment: dict[str, Any] | None) -> str | None:
    """What a form that asks a customer who he is says; none: it is another message."""
    payload = (attachment or {}).get("payload") or {}
    if payload.get("template_type") != "request_user_info":
        return None
    elements = payload.get("elements") or []
    if len(elements) != 1 or elements[0].keys() - {"title", "subtitle", "image_url"}:
        raise ZaloError(-201, "elements is invalid")
    title, subtitle = elements[0].get("title") or "", elements[0].get("subtitle") or ""
    if not 0 < len(title) <= FORM_TITLE_MAX or not 0 < len(subtitle) <= FORM_TEXT_MAX:
        raise ZaloError(-201, "elements[0] is invalid")
    return str(subtitle)


def _error(error: ZaloError) -> Response:
    return JSONResponse({"error": error.code, "message": error.message})
