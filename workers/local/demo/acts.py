"""What agents asked for and what became of it, from the topics alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.topics import ACTIONS, ASSIGNMENTS, COMMANDS, OUTCOMES
from schemas.ids import agent_of
from workers.local.simulator.agents.ledger import Key

CLAIMS = frozenset({"claim", "reply_claim"})
RACES = CLAIMS | {"transfer_accept"}
"""Who is first has it."""
BY_CLAIM = frozenset({"claim", "reply"})
"""The methods of `assigned` that say that somebody was first."""


class Acts:
    """Collects agents' commands, their outcomes and who held what, in whatever order the records come.

    Attributes:
        claims: conversations that somebody claimed.
        claims_lost: claims that came after another's.
        refused: outcomes that are refusals, by code.
    """

    def __init__(self) -> None:
        self.claims = 0
        self.claims_lost = 0
        self.refused: Counter[str] = Counter()
        self._transfers: set[tuple[str, str]] = set()
        self._asked: dict[Key, str] = {}
        """The conversation of each command; empty when it is of none."""
        self._outcomes: dict[Key, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        """By command: codes (`done` or why not) with the outcomes' values."""
        self._holders: dict[tuple[str, int], str] = {}
        """By conversation and epoch."""

    @property
    def transfers(self) -> int:
        """Offers of a holder, each once however often it was told."""
        return len(self._transfers)

    @property
    def commands(self) -> int:
        """Distinct commands and actions of agents."""
        return len(self._asked)

    @property
    def outcomes(self) -> int:
        """Outcomes that agents were sent."""
        return sum(map(len, self._outcomes.values()))

    def see(self, topic: str, what: str, value: Mapping[str, Any]) -> None:
        """Take one record of a topic (its short name)."""
        match topic:
            case COMMANDS.name | ACTIONS.name if agent_of(str(value.get("actor", ""))) is not None:
                self._asked[_key(value)] = str(value.get("conversation", ""))
            case OUTCOMES.name if agent_of(value["actor"]) is not None:
                self._became(what, value)
            case ASSIGNMENTS.name:
                self._event(what, value)

    def without_outcome(self, told: Mapping[Key, str]) -> int:
        """Commands that have none, those included whose sender was told of one (`told`)."""
        return len((self._asked.keys() | told.keys()) - self._outcomes.keys())

    def repeated_outcomes(self) -> int:
        """Outcomes beyond the first of their command."""
        return sum(len(found) - 1 for found in self._outcomes.values())

    def mistold(self, told: Mapping[Key, str], turned_away: Collection[Key]) -> int:
        """Commands whose sender was told otherwise than their outcome says, or that they never were any."""
        otherwise = (
            key in self._outcomes and self._outcomes[key][0][0] != code for key, code in told.items()
        )
        return sum(otherwise) + sum(key in self._asked for key in turned_away)

    def wrong_races(self) -> int:
        """Races with other than one winner, who had it then; and losers who were told of another winner."""
        winners: dict[tuple[str, int], set[str | None]] = defaultdict(set)
        had = {(conversation, holder) for (conversation, _), holder in self._holders.items()}
        wrong = 0
        for key, code, value in self._raced():
            conversation = self._asked.get(key, "")
            if code == "done":
                winners[conversation, value["result"]["epoch"]].add(agent_of(key[0]))
            else:
                wrong += (conversation, value["details"]["winner"]) not in had
        return wrong + sum({self._holders.get(race)} != names for race, names in winners.items())

    def _raced(self) -> Iterator[tuple[Key, str, Mapping[str, Any]]]:
        """The outcomes of those who came first, and of those who came behind them."""
        for key, found in self._outcomes.items():
            for code, value in found:
                if value["command"] in RACES and code in {"done", "taken"}:
                    yield key, code, value

    def _became(self, what: str, value: Mapping[str, Any]) -> None:
        code = "done" if what == "done" else str(value["code"])
        self._outcomes[_key(value)].append((code, value))
        if what == "refused":
            self.refused[code] += 1
            self.claims_lost += code == "taken" and value["command"] in CLAIMS

    def _event(self, what: str, value: Mapping[str, Any]) -> None:
        if what == "assigned":
            self._holders[value["conversation"], value["epoch"]] = value["holder"]
            self.claims += value["why"]["method"] in BY_CLAIM
        elif what == "transferring":
            self._transfers.add((value["by"], value["command"]))


def _key(value: Mapping[str, Any]) -> Key:
    return value["actor"], value["idempotency_key"]
