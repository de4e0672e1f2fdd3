"""From a record on commands to the command, or to the reason why it is refused."""

from __future__ import annotations

from schemas.catalogue import RECORDS
from schemas.commands import Command
from schemas.envelope import Kind
from schemas.ids import desk_key
from workers.routing.desk.decide import DECISIONS
from workers.runtime.batch import Record
from workers.runtime.refusal import RefusedError, kind_of, value_of

INPUTS = ("commands",)

_COMMANDS: dict[Kind, type[Command]] = {
    kind: model for kind, model in RECORDS.items() if issubclass(model, Command) and model in DECISIONS
}


def read(record: Record) -> Command:
    """The command of `record`, which is of the desk that its key names.

    Raises RefusedError when the envelope, the value or the key is not what the schema says.
    """
    kind = kind_of(record.headers, record.topic)
    model = _COMMANDS.get(kind)
    if model is None:
        raise RefusedError("unknown_type", f"no desk knows the command {kind.what[:100]!r}")
    command = value_of(model, record.value)
    if desk_key(command.workspace, command.desk).encode() != record.key:
        raise RefusedError("wrong_key", "the record's key is not workspace:desk of its value")
    return command
