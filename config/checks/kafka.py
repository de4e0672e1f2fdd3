"""What the settings of Kafka's clients must hold together."""

from __future__ import annotations

from collections.abc import Iterator

from config.kafka import KafkaSettings
from config.problem import Problem, variable


def of_kafka(kafka: KafkaSettings) -> Iterator[Problem]:
    """Copies, what a protocol needs and what it leaves unused, and certificates that can be loaded."""
    if kafka.min_insync_replicas > kafka.replication_factor:
        text = f"must not exceed {variable('kafka', 'replication_factor')} ({kafka.replication_factor})"
        yield Problem(variable("kafka", "min_insync_replicas"), text)
    for field in ("sasl_mechanism", "sasl_username", "sasl_password"):
        if kafka.uses_sasl and getattr(kafka, field) is None:
            yield Problem(variable("kafka", field), f"is needed with {kafka.security_protocol}: set it")
        if not kafka.uses_sasl and getattr(kafka, field) is not None:
            yield _unused(field, kafka, "SASL_SSL")
    for field in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_keyfile_password"):
        if not kafka.uses_tls and getattr(kafka, field) is not None:
            yield _unused(field, kafka, "SSL or SASL_SSL")
    if kafka.ssl_keyfile is not None and kafka.ssl_certfile is None:
        yield Problem(variable("kafka", "ssl_certfile"), "is needed beside the key file: set it")
    files = [(field, getattr(kafka, field)) for field in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")]
    missing = [(field, path) for field, path in files if path is not None and not path.is_file()]
    for field, path in missing:
        yield Problem(variable("kafka", field), f"names {path}, which is not a file")
    if not missing and kafka.uses_tls:
        yield from _certificates(kafka)


def _certificates(kafka: KafkaSettings) -> Iterator[Problem]:
    """Load the certificates now, rather than in the first client that is made."""
    try:
        kafka.ssl_context()
    except (OSError, ValueError) as error:
        names = [name for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile") if getattr(kafka, name)]
        settings = ", ".join(variable("kafka", name) for name in names)
        yield Problem(settings, f"cannot be loaded: {error}; PEM is expected, and the key file's password")


def _unused(field: str, kafka: KafkaSettings, protocols: str) -> Problem:
    protocol = variable("kafka", "security_protocol")
    text = f"has no effect with {kafka.security_protocol}: set {protocol} to {protocols}, or remove it"
    return Problem(variable("kafka", field), text)
