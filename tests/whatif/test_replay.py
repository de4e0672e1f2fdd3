"""A desk lives through its recorded log again: the same under the same rules, and otherwise under others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from schemas.asks import Claim, Release, SetLeave, SetPresence
from schemas.assignments import Assigned, ChainEvent, Unassigned
from schemas.commands import Amend, Command, Configure
from schemas.definitions import Agent
from schemas.envelope import moment
from schemas.ids import conversation_id
from schemas.outcomes import Outcome
from tests.desk.flows import rule_with
from tests.desk.log import DESK, WORKSPACE, a_rule, an_agent, configure, key_of, route, session_ended
from tests.desk.world import World
from workers.routing.desk import leaving
from workers.routing.desk.handler import DeskHandler
from workers.runtime.batch import Record
from workers.whatif.comparison import Comparison, rows
from workers.whatif.recording import Recording
from workers.whatif.replay import OtherRulesRefusedError, Recorded, Replay
from workers.whatif.whatif import WhatIf
from workers.workspace.workspace import DeskRoster

AGENTS = ("an", "binh", "chi")
BEGAN_MS = 1_763_800_000_000
STEP_MS = 7_000


def roster(*agents: str, capacity: int | None = None, **options: object) -> DeskRoster:
    """The usual desk with a rule that deals to these."""
    wanted = configure(
        [*(an_agent(agent, capacity) for agent in AGENTS), "chu"], [rule_with(*agents, **options)]
    )
    return DeskRoster(DESK, wanted.agents, wanted.departments, wanted.pages, wanted.rules, wanted.policy)


def asked(model: type[Command], user: str, by: str, number: int) -> Command:
    """What an agent asks."""
    key = key_of(user)
    named = {"conversation": conversation_id(key), "key": key, "by": by, "actor": f"agent:{WORKSPACE}/{by}"}
    said = {"workspace": WORKSPACE, "desk": DESK, "idempotency_key": f"k{number}", **named}
    return model.model_validate(said)


def history(count: int) -> Iterator[Command]:
    """A day at work: customers write and fall silent, agents come, go, claim and give back; rules change."""
    chance = Random(11)
    sessions: Counter[str] = Counter()
    open_: set[str] = set()
    first = a_rule(*AGENTS)
    second = rule_with(
        "an", "binh", method="self_claim", offer_timeout_s=30, next_rings=[{"agents": ["chi"]}]
    )
    yield configure([an_agent("an", 3), an_agent("binh", 4), "chi", "chu"], [first])
    for number in range(count):
        if number == count // 3:
            people: list[Agent | str] = [an_agent("an", 2), "binh", "chi", "chu"]
            yield configure(people, [second], idempotency_key="second")
        user = f"u{chance.randrange(250)}"
        match chance.randrange(10):
            case 0:
                named = {"workspace": WORKSPACE, "desk": DESK, "gateway": "g"}
                presence = chance.choice(("online", "away", "offline"))
                yield SetPresence(agent=chance.choice(AGENTS), presence=presence, **named)
            case 1 | 2 if open_:
                known = chance.choice(sorted(open_))
                yield asked(chance.choice((Claim, Release)), known, chance.choice(AGENTS), number)
            case 3 | 4 | 5 if user in open_:
                open_.discard(user)
                yield session_ended(user, sessions[user])
            case _:
                opens = user not in open_
                sessions[user] += opens
                open_.add(user)
                yield route(user, sessions[user], opens_session=opens)


async def live(world: World, commands: Iterator[Command]) -> list[Record]:
    """Let the desk's handler decide, with restarts, and with the timers that Postgres says are due."""
    records: list[Record] = []
    at_ms = BEGAN_MS
    for number, command in enumerate(commands):
        at_ms += STEP_MS
        batch = [world.record(command, at_ms=at_ms)]
        for due in await world.handler.due_timers(world.connection, range(6), at_ms, 100):
            kind, value = due.kind, due.value
            batch.append(world.record(value, kind=kind, key=due.key.decode(), at_ms=at_ms + 3))
        await world.handle(*batch)
        records += batch
        if number % 50 == 0:
            world.handler = DeskHandler(6, cached_conversations=3)
    return records


def recorded(records: list[Record]) -> list[Recorded]:
    """The commands of a log."""
    recording = Recording(WORKSPACE, DESK)
    return [one for record in records if (one := recording.of(record)) is not None]


def told(event: ChainEvent) -> dict[str, object]:
    """All that an event says, but for the ids of events."""
    return event.model_dump(exclude={"previous"})


@pytest.mark.servers
async def test_under_the_same_rules_every_event_of_a_real_log_comes_again(world: World) -> None:
    records = await live(world, history(600))
    replay = Replay(WORKSPACE, DESK)
    events = [event for one in recorded(records) for event in replay.live(one)]
    keys = {event.key for event in events if isinstance(event, ChainEvent)}
    assert sum(isinstance(event, Assigned) for event in events) > 100
    assert {event.why.method for event in events if isinstance(event, Assigned)} >= {"round_robin", "claim"}
    for key in keys:
        mine = [event for event in events if isinstance(event, ChainEvent) and event.key == key]
        assert [told(one) for one in mine] == [told(one) for one in world.chain(key)]
    outcomes = sum(event.topic == "outcomes" for event in world.published)
    assert sum(isinstance(event, Outcome) for event in events) == outcomes > 20


def log(*commands: Command, step_s: int = 60) -> list[Recorded]:
    """A log of these."""
    began = moment(BEGAN_MS)
    return [
        Recorded(1, number, began + timedelta(seconds=step_s * number), command)
        for number, command in enumerate(commands)
    ]


def compared(recorded: list[Recorded], other: DeskRoster, since: int = 0) -> Comparison:
    """Both lives, from one of the commands on."""
    both = WhatIf(WORKSPACE, other, recorded[since].at, {})
    for one in recorded:
        both.take(one)
    return both.compare()


def as_configured(roster: DeskRoster) -> Configure:
    """The command that makes the desk so."""
    return configure(roster.agents, roster.rules, idempotency_key="now")


def test_two_agents_instead_of_one_halve_the_load_and_end_the_waiting() -> None:
    one = roster("an", capacity=2)
    commands = log(as_configured(one), *(route(f"u{number}") for number in range(4)), session_ended("u0"))
    comparison = compared(commands, roster("an", "binh", capacity=2), since=1)
    assert comparison.happened.given == {"an": 3}
    assert comparison.happened.waiting == 1
    assert comparison.happened.wait_max_s == pytest.approx(2 * 60)
    assert comparison.otherwise.given == {"an": 2, "binh": 2}
    assert (comparison.otherwise.waiting, comparison.otherwise.waited) == (0, 0)
    assert comparison.otherwise.peak == {"an": 2, "binh": 2}
    assert comparison.moved == 1
    assert ("given to binh", "0", "2") in set(rows(comparison))


def test_what_runs_out_under_other_rules_does_so_when_it_is_due() -> None:
    offered = roster("an", method="self_claim", offer_timeout_s=30, next_rings=({"agents": ("chi",)},))
    commands = log(as_configured(roster("an")), route("lan"), asked(Claim, "lan", "chi", 1))
    comparison = compared(commands, offered)
    assert comparison.happened.by_method == {"round_robin": 1}
    assert comparison.otherwise.by_method == {"claim": 1}, "the ring of chi was not asked in time"


def test_rules_recorded_later_do_not_undo_those_that_are_tried() -> None:
    commands = log(
        as_configured(roster("an")),
        route("lan"),
        configure([*AGENTS, "chu"], [a_rule("binh")], idempotency_key="later"),
        route("hoa"),
        Amend(
            workspace=WORKSPACE,
            desk=DESK,
            actor="cli:me",
            idempotency_key="part",
            version=len((*AGENTS, "chu", "the page")) + 2,
            rules=(a_rule("chi", id_="another"),),
            before="chia-deu",
        ),
        route("mai"),
    )
    comparison = compared(commands, roster("chi"), since=1)
    assert comparison.happened.given == {"an": 1, "binh": 1, "chi": 1}
    assert comparison.otherwise.given == {"chi": 3}


def test_before_their_time_other_rules_change_nothing() -> None:
    commands = log(as_configured(roster("an")), route("lan"), route("hoa"))
    comparison = compared(commands, roster("chi"), since=2)
    assert comparison.happened.given == {"an": 1}
    assert comparison.otherwise.given == {"chi": 1}


def test_rules_that_the_desk_would_refuse_are_refused() -> None:
    commands = log(as_configured(roster("an")))
    with pytest.raises(OtherRulesRefusedError, match="nobody"):
        compared(commands, roster("nobody"))


def test_a_leave_that_is_more_than_one_decision_goes_on_at_once_under_other_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaving, "PART", 2)
    leave = {"actor": "cli:me", "authority": "admin", "idempotency_key": "leave", "agent": "an"}
    commands = [
        configure([*AGENTS, "chu"], [rule_with("binh")]),
        *(route(f"u{number}") for number in range(5)),
        SetLeave.model_validate({"workspace": WORKSPACE, "desk": DESK, "on_leave": True, **leave}),
    ]
    replay = Replay(WORKSPACE, DESK, other=roster("an"))
    for offset, command in enumerate(commands):
        events = replay.live(Recorded(0, offset, moment(BEGAN_MS + offset), command))
    assert sum(isinstance(event, Unassigned) for event in events) == 5
    assert {one.holder for one in replay.desk.conversations.values()} == {None}
