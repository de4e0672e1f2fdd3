"""Zalo Official Account: `X-ZEvent-Signature`, one event a webhook. The shapes: see zalo_event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from config.ingress import ZaloApp
from schemas.base import Json
from workers.channels import fields
from workers.channels.channel import RECEIVED, Item, of_pages
from workers.channels.document import parse_document
from workers.channels.problem import MalformedError, WrongSignatureError
from workers.channels.signature import header_digest, same, zalo_digest
from workers.channels.zalo_event import ends, normalise

SIGNATURE_HEADER = "x-zevent-signature"


class Zalo:
    """Verifies with the secret of the app that the webhook names.

    An OA may sign with a key of its own, which is shown beside its webhook's address; else the app's signs.
    """

    name = "zalo"
    takes_queries = False
    acknowledgement = RECEIVED

    def __init__(self, apps: Sequence[ZaloApp]) -> None:
        self._apps = {app.app_id: app for app in apps}

    def challenge(self, query: Mapping[str, str]) -> str:
        """Zalo has no handshake, but looks whether the address answers."""
        del query
        return "ok"

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """See Channel.open. The body is read first, as the signature is over two of its fields as well."""
        given = header_digest(headers.get(SIGNATURE_HEADER), "mac")
        if given is None:
            raise WrongSignatureError("The header X-ZEvent-Signature: mac=<hex> is missing.")
        document = parse_document(body)
        if not isinstance(document, dict):
            raise MalformedError("The body is not a JSON object.")
        app_id, timestamp = (fields.identifier(document.get(each)) or "" for each in ("app_id", "timestamp"))
        app = self._apps.get(app_id)
        if app is None:
            raise WrongSignatureError("app_id names no configured app.")
        id_ = app_id if app.signs_with == "app_id" else _account(document)
        secret = (app.oa_secret_key or app.secret_key).get_secret_value().encode()
        if not same(given, zalo_digest(id_, body, timestamp, secret)):
            raise WrongSignatureError("X-ZEvent-Signature does not fit the body with the app's secret.")
        return document

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items."""
        app = self._apps.get(fields.identifier(document.get("app_id")) or "")
        pages = None if app is None or app.pages is None else frozenset(app.pages)
        yield of_pages(normalise(document), pages, document)


def _account(document: dict[str, Json]) -> str:
    return ends(fields.text(document.get("event_name")) or "", document)[0] or ""
