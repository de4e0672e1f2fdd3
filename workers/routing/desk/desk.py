"""The state of one desk: roster, rotations, loads, conversations and the waiting queue.

What an event changes is a value in a map, so that `fork` is cheap and a decision can be thought through on a
fork without touching the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import NamedTuple

from schemas.commands import TimerName
from schemas.definitions import Agent, Rule
from schemas.outcomes import Outcome
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.layer import Layer
from workers.routing.desk.ring import NOBODY, Bar, Ring
from workers.routing.desk.roster import Entry, Roster
from workers.routing.desk.waiting import ForkedQueue, Lines


class Duty(NamedTuple):
    """How busy an agent is."""

    load: int = 0
    """Open sessions held."""
    bar: Bar = "inactive"
    rules: frozenset[str] = frozenset()
    """Whose rings he stands in."""


ABSENT = Duty()
"""Of an agent whom the desk does not know."""


class Desk:
    """One desk. `decide` reads it, only `apply` changes it, through the methods below."""

    __slots__ = (
        "armed",
        "conversations",
        "duties",
        "elsewhere",
        "id",
        "outcomes",
        "queue",
        "rings",
        "roster",
        "workspace",
    )

    def __init__(self, workspace: str, id_: str) -> None:
        self.workspace = workspace
        self.id = id_
        self.roster = Roster()
        self.rings: MutableMapping[str, Ring] = {}
        """The rotation of each rule."""
        self.duties: MutableMapping[str, Duty] = {}
        self.conversations: MutableMapping[str, Conversation] = {}
        """By key: all that wait, and of the others those that the commands at hand name."""
        self.queue: Lines | ForkedQueue = Lines()
        self.outcomes: MutableMapping[tuple[str, str], Outcome] = {}
        """By actor and idempotency key: those that the commands at hand name."""
        self.elsewhere: dict[str, str] = {}
        """Pages and agents that the commands at hand name and that the registry gives to another desk."""
        self.armed: dict[tuple[TimerName, str], datetime] = {}
        """When those timers are due that no conversation has, as the table says: by name and subject."""

    def fork(self) -> Fork:
        """A desk that stands as this one does, and changes without changing this one."""
        return Fork(self)

    def look_at(self, agent: str) -> None:
        """See whether `agent` can be chosen now, and keep his rules' rings by it."""
        self._set_duty(agent, self.duties.get(agent, ABSENT), 0)

    def bear(self, agent: str, sessions: int) -> None:
        """Add `sessions` to the load of `agent`."""
        self._set_duty(agent, self.duties.get(agent, ABSENT), sessions)

    def set_agent(self, entry: Entry[Agent]) -> None:
        """Let `entry` be what is known of an agent."""
        self.edit_roster().agents[entry.definition.id] = entry
        self.look_at(entry.definition.id)

    def set_rule(self, entry: Entry[Rule], ring: Iterable[str], cursor: str | None = None) -> None:
        """Let `entry` be the rule's text from here on, and `ring` its rotation."""
        id_ = entry.definition.id
        self.edit_roster().set_rule(entry)
        agents = tuple(ring)
        before = self.rings.get(id_, NOBODY).seats.keys()
        for agent in before - set(agents):
            duty = self.duties[agent]
            self.duties[agent] = duty._replace(rules=duty.rules - {id_})
        for agent in agents:
            duty = self.duties.get(agent, ABSENT)
            self.duties[agent] = duty._replace(rules=duty.rules | {id_})
        self.rings[id_] = Ring.of([(agent, self.duties[agent].bar) for agent in agents], cursor)

    def keep(self, conversation: Conversation) -> None:
        """Let `conversation`, which counts in the loads already, be known; if it waits, in the queue too."""
        self.conversations[conversation.key] = conversation
        if conversation.rule and (waiting := conversation.waiting):
            self.edit_queue().add(conversation.rule, waiting)

    def leave(self, key: str) -> None:
        """Let the conversation `key` be loaded again when it is named, unless it waits."""
        conversation = self.conversations.get(key)
        if conversation is not None and conversation.standing != "queued":
            del self.conversations[key]

    def edit_roster(self) -> Roster:
        """The roster, to be changed."""
        return self.roster

    def edit_queue(self) -> Lines | ForkedQueue:
        """The waiting queue, to be changed."""
        return self.queue

    def _set_duty(self, agent: str, duty: Duty, sessions: int) -> None:
        load = duty.load + sessions
        bar = self._bar(agent, load)
        self.duties[agent] = Duty(load, bar, duty.rules)
        if bar != duty.bar:
            for rule in duty.rules:
                self.rings[rule] = self.rings[rule].with_bar(agent, bar)

    def _bar(self, agent: str, load: int) -> Bar:
        entry = self.roster.agents.get(agent)
        if entry is None or not entry.active:
            return "inactive"
        capacity = entry.definition.capacity
        return "at_capacity" if capacity is not None and load >= capacity else None


class Fork(Desk):
    """A desk over another one, which is not touched. What changes seldom is layered when it does."""

    __slots__ = ("_lines", "_shared_roster")

    def __init__(self, base: Desk) -> None:  # every map is its own layer: nothing of Desk's to be made first
        if not isinstance(base.queue, Lines):
            raise TypeError("a fork is not forked")
        self._lines = base.queue
        self._shared_roster = base.roster
        self.workspace = base.workspace
        self.id = base.id
        self.roster = base.roster
        self.rings = Layer(base.rings)
        self.duties = Layer(base.duties)
        self.conversations = Layer(base.conversations)
        self.queue = base.queue
        self.outcomes = Layer(base.outcomes)
        self.elsewhere = base.elsewhere
        self.armed = base.armed

    def edit_roster(self) -> Roster:
        """See Desk.edit_roster."""
        if self.roster is self._shared_roster:
            self.roster = self.roster.fork()
        return self.roster

    def edit_queue(self) -> Lines | ForkedQueue:
        """See Desk.edit_queue."""
        if self.queue is self._lines:
            self.queue = ForkedQueue(self._lines)
        return self.queue
