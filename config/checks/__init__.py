"""What settings must hold together: each broken rule names the variables and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from config.checks.kafka import of_kafka
from config.checks.runtime import of_runtime, of_watchdog
from config.checks.sections import (
    of_attachments,
    of_delivery,
    of_ingress,
    of_retries,
    of_webhooks,
    of_website,
    reachable,
)
from config.checks.servers import unnamed, unsafe
from config.problem import Problem
from config.sections import Sections


def problems_of(sections: Sections) -> list[Problem]:
    """Return every broken rule of otherwise valid settings."""
    production = sections.profile == "production"
    return [
        *(_servers(sections) if production else ()),
        *of_kafka(sections.kafka),
        *of_runtime(sections.runtime),
        *of_watchdog(sections.runtime, sections.postgres),
        *of_ingress(sections.ingress, sections.runtime),
        *of_webhooks(sections.webhooks),
        *of_delivery(sections.delivery, sections.runtime),
        *of_website(sections.website, sections.profile),
        *of_attachments(sections.attachments),
        *of_retries({name: getattr(sections, name) for name in type(sections).model_fields}),
        *(reachable(sections.webhooks, sections.attachments) if production else ()),
    ]


def _servers(sections: Sections) -> Iterator[Problem]:
    yield from unsafe(sections.kafka, sections.postgres)
    yield from unnamed(sections.kafka, sections.postgres)
