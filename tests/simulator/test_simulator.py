"""The simulated traffic is what its mix says, in the order that its ledger says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import httpx
import orjson
import pytest

from config.ingress import IngressSettings
from schemas.inbound import InboundRecord, InboundUtterance, Reaction
from schemas.receipts import Arrival
from tests.simulator.conftest import PAGES
from workers.channels.channel import Channel, Refused
from workers.channels.messenger import Messenger
from workers.channels.zalo import Zalo
from workers.local.simulator.mix import Mix
from workers.local.simulator.simulator import Simulator

ODD = Mix(receipt=0.2, unreadable=0.1, unknown_page=0.1, unknown_kind=0.1, duplicate=0.2, pair=0.2)
ONLY_MESSAGES = Mix(
    duplicate=0, pair=0, postback=0, attachment=0, receipt=0, unreadable=0, unknown_page=0, unknown_kind=0
)
"""One text message a webhook and nothing else."""


async def others_first() -> None:
    """Return once every task that can go on has done so."""
    loop = asyncio.get_running_loop()
    gone_on = loop.create_future()
    loop.call_soon(gone_on.set_result, None)
    await gone_on


class Ingress:
    """Verifies and normalises as the ingress does, keeping what it took; fails when it is told to."""

    def __init__(self, apps: IngressSettings, fail_every: int = 0) -> None:
        self._channels: dict[str, Channel] = {
            "messenger": Messenger(apps.messenger_apps),
            "zalo": Zalo(apps.zalo_apps),
        }
        self._fail_every = fail_every
        self._requests = 0
        self.records: list[InboundRecord] = []
        self.refusals: list[Refused] = []
        self.at_once = self.at_once_max = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await others_first()
        self.at_once -= 1
        self._requests += 1
        if self._fail_every and self._requests % self._fail_every == 0:
            return httpx.Response(503)
        channel = self._channels[request.url.path.rpartition("/")[2]]
        for item in channel.items(channel.open(request.headers, request.content)):
            if isinstance(item, InboundRecord):
                self.records.append(item)
            elif isinstance(item, Refused):
                self.refusals.append(item)
        return httpx.Response(200)

    def messages(self) -> dict[str, list[str]]:
        """Ids by conversation of those pages that are known, in order, each once."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for record in self.records:
            if isinstance(record, InboundUtterance) and record.page in PAGES:
                found[record.key][record.channel_message_id] = None
        return {key: list(ids) for key, ids in found.items()}


def simulator(apps: IngressSettings, ingress: Ingress, **options: Any) -> Simulator:  # noqa: ANN401
    defaults: dict[str, Any] = {"rate_per_s": 100_000, "retry_delays_s": (0,) * 50, "run": "r"}
    transport = httpx.MockTransport(ingress)
    return Simulator("http://ingress", apps, PAGES, transport=transport, **{**defaults, **options})


async def test_the_ledger_says_what_was_taken_in_its_order(apps: IngressSettings) -> None:
    ingress = Ingress(apps, fail_every=5)
    ledger = await simulator(apps, ingress, mix=ODD).run(messages=600)
    summary = ledger.summary()
    assert 600 <= summary["posted"] <= 601
    assert summary["accepted"] == summary["posted"]
    assert ledger.accepted_by_conversation() == ingress.messages()
    assert set(ledger.accepted) == set(PAGES)
    assert (summary["refused"], summary["given_up"]) == (0, 0)
    assert summary["retries"] == ledger.answers["503"] > 0
    refusals = sorted(refusal.reason for refusal in ingress.refusals)
    assert refusals.count("unreadable") == summary["unreadable"] > 20
    assert refusals.count("unknown_event") == summary["unknown_kind"] > 20
    assert (
        sum(isinstance(record, Arrival | Reaction) for record in ingress.records) == summary["receipts"] > 60
    )
    strangers = [record for record in ingress.records if record.page not in PAGES]
    assert len(strangers) == summary["unknown_page"] > 20
    utterances = sum(isinstance(record, InboundUtterance) for record in ingress.records)
    assert utterances - len(strangers) == summary["accepted"] + summary["duplicates_posted"]
    assert summary["duplicates_posted"] > 60


async def test_one_message_in_ten_is_somebodys_first(apps: IngressSettings) -> None:
    ingress = Ingress(apps)
    # One at a time: else some are new only because everybody else is waiting.
    await simulator(apps, ingress, mix=ONLY_MESSAGES, concurrency=1).run(messages=2_000)
    assert 130 <= len(ingress.messages()) <= 270


async def test_requests_at_once_have_a_limit(apps: IngressSettings) -> None:
    ingress = Ingress(apps)
    await simulator(apps, ingress, concurrency=3).run(messages=200)
    assert 2 <= ingress.at_once_max <= 3


async def test_a_customer_waits_until_his_last_message_was_taken(apps: IngressSettings) -> None:
    writing: set[str] = set()

    async def answer(request: httpx.Request) -> httpx.Response:
        event = orjson.loads(request.content)["entry"][0]["messaging"][0]
        user = event["sender"]["id"]
        assert user not in writing
        writing.add(user)
        await others_first()
        writing.remove(user)
        return httpx.Response(200)

    transport = httpx.MockTransport(answer)
    play = Simulator(
        "http://ingress", apps, PAGES[:1], rate_per_s=100_000, mix=ONLY_MESSAGES, transport=transport
    )
    assert (await play.run(messages=500)).count_accepted() == 500


async def test_two_runs_never_share_an_id(apps: IngressSettings) -> None:
    ledgers = [await simulator(apps, Ingress(apps), run=run).run(messages=50) for run in (None, None)]
    first, second = ({sent.id for page in ledger.posted.values() for sent in page} for ledger in ledgers)
    assert not first & second


async def test_it_ends_by_its_time_or_when_it_is_told(apps: IngressSettings) -> None:
    assert (await simulator(apps, Ingress(apps), rate_per_s=0.001).run(seconds=0.05)).count_posted() == 0
    play = simulator(apps, Ingress(apps), rate_per_s=0.001)
    running = asyncio.create_task(play.run())
    play.stop()
    assert (await asyncio.wait_for(running, 5)).count_posted() == 0


@pytest.mark.parametrize(
    ("pages", "problem"), [((), "at least one page"), (("web:1",), "page web:1: no app")]
)
def test_a_page_needs_an_app(apps: IngressSettings, pages: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Simulator("http://ingress", apps, pages)
