"""Records of the inputs as values; what cannot be one is refused with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from schemas.assignments import ChainEvent
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.messages import Read, Returned, Stored
from schemas.receipts import Delivery
from workers.notifier.conversation import Back, ConversationRef, Failed, Heard, Marked
from workers.notifier.recipients import ChainStep
from workers.runtime.batch import Batch, Record
from workers.runtime.refusal import RefusedError, kind_of, value_of

_MODELS: dict[tuple[str, bytes | None], type[Stored | Read | Returned | ChainEvent]] = {
    (kind.topic, kind.ce_type.encode()): model
    for kind, model in RECORDS.items()
    if issubclass(model, (Stored, Read, Returned, ChainEvent))
}
_DELIVERY = Kind("receipts", "delivery").ce_type.encode()
_FAILED = b'"failed"'
"""Most of what receipts tell is no failure: only what has this word is read."""
_OF_OTHERS = {
    (kind.topic, kind.ce_type.encode())
    for kind in RECORDS
    if kind.topic in {"assignments", "messages"} and (kind.topic, kind.ce_type.encode()) not in _MODELS
}
"""What is said to others on the same topics, and is nobody's notice."""


Said = ChainStep | Heard | Marked | Back | Failed


class Input(NamedTuple):
    """One record that was understood. `at_ms` is the lane's clock, in milliseconds since 1970."""

    record: Record
    at_ms: int
    said: Said
    ref: ConversationRef


def read(batch: Batch) -> list[Input]:
    """What the batch's records say, in their order; the others are put on deadletter."""
    inputs = []
    for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
        try:
            said = read_record(record)
            if said is not None:
                inputs.append(Input(record, at_ms, *said))
        except RefusedError as error:
            batch.reject(record, error.reason, error.detail)
    return inputs


def read_record(record: Record) -> tuple[Said, ConversationRef] | None:
    """What one record says, of which conversation; none: it is not for the notifier.

    Raises RefusedError when it is not one of assignments or messages; on receipts that is for delivery to do.
    """
    if record.topic == "receipts":
        return _failed(record)
    attributes = dict(record.headers)
    kind = record.topic, attributes.get("ce_type")
    model = _MODELS.get(kind)
    if model is None:
        if kind in _OF_OTHERS:
            return None
        unknown = kind_of(record.headers, record.topic)
        raise RefusedError("unknown_type", f"{unknown.ce_type} is no kind of record that this version knows")
    id_ = _event_id(attributes)
    value = value_of(model, record.value)
    if value.key.encode() != record.key:
        raise RefusedError("wrong_key", f"the value's key is {value.key!r}, the record's is another")
    return _said(id_, value, record.value), (value.workspace, value.conversation)


def _said(
    id_: UUID, value: Stored | Read | Returned | ChainEvent, text: bytes
) -> ChainStep | Heard | Marked | Back:
    if isinstance(value, Stored):
        return Heard(id_, value, text)
    if isinstance(value, Returned):
        return Back(id_, value)
    return Marked(id_, value) if isinstance(value, Read) else ChainStep(id_, value)


def _failed(record: Record) -> tuple[Failed, ConversationRef] | None:
    """The answer that has failed; none: it speaks of something else."""
    attributes = dict(record.headers)
    if attributes.get("ce_type") != _DELIVERY or _FAILED not in record.value:
        return None
    try:
        id_, delivery = _event_id(attributes), value_of(Delivery, record.value)
    except RefusedError:
        return None
    if delivery.state != "failed" or delivery.key.encode() != record.key:
        return None
    return Failed(id_, delivery), (delivery.workspace, delivery.conversation)


def page_of(said: Said) -> str:
    """The page of the conversation that is spoken of."""
    match said:
        case Heard():
            return said.message.page
        case Marked():
            return said.read.page
        case Back():
            return said.returned.page
        case Failed():
            return said.delivery.page
    return said.event.page


def _event_id(attributes: Mapping[str, bytes]) -> UUID:
    try:
        return UUID(attributes["ce_id"].decode())
    except KeyError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is missing") from error
    except ValueError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is no UUID") from error
