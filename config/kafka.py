"""How Kafka is reached, and what its topics are made with."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from aiokafka.helpers import create_ssl_context
from pydantic import AfterValidator, Field

from config.section import Milliseconds, PositiveInt, Secret, Section

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")


def _check_servers(value: str) -> str:
    """Refuse what is not `host:port[,host:port…]`; return it without blanks."""
    servers = [server.strip() for server in value.split(",")]
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None or not 0 < int(match[2]) <= 65_535:
            raise ValueError(f"has {server!r} where host:port is expected; separate several with commas")
    return ",".join(servers)


class KafkaSettings(Section):
    """Of every process: Kafka's servers, how they are spoken to, what topics are made with."""

    bootstrap_servers: Annotated[str, AfterValidator(_check_servers)] = "127.0.0.1:9092"
    """Brokers to begin with, `host:port`, with commas. Unset, `tongdai up` and `demo` bring theirs."""
    security_protocol: SecurityProtocol = "PLAINTEXT"
    """How brokers are spoken to; SASL logs in, SSL encrypts."""
    sasl_mechanism: SaslMechanism | None = None
    """How the login is proven; needed with SASL."""
    sasl_username: str | None = None
    """Of the login."""
    sasl_password: Secret | None = None
    """Of the login."""
    ssl_cafile: Path | None = None
    """PEM file of who signed the brokers' certificates; unset, the authorities that the system trusts."""
    ssl_certfile: Path | None = None
    """PEM file of our own certificate, where brokers ask for one."""
    ssl_keyfile: Path | None = None
    """PEM file of its key, where the certificate's file does not have it."""
    ssl_keyfile_password: Secret | None = None
    """Of the key, where it is encrypted."""
    # 249 characters is Kafka's limit of a whole name; ".notifications.v1" needs 17 of them.
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)] = "tongdai"
    """What the names of topics, groups and transactional ids begin with: `tongdai.inbound.v1`."""
    conversation_partitions: Annotated[PositiveInt, Field(le=10_000)] = 6
    """Partitions of topics keyed by conversation: as many lanes can work at once. For new topics only."""
    desk_partitions: Annotated[PositiveInt, Field(le=10_000)] = 3
    """Partitions of topics keyed by desk or agent, likewise."""
    replication_factor: Annotated[PositiveInt, Field(le=32)] = 1
    """Copies of each record, on as many brokers; production refuses fewer than 3. For new topics only."""
    min_insync_replicas: Annotated[PositiveInt, Field(le=32)] = 1
    """Copies without which nothing is acknowledged; production refuses fewer than 2. For new topics only."""
    request_timeout_ms: Milliseconds = 40_000
    """After so long without a broker's answer a request has failed."""

    @property
    def is_named(self) -> bool:
        """Whether somebody named the servers; otherwise the address is only a guess and may be embedded."""
        return "bootstrap_servers" in self.model_fields_set

    @property
    def uses_sasl(self) -> bool:
        """Whether clients log in with a user name and a password."""
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")

    def client_options(self) -> dict[str, Any]:
        """Return the keyword arguments that every aiokafka client is made with: servers, security, time-out.

        Raises `OSError` when a certificate or key cannot be loaded, which `load_settings` has tried.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
            "request_timeout_ms": self.request_timeout_ms,
        }
        if self.uses_tls:
            options["ssl_context"] = self.ssl_context()
        if self.uses_sasl and self.sasl_password is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options

    def ssl_context(self) -> ssl.SSLContext:
        """Return what checks the brokers' certificates, with our own when one is set.

        Raises `OSError` (`ssl.SSLError` is one) when a file cannot be loaded.
        """
        # An empty password rather than none: OpenSSL would ask a person at the terminal.
        password = self.ssl_keyfile_password.get_secret_value() if self.ssl_keyfile_password else ""
        context: ssl.SSLContext = create_ssl_context(
            cafile=self.ssl_cafile, certfile=self.ssl_certfile, keyfile=self.ssl_keyfile, password=password
        )
        return context
