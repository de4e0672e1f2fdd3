"""What settings must hold together: each broken rule names the variables and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

from config.attachments import AttachmentsSettings
from config.delivery import DeliverySettings
from config.ingress import IngressSettings
from config.kafka import KafkaSettings
from config.postgres import PostgresSettings
from config.problem import Problem, variable
from config.profile import Profile
from config.runtime import RuntimeSettings
from config.webhooks import WebhooksSettings
from config.website import WebsiteSettings

if TYPE_CHECKING:
    from config.settings import Settings

_DURABLE_COMMITS = {"on", "remote_apply"}

_THIS_MACHINE = tuple(map(ip_network, ("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "::1/128", "fe80::/10")))
"""Loopback and link-local: the worker itself, and what clouds tell their machines in confidence."""


def problems_of(settings: Settings) -> list[Problem]:
    """Return every broken rule of otherwise valid settings."""
    unsafe = _unsafe(settings.kafka, settings.postgres) if settings.profile == "production" else ()
    return [
        *unsafe,
        *(_unnamed_servers(settings.kafka, settings.postgres) if settings.profile == "production" else ()),
        *_kafka(settings.kafka),
        *_runtime(settings.runtime),
        *_watchdog(settings.runtime, settings.postgres),
        *_ingress(settings.ingress, settings.runtime),
        *_webhooks(settings.webhooks),
        *_delivery(settings.delivery, settings.runtime),
        *_website(settings.website, settings.profile),
        *_attachments(settings.attachments),
        *(_reachable(settings) if settings.profile == "production" else ()),
    ]


def warnings_of(profile: Profile, kafka: KafkaSettings, postgres: PostgresSettings) -> tuple[Problem, ...]:
    """Return what the profile allows although it is not safe."""
    warnings = list(_unsafe(kafka, postgres)) if profile == "local" else []
    if profile == "production" and not kafka.uses_tls:
        text = (
            f"is {kafka.security_protocol}: customers' messages cross the network unencrypted; use SASL_SSL"
        )
        warnings.append(Problem(variable("kafka", "security_protocol"), text))
    if profile == "production" and not postgres.checks_server:
        text = (
            "has no sslmode=verify-full&sslrootcert=…: whoever answers at its address is taken for Postgres"
        )
        warnings.append(Problem(variable("postgres", "dsn"), text))
    return tuple(warnings)


def _unsafe(kafka: KafkaSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    """Yield what may lose an acknowledged message when one server fails."""
    if kafka.replication_factor < 3:
        text = (
            f"is {kafka.replication_factor}: production needs at least 3, or one lost broker loses messages"
        )
        yield Problem(variable("kafka", "replication_factor"), text)
    if kafka.min_insync_replicas < 2:
        text = (
            f"is {kafka.min_insync_replicas}: production needs at least 2, or one broker alone acknowledges"
        )
        yield Problem(variable("kafka", "min_insync_replicas"), text)
    if postgres.synchronous_commit not in _DURABLE_COMMITS:
        text = f"is {postgres.synchronous_commit}: exactly-once needs `on` (or `remote_apply`); set it to on"
        yield Problem(variable("postgres", "synchronous_commit"), text)


def _unnamed_servers(kafka: KafkaSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    if not kafka.is_named:
        yield Problem(variable("kafka", "bootstrap_servers"), "is not set: production needs host:port[,…]")
    if not postgres.is_named:
        yield Problem(variable("postgres", "dsn"), "is not set: production needs postgresql://…")


def _kafka(kafka: KafkaSettings) -> Iterator[Problem]:
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


def _runtime(runtime: RuntimeSettings) -> Iterator[Problem]:
    if runtime.heartbeat_interval_ms * 3 > runtime.session_timeout_ms:
        text = (
            f"must be at most a third of {variable('runtime', 'session_timeout_ms')}: three beats may be lost"
        )
        yield Problem(variable("runtime", "heartbeat_interval_ms"), text)
    if runtime.max_poll_interval_ms <= runtime.transaction_timeout_ms:
        other = variable("runtime", "transaction_timeout_ms")
        text = f"must exceed {other}: a lane must not move while its transaction may still commit"
        yield Problem(variable("runtime", "max_poll_interval_ms"), text)
    if runtime.max_poll_interval_ms < runtime.session_timeout_ms:
        text = f"must not be below {variable('runtime', 'session_timeout_ms')}: raise it"
        yield Problem(variable("runtime", "max_poll_interval_ms"), text)
    if runtime.kafka_deadline_s * 1000 > runtime.transaction_timeout_ms:
        other = variable("runtime", "transaction_timeout_ms")
        yield Problem(variable("runtime", "kafka_deadline_s"), f"must not exceed {other}: lower it")
    for field in ("stop_deadline_s", "watchdog_s"):
        if getattr(runtime, field) <= runtime.kafka_deadline_s:
            text = f"must exceed {variable('runtime', 'kafka_deadline_s')}: one slow call would use it up"
            yield Problem(variable("runtime", field), text)


def _watchdog(runtime: RuntimeSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    if runtime.kafka_deadline_s < runtime.watchdog_s <= postgres.command_timeout_s:
        other = variable("postgres", "command_timeout_s")
        text = f"must exceed {other}: a worker that waits for a slow Postgres is not stuck"
        yield Problem(variable("runtime", "watchdog_s"), text)


def _ingress(ingress: IngressSettings, runtime: RuntimeSettings) -> Iterator[Problem]:
    if ingress.port and ingress.port == runtime.health_port:
        text = f"is {variable('ingress', 'port')} too: give one of them another port"
        yield Problem(variable("runtime", "health_port"), text)
    for rate in ("rate", "page_rate"):
        if getattr(ingress, f"{rate}_burst") < getattr(ingress, f"{rate}_per_s"):
            other = variable("ingress", f"{rate}_per_s")
            text = f"must not be below {other}: a second's requests may come at once"
            yield Problem(variable("ingress", f"{rate}_burst"), text)
    apps = [app.name for app in ingress.messenger_apps]
    yield from _repeated(variable("ingress", "messenger_apps"), "name", apps)
    ids = [app.app_id for app in ingress.zalo_apps]
    yield from _repeated(variable("ingress", "zalo_apps"), "app_id", ids)
    bots = variable("ingress", "fchat_bots")
    yield from _repeated(bots, "account", [bot.account for bot in ingress.fchat_bots])
    if len({bot.path_token.get_secret_value() for bot in ingress.fchat_bots}) < len(ingress.fchat_bots):
        yield Problem(bots, "has two bots with the same path_token: each needs one of its own")


def _website(website: WebsiteSettings, profile: Profile) -> Iterator[Problem]:
    yield from _repeated(variable("website", "sites"), "site", [site.site for site in website.sites])
    if website.sites and not website.keys and profile == "production":
        text = (
            "is not set: production needs a key of at least 32 bytes, the same in all ingresses, that signs "
            "who a visitor is; draw it with: openssl rand -base64 48"
        )
        yield Problem(variable("website", "keys"), text)


def _repeated(name: str, key: str, values: list[str]) -> Iterator[Problem]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Problem(name, f"has {key} {value!r} {count} times: each must be unique")


def _webhooks(webhooks: WebhooksSettings) -> Iterator[Problem]:
    if webhooks.lease_s < webhooks.request_timeout_s + 2:
        other = variable("webhooks", "request_timeout_s")
        text = f"must exceed {other} by 2 s: a request must not outlive the lease under which it was sent"
        yield Problem(variable("webhooks", "lease_s"), text)
    if webhooks.retry_first_s > webhooks.retry_max_s:
        text = f"must not exceed {variable('webhooks', 'retry_max_s')}: lower it"
        yield Problem(variable("webhooks", "retry_first_s"), text)
    if len({key.get_secret_value() for key in webhooks.signing_keys}) < len(webhooks.signing_keys):
        yield Problem(variable("webhooks", "signing_keys"), "has the same key twice: remove one")


def _reachable(settings: Settings) -> Iterator[Problem]:
    """Yield networks to which no URL of others may ever lead."""
    named = {
        variable("webhooks", "allow_networks"): settings.webhooks.allow_networks,
        variable("attachments", "fetch_networks"): settings.attachments.fetch_networks,
    }
    for name, network in ((name, network) for name, networks in named.items() for network in networks):
        if any(network.version == own.version and network.overlaps(own) for own in _THIS_MACHINE):
            text = f"has {network}, which reaches this machine or its cloud's own service: name a smaller one"
            yield Problem(name, text)


def _attachments(attachments: AttachmentsSettings) -> Iterator[Problem]:
    if attachments.message_bytes_max < attachments.file_bytes_max:
        text = f"must not be below {variable('attachments', 'file_bytes_max')}: no file of that size could go"
        yield Problem(variable("attachments", "message_bytes_max"), text)
    if attachments.fetch_retry_first_s > attachments.fetch_retry_last_s:
        text = f"must not exceed {variable('attachments', 'fetch_retry_last_s')}: lower it"
        yield Problem(variable("attachments", "fetch_retry_first_s"), text)
    for field in ("s3_endpoint", "s3_access_key", "s3_secret_key"):
        if attachments.s3_bucket is None and getattr(attachments, field) is not None:
            text = f"has no effect without {variable('attachments', 's3_bucket')}: set that, or remove it"
            yield Problem(variable("attachments", field), text)
    if (attachments.s3_access_key is None) != (attachments.s3_secret_key is None):
        missing = "s3_access_key" if attachments.s3_access_key is None else "s3_secret_key"
        yield Problem(variable("attachments", missing), "is not set, but its other half is: set both")


def _delivery(delivery: DeliverySettings, runtime: RuntimeSettings) -> Iterator[Problem]:
    if delivery.request_timeout_s >= runtime.stop_deadline_s:
        other = variable("runtime", "stop_deadline_s")
        text = f"must be below {other}: who stops waits for the answers to what is under way"
        yield Problem(variable("delivery", "request_timeout_s"), text)
    if delivery.retry_first_s > delivery.retry_last_s:
        text = f"must not exceed {variable('delivery', 'retry_last_s')}: lower it"
        yield Problem(variable("delivery", "retry_first_s"), text)
