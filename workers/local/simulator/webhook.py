"""One webhook, ready to be posted: its bytes, its signature, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from config.ingress import MessengerApp, ZaloApp
from schemas.ids import channel_of
from workers.channels.signature import messenger_digest, zalo_digest
from workers.local.simulator.ledger import Kind, Sent


@dataclass(frozen=True)
class Webhook:
    """A POST to the ingress."""

    kind: Kind
    page: str
    """`channel:account`."""
    body: bytes
    headers: dict[str, str]
    sent: tuple[Sent, ...]
    """Its events."""
    token: str = ""
    """Behind the channel in the address, where that tells who posts."""

    @property
    def path(self) -> str:
        """Where it is posted."""
        channel = channel_of(self.page)
        return f"/v1/webhooks/{channel}/{self.token}" if self.token else f"/v1/webhooks/{channel}"


def messenger_headers(app: MessengerApp, body: bytes) -> dict[str, str]:
    """What Messenger sends beside the body."""
    digest = messenger_digest(app.app_secret.get_secret_value().encode(), body)
    return {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}


def zalo_headers(app: ZaloApp, body: bytes, timestamp: str) -> dict[str, str]:
    """What Zalo sends beside the body."""
    secret = (app.oa_secret_key or app.secret_key).get_secret_value().encode()
    digest = zalo_digest(app.app_id, body, timestamp, secret)
    return {"content-type": "application/json", "x-zevent-signature": f"mac={digest}"}
