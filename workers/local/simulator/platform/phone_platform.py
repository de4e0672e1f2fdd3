"""A phone provider: takes SMS and calls as strictly as one, and calls back how they fare."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Collection
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from config.phone import PhoneAccount
from workers.channels.phone.signature import SIGNATURE, signature
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.webhook import Webhook

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_KEY_CHARS_MAX = 128
_FIELDS = {"/messages": {"from", "to", "text", "reference"}, "/calls": {"from", "to", "agent", "reference"}}
TEXT_MAX = 918
ANSWERED = ("ringing_agent", "ringing", "answered", "ended")
DELIVERED = ("sent", "delivered")
TALKED_S = 42
RETRY_AFTER_S = 1
RATE_PER_S = 100
"""Requests that it takes."""


class Refusal(NamedTuple):
    """What it answers instead of taking something."""

    status: HTTPStatus
    code: str


Loss = Literal["lose"]
"""It is taken, and a proxy answers in its place."""


class Asked(NamedTuple):
    """What it has taken."""

    id: str
    path: str
    said: dict[str, str]


class PhonePlatform:
    """One account.

    Args:
        account: whose secrets count.
        numbers: that are the account's.
        teller: calls back.
    """

    def __init__(self, account: PhoneAccount, numbers: Collection[str], teller: Teller) -> None:
        self._account = account
        self._numbers = numbers
        self._teller = teller
        self._ids = itertools.count(1)
        self._answered: dict[str, tuple[bytes, Asked]] = {}
        self._calls_s: deque[float] = deque()
        self.taken: list[Asked] = []
        self.requests = 0
        self.faults: deque[Refusal | Loss] = deque()
        """What happens to the next requests."""
        self.fates: deque[tuple[str, ...]] = deque()
        """What is told of the next that are taken; else all goes well."""
        routes = [Route(path, self._endpoint, methods=["POST"]) for path in _FIELDS]
        self.asgi = Starlette(routes=routes)

    def customer_writes(self, sender: str, to: str, text: str, id_: str | None = None) -> None:
        """An SMS comes to one of the numbers."""
        said = {"id": id_ or f"in-{next(self._ids)}", "from": sender, "to": to, "text": text}
        self._tell({"type": "sms.received", **said})

    def tell(self, asked: Asked, *statuses: str) -> None:
        """Call back how it fares, in this order."""
        kind = "call" if asked.path == "/calls" else "sms"
        for status in statuses:
            more = {"duration_s": TALKED_S} if status == "ended" else {}
            said = {"reference": asked.said["reference"], "id": asked.id, "status": status, **more}
            self._tell({"type": f"{kind}.status", **said})

    async def _endpoint(self, request: Request) -> Response:
        body = await request.body()
        fault = self.faults.popleft() if self.faults else None
        found = fault if isinstance(fault, Refusal) else self._take(request, body)
        self.requests += 1
        if isinstance(found, Refusal):
            wait = {"retry-after": str(RETRY_AFTER_S)} if found.status == HTTPStatus.TOO_MANY_REQUESTS else {}
            return JSONResponse({"error": {"code": found.code}}, found.status, wait)
        if fault == "lose":
            return PlainTextResponse("<html>Bad Gateway</html>", HTTPStatus.BAD_GATEWAY)
        return JSONResponse({"id": found.id, "status": "queued"}, HTTPStatus.CREATED)

    def _take(self, request: Request, body: bytes) -> Asked | Refusal:
        """What is taken, once for each key."""
        if request.headers.get("authorization") != f"Bearer {self._account.token.get_secret_value()}":
            return Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized")
        if self._is_too_fast():
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited")
        key, path = request.headers.get("idempotency-key", ""), request.url.path
        if not 0 < len(key) <= _KEY_CHARS_MAX:
            return Refusal(HTTPStatus.BAD_REQUEST, "missing_idempotency_key")
        if key in self._answered:
            before, asked = self._answered[key]
            is_same = before == path.encode() + body
            return asked if is_same else Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_mismatch")
        said = orjson.loads(body)
        if refused := self._mistake(path, said):
            return refused
        asked = Asked(f"p{next(self._ids)}", path, said)
        self._answered[key] = path.encode() + body, asked
        self.taken.append(asked)
        usual = ANSWERED if path == "/calls" else DELIVERED
        self.tell(asked, *(self.fates.popleft() if self.fates else usual))
        return asked

    def _mistake(self, path: str, said: dict[str, Any]) -> Refusal | None:
        if said.keys() != _FIELDS[path] or not all(isinstance(each, str) and each for each in said.values()):
            return Refusal(HTTPStatus.BAD_REQUEST, "invalid_request")
        if said["from"] not in self._numbers:
            return Refusal(HTTPStatus.BAD_REQUEST, "unknown_sender")
        numbers = (said["to"], said.get("agent", said["to"]))
        if not all(_NUMBER.fullmatch(each) for each in numbers):
            return Refusal(HTTPStatus.BAD_REQUEST, "invalid_number")
        if len(said.get("text", "")) > TEXT_MAX:
            return Refusal(HTTPStatus.BAD_REQUEST, "text_too_long")
        return None

    def _is_too_fast(self) -> bool:
        now_s = time.monotonic()
        while self._calls_s and now_s - self._calls_s[0] > 1:
            self._calls_s.popleft()
        self._calls_s.append(now_s)
        return len(self._calls_s) > RATE_PER_S

    def _tell(self, said: dict[str, Any]) -> None:
        body = orjson.dumps({**said, "at_ms": time.time_ns() // 1_000_000})
        key = self._account.callback_key.get_secret_value()
        headers = {SIGNATURE: signature(key, body, int(time.time())), "content-type": "application/json"}
        page = f"phone:{self._account.name}"
        self._teller.tell(Webhook("receipt", page, body, headers, (), self._account.name))
