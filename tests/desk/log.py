"""A commands topic in memory: commands as their senders write them, each at its place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from schemas.asks import ConversationAsk
from schemas.assignments import Cause
from schemas.building import build
from schemas.commands import Configure, Route, SessionEnded
from schemas.definitions import Agent, Department, Page, Rule
from schemas.envelope import moment
from schemas.ids import conversation_id, event_ids
from workers.routing.desk.decision import Place

Ask = TypeVar("Ask", bound=ConversationAsk)

WORKSPACE = "acme"
DESK = "main"
PAGE = "zalo:100"
LANE = 3
BEGIN_MS = 1_763_800_000_000


@dataclass
class Log:
    """Gives each command the next place; `step_ms` lies between two of them."""

    offset: int = 0
    step_ms: int = 1
    waited_ms: int = 0

    def next(self) -> Place:
        """The next place."""
        self.offset += 1
        offset = self.offset
        cause = build(Cause, {"partition": LANE, "offset": offset})
        return Place(self.now, cause, event_ids("commands", LANE, offset, "desk"))

    @property
    def now(self) -> datetime:
        """The time of the last place."""
        return moment(BEGIN_MS + self.offset * self.step_ms + self.waited_ms)

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.waited_ms += round(timedelta(**duration).total_seconds() * 1000)


def key_of(user: str, page: str = PAGE) -> str:
    """The key of a customer's conversation."""
    return f"{page}:{user}"


def route(
    user: str, session: int = 1, *, page: str = PAGE, position: int = 1, opens_session: bool = True
) -> Route:
    """A customer wrote."""
    key = key_of(user, page)
    return Route(
        workspace=WORKSPACE,
        desk=DESK,
        conversation=conversation_id(key),
        key=key,
        position=position,
        session=session,
        page=page,
        channel="zalo",
        opens_session=opens_session,
    )


def session_ended(user: str, session: int = 1, *, page: str = PAGE, position: int = 9) -> SessionEnded:
    """A customer has been silent for long."""
    key = key_of(user, page)
    return SessionEnded(
        workspace=WORKSPACE,
        desk=DESK,
        conversation=conversation_id(key),
        key=key,
        position=position,
        session=session,
        ended_by="silence",
        customer_messages=2,
        agent_messages=1,
    )


def configure(
    agents: Sequence[Agent | str],
    rules: Sequence[Rule],
    *,
    departments: Sequence[Department] = (),
    pages: Sequence[str] = (PAGE,),
    idempotency_key: str = "first",
) -> Configure:
    """A whole roster; agents given by name have no limit."""
    return Configure(
        workspace=WORKSPACE,
        desk=DESK,
        actor="cli:me",
        idempotency_key=idempotency_key,
        agents=tuple(agent if isinstance(agent, Agent) else an_agent(agent) for agent in agents),
        departments=tuple(departments),
        pages=tuple(Page(id=page, name=f"Trang {page}", admins=("chu",)) for page in pages),
        rules=tuple(rules),
    )


def an_agent(id_: str, capacity: int | None = None) -> Agent:
    """An agent who takes `capacity` open sessions."""
    return Agent(id=id_, name=f"Nhân viên {id_}", capacity=capacity)


def a_rule(
    *agents: str,
    id_: str = "chia-deu",
    pages: Sequence[str] = (PAGE,),
    departments: Sequence[str] = (),
    **options: object,
) -> Rule:
    """A rule that deals to `agents` in turn, or as its options say."""
    named = {"id": id_, "name": f"Quy tắc {id_}", "owner": "chu", "pages": pages}
    return Rule.model_validate({**named, "agents": agents, "departments": departments, **options})


def ask(
    model: type[Ask],
    user: str,
    by: str | None,
    *,
    page: str = PAGE,
    authority: str = "agent",
    **fields: object,
) -> Ask:
    """What `by` asks about a customer's conversation, with a key of its own."""
    key = key_of(user, page)
    return model.model_validate(
        {
            "workspace": WORKSPACE,
            "desk": DESK,
            "actor": f"agent:{WORKSPACE}/{by}" if by else "service:crm",
            "idempotency_key": f"k{next(_asked)}",
            "by": by,
            "authority": authority,
            "conversation": conversation_id(key),
            "key": key,
            **fields,
        }
    )


_asked = count()
