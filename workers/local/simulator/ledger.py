"""What was posted and what was taken: the truth that a report compares with."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["message", "receipt", "unreadable", "unknown_page", "unknown_kind"]


class Sent(NamedTuple):
    """One event: which conversation (`channel:account:user`), and the channel's id of it."""

    conversation: str
    id: str


@dataclass
class Ledger:
    """Every list is in the order in which things happened; within a conversation that is its order.

    Only messages (texts, attachments, postbacks) are in `posted` and `accepted`.
    """

    posted: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    """By page (`channel:account`): posted at least once."""
    accepted: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    """By page: answered 200, counted once."""
    odd: dict[Kind, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    """By kind: events beside the messages that were answered 200."""
    duplicates_posted: int = 0
    """Messages that were posted again although they had been answered 200."""
    retries: int = 0
    """Webhooks that were posted again because they had not been answered 200."""
    refused: int = 0
    """Webhooks that were answered 4xx, and not posted again."""
    given_up: int = 0
    """Webhooks that were never answered 200 in all their attempts: whether they are kept is unknown."""
    answers: Counter[str] = field(default_factory=Counter)
    """All answers by their status, or `timeout`, `unreachable`."""

    def count_posted(self) -> int:
        """Distinct messages that were posted."""
        return sum(map(len, self.posted.values()))

    def count_accepted(self) -> int:
        """Distinct messages that were answered 200."""
        return sum(map(len, self.accepted.values()))

    def accepted_by_conversation(self) -> dict[str, list[str]]:
        """Ids of each conversation's accepted messages, in order."""
        found: dict[str, list[str]] = defaultdict(list)
        for page in self.accepted.values():
            for sent in page:
                found[sent.conversation].append(sent.id)
        return dict(found)

    def summary(self) -> dict[str, int]:
        """The counts that a report names."""
        return {
            "posted": self.count_posted(),
            "accepted": self.count_accepted(),
            "duplicates_posted": self.duplicates_posted,
            "unreadable": len(self.odd["unreadable"]),
            "unknown_page": len(self.odd["unknown_page"]),
            "unknown_kind": len(self.odd["unknown_kind"]),
            "receipts": len(self.odd["receipt"]),
            "retries": self.retries,
            "refused": self.refused,
            "given_up": self.given_up,
        }
