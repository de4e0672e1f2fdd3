"""An agent's account at the gateway: signs in, stays signed in, and sends calls over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import httpx
import orjson

from schemas.ids import agent_key
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.doors import Doors

API = "/api/v1"
RETRY_S = 0.5
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "claim": "claim",
        "say": "messages",
        "write_note": "notes",
        "open_ticket": "tickets",
        "mark_read": "read",
        "end_session": "session-end",
        "set_care": "care",
        "transfer": "transfer",
        "transfer_accept": "transfer/accept",
        "transfer_reject": "transfer/reject",
    }
)
"""Where a call stands behind its conversation."""


class KeptOutError(Exception):
    """The gateway knows no such account, or another password of it."""


class Account:
    """One agent's.

    Args:
        http: without an address.
        doors: the gateways.
        workspace, login, password: what is typed to sign in; the login is the agent's id.
    """

    def __init__(
        self, http: httpx.AsyncClient, doors: Doors, workspace: str, login: str, password: str
    ) -> None:
        self.login = login
        self.doors = doors
        self.actor = agent_key(workspace, login)
        self._http = http
        self._credentials = {"workspace": workspace, "login": login, "password": password}
        self._grant: dict[str, Any] = {}
        self._renew_s = 0.0
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """An access token that is good for a while; waits while the gateway is away. Raises KeptOutError."""
        async with self._renewing:
            while time.monotonic() >= self._renew_s:
                await self._renew()
            return str(self._grant["access_token"])

    def forget_token(self) -> None:
        """The gateway takes it no more: sign in anew."""
        self._grant, self._renew_s = {}, 0.0

    async def call(self, act: Act, key: str, timeout_s: float) -> Answer:
        """Do `act` under this idempotency key. Raises httpx.TransportError and KeptOutError."""
        named = {"authorization": f"Bearer {await self.token()}", "idempotency-key": key}
        path = f"/conversations/{act.conversation}/{PATHS[act.call]}"
        return await self._send("POST", path, headers=named, json=act.body or None, timeout=timeout_s)

    async def outcome(self, key: str) -> Answer:
        """What became of the command of this key. Raises httpx.TransportError and KeptOutError."""
        named = {"authorization": f"Bearer {await self.token()}"}
        return await self._send("GET", f"/outcomes/{key}", headers=named)

    async def _renew(self) -> None:
        """Refresh, or sign in when that is not possible (any more)."""
        refresh = self._grant.get("refresh_token")
        call, body = ("refresh", {"refresh_token": refresh}) if refresh else ("sign-in", self._credentials)
        try:
            answer = await self._send("POST", f"/{call}", json=body)
        except httpx.TransportError:
            await asyncio.sleep(RETRY_S)
            return
        if answer.status == HTTPStatus.OK:
            self._grant = dict(answer.body)
            self._renew_s = time.monotonic() + self._grant["expires_in_s"] / 2
        elif answer.status != HTTPStatus.UNAUTHORIZED:
            await asyncio.sleep(RETRY_S)
        elif refresh:
            self.forget_token()
        else:
            raise KeptOutError(f"{self.login} cannot sign in: {answer.body.get('detail', answer.status)}")

    async def _send(self, method: str, path: str, **request: Any) -> Answer:  # noqa: ANN401 - as httpx'
        """Ask the gateway; the next call goes to another one when it fails. Raises httpx.TransportError."""
        url = self.doors.url
        try:
            response = await self._http.request(method, f"{url}{API}{path}", **request)
        except httpx.TransportError:
            self.doors.leave(url)
            raise
        return _answer(response)


def _answer(response: httpx.Response) -> Answer:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = {}
    return Answer(response.status_code, body if isinstance(body, dict) else {})
