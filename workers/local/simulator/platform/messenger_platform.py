"""Facebook's Send API, as its documentation shows it (Graph API v26.0), and its word of what it has taken."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from config.ingress import MessengerApp
from workers.channels.signature import messenger_digest
from workers.local.simulator.platform.account import Account, Said
from workers.local.simulator.platform.messenger_past import MessengerPast
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.webhook import Webhook, messenger_headers

DAY_S = 24 * 60 * 60.0
HANG_S = 60.0
TEXT_MAX = 2_000
METADATA_MAX = 1_000
_SHARED = {"user_phone_number", "user_email"}
_FIELDS = {"recipient", "messaging_type", "message", "tag", "reply_to"}
_TYPES = {"RESPONSE", "UPDATE", "MESSAGE_TAG"}


class SendError(Exception):
    """The platform refuses: its code, its subcode, its words."""

    def __init__(self, code: int, subcode: int | None, message: str) -> None:
        super().__init__(message)
        self.code, self.subcode, self.message = code, subcode, message


class MessengerPlatform:
    """Takes messages for some pages of one app.

    Args:
        app: whose secret signs its webhooks, and proves who calls.
        accounts: the pages.
        teller: tells what was taken.
        human_agent: whether the app was allowed the tag HUMAN_AGENT.
    """

    def __init__(
        self, app: MessengerApp, accounts: Sequence[Account], teller: Teller, *, human_agent: bool = False
    ) -> None:
        self.accounts = {account.id: account for account in accounts}
        self._app = app
        self._teller = teller
        self._human_agent = human_agent
        self._run = secrets.token_hex(4)
        self._ids = itertools.count(1)
        past = MessengerPast(self.accounts, self._refusal)
        self.asgi = Starlette(
            routes=[Route("/v26.0/{page}/messages", self._endpoint, methods=["POST"]), *past.routes]
        )

    async def _endpoint(self, request: Request) -> Response:
        account = self.accounts.get(request.path_params["page"])
        if account is None:
            return _error(SendError(100, 33, "Unsupported post request. Object does not exist"))
        fault = account.faults.popleft() if account.faults else None
        if isinstance(fault, dict):
            account.calls += 1
            return JSONResponse({"error": fault}, status_code=400)
        try:
            said = self._take(account, request, json.loads(await request.body()))
        except SendError as error:
            return _error(error)
        self._tell(account, said)
        if fault == "lose":
            return PlainTextResponse("<html>Bad Gateway</html>", HTTPStatus.BAD_GATEWAY)
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault == "hold":
            account.held.set()
            await account.release.wait()
        return JSONResponse({"recipient_id": said.user, "message_id": said.id})

    def _take(self, account: Account, request: Request, body: dict[str, Any]) -> Said:
        """Raises SendError for all that the platform does not take."""
        self._check_caller(account, request)
        if account.is_too_fast():
            raise SendError(613, None, "Calls to this api have exceeded the rate limit.")
        if body.keys() - _FIELDS or body.get("messaging_type") not in _TYPES:
            raise SendError(100, None, "Invalid parameter")
        user = str(body.get("recipient", {}).get("id", ""))
        message = body.get("message") or {}
        self._check_window(account, user, body)
        _check_message(message)
        attachment = message.get("attachment")
        said = Said(
            f"m_{self._run}_{next(self._ids)}",
            user,
            message.get("text"),
            attachment["type"] if attachment else None,
            message.get("metadata"),
            time.time_ns() // 1_000_000,
            body.get("tag"),
            (body.get("reply_to") or {}).get("mid"),
            tuple(each["content_type"] for each in message.get("quick_replies", ())),
            attachment["payload"]["url"] if attachment else None,
        )
        account.said.append(said)
        return said

    def _refusal(self, account: Account, request: Request) -> Response | None:
        """The error of who may not read."""
        try:
            self._check_caller(account, request)
        except SendError as error:
            return _error(error)
        return None

    def _check_caller(self, account: Account, request: Request) -> None:
        token = request.query_params.get("access_token", "")
        if token != account.token:
            raise SendError(190, 460, "Error validating access token")
        proof = request.query_params.get("appsecret_proof")
        secret = self._app.app_secret.get_secret_value().encode()
        if proof is not None and proof != messenger_digest(secret, token.encode()):
            raise SendError(100, None, "Invalid appsecret_proof provided in the API argument")

    def _check_window(self, account: Account, user: str, body: dict[str, Any]) -> None:
        silent_s = account.silent_s(user)
        if silent_s is None:
            raise SendError(100, 2018001, "No matching user found")
        if body["messaging_type"] != "MESSAGE_TAG":
            is_open = silent_s <= DAY_S or time.time() - account.ad_at_s.get(user, 0.0) <= 7 * DAY_S
        elif body.get("tag") != "HUMAN_AGENT":
            raise SendError(100, 1893061, "This message tag is no longer supported")
        elif not self._human_agent:
            raise SendError(200, None, "Requires the feature Human Agent")
        else:
            is_open = silent_s <= 7 * DAY_S
        if not is_open:
            raise SendError(10, 2018278, "This message is sent outside of allowed window.")

    def _tell(self, account: Account, said: Said) -> None:
        message = {"mid": said.id, "is_echo": True, "app_id": 1517776481860111}
        message |= {"metadata": said.marker} if said.marker else {}
        message |= {"text": said.text} if said.text else {}
        if said.attachment:
            message["attachments"] = [{"type": said.attachment, "payload": {"url": "https://cdn.example/a"}}]
        ends = {"sender": {"id": account.id}, "recipient": {"id": said.user}}
        self._teller.tell(self._webhook(account, {**ends, "timestamp": said.at_ms, "message": message}))
        ends = {"sender": {"id": said.user}, "recipient": {"id": account.id}}
        delivery = {"mids": [said.id], "watermark": said.at_ms}
        self._teller.tell(self._webhook(account, {**ends, "delivery": delivery}))
        read_ms = said.at_ms + 1
        self._teller.tell(
            self._webhook(account, {**ends, "timestamp": read_ms, "read": {"watermark": read_ms}})
        )

    def _webhook(self, account: Account, event: dict[str, Any]) -> Webhook:
        entry = {"id": account.id, "time": time.time_ns() // 1_000_000, "messaging": [event]}
        body = json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()
        return Webhook("receipt", f"messenger:{account.id}", body, messenger_headers(self._app, body), ())


def _check_message(message: dict[str, Any]) -> None:
    text, attachment = message.get("text"), message.get("attachment")
    if (text is None) == (attachment is None) or len(message.get("metadata", "")) >= METADATA_MAX:
        raise SendError(100, None, "Invalid parameter: message")
    if text is not None and not 0 < len(text) < TEXT_MAX:
        raise SendError(100, 2018032, "Length of param message[text] must be less than or equal to 2000")
    if any(each.get("content_type") not in _SHARED for each in message.get("quick_replies", ())):
        raise SendError(100, None, "Invalid parameter: quick_replies")
    if attachment is not None and attachment.get("type") not in {"image", "audio", "video", "file"}:
        raise SendError(100, 2018047, "Invalid attachment type")
    if attachment is not None and not str(attachment.get("payload", {}).get("url", "")).startswith(
        "https://"
    ):
        raise SendError(100, 2018008, "Failed to fetch the file from the url")


def _error(error: SendError) -> Response:
    document = {"message": error.message, "type": "OAuthException", "code": error.code, "fbtrace_id": "A"}
    if error.subcode is not None:
        document["error_subcode"] = error.subcode
    return JSONResponse({"error": document}, status_code=400)
