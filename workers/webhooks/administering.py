"""What admins do with endpoints.

Each change raises the term: the worker that leases the endpoint lets go, and whoever claims it next reads it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from config.errors import TongdaiError
from config.settings import Settings
from workers.outside.guard import RefusedUrlError, check_url
from workers.runtime.handler import Connection
from workers.webhooks.endpoint import (
    ENDPOINTS_MAX,
    Attempt,
    Created,
    Endpoint,
    From,
    NewEndpoint,
    Secret,
    endpoint_of,
)
from workers.webhooks.selection import EVENTS, topics_of
from workers.webhooks.signing import Keys, UnknownKeyError

FORMER_SECRET_S = 24 * 60 * 60

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('webhooks of ' || $1, 0))"
ADD = """
INSERT INTO webhook_endpoint
    (workspace_id, endpoint_id, url, description, events, created_by, key_id, salt, start)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
READ = """
SELECT e.endpoint_id AS id, url, events, description, state, why, created_by, created_at,
    CASE WHEN former_until > now() THEN former_until END AS former_secret_until,
    delivered_at, failures, failing_since, retry_at, behind, waiting_since,
    (SELECT coalesce(jsonb_object_agg(topic, offsets), '{}') FROM webhook_position p
     WHERE p.workspace_id = $1 AND p.endpoint_id = e.endpoint_id) AS positions,
    (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY topic, partition), '[]') FROM webhook_stuck s
     WHERE s.workspace_id = $1 AND s.endpoint_id = e.endpoint_id) AS stuck
FROM webhook_endpoint e WHERE workspace_id = $1 AND ($2::text IS NULL OR endpoint_id = $2)
ORDER BY endpoint_id
"""
REMOVE = "DELETE FROM webhook_endpoint WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING true"
PAUSE = """
UPDATE webhook_endpoint SET state = 'paused', why = $3, term = term + 1, changed_at = now()
WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING true
"""
RESUME = """
UPDATE webhook_endpoint SET state = 'active', why = '', failures = 0, failing_since = NULL, retry_at = NULL,
    term = term + 1, changed_at = now()
WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING true
"""
REPLAY = """
UPDATE webhook_endpoint SET start = $3, term = term + 1, changed_at = now()
WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING events
"""
FREE = "DELETE FROM webhook_stuck WHERE workspace_id = $1 AND endpoint_id = $2"
ROTATE = """
UPDATE webhook_endpoint SET former_key_id = key_id, former_salt = salt, former_until = now() + $5,
    key_id = $3, salt = $4, term = term + 1, changed_at = now()
WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING former_until
"""
TEST = """
UPDATE webhook_endpoint SET test_asked = true
WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING now()
"""
ATTEMPTS = """
SELECT at, event_id AS event, event_type AS type, topic, partition, record AS "offset", status, error, took_ms
FROM webhook_attempt WHERE workspace_id = $1 AND endpoint_id = $2 ORDER BY attempt_id DESC LIMIT $3
"""


class WebhookError(TongdaiError):
    """What was asked of webhooks is refused; `code` is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Webhooks:
    """The endpoints of workspaces, for their admins.

    Args:
        settings: where they may lead, and whether without TLS: only outside production.
        keys: from which their secrets are computed.

    All methods take the connection to use, raise WebhookError, and what Postgres raises.
    """

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._https_only = settings.profile == "production"
        self._allowed = settings.webhooks.allow_networks
        self._keys = keys

    async def add(self, connection: Connection, workspace: str, new: NewEndpoint, by: str) -> Created:
        """Make an endpoint; `by` is who asks for it."""
        self._check(new)
        salt = self._draw()
        start = start_text(new.from_, await connection.fetchval("SELECT now()"), new.events, is_new=True)
        async with connection.transaction():
            await connection.execute(LOCK, workspace)
            known = [one.id for one in await self.all(connection, workspace)]
            if new.id in known:
                raise WebhookError(
                    "webhook_exists", f"There is an endpoint {new.id} already: remove it first."
                )
            if len(known) >= ENDPOINTS_MAX:
                raise WebhookError("too_many_webhooks", f"A workspace has at most {ENDPOINTS_MAX} endpoints.")
            values = (new.url, new.description, list(dict.fromkeys(new.events)), by, *salt, start)
            await connection.execute(ADD, workspace, new.id, *values)
        return Created(endpoint=await self.one(connection, workspace, new.id), secret=self._keys.secret(salt))

    async def all(self, connection: Connection, workspace: str) -> list[Endpoint]:
        """All endpoints of a workspace."""
        return [endpoint_of(row) for row in await connection.fetch(READ, workspace, None)]

    async def one(self, connection: Connection, workspace: str, id_: str) -> Endpoint:
        """One endpoint."""
        return endpoint_of(_known(await connection.fetchrow(READ, workspace, id_), workspace, id_))

    async def remove(self, connection: Connection, workspace: str, id_: str) -> None:
        """Forget an endpoint, with its place in the log."""
        _known(await connection.fetchval(REMOVE, workspace, id_), workspace, id_)

    async def pause(self, connection: Connection, workspace: str, id_: str, by: str) -> None:
        """Tell it nothing until it is resumed; it keeps its place."""
        _known(await connection.fetchval(PAUSE, workspace, id_, f"by {by}"), workspace, id_)

    async def resume(self, connection: Connection, workspace: str, id_: str) -> None:
        """Go on where it stands, at once."""
        async with connection.transaction():
            _known(await connection.fetchval(RESUME, workspace, id_), workspace, id_)
            await connection.execute(FREE, workspace, id_)

    async def replay(self, connection: Connection, workspace: str, id_: str, from_: From) -> None:
        """Go on from another place, earlier or later."""
        async with connection.transaction():
            now = await connection.fetchval("SELECT now()")
            endpoint = await self.one(connection, workspace, id_)
            start = start_text(from_, now, endpoint.events, is_new=False)
            _known(await connection.fetchval(REPLAY, workspace, id_, start), workspace, id_)
            await connection.execute(FREE, workspace, id_)

    async def rotate(self, connection: Connection, workspace: str, id_: str) -> Secret:
        """Draw another secret; the one it has signs for another day."""
        salt = self._draw()
        validity = timedelta(seconds=FORMER_SECRET_S)
        until = _known(await connection.fetchval(ROTATE, workspace, id_, *salt, validity), workspace, id_)
        return Secret(secret=self._keys.secret(salt), former_secret_until=until)

    async def test(self, connection: Connection, workspace: str, id_: str) -> datetime:
        """Have a worker send a test event, to be found among the attempts; returns when that was asked."""
        asked_at: datetime = _known(await connection.fetchval(TEST, workspace, id_), workspace, id_)
        return asked_at

    async def attempts(self, connection: Connection, workspace: str, id_: str, limit: int) -> list[Attempt]:
        """Its last attempts, the newest first."""
        await self.one(connection, workspace, id_)
        return [
            Attempt.model_validate(dict(row))
            for row in await connection.fetch(ATTEMPTS, workspace, id_, limit)
        ]

    def _check(self, new: NewEndpoint) -> None:
        unknown = [event for event in new.events if event not in EVENTS]
        if unknown:
            known = ", ".join(EVENTS)
            raise WebhookError(
                "unknown_event", f"There is no event {unknown[0]}; these can be chosen: {known}."
            )
        try:
            check_url(new.url, https_only=self._https_only, allowed=self._allowed)
        except RefusedUrlError as error:
            raise WebhookError("refused_url", str(error)) from error

    def _draw(self) -> Any:  # noqa: ANN401 - a Salt
        try:
            return self._keys.draw()
        except UnknownKeyError as error:
            raise WebhookError("webhooks_off", f"Webhooks cannot be signed here: {error}.") from error


def start_text(from_: From, now: datetime, events: tuple[str, ...], *, is_new: bool) -> str:
    """What the column `start` says: `at_ms`, none for where it stands, and `positions` beside it."""
    match from_:
        case "beginning":
            at_ms: int | None = 0
        case "now":
            at_ms = round(now.timestamp() * 1000)
        case datetime():
            at_ms = max(0, round(from_.timestamp() * 1000))
        case _:
            at_ms = round(now.timestamp() * 1000) if is_new else None
    positions = from_ if isinstance(from_, dict) else {}
    strange = [topic for topic in positions if topic not in topics_of(events)]
    if strange:
        raise WebhookError("unknown_position", f"This endpoint is told nothing of the topic {strange[0]}.")
    named = {topic: {str(one): offset for one, offset in of.items()} for topic, of in positions.items()}
    return orjson.dumps({"at_ms": at_ms, "positions": named}).decode()


def _known(found: Any, workspace: str, id_: str) -> Any:  # noqa: ANN401 - what was found
    if found is None:
        raise WebhookError("unknown_webhook", f"There is no endpoint {id_} in {workspace}.")
    return found
