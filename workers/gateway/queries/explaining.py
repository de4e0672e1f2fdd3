"""Why a conversation is where it is, in words: how it stands, and the decisions that led there.

Told from the desk's last state and from the log lines of the transcript, which name rule, version, method and
who decided: reads by index. Cursors and who was passed over are in the events alone: see `tongdai explain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection
from pydantic import BaseModel

from schemas.base import rfc3339
from workers.gateway.queries.lines import Line
from workers.gateway.queries.names import read_names
from workers.gateway.queries.rows import waits_since
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.transcript import read_history
from workers.gateway.queries.where import Where
from workers.wording.names import Names
from workers.wording.word import LanguageCode

STANDS = """
SELECT d.standing, d.holder, d.held_since, d.queued_at, d.last_held_at, d.audience, d.ring,
    d.offer_expires_at, d.session_open, d.blocked, d.quiet_until, d.desk_id, d.rule_id, r.version
FROM desk_conversation d
LEFT JOIN desk_rule r ON r.workspace_id = d.workspace_id AND r.desk_id = d.desk_id AND r.rule_id = d.rule_id
WHERE d.workspace_id = $1 AND d.conversation_id = $2
"""

_SENTENCES: dict[LanguageCode, dict[str, str]] = {
    "vi": {
        "held": "{agent} đang phụ trách, từ {since}.",
        "queued": "Đang chờ nhân viên theo quy tắc “{rule}” (bản {version}), từ {since}.",
        "offered.page": "Đang chờ một nhân viên của trang nhận, từ {since}.",
        "offered.rule": "Đang chờ một nhân viên của quy tắc “{rule}” nhận, từ {since}.",
        "offered.ring": "Đang chờ một nhân viên của quy tắc “{rule}” (nhóm {ring}) nhận, từ {since}.",
        "offered.admins": "Đang chờ quản trị trang chỉ định, từ {since}.",
        "blocked": "Khách hàng đang bị chặn nên không ai được giao.",
        "quiet": "Có người trả lời khách ngoài hệ thống, không giao cho ai trước {until}.",
        "idle": "Không có phiên chat nào đang mở, phiên tiếp theo sẽ được giao.",
        "undecided": "Phiên chat đang mở nhưng bàn phân công chưa quyết định.",
        "aged": "Thứ tự chờ tính từ {aged}, trước đó đã có người phụ trách.",
        "expires": "Đến {until} mà chưa ai nhận thì chuyển sang nhóm tiếp theo.",
    },
    "en": {
        "held": "{agent} has it, since {since}.",
        "queued": "It waits for an agent of the rule “{rule}” (version {version}), since {since}.",
        "offered.page": "It waits for an agent of its page to take it, since {since}.",
        "offered.rule": "It waits for an agent of the rule “{rule}” to take it, since {since}.",
        "offered.ring": "It waits for an agent of the rule “{rule}” (ring {ring}) to take it, since {since}.",
        "offered.admins": "It waits for an admin of its page to appoint somebody, since {since}.",
        "blocked": "Its customer is blocked: nobody is given it.",
        "quiet": "Somebody answers the customer outside: nobody is given it before {until}.",
        "idle": "No session is open: the next one will be given to somebody.",
        "undecided": "A session is open, and the desk has not decided yet.",
        "aged": "Its place in the queue is of its age, since {aged}: meanwhile somebody had it.",
        "expires": "If nobody has taken it by {until}, it goes on to the next ring.",
    },
}


class Explanation(BaseModel):
    """Why it is where it is."""

    stands: tuple[str, ...]
    """How it stands now, in sentences."""
    decisions: tuple[Line, ...]
    """What led there, the last first; each names its rule, version, method and who decided in `params`."""


async def explain(
    connection: Connection, scope: Scope, conversation: UUID, language: LanguageCode
) -> Explanation | None:
    """The explanation; none when the desk does not know it yet. That he may see it has been decided."""
    row = await connection.fetchrow(STANDS, scope.workspace, conversation)
    if row is None:
        return None
    names = await read_names(connection, scope.workspace, row["desk_id"])
    history = await read_history(Where(connection, scope, conversation, row["desk_id"]), language)
    return Explanation(stands=tuple(standing(row, names, language)), decisions=tuple(history))


def standing(row: Mapping[str, Any], names: Names, language: LanguageCode) -> list[str]:
    """How a row of STANDS stands, in sentences."""
    sentences = _SENTENCES[language]
    since = row["held_since"] if row["standing"] == "held" else waits_since(row)
    said = {
        "agent": names.agents.get(row["holder"], row["holder"]),
        "since": _time(since),
        "rule": names.rules.get(row["rule_id"], row["rule_id"]),
        "version": row["version"],
        "ring": row["ring"] + 1,
    }
    found = [sentences[_key(row)].format(**said, until=_time(row["quiet_until"]))]
    if row["standing"] == "queued" and since != row["queued_at"]:
        found.append(sentences["aged"].format(aged=_time(row["queued_at"])))
    if row["offer_expires_at"] is not None:
        found.append(sentences["expires"].format(until=_time(row["offer_expires_at"])))
    return found


def _key(row: Mapping[str, Any]) -> str:
    if row["standing"] == "offered":
        kind = row["audience"].partition(":")[0]
        return "offered.ring" if row["ring"] else f"offered.{kind}"
    if row["standing"] != "idle":
        return str(row["standing"])
    if row["blocked"]:
        return "blocked"
    if row["quiet_until"] is not None:
        return "quiet"
    return "undecided" if row["session_open"] else "idle"


def _time(at: datetime | None) -> str:
    return "?" if at is None else rfc3339(at)
