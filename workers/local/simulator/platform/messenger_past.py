"""Facebook's User Profile and Conversations APIs, as its documentation shows them (Graph API v26.0)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.past import PastMessage

LIMIT_MAX = 50
Check = Callable[[Account, Request], Response | None]
"""The error that a caller gets who may not."""


class MessengerPast:
    """Tells who customers are and what was said, of some pages.

    Args:
        accounts: the pages.
        check: looks at who calls.
    """

    def __init__(self, accounts: Mapping[str, Account], check: Check) -> None:
        self._accounts = accounts
        self._check = check
        self.routes = [
            Route("/v26.0/{page}/conversations", self._conversations, methods=["GET"]),
            Route("/v26.0/{thread}/messages", self._messages, methods=["GET"]),
            Route("/v26.0/{user}", self._profile, methods=["GET"]),
        ]

    async def _profile(self, request: Request) -> Response:
        user = request.path_params["user"]
        account = self._of_token(request)
        if refusal := self._refusal(account, request, "profile", {"fields"}):
            return refusal
        assert account is not None  # noqa: S101 - else it was refused
        person = account.past.people.get(user)
        if person is None:
            return _error(100, 33, "Unsupported get request. Object does not exist or cannot be loaded")
        first, _, last = person.name.rpartition(" ")
        said = {"id": user, "name": person.name, "first_name": first, "last_name": last}
        said |= {"profile_pic": person.picture} if person.picture else {}
        wanted = {"id", *request.query_params["fields"].split(",")}
        return JSONResponse({name: value for name, value in said.items() if name in wanted})

    async def _conversations(self, request: Request) -> Response:
        account = self._accounts.get(request.path_params["page"])
        allowed = {"fields", "platform", "user_id", "limit", "after"}
        if refusal := self._refusal(account, request, "conversations", allowed):
            return refusal
        assert account is not None  # noqa: S101 - else it was refused
        users = list(
            dict.fromkeys(each.user for each in account.past.said(request.query_params.get("user_id")))
        )
        return _paged(request, users, lambda user: self._thread(account, user))

    def _thread(self, account: Account, user: str) -> dict[str, Any]:
        person = account.past.people.get(user)
        people = [{"name": person.name if person else "", "id": user}, {"name": "Shop", "id": account.id}]
        last = account.past.said(user)[0]
        return {"id": f"t_{account.id}_{user}", "updated_time": _time(last), "participants": {"data": people}}

    async def _messages(self, request: Request) -> Response:
        _, _, place = request.path_params["thread"].partition("_")
        page, _, user = place.partition("_")
        account = self._accounts.get(page)
        if refusal := self._refusal(account, request, "messages", {"fields", "limit", "after"}):
            return refusal
        assert account is not None  # noqa: S101 - else it was refused
        return _paged(request, account.past.said(user), lambda each: _message(account, each))

    def _of_token(self, request: Request) -> Account | None:
        token = request.query_params.get("access_token")
        return next((each for each in self._accounts.values() if each.token == token), None)

    def _refusal(
        self, account: Account | None, request: Request, what: str, allowed: set[str]
    ) -> Response | None:
        if account is None:
            return _error(190, 460, "Error validating access token")
        if refusal := self._check(account, request):
            return refusal
        if request.query_params.keys() - allowed - {"access_token", "appsecret_proof"}:
            return _error(100, None, "Invalid parameter")
        if account.past.is_too_fast(what):
            return _error(613, None, "Calls to this api have exceeded the rate limit.")
        return JSONResponse({"error": account.past.faults.popleft()}, 400) if account.past.faults else None


def _paged(request: Request, items: list[Any], shown: Callable[[Any], dict[str, Any]]) -> Response:
    limit = int(request.query_params.get("limit", "25"))
    after = request.query_params.get("after", "")
    if not 0 < limit <= LIMIT_MAX:
        return _error(1, None, "Please reduce the amount of data you're asking for")
    begin = int(base64.urlsafe_b64decode(after).decode().removeprefix("at ")) if after else 0
    end = begin + limit
    said: dict[str, Any] = {"data": [shown(each) for each in items[begin:end]]}
    mark = base64.urlsafe_b64encode(f"at {end}".encode()).decode()
    said["paging"] = {"cursors": {"before": "x", "after": mark}}
    if end < len(items):
        said["paging"]["next"] = f"https://graph.facebook.com/…&after={mark}"
    return JSONResponse(said)


def _message(account: Account, said: PastMessage) -> dict[str, Any]:
    author = account.id if said.is_ours else said.user
    shown: dict[str, Any] = {"id": said.id, "created_time": _time(said), "from": {"id": author}}
    shown["message"] = said.text or ""
    if said.picture:
        image = {"mime_type": "image/jpeg", "image_data": {"url": said.picture}}
        shown["attachments"] = {"data": [image]}
    return shown


def _time(said: PastMessage) -> str:
    return datetime.fromtimestamp(said.at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _error(code: int, subcode: int | None, message: str) -> Response:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return JSONResponse({"error": error | ({"error_subcode": subcode} if subcode else {})}, 400)
