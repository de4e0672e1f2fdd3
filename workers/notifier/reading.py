"""Records of the two inputs as values; what cannot be one is refused with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError

from schemas.assignments import ChainEvent
from schemas.catalogue import RECORDS
from schemas.envelope import UnreadableEnvelopeError, read_kind
from schemas.messages import Stored
from workers.notifier.conversation import ConversationRef, Heard
from workers.notifier.recipients import ChainStep
from workers.runtime.batch import Batch, Record
from workers.runtime.refusal import RefusedError, problems

_MODELS: dict[tuple[str, bytes | None], type[Stored | ChainEvent]] = {
    (kind.topic, kind.ce_type.encode()): model
    for kind, model in RECORDS.items()
    if issubclass(model, (Stored, ChainEvent))
}


class Input(NamedTuple):
    """One record that was understood. `at_ms` is the lane's clock, in milliseconds since 1970."""

    record: Record
    at_ms: int
    said: ChainStep | Heard
    ref: ConversationRef


def read(batch: Batch) -> list[Input]:
    """What the batch's records say, in their order; the others are put on deadletter."""
    inputs = []
    for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
        try:
            inputs.append(Input(record, at_ms, *read_record(record)))
        except RefusedError as error:
            batch.reject(record, error.reason, error.detail)
    return inputs


def read_record(record: Record) -> tuple[ChainStep | Heard, ConversationRef]:
    """What one record says, of which conversation.

    Raises RefusedError when it is not one of these two topics'.
    """
    attributes = dict(record.headers)
    model = _MODELS.get((record.topic, attributes.get("ce_type")))
    if model is None:
        raise _refusal(record)
    id_ = _event_id(attributes)
    try:
        value = model.model_validate_json(record.value)
    except ValidationError as error:
        raise RefusedError("unreadable", problems(error)) from error
    if value.key.encode() != record.key:
        raise RefusedError("wrong_key", f"the value's key is {value.key!r}, the record's is another")
    said = Heard(id_, value, record.value) if isinstance(value, Stored) else ChainStep(id_, value)
    return said, (value.workspace, value.conversation)


def _refusal(record: Record) -> RefusedError:
    try:
        kind = read_kind(record.headers, record.topic)
    except UnreadableEnvelopeError as error:
        return RefusedError("unreadable_envelope", str(error))
    return RefusedError("unknown_type", f"{kind.ce_type} is no kind of record that this version knows")


def _event_id(attributes: Mapping[str, bytes]) -> UUID:
    try:
        return UUID(attributes["ce_id"].decode())
    except KeyError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is missing") from error
    except ValueError as error:
        raise RefusedError("unreadable_envelope", "the header ce_id is no UUID") from error
