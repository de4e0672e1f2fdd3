"""The desks of the lanes that are here, as Postgres has them; loaded when first named."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from schemas.asks import Bulk, ConversationAsk, Subject
from schemas.commands import (
    Amend,
    AskedCommand,
    Command,
    Configure,
    ConversationCommand,
    TimerFired,
    Vacate,
)
from schemas.ids import conversation_id, desk_key
from workers.routing.desk.answers import load_outcomes
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.demoting import admins_left
from workers.routing.desk.desk import Desk
from workers.routing.desk.elsewhere import reserved_elsewhere
from workers.routing.desk.leaving import PART, may_leave, will_leave
from workers.routing.desk.loading import (
    Name,
    Stored,
    load_conversations,
    load_demoted,
    load_desks,
    load_held,
)
from workers.routing.desk.timers import OF_CONVERSATION
from workers.runtime.handler import Connection


class Memory:
    """The `desks_max` desks used last, and of their conversations those that wait and the `conversations_max`
    used last. A batch may need more for its time."""

    def __init__(self, desks_max: int, conversations_max: int) -> None:
        self._desks_max = desks_max
        self._conversations_max = conversations_max
        self._desks: OrderedDict[Name, Desk] = OrderedDict()
        self._lanes: dict[Name, int] = {}
        self._used: OrderedDict[tuple[Name, str], None] = OrderedDict()
        self._asked: set[Name] = set()

    def desk(self, command: Command) -> Desk:
        """The desk of `command`, which has been loaded."""
        return self._desks[name_of(command)]

    def knows(self, command: Command) -> bool:
        """Whether the desk of `command` is here."""
        return name_of(command) in self._desks

    async def load(self, connection: Connection, commands: Collection[tuple[int, Command]]) -> None:
        """Make ready what these commands, each with its lane, name."""
        lanes = {name_of(command): lane for lane, command in commands}
        missing = [name for name in lanes if name not in self._desks]
        if missing:
            self._desks |= await load_desks(connection, missing)
        self._lanes |= lanes
        for name in lanes:
            self._desks.move_to_end(name)
        named = [command for _, command in commands]
        await self._load_conversations(connection, named)
        await self._load_held(connection, named)
        await self._load_demoted(connection, named)
        await self._load_asked(connection, [one for one in named if isinstance(one, AskedCommand)])

    def used(self, desk: Desk, key: str) -> None:
        """Note that the conversation `key` of `desk` was touched."""
        place = (desk.workspace, desk.id), key
        self._used[place] = None
        self._used.move_to_end(place)

    def tidy(self) -> None:
        """After a batch: drop what only its commands needed, and what is beyond the limits."""
        for name in self._asked:
            self._desks[name].outcomes.clear()
            self._desks[name].elsewhere.clear()
        self._asked.clear()
        while len(self._desks) > self._desks_max:
            name, _ = self._desks.popitem(last=False)
            del self._lanes[name]
        while len(self._used) > self._conversations_max:
            (name, key), _ = self._used.popitem(last=False)
            if name in self._desks:
                self._desks[name].leave(key)

    def forget(self, lanes: Collection[int] | None) -> None:
        """Drop the desks of `lanes`; none: all."""
        for name in [name for name, lane in self._lanes.items() if lanes is None or lane in lanes]:
            del self._desks[name], self._lanes[name]
        self._asked &= self._desks.keys()
        if not self._desks:
            self._used.clear()

    async def _load_conversations(self, connection: Connection, commands: Collection[Command]) -> None:
        missing = [
            (command, subject)
            for command in commands
            for subject in subjects_of(command)
            if subject.key not in self.desk(command).conversations
        ]
        if not missing:
            return
        wanted = {(command.workspace, subject.conversation) for command, subject in missing}
        stored = await load_conversations(connection, wanted)
        for command, subject in missing:
            found = stored.get((command.workspace, subject.conversation))
            if found is not None and found.conversation.key == subject.key:
                self._keep(command, found)

    def _keep(self, command: Command, found: Stored) -> None:
        """Let the desk of `command` know a conversation: what is another desk's is not asked for here."""
        desk, key = self.desk(command), found.conversation.key
        if found.desk != desk.id and isinstance(command, AskedCommand):
            desk.elsewhere[key] = desk_key(desk.workspace, found.desk)
        elif key not in desk.conversations:
            desk.keep(found.conversation)
            self.used(desk, key)

    async def _load_held(self, connection: Connection, commands: Collection[Command]) -> None:
        """The first of what those hold who may have to give it up by one of `commands`.

        Beyond what one decision releases, as many as the others of the batch can change before it: of all
        together who leave as things stand, and of each who may leave when another command comes before.
        """
        leaves = [command for command in commands if may_leave(self.desk(command), command)]
        limit = 1 + PART * len(leaves) + sum(len(subjects_of(command)) for command in commands)
        changing: set[Name] = set()
        for command in leaves:
            name, desk = name_of(command), self.desk(command)
            is_sure = name not in changing
            agents = will_leave(desk, command) if is_sure else may_leave(desk, command)
            at = command.at if isinstance(command, Vacate) else None
            limits = {"of_each_max": limit, "of_all_max": limit if is_sure else limit * len(agents)}
            self._keep_all(desk, await load_held(connection, name, agents, at, **limits))
            if not isinstance(command, Vacate):
                changing.add(name)

    async def _load_demoted(self, connection: Connection, commands: Collection[Command]) -> None:
        """The first of what admins follow as such who may be demoted by one of `commands`; as above, as many
        as the others of the batch can change before it."""
        left = [(command, admins_left(self.desk(command), command)) for command in commands]
        demoting = [(command, admins) for command, admins in left if admins]
        limit = 1 + PART * len(demoting) + sum(len(subjects_of(command)) for command in commands)
        for command, admins in demoting:
            found = await load_demoted(connection, name_of(command), admins, limit)
            self._keep_all(self.desk(command), found)

    def _keep_all(self, desk: Desk, conversations: Collection[Conversation]) -> None:
        for conversation in conversations:
            if conversation.key not in desk.conversations:
                desk.keep(conversation)
                self.used(desk, conversation.key)

    async def _load_asked(self, connection: Connection, commands: Collection[AskedCommand]) -> None:
        for command in commands:
            self._asked.add(name_of(command))
            pages, agents = _reserved(self.desk(command), command)
            if pages or agents:
                elsewhere = await reserved_elsewhere(connection, command, pages, agents)
                self.desk(command).elsewhere |= elsewhere
        wanted = {(one.workspace, one.desk, one.actor, one.idempotency_key) for one in commands}
        for outcome in await load_outcomes(connection, wanted):
            desk = self._desks[outcome.workspace, outcome.desk]
            desk.outcomes[outcome.actor, outcome.idempotency_key] = outcome


def name_of(command: Command) -> Name:
    """The desk that `command` is for."""
    return command.workspace, command.desk


def _reserved(desk: Desk, command: AskedCommand) -> tuple[list[str], list[str]]:
    """The pages and agents of `command` that may be another desk's."""
    if isinstance(command, (Configure, Amend)):
        return [page.id for page in command.pages], [agent.id for agent in command.agents]
    named = (command.by, getattr(command, "agent", None), getattr(command, "to_agent", None))
    return [], [agent for agent in named if agent is not None and not desk.roster.has_agent(agent)]


def subjects_of(command: Command) -> Sequence[Subject | ConversationCommand]:
    """The conversations that `command` names."""
    if isinstance(command, Bulk):
        return command.subjects
    if isinstance(command, TimerFired) and command.timer in OF_CONVERSATION:
        return (Subject(conversation=conversation_id(command.subject), key=command.subject),)
    return (command,) if isinstance(command, (ConversationCommand, ConversationAsk)) else ()
