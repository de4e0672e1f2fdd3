"""What one desk is given to decide on: its roster, and commands as intake and agents send them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.asks import Claim
from schemas.assignments import Cause
from schemas.commands import Command, Configure, Route, SessionEnded
from schemas.definitions import Agent, Method, Page, Rule
from schemas.envelope import moment
from schemas.ids import DEFAULT_DESK, conversation_id, event_ids
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import Place
from workers.routing.desk.desk import Desk

WORKSPACE = "bench"
PAGE = "zalo:100"
BEGIN_MS = 1_763_800_000_000
HELD = 5_000
"""Sessions that are open with agents whose capacity is used up."""
WAITING = 10_000
_OPENED = {"position": 1, "session": 1, "page": PAGE, "channel": "zalo", "opens_session": True}


class Work(NamedTuple):
    """Commands that build a desk up, and those that are measured on it."""

    agents: int
    name: str
    before: Sequence[Command]
    measured: Sequence[Command]

    def desk(self) -> Desk:
        """The desk on which it begins."""
        desk = Desk(WORKSPACE, DEFAULT_DESK)
        for offset, command in enumerate(self.before):
            carry_out(desk, command, place(offset))
        return desk


def works(agents: int) -> list[Work]:
    """What a desk with so many agents is measured with."""
    return [assigning(agents), draining(agents), claiming(agents), losing(agents)]


def assigning(agents: int) -> Work:
    """Every command opens a session and is given to an agent."""
    return Work(agents, "new conversations", [_configure(agents)], _routes(WAITING))


def draining(agents: int) -> Work:
    """Every command closes a session and gives the oldest of those who wait to its agent."""
    before = [_configure(agents, capacity=HELD // agents), *_routes(HELD // agents * agents + WAITING)]
    ended = [_session_ended(number) for number in range(HELD // agents * agents)]
    return Work(agents, f"sessions end, {WAITING:,} wait", before, ended)


def claiming(agents: int) -> Work:
    """Every command has a conversation that is offered to all agents."""
    before = [_configure(agents, method="self_claim"), *_routes(WAITING)]
    claims = [_claim(number, number % agents, number) for number in range(WAITING)]
    return Work(agents, "claims that win", before, claims)


def losing(agents: int) -> Work:
    """Every command wants the conversation that somebody has had first."""
    before = [_configure(agents, method="self_claim"), *_routes(1), _claim(0, 0, WAITING)]
    claims = [_claim(0, 1 + number % (agents - 1), number) for number in range(WAITING)]
    return Work(agents, "claims that come too late", before, claims)


def place(offset: int) -> Place:
    """The place of the record at `offset`, a millisecond after the one before."""
    ids = event_ids("commands", 0, offset, "desk")
    return Place(moment(BEGIN_MS + offset), Cause(partition=0, offset=offset), ids)


def _configure(agents: int, *, capacity: int | None = None, method: Method = "round_robin") -> Configure:
    ids = tuple(f"a{number}" for number in range(agents))
    return Configure(
        workspace=WORKSPACE,
        desk=DEFAULT_DESK,
        actor="cli:bench",
        idempotency_key="roster",
        agents=tuple(Agent(id=id_, name=id_, capacity=capacity) for id_ in ids),
        departments=(),
        pages=(Page(id=PAGE, name=PAGE, admins=("a0",)),),
        rules=(Rule(id="all", name="All", owner="a0", pages=(PAGE,), agents=ids, method=method),),
    )


def _routes(count: int) -> list[Command]:
    return [Route.model_validate({**_named(number), **_OPENED}) for number in range(count)]


def _session_ended(number: int) -> SessionEnded:
    facts = {"ended_by": "silence", "customer_messages": 2, "agent_messages": 1}
    return SessionEnded.model_validate({**_named(number), "position": 9, "session": 1, **facts})


def _claim(number: int, agent: int, key: int) -> Claim:
    asker = {"actor": f"agent:{WORKSPACE}/a{agent}", "by": f"a{agent}", "idempotency_key": f"claim-{key}"}
    return Claim.model_validate({**_named(number), **asker})


def _named(number: int) -> dict[str, object]:
    key = f"{PAGE}:u{number}"
    return {
        "workspace": WORKSPACE,
        "desk": DEFAULT_DESK,
        "conversation": conversation_id(key),
        "key": key,
    }


def chunks(commands: Sequence[Command], size: int) -> Iterable[Sequence[Command]]:
    """The commands, so many at a time."""
    return (commands[start : start + size] for start in range(0, len(commands), size))
