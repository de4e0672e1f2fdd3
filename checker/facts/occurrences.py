"""Where each distinct message first lies in inbound: a few bytes a message, so that millions fit."""

from __future__ import annotations

from array import array

from checker.record import Json, LogRecord, Place, shown

_SENDERS = {"message": "customer", "postback": "customer", "mail": "customer", "sms": "customer"}
_ECHO_SENDERS = {"bot": "bot", "human": "agent"}


def identity_of(page: str, channel_message_id: str) -> int:
    """A digest of what makes a message distinct; valid in this process only."""
    return hash((page, channel_message_id))


def content_of(sender: str, text: str | None) -> int:
    """A digest of who said what."""
    return hash((sender, text or None))


def sender_of(what: str, value: Json) -> str:
    """Who speaks in an inbound record."""
    return _SENDERS.get(what) or _ECHO_SENDERS[value["author"]]


class Occurrences:
    """The first occurrence of each distinct message, numbered in the order of reading."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.stored = bytearray()
        self.duplicates = 0
        self._others: dict[int, list[int]] = {}
        self._keys: dict[bytes, int] = {}
        self._partitions = array("H")
        self._offsets = array("Q")
        self._key_numbers = array("I")
        self._contents = array("q")

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, record: LogRecord, what: str, value: Json, page: str) -> None:
        """Note a readable message in its right partition."""
        identity = identity_of(page, value["channel_message_id"])
        key = self._keys.setdefault(record.key or b"", len(self._keys))
        first = self.numbers.setdefault(identity, len(self._offsets))
        if first < len(self._offsets):
            self.duplicates += 1
            if self._key_numbers[first] == key:
                return
            # The same id from another customer of the page: whichever lane was first has it.
            self._others.setdefault(first, []).append(len(self._offsets))
        self._partitions.append(record.partition)
        self._offsets.append(record.offset)
        self._key_numbers.append(key)
        self._contents.append(content_of(sender_of(what, value), value.get("text")))
        self.stored.append(0)

    def find(self, identity: int, key: str) -> int | None:
        """The number of the occurrence that a line of the conversation `key` comes from."""
        first = self.numbers.get(identity)
        if first is None:
            return None
        wanted = self._keys.get(key.encode())
        numbers = [first, *self._others.get(first, [])]
        return next((number for number in numbers if self._key_numbers[number] == wanted), None)

    def missing(self) -> list[int]:
        """The first occurrences of messages that no line was stored of."""
        others = self._others
        return [
            number
            for number in self.numbers.values()
            if not self.stored[number] and not any(self.stored[other] for other in others.get(number, ()))
        ]

    def twice(self) -> list[int]:
        """The first occurrences of messages that both of two customers' transcripts have."""
        return [
            first
            for first, others in self._others.items()
            if self.stored[first] + sum(self.stored[other] for other in others) > 1
        ]

    def place(self, number: int) -> Place:
        return self._partitions[number], self._offsets[number]

    def content(self, number: int) -> int:
        return self._contents[number]

    def shown(self, number: int) -> str:
        """`inbound partition 3, offset 17`."""
        return f"inbound {shown(self.place(number))}"
