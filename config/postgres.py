"""How Postgres is reached."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import AfterValidator, SecretStr

from config.section import PositiveSeconds, Secret, Section

SynchronousCommit = Literal["on", "remote_apply", "remote_write", "local", "off"]

MASK = "**********"


_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]*)(:\d{1,5})?")


def _check_dsn(value: SecretStr) -> SecretStr:
    """Refuse what asyncpg or psycopg would not read, or what could not be masked surely."""
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be a URI such as postgresql://user:password@host:5432/database")
    if "@" in parts.path or parts.fragment:
        raise ValueError("has a / or # inside its user or password: write them as %2F and %23")
    if not all(_HOST.fullmatch(host) for host in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("has something else than host:port after its user: check hosts and ports")
    if not parts.path.strip("/"):
        raise ValueError("names no database: end it with /database")
    return value


class PostgresSettings(Section):
    """Of every process: Postgres's address, deadlines, durability. TLS stands in the DSN (`sslmode`, …)."""

    dsn: Annotated[Secret, AfterValidator(_check_dsn)] = SecretStr(
        "postgresql://tongdai@127.0.0.1:5432/tongdai"
    )
    """`postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=…`. Unset, `tongdai
    up` and `demo` bring theirs."""
    connect_timeout_s: PositiveSeconds = 10.0
    """For a new connection."""
    command_timeout_s: PositiveSeconds = 30.0
    """For one statement; the server itself gives it up a tenth earlier."""
    synchronous_commit: SynchronousCommit = "on"
    """What a commit waits for; production refuses less than `on`."""

    @property
    def is_named(self) -> bool:
        """Whether somebody named the server; otherwise the address is only a guess and may be embedded."""
        return "dsn" in self.model_fields_set

    @property
    def checks_server(self) -> bool:
        """Whether the connection is encrypted, and only to a server whose certificate is known."""
        modes = parse_qs(urlsplit(self.dsn.get_secret_value()).query).get("sslmode", [])
        return bool(modes) and modes[-1] in {"verify-ca", "verify-full"}

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
    return f"{parts.scheme}://{netloc}{parts.path}" + (f"?{query}" if query else "")


def _mask_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}={quote(MASK, safe='*')}" if equals and "password" in name.lower() else parameter
