"""What agents did and were told, as they wrote it down themselves.

A history is a file of JSON lines, each flushed before what it tells of goes on. `op` numbers the attempts,
`at_ns` is one clock of all of them:

`{"type": "invoke", "op": 7, "actor": "agent:w/lan", "key": "k1", "call": "claim", "at_ns": 12}`
`{"type": "ok", "op": 7, "at_ns": 15, "said": {…}}`: it was carried out, with this result
`{"type": "fail", "op": 7, "at_ns": 15, "code": "taken", "said": {…}}`: it was refused, with these details
`{"type": "fail", "op": 7, "at_ns": 15, "code": "forbidden", "said": null}`: it was turned away, no command
`{"type": "unknown", "op": 7, "at_ns": 15}`: nobody said what became of it
`{"type": "seen", "actor": "agent:w/lan", "notice": "…"}`: a notice came; `null`: some may be missing here
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from checker.record import Json

Place = tuple[str, str]
"""Actor and idempotency key."""


class Told(NamedTuple):
    """An outcome that somebody was told: `code` is empty when it was done."""

    code: str
    said: Json


class Attempt(NamedTuple):
    """A command that was sent once; nothing is `told` when it was turned away, or nobody knows."""

    place: Place
    call: str
    begun_ns: int
    ended_ns: int
    told: Told | None
    turned_away: str


class History:
    """All of it: attempts in the order in which they ended, and what each agent saw."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.attempts: list[Attempt] = []
        self.seen: dict[str, list[str | None]] = defaultdict(list)
        """By actor: ids of notices, in the order in which they came."""
        self._begun: dict[int, Json] = {}
        for line in lines:
            self._add(orjson.loads(line))
        for invoked in self._begun.values():
            self._end(invoked, {"type": "unknown", "at_ns": invoked["at_ns"]})

    def _add(self, line: Json) -> None:
        match line["type"]:
            case "invoke":
                self._begun[line["op"]] = line
            case "seen":
                self.seen[line["actor"]].append(line["notice"])
            case _:
                self._end(self._begun.pop(line["op"]), line)

    def _end(self, invoked: Json, line: Json) -> None:
        code, said = line.get("code", ""), line.get("said")
        self.attempts.append(
            Attempt(
                place=(invoked["actor"], invoked["key"]),
                call=invoked["call"],
                begun_ns=invoked["at_ns"],
                ended_ns=line["at_ns"],
                told=None if said is None or line["type"] == "unknown" else Told(code, said),
                turned_away=code if said is None else "",
            )
        )
