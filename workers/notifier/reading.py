"""Records of the inputs as values; what cannot be one is refused with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from schemas.assignments import ChainEvent
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.messages import Read, Returned, Stored
from schemas.receipts import Delivery, PageStands
from workers.notifier.conversation import Back, ConversationRef, Failed, Heard, Marked, Paged
from workers.notifier.recipients import ChainStep
from workers.runtime.batch import Batch, Record
from workers.runtime.refusal import RefusedError, kind_of, value_of

_MODELS: dict[tuple[str, bytes | None], type[Stored | Read | Returned | ChainEvent]] = {
    (kind.topic, kind.ce_type.encode()): model
    for kind, model in RECORDS.items()
    if issubclass(model, (Stored, Read, Returned, ChainEvent))
}
_DELIVERY = Kind("receipts", "delivery").ce_type.encode()
_PAGE_STANDS = Kind("receipts", "page_stands").ce_type.encode()
_FAILED = b'"failed"'
"""Most of what receipts tell is no failure: only what has this word is read."""
_OF_OTHERS = {
    (kind.topic, kind.ce_type.encode())
    for kind in RECORDS
    if kind.topic in {"assignments", "messages"} and (kind.topic, kind.ce_type.encode()) not in _MODELS
}
"""What is said to others on the same topics, and is nobody's notice."""


Said = ChainStep | Heard | Marked | Back | Failed | Paged


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
        return _of_receipts(record)
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


def _of_receipts(record: Record) -> tuple[Failed | Paged, ConversationRef] | None:
    """The answer that has failed, or how a page stands; none: it speaks of something else."""
    attributes = dict(record.headers)
    try:
        said = _failed_or_paged(attributes, record.value)
    except RefusedError:
        return None
    if said is None:
        return None
    about = said.delivery if isinstance(said, Failed) else said.stands
    return (said, (about.workspace, about.conversation)) if about.key.encode() == record.key else None


def _failed_or_paged(attributes: Mapping[str, bytes], value: bytes) -> Failed | Paged | None:
    type_ = attributes.get("ce_type")
    if type_ == _PAGE_STANDS:
        return Paged(_event_id(attributes), value_of(PageStands, value))
    if type_ != _DELIVERY or _FAILED not in value:
        return None
    failed = Failed(_event_id(attributes), value_of(Delivery, value))
    return failed if failed.delivery.state == "failed" else None


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
        case Paged():
            return said.stands.page
    return said.event.page


def _event_id(attributes: Mapping[str, bytes]) -> UUID:
    try:
        return UUID(attributes["ce_id"].decode())
    except KeyError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is missing") from error
    except ValueError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is no UUID") from error
