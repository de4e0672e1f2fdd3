"""Servers as in production: TLS to both, a user for each worker, and no user with more than he needs.

The plain listener of Kafka is the operators' own, and the tests'.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from config.settings import Settings
from config.topics_apply import apply_topics
from tests.security.certificates import Issued, issue
from tests.security.tls_front import tls_front
from workers.access.kafka_acls import Acl, acls
from workers.access.postgres_grants import grants
from workers.access.rights import WORKERS
from workers.local.child import Child, Launch
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import STORAGE_TOOL, java_command, quick_start_options
from workers.local.ports import LOOPBACK, free_port
from workers.local.postgres import EmbeddedPostgres
from workers.migrations import migrate

USERS = ROLES = "fort"
PREFIX = "fort"
SCRAM_WORKER = "notifier"
"""Its password is SCRAM-SHA-512's, which Kafka keeps; the others' are PLAIN, in the broker's settings."""
MODULES = "org.apache.kafka.common.security"
_RESOURCES = {"topic": 2, "group": 3, "transactional-id": 5}
_OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3


class ScramKafka(EmbeddedKafka):
    """One that is made with a SCRAM user."""

    def __init__(self, data_dir: Path, user: str, password: str, **named: Any) -> None:  # noqa: ANN401 - the server's
        super().__init__(data_dir, **named)
        self._scram = f"SCRAM-SHA-512=[name={user},password={password}]"

    async def _format(self, properties: Path) -> None:
        cluster = "--cluster-id=MkU3OEVBNTcwNTJENDM2Qg"
        arguments = ("format", cluster, f"--config={properties}", "--add-scram", self._scram)
        command = java_command(STORAGE_TOOL, *arguments, heap_mb=128)
        tool = Child(Launch("Kafka's storage tool", command, self.log, signal.SIGKILL))
        await tool.finished(60)


@dataclass
class Fortress:
    """The servers, and the settings with which each worker comes to them."""

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    kafka_files: Issued
    postgres_files: Issued
    secure_port: int
    """Of Kafka's listener with TLS."""
    front_port: int
    """Of the TLS before Postgres."""
    passwords: dict[str, str] = field(default_factory=dict)
    """By worker, of both servers."""

    @property
    def operator(self) -> Settings:
        """Of who may everything; his way to Postgres is encrypted too."""
        dsn = self.postgres.dsn.replace(f":{self.postgres.port}/", f":{self.front_port}/")
        return Settings.model_validate(
            {
                "kafka": {"bootstrap_servers": self.kafka.bootstrap_servers, **self._topics},
                "postgres": {"dsn": f"{dsn}?{self._tls}"},
            }
        )

    def settings(self, worker: str, **sections: dict[str, Any]) -> Settings:
        """Of one worker; `sections` of its own, or other values of these."""
        kafka = {
            "bootstrap_servers": f"{LOOPBACK}:{self.secure_port}",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512" if worker == SCRAM_WORKER else "PLAIN",
            "sasl_username": f"{USERS}-{worker}",
            "sasl_password": self.passwords[worker],
            "ssl_cafile": self.kafka_files.authority,
            **self._topics,
        }
        values = {"kafka": kafka, "postgres": {"dsn": self.dsn(worker)}}
        own = {name: values.get(name, {}) | more for name, more in sections.items()}
        return Settings.model_validate(values | own)

    def dsn(self, worker: str) -> str:
        """Where a worker's role finds its tables."""
        address = f"{ROLES}_{worker}:{self.passwords[worker]}@{LOOPBACK}:{self.front_port}"
        return f"postgresql://{address}/tongdai?{self._tls}"

    @property
    def _tls(self) -> str:
        return f"sslmode=verify-full&sslrootcert={self.postgres_files.authority}"

    @property
    def _topics(self) -> dict[str, Any]:
        return {"topic_prefix": PREFIX, "conversation_partitions": 2, "desk_partitions": 1}


@asynccontextmanager
async def fortress(folder: Path) -> AsyncIterator[Fortress]:
    """Start the servers; topics, tables, roles and access control lists are made."""
    passwords = {worker: f"canary-{worker}-{secrets.token_hex(12)}" for worker in WORKERS}
    kafka_files, postgres_files = issue(folder, "kafka"), issue(folder, "postgres")
    plain, secure = free_port(), free_port()
    scram = (f"{USERS}-{SCRAM_WORKER}", passwords[SCRAM_WORKER])
    overrides = _properties(folder, kafka_files, passwords, plain, secure)
    kafka = ScramKafka(
        folder / "kafka", *scram, port=plain, overrides=overrides, java_options=quick_start_options()
    )
    postgres = EmbeddedPostgres(folder / "postgres", overrides={"fsync": "off"})
    async with kafka, postgres, tls_front(postgres_files, postgres.port) as front:
        made = Fortress(kafka, postgres, kafka_files, postgres_files, secure, front, passwords)
        await asyncio.to_thread(migrate, made.operator.postgres.dsn.get_secret_value())
        await asyncio.gather(apply_topics(made.operator), _give_roles(made), _give_acls(made))
        yield made


def _properties(
    folder: Path, files: Issued, passwords: dict[str, str], plain: int, secure: int
) -> dict[str, str]:
    """A second listener with TLS and passwords; who comes by the first is an operator."""
    controller = free_port()
    listeners = f"PLAINTEXT://{LOOPBACK}:{plain},SASL_SSL://{LOOPBACK}:{secure}"
    store = folder / "kafka.store.pem"
    store.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
    users = " ".join(f'user_{USERS}-{worker}="{password}"' for worker, password in passwords.items())
    of = "listener.name.sasl_ssl"
    return {
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        f"{of}.plain.sasl.jaas.config": f"{MODULES}.plain.PlainLoginModule required {users};",
        f"{of}.scram-sha-512.sasl.jaas.config": f"{MODULES}.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


async def _give_roles(made: Fortress) -> None:
    connection = await asyncpg.connect(made.operator.postgres.dsn.get_secret_value())
    try:
        for _ in range(2):  # safe to repeat
            await connection.execute(grants(ROLES))
        for worker, rights in WORKERS.items():
            if rights.uses_postgres:
                await connection.execute(f"ALTER ROLE {ROLES}_{worker} PASSWORD '{made.passwords[worker]}'")
    finally:
        await connection.close()


async def _give_acls(made: Fortress) -> None:
    admin = AIOKafkaAdminClient(**made.operator.kafka.client_options())
    await admin.start()
    try:
        for acl in acls(USERS, PREFIX):
            response = await admin._send_request(_request(acl))
            assert [error for error, *_ in response.creation_responses] == [0], response
    finally:
        await admin.close()


def _request(acl: Acl) -> CreateAclsRequest:
    return CreateAclsRequest(
        _RESOURCES[acl.resource],
        acl.name,
        _PREFIXED if acl.prefixed else _LITERAL,
        f"User:{acl.user}",
        "*",
        _OPERATIONS[acl.operation],
        _ALLOW,
    )
