"""Simulated agents: what they choose, what they keep in mind, and how they get every answer in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.asks import SetCare, Transfer
from schemas.definitions import Policy
from workers.gateway.calls import CONVERSATION_CALLS
from workers.local.simulator.agents.account import API, PATHS, Account, KeptOutError
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.agent import Agent
from workers.local.simulator.agents.choice import CARES, OTHERS, Company, choose
from workers.local.simulator.agents.doors import Doors
from workers.local.simulator.agents.errand import Errands
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import AgentLedger
from workers.local.simulator.agents.workplace import HELD_MAX, Held, Workplace
from workers.routing.desk.care import by_hand

SOON_S = 90.0
PAGE = "zalo:1"
COMPANY = Company(
    colleagues=("lan", "minh"), admins={PAGE: ("ha",)}, departments=("ban-hang",), reasons=("gia-cao",)
)
GATEWAYS = ("http://gateway-1", "http://gateway-2")
CLAIM = Act("claim", "c1", {})
LAN = ("agent:hoa-sen/lan", "run-1")
HELD = st.builds(
    Held,
    page=st.sampled_from((PAGE, "zalo:2")),
    care=st.sampled_from(sorted(CARES)),
    waits=st.booleans(),
    answered=st.booleans(),
    transferring=st.booleans(),
    session_open=st.booleans(),
    position=st.integers(0, 9),
)


@given(
    held=st.dictionaries(st.sampled_from("abcd"), HELD),
    asked=st.dictionaries(st.sampled_from("xyz"), st.none()),
    random=st.randoms(use_true_random=False),
)
def test_they_choose_what_is_theirs_to_do_in_words_of_the_gateway(
    held: dict[str, Held], asked: dict[str, None], random: Random
) -> None:
    place = Workplace(held=held, asked=asked)
    act = choose(place, COMPANY, Habits(), random)
    if act is None:
        assert not asked
        return
    assert act.conversation in (asked or held)
    CONVERSATION_CALLS[act.call].body.model_validate(act.body)  # type: ignore[index]
    if act.call == "set_care":
        assert act.body["care"] in by_hand(held[act.conversation].care, Policy())  # type: ignore[arg-type]
        assert {"refused": "reason", "done": "outcome"}.get(act.body["care"], "care") in act.body
    if act.call == "write_note":
        assert (held[act.conversation].page, act.body["mentions"]) == (PAGE, ["ha"])
    if act.call == "transfer":
        assert not held[act.conversation].transferring
        assert len(act.body) == 1


def test_the_paths_are_the_gateways() -> None:
    assert {call: CONVERSATION_CALLS[call].path for call in PATHS} == PATHS  # type: ignore[index]
    assert set(OTHERS) <= set(PATHS)
    assert {"care", "reason", "outcome"} <= SetCare.model_fields.keys()
    assert {"to_agent", "to_department"} <= Transfer.model_fields.keys()


def _notice(conversation: str, **more: object) -> dict[str, Any]:
    return {"conversation": conversation, "agent": "lan", **more}


def test_they_know_what_they_were_told() -> None:
    place = Workplace()
    place.see("offered", _notice("c1"))
    place.see("offered", _notice("c2"))
    place.see("withdrawn", _notice("c2", holder="minh"))
    assert place.offered == {"c1"}
    place.see("assigned", _notice("c1", page=PAGE, message={"position": 3}))
    place.learn(Act("say", "c1", {}), Answer(200, {}))
    assert place.held["c1"] == Held(page=PAGE, waits=False, answered=True, position=3)
    place.see("message", _notice("c1", message={"position": 5}))
    place.see("message", _notice("c9", message={"position": 1}))  # he follows it, and does not hold it
    assert place.held == {"c1": Held(page=PAGE, waits=True, answered=True, position=5)}
    place.see("transfer_offered", _notice("c3"))
    place.learn(Act("transfer_reject", "c3", {}), Answer(200, {}))
    assert not place.asked
    place.learn(Act("transfer", "c1", {}), Answer(200, {}))
    assert [held.transferring for held in place.held.values()] == [True]
    place.see("transfer_ended", _notice("c1", holder="lan", how="rejected"))
    assert [held.transferring for held in place.held.values()] == [False]
    place.see("transfer_ended", _notice("c1", holder="minh", how="accepted"))
    assert not place.held
    place.see("something_new", {})


def _refused(code: str, **details: str) -> Answer:
    return Answer(409, {"code": code, "details": {"command": "say", **details}})


@pytest.mark.parametrize(
    ("act", "answer", "left"),
    [
        (Act("say", "c1", {}), _refused("not_holder"), None),
        (Act("say", "c1", {}), Answer(403, {"code": "forbidden", "details": {}}), Held()),
        (Act("set_care", "c1", {"care": "refused"}), Answer(200, {}), None),
        (Act("set_care", "c1", {"care": "closed_won"}), Answer(200, {}), Held(care="closed_won")),
        (Act("set_care", "c1", {"care": "done"}), _refused("bad_transition", care="accepted"), Held()),
        (Act("end_session", "c1", {}), Answer(200, {}), Held(waits=False, session_open=False)),
    ],
)
def test_they_learn_from_what_became_of_what_they_did(act: Act, answer: Answer, left: Held | None) -> None:
    place = Workplace(held={"c1": Held()})
    place.learn(act, answer)
    assert place.held.get("c1") == left


def test_they_keep_so_many_in_mind_and_no_more() -> None:
    place = Workplace()
    for number in range(HELD_MAX + 1):
        place.see("assigned", _notice(f"c{number}", message=None))
    assert len(place.held) == HELD_MAX
    assert "c0" not in place.held


class Gateway:
    """Answers commands as it was told to, one after the other, and remembers them."""

    def __init__(self, *answers: int | Answer) -> None:
        self.keys: list[str] = []
        self.hosts: list[str] = []
        self.looked_up: list[str] = []
        self.signed_in = 0
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == f"{API}/sign-in":
            self.signed_in += 1
            grant = {"access_token": "a", "refresh_token": "r", "expires_in_s": 600}
            return httpx.Response(200, content=orjson.dumps(grant))
        self.hosts.append(request.url.host)
        if request.method == "GET":
            self.looked_up.append(request.url.path.removeprefix(f"{API}/outcomes/"))
        else:
            self.keys.append(request.headers["idempotency-key"])
        answer = self._answers.pop(0)
        if answer == 0:
            raise httpx.ConnectError("nobody is there")
        found = answer if isinstance(answer, Answer) else Answer(answer, {})
        return httpx.Response(found.status, content=orjson.dumps(dict(found.body)))


def _client(answers: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answers))


async def _run(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, **habits: float) -> AgentLedger:
    monkeypatch.setattr("workers.local.simulator.agents.errand.RETRY_DELAYS_S", (0.0,) * 5)
    ledger, own = AgentLedger(), Habits(**{"again": 0.0, **habits})  # type: ignore[arg-type]
    async with _client(gateway) as http:
        account = Account(http, Doors(GATEWAYS), "hoa-sen", "lan", "hoa sen demo")
        await Errands(account, ledger, own, Random(1), "run").run(CLAIM)
    return ledger


async def test_the_same_command_is_sent_until_its_outcome_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Answer(409, {"code": "taken", "details": {"command": "claim", "winner": "minh"}})
    gateway = Gateway(0, 202, 401, taken)
    ledger = await _run(gateway, monkeypatch)
    assert gateway.keys == ["run-1"] * 4
    assert gateway.signed_in == 2
    assert ledger.told == {LAN: "taken"}
    assert ledger.unanswered == 0


async def test_who_does_not_trust_his_network_repeats_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(200, 200)
    ledger = await _run(gateway, monkeypatch, again=1.0)
    assert gateway.keys == ["run-1"] * 2
    assert ledger.told == {LAN: "done"}


async def test_what_the_gateway_refuses_itself_and_what_stays_unknown_is_no_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forbidden = Answer(403, {"code": "forbidden", "details": {}})
    assert (await _run(Gateway(forbidden), monkeypatch)).turned_away == {LAN: "forbidden"}
    ledger = await _run(Gateway(503, 503, 503, 503, 503), monkeypatch)
    assert (ledger.unanswered, ledger.told) == (1, {})


async def test_who_loses_a_gateway_asks_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(0, 200)
    assert (await _run(gateway, monkeypatch)).told == {LAN: "done"}
    assert gateway.hosts == ["gateway-1", "gateway-2"]


async def test_who_may_not_do_it_any_more_asks_what_became_of_it_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forbidden, unknown = (Answer(status, {"code": "x", "details": {}}) for status in (403, 404))
    taken = Gateway(0, forbidden, unknown, 0, _refused("not_holder"))
    ledger = await _run(taken, monkeypatch)
    assert (ledger.told, ledger.turned_away) == ({LAN: "not_holder"}, {})
    assert taken.looked_up == ["run-1"] * 3
    never = Gateway(0, forbidden, *[unknown] * 5)
    ledger = await _run(never, monkeypatch)
    assert (ledger.told, ledger.turned_away) == ({}, {LAN: "x"})


async def test_who_is_not_known_is_kept_out() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, content=orjson.dumps({"detail": "no such account"}))

    async with _client(refuse) as http:
        with pytest.raises(KeptOutError, match="lan cannot sign in: no such account"):
            await Account(http, Doors(GATEWAYS), "hoa-sen", "lan", "something else").token()


class Silence:
    """A gateway that lets him in, offers him one conversation, and answers nothing."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.url = GATEWAYS[0]
        self.is_signed_out = False

    async def sign_in(self, token: str, last_event_id: str | None) -> None:
        """Nothing is said to that."""

    async def listen(self, hear: Callable[[str, str, dict[str, Any]], None]) -> None:
        hear("offered", "1", _notice("c1"))
        await asyncio.Event().wait()

    async def call(self, act: Act, key: str, timeout_s: float) -> Answer:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_who_is_called_off_waits_for_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = Silence()

    @asynccontextmanager
    async def open_link(url: str) -> AsyncIterator[Silence]:
        yield silence

    monkeypatch.setattr("workers.local.simulator.agents.agent.open_link", open_link)
    monkeypatch.setattr("workers.local.simulator.agents.agent.COMES_WITHIN_S", 0.0)
    habits = Habits(claim=1.0, over_http=0.0, lost=0.0, away=0.0, reaction_s=(0.0, 0.0))
    async with _client(Gateway()) as http, asyncio.timeout(SOON_S):
        account = Account(http, Doors(GATEWAYS), "hoa-sen", "lan", "hoa sen demo")
        agent = Agent(account, COMPANY, habits, AgentLedger(), "1")
        working = asyncio.create_task(agent.run(asyncio.Event(), lambda: None))
        await silence.asked.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


def test_a_share_is_from_0_to_1() -> None:
    with pytest.raises(ValueError, match=r"claim is 1.5"):
        Habits(claim=1.5)
