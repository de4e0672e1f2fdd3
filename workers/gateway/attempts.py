"""Guessing at passwords is slowed down: by account, and by address."""

from __future__ import annotations

from workers.channels.rate_limit import bucket_of
from workers.runtime.handler import Connection

FREE_OF_LOGIN = 4
"""So many wrong passwords in a row cost nothing."""
FREE_OF_ADDRESS = 30
"""Many people sit behind one address of their company."""
WAIT_FIRST_S = 1.0
WAIT_LAST_S = 900.0
FORGOTTEN_AFTER = "1 day"

# Counted before the password is looked at: of attempts that come together each counts.
COUNT = """
INSERT INTO sign_in_attempt AS known (workspace_id, subject, failures, last_at)
VALUES ($1, $2, 1, now())
ON CONFLICT (workspace_id, subject) DO UPDATE SET
    failures = CASE WHEN known.last_at < now() - $3::text::interval THEN 1 ELSE known.failures + 1 END,
    last_at = now()
WHERE known.last_at + make_interval(secs => least($6::float8,
    CASE WHEN known.failures < $4 THEN 0
        ELSE $5::float8 * power(2, least(known.failures - $4, 30)) END)) <= now()
RETURNING failures
"""
WAIT = """
SELECT failures, extract(epoch FROM now() - last_at)::float8 FROM sign_in_attempt
WHERE workspace_id = $1 AND subject = $2
"""
CLEAR = "DELETE FROM sign_in_attempt WHERE workspace_id = $1 AND subject = $2"
UNCOUNT = """
UPDATE sign_in_attempt SET failures = greatest(failures - 1, 0) WHERE workspace_id = $1 AND subject = $2
"""
FORGET = "DELETE FROM sign_in_attempt WHERE last_at < now() - $1::text::interval"


def wait_s(failures: int, free: int) -> float:
    """How long after the last of so many failures the next attempt is taken, in seconds."""
    return 0.0 if failures < free else min(WAIT_LAST_S, WAIT_FIRST_S * 2.0 ** min(failures - free, 30))


async def begin_attempt(connection: Connection, workspace: str, login: str, address: str) -> float:
    """Count an attempt. Returns 0; or this one is not looked at, and the next is taken in so many seconds."""
    subjects = ((*_of_address(address), FREE_OF_ADDRESS), (workspace, f"login:{login}", FREE_OF_LOGIN))
    for place, subject, free in subjects:
        limits = (FORGOTTEN_AFTER, free, WAIT_FIRST_S, WAIT_LAST_S)
        if await connection.fetchval(COUNT, place, subject, *limits) is None:
            failures, since_s = await connection.fetchrow(WAIT, place, subject) or (0, 0.0)
            return max(wait_s(failures, free) - since_s, 0.1)
    return 0.0


async def attempt_succeeded(connection: Connection, workspace: str, login: str, address: str) -> None:
    """This was the right one: forget the account's failures, and that its address tried once."""
    await connection.execute(CLEAR, workspace, f"login:{login}")
    await connection.execute(UNCOUNT, *_of_address(address))


async def forget_attempts(connection: Connection) -> None:
    """Drop what is older than a day."""
    await connection.execute(FORGET, FORGOTTEN_AFTER)


def _of_address(address: str) -> tuple[str, str]:
    """Of no workspace: whoever guesses may name any."""
    return "", f"address:{bucket_of(address)}"
