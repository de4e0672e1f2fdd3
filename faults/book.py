"""What the agents of a run did and were told, written down as it happens: a file that the checker reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from workers.local.simulator.agents.act import Answer
from workers.local.simulator.agents.ledger import AgentLedger, Attempt, Key

CLAIMS = ("claim", "say")
"""An answer may be a claim: then it may come second."""
_NOT_SHOWN = {"ready": (), "reset": (None,)}
"""What is noted of events that are no notices."""


class Book(AgentLedger):
    """Takes every attempt before it is sent, and what came of it; every notice as it comes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.last_event: dict[str, str] = {}
        """By actor: the id to come back with."""
        self.codes: Counter[tuple[str, str]] = Counter()
        """Commands by call and what their senders were told first."""
        self.resets = 0
        """How often somebody who came back was not told what he had missed."""
        self.unheard: Counter[str] = Counter()
        """Attempts that told nothing, by status."""
        self.asked: dict[Key, Attempt] = {}
        self._heard: set[Key] = set()
        self._open: dict[Key, tuple[int, str]] = {}
        """The attempt that is under way: its number, and where it was sent."""
        self._ops = 0
        self._file = path.open("ab")

    def close(self) -> None:
        """Nothing comes any more."""
        self._file.close()

    def waiting_at(self, url: str) -> int:
        """Attempts that the gateway at `url` has yet to answer."""
        return sum(url == asked for _, asked in self._open.values())

    def unsettled(self) -> list[Attempt]:
        """A command of each key of which no outcome was told."""
        return [attempt for key, attempt in self.asked.items() if key not in self._heard]

    def asks(self, attempt: Attempt) -> None:
        key = attempt.actor, attempt.key
        self._ops += 1
        self._open[key] = self._ops, attempt.url
        self.asked.setdefault(key, attempt)
        named = {"actor": attempt.actor, "key": attempt.key, "call": attempt.act.call}
        about = {"conversation": attempt.act.conversation, "body": attempt.act.body, "gateway": attempt.url}
        self._write(type="invoke", op=self._ops, **named, **about)

    def hears(self, attempt: Attempt, answer: Answer | None) -> None:
        key = attempt.actor, attempt.key
        op, _ = self._open.pop(key)
        if answer is None or answer.status in {202, 401, 429} or answer.status >= 500:
            status = "no answer" if answer is None else str(answer.status)
            self.unheard[status] += 1
            self._write(type="unknown", op=op, status=status)
            return
        if answer.is_decided and key not in self._heard:
            self._heard.add(key)
            self.codes[self.asked[key].act.call, answer.code] += 1
        if answer.code == "done":
            self._write(type="ok", op=op, said=answer.body["result"])
            return
        said = {name: each for name, each in answer.body["details"].items() if name != "command"}
        self._write(type="fail", op=op, code=answer.code, said=said if answer.is_decided else None)

    def sees(self, actor: str, event: str, id_: str, data: Mapping[str, Any]) -> None:
        self.last_event[actor] = id_
        self.resets += event == "reset"
        for notice in _NOT_SHOWN.get(event, (data.get("notice"),)):
            self._write(type="seen", actor=actor, event=event, notice=notice)

    def counts(self) -> dict[str, Any]:
        """What the agents did and were told, in numbers."""
        refused: Counter[str] = Counter()
        for (_, code), count in self.codes.items():
            refused[code] += count
        done = refused.pop("done", 0)
        return {
            "commands": len(self.asked),
            "outcomes told": len(self._heard),
            "done": done,
            "refused": dict(sorted(refused.items())),
            "claims won": self.codes["claim", "done"],
            "claims lost": self.codes["claim", "taken"],
            "answers too late": self.codes["say", "taken"],
            "turned away": dict(sorted(Counter(self.turned_away.values()).items())),
            "attempts unheard": dict(sorted(self.unheard.items())),
            "repeated": self.repeats,
            "reconnects": self.returns,
            "resets": self.resets,
        }

    def _write(self, **line: object) -> None:
        self._file.write(orjson.dumps(line | {"at_ns": time.monotonic_ns()}) + b"\n")
        self._file.flush()
