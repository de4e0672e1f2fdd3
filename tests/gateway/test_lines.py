"""Whoever has a conversation open, or watches its page as an admin, is told its new lines; nobody else is."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from config.settings import Settings
from schemas.definitions import Page
from schemas.envelope import Kind, headers
from schemas.ids import conversation_id, conversation_key
from tests.gateway.ground import (
    OTHER_PAGE,
    PAGE,
    SHOP,
    customer_writes,
    gateway,
    publish,
    shop,
    sign_in,
)
from tests.gateway.test_sockets import receive, say, to
from tests.waiting import until
from workers.channels.glance import Glance
from workers.channels.sighting import Sighting
from workers.gateway.connection import Connection
from workers.gateway.conversations import Conversation
from workers.gateway.identity import Identity, Role
from workers.gateway.lines import Lines, line_of
from workers.gateway.looking import Looking
from workers.gateway.onlookers import PART, Onlookers
from workers.gateway.problem import ApiError
from workers.gateway.roster import Roster
from workers.gateway.visitors import Visitors
from workers.gateway.watching import WATCHED_MAX, Watching

KEY = conversation_key("messenger", "1", "u1")
ID = conversation_id(KEY)


class Record:
    """As aiokafka gives them."""

    def __init__(self, what: str = "stored", topic: str = "messages", key: str = KEY, **said: object) -> None:
        id_ = conversation_id(key)
        value = {"workspace": SHOP, "page": PAGE, "conversation": id_, "kind": "text", **said}
        self.key = key.encode()
        self.headers = headers(Kind(topic, what), id_="1", source="t", subject=key, time="now")
        self.value = orjson.dumps(value)


class Ground:
    """Lines, and what they are told by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looking, self.watching = Looking(lambda _: None), Watching()
        places = self.looking, self.watching
        self.onlookers = Onlookers(None, self, *places)  # type: ignore[arg-type]
        self.lines = Lines(self.onlookers, self, *places)  # type: ignore[arg-type]
        self.admins: tuple[str, ...] = ("ha",)
        self.holder = "lan"
        self.asked: list[object] = []
        monkeypatch.setattr("workers.gateway.onlookers.read_conversations", self._read)

    async def of(self, _: str, age_s: float = 1.0) -> Roster:
        agents = dict.fromkeys(("lan", "ha", "minh"), "main")
        return Roster(agents, [], [("main", Page(id=PAGE, name="one", admins=self.admins))], [])

    async def _read(self, _: object, __: str, ids: object) -> dict[UUID, Conversation]:
        self.asked.append(ids)
        return {ID: Conversation(ID, KEY, "main", PAGE, self.holder)}


def somebody(agent: str | None, role: Role = "agent", workspace: str = SHOP) -> Connection:
    scopes = frozenset({"conversations"}) if role == "service" else frozenset[str]()
    identity = Identity(workspace, role, agent, agent or "crm", scopes)
    return Connection(identity, "", None, 1_000_000, lambda _: None)


async def heard(connection: Connection) -> list[str]:
    """The events that he is told, without what says who looks."""
    found = []
    while connection.waiting_bytes:
        found.append(orjson.loads(await connection.next() or "")["event"])
    return [one for one in found if one != "looking"]


async def test_who_looks_is_told_how_answers_fare(monkeypatch: pytest.MonkeyPatch) -> None:
    field, lan, minh = Ground(monkeypatch), somebody("lan"), somebody("minh")
    field.looking.look(lan, ID)
    await field.lines.take([Record("delivery", "receipts", state="failed"), Record("arrival", "receipts")])
    assert (await heard(lan), await heard(minh)) == (["delivery"], [])


async def test_lines_go_to_who_looks_or_watches_and_stop_with_the_right_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ground = Ground(monkeypatch)
    lan, minh, ha, chu = (
        somebody("lan"),
        somebody("minh"),
        somebody("ha", "page_admin"),
        somebody("chu", "admin"),
    )
    rival, crm = somebody("ha", "page_admin", "rival"), somebody(None, "service")
    ground.looking.look(lan, ID)
    for each in (ha, chu, rival, crm):
        ground.watching.watch(each, PAGE)
    ground.looking.look(ha, ID)  # told once all the same
    await ground.lines.take([Record(), Record(kind="note"), Record("read")])
    for each in (lan, ha, chu):
        assert await heard(each) == ["line", "line"]
    assert await heard(crm) == ["line"]  # notes are for people
    ground.looking.look(minh, ID)  # who might when he looked
    ground.admins = ("chu",)
    ground.holder = "ha"
    await ground.lines.take([Record()])
    assert await heard(lan) == await heard(minh) == ["refused"]
    assert await heard(ha) == ["refused", "line"]  # the page is hers no more, but the conversation is
    await ground.lines.take([Record()])
    assert [await heard(one) for one in (lan, minh, ha, chu, rival)] == [
        [],
        [],
        ["line"],
        ["line", "line"],
        [],
    ]


async def test_who_may_look_or_watch_no_more_is_told_nothing_of_visitors_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without any line in between: that he is there, where, that he types; nor who else looks, or types."""
    ground = Ground(monkeypatch)
    visitors = Visitors(ground.looking, ground.watching)
    lan, ha, chu = somebody("lan"), somebody("ha", "page_admin"), somebody("chu", "admin")
    ground.looking.look(lan, ID)
    ground.looking.look(chu, ID)
    for each in (ha, chu):
        ground.watching.watch(each, PAGE)
    here = Sighting((SHOP, ID), KEY, online=True, url="https://shop.example/a")
    visitors.hear("i1", here, 0)
    await ground.onlookers.look_anew()
    assert [await heard(one) for one in (lan, ha, chu)] == [["visitor"]] * 3
    ground.admins, ground.holder = ("chu",), "minh"
    await ground.onlookers.look_anew()
    visitors.hear("i1", here._replace(url="https://shop.example/b"), 1)
    visitors.hear("i1", here._replace(types=True), 1)
    ground.looking.type_in(chu, ID, 1)
    ground.looking.hear("g2", Glance((SHOP, ID), ("minh",)), 1)
    assert [await heard(one) for one in (lan, ha)] == [["refused"]] * 2
    assert await heard(chu) == ["visitor", "visitor_typing"]
    assert not ground.looking._of.keys() & {lan}


async def test_many_who_look_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, chus = Ground(monkeypatch), [somebody("chu", "admin") for _ in range(PART // 10)]
    for number in range(PART + 1):
        ground.looking.look(chus[number % len(chus)], UUID(int=number))
    await ground.onlookers.look_anew()
    assert [len(ids) for ids in ground.asked] == [PART, 1]  # type: ignore[arg-type]
    assert not ground.looking.conversations  # there is none of them


async def test_who_watches_is_told_of_customers_whose_id_has_colons(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, chu = Ground(monkeypatch), somebody("chu", "admin")
    ground.watching.watch(chu, PAGE)
    await ground.lines.take([Record(key=conversation_key("messenger", "1", "a:b"))])
    assert await heard(chu) == ["line"]


async def test_what_nobody_looks_at_costs_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Ground(monkeypatch)
    lan = somebody("lan")
    ground.looking.look(lan, uuid4())
    ground.watching.watch(somebody("chu", "admin"), OTHER_PAGE)
    await ground.lines.take([Record()])
    assert ground.asked == []
    ground.looking.leave(lan)
    for each in list(ground.watching.at((SHOP, OTHER_PAGE))):
        ground.watching.leave(each)
    assert not ground.lines.wanted


def test_nobody_watches_too_many_pages() -> None:
    watching, chu = Watching(), somebody("chu", "admin")
    for number in range(WATCHED_MAX):
        watching.watch(chu, f"zalo:{number}")
    watching.watch(chu, "zalo:0")
    with pytest.raises(ApiError, match="at most"):
        watching.watch(chu, "zalo:x")
    watching.leave(chu)
    assert not watching.pages


def test_what_is_no_line_is_passed_over() -> None:
    record = Record()
    for value in (b"", b"[]", b"{}", b"\xff", b'{"workspace": "shop", "page": "a:1", "conversation": 1}'):
        record.value = value
        assert line_of(record) is None


async def lines(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next lines; what else is told meanwhile is passed over."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        said = await receive(socket)
        if said["event"] == "line":
            found.append(said["data"])
    return found


@pytest.mark.servers
async def test_a_page_admin_watches_live_and_the_holder_sees_the_whole_conversation(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as database, gateway(settings) as http:
        conversation = await customer_writes(settings, topics, "u1")
        await until(database, "SELECT FROM desk_conversation WHERE standing = 'offered'")
        lan, ha, nga = [await sign_in(http, who) for who in ("lan", "ha", "nga")]
        async with lan.signed_in() as holder, ha.signed_in() as admin, nga.signed_in() as outsider:
            await say(admin, do="watch", page=PAGE)
            await receive(outsider)
            for page, status in ((PAGE, 403), ("messenger:9", 404)):
                await say(outsider, do="watch", page=page)
                told = await receive(outsider)
                assert (told["event"], told["data"]["status"]) == ("refused", status)
                assert told["data"]["page"] == page
            while (await receive(admin))["event"] != "watching":
                pass
            await say(holder, do="look", conversation=str(conversation))
            assert (await lan.ask(f"conversations/{conversation}/claim")).status_code == 200
            assert (
                await lan.ask(f"conversations/{conversation}/messages", {"text": "Dạ"})
            ).status_code == 200
            await customer_writes(settings, topics, "u1")
            await customer_writes(settings, topics, "u2")
            for socket, others in ((holder, 0), (admin, 1)):
                while (told := (await lines(socket, 1))[0])["sender"] != "agent":
                    pass
                assert (told["text"], told["conversation"]) == ("Dạ", str(conversation))
                seen = {one["conversation"]: one for one in await lines(socket, 1 + others)}
                assert seen[str(conversation)]["text"] == "Shop ơi"
            await until(database, "SELECT FROM audit WHERE actor = 'agent:shop/nga' AND call = 'watch'")
            await say(admin, do="watch", page=PAGE, off=True)
            await publish(settings, topics["notifications"], [to("nga", 7)])
            assert (await receive(outsider))["data"] == {"workspace": SHOP, "number": 7}
