"""A visitor and an agent chat: over real sockets and servers, nothing lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from config.settings import Settings
from schemas.ids import conversation_id, conversation_key
from tests.gateway.ground import Client, gateway, sign_in
from tests.gateway.test_sockets import say
from tests.waiting import until
from tests.website.ground import KEY, PAGE, SITE, WHERE, Visitor, site, visiting, with_site
from workers.channels.website import presence
from workers.channels.website.tokens import VisitorTokens

pytestmark = pytest.mark.servers
QUESTION, ANSWER = "Cho em xin tên và số điện thoại ạ", "Họ tên: Lê An\nSố điện thoại: 0912345678"


async def told(
    socket: ClientConnection, event: str, suits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """What an agent is told of this kind, once it suits."""
    async with asyncio.timeout(90):
        while True:
            said = orjson.loads(await socket.recv())
            if said["event"] == event and suits(said["data"]):
                data: dict[str, Any] = said["data"]
                return data


async def test_a_visitor_and_an_agent_chat(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del topics
    monkeypatch.setattr(presence, "GRACE_S", 1.0)
    settings = with_site(settings, grace_s=1)
    async with site(settings) as (ingress, database), gateway(settings) as http:
        lan = await sign_in(http, "lan")
        script = await ingress.get("/widget/v1/tongdai.js")
        assert script.headers["etag"] == f'"{hashlib.sha256(script.content).hexdigest()}"'
        async with visiting(ingress) as an, lan.signed_in() as desk:
            assert an.started["messages"] == []
            user = VisitorTokens([KEY], 1).read(SITE, an.token) or ""
            conversation = conversation_id(conversation_key("web", SITE, user))
            await an.say("Áo này còn không?", "first")
            own = await an.message("Áo này còn không?")
            assert (own["from"], own["id"]) == ("customer", "first")
            await until(database, "SELECT FROM desk_conversation WHERE holder = 'lan'")

            await say(desk, do="look", conversation=str(conversation))
            seen = await told(desk, "visitor", lambda data: bool(data["online"]))
            assert (seen["conversation"], seen["url"], seen["title"]) == (str(conversation), *WHERE.values())
            await until(database, "SELECT FROM inbox WHERE agent_id = 'lan'")
            assert await _online_in_lists(lan) == {str(conversation): True}
            await an.do("typing")
            await told(desk, "visitor_typing", lambda data: data["conversation"] == str(conversation))
            await say(desk, do="typing", conversation=str(conversation))
            await an.until("typing")

            await _answer(lan, conversation, "Dạ còn ạ")
            answer = await an.message("Dạ còn ạ")
            assert (answer["from"], "lan" in str(answer)) == ("agent", False)
            await an.until("state", message=answer["message"], state="sent")
            for state in ("delivered", "read"):
                await an.do("seen", state=state, messages=[answer["message"]])
                await told(desk, "delivery", partial(_stands, state))
            await _read(lan, conversation, answer["position"])
            assert (await an.until("read"))["position"] == answer["position"]

            await _tells_who_he_is(lan, conversation, an)
            # Another tab has the same before it, whatever else stood in it, and what is new comes to both.
            async with visiting(ingress, token=an.token, conversation=str(UUID(int=1)), after=1_000) as tab:
                assert tab.started["conversation"] == str(conversation)
                before = ["Áo này còn không?", "Dạ còn ạ", QUESTION, ANSWER]
                assert [one["text"] for one in tab.started["messages"]] == before
                assert tab.started["messages"][1]["state"] == "read"
                assert tab.started["read"] == answer["position"]
                await tab.say("Cho mình size M", "second")
                assert (await an.message("Cho mình size M"))["message"] == (
                    await tab.message("Cho mình size M")
                )["message"]
                await tab.do("move", where={"url": f"{WHERE['url']}/m"})
                await told(desk, "visitor", lambda data: data["url"].endswith("/m"))
            token, position = an.token, an.shown[-1]["position"]
        await until(database, "SELECT FROM session WHERE ended_by = 'left'")
        ticket = (await lan.get(f"conversations/{conversation}/tickets")).json()
        assert [(one["status"], one["agent"]) for one in ticket] == [("open", "lan")]
        await _goes_on_without_him(lan, conversation, desk_says="Dạ có size M ạ")
        async with visiting(ingress, token=token, after=position) as an:
            # What he sends again, since nobody told him that it was taken, counts once.
            await an.say("Áo này còn không?", "first")
            await an.do("press", id="third", title="Giá bao nhiêu?", at_ms=1)
            await an.message("Giá bao nhiêu?")
            assert [one["text"] for one in an.shown] == ["Dạ có size M ạ", "Giá bao nhiêu?"]
            assert an.started["messages"] == []
            await _is_there(lan, conversation)
        texts = await database.fetch("SELECT body FROM message WHERE kind <> 'log' ORDER BY position")
        assert [row["body"] for row in texts] == [
            "Áo này còn không?",
            "Dạ còn ạ",
            QUESTION,
            ANSWER,
            "Cho mình size M",
            "Dạ có size M ạ",
            "Giá bao nhiêu?",
        ]
        assert await database.fetchval("SELECT count(*) FROM delivery_page WHERE page_id = $1", PAGE) == 0
        await _is_gone(lan, conversation)
        async with visiting(ingress) as binh:
            begun = await _begins_a_chat(lan, await sign_in(http, "ha"), binh)
            assert (
                await database.fetchval("SELECT count(*) FROM session WHERE conversation_id = $1", begun) == 1
            )
            found = (await lan.get("conversations?channel=web&order=online_first&limit=1")).json()
            assert [(one["conversation"], one["online"]) for one in found["conversations"]] == [
                (str(begun), True)
            ]
            rest = (
                await lan.get(f"conversations?channel=web&order=online_first&after={found['next']}")
            ).json()
            assert [one["conversation"] for one in rest["conversations"]] == [str(conversation)]
            assert (await lan.get("conversations/count?online=true")).json()["count"] == 1
        await _is_gone(lan, begun)
        late = await lan.ask(f"conversations/{begun}/chat", {"text": "Em còn đó không?"})
        assert (late.status_code, late.json()["code"]) == (409, "not_online")


async def _answer(agent: Client, conversation: object, text: str) -> None:
    answer = await agent.ask(f"conversations/{conversation}/messages", {"text": text})
    assert answer.status_code == 200, answer.text


async def _tells_who_he_is(agent: Client, conversation: object, visitor: Visitor) -> None:
    """What he was asked for, and once; it is in the transcript, and fills his profile."""
    asked = await agent.ask(
        f"conversations/{conversation}/messages", {"text": QUESTION, "asks": ["name", "phone"]}
    )
    assert asked.status_code == 200, asked.text
    question = await visitor.message(QUESTION)
    assert question["asks"] == ["name", "phone"]
    of = question["position"]
    for number, told in ((of - 1, {"name": "An"}), (of, {"email": "an@example.com"})):
        said = {"id": f"answer-{number}", "text": "…", "at_ms": 1, "shares": {"of": number, **told}}
        await visitor.do("say", **said)
        await visitor.until("refused", id=said["id"], code="unknown_question")
    said = {"id": f"answer-{of}", "text": ANSWER, "at_ms": 1}
    await visitor.do("say", **said, shares={"of": of, "name": "Lê An", "phone": "+84 912 345 678"})
    await visitor.until("taken", id=said["id"])
    assert (await visitor.message(ANSWER))["id"] == said["id"]
    await visitor.do("say", **said, shares={"of": of, "name": "Another", "phone": "0987654321"})
    await visitor.until("refused", id=said["id"], code="answered")
    profile = (await agent.get(f"conversations/{conversation}")).json()["profile"]
    known = [profile[name] for name in ("name", "phone", "verified_phone", "suggested_phone")]
    assert known == ["Lê An", "0912345678", None, None]


async def _begins_a_chat(lan: Client, ha: Client, visitor: Visitor) -> UUID:
    """With somebody who has never written: he reads it, and answers; another agent comes too late."""
    async with asyncio.timeout(90):
        while not (found := (await lan.get("visitors")).json()):
            await asyncio.sleep(0.1)
    (seen,) = found
    assert (seen["page"], seen["url"], seen["title"]) == (PAGE, *WHERE.values())
    text = {"text": "Em cần tư vấn gì ạ?"}
    begun = await lan.ask(f"conversations/{seen['conversation']}/chat", text)
    assert begun.status_code == 200, begun.text
    message = await visitor.message(text["text"])
    assert (message["from"], message["session"]) == ("agent", 1)
    late = await ha.ask(f"conversations/{seen['conversation']}/chat", text)
    assert (late.status_code, late.json()["code"]) == (409, "taken")
    await visitor.say("Dạ có")
    await visitor.message("Dạ có")
    assert (await lan.get("visitors")).json() == []
    return UUID(seen["conversation"])


async def _is_there(agent: Client, conversation: object, *, online: bool = True) -> None:
    """Wait until the agent's lists say so."""
    async with asyncio.timeout(90):
        while (await _online_in_lists(agent))[str(conversation)] is not online:
            await asyncio.sleep(0.1)


async def _is_gone(agent: Client, conversation: object) -> None:
    await _is_there(agent, conversation, online=False)


async def _online_in_lists(agent: Client) -> dict[str, bool]:
    found = (await agent.get("conversations?bucket=all")).json()["conversations"]
    return {one["conversation"]: one["online"] for one in found}


async def _read(agent: Client, conversation: object, position: int) -> None:
    answer = await agent.ask(f"conversations/{conversation}/read", {"position": position})
    assert answer.status_code == 200, answer.text


async def _goes_on_without_him(agent: Client, conversation: object, desk_says: str) -> None:
    """The agent sees that he is gone, and answers all the same."""
    await _is_gone(agent, conversation)
    await _answer(agent, conversation, desk_says)


def _stands(state: str, data: dict[str, Any]) -> bool:
    return bool(data["state"] == state)
