"""What takes several steps, killed in the middle: a command was sent, and its outcome is not known yet."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from faults.book import Book
from faults.campaign import check, ready
from faults.crowd import settle
from faults.ending import left, quiet
from faults.fleet import Worker
from faults.ground import PREFIX, Ground, ground
from faults.stream import Planned
from faults.town import AGENTS, CONTESTED
from schemas.ids import conversation_id, conversation_key
from tests.faults.player import Player, playing
from tests.waiting import eventually
from workers.local.simulator.agents.act import Answer

TEAM = AGENTS[1:5]
DEADLINE_S = 90.0
ONLINE = "SELECT count(*) FROM desk_presence WHERE presence = 'online'"
HOLDER = "SELECT holder FROM desk_conversation WHERE conversation_id = $1"
A_BACKEND = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tongdai %' ORDER BY pid LIMIT 1"

Conversations = dict[str, str]
Asked = dict[tuple[str, str], asyncio.Task[Answer]]
"""What is under way: by flow and agent."""


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_each_flow_has_one_outcome_whatever_is_killed_in_its_middle(server_dir: Path) -> None:
    async with ground(server_dir, quick=True) as made:
        await started(made)
        book, urls = Book(server_dir / "agents.jsonl"), list(made.gateways.values())
        async with playing(urls, TEAM, book) as team:

            async def all_online() -> bool:
                return bool(await value(made, ONLINE) == len(TEAM))

            await eventually(all_online, "the team is online")
            for victim, kill in VICTIMS.items():
                conversations = await prepared(made, team, victim)
                asked = await killed_in_the_middle(made, book, team, conversations, kill)
                await concluded(made, team, conversations, asked)
        await left(made)
        await quiet(made)
        await settle(urls, TEAM, book, await made.ends("notifications"))
        await made.stop_gateways()
        await quiet(made)
        await made.fleet.stop_all()
        report = await check(made)
    wrong = [f"{found['title']}: {found['witness']}" for found in report["checks"] if found["holds"] is False]
    assert wrong == []
    assert book.repeats > 0
    assert book.resets == 0
    assert all(player.connections > 1 for player in team)


async def started(ground: Ground) -> None:
    """Everything that is needed once, and gateways twice."""
    ground.fleet.start("routing", 1)
    ground.fleet.start("notifier", 1)
    ground.start_gateways()
    ground.fleet.keep()
    await ground.configure()
    await ready(ground)


async def prepared(ground: Ground, team: Sequence[Player], victim: str) -> Conversations:
    """Five conversations: two are offered to all, one is held, two are about to be handed over."""
    an, binh, chi, _ = team
    found = await customers_write(ground, victim, ("race", "replies", "transfer", "accept", "reject"))
    await asyncio.gather(*(one.until("offered", each) for one in team for each in found.values()))
    held = [found[flow] for flow in ("transfer", "accept", "reject")]
    assert codes(await asyncio.gather(*(an.ask("claim", each) for each in held))) == ["done"] * 3
    transfers = (
        an.ask("transfer", found["accept"], to_agent=binh.agent),
        an.ask("transfer", found["reject"], to_agent=chi.agent),
    )
    assert codes(await asyncio.gather(*transfers)) == ["done"] * 2
    await asyncio.gather(
        binh.until("transfer_offered", found["accept"]), chi.until("transfer_offered", found["reject"])
    )
    return found


async def killed_in_the_middle(
    ground: Ground, book: Book, team: Sequence[Player], conversations: Conversations, kill: Kill
) -> Asked:
    """All flows go on at once while nobody decides; when their commands lie on Kafka, somebody is killed."""
    an, binh, chi, dung = team
    (routing,) = ground.fleet.of("routing")
    routing.signal(signal.SIGSTOP)
    before = await ground.lag()
    of = conversations
    asked = {("race", one.agent): one.ask("claim", of["race"]) for one in team}
    asked |= {("replies", one.agent): one.ask("say", of["replies"], text="Dạ em đây") for one in (binh, chi)}
    asked["transfer", an.agent] = an.ask("transfer", of["transfer"], to_agent=dung.agent)
    asked["accept", binh.agent] = binh.ask("transfer_accept", of["accept"])
    asked["reject", chi.agent] = chi.ask("transfer_reject", of["reject"])
    tasks = {place: asyncio.create_task(asking) for place, asking in asked.items()}
    await until_waiting(ground, before, commands=len(tasks) - 2, actions=2)
    assert not any(task.done() for task in tasks.values())
    await kill(ground, book)
    routing.signal(signal.SIGCONT)
    return tasks


async def concluded(
    ground: Ground, team: Sequence[Player], conversations: Conversations, asked: Asked
) -> None:
    """Everybody knows his one outcome, which fits how things are, and the flows go on to their ends."""
    an, binh, _, dung = team
    answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    for flow in ("race", "replies"):
        raced = {agent: answer for (of, agent), answer in answers.items() if of == flow}
        holder = await value(ground, HOLDER, conversations[flow])
        assert [agent for agent, answer in raced.items() if answer.code == "done"] == [holder], raced
        losers = [answer for answer in raced.values() if answer.code != "done"]
        assert {(one.code, one.body["details"]["winner"]) for one in losers} == {("taken", holder)}
    assert codes([answers[flow] for flow in answers if flow[0] not in {"race", "replies"}]) == ["done"] * 3
    await dung.until("transfer_offered", conversations["transfer"])
    taken = await dung.ask("transfer_accept", conversations["transfer"])
    # On a slow machine it runs out, or his gateway counts as lost, while the broker recovers.
    assert taken.code in {"done", "expired"}
    await asyncio.gather(
        binh.until("assigned", conversations["accept"]),
        an.until("transfer_ended", conversations["reject"]),
    )
    holders = {
        flow: await value(ground, HOLDER, conversations[flow]) for flow in ("transfer", "accept", "reject")
    }
    last = dung if taken.code == "done" else an
    assert holders == {"transfer": last.agent, "accept": binh.agent, "reject": an.agent}


async def kill_gateway(ground: Ground, book: Book) -> None:
    """The one at which most wait."""
    busiest = max(ground.gateways, key=lambda name: book.waiting_at(ground.gateways[name]))
    await killed(ground.fleet.workers[busiest])


async def kill_routing(ground: Ground, _: Book) -> None:
    await killed(ground.fleet.workers["routing-1"])


async def kill_postgres(ground: Ground, _: Book) -> None:
    """One of its processes, at which it gives up all of them and recovers from its log."""
    os.kill(await value(ground, A_BACKEND), signal.SIGKILL)


async def kill_broker(ground: Ground, _: Book) -> None:
    await ground.kafka.kill()
    await ground.kafka.start()


Kill = Callable[[Ground, Book], Awaitable[None]]
VICTIMS: dict[str, Kill] = {
    "gateway": kill_gateway,
    "postgres": kill_postgres,
    "routing": kill_routing,
    "broker": kill_broker,
}


async def killed(worker: Worker) -> None:
    """It is started again by its keeper."""
    pid = worker.pid
    worker.signal(signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        while not worker.alive or worker.pid == pid:
            await asyncio.sleep(0.02)


async def customers_write(ground: Ground, victim: str, flows: Sequence[str]) -> Conversations:
    """One customer for each flow; returns their conversations."""
    channel, account = CONTESTED.split(":")
    found = {}
    async with AIOKafkaProducer(bootstrap_servers=ground.servers, acks="all") as producer:
        for flow in flows:
            user = f"{victim}-{flow}"
            key = conversation_key(channel, account, user)
            said = {"channel": channel, "account": account, "user": user, "text": "Shop ơi"}
            value = orjson.dumps(said | {"channel_message_id": user, "sent_at_ms": 1_795_000_000_000})
            planned = Planned("message", key, user, value, "tongdai.inbound.message.v1")
            await producer.send_and_wait(
                f"{PREFIX}.inbound.v1", value, key=key.encode(), headers=planned.headers
            )
            found[flow] = str(conversation_id(key))
    return found


async def until_waiting(ground: Ground, before: dict[str, int], *, commands: int, actions: int) -> None:
    """Wait until so many more records wait for desk and intake."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            lag = await ground.lag()
            if lag["desk"] >= before["desk"] + commands and lag["intake"] >= before["intake"] + actions:
                return


async def value(ground: Ground, query: str, *arguments: object) -> Any:  # noqa: ANN401 - of any column
    """The one value that Postgres answers; waits while it recovers."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                connection = await asyncpg.connect(ground.dsn)
                try:
                    return await connection.fetchval(query, *arguments)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)


def codes(answers: Sequence[Answer]) -> list[str]:
    return [answer.code for answer in answers]
