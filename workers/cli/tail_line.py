"""One record of assignments, messages or roster as one line for people, or as JSON for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from config.printable import printable, printable_json
from schemas.envelope import header
from workers.cli.printable import shortened

TEXT_CHARS_MAX = 160


@dataclass(frozen=True, slots=True)
class Seen:
    """A record whose value is a JSON object; `what` is its kind, such as `assigned`."""

    record: ConsumerRecord
    what: str
    value: dict[str, Any]

    def json(self) -> str:
        """Where it is, what it is and all it says, on one line."""
        record = self.record
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        id_ = (header(record.headers, "ce_id") or b"").decode(errors="replace")
        said = {**place, "id": id_, "what": self.what, "value": self.value}
        return printable_json(orjson.dumps(said).decode())

    def text(self) -> str:
        """The moment, the conversation or desk, and what happened in it."""
        value = self.value
        at = value.get("at") or value.get("stored_at") or _moment(self.record.timestamp)
        tell = _message if self.what == "stored" else _event if "key" in value else _roster
        where = value.get("key", value.get("desk"))
        return printable(f"{at}  {value.get('workspace')}  {where}  ") + tell(self.what, value)


def see(record: ConsumerRecord) -> Seen | None:
    """The record read; none when its value is no JSON object."""
    try:
        value = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    kind = (header(record.headers, "ce_type") or b"?").decode(errors="replace")
    return Seen(record, kind.removesuffix(".v1").rpartition(".")[2], value)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person wants to see; what is not given does not restrict."""

    workspace: str | None = None
    page: str | None = None
    agent: str | None = None
    conversation: str | None = None

    def wants(self, value: dict[str, Any]) -> bool:
        """Whether a record with this value is to be shown.

        An agent is found as holder, former holder or sender, also in log lines, and in events of his own; a
        conversation by id or key.
        """
        if self.workspace not in {None, value.get("workspace")}:
            return False
        if self.page not in {None, _id(value.get("page"))}:
            return False
        if self.conversation not in {None, value.get("conversation"), value.get("key")}:
            return False
        return self.agent is None or self.agent in _agents(value)


def _agents(value: dict[str, Any]) -> set[Any]:
    params = value.get("params") or {}
    sender = value.get("sender_id") if value.get("sender") == "agent" else None
    return {
        value.get("holder"),
        value.get("former_holder"),
        _id(value.get("agent")),
        sender,
        *(params.get(name) for name in ("agent", "former")),
    }


def _id(named: Any) -> Any:  # noqa: ANN401  what somebody has put there
    """The roster names whole agents, departments, pages and rules."""
    return named.get("id") if isinstance(named, dict) else named


def _roster(what: str, value: dict[str, Any]) -> str:
    whose = next((_id(value[name]) for name in ("agent", "department", "page", "rule") if name in value), "")
    became = "removed" if value.get("removed") else value.get("presence", "")
    return printable(" ".join(filter(None, (f"v{value.get('version')}", what, str(whose), str(became)))))


def _event(what: str, value: dict[str, Any]) -> str:
    parts = [f"#{value.get('seq')}", what]
    if what == "assigned":
        parts.append(f"to {value.get('holder')}")
        if value.get("former_holder"):
            parts.append(f"from {value['former_holder']}")
        why = value.get("why") or {}
        parts.append(f"by rule {why.get('rule')} v{why.get('rule_version')} ({why.get('method')})")
    elif value.get("holder"):
        parts.append(f"held by {value['holder']}")
    if what == "queued":
        parts.append(f"under rule {value.get('rule')}")
    if what == "offered":
        parts.append(f"to {value.get('audience')}")
    parts.append(f"session {value.get('session')}, epoch {value.get('epoch')}, {value.get('care')}")
    return printable(" ".join(parts))


def _message(_what: str, value: dict[str, Any]) -> str:
    sender = value.get("sender_id") or value.get("sender")
    return printable(f"@{value.get('position')} {sender}: ") + shortened(_said(value), TEXT_CHARS_MAX)


def _said(value: dict[str, Any]) -> str:
    if value.get("kind") == "log":
        return f"[{value.get('code')}] {orjson.dumps(value.get('params') or {}).decode()}"
    attachments = [f"[{each.get('type')}]" for each in value.get("attachments") or ()]
    return " ".join([*([value["text"]] if value.get("text") else []), *attachments])


def _moment(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
