"""Facebook Messenger: `X-Hub-Signature-256`, `entry[].messaging[]`. The shapes: see messenger_event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from config.ingress import MessengerApp
from schemas.base import Json
from schemas.inbound import Message
from workers.channels import messenger_message
from workers.channels.channel import RECEIVED, Item, Refused, Skipped
from workers.channels.document import parse_document
from workers.channels.fields import mapping
from workers.channels.messenger_event import normalise
from workers.channels.problem import MalformedError, WrongObjectError, WrongSignatureError, WrongTokenError
from workers.channels.signature import header_digest, messenger_digest, same

SIGNATURE_HEADER = "x-hub-signature-256"

ITEMS_MAX = 2_000
"""Events in one webhook; the platform batches at most 1,000."""


class Messenger:
    """Verifies with the secrets of all configured apps, as nothing in a webhook names its app."""

    name = "messenger"
    takes_queries = False
    acknowledgement = RECEIVED

    def __init__(self, apps: Sequence[MessengerApp]) -> None:
        self._secrets = [app.app_secret.get_secret_value().encode() for app in apps]
        self._tokens = [app.verify_token.get_secret_value() for app in apps]
        self._ids = frozenset(app.app_id for app in apps if app.app_id is not None)

    def challenge(self, query: Mapping[str, str]) -> str:
        """The challenge as it came, when mode and token are right.

        Platforms and simulators write `hub.mode` or, as PHP servers see it, `hub_mode`.
        """
        mode, token, challenge = (
            query.get(f"hub.{field}", query.get(f"hub_{field}", ""))
            for field in ("mode", "verify_token", "challenge")
        )
        # All are compared, so that the time does not tell which app's token came close.
        known = sum(same(token, each) for each in self._tokens) > 0
        if mode != "subscribe" or not known:
            raise WrongTokenError("hub.mode is not subscribe, or hub.verify_token is no configured app's.")
        if not challenge:
            raise MalformedError("hub.challenge is missing.")
        return challenge

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """See Channel.open; 404 for another object than `page` is the platform's own custom."""
        given = header_digest(headers.get(SIGNATURE_HEADER), "sha256")
        if given is None:
            raise WrongSignatureError("The header X-Hub-Signature-256: sha256=<hex> is missing.")
        if not any(same(given, messenger_digest(secret, body)) for secret in self._secrets):
            raise WrongSignatureError("X-Hub-Signature-256 fits the body with no configured app's secret.")
        document = parse_document(body)
        if mapping(document).get("object") != "page":
            raise WrongObjectError('Only webhooks with "object": "page" are taken here.')
        return document

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items."""
        entries = document["entry"] if isinstance(document.get("entry"), list) else None
        if entries is None:
            yield Refused("unreadable", "entry: is not a list", document, None)
        elif sum(_size(entry) for entry in entries) > ITEMS_MAX:
            yield Refused("unreadable", f"entry: more than {ITEMS_MAX} events", document, None)
        else:
            for entry in entries:
                yield from self._entry_items(entry)

    def _entry_items(self, entry: Json) -> Iterator[Item]:
        fields = mapping(entry)
        found = False
        for place in ("messaging", "standby", "changes"):
            events = fields.get(place)
            if isinstance(events, list):
                found = True
                for event in events:
                    item = Skipped(place) if place == "changes" else self._item(fields, place, event)
                    yield item
                    if isinstance(item, Message) and (told := messenger_message.shared(item)) is not None:
                        yield told
        if not found:
            detail = "entry: has no list of messaging, standby or changes"
            yield Refused("unreadable", detail, {"object": "page", "entry": [entry]}, None)

    def _item(self, entry: Mapping[str, Any], place: str, event: Json) -> Item:
        item = normalise(entry.get("id"), event, standby=place == "standby", ours=self._ids)
        if isinstance(item, Refused):
            alone = {**{name: entry[name] for name in ("id", "time") if name in entry}, place: [event]}
            return item._replace(original={"object": "page", "entry": [alone]})
        return item


def _size(entry: Json) -> int:
    """How many items `_entry_items` gives of an entry."""
    lists = [mapping(entry).get(name) for name in ("messaging", "standby", "changes")]
    return max(1, sum(len(each) for each in lists if isinstance(each, list)))
