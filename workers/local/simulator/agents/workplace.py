"""What one agent knows: from what he was told, and from what became of what he did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.local.simulator.agents.act import Act, Answer

HELD_MAX = 500
"""Conversations that he keeps in mind; beyond that he forgets the oldest."""
_OVER = {"refused", "done"}
_ANSWERS = {"transfer_accept", "transfer_reject"}


@dataclass
class Held:
    """A conversation of his."""

    page: str = ""
    care: str = "accepted"
    waits: bool = True
    """Its customer waits for an answer."""
    answered: bool = False
    """By him, once at least."""
    transferring: bool = False
    session_open: bool = True
    position: int = 0
    """Of the last message that he knows."""


@dataclass
class Workplace:
    """What he would see on his screen.

    Attributes:
        held: his conversations by their ids, the oldest first.
        asked: those that colleagues want to hand to him, in the order in which they asked.
        offered: those that he may claim.
    """

    held: dict[str, Held] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)

    def see(self, event: str, data: Mapping[str, Any]) -> None:
        """Take in a notice; one of a kind that is not known says nothing."""
        conversation = str(data.get("conversation", ""))
        match event:
            case "assigned":
                self.asked.pop(conversation, None)
                self._hold(conversation, data)
            case "unassigned":
                self.held.pop(conversation, None)
            case "message" if conversation in self.held:
                self._heard(self.held[conversation], _position(data))
            case "transfer_offered":
                self.asked[conversation] = None
            case "transfer_ended":
                self._transfer_ended(conversation, data)
            case "care_changed" if conversation in self.held:
                self.held[conversation].care = str(data["care"])
            case "offered":
                self.offered.add(conversation)
            case "withdrawn":
                self.offered.discard(conversation)

    def learn(self, act: Act, answer: Answer) -> None:
        """Take in what became of an act."""
        if act.call in _ANSWERS:
            self.asked.pop(act.conversation, None)
        held = self.held.get(act.conversation)
        if held is None or not answer.is_decided:
            return
        match act.call, answer.code:
            case _, "not_holder":
                del self.held[act.conversation]
            case _, "bad_transition":
                held.care = str(answer.body["details"].get("care", held.care))
            case "say", "done":
                held.waits, held.answered = False, True
            case "transfer", "done":
                held.transferring = True
            case "end_session", _:
                held.session_open = held.waits = False
            case "set_care", "done":
                held.care = str(act.body["care"])
                if held.care in _OVER:
                    del self.held[act.conversation]

    def reset(self) -> None:
        """He has missed too much: he begins anew with what he is told from here on."""
        self.held.clear()
        self.asked.clear()
        self.offered.clear()

    def _hold(self, conversation: str, data: Mapping[str, Any]) -> None:
        self.held[conversation] = Held(page=str(data.get("page", "")), position=_position(data))
        if len(self.held) > HELD_MAX:
            del self.held[next(iter(self.held))]

    def _heard(self, held: Held, position: int) -> None:
        held.waits = held.session_open = True
        held.position = max(held.position, position)

    def _transfer_ended(self, conversation: str, data: Mapping[str, Any]) -> None:
        self.asked.pop(conversation, None)
        if data.get("holder") != data.get("agent"):
            self.held.pop(conversation, None)
        elif conversation in self.held:
            self.held[conversation].transferring = False


def _position(data: Mapping[str, Any]) -> int:
    return int((data.get("message") or {}).get("position", 0))
