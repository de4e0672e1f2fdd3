"""Ids: computed from what they name, so that every worker and every re-execution gets the same one."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from uuid import UUID

from schemas.base import Channel

CONVERSATIONS = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c01").bytes
MESSAGES = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c02").bytes
EVENTS = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c03").bytes
NOTICES = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c04").bytes
TICKETS = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c05").bytes
FILES = UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c06").bytes

DEFAULT_DESK = "main"

_FREE_BITS = ~(0xF << 76 | 0x3 << 62)
"""Of a UUID as a number: all but those of its version and its variant."""
_FIXED_BITS = 0x5 << 76 | 0x2 << 62
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that says the variant, from the one that the hash has in its place."""


def uuid5(namespace: bytes, name: str) -> UUID:
    """UUIDv5 (RFC 9562, section 5.5); the same as `uuid.uuid5`, at half its time."""
    digest = sha1(namespace + name.encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16], "big") & _FREE_BITS | _FIXED_BITS)


def uuid5_text(namespace: bytes, name: str) -> str:
    """The same as text, in half the time again, since a UUID object costs as much as the hash."""
    digits = sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def page_id(channel: str, account: str) -> str:
    """The id of a page: `channel:account`."""
    return f"{channel}:{account}"


def channel_of(page: str) -> Channel:
    """The channel of the page with this id."""
    return page.partition(":")[0]


def account_of(page: str) -> str:
    """The account, on its channel, of the page with this id."""
    return page.partition(":")[2]


def conversation_key(channel: str, account: str, user: str) -> str:
    """The Kafka key of every conversation topic: `channel:account:user`."""
    return f"{channel}:{account}:{user}"


def page_of(key: str) -> str:
    """The id of the page of the conversation with this key."""
    return ":".join(key.split(":", 2)[:2])


def user_of(key: str) -> str:
    """The user of the conversation with this key: his id may have colons."""
    return parts_of_key(key)[2]


def parts_of_key(key: str) -> tuple[Channel, str, str]:
    """Channel, account and user of the conversation with this key."""
    channel, account, user = key.split(":", 2)
    return channel, account, user


def conversation_id(key: str) -> UUID:
    """The conversation of this key, and of its customer: a customer is a person on one page."""
    return uuid5(CONVERSATIONS, key)


def conversation_id_text(key: str) -> str:
    """The same as text."""
    return uuid5_text(CONVERSATIONS, key)


def message_id(page: str, channel_message_id: str) -> UUID:
    """The message with this id of the channel on this page; equal for every delivery of it."""
    return UUID(message_id_text(page, channel_message_id))


def message_id_text(page: str, channel_message_id: str) -> str:
    """The same as text."""
    return uuid5_text(MESSAGES, f"{page}\n{channel_message_id}")


def event_id(log: str, partition: int, offset: int, kind: str, ordinal: int) -> UUID:
    """The `ordinal`-th event that a lane of `kind` derives from one record of `log`."""
    return uuid5(EVENTS, _event_name(log, partition, offset, kind, ordinal))


def event_id_text(log: str, partition: int, offset: int, kind: str, ordinal: int) -> str:
    """The same as text."""
    return uuid5_text(EVENTS, _event_name(log, partition, offset, kind, ordinal))


def event_ids(log: str, partition: int, offset: int, kind: str) -> Callable[[int], str]:
    """The same of all events of that record, by their ordinals: what they have in common is named once."""
    begins = EVENTS + _event_name(log, partition, offset, kind, "").encode()
    return lambda ordinal: uuid5_text(begins, str(ordinal))


def _event_name(log: str, partition: int, offset: int, kind: str, ordinal: int | str) -> str:
    return f"{log}/{partition}/{offset}/{kind}/{ordinal}"


def notice_id(cause: UUID, agent: str) -> UUID:
    """The notice of one event to one agent (`workspace/agent`)."""
    return uuid5(NOTICES, f"{cause}/{agent}")


def fetched_file_id(message: str, number: int) -> str:
    """The file of a message's attachment with this number, from 0, that is fetched from its channel."""
    return uuid5_text(FILES, f"{message}/{number}").replace("-", "")


def picture_file_id(conversation: str, url: str) -> str:
    """The file of a customer's picture, as his channel shows it at this address."""
    return uuid5_text(FILES, f"{conversation}/picture/{url}").replace("-", "")


def ticket_id_text(conversation: str, number: int) -> str:
    """The id of a conversation's ticket with this number."""
    return uuid5_text(TICKETS, f"{conversation}/{number}")


def desk_key(workspace: str, desk: str = DEFAULT_DESK) -> str:
    """The Kafka key of commands: `workspace:desk`."""
    return f"{workspace}:{desk}"


def agent_key(workspace: str, agent: str) -> str:
    """The Kafka key of what concerns one agent: `agent:workspace/agent`."""
    return f"agent:{workspace}/{agent}"


def service_key(workspace: str, service: str) -> str:
    """The word for another system that has a token: `service:workspace/service`."""
    return f"service:{workspace}/{service}"


def agent_of(actor: str) -> str | None:
    """The agent's id of `agent:workspace/agent`; none of a service or an operator."""
    kind, _, agent = parts_of_owner(actor)
    return agent if kind == "agent" else None


def parts_of_owner(key: str) -> tuple[str, str, str]:
    """Of an agent's key, an audience's or a service's: its kind, its workspace and its name there."""
    kind, _, place = key.partition(":")
    workspace, _, name = place.partition("/")
    return kind, workspace, name


def audience_key(workspace: str, audience: str) -> str:
    """The Kafka key of what an audience is told: `audience:workspace/rule:<rule>/<ring>`, …"""
    return f"audience:{workspace}/{audience}"
