"""Zalo's user details and conversations, as documented: errors are HTTP 200, ids are text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.past import PastMessage

COUNT_MAX = 10


class ZaloPast:
    """Tells who customers are and what was said, of some official accounts.

    Args:
        tokens: the accounts by their good access tokens.
    """

    def __init__(self, tokens: Mapping[str, Account]) -> None:
        self._tokens = tokens
        self.routes = [
            Route("/v3.0/oa/user/detail", self._detail, methods=["GET"]),
            Route("/v2.0/oa/conversation", self._conversation, methods=["GET"]),
            Route("/v2.0/oa/listrecentchat", self._recent, methods=["GET"]),
        ]

    async def _detail(self, request: Request) -> Response:
        return self._answer(request, {"user_id"}, self._person)

    async def _conversation(self, request: Request) -> Response:
        return self._answer(request, {"user_id", "offset", "count"}, self._messages)

    async def _recent(self, request: Request) -> Response:
        return self._answer(request, {"offset", "count"}, self._messages)

    def _answer(self, request: Request, named: set[str], of: Any) -> Response:  # noqa: ANN401 - one of ours
        account = self._tokens.get(request.headers.get("access_token", ""))
        if account is None:
            return _error(-216, "Access token is invalid")
        if account.past.is_too_fast(request.url.path):
            return _error(-32, "Your application reached limit call api")
        if account.past.faults:
            return JSONResponse(account.past.faults.popleft())
        asked = orjson.loads(request.query_params.get("data", "null"))
        if not isinstance(asked, dict) or asked.keys() != named:
            return _error(-201, "Params is invalid")
        answer: Response = of(account, asked)
        return answer

    def _person(self, account: Account, asked: dict[str, Any]) -> Response:
        person = account.past.people.get(asked["user_id"])
        if person is None:
            return _error(-213, "User has not followed OA")
        said: dict[str, Any] = {
            "user_id": asked["user_id"],
            "display_name": person.name,
            "user_is_follower": True,
            "avatar": person.picture or "",
            "avatars": {"240": person.picture or "", "120": person.picture or ""},
        }
        if person.phone:
            said["shared_info"] = {"name": person.name, "phone": int(person.phone), "address": ""}
        return _success(said)

    def _messages(self, account: Account, asked: dict[str, Any]) -> Response:
        offset, count = asked["offset"], asked["count"]
        if not 0 < count <= COUNT_MAX:
            return _error(-201, "count is invalid")
        found = account.past.said(asked["user_id"]) if "user_id" in asked else account.past.recent()
        return _success([_message(account, each) for each in found[offset : offset + count]])


def _message(account: Account, said: PastMessage) -> dict[str, Any]:
    person = account.past.people.get(said.user)
    customer = {"id": said.user, "display_name": person.name if person else "", "avatar": ""}
    shop = {"id": account.id, "display_name": "Shop", "avatar": ""}
    ends = {"from": shop, "to": customer} if said.is_ours else {"from": customer, "to": shop}
    shown: dict[str, Any] = {
        f"{end}_{name}": value for end, who in ends.items() for name, value in who.items()
    }
    kind = "photo" if said.picture else "text"
    shown |= {"src": 0 if said.is_ours else 1, "time": said.at_ms, "type": kind, "message_id": said.id}
    return shown | ({"url": said.picture} if said.picture else {}) | {"message": said.text or ""}


def _success(data: object) -> Response:
    return JSONResponse({"data": data, "error": 0, "message": "Success"})


def _error(code: int, message: str) -> Response:
    return JSONResponse({"error": code, "message": message})
