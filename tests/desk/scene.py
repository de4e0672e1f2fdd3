"""A desk without Kafka and Postgres: commands are decided and applied, and what was decided is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel

from schemas.assignments import Assigned
from schemas.commands import Command
from schemas.definitions import Agent, Rule
from tests.desk.log import DESK, WORKSPACE, Log, configure, key_of
from workers.routing.desk import loading, people_rows, storing
from workers.routing.desk.apply import Decided, apply
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.conversation_rows import USUAL, conversation_of, row_of
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import ABSENT

E = TypeVar("E", bound=BaseModel)


class Scene:
    """One desk and its log; every event is what its schema reads."""

    def __init__(self) -> None:
        self.desk = Desk(WORKSPACE, DESK)
        self.log = Log()
        self.decided: list[Decided] = []

    def do(self, command: Command) -> list[Any]:
        """Decide on `command` and carry it out; the events."""
        decided = carry_out(self.desk, command, self.log.next())
        for one in decided:
            assert reread(one).event == one.event, "an event was built that the schema reads otherwise"
        self.decided.extend(decided)
        return [one.event for one in decided]

    def think(self, decision: Callable[[Draft], object]) -> list[Any]:
        """Carry out what a part of a decision says at the next place of the log; the events."""
        draft = Draft(self.desk, self.log.next())
        decision(draft)
        self.decided.extend(draft.decided)
        return [one.event for one in draft.decided]

    def take(self, event: BaseModel) -> None:
        """Let `event` have happened."""
        apply(self.desk, Decided(str(UUID(int=0)), event))

    def conversation(self, user: str) -> Conversation:
        """The conversation of a customer of the usual page."""
        return self.desk.conversations[key_of(user)]

    def holders(self) -> list[str | None]:
        """Who was given a conversation, in order."""
        return [event.holder for event in self.events(Assigned)]

    def events(self, model: type[E]) -> list[E]:
        """All events of this kind so far."""
        return [one.event for one in self.decided if isinstance(one.event, model)]


def scene_with(*rules: Rule, agents: Sequence[Agent | str] = ("an", "binh", "chi", "chu")) -> Scene:
    """A desk with these agents, of whom chu is the page's admin, and these rules."""
    scene = Scene()
    scene.do(configure(agents, rules))
    return scene


def served(events: Sequence[object]) -> list[tuple[str, str | None]]:
    """Which customers were given to whom, in order."""
    return [(one.key.split(":")[-1], one.holder) for one in events if isinstance(one, Assigned)]


class Snapshot(NamedTuple):
    """All that a desk is, comparable."""

    roster: tuple[dict[Any, Any], ...]
    rings: dict[str, Any]
    rankings: dict[str, Any]
    duties: dict[str, Any]
    conversations: dict[str, Conversation]
    queue: dict[str, list[Any]]
    people: tuple[dict[Any, Any], ...]


def snapshot(desk: Desk) -> Snapshot:
    """What `desk` is now."""
    roster = desk.roster
    return Snapshot(
        (
            dict(roster.agents),
            dict(roster.departments),
            dict(roster.pages),
            dict(roster.rules),
            {roster.policy_version: roster.policy},
        ),
        {rule: _ring(desk, rule) for rule in desk.rings},
        {rule: desk.rankings[rule].ranks for rule in desk.ranked},
        {agent: duty for agent, duty in desk.duties.items() if duty != ABSENT},
        dict(desk.conversations),
        {rule: list(desk.queue.line(rule)) for rule in desk.queue.rules()},
        (
            dict(desk.whereabouts),
            {channel: full for channel, full in desk.full.items() if full},
            {agent: keys for agent, keys in desk.transfers.items() if keys},
            dict.fromkeys(sorted(desk.limited)),
            {key: rule for key, rule in desk.offers.items() if rule is not None},
        ),
    )


def _ring(desk: Desk, rule: str) -> tuple[object, ...]:
    ring = desk.rings[rule]
    return ring.agents, ring.candidates, ring.cursor, ring.eligible, ring.barred(), ring.lifts


def loaded(desk: Desk) -> Desk:
    """What another worker makes of the rows that `desk` leaves behind."""
    fresh = Desk(desk.workspace, desk.id)
    roster = desk.roster
    carried = [(one.carried, one.page) for one in desk.conversations.values() if one.carried]
    rows = [{**USUAL, **row_of(desk.workspace, desk.id, one)} for one in desk.conversations.values()]
    loading.fill(
        fresh,
        {
            loading.LOADS: _counts((agent, page) for (agent, silent), page in carried if not silent),
            loading.SILENT: _counts((agent, page) for (agent, silent), page in carried if silent),
            loading.PACES: [
                people_rows.pace_row(desk, one) for one, duty in desk.duties.items() if duty.got_at
            ],
            loading.PRESENCES: [people_rows.presence_row(desk, agent) for agent in desk.whereabouts],
            loading.GATEWAYS: [people_rows.gateway_row(desk, gateway) for gateway in desk.gateways],
            loading.AGENTS: [storing.agent_row(desk, agent) for agent in roster.agents],
            loading.DEPARTMENTS: [storing.department_row(desk, one) for one in roster.departments],
            loading.TIMERS: [],
            loading.PAGES: [storing.page_row(desk, page) for page in roster.pages],
            loading.RULES: [storing.rule_row(desk, rule) for rule in roster.rules],
            loading.POLICIES: [storing.policy_row(desk)] if roster.policy_version else [],
            loading.WAITING: [row for row in rows if row["standing"] in ("queued", "offered")],
            loading.TRANSFERS: [],
        },
    )
    for row in rows:
        if row["standing"] not in ("queued", "offered"):
            fresh.keep(conversation_of(row))
    return fresh


def _counts(held: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    counted = Counter(held).items()
    return [{"holder": agent, "page_id": page, "load": sessions} for (agent, page), sessions in counted]


def restarted(desk: Desk) -> Desk:
    """The same at the time of the last command."""
    fresh = loaded(desk)
    fresh.advance(desk.at)
    return fresh


def reread(decided: Decided) -> Decided:
    """What a consumer reads of an event."""
    event = decided.event
    return Decided(decided.id, type(event).model_validate_json(event.model_dump_json()))
