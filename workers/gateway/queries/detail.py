"""One conversation: its customer, how things stand, and how they came to."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection
from pydantic import BaseModel

from schemas.base import Moment
from schemas.inbound import Referral
from schemas.orders import OrderStatus
from workers.files.files import Files
from workers.gateway.attachments import KeptFile, kept_picture
from workers.gateway.queries.elsewhere import Elsewhere
from workers.gateway.queries.lines import Line
from workers.gateway.queries.rows import Row, read_rows
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.transcript import read_history
from workers.gateway.queries.where import Where
from workers.wording.word import LanguageCode

PROFILE = """
SELECT name, channel_name, phone, email, birthday, gender, address, user_id, created_at, suggested_phone,
    picture, follows, referral, verified_phone
FROM customer WHERE workspace_id = $1 AND customer_id = $2
"""
STANDS = """
SELECT desk_id, epoch, seq, reason, outcome, held_since, rule_id, audience, offer_expires_at, followers,
    blocked_until, last_holder, last_held_at, transfer, orders
FROM desk_conversation WHERE workspace_id = $1 AND conversation_id = $2
"""
SESSIONS = """
SELECT session, opened_at, ended_at, ended_by, first_position FROM session
WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY session DESC LIMIT 20
"""


class Profile(BaseModel):
    """The customer."""

    name: str | None
    """In our system."""
    channel_name: str | None
    phone: str | None
    email: str | None
    birthday: date | None
    gender: str | None
    address: str | None
    user_id: str
    """The channel's id of him."""
    created_at: Moment
    suggested_phone: str | None
    """A number in what he wrote, which nobody has taken over yet."""
    picture: str | None
    """Its address on the channel, which dies."""
    picture_kept: KeptFile | None
    """The same as it is kept here."""
    follows: bool | None
    """Whether he follows the account, where the channel tells."""
    referral: Referral | None
    """What brought him last: a link, an advertisement."""
    verified_phone: str | None
    """A number that his channel vouches for."""
    elsewhere: tuple[Elsewhere, ...]
    """Customers of other pages who have the same verified number, of those whom I may see: perhaps he."""


class Session(BaseModel):
    """A stretch of the conversation."""

    session: int
    opened_at: Moment
    ended_at: Moment | None
    ended_by: str | None
    first_position: int


class Stands(BaseModel):
    """How things stand, as the desk says."""

    epoch: int
    seq: int
    reason: str | None
    outcome: str | None
    held_since: Moment | None
    rule: str | None
    """That queued or offered it."""
    audience: str | None
    offer_expires_at: Moment | None
    followers: tuple[str, ...]
    blocked_until: Moment | None
    last_holder: str | None
    last_held_at: Moment | None
    transfer: dict[str, Any] | None
    orders: dict[str, OrderStatus]
    """The customer's, by the other system's id; that which changed last comes last."""


class Detail(BaseModel):
    """All that is shown beside the messages."""

    conversation: Row
    profile: Profile
    stands: Stands
    sessions: tuple[Session, ...]
    """The last twenty, the newest first."""
    history: tuple[Line, ...]
    """The last hundred log lines, the newest first: who had it when, and each change of care, with why."""


async def read_detail(
    connection: Connection,
    scope: Scope,
    conversation: UUID,
    language: LanguageCode,
    elsewhere: tuple[Elsewhere, ...],
    files: Files | None,
) -> Detail | None:
    """The conversation; none when the desk does not know it yet. That he may see it has been decided."""
    rows = await read_rows(connection, scope, [conversation])
    if not rows:
        return None
    place = scope.workspace, conversation
    stands = dict(await connection.fetchrow(STANDS, *place))
    where = Where(connection, scope, conversation, stands["desk_id"])
    return Detail(
        conversation=rows[0],
        profile=await _profile(connection, files, place, elsewhere),
        stands=_stands(stands),
        sessions=tuple(Session(**row) for row in await connection.fetch(SESSIONS, *place)),
        history=tuple(await read_history(where, language)),
    )


async def _profile(
    connection: Connection, files: Files | None, place: tuple[str, UUID], elsewhere: tuple[Elsewhere, ...]
) -> Profile:
    row = dict(await connection.fetchrow(PROFILE, *place))
    referral = row["referral"] and orjson.loads(row["referral"])
    picture = row["picture"] and await kept_picture(connection, files, *place, row["picture"])
    return Profile(**row | {"referral": referral, "elsewhere": elsewhere, "picture_kept": picture})


def _stands(row: dict[str, Any]) -> Stands:
    transfer = orjson.loads(row.pop("transfer")) if row["transfer"] else row.pop("transfer")
    row["orders"] = dict(orjson.loads(row["orders"]))
    return Stands(
        rule=row.pop("rule_id"), transfer=transfer, **{k: v for k, v in row.items() if k != "desk_id"}
    )
