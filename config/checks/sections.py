"""What the settings of each other section must hold together, by itself or with the runtime's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from config.attachments import AttachmentsSettings
from config.delivery import DeliverySettings
from config.ingress import IngressSettings
from config.problem import Problem, variable
from config.profile import Profile
from config.retry import RetrySection
from config.runtime import RuntimeSettings
from config.webhooks import WebhooksSettings
from config.website import WebsiteSettings

_THIS_MACHINE = tuple(map(ip_network, ("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "::1/128", "fe80::/10")))
"""Loopback and link-local: the worker itself, and what clouds tell their machines in confidence."""


def of_ingress(ingress: IngressSettings, runtime: RuntimeSettings) -> Iterator[Problem]:
    """Ports, bursts, and apps and bots that are named once."""
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


def of_website(website: WebsiteSettings, profile: Profile) -> Iterator[Problem]:
    """Sites that are named once, and secrets that are kept apart."""
    yield from _repeated(variable("website", "sites"), "site", [site.site for site in website.sites])
    signing = {site.secret for site in website.sites} - {None}
    if signing & {site.hash_secret for site in website.sites}:
        text = "has a secret that is a hash_secret, too: whoever reads his hash could sign as anybody with it"
        yield Problem(variable("website", "sites"), text)
    if website.sites and not website.keys and profile == "production":
        text = (
            "is not set: production needs a key of at least 32 bytes, the same in all ingresses, that signs "
            "who a visitor is; draw it with: openssl rand -base64 48"
        )
        yield Problem(variable("website", "keys"), text)


def of_webhooks(webhooks: WebhooksSettings) -> Iterator[Problem]:
    """Leases, and keys that are there once."""
    if webhooks.lease_s < webhooks.request_timeout_s + 2:
        other = variable("webhooks", "request_timeout_s")
        text = f"must exceed {other} by 2 s: a request must not outlive the lease under which it was sent"
        yield Problem(variable("webhooks", "lease_s"), text)
    if len({key.get_secret_value() for key in webhooks.signing_keys}) < len(webhooks.signing_keys):
        yield Problem(variable("webhooks", "signing_keys"), "has the same key twice: remove one")


def of_delivery(delivery: DeliverySettings, runtime: RuntimeSettings) -> Iterator[Problem]:
    """How long a request may take."""
    if delivery.request_timeout_s >= runtime.stop_deadline_s:
        other = variable("runtime", "stop_deadline_s")
        text = f"must be below {other}: who stops waits for the answers to what is under way"
        yield Problem(variable("delivery", "request_timeout_s"), text)


def of_attachments(attachments: AttachmentsSettings) -> Iterator[Problem]:
    """Sizes, and what a bucket needs."""
    if attachments.message_bytes_max < attachments.file_bytes_max:
        text = f"must not be below {variable('attachments', 'file_bytes_max')}: no file of that size could go"
        yield Problem(variable("attachments", "message_bytes_max"), text)
    for field in ("s3_endpoint", "s3_access_key", "s3_secret_key"):
        if attachments.s3_bucket is None and getattr(attachments, field) is not None:
            text = f"has no effect without {variable('attachments', 's3_bucket')}: set that, or remove it"
            yield Problem(variable("attachments", field), text)
    if (attachments.s3_access_key is None) != (attachments.s3_secret_key is None):
        missing = "s3_access_key" if attachments.s3_access_key is None else "s3_secret_key"
        yield Problem(variable("attachments", missing), "is not set, but its other half is: set both")


def reachable(webhooks: WebhooksSettings, attachments: AttachmentsSettings) -> Iterator[Problem]:
    """Yield networks to which no URL of others may ever lead."""
    named = {
        variable("webhooks", "allow_networks"): webhooks.allow_networks,
        variable("attachments", "fetch_networks"): attachments.fetch_networks,
    }
    for name, network in ((name, network) for name, networks in named.items() for network in networks):
        if any(network.version == own.version and network.overlaps(own) for own in _THIS_MACHINE):
            text = f"has {network}, which reaches this machine or its cloud's own service: name a smaller one"
            yield Problem(name, text)


def of_retries(sections: Mapping[str, object]) -> Iterator[Problem]:
    """Yield waits that could not become longer, of whichever section has some."""
    for name, section in sections.items():
        if isinstance(section, RetrySection) and section.retry.first_s > section.retry.last_s:
            first, last = section.RETRY
            yield Problem(variable(name, first), f"must not exceed {variable(name, last)}: lower it")


def _repeated(name: str, key: str, values: list[str]) -> Iterator[Problem]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Problem(name, f"has {key} {value!r} {count} times: each must be unique")
