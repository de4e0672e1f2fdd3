"""The tickets of a story: what its sessions and its agents make of them, as messages and the table say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import orjson

from checker.record import Json
from checker.rows import TicketRow

Tell = Callable[[str, Json], None]
"""Of the conversation's key: a change, on messages."""


class StoryTickets:
    """All of them, by their conversation's key, in order of their numbers."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._of: dict[str, list[Json]] = defaultdict(list)

    def begin(self, key: str, session: int, position: int, holder: str | None) -> None:
        """A session begins its draft, which nobody is told of."""
        draft = {"ticket": len(self._of[key]) + 1, "session": session, "first_position": position}
        self._of[key].append(draft | {"status": "draft", "subject": "", "fields": {}, "agent": holder})

    def given(self, key: str, agent: str) -> None:
        """The conversation was given to `agent` while its session is open: a draft tells nobody."""
        self._of[key][-1]["agent"] = agent

    def over(self, key: str) -> None:
        """The session is over: a draft that an agent was given opens."""
        last = self._of[key][-1]
        if last["status"] == "draft" and last["agent"]:
            self.change(key, last["ticket"], None, status="open")

    def open(self, key: str, by: str, **fields: object) -> Json:
        """The draft becomes a ticket, or another one is made; the action's result."""
        last = self._of[key][-1]
        if last["status"] == "draft":
            return self.change(key, last["ticket"], by, status="open", **fields)
        self.begin(key, last["session"], last["first_position"] + 1, last["agent"])
        return self.change(key, last["ticket"] + 1, by, former_status=None, status="open", **fields)

    def change(self, key: str, number: int, by: str | None, **fields: object) -> Json:
        """It says something else from now on, and that is told, unless it said so before."""
        before = self._of[key][number - 1]
        former = fields.pop("former_status", before["status"])
        now = self._of[key][number - 1] = before | fields
        if now != before:
            self._tell(key, now | {"former_status": former, "by": by})
        return {name: now[name] for name in ("ticket", "status", "subject", "fields")}

    def rows(self, key: str, conversation: str) -> list[TicketRow]:
        """What the table has of a conversation."""
        return [
            TicketRow(
                conversation,
                one["ticket"],
                one["status"],
                one["subject"],
                orjson.dumps(one["fields"]).decode(),
                one["agent"],
            )
            for one in self._of[key]
        ]

    @property
    def keys(self) -> list[str]:
        """Of all conversations that have any."""
        return list(self._of)
