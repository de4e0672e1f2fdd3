"""How Postgres is reached."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, SecretStr

from config.section import PositiveSeconds, Secret, Section

SynchronousCommit = Literal["on", "remote_apply", "remote_write", "local", "off"]

MASK = "**********"


def _check_dsn(value: SecretStr) -> SecretStr:
    """Refuse what is not a URI that both asyncpg and psycopg read."""
    try:
        parts = urlsplit(value.get_secret_value())
        _ = parts.port  # raises when it is no number
    except ValueError as error:
        raise ValueError("is not a URI: check its host and port") from error
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            "must be a URI such as postgresql://user:password@host:5432/database?sslmode=verify-full"
        )
    if not parts.path.strip("/"):
        raise ValueError("names no database: end the host with /database")
    return value


class PostgresSettings(Section):
    """Postgres: address, deadlines, durability. TLS options stand in the DSN (`sslmode`, …)."""

    dsn: Annotated[Secret, AfterValidator(_check_dsn)] = SecretStr(
        "postgresql://tongdai@127.0.0.1:5432/tongdai"
    )
    connect_timeout_s: PositiveSeconds = 10.0
    command_timeout_s: PositiveSeconds = 30.0
    synchronous_commit: SynchronousCommit = "on"

    @property
    def is_named(self) -> bool:
        """Whether somebody named the server; otherwise the address is only a guess and may be embedded."""
        return "dsn" in self.model_fields_set

    @property
    def masked_dsn(self) -> str:
        """The DSN fit for printing: without its password, wherever it stands."""
        return mask_dsn(self.dsn.get_secret_value())


def mask_dsn(dsn: str) -> str:
    """Return a DSN with the password replaced, both before the host and among the query's parameters."""
    parts = urlsplit(dsn)
    netloc = parts.netloc
    user_part, at, host = netloc.rpartition("@")
    if at and ":" in user_part:
        netloc = f"{user_part.partition(':')[0]}:{MASK}@{host}"
    query = "&".join(_mask_parameter(parameter) for parameter in parts.query.split("&"))
    return parts._replace(netloc=netloc, query=query).geturl()


def _mask_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}={quote(MASK, safe='*')}" if equals and "password" in name.lower() else parameter
