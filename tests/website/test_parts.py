"""Who a visitor is, what he may say, what he is told, and that he is there: each part by itself."""

from __future__ import annotations

import hmac
import re
import time
from typing import Any
from uuid import UUID

import jwt
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode
from pydantic import ValidationError

from config.checks import problems_of
from config.settings import Settings
from config.website import WebsiteSettings
from schemas.envelope import Kind, header, headers
from schemas.ids import conversation_id
from schemas.phones import find_phone
from tests.contract.test_phones import written
from tests.website.ground import KEY, SECRET, SITE, with_site
from workers.channels import sighting
from workers.channels.broadcast import PAYLOAD_BYTES_MAX
from workers.channels.records import Webhook, outgoing
from workers.channels.sighting import Sighting
from workers.channels.website.connection import Tab
from workers.channels.website.hub import Hub
from workers.channels.website.identity import NotVerifiedError, Visitor, by_digest, by_token
from workers.channels.website.presence import GRACE_S, REPEAT_TICKS, Presence
from workers.channels.website.reception import Reception
from workers.channels.website.records import Guest, profile_of, record_of
from workers.channels.website.said import SAID, Press, Say, Seen, Shares, Start, Where
from workers.channels.website.script import widget
from workers.channels.website.tail import Tail
from workers.channels.website.teller import Teller
from workers.channels.website.tokens import AUDIENCE, DAY_S, VERIFIED_S, VisitorTokens
from workers.channels.website.transcript import Line
from workers.channels.website.visits import Visits
from workers.gateway import visitors as module
from workers.gateway.connection import Connection
from workers.gateway.identity import Identity
from workers.gateway.looking import Looking
from workers.gateway.visitors import LASTS_S, Visitors
from workers.gateway.watching import Watching

GUEST = Guest(SITE, Visitor("a.one"), "vi")
AT_THE_SHOP = with_site(Settings()).website.sites[0]
OTHER_KEY = "another key that signs visitors for a while"


def tab(user: str = "a.one", bytes_max: int = 100_000, cuts: list[str] | None = None) -> Tab:
    found: list[str] = [] if cuts is None else cuts
    return Tab("acme", Guest(SITE, Visitor(user)), 0, bytes_max, lambda: found.append(user))


def lines(*positions: int) -> list[Line]:
    """Every third is no affair of the visitor's."""
    conversation = conversation_id(GUEST.key)
    return [Line(conversation, each, {"position": each} if each % 3 else None) for each in positions]


async def told(one: Tab) -> list[dict[str, Any]]:
    return [orjson.loads(await one.next() or "") for _ in range(len(one._waiting))]


# Who he is


def test_an_anonymous_visitor_is_known_again_by_any_of_our_keys_and_on_his_site_alone() -> None:
    tokens = VisitorTokens([KEY], 30)
    user = tokens.draw()
    token = tokens.issue(SITE, user)
    assert VisitorTokens([OTHER_KEY, KEY], 30).read(SITE, token) == user
    assert VisitorTokens([OTHER_KEY], 30).read(SITE, token) is None
    assert tokens.read("other", token) is None
    assert tokens.draw() != user


@pytest.mark.parametrize(("user", "life_s"), [("a.one", 30 * DAY_S), ("v.one", VERIFIED_S)])
def test_a_token_of_ours_has_an_end(user: str, life_s: int) -> None:
    claims = jwt.decode(
        VisitorTokens([KEY], 30).issue(SITE, user), KEY, algorithms=["HS256"], audience="tongdai/visitor"
    )
    assert claims["exp"] - claims["iat"] == life_s
    ended = jwt.encode({**claims, "exp": 1}, KEY, algorithm="HS256")
    assert VisitorTokens([KEY], 30).read(SITE, ended) is None


def test_the_sites_server_signs_who_he_is() -> None:
    claims = {"sub": "khach:42", "exp": int(time.time()) + 60, "name": "Chị An\n"}
    assert by_token(SECRET, jwt.encode(claims, SECRET, algorithm="HS256")) == Visitor(
        "v.khach%3A42", "Chị An"
    )
    digest = hmac.digest(SECRET.encode(), b"khach:42", "sha256").hex()
    assert by_digest(SECRET, "khach:42", digest) == Visitor("v.khach%3A42")


def test_the_hash_is_the_one_that_other_chat_windows_take() -> None:
    digest = "ba91d10bdc2eb1c7f18a0aa290bef19a9578c1a4d5862676e265096ff0e4de83"
    assert by_digest("hmac_token_1", "user-42", digest) == Visitor("v.user-42")


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"sub": "42", "exp": int(time.time()) + 60}, OTHER_KEY, algorithm="HS256"),
        jwt.encode({"sub": "42", "exp": int(time.time()) - 3_600}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "42"}, SECRET, algorithm="HS256"),
        jwt.encode({"exp": int(time.time()) + 60}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "42", "exp": int(time.time()) + 60}, "", algorithm="none"),
        jwt.encode({"sub": "", "exp": int(time.time()) + 60}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "4" * 200, "exp": int(time.time()) + 60}, SECRET, algorithm="HS256"),
        "nonsense",
    ],
    ids=[
        "another key",
        "expired",
        "without an end",
        "without a name",
        "not signed",
        "empty name",
        "long name",
        "nonsense",
    ],
)
def test_what_proves_nothing_is_refused(token: str) -> None:
    with pytest.raises(NotVerifiedError):
        by_token(SECRET, token)


def proof_of(user: str, in_s: int = 60) -> dict[str, str]:
    return {"token": jwt.encode({"sub": user, "exp": int(time.time()) + in_s}, SECRET, algorithm="HS256")}


def arriving(token: str | None, proof: dict[str, str] | None) -> tuple[str, str]:
    """Who is let in with this token and this proof, and his token from then on."""
    start = SAID.validate_python({"do": "start", "token": token, "proof": proof})
    assert isinstance(start, Start)
    nobody: Any = None
    reception = Reception({}, nobody, nobody, VisitorTokens([KEY], 1), WebsiteSettings(), None)
    visitor, given = reception._visitor(AT_THE_SHOP, start)
    return visitor.user, given


def test_a_verified_visitors_token_is_good_beside_his_own_proof_alone_and_no_longer_than_a_day_after_it() -> (
    None
):
    user, token = arriving(None, proof_of("42"))
    assert user == "v.42"
    # In the life of a document the proof ends; the token does not begin anew for it.
    assert arriving(token, proof_of("42", -3_600)) == ("v.42", token)
    another = proof_of("42", -3_600)["token"][:-4] + "AAAA"
    for proof in (None, proof_of("43", -3_600), {"token": another}, {"token": "x"}):
        with pytest.raises(NotVerifiedError):
            arriving(token, proof)
    with pytest.raises(NotVerifiedError):
        arriving(None, proof_of("42", -3_600))
    ended = jwt.encode({"aud": AUDIENCE, "sub": "v.42", "site": SITE, "exp": 1}, KEY, algorithm="HS256")
    with pytest.raises(NotVerifiedError):
        arriving(ended, proof_of("42", -3_600))
    assert arriving(token, proof_of("43"))[0] == "v.43", "who proves himself is who he proves to be"


def test_a_hash_is_no_token_whatever_the_id_of_which_it_is() -> None:
    """Whoever may choose his id reads in the page how it is signed."""
    claims = jwt.encode({"sub": "42", "exp": int(time.time()) + 60}, "x" * 32, algorithm="HS256")
    id_ = claims.rpartition(".")[0]
    secret = AT_THE_SHOP.hash_secret
    assert secret is not None
    signed = hmac.digest(secret.get_secret_value().encode(), id_.encode(), "sha256")
    assert arriving(None, {"id": id_, "hash": signed.hex()})[0] == f"v.{id_}"
    with pytest.raises(NotVerifiedError):
        arriving(None, {"token": f"{id_}.{base64url_encode(signed).decode()}"})
    shop = {"site": "shop", "origins": ["https://shop.example"]}
    one = {**shop, "secret": SECRET}
    for sites in ([{**one, "hash_secret": SECRET}], [one, {**shop, "site": "b", "hash_secret": SECRET}]):
        [problem] = problems_of(Settings.model_validate({"website": {"sites": sites}}))
        assert "hash_secret" in problem.text


def test_an_anonymous_visitors_token_needs_no_proof_and_is_none() -> None:
    user, token = arriving(None, None)
    assert arriving(token, None)[0] == user
    assert arriving("nonsense", None)[0] not in {user, ""}
    assert arriving(token, proof_of("42"))[0] == "v.42"
    with pytest.raises(NotVerifiedError):
        arriving(token, proof_of("42", -3_600))


def test_without_a_secret_nobody_is_verified() -> None:
    with pytest.raises(NotVerifiedError, match="no hash_secret"):
        by_digest(None, "42", "0" * 64)
    with pytest.raises(NotVerifiedError, match="no secret"):
        by_token(None, "x")
    with pytest.raises(NotVerifiedError, match="HMAC"):
        by_digest(SECRET, "42", "0" * 64)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_no_two_ids_become_the_same_customer_and_none_an_anonymous_one(one: str, other: str) -> None:
    users = []
    for id_ in (one, other):
        try:
            digest = hmac.digest(SECRET.encode(), id_.encode(), "sha256").hex()
        except UnicodeEncodeError:
            return
        try:
            users.append(by_digest(SECRET, id_, digest).user)
        except NotVerifiedError:  # too long
            return
    assert (users[0] == users[1]) == (one == other)
    assert all(user.startswith("v.") and ":" not in user and user.isprintable() for user in users)


# What he says


def test_what_he_says_becomes_a_record_under_an_id_that_is_his_alone() -> None:
    said = Say(do="say", id="m1", text="Còn\x00 hàng?", at_ms=5)
    record = record_of(GUEST, said, Where(url="https://shop.example/a"))
    assert record.key == "web:shop:a.one"
    assert record.model_dump(exclude={"raw"}, exclude_defaults=True) == {
        "channel": "web",
        "account": SITE,
        "user": "a.one",
        "sent_at_ms": 5,
        "channel_message_id": "a.one/m1",
        "text": "Còn\ufffd hàng?",
        "language": "vi",
    }
    assert record.raw["where"]["url"] == "https://shop.example/a"
    assert "text" not in record.raw["said"]
    pressed = record_of(GUEST, Press(do="press", id="m2", title="Giá?", at_ms=5), None)
    assert pressed.model_dump(include={"text", "payload"}) == {"text": "Giá?", "payload": "Giá?"}
    seen = record_of(GUEST, Seen(do="seen", state="read", messages=(UUID(int=1),)), None)
    assert seen.model_dump(include={"state", "channel_message_ids"}) == {
        "state": "read",
        "channel_message_ids": (str(UUID(int=1)),),
    }


@pytest.mark.parametrize(
    "said",
    [
        {"do": "say", "id": "m", "text": " \n ", "at_ms": 1},
        {"do": "say", "id": "m", "text": "x" * 4_001, "at_ms": 1},
        {"do": "say", "id": "m/../n", "text": "x", "at_ms": 1},
        {"do": "say", "id": "m", "text": "x", "at_ms": -1},
        {"do": "press", "id": "m", "title": "two\nlines", "at_ms": 1},
        {"do": "say", "id": "m", "text": "x", "at_ms": 1, "shares": {"of": 4}},
        {"do": "say", "id": "answer-4", "text": "x", "at_ms": 1, "shares": {"of": 4, "phone": "0912 345"}},
        {"do": "say", "id": "answer-4", "text": "x", "at_ms": 1, "shares": {"of": 4, "email": "a@b"}},
        {"do": "say", "id": "answer-4", "text": "x", "at_ms": 1, "shares": {"of": 4, "name": "a\nb"}},
        {"do": "say", "id": "answer-4", "text": "x", "at_ms": 1, "shares": {"of": 4}, "files": ["0" * 32]},
        {"do": "seen", "state": "sent", "messages": [str(UUID(int=1))]},
        {"do": "seen", "state": "read", "messages": [str(UUID(int=1))] * 101},
        {"do": "move", "where": {"url": "javascript:alert(1)"}},
        {"do": "start", "after": -1},
        {"do": "start", "admin": True},
        {"do": "sing"},
        [],
    ],
)
def test_what_is_none_of_our_words_is_refused(said: object) -> None:
    with pytest.raises((ValidationError, KeyError)):
        SAID.validate_json(orjson.dumps(said))


def test_what_he_tells_of_himself_is_written_as_we_write_it_and_vouched_for_by_nobody() -> None:
    shares = Shares(of=4, name="Lê An", phone="+84 912.345.678")
    said = Say(do="say", id="answer-4", text="Họ tên: Lê An", at_ms=1, shares=shares)
    told = profile_of(GUEST, shares)
    assert told is not None
    assert told.model_dump(exclude={"raw"}, exclude_defaults=True) == {
        "channel": "web",
        "account": SITE,
        "user": "a.one",
        "name": "Lê An",
        "phone": "0912345678",
    }
    assert "0912" not in str(record_of(GUEST, said, None).raw), "it is in the text"
    assert profile_of(GUEST, Shares(of=4)) is None, "he would rather not"
    found = [profile_of(Guest(SITE, Visitor(user)), shares) for user in ("a.one", "a.two")]
    sent = [outgoing(Webhook("web", b"", 1), each) for each in found if each]
    assert len({header(each.headers, "ce_id") for each in sent}) == 2


@given(written())
def test_the_form_takes_the_numbers_that_are_found_in_messages(number: tuple[str, str]) -> None:
    assert taken_by_the_form(number[0]) == find_phone(number[0]) == number[1]


@given(st.text(alphabet="0123456789 .-+()84", max_size=20))
def test_the_form_takes_nothing_else_for_a_number(text: str) -> None:
    taken = taken_by_the_form(text)
    assert taken is None or find_phone(taken) == taken


def taken_by_the_form(text: str) -> str | None:
    """As the widget reads it, by its own pattern."""
    pattern = re.search(r"const PHONE = /(.+)/;", widget().source.decode())
    assert pattern is not None
    found = re.fullmatch(pattern[1], re.sub(r"[ .\-()\u00a0]", "", text))
    return found and f"0{found[1]}"


# What he is told


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=20))
async def test_each_line_is_told_once_and_in_order_however_often_and_late_it_is_read(
    reads: list[tuple[int, int]],
) -> None:
    hub = Hub(10, 10, 10, lambda _: None)
    one, late = tab(), tab()
    assert hub.add(one, "1.1.1.1")
    for number, (start, count) in enumerate(reads):
        if number == 3:
            late.position = one.position
            assert hub.add(late, "1.1.1.1")
        # Each reading begins behind the tab that has least, and may be older than what was told meanwhile.
        after = min(start, *(ask.after for ask in hub.asks([one.conversation])))
        hub.tell(one.conversation, lines(*range(after + 1, after + count + 1)))
    positions = [each["position"] for said in await told(one) for each in said["messages"]]
    assert positions == [each for each in range(1, one.position + 1) if each % 3]
    assert late.position in (0, one.position)


class Record:
    """As aiokafka gives them."""

    def __init__(self, what: str, value: object, topic: str = "messages", key: str = GUEST.key) -> None:
        self.key = key.encode()
        self.headers = headers(Kind(topic, what), id_="1", source="t", subject=key, time="now")
        self.value = value if isinstance(value, bytes) else orjson.dumps(value)


async def test_of_the_topics_only_what_concerns_a_tab_is_passed_on() -> None:
    hub, one = Hub(10, 10, 10, lambda _: None), tab()
    teller = Teller(None, hub)
    tail = Tail(Settings(), hub, teller)
    stored = Record("stored", {"any": "message"})
    await tail.take([stored])
    assert not teller._due  # nobody is here
    hub.add(one, "1.1.1.1")
    await tail.take(
        [
            Record("stored", {}, key="web:shop:a.two"),
            Record("stored", {}, key="messenger:1:a.one"),
            Record("read", {"position": 4, "agent": "lan"}),
            Record("read", b"nonsense"),
            Record("read", []),
            Record("delivery", {"state": "sent"}, "receipts"),
            Record("delivery", {"message": "m", "state": "sent", "reason": None}, "receipts"),
            Record("arrival", {"state": "read"}, "receipts"),
        ]
    )
    assert not teller._due
    assert await told(one) == [
        {"event": "read", "position": 4},
        {"event": "state", "message": "m", "state": "sent"},
    ]
    await tail.take([stored, stored])
    assert list(teller._due) == [one.conversation]


async def test_who_does_not_read_is_cut_off() -> None:
    cuts: list[str] = []
    slow = tab(bytes_max=50, cuts=cuts)
    slow.send("typing")
    assert cuts == []
    slow.send("messages", messages=["x" * 50])
    assert cuts == ["a.one"]


def test_tabs_are_counted_by_visitor_and_by_address() -> None:
    hub = Hub(4, 2, 3, lambda _: None)
    own = [tab(), tab(), tab()]
    assert [hub.add(each, "2001:db8::1") for each in own] == [True, True, False]
    assert hub.has_room("2001:db8::2")
    assert hub.add(tab("a.two"), "2001:db8::2")
    assert not hub.has_room("2001:db8::3")  # the same network
    assert hub.has_room("1.1.1.1")
    assert hub.add(tab("a.three"), "1.1.1.1")
    assert not hub.has_room("1.1.1.2")  # all that there are
    for each in own[:2]:
        hub.remove(each)
    assert (hub.count, hub.has_room("2001:db8::3"), hub.tabs(own[0].conversation)) == (2, True, ())


def test_the_script_is_small() -> None:
    script = widget()
    assert len(script._packed) < 30_000
    assert [route.path for route in script.routes()] == [
        "/widget/v1/tongdai.js",
        "/v1/website/widget.js",
        f"/widget/v1/tongdai-{script.digest[:16]}.js",
    ]


# That he is there


def watched(said: list[Sighting]) -> Presence:
    publisher: Any = None
    return Presence(said.append, Visits(None, publisher, "i1", 120))


def test_gateways_are_told_of_who_is_there_where_he_is_and_that_he_is_gone() -> None:
    said: list[Sighting] = []
    presence, one, two = watched(said), tab(), tab()
    presence.here(one)
    assert [(each.known, each.page) for each in said] == [(False, "web:shop")]  # he has never written
    said.clear()
    one.is_known = two.is_known = True
    one.where = Where(url="https://shop.example/a", title="A")
    presence.here(one)
    presence.here(two)
    presence.gone(one, 0)
    assert [(each.online, each.url) for each in said] == [
        (True, "https://shop.example/a"),
        (True, ""),
        (True, ""),
    ]
    said.clear()
    presence.types(two, 0)
    presence.types(two, 1)
    presence.gone(two, 10)
    presence.tick(0, 10 + GRACE_S / 2)
    assert [each.types for each in said] == [True]
    presence.here(one)  # a reload
    presence.tick(0, 20)
    assert all(each.online for each in said)
    presence.gone(one, 20)
    presence.tick(0, 20 + GRACE_S)
    assert not said[-1].online
    said.clear()
    for number in range(REPEAT_TICKS):
        presence.tick(number, 100)
    assert said == []


def test_who_stays_is_told_of_again_and_again() -> None:
    said: list[Sighting] = []
    presence, one = watched(said), tab()
    presence.here(one)
    for number in range(2 * REPEAT_TICKS):
        presence.tick(number, number)
    assert len(said) == 3


sightings = st.builds(
    Sighting,
    st.tuples(st.text("abc-", max_size=60), st.uuids()),
    st.text("web:", max_size=60),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "Chị An"]),
    st.sampled_from(["", "https://shop.example/", f"https://shop.example/{'á' * 979}"]),
    st.sampled_from(["", "Áo dài", "👗" * 200]),
    st.booleans(),
)


@given(st.lists(sightings, max_size=20))
def test_what_ingresses_tell_is_heard_whole_in_small_parts(said: list[Sighting]) -> None:
    texts = list(sighting.pack("i1", said))
    assert all(len(text.encode()) <= PAYLOAD_BYTES_MAX for text in texts)
    assert [one for text in texts for one in sighting.unpack(text)[1]] == said


@pytest.mark.parametrize(
    "text", ["", "[]", '["i",[1]]', '["i",[["w","x","p",1,1,"","","",0]]]', '["i",null]']
)
def test_what_is_no_sighting_is_told(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its words are
        sighting.unpack(text)


def agent(name: str = "lan") -> Connection:
    return Connection(Identity("acme", "agent", name), "", None, 10_000_000, lambda _: None)


async def heard(connection: Connection) -> list[dict[str, Any]]:
    found = []
    while connection.waiting_bytes:
        found.append(orjson.loads(await connection.next() or ""))
    return [one for one in found if one["event"].startswith("visitor")]


async def test_who_looks_or_watches_sees_the_visitor_come_move_and_go() -> None:
    looking, watching = Looking(lambda _: None), Watching()
    visitors, lan, ha, minh = Visitors(looking, watching), agent(), agent("ha"), agent("minh")
    place = "acme", UUID(int=1)
    here = Sighting(place, "web:shop:a.one", online=True, url="https://shop.example/a")
    looking.look(lan, place[1])
    watching.watch(ha, "web:shop")
    visitors.hear("i1", here, 0)
    visitors.hear("i1", here, 30)  # nothing new
    visitors.hear("i2", here, 31)
    visitors.hear("i1", here._replace(online=False), 32)  # he is still there
    visitors.hear("i2", here._replace(types=True), 33)
    for each in (lan, ha):
        assert [one["event"] for one in await heard(each)] == ["visitor", "visitor_typing"]
    visitors.tell(minh, place[1])
    visitors.tell_page(minh, "web:shop")
    visitors.tell_page(minh, "web:other")
    found = await heard(minh)
    assert [one["event"] for one in found] == ["visitor", "visitors"]
    assert found[0]["data"] == found[1]["data"]["online"][0]
    visitors.tick(31 + LASTS_S)
    assert [one["data"]["online"] for one in await heard(lan)] == [False]
    visitors.tell(minh, place[1])
    assert await heard(minh) == []


def test_how_many_visitors_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VISITORS_MAX", 10)
    visitors = Visitors(Looking(lambda _: None), Watching())
    for number in range(12):
        visitors.hear("i1", Sighting(("acme", UUID(int=number)), "web:shop:a.one", online=True), 0)
    assert len(visitors._seen) == 10
    visitors.tick(LASTS_S)
    assert not visitors._seen
