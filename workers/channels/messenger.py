"""Facebook Messenger: `X-Hub-Signature-256`, `entry[].messaging[]`. The shapes: see messenger_event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from config.ingress import MessengerApp
from schemas.base import Json
from schemas.inbound import Message
from workers.channels import messenger_message
from workers.channels.channel import RECEIVED, Item, Pages, Refused, Skipped, of_pages
from workers.channels.document import parse_document
from workers.channels.fields import mapping
from workers.channels.messenger_event import normalise
from workers.channels.problem import MalformedError, WrongObjectError, WrongSignatureError, WrongTokenError
from workers.channels.signature import header_digest, messenger_digest, same

SIGNATURE_HEADER = "x-hub-signature-256"

ITEMS_MAX = 2_000
"""Events in one webhook; the platform batches at most 1,000."""


class Opened(NamedTuple):
    """An opened webhook, with the pages for which its app may speak."""

    document: Json
    pages: Pages = None


class Messenger:
    """Verifies with the secrets of all configured apps, as nothing in a webhook names its app."""

    name = "messenger"
    takes_queries = False
    acknowledgement = RECEIVED

    def __init__(self, apps: Sequence[MessengerApp]) -> None:
        self._apps = [
            (app.app_secret.get_secret_value().encode(), None if app.pages is None else frozenset(app.pages))
            for app in apps
        ]
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
        signers = [pages for secret, pages in self._apps if same(given, messenger_digest(secret, body))]
        if not signers:
            raise WrongSignatureError("X-Hub-Signature-256 fits the body with no configured app's secret.")
        document = parse_document(body)
        if mapping(document).get("object") != "page":
            raise WrongObjectError('Only webhooks with "object": "page" are taken here.')
        return Opened(document, _together(signers))

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items."""
        opened: Opened = document
        document, pages = opened
        entries = document["entry"] if isinstance(document.get("entry"), list) else None
        if entries is None:
            yield Refused("unreadable", "entry: is not a list", document, None)
        elif sum(_size(entry) for entry in entries) > ITEMS_MAX:
            yield Refused("unreadable", f"entry: more than {ITEMS_MAX} events", document, None)
        else:
            for entry in entries:
                yield from self._entry_items(entry, pages)

    def _entry_items(self, entry: Json, pages: Pages) -> Iterator[Item]:
        fields = mapping(entry)
        found = False
        for place in ("messaging", "standby", "changes"):
            events = fields.get(place)
            if isinstance(events, list):
                found = True
                for event in events:
                    item = Skipped(place) if place == "changes" else self._item(fields, place, event, pages)
                    yield item
                    if isinstance(item, Message) and (told := messenger_message.shared(item)) is not None:
                        yield told
        if not found:
            detail = "entry: has no list of messaging, standby or changes"
            yield Refused("unreadable", detail, {"object": "page", "entry": [entry]}, None)

    def _item(self, entry: Mapping[str, Any], place: str, event: Json, pages: Pages) -> Item:
        record = normalise(entry.get("id"), event, standby=place == "standby", ours=self._ids)
        item = of_pages(record, pages, event)
        if isinstance(item, Refused):
            alone = {**{name: entry[name] for name in ("id", "time") if name in entry}, place: [event]}
            return item._replace(original={"object": "page", "entry": [alone]})
        return item


def _together(signers: Sequence[Pages]) -> Pages:
    """Of apps that share a secret, the pages of all."""
    listed = [pages for pages in signers if pages is not None]
    return frozenset().union(*listed) if len(listed) == len(signers) else None


def _size(entry: Json) -> int:
    """How many items `_entry_items` gives of an entry."""
    lists = [mapping(entry).get(name) for name in ("messaging", "standby", "changes")]
    return max(1, sum(len(each) for each in lists if isinstance(each, list)))
