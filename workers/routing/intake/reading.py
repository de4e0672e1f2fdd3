"""From a record to a checked value, or to the reason why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from pydantic import BaseModel, GetCoreSchemaHandler, TypeAdapter, ValidationError, create_model
from pydantic_core import CoreSchema, core_schema

from schemas.actions import Action, SessionTimer, SilenceTimer
from schemas.assignments import ChainEvent, ReplyRefused
from schemas.catalogue import RECORDS
from schemas.ids import conversation_id
from schemas.inbound import Edit, InboundRecord, InboundUtterance, Left, Other, Profile, Reaction, Returned
from workers.runtime.batch import Record
from workers.runtime.refusal import RefusedError, kind_of, problems

INPUTS = ("assignments", "actions", "inbound")

Timer = SessionTimer | SilenceTimer
ToldValue = ChainEvent | ReplyRefused | Timer | Action
"""What concerns a conversation that must be known."""
Gesture = Reaction | Edit | Profile | Left | Returned
"""What a customer does beside writing."""
Effective = ToldValue | InboundUtterance | Gesture
"""What changes something."""
Value = Effective | Other
Reader = Callable[[bytes], Value]


class _Unbuilt:
    """Accepts anything and builds nothing of it: a channel's own event is large and nobody here reads it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        nothing = core_schema.none_schema()
        return core_schema.with_default_schema(nothing, default=None, on_error="default")


def _reader_of(model: type[BaseModel]) -> Reader:
    if issubclass(model, InboundRecord):
        model = create_model(model.__name__, __base__=model, raw=(_Unbuilt, None))
    return cast("Reader", TypeAdapter(model).validate_json)


_READERS: dict[tuple[str, bytes], Reader] = {
    (kind.topic, kind.ce_type.encode()): _reader_of(model)
    for kind, model in RECORDS.items()
    if kind.topic in INPUTS
}


def read(record: Record) -> Value:
    """The value of `record`, which is its key's.

    Raises RefusedError when the envelope, the value or the key is not what the schema says.
    """
    try:
        value = _reader(record)(record.value)
    except ValidationError as error:
        raise RefusedError("unreadable", problems(error)) from error
    if not _has_key(value, record.key):
        raise RefusedError("wrong_key", "the record's key is not channel:account:user of its value")
    return value


def _reader(record: Record) -> Reader:
    for name, content in record.headers:
        if name == "ce_type":
            reader = _READERS.get((record.topic, content))
            if reader is not None:
                return reader
            break
    kind = kind_of(record.headers, record.topic)
    raise RefusedError("unknown_type", f"nothing called {kind.what[:100]!r} is known on {record.topic}")


def _has_key(value: Value, key: bytes) -> bool:
    if isinstance(value, SessionTimer | SilenceTimer | Action):
        # Of an action the key inside says nothing more: it names the conversation, too.
        return conversation_id(key.decode(errors="replace")) == value.conversation
    return value.key.encode() == key
