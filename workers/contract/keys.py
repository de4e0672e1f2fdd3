"""What the key of each topic's records says, in words and as a pattern."""

from __future__ import annotations

from typing import NamedTuple

_SLUG = "[a-z0-9][a-z0-9-]{0,62}"


class Key(NamedTuple):
    """How a key is written, the pattern that it matches, and what it means for order."""

    written: str
    pattern: str
    meaning: str


KEYS: dict[str, Key] = {
    "conversation": Key(
        "channel:account:user",
        "^[a-z][a-z0-9-]{0,31}:[^:]+:.+$",
        "the conversation of one customer with one page; all its records are in order, on every such topic",
    ),
    "desk": Key(
        "workspace:desk",
        f"^{_SLUG}:{_SLUG}$",
        "the desk that decides; it decides in the order of this log",
    ),
    "agent": Key(
        "agent:workspace/agent, or workspace:desk",
        f"^(agent:{_SLUG}/{_SLUG}|{_SLUG}:{_SLUG})$",
        "the agent that changed; the desk, when a department, a page, a rule or the policy changed",
    ),
    "agent or audience": Key(
        "agent:workspace/agent, or audience:workspace/…",
        f"^(agent:{_SLUG}/{_SLUG}|audience:{_SLUG}/.+)$",
        "the agent who is told, whose notices are in order; or the audience of an offer",
    ),
    "agent, service or cli": Key(
        "agent:…, service:… or cli:…",
        "^(agent|service|cli):.+$",
        "the sender of the command, its `actor`",
    ),
    "original": Key("as it came", "", "the key that the record came with, whatever it is"),
}
"""By `Topic.key` of the catalogue."""
