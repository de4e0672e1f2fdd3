"""A batch: records in, events and refused records out. What a handler sees of the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from schemas import envelope
from schemas.deadletter import Deadletter, Reason
from schemas.envelope import Headers, Kind
from schemas.ids import event_id_text, event_ids
from workers.runtime.identity import FORWARDED_FROM, forwarded_from
from workers.runtime.topology import MAX_BYTES

LARGE_BYTES = 262_144
"""Below this, the key counted twice (it is the subject, too), an event fits every topic."""


@dataclass(slots=True)
class Record:
    """One record of an input topic. `topic` is its short name, e.g. `inbound`; the lane is its partition.

    Not frozen, only for speed: nobody changes it.
    """

    topic: str
    lane: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    no_key: bool = False
    no_value: bool = False
    """Kafka tells what is not there from what is empty; here both are empty."""


class Event(NamedTuple):
    """One record to be published. `partition` none: where murmur2 of the key leads.

    Only a dead letter may have no key or no value, then empty here: it is as what was refused.
    """

    topic: str
    partition: int | None
    key: bytes
    value: bytes
    headers: Headers
    no_key: bool = False
    no_value: bool = False


class EventTooLargeError(Exception):
    """An event that `cause` gives rise to is larger than its topic takes."""

    def __init__(self, cause: Record, topic: str, size_bytes: int) -> None:
        super().__init__(f"an event of {size_bytes} bytes for {topic} is larger than its topic takes")
        self.cause = cause


def size_bytes(key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]) -> int:
    """What a record takes in a record batch, rounded up. A foreign record's header may have no value."""
    return (
        len(key)
        + len(value)
        + sum(len(name.encode()) + len(content or b"") + 10 for name, content in headers)
    )


@dataclass(frozen=True, slots=True)
class TimerDue:
    """A timer of a lane that has come due: to be published to the lane's own input `topic`."""

    lane: int
    topic: str
    id: UUID
    """Of what comes due and when; what is published has its id from this one and from how far its lane is."""
    key: bytes
    kind: Kind
    value: bytes


@dataclass(slots=True)
class Batch:
    """The records of one transaction, in the order in which they take effect.

    `at_ms` gives each record's moment: the log's time, never going back within a lane.
    """

    kind: str
    records: Sequence[Record]
    at_ms: Sequence[int]
    log_ids: Mapping[str, str] = field(default_factory=dict)
    """Kafka's ids of the input topics, by short name: event ids are computed from them."""
    events: dict[int, list[Event]] = field(default_factory=dict)
    rejected: int = 0
    forwarded: int = 0
    cuts: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """By topic and lane: what tells offsets that were given twice, the log having lost its end between."""
    on_emitted: Callable[[], Awaitable[None]] | None = None
    _ordinals: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def emit(
        self, cause: Record, kind: Kind, *, key: bytes, value: bytes, at_ms: int, id_: str | None = None
    ) -> None:
        """Publish `value` as a CloudEvent caused by `cause`, under an id that is equal on every re-execution.

        `id_` for events that name each other: all those of one cause then have their ids from `id_of`.
        """
        headers = envelope.headers(
            kind,
            id_=self._next_id(cause) if id_ is None else id_,
            source=f"tongdai/{self.kind}/{cause.lane}",
            subject=key.decode(),
            time=envelope.time_text(at_ms),
        )
        if len(value) + 2 * len(key) > LARGE_BYTES:
            _check_size(cause, kind.topic, key, value, headers)
        self._add(cause.lane, Event(kind.topic, None, key, value, headers))

    async def emitted(self) -> None:
        """All events are there. A handler that says so before it writes has publishing prepared meanwhile."""
        prepare, self.on_emitted = self.on_emitted, None
        if prepare is not None:
            await prepare()

    def _next_id(self, cause: Record) -> str:
        """The id of the next event that `cause` gives rise to."""
        ordinal_key = (cause.topic, cause.lane, cause.offset)
        ordinal = self._ordinals.get(ordinal_key, 0)
        self._ordinals[ordinal_key] = ordinal + 1
        return self.id_of(cause, ordinal)

    def id_of(self, cause: Record, ordinal: int) -> str:
        """The id of the `ordinal`-th event, from 0, that `cause` gives rise to."""
        return event_id_text(self._log(cause), cause.lane, cause.offset, self.kind, ordinal)

    def ids_of(self, cause: Record) -> Callable[[int], str]:
        """The same of all of them."""
        return event_ids(self._log(cause), cause.lane, cause.offset, self.kind)

    def _log(self, cause: Record) -> str:
        log = self.log_ids.get(cause.topic, cause.topic)
        cut = self.cuts.get((cause.topic, cause.lane)) if self.cuts else None
        return log if cut is None else f"{log} {cut}"

    def reject(self, record: Record, reason: Reason, detail: str) -> None:
        """Put `record` on deadletter as it came, with the reason; it has no other effect.

        Only a record that its producer compressed can be larger than deadletter takes; then it is cut, and
        the whole of it is where the headers say that it came from.
        """
        text = detail.encode(errors="replace").decode()
        letter = Deadletter(
            reason, text, self.kind, record.topic, record.lane, record.offset, record.timestamp_ms
        )
        self._add(record.lane, _cut(record, letter.headers()))
        self.rejected += 1

    def forward(self, record: Record) -> None:
        """Send `record` to the partition where its key belongs; it has no other effect here.

        It goes as it came, with a header that tells from where: by it the lane knows what it has sent on.
        Raises EventTooLargeError when only its producer's compression made it small enough.
        """
        headers = [header for header in record.headers if header[0] != FORWARDED_FROM]
        headers.append(forwarded_from(self.kind, record.topic, record.lane, record.offset))
        _check_size(record, record.topic, record.key, record.value, headers)
        self._add(record.lane, Event(record.topic, None, record.key, record.value, headers))
        self.forwarded += 1

    def _add(self, lane: int, event: Event) -> None:
        self.events.setdefault(lane, []).append(event)


def _check_size(
    cause: Record, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
) -> None:
    size = size_bytes(key, value, headers)
    if size > MAX_BYTES[topic]:
        raise EventTooLargeError(cause, topic, size)


def _cut(record: Record, added: Headers) -> Event:
    """The dead letter of `record`: of what does not fit, its headers go first, then ends of value and key."""
    limit = MAX_BYTES["deadletter"]
    headers = [*record.headers, *added]
    if size_bytes(record.key, b"", headers) > limit:
        headers = added
    key = record.key[: limit - size_bytes(b"", b"", headers)]
    value = record.value[: limit - size_bytes(key, b"", headers)]
    return Event("deadletter", None, key, value, headers, record.no_key, record.no_value)
